"""Records what a real JupyterHub answers, for recorded_test.go.

Run:  <venv with jupyterhub and configurable-http-proxy on PATH>/bin/python record.py
Needs node with configurable-http-proxy (set CHP to its path). Writes recorded/<subject>.json.
Every subject begins with a fresh database made from hub.json.
"""
import http.client, json, os, re, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
CHP = os.environ.get("CHP", "configurable-http-proxy")
SETUP = json.load(open(os.path.join(HERE, "hub.json")))
WHO = {s["name"]: s["api_token"] for s in SETUP["services"]} | {u: t for t, u in SETUP["api_tokens"].items()}

CONFIG = r'''
import json, sys
d = json.load(open(%(setup)r))
c.JupyterHub.bind_url = "http://127.0.0.1:%(public)d/"
c.JupyterHub.hub_port = %(hub)d
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:%(api)d"
c.ConfigurableHTTPProxy.command = [%(chp)r]
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.services = d["services"]
c.JupyterHub.load_roles = d["load_roles"]
c.JupyterHub.load_groups = d["load_groups"]
c.JupyterHub.api_tokens = d["api_tokens"]
c.JupyterHub.allow_named_servers = True
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 20, "slow_stop_timeout": 20}
c.Authenticator.admin_users = set(d["admin_users"])
c.Authenticator.allow_all = True
c.Spawner.cmd = [sys.executable, %(tiny)r]
c.Spawner.poll_interval = 0
'''
TINY = r'''
import http.server, os, urllib.parse
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("X-Jupyterhub-Version", "6.1.1"); self.end_headers()
    def log_message(self, *a): pass
u = urllib.parse.urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.ThreadingHTTPServer(("127.0.0.1", u.port), H).serve_forever()
'''

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

