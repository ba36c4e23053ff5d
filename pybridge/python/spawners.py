"""Spawners that live here: those of Python classes, and stand-ins that hooks see for the hub's own spawners."""

import copy
import json

from . import evaluate, facade
from .state import LOG, WORLD, configured, find_class, hub_trait, settle, traitlets_config
from .wire import Unfit

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SIZES = ("mem_limit", "mem_guarantee")


def choose(about):
    """Find the class that spawner_class names; nothing to do for the hub's own spawners."""
    WORLD.spawner_class = find_class("spawner", about.get("given", "")) if about.get("python") else None
    WORLD.spawner_chain = about.get("chain") or ["Spawner"]
    if WORLD.spawner_class is not None:
        make_tokens_keepable()
        keep_profiles()


def keep_profiles():
    """A profile_list is for the hub where the class knows no such trait; traitlets would warn about it."""
    if WORLD.spawner_class.class_traits().get("profile_list") is not None:
        return
    config = traitlets_config()
    for name in WORLD.spawner_chain:
        if name in config:
            config[name].pop("profile_list", None)


def make_tokens_keepable():
    """Nothing of the hub's environment may be missing because a plug-in's base class does not know it."""
    from jupyterhub import spawner as module

    original = module.Spawner.get_env
    if getattr(original, "_minihub", False):
        return

    def get_env(self):
        env = original(self)
        for key, value in getattr(self, "_minihub_env", {}).items():
            if key.startswith(("JUPYTERHUB_", "MINIHUB_")) and key not in env:
                env[key] = value
        return env

    get_env._minihub = True
    module.Spawner.get_env = get_env


TRAITS = (
    "cmd args default_url notebook_dir ip port mem_limit mem_guarantee cpu_limit cpu_guarantee start_timeout http_timeout poll_interval "
    "poll_jitter debug disable_user_config env_keep hub_connect_url consecutive_failure_limit"
).split()


def about():
    """What the hub has to know about the spawner class."""
    cls = WORLD.spawner_class
    probe = example(cls)

    def known(name, missing=None):
        try:
            return getattr(probe, name)
        except Exception as e:  # a default may need a real user
            LOG.debug("default of %s.%s is not known yet: %s", cls.__name__, name, e)
            return missing

    unknown = object()
    traits = {}
    for name in TRAITS:
        value = known(name, unknown)
        if isinstance(value, (bool, int, float, str, list)) or value is None:
            traits[name] = value
    base = base_class()
    can = [n for n in ("progress", "delete_forever", "rename", "get_url", "options_form", "options_from_form", "get_options_form", "options_from_query")
           if getattr(cls, n, None) is not getattr(base, n, None)]
    if known("options_form"):
        can.append("options_form")
    from .authn import version

    return {"name": "%s.%s" % (cls.__module__, cls.__qualname__), "version": version(cls), "traits": traits, "overrides": can,
            "progress_ready": bool(known("progress_ready_hook")), "scopes": bool(known("server_token_scopes")),
            "profiles": "profile_list" not in cls.class_traits() and bool(configured(WORLD.spawner_chain, "profile_list"))}


def example(cls):
    """An object of the class, to read its traits from. A constructor that fails without a real user, or because what it talks to is not there
    yet, is no reason not to start: JupyterHub makes the first object for the first server. The object is without what it would have done then.
    A value that does not fit its trait is told now, though."""
    from traitlets import TraitError

    user = facade.User({"name": "probe"})
    try:
        return make(user, {"name": ""})
    except TraitError:
        raise
    except Exception as e:
        LOG.warning("no %s can be made now, and no server can start while this lasts: %s: %s", cls.__name__, type(e).__name__, e)
    bare = cls.__new__(cls)
    bare.log, bare.user, bare.hub, bare.authenticator = LOG, user, facade.hub(), WORLD.authenticator
    bare.config = traitlets_config()
    return bare


def base_class():
    from jupyterhub.spawner import Spawner

    return Spawner


