"""jupyterhub_config.py of the oracle harness: loads hub.json (see hubproc.py).

The "_oracle" section holds what traitlets cannot express; it is only used when a hub
executes this file in a Python that has jupyterhub (the real JupyterHub, or a hub with
a Python bridge for spawners and authenticators).
"""

import copy
import functools
import importlib
import json
import os
import time

config_data = json.load(open(os.environ["ORACLE_HUB_JSON"]))
c = get_config()  # noqa: F821


def resolve(value):
    """{"$py": "module:function", "kwargs": {...}} -> the function"""
    if not (isinstance(value, dict) and "$py" in value):
        return value
    module, _, name = value["$py"].partition(":")
    function = getattr(importlib.import_module(module), name)
    if "kwargs" in value:
        function = functools.partial(function, **value["kwargs"])
    return function


methods = {}
for section, traits in config_data.items():
    if section == "_oracle":
        continue
    for trait, value in traits.items():
        if section == "Authenticator" and trait == "refresh_user":
            methods[trait] = resolve(value)  # a method, not a trait
        else:
            setattr(c[section], trait, resolve(value))

oracle = config_data.get("_oracle", {})

# Both hubs run this file in a Python that has jupyterhub: minihub in its bridge.
if os.environ.get("ORACLE_HUB_KIND") in ("jupyterhub", "minihub"):
    from jupyterhub.tests import mocking

    # MockPAMAuthenticator returns this auth_state at login (a plain class attribute)
    mocking.MockPAMAuthenticator.auth_state = oracle.get("auth_state")
    # SlowSpawner's delay is a plain class attribute, too
    if "slow_delay" in oracle:
        mocking.SlowSpawner.delay = oracle["slow_delay"]

    # refresh_user and authenticate leave a trace, so that the tests of auth expiry can
    # tell from outside whether the hub called them
    journal = os.path.join(os.path.dirname(os.environ["ORACLE_HUB_JSON"]), "auth.log")

    def write_journal(event, name):
        with open(journal, "a") as f:
            f.write(json.dumps([time.time(), event, name]) + "\n")

    class JournalAuthenticator(mocking.MockPAMAuthenticator):
        async def authenticate(self, *args, **kwargs):
            result = await super().authenticate(*args, **kwargs)
            if result:
                name = result["name"] if isinstance(result, dict) else result
                write_journal("login", name)
            return result

        async def refresh_user(self, user, handler=None):
            hook = methods.get("refresh_user")
            if hook:
                result = await hook(self, user)
            else:
                result = await super().refresh_user(user, handler)
            if result:
                write_journal("refresh", user.name)
            return result

    # keep the name: GET /info reports the class
    JournalAuthenticator.__name__ = "MockPAMAuthenticator"
    JournalAuthenticator.__qualname__ = "MockPAMAuthenticator"
    JournalAuthenticator.__module__ = mocking.__name__
    c.JupyterHub.authenticator_class = JournalAuthenticator

