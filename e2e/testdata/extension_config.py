"""Every extension point of JupyterHub as a Python class or function, each of which notes that it was called and with what.

The notes are lines of JSON in calls.jsonl beside the configuration: {"what": ..., "saw": {...}}.
Which half is used is decided by EXTENSIONS: "classes" (an Authenticator and a Spawner of this file) or "hooks" (functions around built-in ones).
"""

import asyncio
import json
import os
import sys
from functools import partial

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from jupyterhub.spawner import SimpleLocalProcessSpawner
from tornado import web

c = get_config()  # noqa

HERE = os.path.dirname(os.path.abspath(__file__))
LIGHT = [sys.executable, os.environ["LIGHT_SERVER"]]


def note(what, **saw):
    with open(os.path.join(HERE, "calls.jsonl"), "a") as f:
        f.write(json.dumps({"what": what, "saw": saw}, default=repr, sort_keys=True) + "\n")


def look(what, names, **objects):
    """Note the value of each expression; one that raises gives the exception's class."""
    saw = {}
    for name in names.split("\n"):
        name = name.strip()
        if not name:
            continue
        try:
            value = eval(name, {"json": json}, objects)
            json.dumps(value)
        except TypeError:
            value = "(%s)" % type(value).__name__
        except Exception as e:
            value = "! %s: %s" % (type(e).__name__, e)
        saw[name] = value
    note(what, **saw)


SPAWNER = """
spawner.name
spawner.user.name
spawner.user.admin
sorted(g.name for g in spawner.user.groups)
[g.properties for g in spawner.user.groups]
spawner.user.url
spawner.user.base_url
spawner.user.escaped_name
sorted(spawner.user.spawners)
spawner.user.spawners[spawner.name] is spawner
spawner.user.settings["base_url"]
spawner.user.settings["allow_named_servers"]
type(spawner.user.id).__name__
spawner.user.orm_user.name
spawner.user_options
sorted(k for k in spawner.environment)
spawner.args
len(spawner.cmd)
spawner.default_url
spawner.notebook_dir
spawner.mem_limit
spawner.cpu_limit
spawner.start_timeout
spawner.http_timeout
spawner.ip
spawner.debug
spawner.env_keep[:2]
spawner.hub.base_url
spawner.hub.api_url.rpartition("/")[2]
spawner.hub.server.base_url
spawner.server.base_url
spawner.oauth_client_id
len(spawner.api_token)
spawner.orm_spawner.name
spawner.orm_spawner.user.name
spawner.orm_spawner.user_options
spawner.orm_spawner.state
type(spawner.orm_spawner.id).__name__
spawner.log.name
spawner.handler.request.path
spawner.handler.request.method
spawner.handler.current_user.name
spawner.handler.get_argument("opt", "none")
spawner.handler.settings["base_url"]
spawner.authenticator.enable_auth_state
spawner.active
spawner.ready
spawner.pending
spawner.state if hasattr(spawner, "state") else "no attribute"
spawner.format_string("{username}")
spawner.template_namespace()["username"]
spawner.template_namespace()["base_url"]
spawner.get_env()["JUPYTERHUB_USER"]
spawner.get_env()["JUPYTERHUB_API_URL"] == spawner.hub.api_url
spawner.get_env()["JUPYTERHUB_SERVICE_PREFIX"]
spawner.get_args()
spawner.poll_interval
spawner.disable_user_config
spawner.consecutive_failure_limit
spawner.oauth_client_allowed_scopes
spawner.server_token_scopes
spawner.cookie_options
spawner.internal_ssl
"""

HANDLER = """
handler.request.method
handler.request.path
handler.request.remote_ip
handler.request.uri
handler.request.protocol
handler.request.headers.get("User-Agent")
handler.get_argument("more", "none")
handler.get_body_argument("username", "none")
handler.get_query_argument("next", "none")
handler.current_user and handler.current_user.name
handler.settings["base_url"]
handler.hub.base_url
handler.base_url
handler.get_cookie("no-such-cookie")
handler.authenticator.enable_auth_state
handler.allow_named_servers
handler.log.name
"""

c.JupyterHub.load_groups = {"class": {"users": ["ann"], "properties": {"level": 3}}}
c.Authenticator.enable_auth_state = True
c.CryptKeeper.keys = ["a5" * 32]
c.Spawner.cmd = LIGHT
c.Spawner.args = []
c.Spawner.poll_interval = 1
c.JupyterHub.cleanup_servers = False


