"""Python JupyterHub with the same interface, so that the same tests can run against it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .client import Client, call
from .errors import HubError, NotSupported
from .hub import STOP_SECONDS, Hub

START_SECONDS = 60
"""How long JupyterHub may take to answer."""

_EVERYTHING = [
    "admin-ui", "admin:users", "admin:servers", "admin:groups", "admin:services", "tokens", "shares", "groups:shares", "users:shares",
    "read:hub", "proxy", "shutdown", "access:services", "access:servers", "read:metrics", "list:users", "list:groups", "list:services",
]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class JupyterHub(Hub):
    """A Python JupyterHub, with configurable-http-proxy, of the environment that pytest runs in.

    Servers are jupyterhub-singleuser processes. ``snapshot`` remembers the users and groups that there are; ``restore`` deletes the
    others with their servers, makes again those that are gone, with new tokens, and stops servers. Only a start gives roles to
    users, so it starts JupyterHub again when one that a role names was gone. Time and faults raise NotSupported.
    """

    def _start(self, spec: dict, log: str | None) -> None:
        self._spec = spec
        self._dir = Path(tempfile.mkdtemp(prefix="minihub-reference-"))
        port, hub_port, api_port = _free_port(), _free_port(), _free_port()
        services = [dict(s) for s in spec["services"]]
        for s in services:
            s.setdefault("api_token", secrets.token_hex(32))
        admin = secrets.token_hex(32)
        base = spec["config"].get("JupyterHub", {}).get("base_url", "/").strip("/")
        url = f"http://127.0.0.1:{port}/" + (base + "/" if base else "")
        config = {
            "JupyterHub": {
                "bind_url": url, "hub_bind_url": f"http://127.0.0.1:{hub_port}", "authenticator_class": "dummy", "spawner_class": "simple",
                "db_url": f"sqlite:///{self._dir}/jupyterhub.sqlite", "cookie_secret_file": f"{self._dir}/secret",
                "services": [*services, {"name": "hubtest", "api_token": admin, "admin": True, "display": False}],
                "load_roles": [*spec["roles"], {"name": "hubtest", "services": ["hubtest"], "scopes": _EVERYTHING}],
            },
            "Authenticator": {"allow_all": True},
            "ConfigurableHTTPProxy": {"api_url": f"http://127.0.0.1:{api_port}", "pid_file": f"{self._dir}/proxy.pid"},
        }  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # jupyter-server refuses to run as root otherwise
            config["Spawner"] = {"args": ["--allow-root"]}
        for cls, traits in spec["config"].items():
            config.setdefault(cls, {}).update({k: v for k, v in traits.items() if (cls, k) != ("JupyterHub", "base_url")})
        (self._dir / "config.json").write_text(json.dumps(config))
        self._log = log or self._dir / "log"
        self._launch()
        ready = {"url": url, "api_url": url + "hub/api", "admin_token": admin, "tokens": {}, "pid": self._process.pid, "services": {
            s["name"]: {"api_token": s["api_token"], "client_id": s.get("oauth_client_id", f"service-{s['name']}"), "client_secret": s["api_token"]}
            for s in services}}  # fmt: skip
        self._take(ready)
        self.admin = Client(self.api_url, admin)
        try:
            self._wait()
            self._populate()
        except BaseException:
            self.close()
            raise

    def _launch(self) -> None:
        output = open(self._log, "ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(self._dir / "config.json")], cwd=self._dir, stdout=output, stderr=output,
            env={**os.environ, "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")},
        )  # fmt: skip
        output.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                call(self.api_url + "/")
                return
            except HubError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    text = Path(self._log).read_text(errors="replace")
                    raise HubError(f"JupyterHub did not start:\n{text[-4000:]}") from None
                time.sleep(0.05)

    def _populate(self) -> None:
        self._scopes = {}
        for u in self._spec["users"]:
            u = {"name": u} if isinstance(u, str) else u
            self._scopes[u["name"]] = u.get("scopes", ())
            self._add(u["name"], bool(u.get("admin")))
        for group, members in self._spec["groups"].items():
            try:
                self.admin.post(f"/groups/{group}", {"users": members})
            except HubError as e:
                if e.status != 409:  # the roles named it already
                    raise
                self.admin.post(f"/groups/{group}/users", {"users": members})

    def _add(self, user: str, admin: bool) -> None:
        self._create(user)
        if admin:
            self.admin.patch(f"/users/{user}", {"admin": True})
        if user in self._scopes:
            self.tokens[user] = self.token(user, *self._scopes[user])

    def token(self, user: str, *scopes: str) -> str:
        self._create(user)
        body: dict[str, Any] = {"note": "hubtest"}
        if scopes:
            body["scopes"] = list(scopes)
        return self.admin.post(f"/users/{user}/tokens", body)["token"]

    def _create(self, user: str) -> None:
        try:
            self.admin.post(f"/users/{user}")
        except HubError as e:
            if e.status != 409:  # the roles named it already
                raise

    def _people(self) -> dict[str, Any]:
        return {
            "users": {u["name"]: u["admin"] for u in self.admin.get("/users")},
            "groups": {g["name"]: sorted(g["users"]) for g in self.admin.get("/groups")},
        }

    def snapshot(self) -> str:
        return json.dumps(self._people())

    def restore(self, snapshot: str) -> None:
        before, now = json.loads(snapshot), self._people()
        for kind in ("groups", "users"):
            for name in set(now[kind]) - set(before[kind]):
                self.admin.delete(f"/{kind}/{name}")
        for name, admin in before["users"].items():
            if name not in now["users"]:
                self._add(name, admin)
                continue
            self._stop_servers(name)
            if now["users"][name] != admin:
                self.admin.patch(f"/users/{name}", {"admin": admin})
        for group, members in before["groups"].items():
            if group not in now["groups"]:
                self.admin.post(f"/groups/{group}")
            # Members that were deleted meanwhile have left every group.
            if missing := set(members) - set(now["groups"].get(group, ())) | set(members) - set(now["users"]):
                self.admin.post(f"/groups/{group}/users", {"users": sorted(missing)})
            if added := (set(now["groups"].get(group, ())) - set(members)) & set(before["users"]):
                self.admin.request(f"/groups/{group}/users", "DELETE", {"users": sorted(added)})
        self.tokens = {user: token for user, token in self.tokens.items() if user in before["users"]}
        if {u for role in self._spec["roles"] for u in role.get("users", ())} & set(before["users"]) - set(now["users"]):
            self._end()
            self._launch()
            self._wait()

    def _stop_servers(self, user: str) -> None:
        for server in self.admin.get(f"/users/{user}").get("servers", {}):
            self.admin.delete(f"/users/{user}/servers/{server}" if server else f"/users/{user}/server")

    def _order(self, what: str, **body: Any) -> dict:
        if what == "clear":
            return {}
        raise NotSupported(f"{what}: only minihub can do this; run this test without --hub=jupyterhub")

    def close(self) -> None:
        self._end()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