if os.environ.get("ORACLE_HUB_KIND") == "jupyterhub":
    from jupyterhub import scopes
    from jupyterhub.handlers.base import BaseHandler
    from jupyterhub.services import service as service_module

    class QuickServiceSpawner(service_module._ServiceSpawner):
        poll_interval = oracle["service_poll_interval"]

    service_module._ServiceSpawner = QuickServiceSpawner

    # Live changes: hub.json is read again when it changes, see hubproc.LIVE_HUB_TRAITS
    undo = []
    missing = object()

    def put(mapping, key, value):
        before = mapping[key] if key in mapping else missing

        def back():
            if before is missing:
                del mapping[key]
            else:
                mapping[key] = before

        undo.append(back)
        mapping[key] = value

    def put_attribute(obj, name, value):
        before = getattr(obj, name)
        undo.append(lambda: setattr(obj, name, before))
        setattr(obj, name, value)

    def import_class(path):
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)

    def apply_change(settings, section, key, value):
        value = resolve(value)
        if section == "JupyterHub":
            if key == "spawner_class":
                put(settings, key, import_class(value))
            elif key == "tornado_settings":
                for k, v in value.items():
                    put(settings, k, v)
            elif key == "allow_existing_invalid_named_servers":
                put(settings, "allow_invalid_named_server_start", value == "allow-start")
            elif key == "oauth_require_pkce":
                put_attribute(settings["oauth_provider"]._validator, "require_pkce", value)
            elif key == "custom_scopes":
                put_attribute(scopes, "scope_definitions", dict(scopes.scope_definitions))
                scopes.define_custom_scopes(value)
            elif key in ("services", "service_tokens"):
                pass  # see apply_services
            elif key == "last_activity_interval":
                ticker = settings["app"]._periodic_callbacks["last_activity"]
                ticker.stop()
                undo.append(ticker.start)
            else:
                put(settings, key, value)
        elif section == "Authenticator":
            if key == "refresh_user":
                put(methods, key, value)
            elif key == "admin_users":
                put_attribute(settings["authenticator"], key, set(value))
            else:
                put_attribute(settings["authenticator"], key, value)
        elif section == "_oracle":
            if key == "auth_state":
                put_attribute(mocking.MockPAMAuthenticator, key, value)
            elif key == "slow_delay":
                put_attribute(mocking.SlowSpawner, "delay", value)
        else:
            put(settings["config"][section], key, value)

    seen = {"stamp": os.stat(os.environ["ORACLE_HUB_JSON"]).st_mtime_ns}

    async def apply_services(app, services, tokens):
        """What a restart of the hub with other services amounts to"""
        same = services == running_services[0]
        running_services[:] = copy.deepcopy([services, tokens])
        app.service_tokens = tokens
        if same:
            await app.init_api_tokens()
            return
        for service in list(app._service_map.values()):
            if service.managed:
                await service.stop()
        app.services = services
        app.init_services()
        await app.init_api_tokens()
        await app.init_role_assignment()
        await app.proxy.check_routes(app.users, app._service_map)
        for service in app._service_map.values():
            if service.managed:
                await service.start()
        app.tornado_settings["oauth_no_confirm_list"] = {
            s.oauth_client_id for s in app._service_map.values() if s.oauth_no_confirm
        }

    running_services = [[], {}]

    async def reload_if_changed(settings):
        stamp = os.stat(os.environ["ORACLE_HUB_JSON"]).st_mtime_ns
        if stamp == seen["stamp"]:
            return
        seen["stamp"] = stamp
        # one settings object for handlers and users, as in MockHub
        users = settings["users"]
        if users.settings is not settings:
            users.settings = settings["app"].tornado_settings = settings
        for user in users.values():
            user.settings = settings
        wanted = json.load(open(os.environ["ORACLE_HUB_JSON"]))
        while undo:
            undo.pop()()
        for section, traits in wanted.items():
            for key, value in traits.items():
                if config_data.get(section, {}).get(key, missing) != value:
                    apply_change(settings, section, key, value)
        # idle spawner objects were made from the old configuration
        for user in settings["users"].values():
            for name, spawner in list(user.spawners.items()):
                if not spawner.active:
                    user.spawners.pop(name)
            user.allow_named_servers = settings["allow_named_servers"]
        hub = wanted["JupyterHub"]
        services = [hub.get("services", []), hub.get("service_tokens", {})]
        if services != running_services:
            settings["db"].expire_all()
            await apply_services(settings["app"], *services)

    # JupyterHub never expects a second writer on its database and keeps loaded rows
    # for ever.  The tests prepare state with SQL, so let every request start from what
    # the database says (a hub which queries per request needs nothing of the kind).
    original_prepare = BaseHandler.prepare

    async def prepare(self):
        if os.environ["ORACLE_LIVE"]:
            await reload_if_changed(self.settings)
        session = self.db
        keep = set(session.dirty) | set(session.new) | set(session.deleted)
        for obj in list(session.identity_map.values()):
            if obj not in keep:
                session.expire(obj)
        return await original_prepare(self)

    BaseHandler.prepare = prepare
