"""The services of an integration guide, in one program: announcement, monitoring, registry, checker.

Each is what a guide shows, no more. The name of the service says which one this process is.
"""

import os
import re
import secrets
import sys
import threading
import time
from urllib.parse import urlparse

import requests
from flask import Flask, abort, jsonify, redirect, request, session
from jupyterhub.services.auth import HubOAuth, check_scopes

name = sys.argv[1]
api = os.environ["JUPYTERHUB_API_URL"]
prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
hub = requests.Session()
hub.headers["Authorization"] = f"token {os.environ['JUPYTERHUB_API_TOKEN']}"
auth = HubOAuth()
app = Flask(name)
app.secret_key = secrets.token_bytes(16)


def caller():
    """The user model of who is calling: by bearer token, else by the cookie that the OAuth login left."""
    header = re.fullmatch(r"(?:token|bearer)\s+(\S+)", request.headers.get("Authorization", ""), re.I)
    token = header.group(1) if header else session.get("token")
    return auth.user_for_token(token, use_cache=False) if token else None


def allowed(model):
    return model is not None and bool(check_scopes(set(auth.access_scopes), set(model["scopes"])))


if name == "announcement":
    board = {"announcement": "", "user": ""}

    @app.get(prefix)
    def read():
        return jsonify(board)

    @app.get(prefix + "edit")
    def edit():
        model = caller()
        if model is None:
            state = auth.generate_state(next_url=request.path)
            session["state"] = state
            return redirect(f"{auth.login_url}&state={state}")
        return jsonify(model) if allowed(model) else abort(403)

    @app.get(prefix + "oauth_callback")
    def callback():
        state = request.args.get("state")
        if not state or state != session.pop("state", None):
            abort(403)
        session["token"] = auth.token_for_code(request.args["code"])
        return redirect(auth.get_next_url(state))

    @app.post(prefix)
    def write():
        model = caller()
        if not allowed(model):
            abort(403)
        board.update(announcement=request.get_json(force=True)["announcement"], user=model["name"])
        return jsonify(board)


if name == "monitoring":
    seen = {}

    def poll():
        while True:
            try:
                answer = hub.get(f"{api}/users")
                answer.raise_for_status()
                for user in answer.json():
                    seen[user["name"]] = {
                        "last_activity": user["last_activity"],
                        "servers": sorted(user.get("servers") or {}),
                    }
            except requests.RequestException as error:
                print("polling failed:", error, flush=True)
            time.sleep(0.2)

    threading.Thread(target=poll, daemon=True).start()
    print("monitoring has started", flush=True)

    @app.get(prefix)
    def report():
        return jsonify(
            users=seen,
            cwd=os.getcwd(),
            interval=os.environ.get("MONITOR_INTERVAL"),
            environment=sorted(key for key in os.environ if key.startswith("JUPYTERHUB_")),
        )

    @app.post(prefix + "die")
    def die():
        os._exit(3)


if name == "registry":

    @app.get(prefix)
    def registry():
        """Which services offer which capability, read one by one with GET /services/NAME."""
        offers = {}
        for service in os.environ["REGISTRY_OF"].split(","):
            model = hub.get(f"{api}/services/{service}")
            model.raise_for_status()
            for capability in model.json().get("capabilities") or ["unknown"]:
                offers.setdefault(capability, []).append(model.json()["name"])
        return jsonify(offers)


if name == "checker":

    @app.get(prefix)
    def check():
        model = caller() or abort(401)
        scopes = set(model["scopes"])
        return jsonify(
            name=model["name"],
            read=bool(check_scopes({"custom:data:read"}, scopes)),
            write=bool(check_scopes({"custom:data:write"}, scopes)),
            own_server=bool(check_scopes({f"access:servers!server={model['name']}/"}, scopes)),
            other_server=bool(check_scopes({"access:servers!server=somebody-else/"}, scopes)),
        )


url = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
app.run(host=url.hostname, port=url.port, threaded=True)