class Row(facade.Plain):
    """What plug-ins use of the database row: spawner.orm_spawner."""


def make(user, server):
    """A spawner object of the configured class for one server."""
    if WORLD.spawner_class is None:
        return StandIn(user, server)
    from jupyterhub import orm

    from . import pages

    name = server.get("name", "")
    row = Row(name=name, display_name=server.get("display_name") or name, id=server.get("id"), state=server.get("state") or None, user=user,
              user_options=server.get("user_options") or {}, started=None, last_activity=None, user_id=user.id, server=None, oauth_client=None)
    facts = WORLD.facts
    spawner = WORLD.spawner_class(
        user=user, orm_spawner=row, db=pages.database(), hub=facade.hub(), authenticator=WORLD.authenticator, config=traitlets_config(), log=LOG,
        proxy_spec=user.server_url(name), oauth_client_id=server.get("client_id") or "", cookie_options=facts.get("cookie_options") or {},
        cookie_host_prefix_enabled=bool(facts.get("cookie_host_prefix")), user_options=row.user_options, public_url=user.public_url(name),
        public_hub_url=facts.get("public_url", "") + "hub/" if facts.get("public_url") else "")
    row.server = None
    spawner._minihub_orm, spawner._minihub_env, spawner._minihub_timeouts = orm, {}, {}
    spawner.admin_access = bool(facts.get("admin_access"))
    if server.get("state"):
        spawner.load_state(dict(server["state"]))
    if server.get("url"):
        listen(spawner, server["url"])
    return spawner


def get(user, server, args=None):
    """The object of a server; made, with the state that the hub kept, when there is none."""
    key = (user.name, server.get("name", ""))
    spawner = WORLD.spawners.get(key)
    if spawner is None:
        spawner = WORLD.spawners[key] = make(user, server)
        dict.__setitem__(user.spawners, key[1], spawner)
    if args and args.get("request"):
        spawner.handler = facade.handler(args["request"])
    return spawner


def drop(user, name):
    WORLD.spawners.pop((user.name, name), None)
    dict.pop(user.spawners, name, None)


def of(args):
    spawner = get(facade.user(args["user"]), args["server"], args)
    if isinstance(spawner, StandIn):
        spawner.show(args["server"])
    return spawner


def listen(spawner, url, base_url=None):
    """Tell the object where its server listens."""
    from urllib.parse import urlparse

    parsed = urlparse(url)
    row = spawner.orm_spawner
    base = base_url or parsed.path or spawner.user.server_url(spawner.name)
    port = parsed.port or {"https": 443, "http": 80}.get(parsed.scheme, 0)
    row.server = spawner._minihub_orm.Server(proto=parsed.scheme or "http", ip=parsed.hostname or "", port=port, base_url=base, cookie_name="cookie")


SCOPE_TRAITS = ("server_token_scopes", "oauth_client_allowed_scopes", "oauth_roles")


async def begin(args, stream):
    """A start begins: a fresh object, group overrides of a callable, and scopes that functions decide."""
    user, server = facade.user(args["user"]), args["server"]
    drop(user, server["name"])
    spawner = get(user, server)
    spawner.handler = facade.handler(args.get("request"))
    spawner.user_options = spawner.orm_spawner.user_options = dict(server.get("user_options") or {})
    spawner._spawn_pending = True
    if WORLD.spawner_class is None:
        spawner.load(args.get("traits") or {})
        spawner.show({"pending": "spawn", "active": True})
        out = {"overrides": await group_overrides(spawner)}
        chain = WORLD.spawner_chain
        for trait in SCOPE_TRAITS:
            value = configured(chain, trait)
            if callable(value):
                out[trait] = list(await settle(value(spawner)) or [])
        return out
    spawner.clear_state()
    spawner._minihub_timeouts = {"start_timeout": float(spawner.start_timeout), "http_timeout": float(spawner.http_timeout)}
    out = {"overrides": [], "start_timeout": spawner.start_timeout, "http_timeout": spawner.http_timeout}
    for trait in SCOPE_TRAITS:
        value = getattr(spawner, trait, None)
        if callable(value):
            value = await settle(value(spawner))
        out[trait] = list(value or [])
    return out


