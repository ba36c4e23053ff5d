"""Fixtures for pytest.

``minihub``          a hub as it was at the start, for every test
``minihub_session``  the hub behind it, one for each process of the test run (also with xdist)
``minihub_spec``     override it in your conftest.py, with session scope: the arguments of minihub.Hub
``hub_app``          a factory of hubs of their own: ``hub = hub_app(config={...})``

``pytest --hub=jupyterhub`` runs the same tests against the Python JupyterHub of the environment. What it cannot do (time, faults)
skips the test there.
"""

from __future__ import annotations

import time
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


_ready = pytest.StashKey[list]()
"""Seconds until the session's hub was ready, one for each process of the test run."""


def _note(config: pytest.Config, seconds: float) -> None:
    if (output := getattr(config, "workeroutput", None)) is not None:  # in a process of pytest-xdist
        output["minihub_ready"] = seconds
    else:
        config.stash.setdefault(_ready, []).append(seconds)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    if seconds := getattr(node, "workeroutput", {}).get("minihub_ready"):
        node.config.stash.setdefault(_ready, []).append(seconds)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    times = sorted(round(s * 1000) for s in config.stash.get(_ready, []))
    if times:
        first = f"{times[0]} ms" if len(times) == 1 else f"{times[0]} to {times[-1]} ms in {len(times)} processes"
        terminalreporter.write_line(f"{config.getoption('--hub')} was ready after {first}")


@pytest.fixture(scope="session")
def minihub_spec() -> dict:
    """The arguments of minihub.Hub for the session's hub; override it in conftest.py."""
    return {}


@pytest.fixture(scope="session")
def minihub_session(minihub_spec: dict, request: pytest.FixtureRequest) -> Iterator[Hub]:
    """The hub of this test run, whose state tests share."""
    begin = time.perf_counter()
    with _class(request.config)(**minihub_spec) as hub:
        _note(request.config, time.perf_counter() - begin)
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
