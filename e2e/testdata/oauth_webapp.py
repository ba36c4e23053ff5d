"""An external web application that logs its users in with the hub. Its OAuth client is authlib's."""

import os
from urllib.parse import urlparse

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, session

hub, api, here = (os.environ[name] for name in ("HUB_URL", "HUB_API", "APP_URL"))

app = Flask(__name__)
app.secret_key = os.urandom(16)
client = OAuth(app).register(
    "hub",
    client_id="service-webapp",
    client_secret=os.environ["CLIENT_SECRET"],
    authorize_url=f"{hub}/hub/api/oauth2/authorize",
    access_token_url=f"{api}/oauth2/token",
    api_base_url=api,
    client_kwargs={
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "client_secret_post",
    },
)


@app.get("/health")
def health():
    return "up"


@app.get("/login")
def login():
    return client.authorize_redirect(f"{here}/callback")


@app.get("/callback")
def callback():
    try:
        token = client.authorize_access_token()
    except OAuthError as error:
        return error.error, 400
    user = client.get(f"{api}/user", token=token)
    userinfo = client.get(f"{api}/oauth2/userinfo", token=token)
    return jsonify(
        token_type=token["token_type"],
        user=user.json(),
        userinfo=userinfo.json() if userinfo.ok else None,
        userinfo_status=userinfo.status_code,
    )


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=urlparse(here).port)