async def group_overrides(spawner):
    """The overrides that a callable group_overrides gives for this user, in the order of their keys."""
    found = configured(WORLD.spawner_chain, "group_overrides")
    if not callable(found):
        return []
    found = await settle(found(spawner)) or {}
    mine = {g.name for g in spawner.user.groups}
    out = []
    for key in sorted(found):
        if mine & set(found[key]["groups"]):
            values = {k: v(spawner) if callable(v) else v for k, v in found[key]["spawner_override"].items()}
            out.append(values)
            spawner.override(values)
    return out


def prepared(args):
    """The object of a start in progress, with what the hub made for it."""
    spawner = get(facade.user(args["user"]), args["server"], args)
    env = args.get("env") or {}
    if WORLD.spawner_class is not None and env and env != spawner._minihub_env:
        spawner._minihub_env = env
        spawner.api_token = env.get("JUPYTERHUB_API_TOKEN", "")
        spawner.oauth_client_id = env.get("JUPYTERHUB_CLIENT_ID", "")
        listen(spawner, "http://" + (spawner.ip or "") + ":0", args.get("base_url"))
    if WORLD.spawner_class is None:
        spawner.know(args, env)
    return spawner


def timeouts(spawner):
    """What the hub itself keeps to, when a hook changed it on an object of a Python class: time-outs and user_options."""
    now = {name: float(getattr(spawner, name)) for name in ("start_timeout", "http_timeout")}
    changed = {k: v for k, v in now.items() if v != spawner._minihub_timeouts.get(k)}
    spawner._minihub_timeouts = now
    try:
        json.dumps(spawner.user_options, default=storable)
        changed["user_options"] = spawner.user_options
    except (TypeError, ValueError):
        pass  # what cannot be stored stays with the object
    return {"traits": changed}


def storable(value):
    """The hub stores bytes, which JSON does not have: uploaded files."""
    if isinstance(value, (bytes, bytearray)):
        return ""
    raise TypeError(type(value).__name__)


async def auth_state_hook(args, stream):
    spawner = prepared(args)
    if WORLD.spawner_class is not None:
        await settle(spawner.run_auth_state_hook(args.get("auth_state")))
        await spawner.apply_group_overrides()
        return timeouts(spawner)
    hook = configured(WORLD.spawner_chain, "auth_state_hook")
    if hook is not None:
        await settle(hook(spawner, args.get("auth_state")))
    return spawner.changes()


async def apply_options(args, stream):
    spawner = prepared(args)
    if WORLD.spawner_class is not None:
        await settle(spawner._run_apply_user_options(spawner.user_options))
        return timeouts(spawner)
    hook = configured(WORLD.spawner_chain, "apply_user_options")
    if callable(hook):
        await settle(hook(spawner, args.get("options") or {}))
    return spawner.changes()


async def profile_list(args, stream):
    """Spawner.profile_list for classes that do nothing with it themselves; a function in it is called with the spawner."""
    spawner = of(args)
    found = configured(WORLD.spawner_chain, "profile_list")
    return await called(await settle(found(spawner)) if callable(found) else found, spawner) or []


