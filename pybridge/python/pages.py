"""Pages of an authenticator's own (get_handlers) and extra_handlers: real tornado handlers on a socket that only the hub can reach.

The hub checks XSRF, says in headers who asks, and writes the cookies of a login: a handler that logs somebody in gets a ticket, which
its answer carries in a header.
"""

import base64
import json
import os
import re
import sys

from . import authn, facade
from .state import LOG, WORLD, hub_trait, settle


def own_handlers():
    """What get_handlers gives beyond the pages that the hub has itself."""
    if not hasattr(WORLD.authenticator, "get_handlers"):
        return []
    from jupyterhub.handlers.login import LoginHandler, LogoutHandler

    found = [parts(line) for line in WORLD.authenticator.get_handlers(facade.app()) or []]
    return [line for line in found if line[1] not in (LoginHandler, LogoutHandler)]


def parts(line):
    """Pattern, class, and the arguments of initialize, of a tuple or tornado's URLSpec."""
    if hasattr(line, "handler_class"):
        found = (line.regex.pattern.rstrip("$"), line.handler_class, line.kwargs or {})
    else:
        found = tuple(line)
    if isinstance(found[1], str):
        from .state import import_name

        found = (found[0], import_name(found[1])) + found[2:]
    return found


def plugged_in():
    """Handlers that a plug-in appended to JupyterHub's own lists when it was imported, as batchspawner does."""
    lists = [getattr(sys.modules.get(name), "default_handlers", []) for name in ("jupyterhub.handlers", "jupyterhub.apihandlers")]
    found = [parts(line) for lines in lists for line in lines]
    return [line for line in found if not line[1].__module__.startswith("jupyterhub.")]


def for_programs(cls):
    """Whether a handler takes tokens and answers JSON, as those of the REST API do."""
    from jupyterhub.apihandlers.base import APIHandler

    return isinstance(cls, type) and issubclass(cls, APIHandler)


def start():
    """Serve the pages; returns their patterns below the hub and the path of the socket, or None."""
    if not WORLD.facts.get("pages_socket"):
        return None
    own = own_handlers()
    extra = [parts(line) for line in hub_trait("extra_handlers") or []] + plugged_in()
    handlers = own + extra
    if not handlers:
        return None
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_unix_socket
    from tornado.web import Application

    adapt()
    prefix, path = WORLD.facts.get("hub_prefix", "/hub/"), WORLD.facts["pages_socket"]
    if os.path.exists(path):
        os.unlink(path)
    rules = [(re.escape(prefix.rstrip("/")) + line[0],) + tuple(line[1:]) for line in handlers]
    server = HTTPServer(Application(rules, **page_settings()), xheaders=False, max_body_size=16 << 20)
    server.add_socket(bind_unix_socket(path, mode=0o600))
    WORLD.pages = server
    return {"own": [line[0] for line in own], "extra": [line[0] for line in extra if not for_programs(line[1])],
            "api": [line[0] for line in extra if for_programs(line[1])], "socket": path}


def page_settings():
    from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, PrefixLoader

    facts, own = WORLD.facts, facade.settings()
    files = FileSystemLoader([p for p in facts.get("template_paths") or []])
    built_in = DictLoader(facts.get("templates") or {})
    loader = ChoiceLoader([PrefixLoader({"templates": built_in}, "/"), files, built_in])
    options = {"loader": loader, "autoescape": True, **(own.get("jinja2_options") or {})}
    environments = Environment(enable_async=True, **options), Environment(**options)
    for environment in environments:  # what the built-in templates call to be translated: these pages are English
        environment.globals.update(_=english, gettext=english, ngettext=english_count, lang="en", languages=[])
    prefix = facts.get("hub_prefix", "/hub/")
    tree = WORLD.tree.get("JupyterHub", {})
    settings = dict(own)
    settings.update(
        jinja2_env=environments[0], jinja2_env_sync=environments[1], cookie_secret=base64.b64decode(facts["cookie_secret"]),
        hub_prefix=prefix, static_url_prefix=prefix + "static/", static_path=os.path.dirname(facts["pages_socket"]), xsrf_cookies=False,
        template_vars=tree.get("template_vars") if isinstance(tree.get("template_vars"), dict) else {}, version_hash="", services={}, db=database(),
        login_url=prefix + "login", logout_url=logout_url(prefix), redirect_to_server=True, public_url=None,
        default_url=facts.get("default_url", ""), cookie_max_age_days=14, cookie_host_prefix_enabled=bool(facts.get("cookie_host_prefix")))
    settings["log_function"] = set_nothing  # the hub logs requests, without codes and tokens
    return settings


def english(message, **values):
    from markupsafe import escape

    return escape(message) % {name: escape(value) for name, value in values.items()} if values else escape(message)


def english_count(singular, plural, n, **values):
    return english(singular if n == 1 else plural, **{"num": n, **values})


