"""jupyterhub-idle-culler's own tests on minihub's fixture: this file takes the place of the project's conftest.py."""

import asyncio
import json
from functools import partial

import pytest
from tornado.httpclient import AsyncHTTPClient

import jupyterhub_idle_culler


@pytest.fixture(scope="session")
def minihub_spec():
    """What the project's jupyterhub_config.py has: five users, an administrator's service, and the culler's with the scopes of its README."""
    return {
        "users": [f"test-{i}" for i in range(5)],
        "services": [{"name": "pytest"}, {"name": "idle-culler"}],
        "roles": [
            {"name": "pytest", "services": ["pytest"], "scopes": ["servers", "admin:users", "read:hub"]},
            {
                "name": "idle-culler",
                "services": ["idle-culler"],
                "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            },
        ],
    }


@pytest.fixture
def hub(minihub):
    return minihub


@pytest.fixture
def hub_url(minihub):
    return minihub.url.rstrip("/")


async def ask(url, token, path, parse_json=True, **options):
    options.setdefault("headers", {})["Authorization"] = f"token {token}"
    answer = await AsyncHTTPClient().fetch(url + path, **options)
    if not parse_json:
        return answer
    return json.loads(answer.body) if answer.body else None


@pytest.fixture
def admin_request(minihub):
    return partial(ask, minihub.api_url, minihub.services["pytest"]["api_token"])


@pytest.fixture
def start_users(admin_request):
    """Starts servers; the fixture minihub stops them after the test."""

    async def start(n):
        names = [f"test-{i}" for i in range(n)]
        await asyncio.gather(*(admin_request(f"/users/{name}/server", method="POST", body="") for name in names))
        for name in names:
            await admin_request(f"/users/{name}/server/progress", parse_json=False)

    return start


@pytest.fixture
def cull_idle(minihub):
    return partial(jupyterhub_idle_culler.cull_idle, minihub.api_url, api_token=minihub.services["idle-culler"]["api_token"])
