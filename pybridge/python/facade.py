"""What hooks and plug-ins see of users, requests and the hub."""

import http.cookies
import json
from urllib.parse import quote, urlencode

from .state import LOG, WORLD


class Plain:
    """An object with the given attributes."""

    def __init__(self, **named):
        self.__dict__.update(named)

    def __repr__(self):
        return "<%s %s>" % (type(self).__name__, self.__dict__.get("name", ""))


class Group(Plain):
    """A group, by its name."""


class Spawners(dict):
    """user.spawners: servers that live here; others are made when they are asked for."""

    def __init__(self, user):
        dict.__init__(self)
        self.user = user

    def __missing__(self, name):
        from . import spawners

        return spawners.get(self.user, self.user.about_server(name))

    def _all(self):
        """Every server that the hub told of has an object."""
        for about in self.user._about.get("servers") or []:
            if not dict.__contains__(self, about["name"]):
                self[about["name"]]
        return self

    def keys(self):
        return dict.keys(self._all())

    def values(self):
        return dict.values(self._all())

    def items(self):
        return dict.items(self._all())

    def __iter__(self):
        return dict.__iter__(self._all())

    def __len__(self):
        return dict.__len__(self._all())

    def __contains__(self, name):
        return dict.__contains__(self._all(), name)

    def get(self, name, default=None):
        return self[name] if name in self else default


class User:
    """A user of the hub's database. Reading is from what the hub told last; only auth_state can be written."""

    def __init__(self, about):
        self._about, self._groups = {}, []
        self.spawners = Spawners(self)
        self.update(about)

    def update(self, about):
        for key, value in about.items():
            if value is not None or key not in self._about:
                self._about[key] = value
        properties = self._about.get("properties") or {}
        self._groups = [Group(name=name, properties=dict(properties.get(name) or {}), users=[]) for name in self._about.get("groups") or []]

    def about_server(self, name):
        for about in self._about.get("servers") or []:
            if about["name"] == name:
                return about
        return {"name": name}

    name = property(lambda self: self._about["name"])
    id = property(lambda self: self._about.get("id"))
    admin = property(lambda self: bool(self._about.get("admin")))
    groups = property(lambda self: self._groups)
    created = property(lambda self: self._about.get("created"))
    last_activity = property(lambda self: self._about.get("last_activity"))
    roles = property(lambda self: [])
    escaped_name = property(lambda self: quote(self.name, safe="@~"))
    json_escaped_name = property(lambda self: json.dumps(self.name)[1:-1])
    base_url = property(lambda self: "%suser/%s/" % (WORLD.facts.get("base_url", "/"), self.escaped_name))
    prefix = base_url
    proxy_spec = base_url
    settings = property(lambda self: settings())
    authenticator = property(lambda self: WORLD.authenticator)
    log = property(lambda self: LOG)
    orm_user = property(lambda self: self)
    cookie_id = property(lambda self: "")
    db = None

    @property
    def encrypted_auth_state(self):
        return b"" if self._about.get("has_auth_state") else None

    @property
    def domain(self):
        return WORLD.facts.get("domain", "")

    @property
    def host(self):
        return WORLD.facts.get("public_host", "")

    @property
    def url(self):
        return self.base_url

    def server_url(self, name=""):
        return self.url + (quote(name, safe="@~") + "/" if name else "")

    def public_url(self, name=""):
        public, base = WORLD.facts.get("public_url", ""), WORLD.facts.get("base_url", "/")
        return public[: -len(base)] + self.server_url(name) if public else ""

    def progress_url(self, name=""):
        middle = "servers/%s" % quote(name, safe="@~") if name else "server"
        return "%sapi/users/%s/%s/progress" % (WORLD.facts.get("hub_prefix", "/hub/"), self.escaped_name, middle)

    @property
    def spawner(self):
        return self.spawners[""]

    @property
    def server(self):
        return self.spawner.server

    def all_spawners(self, include_default=True):
        return [s for name, s in self.spawners.items() if name or include_default]

    @property
    def running(self):
        return "" in self.spawners and bool(self.spawner.ready)

    @property
    def active(self):
        return any(s.active for s in self.spawners.values())

    async def get_auth_state(self):
        return await WORLD.channel.ask("auth_state", {"user": self.name})

    async def save_auth_state(self, state):
        await WORLD.channel.ask("save_auth_state", {"user": self.name, "state": state})

    def __repr__(self):
        return "<User(%s)>" % self.name


def user(about):
    """The one object of a user."""
    if not about:
        return None
    known = WORLD.users.get(about["name"])
    if known is None:
        known = WORLD.users[about["name"]] = User(about)
    else:
        known.update(about)
    return known


class Service(Plain):
    """A service that made a request."""


def service(name):
    return Service(name=name, kind="service", admin=False, groups=[], roles=[]) if name else None


class Headers(dict):
    """Headers without tornado: names in any case."""

    def __init__(self, pairs):
        dict.__init__(self)
        for name, value in pairs:
            key = name.title()
            dict.__setitem__(self, key, dict.get(self, key) + "," + value if key in self else value)

    def __getitem__(self, name):
        return dict.__getitem__(self, name.title())

    def get(self, name, default=None):
        return dict.get(self, name.title(), default)

    def __contains__(self, name):
        return dict.__contains__(self, name.title())


def make_headers(pairs):
    try:
        from tornado.httputil import HTTPHeaders
    except ImportError:
        return Headers(pairs)
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    return headers


