"""Fixtures for pytest.

``minihub``          a hub as it was at the start, for every test
``minihub_session``  the hub behind it, one for each process of the test run (also with xdist)
``minihub_spec``     override it in your conftest.py, with session scope: the arguments of minihub.Hub
``hub_app``          a factory of hubs of their own: ``hub = hub_app(config={...})``

``pytest --hub=jupyterhub`` runs the same tests against the Python JupyterHub of the environment. What it cannot do (time, faults)
skips the test there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .errors import NotSupported
from .hub import Hub


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("minihub").addoption(
        "--hub", choices=("minihub", "jupyterhub"), default="minihub", help="the hub that the fixtures start (default: minihub)"
    )


def _class(config: pytest.Config) -> type[Hub]:
    if config.getoption("--hub") == "jupyterhub":
        from .reference import JupyterHub

        return JupyterHub
    return Hub


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    try:
        return (yield)
    except NotSupported as e:
        if item.config.getoption("--hub") == "minihub":
            raise
        pytest.skip(str(e))


@pytest.fixture(scope="session")
def minihub_spec() -> dict:
    """The arguments of minihub.Hub for the session's hub; override it in conftest.py."""
    return {}


@pytest.fixture(scope="session")
def minihub_session(minihub_spec: dict, request: pytest.FixtureRequest) -> Iterator[Hub]:
    """The hub of this test run, whose state tests share."""
    with _class(request.config)(**minihub_spec) as hub:
        hub.initial = hub.snapshot()
        yield hub


@pytest.fixture
def minihub(minihub_session: Hub) -> Iterator[Hub]:
    """The session's hub as it was at its start; what the test did is undone afterwards."""
    yield minihub_session
    minihub_session.restore(minihub_session.initial)


@pytest.fixture
def hub_app(request: pytest.FixtureRequest) -> Iterator[Callable[..., Hub]]:
    """A factory: each call starts a hub of its own with the arguments of minihub.Hub; all end with the test."""
    started: list[Hub] = []

    def start(**arguments) -> Hub:
        started.append(_class(request.config)(**arguments))
        return started[-1]

    yield start
    for hub in started:
        hub.close()
