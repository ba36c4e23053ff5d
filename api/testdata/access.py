"""Asks a real JupyterHub who may do what, for access_test.go and fields_test.go.

Run:  CHP=<configurable-http-proxy> <venv with jupyterhub>/bin/python access.py
Writes scopes.tsv, access_jupyterhub.tsv and fields_jupyterhub.tsv. The requests are those of access_requests.tsv; each is made with
a token of alice, who holds every scope, cut down to one scope in one form.
"""
import csv, http.client, json, os, socket, subprocess, sys, tempfile, time
from jupyterhub import scopes

HERE = os.path.dirname(os.path.abspath(__file__))
CHP = os.environ.get("CHP", "configurable-http-proxy")
ROOT = "root-token-0123456789"
FORMS = ["", "!user", "!user=alice", "!user=bob", "!group=g1", "!group=g2", "!server", "!server=alice/", "!server=alice/lab", "!server=bob/", "!server=bob/lab", "!service", "!service=svc", "!service=other"]
FIELD_FORMS = ["", "!user=bob", "!group=g2", "!server=bob/lab", "!service=svc"]
FIELD_PATHS = ["/users/bob?include_stopped_servers=1", "/users?include_stopped_servers=1", "/users/bob/tokens", "/users/bob/servers/lab", "/groups/g2", "/groups", "/services/svc", "/services"]
META = ["self", "inherit", "(no_scope)"]
NAMES = sorted(n for n in scopes.scope_definitions if n not in META)

CONFIG = r'''
import sys
c.JupyterHub.bind_url = "http://127.0.0.1:%(public)d/"
c.JupyterHub.hub_port = %(hub)d
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:%(api)d"
c.ConfigurableHTTPProxy.command = [%(chp)r]
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.log_level = 40
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "root", "api_token": %(root)r}, {"name": "svc", "api_token": "svc-token-0123456789"}, {"name": "other", "api_token": "other-token-0123456789"}]
c.JupyterHub.load_groups = {"g1": {"users": ["alice"]}, "g2": {"users": ["bob"]}}
c.JupyterHub.load_roles = [{"name": "everything", "scopes": %(all)r, "users": ["alice"], "services": ["root"]}, {"name": "user", "scopes": []}]
'''

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

class Hub:
    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        d = self.dir.name
        self.port, self.conn = port(), None
        open(os.path.join(d, "jupyterhub_config.py"), "w").write(CONFIG % dict(public=port(), hub=self.port, api=port(), chp=CHP, root=ROOT, all=NAMES))
        self.log = open(os.path.join(d, "log"), "w")
        self.p = subprocess.Popen([sys.executable, "-m", "jupyterhub"], cwd=d, stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                if self.ask("GET", "/", None)[0] == 200:
                    return self
            except OSError:
                self.conn = None
                time.sleep(0.1)
            if self.p.poll() is not None:
                break
        print(open(os.path.join(d, "log")).read())
        raise SystemExit("hub did not start")
    def __exit__(self, *a):
        self.p.terminate(); self.p.wait(30); self.log.close(); self.dir.cleanup()
    def ask(self, method, path, token, body=None):
        if self.conn is None:
            self.conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": "token " + token} if token else {}
        self.conn.request(method, "/hub/api" + path, body, headers)
        r = self.conn.getresponse()
        return r.status, r.read().decode()
    def restore(self):
        for method, path, body in [("POST", "/users", {"usernames": ["bob"]}), ("POST", "/groups/g1", {"users": ["alice"]}), ("POST", "/groups/g2", {"users": ["bob"]}),
                                   ("POST", "/groups/g1/users", {"users": ["alice"]}), ("POST", "/groups/g2/users", {"users": ["bob"]}),
                                   ("PUT", "/users/alice/servers/lab", {}), ("PUT", "/users/bob/servers/lab", {}), ("POST", "/users/bob/tokens", {"note": "seen"})]:
            self.ask(method, path, ROOT, json.dumps(body))

def outcome(status, text):
    if status == 403 and "Action is not authorized with current scopes" in text:
        return "refused"
    if status == 404 and "No access to resources or resources not found" in text:
        return "hidden"
    return str(status)

def implying(needed):
    return [n for n in NAMES if scopes._expand_scope(n) & set(needed)]

def keys(v, at=""):
    if isinstance(v, list):
        return set().union(*[keys(x, at + "[]") for x in v]) if v else {at + "[]"}
    if isinstance(v, dict):
        out = set()
        byname = at.endswith("servers") or at == "$services"
        for k, x in v.items():
            k = "*" if byname else k
            out |= {at + "." + k} if not isinstance(x, (dict, list)) or k in ("user_options", "state", "info", "properties") or at + k in ("groups", "roles") else keys(x, at + "." + k) | {at + "." + k}
        return out
    return {at}

def write(name, head, rows):
    with open(os.path.join(HERE, name), "w") as f:
        f.write(head + "\n")
        for r in rows:
            f.write("\t".join(r) + "\n")

def main():
    write("scopes.tsv", "# scope, what it stands for: the catalog of JupyterHub 6.1.1", [(n, " ".join(sorted(scopes._expand_scope(n)))) for n in NAMES])
    requests = [r for r in csv.reader(open(os.path.join(HERE, "access_requests.tsv")), delimiter="\t", quoting=csv.QUOTE_NONE) if r and not r[0].startswith("#")]
    with Hub() as hub:
        hub.restore()
        tokens = {"nobody": None}
        refused = []
        for form in [n + f for n in NAMES for f in FORMS]:
            status, text = hub.ask("POST", "/users/alice/tokens", ROOT, json.dumps({"scopes": [form], "note": form}))
            if status == 201:
                tokens[form] = json.loads(text)["token"]
            else:
                refused.append(form)
        print(len(tokens), "tokens; no token for", refused, flush=True)
        out, begin = [("POST /users/alice/tokens", "400", " ".join(refused))], time.time()
        for method, pattern, path, body, needs, *_ in requests:
            got = {}
            for form in ["nobody"] + NAMES + [n + f for n in implying(needs.split()) for f in FORMS[1:]]:
                if form not in tokens:
                    continue
                status, text = hub.ask(method, path, tokens[form], body or None)
                got.setdefault(outcome(status, text), []).append(form)
                if status < 300 and method == "DELETE":
                    hub.restore()
            for o in sorted(got):
                if o != "refused":
                    out.append((method + " " + path, o, " ".join(got[o])))
        write("access_jupyterhub.tsv", "# request, outcome, forms of a scope with it; all others are refused: what JupyterHub 6.1.1 answered", out)
        print(len(requests), "requests", round(time.time() - begin), "s", flush=True)
        out = []
        for path in FIELD_PATHS:
            got, full = {}, set()
            for form in [n + f for n in NAMES for f in FIELD_FORMS]:
                if form not in tokens:
                    continue
                status, text = hub.ask("GET", path, tokens[form])
                if status == 200:
                    name = "$services" if path == "/services" else "$"
                    k = keys(json.loads(text), name)
                    full |= k
                    got.setdefault(" ".join(sorted(k)), []).append(form)
            for k in sorted(got):
                out.append((path, k, " ".join(sorted(full - set(k.split()))), " ".join(got[k])))
        write("fields_jupyterhub.tsv", "# request, keys in the answer, keys that are not, forms of a scope: what JupyterHub 6.1.1 answered", out)

main()
