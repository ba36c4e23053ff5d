"""A hub for tests, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from .browser import Browser
from .client import Client, call
from .errors import HubError

STOP_SECONDS = 60
"""How long a hub may take to end before it is killed."""


class Hub:
    """A running hub. ``with Hub(users=["ann"]) as hub:`` starts one and ends it.

    users     names, or dictionaries with ``name``, ``admin`` and ``scopes`` (of the user's token)
    groups    members by group
    services  as c.JupyterHub.services; one without an api_token gets one
    roles     as c.JupyterHub.load_roles
    config    values by class and trait: {"JupyterHub": {"allow_named_servers": True}}
    log       a file for the hub's log

    ``url`` and ``api_url`` tell where it is, ``tokens`` has a token for each user, ``services`` the tokens and OAuth client ids of
    the services, ``admin`` is a Client that may do everything. Raises HubError when the hub does not start, with its reason.
    """

    def __init__(
        self,
        users: list | tuple = (),
        groups: dict[str, list[str]] | None = None,
        services: list[dict] | tuple = (),
        roles: list[dict] | tuple = (),
        config: dict[str, dict[str, Any]] | None = None,
        log: str | None = None,
    ) -> None:
        spec = {"users": list(users), "groups": groups or {}, "services": list(services), "roles": list(roles), "config": config or {}}
        self._kept: dict[str, dict[str, str]] = {}  # tokens by snapshot
        self._start(spec, log)
        self.admin = Client(self.api_url, self.admin_token)

    def _start(self, spec: dict, log: str | None) -> None:
        from . import binary

        argv = [binary(), "test-server", "--spec", "-"] + (["--log", log] if log else [])
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self._process.stdin.write(json.dumps(spec).encode())
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended already, and says why below
        line = self._process.stdout.readline()
        if not line:
            reason = self._process.stderr.read().decode(errors="replace").strip()
            self._process.wait()
            self._close_pipes()
            raise HubError(f"the hub did not start: {reason}")
        # What the hub says later must not fill the pipe.
        threading.Thread(target=self._process.stderr.read, daemon=True).start()
        self._take(json.loads(line))

    def _take(self, ready: dict) -> None:
        self.url: str = ready["url"]
        self.api_url: str = ready["api_url"]
        self.admin_token: str = ready["admin_token"]
        self.tokens: dict[str, str] = ready["tokens"]
        self.services: dict[str, dict[str, str]] = ready["services"]
        self.pid: int = ready["pid"]
        self._control = ready.get("control_url", "")

    def api(self, user: str) -> Client:
        """The REST API in the name of a user, who is created when there is none of that name."""
        if user not in self.tokens:
            self.tokens[user] = self.token(user)
        return Client(self.api_url, self.tokens[user])

    def token(self, user: str, *scopes: str) -> str:
        """A new token of a user, who is created when there is none; with these scopes, or all that the user may."""
        return self._order("token", user=user, scopes=list(scopes))["token"]

    def browser(self, user: str) -> Browser:
        """A browser in which the user has logged in. ``.session()`` and ``.httpx()`` give its cookies to those libraries."""
        browser = Browser(self.url)
        browser.login(user)
        return browser

    def snapshot(self) -> str:
        """Remember users, groups, tokens, shares, logins and which servers run. Costs about a millisecond."""
        name = self._order("snapshot")["snapshot"]
        self._kept[name] = dict(self.tokens)
        return name

    def restore(self, snapshot: str) -> None:
        """Bring back a snapshot, and end all faults."""
        self._order("restore", snapshot=snapshot)
        self.tokens = dict(self._kept[snapshot])

    def advance(self, by: float | str) -> None:
        """Let time go by: seconds, or a text such as "2h". What expires has less time left, what was active was so longer ago."""
        self._order("advance", by=by)

    def fail_spawns(self, **fault: Any) -> None:
        """Make starts go wrong: fail="reason", slow=seconds, never_ready=True, die_after=seconds; for user=, so many times=."""
        self._order("faults", spawn=fault)

    def fail_api(self, **fault: Any) -> None:
        """Make requests go wrong: status=, retry_after=, delay=seconds; for method=, path=, so many times=."""
        self._order("faults", api=fault)

    def proxy_down(self, down: bool = True) -> None:
        """Close the public port to everybody, or open it again."""
        self._order("faults", proxy="down" if down else "up")

    def clear_faults(self) -> None:
        self._order("clear")

    def _order(self, what: str, **body: Any) -> dict:
        return call(f"{self._control}/{what}", "POST", body)

    def close(self) -> None:
        """End the hub with its servers and services."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        self._process.stdout.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
