"""The hub of this folder's tests: two users, and the service under test."""

import socket
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def minihub_spec():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    service = Path(__file__).with_name("idle_service.py")
    return {
        "users": ["ann", "bob", {"name": "root", "admin": True}],
        "services": [{"name": "idle", "url": f"http://127.0.0.1:{port}", "command": [sys.executable, str(service)]}],
        "roles": [
            {"name": "idle", "services": ["idle"], "scopes": ["list:users", "read:users:activity"]},
            {"name": "visitors", "users": ["ann"], "scopes": ["access:services!service=idle"]},
        ],
    }