class Recording(Authenticator):
    """Notes every call; the password is that of the base configuration."""

    login_service = "the lab"

    async def authenticate(self, handler, data):
        look("authenticate", HANDLER, handler=handler)
        if data["username"] == "teapot":
            raise web.HTTPError(418, "no coffee here")
        if data["password"] != c.DummyAuthenticator.password:
            return None
        return {"name": data["username"], "auth_state": {"upstream": data["username"]}, "roles": [{"name": "helper"}]}

    def normalize_username(self, username):
        return username.strip().lower().replace("_", "-")

    def validate_username(self, username):
        note("validate_username", name=username)
        return bool(username) and not username.startswith("x")

    async def check_blocked_users(self, username, authentication=None):
        note("check_blocked_users", name=username, model=sorted(authentication or {}))
        return username != "blocked"

    def check_allowed(self, username, authentication=None):
        note("check_allowed", name=username)
        return username != "stranger"

    async def is_admin(self, handler, authentication):
        note("is_admin", name=authentication["name"])
        return True if authentication["name"] == "boss" else None

    async def refresh_user(self, user, handler=None, **kwargs):
        state = await user.get_auth_state()
        note("refresh_user", name=user.name, state=state, path=handler and handler.request.path)
        if os.path.exists(os.path.join(HERE, "expired")):
            return False
        return {"name": user.name, "auth_state": {"upstream": user.name, "refreshed": True}}

    async def add_user(self, user):
        note("add_user", name=user.name)
        if user.name == "unwanted":
            raise ValueError("there is no such person")
        await super_add(self, user)

    def delete_user(self, user):
        note("delete_user", name=user.name)

    async def pre_spawn_start(self, user, spawner):
        state = await user.get_auth_state()
        note("pre_spawn_start", name=user.name, server=spawner.name, state=state)
        spawner.environment["FROM_AUTH_STATE"] = (state or {}).get("upstream", "nothing")

    async def post_spawn_stop(self, user, spawner):
        note("post_spawn_stop", name=user.name, server=spawner.name)

    async def load_managed_roles(self):
        note("load_managed_roles")
        return [{"name": "helper", "description": "helps", "scopes": ["list:users"]}]

    def login_url(self, base_url):
        note("login_url", base=base_url)
        return base_url + "own-login"

    def logout_url(self, base_url):
        return base_url + "own-logout"

    def get_handlers(self, app):
        note("get_handlers", app=type(app).__name__ != "NoneType", base=app.base_url)
        return [("/own-login", OwnLogin), ("/own-logout", OwnLogout), ("/own/([^/]+)/page", OwnPage)]

    def get_custom_html(self, base_url):
        return "<p id='own'>Sign in at {{ authenticator_login_url }} of %s</p>" % base_url

    def check_allow_config(self):
        note("check_allow_config")


async def super_add(authenticator, user):
    added = Authenticator.add_user(authenticator, user)
    if asyncio.iscoroutine(added):
        await added


class OwnLogin(BaseHandler):
    def get(self):
        self.finish("<form method=post action='%s'><input type=hidden name=_xsrf value='%s'><input name=username><input name=password></form>"
                    % (self.request.uri, self.xsrf_token.decode()))

    async def post(self):
        user = await self.login_user({"username": self.get_body_argument("username"), "password": self.get_body_argument("password")})
        if user is None:
            raise web.HTTPError(403, "wrong password")
        self.redirect(self.get_next_url(user))


class OwnLogout(BaseHandler):
    async def get(self):
        note("own_logout", user=self.current_user and self.current_user.name)
        self.clear_login_cookie()
        self.redirect(self.hub.base_url + "login")


class OwnPage(BaseHandler):
    @web.authenticated
    async def get(self, what):
        if what == "template":
            self.finish(await self.render_template("error.html", status_code=418, status_message="for " + self.current_user.name))
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"what": what, "user": self.current_user.name, "q": self.get_argument("q", None)}))


class RecordingSpawner(SimpleLocalProcessSpawner):
    """Notes every call; its servers are local processes."""

    async def start(self):
        look("start", SPAWNER, spawner=self)
        note("environment", **{k: v for k, v in self.get_env().items() if k.startswith(("FROM_", "ADDED_"))})
        if self.user_options.get("fail"):
            raise RuntimeError("told to fail")
        return await super().start()

    async def stop(self, now=False):
        note("stop", now=now)
        await super().stop(now=now)

    async def poll(self):
        return await super().poll()

    def get_state(self):
        state = super().get_state()
        state["own"] = getattr(self, "own", 0)
        return state

    def load_state(self, state):
        super().load_state(state)
        self.own = state.get("own", 0) + 1
        note("load_state", own=self.own, pid="pid" in state)

    def clear_state(self):
        super().clear_state()
        self.own = 0
        note("clear_state")

    def get_url(self):
        url = super().get_url() if hasattr(super(), "get_url") else self.server.url
        note("get_url")
        return url

    def get_env(self):
        env = super().get_env()
        env["ADDED_BY_GET_ENV"] = self.user.name
        return env

    def get_args(self):
        return super().get_args() + ["--note={username}".format(username=self.user.name)]

    def user_env(self, env):
        env = super().user_env(env)
        env["ADDED_BY_USER_ENV"] = "yes"
        return env

    def template_namespace(self):
        return dict(super().template_namespace(), course="chemistry")

    async def progress(self):
        for n in (20, 40):
            yield {"progress": n, "message": "own step %d" % n}
            await asyncio.sleep(0.01)

    async def options_form(self, spawner=None):
        return "<label>Size <input name=size></label> for %s" % self.user.name

    def options_from_form(self, formdata):
        note("options_from_form", **formdata)
        return {"size": int(formdata["size"][0])}

    def options_from_query(self, query):
        note("options_from_query", **query)
        return {"size": int(query["size"][0]), "link": True}

    async def delete_forever(self):
        note("delete_forever", name=self.name, user=self.user.name)

    async def rename(self, old, new):
        note("rename", old=old, new=new)