class Request:
    """The part of tornado's request that hooks use."""

    def __init__(self, about):
        self.method = about.get("method", "GET")
        self.uri = about.get("uri", "/")
        self.path, _, self.query = self.uri.partition("?")
        self.remote_ip = about.get("remote_ip", "")
        self.host, self.protocol = about.get("host", ""), about.get("protocol", "http")
        self.version, self.body = "HTTP/1.1", b""
        self.headers = make_headers((k, v) for k, values in (about.get("headers") or {}).items() for v in values)
        self.query_arguments = as_bytes(about.get("query"))
        self.body_arguments = as_bytes(about.get("form"))
        self.arguments = {k: list(v) for k, v in self.query_arguments.items()}
        for key, values in self.body_arguments.items():
            self.arguments.setdefault(key, []).extend(values)
        self.files = {}
        self.cookies = http.cookies.SimpleCookie()
        try:
            self.cookies.load(self.headers.get("Cookie", ""))
        except http.cookies.CookieError:
            pass

    def full_url(self):
        return "%s://%s%s" % (self.protocol, self.host, self.uri)


def as_bytes(arguments):
    return {k: [v.encode("utf-8", "surrogateescape") for v in values] for k, values in (arguments or {}).items()}


REQUIRED = object()


class Handler:
    """The request that the hub is working on."""

    def __init__(self, about):
        self.request = Request(about)
        self.current_user = self._jupyterhub_user = user(about.get("user")) or service(about.get("service"))
        self.settings, self.hub, self.log = settings(), hub(), LOG
        self.authenticator, self.base_url = WORLD.authenticator, WORLD.facts.get("base_url", "/")
        self.config, self.app, self.db = WORLD.config or WORLD.tree, app(), None
        self.allow_named_servers = bool(WORLD.facts.get("allow_named_servers"))

    def _last(self, arguments, name, default, strip):
        values = arguments.get(name)
        if not values:
            if default is REQUIRED:
                raise missing(name)
            return default
        text = values[-1].decode("utf-8", "replace")
        return text.strip() if strip else text

    def _all(self, arguments, name, strip):
        texts = [v.decode("utf-8", "replace") for v in arguments.get(name, [])]
        return [t.strip() for t in texts] if strip else texts

    def get_argument(self, name, default=REQUIRED, strip=True):
        return self._last(self.request.arguments, name, default, strip)

    def get_arguments(self, name, strip=True):
        return self._all(self.request.arguments, name, strip)

    def get_query_argument(self, name, default=REQUIRED, strip=True):
        return self._last(self.request.query_arguments, name, default, strip)

    def get_query_arguments(self, name, strip=True):
        return self._all(self.request.query_arguments, name, strip)

    def get_body_argument(self, name, default=REQUIRED, strip=True):
        return self._last(self.request.body_arguments, name, default, strip)

    def get_body_arguments(self, name, strip=True):
        return self._all(self.request.body_arguments, name, strip)

    def get_cookie(self, name, default=None):
        morsel = self.request.cookies.get(name)
        return morsel.value if morsel is not None else default

    def get_current_user(self):
        return self.current_user

    def find_user(self, name):
        found = getattr(name, "name", name)
        return WORLD.users.get(found)

    def user_from_username(self, name):
        return user({"name": name})


def missing(name):
    try:
        from tornado.web import MissingArgumentError
    except ImportError:
        return ValueError("the request has no argument %r" % name)
    return MissingArgumentError(name)


def handler(about):
    return Handler(about) if about else None


def hub():
    facts = WORLD.facts
    prefix, api = facts.get("hub_prefix", "/hub/"), facts.get("api_url", "")
    return Plain(name="hub", base_url=prefix, api_url=api, public_host=facts.get("public_host", ""), url=api[: -len("api")] if api else "",
                 host=api[: api.find("/", 8)] if api else "", cookie_name="jupyterhub-hub-login", routespec=facts.get("base_url", "/"),
                 proto=api.partition(":")[0], server=Plain(base_url=prefix, url=api[: -len("api")] if api else ""))


def settings():
    facts = WORLD.facts
    if "settings" not in WORLD.__dict__:
        from_file = WORLD.tree.get("JupyterHub", {})
        own = from_file.get("tornado_settings") if isinstance(from_file, dict) else None
        WORLD.settings = dict(own) if isinstance(own, dict) else {}
        WORLD.settings.update(base_url=facts.get("base_url", "/"), log=LOG, users=WORLD.users, domain=facts.get("domain", ""),
                              subdomain_host=facts.get("subdomain_host", ""), admin_access=bool(facts.get("admin_access")),
                              allow_named_servers=bool(facts.get("allow_named_servers")), default_url=facts.get("default_url", ""),
                              cookie_options=facts.get("cookie_options") or {}, login_url=facts.get("hub_prefix", "/hub/") + "login",
                              logout_url=facts.get("hub_prefix", "/hub/") + "logout")
    WORLD.settings.update(hub=hub(), authenticator=WORLD.authenticator, config=WORLD.config or WORLD.tree, app=app(),
                          spawner_class=WORLD.spawner_class)
    return WORLD.settings


def app():
    if "app" not in WORLD.__dict__:
        WORLD.app = Plain(name="jupyterhub")
    tree = WORLD.tree.get("JupyterHub", {})
    values = dict(tree) if isinstance(tree, dict) else {}
    values.update(log=LOG, config=WORLD.config or WORLD.tree, hub=hub(), base_url=WORLD.facts.get("base_url", "/"), authenticator=WORLD.authenticator,
                  users=WORLD.users, subdomain_host=WORLD.facts.get("subdomain_host", ""))
    WORLD.app.__dict__.update(values)
    return WORLD.app


def with_args(url, args):
    return url + ("&" if "?" in url else "?") + urlencode(args) if args else url
