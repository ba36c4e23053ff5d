"""Authenticators and the hooks around logins."""

from . import facade
from .state import LOG, WORLD, configured, find_class, settle, traitlets_config
from .wire import Unfit

# traits that decide in the hub itself; it asks for their values once
TRAITS = (
    "admin_users allowed_users blocked_users allow_all allow_existing_users any_allow_config username_map username_pattern delete_invalid_users "
    "enable_auth_state manage_groups manage_roles reset_managed_roles_on_startup auth_refresh_age auth_refresh_strict refresh_pre_spawn "
    "refresh_pre_stop auto_login request_otp otp_prompt login_service auto_login_oauth2_authorize"
).split()


def make(about):
    """The authenticator of the configuration, or a stand-in that carries the traits of a built-in one for its hooks."""
    if about.get("python"):
        cls = find_class("authenticator", about.get("given", ""))
        from . import pages

        WORLD.authenticator = cls(config=traitlets_config(), log=LOG, _deprecated_db_session=pages.database())
        return
    chain = about.get("chain") or ["Authenticator"]
    values = dict(about.get("traits") or {})
    for name in reversed(chain):
        section = WORLD.tree.get(name)
        values.update({k: v for k, v in (section or {}).items() if not k[:1].isupper()})
    values.update(log=LOG, config=WORLD.config or WORLD.tree, parent=None)
    values.setdefault("login_service", "")
    stand_in = type(chain[0], (facade.Plain,), {})
    WORLD.authenticator = stand_in(**values)


def remember(names):
    """After a restart of this process: the users that add_user had been told of."""
    a = WORLD.authenticator
    for name in names:
        facade.user({"name": name})
    if a.allow_existing_users and not a.allow_all:
        a.allowed_users.update(names)


def overridden(name):
    """Whether a class other than JupyterHub's own base has this method or attribute."""
    from jupyterhub.auth import Authenticator

    own = getattr(type(WORLD.authenticator), name, None)
    return own is not getattr(Authenticator, name, None) or name in vars(WORLD.authenticator)


def about():
    """What the hub has to know about the authenticator."""
    a = WORLD.authenticator
    cls = type(a)
    if hasattr(a, "check_allow_config"):
        a.check_allow_config()
    traits = {}
    for name in TRAITS:
        try:
            value = getattr(a, name)
        except AttributeError:
            continue
        if isinstance(value, (bool, int, float, str, list, set, dict, tuple)) or value is None:
            traits[name] = value
    can = [n for n in ("normalize_username", "validate_username", "get_custom_html", "login_url", "logout_url", "pre_spawn_start",
                       "post_spawn_stop", "refresh_user", "load_managed_roles", "get_handlers", "is_admin", "check_allowed", "add_user",
                       "delete_user") if overridden(n)]
    return {"name": "%s.%s" % (cls.__module__, cls.__qualname__), "version": version(cls), "traits": traits, "overrides": can,
            "reconciles": bool(getattr(a, "reconcile_auth_state_hook", None)), "page": page({})}


def version(cls):
    import sys

    module = sys.modules.get(cls.__module__.partition(".")[0])
    return str(getattr(module, "__version__", "") or "")


def model(result, name=None):
    """A login's result as the hub takes it."""
    if result is None or result is False:
        return None
    if isinstance(result, str):
        result = {"name": result}
    if not isinstance(result, dict):
        raise Unfit("the authenticator returned %s; it must return None, a name or a dict" % type(result).__name__)
    if "name" not in result:
        if name is None:
            raise Unfit("the authenticator returned a dict without a name")
        result = dict(result, name=name)
    out = {k: result[k] for k in ("name", "admin", "auth_state", "user_info") if result.get(k) is not None}
    for key in ("groups", "roles"):
        if key in result and result[key] is not None:
            out[key] = list(result[key])
    return out


async def authenticate(args, stream):
    a = WORLD.authenticator
    return model(await settle(a.get_authenticated_user(facade.handler(args.get("request")), args.get("data"))))


async def post_auth(args, stream):
    """post_auth_hook of a built-in authenticator."""
    hook = WORLD.authenticator.post_auth_hook
    given = dict({"admin": None, "auth_state": None, "user_info": None}, **args["model"])
    result = await settle(hook(WORLD.authenticator, facade.handler(args.get("request")), given))
    return model(result, given["name"])


async def reconcile(args, stream):
    a = WORLD.authenticator
    return await settle(a.reconcile_auth_state_hook(a, dict({"auth_state": None}, **args["model"]), args.get("existing")))


async def refresh(args, stream):
    user = facade.user(args["user"])
    result = await settle(WORLD.authenticator.refresh_user(user, facade.handler(args.get("request"))))
    if isinstance(result, bool) or result is None:
        return {"ok": bool(result)}
    return {"ok": True, "model": model(result, user.name)}


async def add_user(args, stream):
    await settle(WORLD.authenticator.add_user(facade.user(args["user"])))


async def delete_user(args, stream):
    user = facade.user(args["user"])
    await settle(WORLD.authenticator.delete_user(user))
    WORLD.users.pop(user.name, None)


async def pre_spawn_start(args, stream):
    from . import spawners

    user = facade.user(args["user"])
    await settle(WORLD.authenticator.pre_spawn_start(user, spawners.get(user, args["server"], args)))


async def post_spawn_stop(args, stream):
    from . import spawners

    user = facade.user(args["user"])
    await settle(WORLD.authenticator.post_spawn_stop(user, spawners.get(user, args["server"], args)))


async def normalize(args, stream):
    return WORLD.authenticator.normalize_username(args["name"])


async def managed_roles(args, stream):
    return list(await settle(WORLD.authenticator.load_managed_roles()) or [])


def page(args):
    """How people log in."""
    a, prefix = WORLD.authenticator, WORLD.facts.get("hub_prefix", "/hub/")
    text = a.get_custom_html(prefix) if hasattr(a, "get_custom_html") else getattr(a, "custom_html", "")
    return {"login_url": a.login_url(prefix), "logout_url": a.logout_url(prefix), "custom_html": text or "",
            "login_service": getattr(a, "login_service", "") or "", "request_otp": bool(getattr(a, "request_otp", False)),
            "otp_prompt": str(getattr(a, "otp_prompt", "") or ""), "auto_login": bool(getattr(a, "auto_login", False))}


async def login_page(args, stream):
    return page(args)


OPS = {
    "auth.authenticate": authenticate, "auth.post_auth": post_auth, "auth.reconcile": reconcile, "auth.refresh": refresh, "auth.add_user": add_user,
    "auth.delete_user": delete_user, "auth.pre_spawn_start": pre_spawn_start, "auth.post_spawn_stop": post_spawn_stop,
    "auth.normalize": normalize, "auth.managed_roles": managed_roles, "auth.page": login_page,
}