def grow(spawner, user_options):
    note("apply_user_options", options=user_options)
    if user_options.get("size", 0) > 10:
        raise ValueError("too large")
    spawner.environment["FROM_OPTIONS"] = str(user_options.get("size", "none"))


async def pre_spawn(spawner):
    look("pre_spawn_hook", SPAWNER, spawner=spawner)
    spawner.environment["FROM_PRE_SPAWN"] = "{}/{}".format(spawner.user.name, len(spawner.user.groups))
    spawner.user_options["added"] = "by the hook"
    state = await spawner.user.get_auth_state()
    note("auth_state in pre_spawn_hook", state=state)
    if spawner.user_options.get("short"):
        spawner.start_timeout = 2
        spawner.http_timeout = 1
        spawner.cmd = ["sleep", "600"]
        spawner.args = []


def auth_state_hook(spawner, auth_state):
    note("auth_state_hook", state=auth_state)
    spawner.environment["FROM_AUTH_STATE_HOOK"] = json.dumps(auth_state)


def post_stop(spawner):
    note("post_stop_hook", name=spawner.name, user=spawner.user.name, options=spawner.user_options)


async def progress_ready(spawner, event):
    note("progress_ready_hook", event=sorted(event))
    event["message"] = "Ready, says the hook"
    event["html_message"] = "Ready, <b>says</b> the hook"
    return event


async def post_auth(authenticator, handler, authentication):
    look("post_auth_hook", HANDLER, handler=handler)
    if authentication["name"] == "turned-away":
        return None
    authentication["auth_state"] = dict(authentication.get("auth_state") or {}, seen=True)
    return authentication


c.Spawner.pre_spawn_hook = pre_spawn
c.Spawner.auth_state_hook = auth_state_hook
c.Spawner.post_stop_hook = post_stop
c.Spawner.progress_ready_hook = progress_ready
c.Spawner.apply_user_options = grow
c.Authenticator.post_auth_hook = post_auth
c.Spawner.environment = {"FROM_FUNCTION": lambda spawner: "called for " + spawner.user.name}


class ExtraPage(BaseHandler):
    def initialize(self, greeting):
        self.greeting = greeting

    @web.authenticated
    async def get(self, word):
        look("extra_handler", HANDLER, handler=self)
        self.finish("%s %s: %s" % (self.greeting, self.current_user.name, word))

    @web.authenticated
    async def post(self, word):
        self.finish("posted " + self.get_body_argument("text"))


class OpenPage(BaseHandler):
    def get(self):
        who = self.current_user
        self.finish("open to " + (who.name if who else "everybody"))


c.JupyterHub.extra_handlers = [
    (r"/extra/([^/]+)", ExtraPage, {"greeting": "Good day"}),
    (r"/open-page", OpenPage),
]
c.JupyterHub.template_vars = {"announcement": "fixed", "announcement_home": lambda user: "for " + (user.name if user else "nobody")}
c.JupyterHub.default_url = lambda handler: "/hub/home?from=default_url&who=" + (handler.current_user.name if handler.current_user else "nobody")
c.JupyterHub.named_server_limit_per_user = lambda handler: 2 if handler and handler.current_user and handler.current_user.name == "ann" else 1
c.JupyterHub.user_redirect_hook = lambda path, request, user, base_url: (
    base_url + "user/" + user.name + "/redirected/" + path + "?" + request.query if path.startswith("mine") else None
)
c.Spawner.server_token_scopes = lambda spawner: ["users:activity!user", "access:servers!server", "read:users!user"]

if os.environ["EXTENSIONS"] == "classes":
    c.JupyterHub.authenticator_class = Recording
    c.JupyterHub.spawner_class = RecordingSpawner
    c.Recording.auth_refresh_age = 1
    c.Recording.allow_all = False
    c.Recording.manage_roles = True
    c.Recording.reset_managed_roles_on_startup = True  # without it JupyterHub 6.1.1 cannot be started again
    c.RecordingSpawner.home_dir_template = os.path.join(HERE, "home", "{username}")
else:
    c.Spawner.options_form = lambda spawner: "<label>Size <input name=size></label> hook form for " + spawner.user.name
    c.Spawner.options_from_form = lambda formdata, spawner: note("options_from_form", **formdata) or {"size": int(formdata["size"][0]), "who": spawner.user.name}