class Hub:
    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        d = self.dir.name
        self.port = port()
        tiny = os.path.join(d, "tiny.py")
        open(tiny, "w").write(TINY)
        open(os.path.join(d, "jupyterhub_config.py"), "w").write(CONFIG % dict(
            setup=os.path.join(HERE, "hub.json"), public=port(), hub=self.port, api=port(), chp=CHP, tiny=tiny))
        self.log = open(os.path.join(d, "log"), "w")
        self.p = subprocess.Popen([sys.executable, "-m", "jupyterhub"], cwd=d, stdout=self.log, stderr=self.log)
        for _ in range(300):
            try:
                if self.ask("GET", "/hub/api/", {})[0] == 200:
                    return self
            except OSError:
                time.sleep(0.1)
            if self.p.poll() is not None:
                break
        print(open(os.path.join(d, "log")).read())
        raise SystemExit("hub did not start")
    def __exit__(self, *a):
        self.p.terminate(); self.p.wait(30); self.log.close(); self.dir.cleanup()
    def ask(self, method, path, headers, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.putrequest(method, path, skip_accept_encoding=True)
        b = b"" if body is None else body.encode()
        for k, v in headers.items():
            c.putheader(k, v)
        if body is not None or method in ("POST", "PUT", "PATCH"):
            c.putheader("Content-Length", str(len(b)))
        c.endheaders()
        if b:
            c.send(b)
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read().decode()

KEEP = ["Content-Type", "Content-Security-Policy", "X-JupyterHub-Version", "Access-Control-Allow-Headers", "Access-Control-Allow-Origin", "Location", "Retry-After"]

def subst(text, saved):
    return re.sub(r"<<(\w+)>>", lambda m: str(saved[m.group(1)]), text)

def record(subject, rows):
    out, saved = [], {}
    with Hub() as hub:
        hub.ask("POST", "/hub/api/users", {"Authorization": "token " + WHO["root"]}, json.dumps({"usernames": SETUP["users"]}))
        for row in rows:
            who, method, path, *rest = row
            body = rest[0] if rest else None
            extra = rest[1] if len(rest) > 1 else {}
            if body is not None and not isinstance(body, str):
                body = json.dumps(body)
            headers = dict(extra.get("headers", {}))
            if who:
                headers["Authorization"] = "token " + WHO.get(who, saved.get(who, who))
            status, got, text = hub.ask(method, subst(path, saved), headers, None if body is None else subst(body, saved))
            e = {"as": who, "method": method, "path": path}
            if extra.get("headers"):
                e["headers"] = extra["headers"]
            if body is not None:
                e["body"] = body
            e["status"] = status
            e["answer_headers"] = {k: got[k] for k in KEEP if k in got}
            try:
                e["answer"] = json.loads(text) if text else None
            except ValueError:
                e["answer"] = text
            for name, key in extra.get("save", {}).items():
                v = e["answer"]
                for k in key.split("."):
                    v = v[int(k)] if isinstance(v, list) else v[k]
                saved[name] = v
                e.setdefault("save", {})[name] = key
            for k in ("answer", "answer_headers"):
                e[k] = clean(e[k], hub)
            out.append(e)
    with open(os.path.join(HERE, "recorded", subject + ".json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(e, ensure_ascii=False, sort_keys=True) for e in out) + "\n]\n")
    print(subject, len(out))

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
def clean(v, hub, key=""):
    if isinstance(v, dict):
        return {k: clean(x, hub, k) for k, x in v.items()}
    if isinstance(v, list):
        return [clean(x, hub, key) for x in v]
    if key in ("python", "sys_executable"):
        return "<%s>" % key
    if isinstance(v, str):
        v = TIME.sub("<time>", v).replace("127.0.0.1:%d" % hub.port, "<hub>")
        if key in ("token", "code") or key in ("id", "token_id", "session_id") and v:
            return "<" + key + ">"
        v = re.sub(r"code=[\w-]{43}", "code=<code>", v)
        v = re.sub(r"http://127.0.0.1:\d{4,5}", "<addr>", v)
    if key == "pid" and v:
        return "<pid>"
    return v

PAGES = {"headers": {"Accept": "application/jupyterhub-pagination+json"}}
UNAL = "%C3%BCnal%40x~y%25z%20w"

SUBJECTS = {}
def errors():
    rows = []
    for who in ["", "nobody-token-000000", "nothing"]:
        for m, p in [("GET", "user"), ("GET", "users"), ("GET", "users/alice"), ("GET", "users/nosuch"), ("GET", "info"), ("GET", "groups"), ("GET", "services"), ("GET", "proxy"),
                     ("POST", "users"), ("POST", "users/zed"), ("DELETE", "users/alice"), ("POST", "users/alice/server"), ("GET", "users/alice/tokens"),
                     ("POST", "users/alice/tokens"), ("POST", "users/nosuch/tokens"), ("GET", "shares/alice"), ("GET", "shares/alice/"), ("POST", "shutdown"), ("POST", "shares/alice"), ("GET", "nosuch"), ("POST", "nosuch/deep"),
                     ("GET", "authorizations/token/abc"), ("POST", "authorizations/token"), ("GET", "oauth2/userinfo")]:
            rows.append((who, m, "/hub/api/" + p))
    for m, p in [("PUT", "users"), ("DELETE", "users"), ("PATCH", "groups"), ("DELETE", "user"), ("PUT", "info"), ("HEAD", "user"), ("HEAD", "users"), ("HEAD", "nosuch"), ("HEAD", ""), ("PATCH", "users/alice/tokens"), ("POST", "health"), ("PUT", "shares/alice/"),
                 ("POST", "shares/alice"), ("PATCH", "shares/alice"), ("DELETE", "shares/alice"), ("POST", "share-codes/alice"), ("PATCH", "share-codes/alice/")]:
        rows.append(("root", m, "/hub/api/" + p))
    for p in ["users", "users/alice", "users/nosuch", "user", "info", "", "shares/alice", "oauth2/token", "nosuch", "health", "metrics"]:
        rows.append(("", "OPTIONS", "/hub/api/" + p))
    for p in ["", "/", "/health", "/users/", "/user/", "/users//", "/users/alice/", "/groups/g1/", "/services/", "/info/", "//users"]:
        rows.append(("root", "GET", "/hub/api" + p))
    return rows
SUBJECTS["errors"] = errors()
SUBJECTS["users"] = [
    ("root", "GET", "/hub/api/users"), ("reader", "GET", "/hub/api/users"), ("ing1", "GET", "/hub/api/users"), ("usersadmin", "GET", "/hub/api/users"), ("onalice", "GET", "/hub/api/users"),
    ("alice", "GET", "/hub/api/users"),
    ("root", "GET", "/hub/api/user"), ("nothing", "GET", "/hub/api/user"), ("alice", "GET", "/hub/api/user"), ("admin", "GET", "/hub/api/user"), ("ing1", "GET", "/hub/api/user"), ("shown", "GET", "/hub/api/user"),
    ("alice", "GET", "/hub/api/user?include_stopped_servers"),
    ("root", "GET", "/hub/api/users/alice"), ("root", "GET", "/hub/api/users/alice?include_stopped_servers=1"), ("root", "GET", "/hub/api/users/alice?include_stopped_servers=0"),
    ("reader", "GET", "/hub/api/users/alice"), ("ing1", "GET", "/hub/api/users/alice"), ("ing1", "GET", "/hub/api/users/carol"), ("ing1", "GET", "/hub/api/users/nosuch"), ("onalice", "GET", "/hub/api/users/alice"), ("onalice", "GET", "/hub/api/users/bob"),
    ("alice", "GET", "/hub/api/users/alice"), ("alice", "GET", "/hub/api/users/bob"), ("root", "GET", "/hub/api/users/nosuch"), ("root", "GET", "/hub/api/users/" + UNAL), ("root", "GET", "/hub/api/users/Alice"),
    ("root", "GET", "/hub/api/users?sort=-name&limit=2", None, PAGES), ("root", "GET", "/hub/api/users?limit=2&offset=1&include_stopped_servers&x=y%20z", None, PAGES), ("root", "GET", "/hub/api/users", None, PAGES),
    ("root", "GET", "/hub/api/users?limit=0", None, PAGES), ("root", "GET", "/hub/api/users?limit=-2&offset=-1", None, PAGES), ("root", "GET", "/hub/api/users?limit=1000000", None, PAGES), ("root", "GET", "/hub/api/users?offset=100", None, PAGES),
    ("root", "GET", "/hub/api/users?limit=x"), ("root", "GET", "/hub/api/users?offset=1.5"), ("root", "GET", "/hub/api/users?limit="), ("root", "GET", "/hub/api/users?limit=2"), ("root", "GET", "/hub/api/users?offset=2"),
    ("root", "GET", "/hub/api/users?limit=1", None, {"headers": {"Accept": "application/jupyterhub-pagination+json;q=0.9"}}), ("root", "GET", "/hub/api/users?limit=1", None, {"headers": {"Accept": "text/html, Application/JupyterHub-Pagination+JSON"}}),
    ("root", "GET", "/hub/api/users?sort=nosuch"), ("root", "GET", "/hub/api/users?sort=-id"), ("root", "GET", "/hub/api/users?sort=last_activity"), ("root", "GET", "/hub/api/users?sort="), ("root", "GET", "/hub/api/users?state=nosuch"), ("root", "GET", "/hub/api/users?state="),
    ("root", "GET", "/hub/api/users?state=active"), ("root", "GET", "/hub/api/users?state=ready"), ("root", "GET", "/hub/api/users?state=inactive&limit=1", None, PAGES), ("root", "GET", "/hub/api/users?name_filter=LIC"), ("root", "GET", "/hub/api/users?name_filter=%25"), ("root", "GET", "/hub/api/users?name_filter="),
    ("ing1", "GET", "/hub/api/users?limit=1", None, PAGES),
    ("root", "POST", "/hub/api/users", {"usernames": ["dora", "Emil"]}), ("root", "POST", "/hub/api/users", {"usernames": ["dora", "emil"]}), ("root", "POST", "/hub/api/users", {"usernames": ["dora", "fritz"]}),
    ("root", "POST", "/hub/api/users", {"usernames": []}), ("root", "POST", "/hub/api/users", {}), ("root", "POST", "/hub/api/users"), ("root", "POST", "/hub/api/users", {"usernames": ["a/b"]}), ("root", "POST", "/hub/api/users", {"usernames": ["a/b", "..", "ok1"]}),
    ("root", "POST", "/hub/api/users", {"usernames": ["boss"], "admin": True}), ("usersadmin", "POST", "/hub/api/users", {"usernames": ["boss2"], "admin": True}), ("usersadmin", "POST", "/hub/api/users", {"usernames": ["plain"]}), ("ing1", "POST", "/hub/api/users", {"usernames": ["evil"]}),
    ("root", "POST", "/hub/api/users", "{"), ("root", "POST", "/hub/api/users", {"usernames": "abc"}),
    ("root", "POST", "/hub/api/users/gerd"), ("root", "POST", "/hub/api/users/gerd"), ("root", "POST", "/hub/api/users/hana", {"admin": True}), ("usersadmin", "POST", "/hub/api/users/ivo", {"admin": True}), ("usersadmin", "POST", "/hub/api/users/jan", {"admin": False}),
    ("root", "POST", "/hub/api/users/%2e%2e"), ("root", "POST", "/hub/api/users/%20x"), ("root", "POST", "/hub/api/users/a%2Fb"), ("onalice", "POST", "/hub/api/users/kai"), ("nothing", "POST", "/hub/api/users/kai"),
    ("root", "POST", "/hub/api/users/kai", {"nosuchkey": 1}), ("root", "POST", "/hub/api/users/kai", {"admin": "yes"}),
    ("root", "PATCH", "/hub/api/users/gerd", {"name": "gerda"}), ("root", "PATCH", "/hub/api/users/gerda", {"name": "alice"}), ("root", "PATCH", "/hub/api/users/gerda", {"admin": True}), ("usersadmin", "PATCH", "/hub/api/users/gerda", {"admin": False}),
    ("usersadmin", "PATCH", "/hub/api/users/gerda", {"name": "x"}), ("usersadmin", "PATCH", "/hub/api/users/alice", {"admin": True}), ("root", "PATCH", "/hub/api/users/nosuch", {"admin": True}), ("root", "PATCH", "/hub/api/users/alice"), ("root", "PATCH", "/hub/api/users/alice", {}), ("root", "PATCH", "/hub/api/users/alice", {"name": "a/b"}), ("root", "PATCH", "/hub/api/users/gerda", {"name": "GERDA2"}),
    ("root", "PATCH", "/hub/api/users/alice", {"name": 7}), ("root", "PATCH", "/hub/api/users/alice", {"bogus": 7}), ("onalice", "PATCH", "/hub/api/users/bob", {"admin": False}), ("onalice", "PATCH", "/hub/api/users/alice", {"admin": False}),
    ("alice", "DELETE", "/hub/api/users/alice"), ("admin", "DELETE", "/hub/api/users/admin"), ("root", "DELETE", "/hub/api/users/gerda2"), ("root", "DELETE", "/hub/api/users/gerda2"), ("ing1", "DELETE", "/hub/api/users/carol"), ("ing1", "DELETE", "/hub/api/users/bob"),
    ("root", "POST", "/hub/api/users/alice/activity", {"last_activity": "2020-01-02T03:04:05Z"}), ("root", "POST", "/hub/api/users/alice/activity", {}), ("root", "POST", "/hub/api/users/alice/activity", {"last_activity": "x"}), ("root", "POST", "/hub/api/users/alice/activity", {"last_activity": "2099-01-01T00:00:00Z"}),
    ("root", "POST", "/hub/api/users/alice/activity", {"servers": {"nosuch": {"last_activity": "2020-01-02T03:04:05Z"}}}), ("root", "POST", "/hub/api/users/alice/activity", {"servers": {"": {}}}), ("root", "POST", "/hub/api/users/nosuch/activity", {"last_activity": "2020-01-02T03:04:05Z"}),
    ("root", "POST", "/hub/api/users/alice/admin-access"),
]
SUBJECTS["groups"] = [
    ("root", "GET", "/hub/api/groups"), ("reader", "GET", "/hub/api/groups"), ("ing1", "GET", "/hub/api/groups"), ("onalice", "GET", "/hub/api/groups"), ("root", "GET", "/hub/api/groups?limit=1", None, PAGES), ("root", "GET", "/hub/api/groups?offset=1"), ("root", "GET", "/hub/api/groups?limit=a"),
    ("root", "GET", "/hub/api/groups/g1"), ("reader", "GET", "/hub/api/groups/g1"), ("ing1", "GET", "/hub/api/groups/g2"), ("ing1", "GET", "/hub/api/groups/nosuch"), ("root", "GET", "/hub/api/groups/nosuch"), ("onalice", "GET", "/hub/api/groups/g1"),
    ("root", "POST", "/hub/api/groups", {"groups": ["g3", "g4"], "users": ["alice"]}), ("root", "POST", "/hub/api/groups", {"groups": ["g3"]}), ("root", "POST", "/hub/api/groups", {"groups": []}), ("root", "POST", "/hub/api/groups", {}), ("root", "POST", "/hub/api/groups"), ("root", "POST", "/hub/api/groups", {"groups": ["g5"], "users": ["nosuch"]}), ("ing1", "POST", "/hub/api/groups", {"groups": ["g9"]}),
    ("root", "POST", "/hub/api/groups/g6", {"users": ["bob"]}), ("root", "POST", "/hub/api/groups/g6"), ("root", "POST", "/hub/api/groups/g7"), ("root", "POST", "/hub/api/groups/g8", {"users": ["nosuch"]}), ("ing1", "POST", "/hub/api/groups/g8"), ("root", "POST", "/hub/api/groups/g%20%2F%C3%BC"), ("root", "GET", "/hub/api/groups/g%20%2F%C3%BC"),
    ("root", "POST", "/hub/api/groups/g2/users", {"users": ["alice", "carol"]}), ("root", "POST", "/hub/api/groups/g2/users", {"users": ["alice"]}), ("root", "POST", "/hub/api/groups/g2/users", {"users": ["nosuch"]}), ("root", "POST", "/hub/api/groups/g2/users", {}), ("root", "POST", "/hub/api/groups/g2/users"), ("root", "POST", "/hub/api/groups/nosuch/users", {"users": ["alice"]}), ("root", "POST", "/hub/api/groups/g2/users", {"users": "alice"}),
    ("root", "DELETE", "/hub/api/groups/g2/users", {"users": ["alice", "bob"]}), ("root", "DELETE", "/hub/api/groups/g2/users", {"users": ["nosuch"]}), ("root", "DELETE", "/hub/api/groups/g2/users"),
    ("root", "PUT", "/hub/api/groups/g2/properties", {"a": 1, "b": 1.0, "c": [None, True], "big": 12345678901234567890}), ("root", "PUT", "/hub/api/groups/g2/properties", {}), ("root", "PUT", "/hub/api/groups/g2/properties", "[1]"), ("root", "PUT", "/hub/api/groups/g2/properties"), ("ing1", "PUT", "/hub/api/groups/g2/properties", {}),
    ("root", "DELETE", "/hub/api/groups/g7"), ("root", "DELETE", "/hub/api/groups/g7"), ("ing1", "DELETE", "/hub/api/groups/g2"), ("ing1", "DELETE", "/hub/api/groups/g1"),
]
S = {"save": {"tid": "id", "tok": "token"}}
SUBJECTS["tokens"] = [
    ("root", "POST", "/hub/api/users/alice/tokens", {"note": "n"}, S), ("tok", "GET", "/hub/api/user"), ("root", "GET", "/hub/api/users/alice/tokens/<<tid>>"), ("alice", "GET", "/hub/api/users/alice/tokens/<<tid>>"), ("root", "GET", "/hub/api/users/bob/tokens/<<tid>>"), ("root", "GET", "/hub/api/authorizations/token/<<tok>>"), ("nothing", "GET", "/hub/api/authorizations/token/<<tok>>"), ("root", "GET", "/hub/api/authorizations/token/nosuch"),
    ("root", "GET", "/hub/api/users/alice/tokens/b1"), ("root", "GET", "/hub/api/users/alice/tokens/a99999"), ("root", "GET", "/hub/api/users/alice/tokens/"), ("root", "GET", "/hub/api/users/nosuch/tokens"), ("root", "GET", "/hub/api/users/alice/tokens"), ("alice", "GET", "/hub/api/users/bob/tokens"), ("onalice", "GET", "/hub/api/users/bob/tokens"),
    ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": 60, "scopes": ["read:users:name!user"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": 0}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": -1}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": "5"}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": None}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": True}), ("alice", "POST", "/hub/api/users/alice/tokens", {"expires_in": 1.5}),
    ("alice", "POST", "/hub/api/users/alice/tokens", {"scopes": ["admin:users"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"scopes": ["nosuch:scope"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"roles": ["user"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"roles": ["nosuch"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"roles": ["user"], "scopes": ["self"]}), ("alice", "POST", "/hub/api/users/alice/tokens", {"roles": ["admin"]}),
    ("alice", "POST", "/hub/api/users/alice/tokens", "{"), ("alice", "POST", "/hub/api/users/alice/tokens"), ("alice", "POST", "/hub/api/users/bob/tokens"), ("onalice", "POST", "/hub/api/users/alice/tokens"), ("onalice", "POST", "/hub/api/users/bob/tokens"), ("root", "POST", "/hub/api/users/nosuch/tokens"), ("alice", "POST", "/hub/api/users/nosuch/tokens"),
    ("", "POST", "/hub/api/users/bob/tokens", {"auth": {"username": "bob", "password": "x"}}), ("", "POST", "/hub/api/users/alice/tokens", {"auth": {"username": "bob", "password": "x"}}), ("", "POST", "/hub/api/users/bob/tokens", {"auth": {"username": "stranger", "password": "x"}}), ("", "POST", "/hub/api/users/bob/tokens", {}), ("", "POST", "/hub/api/users/bob/tokens", {"username": "bob", "password": "x"}),
    ("alice", "DELETE", "/hub/api/users/alice/tokens/<<tid>>"), ("alice", "DELETE", "/hub/api/users/alice/tokens/<<tid>>"), ("tok", "GET", "/hub/api/user"), ("alice", "DELETE", "/hub/api/users/bob/tokens/a1"),
]
SUBJECTS["services"] = [
    ("root", "GET", "/hub/api/services"), ("reader", "GET", "/hub/api/services"), ("nothing", "GET", "/hub/api/services"), ("root", "GET", "/hub/api/services/shown"), ("reader", "GET", "/hub/api/services/shown"), ("root", "GET", "/hub/api/services/nosuch"), ("reader", "GET", "/hub/api/services/nosuch"), ("onalice", "GET", "/hub/api/services/shown"),
    ("root", "POST", "/hub/api/services/dyn", {"admin": False, "info": {"x": 1}, "display": False}), ("root", "GET", "/hub/api/services/dyn"), ("root", "POST", "/hub/api/services/dyn", {}), ("root", "POST", "/hub/api/services/shown", {}), ("root", "POST", "/hub/api/services/dyn2", {"command": ["x"]}), ("root", "POST", "/hub/api/services/dyn2", {"bogus": 1}), ("root", "POST", "/hub/api/services/dyn2", {"oauth_client_id": "x"}), ("reader", "POST", "/hub/api/services/dyn2", {}),
    ("root", "POST", "/hub/api/services/dyn3", {"command": []}), ("root", "POST", "/hub/api/services/dyn4", {"admin": "x"}), ("root", "POST", "/hub/api/services/dyn5"), ("root", "POST", "/hub/api/services/a%20b", {}),
    ("root", "DELETE", "/hub/api/services/dyn"), ("root", "DELETE", "/hub/api/services/dyn"), ("root", "DELETE", "/hub/api/services/shown"), ("reader", "DELETE", "/hub/api/services/shown"),
]
SUBJECTS["servers"] = [
    ("root", "GET", "/hub/api/users/alice/server"), ("root", "GET", "/hub/api/users/alice/servers/"), ("root", "GET", "/hub/api/users/alice/servers/nosuch"), ("root", "GET", "/hub/api/users/nosuch/server"), ("onalice", "GET", "/hub/api/users/bob/server"), ("reader", "GET", "/hub/api/users/alice/server"),
    ("root", "PUT", "/hub/api/users/alice/servers/one", {"display_name": "One", "user_options": {"a": 1}}), ("root", "PUT", "/hub/api/users/alice/servers/one", {}), ("root", "PUT", "/hub/api/users/alice/server"), ("root", "PUT", "/hub/api/users/alice/servers/BAD_name", {}), ("root", "PUT", "/hub/api/users/alice/servers/x-/", {}),
    ("root", "PUT", "/hub/api/users/alice/servers/two"), ("root", "PUT", "/hub/api/users/alice/servers/three", {"legacy": 5}), ("root", "GET", "/hub/api/users/alice/servers/three"), ("root", "PUT", "/hub/api/users/alice/servers/four", {"display_name": None}), ("root", "PUT", "/hub/api/users/alice/servers/four", {"display_name": 5}), ("root", "PUT", "/hub/api/users/alice/servers/four", {"user_options": [1]}), ("root", "PUT", "/hub/api/users/alice/servers/four", "[1]"),
    ("root", "GET", "/hub/api/users/alice?include_stopped_servers"), ("onalice", "GET", "/hub/api/users/alice?include_stopped_servers"), ("alice", "GET", "/hub/api/users/alice?include_stopped_servers"),
    ("root", "PATCH", "/hub/api/users/alice/servers/one", {"name": "uno"}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"name": "two"}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"display_name": "Uno!"}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"user_options": {"b": 2.0}}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {}), ("root", "PATCH", "/hub/api/users/alice/servers/uno"), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"name": "BAD NAME"}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"display_name": 3}), ("root", "PATCH", "/hub/api/users/alice/servers/nosuch", {"name": "x"}), ("root", "PATCH", "/hub/api/users/alice/server", {"name": "x"}), ("root", "PATCH", "/hub/api/users/alice/servers/uno", {"user_options": None}),
    ("root", "POST", "/hub/api/users/alice/server", {"q": 1}), ("root", "GET", "/hub/api/users/alice/server"), ("root", "GET", "/hub/api/users/alice"), ("alice", "GET", "/hub/api/user"), ("root", "POST", "/hub/api/users/alice/server"), ("root", "GET", "/hub/api/users/alice/server/progress"), ("root", "GET", "/hub/api/users?state=ready"), ("root", "GET", "/hub/api/users?state=active"), ("root", "GET", "/hub/api/users?state=inactive"), ("root", "GET", "/hub/api/proxy"), ("root", "PATCH", "/hub/api/users/alice/server", {"display_name": "x"}),
    ("root", "DELETE", "/hub/api/users/alice/server", {"remove": True}), ("root", "POST", "/hub/api/users/alice/servers/uno"), ("root", "DELETE", "/hub/api/users/alice/servers/uno"), ("root", "DELETE", "/hub/api/users/alice/servers/uno"), ("root", "DELETE", "/hub/api/users/alice/servers/uno", {"remove": True}), ("root", "DELETE", "/hub/api/users/alice/servers/uno"), ("root", "DELETE", "/hub/api/users/alice/servers/uno", {"remove": "x"}), ("root", "DELETE", "/hub/api/users/alice/servers/two", {"remove": "yes"}),
    ("root", "DELETE", "/hub/api/users/alice/server"), ("root", "DELETE", "/hub/api/users/alice/server"), ("root", "GET", "/hub/api/users/alice/server/progress"), ("root", "GET", "/hub/api/users/bob/server/progress"), ("root", "GET", "/hub/api/users/alice/servers/nosuch/progress"), ("root", "POST", "/hub/api/users/nosuch/server"), ("root", "POST", "/hub/api/users/bob/servers/BAD_name"),
    ("root", "POST", "/hub/api/users/" + UNAL + "/server"), ("root", "GET", "/hub/api/users/" + UNAL + "/server"), ("root", "DELETE", "/hub/api/users/" + UNAL + "/server"), ("root", "DELETE", "/hub/api/users/nosuch/server"), ("onalice", "POST", "/hub/api/users/bob/server"), ("reader", "POST", "/hub/api/users/bob/server"),
]
C = {"save": {"code": "code", "cid": "id"}}
SUBJECTS["shares"] = [
    ("root", "PUT", "/hub/api/users/alice/servers/one", {}),
    ("root", "GET", "/hub/api/shares/alice"), ("root", "GET", "/hub/api/shares/alice/"), ("root", "GET", "/hub/api/shares/alice/one"), ("root", "GET", "/hub/api/shares/alice/nosuch"), ("root", "GET", "/hub/api/shares/nosuch"), ("root", "GET", "/hub/api/shares/nosuch/x"),
    ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob"}), ("root", "POST", "/hub/api/shares/alice/one", {"group": "g1", "scopes": ["read:servers!server=alice/one", "access:servers!server=alice/one"]}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "scopes": ["read:servers"]}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "scopes": ["admin:users"]}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "scopes": ["nosuch"]}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "scopes": []}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "scopes": ["access:servers!server=alice/two"]}),
    ("root", "POST", "/hub/api/shares/alice/one", {}), ("root", "POST", "/hub/api/shares/alice/one"), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "group": "g1"}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "nosuch"}), ("root", "POST", "/hub/api/shares/alice/one", {"group": "nosuch"}), ("root", "POST", "/hub/api/shares/alice/nosuch", {"user": "bob"}), ("root", "POST", "/hub/api/shares/nosuch/one", {"user": "bob"}), ("root", "POST", "/hub/api/shares/alice/one", {"user": "bob", "bogus": 1}), ("root", "POST", "/hub/api/shares/alice/one", {"user": ""}), ("onalice", "POST", "/hub/api/shares/alice/one", {"user": "bob"}), ("onalice", "POST", "/hub/api/shares/bob/", {"user": "alice"}), ("root", "POST", "/hub/api/shares/carol/", {"user": "alice"}), ("root", "GET", "/hub/api/shares/carol/"), ("root", "PATCH", "/hub/api/shares/carol/", {"user": "alice"}), ("root", "DELETE", "/hub/api/shares/admin/"), ("root", "POST", "/hub/api/share-codes/admin/"), ("root", "GET", "/hub/api/share-codes/bob/"), ("root", "PATCH", "/hub/api/shares/bob/", {"user": "alice"}),
    ("root", "GET", "/hub/api/shares/alice"), ("root", "GET", "/hub/api/shares/alice/one?limit=1"), ("root", "GET", "/hub/api/shares/alice/one?limit=1&offset=1", None, PAGES), ("onalice", "GET", "/hub/api/shares/alice"), ("onalice", "GET", "/hub/api/shares/bob"), ("reader", "GET", "/hub/api/shares/alice"),
    ("root", "GET", "/hub/api/users/bob/shared"), ("root", "GET", "/hub/api/users/bob/shared/alice/one"), ("root", "GET", "/hub/api/users/bob/shared/alice/"), ("root", "GET", "/hub/api/users/bob/shared/alice/nosuch"), ("root", "GET", "/hub/api/users/carol/shared"), ("root", "GET", "/hub/api/users/nosuch/shared"), ("root", "GET", "/hub/api/groups/g1/shared"), ("root", "GET", "/hub/api/groups/g1/shared/alice/one"), ("root", "GET", "/hub/api/groups/g2/shared"), ("root", "GET", "/hub/api/groups/nosuch/shared"), ("root", "GET", "/hub/api/groups/g2/shared/alice/one"),
    ("root", "PATCH", "/hub/api/shares/alice/one", {"user": "bob", "scopes": ["read:servers!server=alice/one"]}), ("root", "PATCH", "/hub/api/shares/alice/one", {"user": "carol"}), ("root", "PATCH", "/hub/api/shares/alice/one", {"user": "nosuch"}), ("root", "PATCH", "/hub/api/shares/alice/one", {"user": "bob"}), ("root", "PATCH", "/hub/api/shares/alice/one", {}), ("root", "PATCH", "/hub/api/shares/alice/one"),
    ("root", "DELETE", "/hub/api/users/bob/shared/alice/one"), ("root", "DELETE", "/hub/api/groups/g1/shared/alice/one"), ("root", "DELETE", "/hub/api/groups/g1/shared/alice/one"), ("root", "DELETE", "/hub/api/shares/alice/one"), ("root", "DELETE", "/hub/api/shares/alice/nosuch"),
    ("root", "POST", "/hub/api/share-codes/alice/one", {}, C), ("root", "POST", "/hub/api/share-codes/alice/one"), ("root", "POST", "/hub/api/share-codes/alice/one", {"expires_in": 60, "scopes": ["access:servers!server=alice/one"]}), ("root", "POST", "/hub/api/share-codes/alice/one", {"expires_in": 59}), ("root", "POST", "/hub/api/share-codes/alice/one", {"expires_in": 31536001}), ("root", "POST", "/hub/api/share-codes/alice/one", {"expires_in": "x"}), ("root", "POST", "/hub/api/share-codes/alice/one", {"scopes": ["admin:users"]}), ("root", "POST", "/hub/api/share-codes/alice/nosuch", {}), ("root", "POST", "/hub/api/share-codes/alice/one", {"bogus": 1}),
    ("root", "GET", "/hub/api/share-codes/alice"), ("root", "GET", "/hub/api/share-codes/alice/one?limit=1", None, PAGES), ("root", "GET", "/hub/api/share-codes/alice/nosuch"), ("root", "DELETE", "/hub/api/share-codes/alice/one?id=sc_99"), ("root", "DELETE", "/hub/api/share-codes/alice/one?id=x"), ("root", "DELETE", "/hub/api/share-codes/alice/one?code=nosuch"), ("root", "DELETE", "/hub/api/share-codes/alice/one?code=<<code>>"), ("root", "DELETE", "/hub/api/share-codes/alice/one"), ("root", "GET", "/hub/api/share-codes/alice/one"),
]
SUBJECTS["hub"] = [
    ("root", "GET", "/hub/api/info"), ("", "GET", "/hub/api"), ("", "GET", "/hub/api/"), ("root", "POST", "/hub/api/proxy"), ("root", "PATCH", "/hub/api/proxy"), ("root", "PATCH", "/hub/api/proxy", {}), ("root", "GET", "/hub/api/proxy?limit=x"), ("reader", "GET", "/hub/api/proxy"),
    ("root", "POST", "/hub/api/shutdown", {"proxy": "x"}), ("root", "POST", "/hub/api/shutdown", {"servers": 2}), ("root", "POST", "/hub/api/shutdown", "{"), ("alice", "POST", "/hub/api/shutdown"),
    ("root", "GET", "/hub/api/oauth2/userinfo"), ("", "POST", "/hub/api/oauth2/token"),
    ("root", "GET", "/hub/api/authorizations/cookie/jupyterhub-hub-login/abc"), ("root", "GET", "/hub/api/authorizations/cookie/jupyterhub-hub-login"), ("", "GET", "/hub/api/authorizations/cookie/x/y"),
]

for name in sys.argv[1:] or SUBJECTS:
    record(name, SUBJECTS[name])
