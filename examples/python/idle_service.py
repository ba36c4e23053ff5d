"""A service that tells who has not been active for an hour, in nothing but the standard library.

The hub starts it as a managed service; its role must have the scope list:users. Visitors show their own token:

    curl -H "Authorization: token $TOKEN" http://127.0.0.1:8000/services/idle/
"""

import datetime
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ["JUPYTERHUB_API_URL"]
OWN_TOKEN = os.environ["JUPYTERHUB_API_TOKEN"]
ACCESS = set(json.loads(os.environ["JUPYTERHUB_OAUTH_ACCESS_SCOPES"]))
IDLE = datetime.timedelta(hours=1)


def ask(path: str, token: str):
    request = urllib.request.Request(API + path, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def idle_users() -> list[str]:
    now = datetime.datetime.now(datetime.timezone.utc)
    names = []
    for user in ask("/users", OWN_TOKEN):
        seen = user["last_activity"]
        if seen and now - datetime.datetime.fromisoformat(seen.replace("Z", "+00:00")) > IDLE:
            names.append(user["name"])
    return sorted(names)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() not in ("token", "bearer"):
            return self.answer(403, {"message": "show a token of the hub"})
        try:
            visitor = ask("/user", token)
            if not ACCESS & set(visitor["scopes"]):
                return self.answer(403, {"message": f"{visitor['name']} may not use this service"})
            self.answer(200, {"asked_by": visitor["name"], "idle": idle_users()})
        except urllib.error.HTTPError as e:
            refused = e.code in (401, 403)
            self.answer(403 if refused else 502, {"message": "the hub does not know this token" if refused else "the hub fails, try again"})

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    where = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    ThreadingHTTPServer((where.hostname, where.port), Handler).serve_forever()