async def called(value, spawner):
    if callable(value):
        return await settle(value(spawner))
    if isinstance(value, dict):
        return {k: await called(v, spawner) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [await called(v, spawner) for v in value]
    return value


async def override(args, stream):
    """Set the traits of the chosen profile, dicts being merged as in group_overrides."""
    spawner = prepared(args)
    for values in args["traits"]:
        if WORLD.spawner_class is None:
            spawner.override(values)
            continue
        for key, value in values.items():
            if not spawner.has_trait(key):
                raise Unfit("profile_list sets %s, which %s does not have" % (key, type(spawner).__name__))
            mine = getattr(spawner, key)
            setattr(spawner, key, merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value)
    return timeouts(spawner) if WORLD.spawner_class is not None else None


def merged(old, update):
    out = dict(old)
    for key, value in update.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


async def pre_spawn(args, stream):
    spawner = prepared(args)
    if WORLD.spawner_class is not None:
        await settle(spawner.run_pre_spawn_hook())
        return timeouts(spawner)
    hook = configured(WORLD.spawner_chain, "pre_spawn_hook")
    if hook is not None:
        await settle(hook(spawner))
    changes = spawner.changes()
    for key, value in spawner.environment.items():
        if callable(value):
            changes["environment"][key] = str(await settle(value(spawner)))
    return changes


async def start(args, stream):
    spawner = prepared(args)
    spawner._start_pending = spawner._spawn_pending = True
    try:
        where = url_of(await settle(spawner.start()), spawner)
    finally:
        spawner._start_pending = spawner._spawn_pending = False
    listen(spawner, where, args.get("base_url"))
    token = spawner.api_token
    given = (args.get("env") or {}).get("JUPYTERHUB_API_TOKEN", "")
    return {"url": where, "state": spawner.get_state() or {}, "token": token if token and token != given else ""}


def url_of(result, spawner):
    """Where a server listens, from what start returned: a URL, or address and port."""
    if not result:
        LOG.warning("%s.start returned nothing: it must return (ip, port) or a URL", type(spawner).__name__)
        result = (spawner.ip or "127.0.0.1", spawner.port)
    if isinstance(result, str):
        return result
    try:
        ip, port = result
        return "http://%s:%d" % ("[%s]" % ip if ":" in ip else ip or "127.0.0.1", int(port))
    except (TypeError, ValueError):
        raise Unfit("%s.start returned %s; it must return a URL or (ip, port)" % (type(spawner).__name__, type(result).__name__)) from None


async def poll(args, stream):
    spawner = of(args)
    status = await settle(spawner.poll())
    return {"running": status is None, "state": spawner.get_state() or {}, **exit_of(status)}


def exit_of(status):
    """What poll says of a server that has ended: an exit code, or, from spawners without processes, a text."""
    if status is None:
        return {}
    if isinstance(status, (int, float)):
        return {"code": int(status)}
    return {"reason": str(status)}


async def stop(args, stream):
    spawner = of(args)
    spawner._stop_pending = True
    try:
        status = await settle(spawner.poll())
        if status is None or args.get("force"):
            import inspect

            if args.get("now") and "now" in inspect.signature(spawner.stop).parameters:
                await settle(spawner.stop(now=True))
            else:
                await settle(spawner.stop())
        spawner.clear_state()
    finally:
        spawner._stop_pending = False
    return {"state": spawner.get_state() or {}}


async def load(args, stream):
    spawner = of(args)
    if await settle(spawner.poll()) is None:
        where = await settle(spawner.get_url())
        return {"url": where or ""}
    return {"url": ""}


async def post_stop(args, stream):
    spawner = of(args)
    spawner._spawn_pending = False
    if WORLD.spawner_class is not None:
        await settle(spawner.run_post_stop_hook())
    else:
        hook = configured(WORLD.spawner_chain, "post_stop_hook")
        if hook is not None:
            await settle(hook(spawner))


async def forget(args, stream):
    """The server has stopped and all hooks have run: the next start gets a new object."""
    drop(facade.user(args["user"]), args["server"]["name"])


async def progress(args, stream):
    spawner = of(args)
    events = spawner.progress()
    try:
        async for event in events:
            if isinstance(event, dict):
                stream.send(event)
    finally:
        await events.aclose()


async def progress_ready(args, stream):
    spawner, event = of(args), dict(args["event"])
    if WORLD.spawner_class is not None:
        hook = getattr(spawner, "progress_ready_hook", None)
    else:
        hook = configured(WORLD.spawner_chain, "progress_ready_hook")
    return await settle(hook(spawner, event)) if hook else event


async def options_form(args, stream):
    spawner = of(args)
    if WORLD.spawner_class is not None:
        return await settle(spawner.get_options_form()) or ""
    form = configured(WORLD.spawner_chain, "options_form", "")
    return (await settle(form(spawner)) if callable(form) else form) or ""


async def options_from_form(args, stream):
    spawner, form = of(args), args["form"]
    if WORLD.spawner_class is not None:
        if args.get("query"):
            return await settle(spawner.options_from_query(form))
        return await settle(spawner.run_options_from_form(form))
    parse = configured(WORLD.spawner_chain, "options_from_form")
    if not callable(parse):
        simple = parse == "simple"
        return {k: v[0] if simple and len(v) == 1 else v for k, v in form.items()}
    import inspect

    if "spawner" in inspect.signature(parse).parameters:
        return await settle(parse(form, spawner=spawner))
    return await settle(parse(form))


async def delete_forever(args, stream):
    spawner = of(args)
    if hasattr(spawner, "delete_forever"):
        await settle(spawner.delete_forever())
    drop(spawner.user, args["server"]["name"])


async def rename(args, stream):
    spawner = of(args)
    await settle(spawner.rename(args["server"]["name"], args["to"]))
    drop(spawner.user, args["server"]["name"])


class StandIn:
    """What hooks see of a server that the hub's own spawner starts. Attributes that a hook changes go back to the hub."""

    def __init__(self, user, server):
        name = server.get("name", "")
        self.__dict__["_hidden"] = {"user": user, "name": name, "hub": facade.hub(), "log": LOG, "handler": None, "authenticator": WORLD.authenticator,
                                    "api_token": "", "oauth_client_id": server.get("client_id") or "", "server": None, "pending": None, "ready": False,
                                    "active": False, "display_name": server.get("display_name") or name, "_log_name": user.name + (":" + name if name else ""),
                                    "config": WORLD.config or WORLD.tree, "_state": server.get("state") or {}, "_spawn_pending": False, "_stop_pending": False,
                                    "_env": {}, "cookie_options": WORLD.facts.get("cookie_options") or {}, "proxy_spec": user.server_url(name)}
        self._hidden["orm_spawner"] = Row(name=name, state=self._hidden["_state"] or None, user=user, user_options=server.get("user_options") or {},
                                          display_name=self._hidden["display_name"], server=None, id=server.get("id"))
        self.__dict__["_values"] = {"user_options": server.get("user_options") or {}, "environment": {}}
        for section in reversed(WORLD.spawner_chain):
            for key, value in (WORLD.tree.get(section) or {}).items():
                if not isinstance(value, evaluate.Change) and not key.startswith("_"):
                    self._values[key] = copy.copy(value) if isinstance(value, (list, dict, set)) else value
        self.__dict__["_before"] = {}
        self.show(server)

    def show(self, about):
        """What the hub says of the server now."""
        self._hidden.update(pending=about.get("pending") or None, ready=bool(about.get("ready")), active=bool(about.get("active")))

    def load(self, traits):
        """Take the hub's values of the traits that it knows; functions of the file stay."""
        environment = dict(traits.pop("environment", None) or {})
        for key, value in configured(WORLD.spawner_chain, "environment", {}).items():
            if callable(value) and not environment.get(key):
                environment[key] = value
        self._values.update({k: v for k, v in traits.items() if not callable(self._values.get(k))}, environment=environment)
        self.__dict__["_before"] = snapshot(self._values)

    def know(self, args, env):
        self._hidden["_env"] = env
        for key, name in (("JUPYTERHUB_API_TOKEN", "api_token"), ("JUPYTERHUB_CLIENT_ID", "oauth_client_id")):
            if env.get(key):
                self._hidden[name] = env[key]
        if args.get("base_url"):
            self._hidden["server"] = facade.Plain(base_url=args["base_url"], ip=self._values.get("ip", ""), port=self._values.get("port", 0))
        if not self._before:
            self.load({})

    def override(self, values):
        for key, value in values.items():
            mine = self._values.get(key)
            if isinstance(value, dict) and isinstance(mine, dict):
                mine.update(value)
                for gone in [k for k, v in value.items() if v is None]:
                    mine.pop(gone, None)
            else:
                self._values[key] = in_bytes(key, value)
        self.__dict__["_before"] = snapshot(self._values)

    def __getattr__(self, name):
        for store in ("_values", "_hidden"):
            found = self.__dict__.get(store, {})
            if name in found:
                return found[name]
        if name in NONE:
            return None
        if name in EMPTY:
            return self._values.setdefault(name, EMPTY[name]())
        raise AttributeError("%s has no attribute %r" % (WORLD.spawner_chain[0], name))

    def __setattr__(self, name, value):
        if name in self._hidden:
            self._hidden[name] = value
            return
        self._values[name] = in_bytes(name, value)

    def changes(self):
        """What hooks changed since the last time, as JSON can hold it."""
        now, before = snapshot(self._values), self._before
        self.__dict__["_before"] = now
        traits = {k: v for k, v in now.items() if k != "environment" and (k not in before or before[k] != v)}
        for name in [k for k in before if k not in now]:
            traits[name] = None
        new, old = now.get("environment") or {}, before.get("environment") or {}
        return {"traits": traits, "environment": {k: str(v) for k, v in new.items() if old.get(k) != v}, "unset": [k for k in old if k not in new]}

    def template_namespace(self):
        return {"username": self.user.name, "base_url": self.server.base_url if self.server else self.user.base_url}

    def format_string(self, text):
        return text.format(**self.template_namespace())

    def get_state(self):
        return dict(self._hidden["_state"])

    def get_env(self):
        env = dict(self._hidden["_env"])
        env.update({k: v(self) if callable(v) else v for k, v in self.environment.items()})
        return env

    def get_args(self):
        return self.args

    def __repr__(self):
        return "<%s %s>" % (WORLD.spawner_chain[0], self._log_name)


def in_bytes(name, value):
    """A size such as 2G as hooks see it."""
    if name in SIZES and isinstance(value, str) and value[-1:] in UNITS:
        return int(float(value[:-1]) * UNITS[value[-1]])
    return value


NONE = {"mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee", "hub_connect_url", "cert_paths"}
EMPTY = {"cmd": list, "args": list, "environment": dict, "volumes": dict, "env_keep": list, "default_url": str, "notebook_dir": str, "ip": str,
         "port": int, "debug": bool, "disable_user_config": bool, "internal_ssl": bool}


def snapshot(values):
    """A copy of what can travel; functions and other objects stay here."""
    out = {}
    for key, value in values.items():
        if callable(value) or key.startswith("_"):
            continue
        if value is None or isinstance(value, (str, int, float)):
            out[key] = value
            continue
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if not callable(v)}
        try:
            plain = evaluate.encode(value)  # a copy
        except Exception:
            continue
        if not (isinstance(plain, dict) and plain.get(evaluate.MARK, {}).get("kind") in ("function", "class", "object")):
            out[key] = plain
    return out


OPS = {
    "spawner.begin": begin, "spawner.auth_state": auth_state_hook, "spawner.apply_options": apply_options, "spawner.pre_spawn": pre_spawn,
    "spawner.start": start, "spawner.poll": poll, "spawner.stop": stop, "spawner.load": load, "spawner.post_stop": post_stop,
    "spawner.forget": forget, "spawner.progress": progress, "spawner.progress_ready": progress_ready, "spawner.options_form": options_form,
    "spawner.options_from_form": options_from_form, "spawner.profile_list": profile_list, "spawner.override": override, "spawner.delete_forever": delete_forever, "spawner.rename": rename,
}