def logout_url(prefix):
    """Where the authenticator of the hub, or one here, logs people out."""
    own = getattr(WORLD.authenticator, "logout_url", None)
    return own(prefix) if own else prefix + "logout"


def database():
    """The hub's database, for the few plug-ins that keep tables of their own in it; opened when one asks."""
    return LazySession()


class LazySession:
    """Becomes a SQLAlchemy session when it is first used."""

    def __getattr__(self, name):
        session = self.__dict__.get("_session")
        if session is None and name in ("dirty", "new", "deleted"):
            return ()  # the base handler looks at the end of every request
        if session is None and name in ("commit", "flush", "rollback", "close"):
            return set_nothing  # nothing was read or written
        if session is None:
            from jupyterhub import orm

            LOG.warning("a plug-in opens the hub's database itself")
            session = self.__dict__["_session"] = orm.new_session_factory(WORLD.facts["db_url"])()
        return getattr(session, name)


def set_nothing(*args, **kwargs):
    return None


class Statsd:
    """What handlers had before JupyterHub 6, for plug-ins that still call it; nothing is counted."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def adapt():
    """Replace what JupyterHub's base handler does with its own process by what this hub does."""
    from jupyterhub.handlers.base import BaseHandler
    from jupyterhub.scopes import parse_scopes
    from tornado.web import RequestHandler

    async def prepare(self):
        self.expanded_scopes, self.parsed_scopes = set(), {}
        who = self.request.headers.pop("X-Minihub-User", "")
        self._minihub_xsrf = self.request.headers.pop("X-Minihub-Xsrf", "")
        about = json.loads(base64.b64decode(who)) if who else {}
        self.request.remote_ip = about.get("remote_ip") or self.request.remote_ip
        self.request.protocol = about.get("protocol") or "http"
        if about.get("host"):
            self.request.host = about["host"]
        self._jupyterhub_user = facade.user(about.get("user")) or facade.service(about.get("service"))
        self.expanded_scopes = set(about.get("scopes") or [])
        self.parsed_scopes = parse_scopes(self.expanded_scopes)
        await settle(RequestHandler.prepare(self))

    async def get_current_user(self):
        return self._jupyterhub_user

    async def auth_to_user(self, authenticated, user=None):
        reply = await WORLD.channel.ask("login", {"model": authn.model(authenticated)})
        self._minihub_ticket = reply["ticket"]
        return facade.user(reply["user"])

    async def login_user(self, data=None):
        authenticated = await self.authenticate(data)
        if not authenticated:
            return None
        user = await self.auth_to_user(authenticated)
        self.set_login_cookie(user)
        return user

    def set_login_cookie(self, user):
        self._jupyterhub_user = user
        ticket = getattr(self, "_minihub_ticket", "")
        if ticket:
            self.set_header("X-Minihub-Ticket", ticket)

    def clear_login_cookie(self, name=None):
        self._jupyterhub_user = None
        self.set_header("X-Minihub-Logout", "1")

    def write_error(self, status_code, **kwargs):
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        from .wire import describe

        about = describe(error) if error is not None else {}
        message = about.get("public") or (about.get("message") if about.get("status") else "") or ""
        self.set_header("X-Minihub-Error", base64.b64encode(json.dumps({"message": message, "html": about.get("html", "")}).encode()).decode())
        self.finish()

    def find_user(self, name):
        return WORLD.users.get(getattr(name, "name", name))

    def xsrf_token(self):
        return self._minihub_xsrf.encode()

    def log_exception(self, typ, value, tb):
        status, path = getattr(value, "status_code", 500), self.request.path
        if status < 500:
            LOG.warning("%s %s: %s", status, path, value)
        else:
            LOG.error("page %s of the configuration failed", path, exc_info=(typ, value, tb))

    async def logout(self):
        self.clear_login_cookie()

    def static_url(self, path, **kwargs):
        return WORLD.facts.get("hub_prefix", "/hub/") + "static/" + path

    from jupyterhub.handlers import base, login

    for module in (base, login):
        if hasattr(module, "_set_xsrf_cookie"):
            module._set_xsrf_cookie = set_nothing  # the hub sets it
    login.LogoutHandler.default_handle_logout = logout
    for name, value in {
        "prepare": prepare, "get_current_user": get_current_user, "auth_to_user": auth_to_user, "login_user": login_user, "write_error": write_error, "log_exception": log_exception,
        "set_login_cookie": set_login_cookie, "set_hub_cookie": set_login_cookie, "clear_login_cookie": clear_login_cookie, "find_user": find_user,
        "static_url": static_url, "statsd": Statsd(), "xsrf_token": property(xsrf_token), "check_xsrf_cookie": set_nothing, "set_default_headers": set_nothing, "_record_activity": set_nothing,
        "user_from_username": lambda self, name: facade.user({"name": name}), "_resolve_roles_and_scopes": set_nothing,
    }.items():
        setattr(BaseHandler, name, value)
