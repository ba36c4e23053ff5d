"""pytest plugin: run jupyterhub.tests against an external hub process (`-p external_hub`).

The plugin changes the module jupyterhub.tests.conftest before pytest collects its
fixtures, so the test modules themselves run unmodified.  See README.md.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

import hubproc
import overlay as overlay_module

InProcessOnly = overlay_module.InProcessOnly

# the ExternalApp of the module which is running
current = None


class Record:
    """What happened in one test"""

    def __init__(self):
        self.clear()

    def clear(self):
        self.requests = 0
        self.restarts = 0
        self.spawned = False
        self.inprocess = []
        self.used = set()

    def overlay(self, overlay):
        for (section, key), value in overlay.items():
            if isinstance(value, dict) and "$py" in value:
                self.used.add(f"python-hook:{key}")
            elif key in ("services", "service_tokens", "custom_scopes", "extra_routes",
                         "auth_state", "template_vars", "admin_users"):
                self.used.add(f"{section}.{key}")
            elif isinstance(value, dict):
                self.used.update(f"{section}.{key}.{k}" for k in value)
            else:
                short = value if isinstance(value, (int, float, bool, str)) else "..."
                if isinstance(short, str):
                    short = short.rpartition(".")[2] if "class" in key else short
                    if os.sep in short:
                        short = "PATH"
                self.used.add(f"{section}.{key}={short}")


record = Record()


def option(name, default=None):
    return os.environ.get("ORACLE_" + name, default)


def make_runner(name):
    root = Path(option("WORKDIR") or ".")
    return hubproc.HubRunner(
        root / f"{name}-{os.getpid()}",
        kind=option("HUB", "jupyterhub"),
        cmd=option("CMD"),
        config_format=option("CONFIG_FORMAT", "py"),
        proxy=option("PROXY", "external"),
        chp=option("CHP", "configurable-http-proxy"),
        ready_timeout=float(option("READY_TIMEOUT", "60")),
    )


# -- replacing what tests import ------------------------------------------------------


def patch_utils(utils):
    executor = utils.async_requests.executor
    inner = executor.submit

    def submit(fn, *args, **kwargs):
        app = current
        if app is None:
            return inner(fn, *args, **kwargs)
        words = " ".join(a for a in args if isinstance(a, str))
        ports = (app.runner.public_port, app.runner.hub_port)
        if any(f":{port}/" in words for port in ports):
            record.requests += 1
            if any(w in words for w in ("server", "spawn", "/user/", "accept-share")):
                record.spawned = True
        app.ensure()
        future = inner(fn, *args, **kwargs)

        def done(_):
            with contextlib.suppress(Exception):
                app.sync()

        future.add_done_callback(done)
        return future

    executor.submit = submit

    original_add_user = utils.add_user

    def add_user(db, app=None, **kwargs):
        """Create by REST when the user is new, then set the row up as usual"""
        hub = current
        if hub is not None and db is hub.db and not kwargs.get("roles"):
            name = kwargs.get("name")
            if utils.find_user(db, name) is None:
                hub.create_user(name, bool(kwargs.get("admin")))
        return original_add_user(db, app, **kwargs)

    utils.add_user = add_user

    from jupyterhub import scopes

    define_here = scopes.define_custom_scopes

    def define_custom_scopes(definitions):
        define_here(definitions)
        if current is not None:
            current.forced[("JupyterHub", "custom_scopes")] = dict(definitions)
            # now: a later restart would undo what the test does to an oauth client
            current.ensure()

    scopes.define_custom_scopes = define_custom_scopes


class ScrapedGauge:
    """metrics.X of the test process, replaced by what GET /hub/metrics of the hub says"""

    def __init__(self, local):
        self.local = local

    def collect(self):
        if current is None:
            return self.local.collect()
        from prometheus_client.parser import text_string_to_metric_families

        name = next(iter(self.local.describe())).name
        record.requests += 1
        current.ensure()
        r = current.http.get(
            current.runner.hub_url + "metrics",
            headers={"Authorization": f"token {current.token()}"},
        )
        current.require(r, 200)
        return [f for f in text_string_to_metric_families(r.text) if f.name == name]

    def inc(self, amount=1):
        pass

    dec = inc

    def __getattr__(self, name):
        return getattr(self.local, name)


def patch_metrics():
    from jupyterhub import metrics

    metrics.TOTAL_USERS = ScrapedGauge(metrics.TOTAL_USERS)


def patch_conftest(conftest):
    from jupyterhub import orm
    from jupyterhub.tests.utils import add_user

    import shadow

    conftest.add_user = add_user

    @pytest.fixture(scope="module")
    def app(request):
        global current
        if getattr(request.module, "ssl_enabled", False):
            pytest.skip("internal_ssl is not part of the black-box harness")
        runner = make_runner(request.node.path.stem)
        external = None
        try:
            external = shadow.ExternalApp(runner, record)
            current = external
            yield external
        finally:
            current = None
            if external is not None:
                external.close()
            else:
                runner.close()

    @pytest.fixture(autouse=True)
    def cleanup_after(request):
        yield
        if current is not None:
            current.cleanup()

    @pytest.fixture
    def auth_state_enabled(app):
        app.authenticator.auth_state = {"who": "cares"}
        app.authenticator.enable_auth_state = True
        yield
        app.authenticator.enable_auth_state = False
        app.authenticator.auth_state = None

    @pytest.fixture(autouse=True)
    def count_db_executions():
        yield

    @pytest.fixture
    def no_proxy_activity(app):
        app._periodic_callbacks["last_activity"].stop()
        yield

    @pytest.fixture
    def create_user_with_scopes(app, create_temp_role):
        number = 0

        def create(*scopes, name=None):
            nonlocal number
            if name is None:
                number += 1
                name = f"temp_user_{number}"
            role = create_temp_role(scopes)
            orm_user = orm.User(name=name)
            app.db.add(orm_user)
            orm_user.roles.append(role)
            app.db.commit()
            return app.users[orm_user.id]

        yield create

    @pytest.fixture
    def create_service_with_scopes(app, create_temp_role):
        number = 0

        def create(*scopes, name=None):
            nonlocal number
            if name is None:
                number += 1
                name = f"temp_service_{number}"
            role = create_temp_role(scopes)
            app.services.append({"name": name})
            app.init_services()
            service = orm.Service.find(app.db, name)
            service.roles.append(role)
            app.db.commit()
            return service

        yield create

    async def mockservice_of(request, app, name, external=False, url=False):
        """A service which the external hub starts and supervises"""
        from jupyterhub.tests.test_services import mockservice_cmd

        (port,) = hubproc.free_ports(1)
        spec = {"name": name, "admin": True}
        if external:
            spec["oauth_redirect_uri"] = f"http://127.0.0.1:{port}"
        else:
            spec["command"] = list(mockservice_cmd)
        if url:
            spec["url"] = f"http://127.0.0.1:{port}"
        app.services = [spec]
        app.init_services()
        service = app._service_map[name]
        if url:
            await service.server.wait_up(http=True)
        return service

    conftest._mockservice = mockservice_of
    for fixture in (
        app, cleanup_after, auth_state_enabled, count_db_executions, no_proxy_activity,
        create_user_with_scopes, create_service_with_scopes,
    ):
        setattr(conftest, fixture.__name__, fixture)
    # prints query counts of the in-process database
    conftest.pytest_terminal_summary = lambda terminalreporter: None


def pytest_configure(config):
    for line in (
        "group", "services", "user", "slow", "role", "browser", "db", "ssl",
    ):
        config.addinivalue_line("markers", f"{line}: marker of jupyterhub.tests")
    import jupyterhub.tests.utils as utils

    patch_utils(utils)
    patch_metrics()
    import jupyterhub.tests.conftest as conftest

    patch_conftest(conftest)


def pytest_collection_modifyitems(config, items):
    path = option("ONLY")
    if not path:
        return
    wanted = set(Path(path).read_text().splitlines())
    keep = [i for i in items if test_id(i) in wanted]
    config.hook.pytest_deselected(items=[i for i in items if test_id(i) not in wanted])
    items[:] = keep


def pytest_collection_finish(session):
    if option("COLLECT"):
        with open(option("COLLECT"), "w") as f:
            f.writelines(test_id(i) + "\n" for i in session.items)


def pytest_ignore_collect(collection_path):
    if collection_path.name == "browser":
        return True


# -- results ----------------------------------------------------------------------------

results = {}


def test_id(item):
    return f"{item.path.stem}::{item.nodeid.partition('::')[2]}"


def short_reason(report):
    text = str(report.longrepr or "")
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return (lines[0] if lines else text.strip().splitlines()[-1] if text.strip() else "")[:200]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    entry = results.setdefault(
        item.nodeid, {"outcome": "passed", "reason": "", "duration": 0.0}
    )
    entry["duration"] += report.duration
    if record.inprocess and entry["outcome"] in ("passed", "inprocess", "failed"):
        entry["outcome"] = "inprocess"
        entry["reason"] = record.inprocess[0]
        if report.outcome == "failed":
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, "in-process only: " + record.inprocess[0])
    elif report.outcome == "failed" and entry["outcome"] == "passed":
        entry["outcome"] = "failed" if call.when == "call" else f"error-{call.when}"
        entry["reason"] = short_reason(report)
    elif report.outcome == "skipped" and entry["outcome"] == "passed":
        entry["outcome"] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        entry["reason"] = short_reason(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    record.clear()
    started = time.time()
    result = yield
    entry = results.setdefault(item.nodeid, {"outcome": "unknown", "reason": ""})
    entry.update(
        id=test_id(item),
        requests=record.requests,
        restarts=record.restarts,
        config=sorted(record.used),
        wall=round(time.time() - started, 2),
        date=time.strftime("%Y-%m-%d", time.gmtime(started)),
        commit=option("COMMIT", ""),
    )
    path = option("RESULTS")
    if path:
        with open(path, "a") as f:
            f.write(json.dumps(entry, sort_keys=True) + "\n")
    return result
