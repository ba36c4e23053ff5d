"""The culler as a managed service, with its own clock, beside a hub for which two hours go by at once."""

import sys
import time

CULLER = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600", "--cull-every=1"]


def test_the_culler_sees_two_hours_go_by(hub_app):
    hub = hub_app(
        users=["ann", "bob"],
        services=[{"name": "culler", "command": CULLER}],
        roles=[
            {
                "name": "culler",
                "services": ["culler"],
                "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            }
        ],
    )
    hub.api("ann").post("/users/ann/server")
    assert "" in hub.admin.get("/users/ann")["servers"]
    hub.advance("2h")
    hub.api("bob").post("/users/bob/server")  # after the two hours: not idle
    deadline = time.monotonic() + 60
    while hub.admin.get("/users/ann")["servers"]:
        assert time.monotonic() < deadline, "ann's server has been idle for two hours, and still runs"
        time.sleep(0.05)
    assert hub.admin.get("/users/bob")["servers"][""]["ready"]
