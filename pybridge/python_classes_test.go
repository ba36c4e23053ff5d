package pybridge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/spawner"
)

const mocks = "jupyterhub.tests.mocking."

func python(class string) pybridge.ClassChoice {
	return pybridge.ClassChoice{Python: true, Given: class}
}

func login(t *testing.T, a *pybridge.Authenticator, name, password string) (*auth.Model, error) {
	t.Helper()
	ctx := pybridge.WithRequest(t.Context(), &pybridge.Request{Method: "POST", URI: "/hub/login", RemoteIP: "10.0.0.9"})
	return a.Authenticate(ctx, auth.Request{Username: name, Password: password, Form: map[string][]string{"extra": {"1"}}})
}

func TestMockPAMAuthenticator(t *testing.T) {
	r := newRig(t, withJupyterHub(t), "c.Authenticator.allowed_users = {'ada'}\nc.Authenticator.blocked_users = {'eve'}\n",
		pybridge.SetupRequest{Authenticator: python(mocks + "MockPAMAuthenticator")})
	a := pybridge.NewAuthenticator(r.Bridge, r.info.Authenticator)
	if a.Name() != mocks+"MockPAMAuthenticator" || r.info.JupyterHub == "" || fmt.Sprint(r.info.Authenticator.Traits["admin_users"]) != "[admin]" {
		t.Errorf("%s %+v", a.Name(), r.info.Authenticator)
	}
	for name, want := range map[string]string{"Ada": "ada", "bob": "", "eve": "", "notallowed": ""} {
		m, err := login(t, a, name, name)
		if err != nil || (m == nil) != (want == "") || m != nil && m.Name != want {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
	if m, err := login(t, a, "ada", "wrong"); m != nil || err != nil {
		t.Errorf("wrong password: %+v %v", m, err)
	}
	if err := a.AddUser(t.Context(), auth.User{Name: "bob"}); err != nil { // allow_existing_users follows from allowed_users
		t.Fatal(err)
	}
	if m, err := login(t, a, "bob", "bob"); m == nil || err != nil {
		t.Errorf("a user of the database: %v", err)
	}
	if err := a.DeleteUser(t.Context(), auth.User{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	if m, _ := login(t, a, "bob", "bob"); m != nil {
		t.Error("a deleted user logs in")
	}
}

const ownAuthenticator = `
from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import Unicode
class Own(Authenticator):
    realm = Unicode("r", config=True)
    async def authenticate(self, handler, data):
        if data["username"] == "teapot":
            raise web.HTTPError(418, "no coffee here")
        if data["username"] == "broken":
            raise RuntimeError("secret detail")
        assert handler.request.remote_ip == "10.0.0.9" and data["extra"] == "1"
        return {"name": data["username"], "auth_state": {"n": 2**40}, "groups": ["g"], "roles": [{"name": "r", "scopes": ["self"]}]}
    def normalize_username(self, name):
        return name.upper().lower().replace(" ", "_")
    async def check_allowed(self, username, model):
        return username != "mallory"
    def is_admin(self, handler, model):
        return model["name"] == "root"
    async def refresh_user(self, user, handler=None):
        state = await user.get_auth_state()
        return {"auth_state": {"old": state}, "groups": [g.name for g in user.groups]} if user.name != "gone" else False
    def get_custom_html(self, base_url):
        return "<p>%s at %s</p>" % (self.realm, base_url)
    def login_url(self, base_url):
        return base_url + "own_login"
    async def load_managed_roles(self):
        return [{"name": "role", "scopes": ["self"], "users": ["a"]}]
c.Own.realm = "lab"
c.JupyterHub.authenticator_class = Own
async def post(authenticator, handler, model):
    assert authenticator.realm == "lab"
    model["auth_state"]["posted"] = True
    return model if model["name"] != "stopped" else None
c.Authenticator.post_auth_hook = post
c.Authenticator.reconcile_auth_state_hook = lambda a, model, old: {"new": model["auth_state"], "old": old}
c.Authenticator.manage_groups = True
`

func TestAuthenticatorOfTheFile(t *testing.T) {
	r := newRig(t, withJupyterHub(t), ownAuthenticator, pybridge.SetupRequest{Authenticator: python("Own"), Pages: true})
	a := pybridge.NewAuthenticator(r.Bridge, r.info.Authenticator)
	m, err := login(t, a, "Ro Ot", "x")
	if err != nil || m.Name != "ro_ot" || *m.Admin || fmt.Sprint(*m.Groups) != "[g]" || (*m.Roles)[0].Name != "r" || fmt.Sprint(m.AuthState) != "map[n:1.099511627776e+12 posted:true]" {
		t.Errorf("%+v %v", m, err)
	}
	if m, err := login(t, a, "root", "x"); err != nil || !*m.Admin {
		t.Errorf("is_admin: %+v %v", m, err)
	}
	for _, name := range []string{"mallory", "stopped"} {
		if m, err := login(t, a, name, "x"); m != nil || err != nil {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
	_, err = login(t, a, "teapot", "x")
	if refusal, ok := errors.AsType[*auth.Refusal](err); !ok || refusal.Public != "no coffee here" || refusal.Status != 418 {
		t.Errorf("HTTPError: %v", err)
	}
	_, err = login(t, a, "broken", "x")
	if e, ok := errors.AsType[*pybridge.Error](err); !ok || e.Say() != "" {
		t.Errorf("exception: %v", err)
	}
	if !strings.Contains(r.log.String(), "RuntimeError: secret detail") {
		t.Error("the exception is not in the log")
	}
	if name, err := a.Normalize("A B"); err != nil || name != "a_b" || !r.info.Authenticator.Has("normalize_username") {
		t.Errorf("normalize: %q %v", name, err)
	}
	if p := a.LoginPage(); p.LoginURL != "/hub/own_login" || p.CustomHTML != "<p>lab at /hub/</p>" {
		t.Errorf("page %+v", p)
	}
	roles, err := a.ManagedRoles(t.Context())
	if err != nil || roles[0].Name != "role" || (*roles[0].Users)[0] != "a" {
		t.Errorf("roles %v %v", roles, err)
	}
}

func TestRefreshAndReconcile(t *testing.T) {
	r := newRig(t, withJupyterHub(t), ownAuthenticator, pybridge.SetupRequest{Authenticator: python("Own"), Pages: true})
	a := pybridge.NewAuthenticator(r.Bridge, r.info.Authenticator)
	r.dir.states["ada"] = map[string]any{"t": "1"}
	ok, m, err := a.Refresh(t.Context(), auth.User{Name: "ada", Groups: []string{"x"}})
	if err != nil || !ok || m.Name != "ada" || fmt.Sprint(m.AuthState) != "map[old:map[t:1]]" || fmt.Sprint(*m.Groups) != "[x]" {
		t.Errorf("%v %+v %v", ok, m, err)
	}
	if ok, _, err := a.Refresh(t.Context(), auth.User{Name: "gone"}); ok || err != nil {
		t.Errorf("refused refresh: %v %v", ok, err)
	}
	state, err := r.Reconcile(t.Context(), &auth.Model{Name: "ada", AuthState: map[string]any{"a": 1}}, map[string]any{"b": 2})
	if err != nil || fmt.Sprint(state) != "map[new:map[a:1] old:map[b:2]]" || !r.info.Authenticator.Reconciles {
		t.Errorf("%v %v", state, err)
	}
}

func TestHooksOfABuiltInAuthenticator(t *testing.T) {
	r := newRig(t, anyPython(t), `
def post(authenticator, handler, model):
    if model["name"] == "out": return None
    model["admin"] = model["name"] in authenticator.admin_users
    return model
c.Authenticator.post_auth_hook = post
c.Authenticator.reconcile_auth_state_hook = lambda a, m, old: old
`, pybridge.SetupRequest{Authenticator: pybridge.ClassChoice{Chain: []string{"DummyAuthenticator", "Authenticator"}, Traits: map[string]any{"admin_users": []string{"ada"}}}})
	m, err := r.PostAuth(t.Context(), auth.Request{}, &auth.Model{Name: "ada"})
	if err != nil || !*m.Admin {
		t.Errorf("%+v %v", m, err)
	}
	if m, err := r.PostAuth(t.Context(), auth.Request{}, &auth.Model{Name: "out"}); m != nil || err != nil {
		t.Errorf("%+v %v", m, err)
	}
	if state, err := r.Reconcile(t.Context(), &auth.Model{Name: "ada"}, "kept"); err != nil || state != "kept" {
		t.Errorf("%v %v", state, err)
	}
}

// launch does what the hub does for one start.
func (r *rig) launch(t *testing.T, sp spawner.Spawner, user string, options map[string]any) (string, error) {
	t.Helper()
	r.dir.mu.Lock()
	r.dir.server.UserOptions = options
	r.dir.mu.Unlock()
	id := spawner.Identity{UserName: user}
	if _, err := r.hooks.Begin(t.Context(), id, nil); err != nil {
		return "", err
	}
	req := &spawner.Request{Identity: id, BaseURL: "/user/" + user + "/", UserOptions: options,
		Env: map[string]string{"JUPYTERHUB_API_TOKEN": "the-token", "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-" + user, "MINIHUB_SERVER_MARKER": "mark"}}
	for _, step := range []func() error{
		func() error { return r.hooks.AuthState(t.Context(), nil, req) },
		func() error { return r.hooks.ApplyUserOptions(t.Context(), req, options) },
		func() error { return r.hooks.PreSpawn(t.Context(), req) },
	} {
		if err := step(); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return sp.Start(ctx, *req)
}

func get(t *testing.T, url string) string {
	t.Helper()
	out := ""
	eventually(t, "answer of "+url, func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		var b strings.Builder
		_, _ = fmt.Fprint(&b, resp.Status)
		data := make([]byte, 64<<10)
		n := 0
		for {
			m, err := resp.Body.Read(data[n:])
			n += m
			if err != nil {
				break
			}
		}
		out = string(data[:n])
		return true
	})
	return out
}

func newSpawner(t *testing.T, text, class string) (*rig, spawner.Spawner) {
	r := newRig(t, withJupyterHub(t), text, pybridge.SetupRequest{Authenticator: python("dummy"), Spawner: python(class)})
	sp := pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir).New(spawner.Identity{UserName: "ada"})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = sp.Stop(ctx, true) // clean-up: most tests have stopped it
	})
	return r, sp
}

func TestMockSpawner(t *testing.T) {
	r, sp := newSpawner(t, `
c.Spawner.environment = {"FN": lambda s: s.user.name, "PLAIN": "1"}
async def pre(spawner):
    spawner.environment["HOOK"] = spawner.user.name
c.Spawner.pre_spawn_hook = pre
c.Spawner.group_overrides = {"a": {"groups": ["staff"], "spawner_override": {"environment": {"GROUP": "staff"}, "mem_limit": "1G"}}}
c.Spawner.notebook_dir = "/home/{username}"
`, mocks+"MockSpawner")
	r.dir.groups["ada"] = []string{"staff"}
	if exit, err := sp.Poll(t.Context()); err != nil || exit == nil {
		t.Errorf("before a start: %v %v", exit, err)
	}
	url, err := r.launch(t, sp, "ada", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	env := get(t, url+"/user/ada/env")
	for _, want := range []string{`"FN": "ada"`, `"PLAIN": "1"`, `"HOOK": "ada"`, `"GROUP": "staff"`, `"MEM_LIMIT": "1073741824"`, `"JUPYTERHUB_API_TOKEN": "the-token"`,
		`"JUPYTERHUB_ROOT_DIR": "/home/ada"`, `"MINIHUB_SERVER_MARKER": "mark"`, `"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"`,
		`"JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api"`, `"JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada"`, `"JUPYTERHUB_SERVICE_URL": "` + url + "/user/ada/"} {
		if !strings.Contains(env, want) {
			t.Errorf("environment has no %s:\n%s", want, env)
		}
	}
	pid, ok := sp.State().Int("pid")
	if !ok || pid == 0 {
		t.Errorf("state %v", sp.State())
	}
	if exit, err := sp.Poll(t.Context()); exit != nil || err != nil {
		t.Errorf("running: %v %v", exit, err)
	}
	// another hub process takes over
	other := pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir).New(spawner.Identity{UserName: "ada"})
	if err := r.hooks.Forget(t.Context(), spawner.Identity{UserName: "ada"}); err != nil {
		t.Fatal(err)
	}
	r.dir.server.URL = url + "/user/ada/"
	if err := other.LoadState(t.Context(), spawner.State{"pid": pid}); err != nil {
		t.Fatal(err)
	}
	if exit, err := other.Poll(t.Context()); exit != nil || err != nil {
		t.Errorf("adopted: %v %v", exit, err)
	}
	if err := other.Stop(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if exit, err := other.Poll(t.Context()); exit == nil || err != nil || len(other.State()) != 0 {
		t.Errorf("stopped: %v %v %v", exit, err, other.State())
	}
}

func TestServersSurviveTheChild(t *testing.T) {
	r, sp := newSpawner(t, "", mocks+"MockSpawner")
	if _, err := r.launch(t, sp, "ada", nil); err != nil {
		t.Fatal(err)
	}
	kill(t, r)
	eventually(t, "the server is found again", func() bool {
		exit, err := sp.Poll(t.Context())
		return err == nil && exit == nil
	})
	if err := sp.Stop(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

func kill(t *testing.T, r *rig) {
	t.Helper()
	pid := r.PID()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new child", func() bool { now := r.PID(); return now != 0 && now != pid })
}

// SlowSpawner takes its delay for stopping as well; the clean-up waits for that.
func TestSlowSpawnerCanBeCancelled(t *testing.T) {
	r, sp := newSpawner(t, "from jupyterhub.tests import mocking\nmocking.SlowSpawner.delay = 4\n", mocks+"SlowSpawner")
	if _, err := r.hooks.Begin(t.Context(), spawner.Identity{UserName: "ada"}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	_, err := sp.Start(ctx, spawner.Request{Identity: spawner.Identity{UserName: "ada"}, BaseURL: "/user/ada/", Env: map[string]string{}})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}

func TestBadSpawners(t *testing.T) {
	r, sp := newSpawner(t, "", mocks+"BadSpawner")
	_, err := r.launch(t, sp, "ada", nil)
	if e, ok := errors.AsType[*pybridge.Error](err); !ok || e.Type != "RuntimeError" || e.Say() != "" || e.Status != 0 {
		t.Errorf("BadSpawner: %v", err)
	}
	r, sp = newSpawner(t, "", mocks+"CustomBadSpawner")
	_, err = r.launch(t, sp, "ada", nil)
	if e, ok := errors.AsType[*pybridge.Error](err); !ok || e.Status != 418 || e.Say() != "custom message" || e.Reason != "custom reason" || !e.Expected() {
		t.Errorf("CustomBadSpawner: %+v", e)
	}
}

func TestFormSpawner(t *testing.T) {
	r, sp := newSpawner(t, "", mocks+"FormSpawner")
	id := spawner.Identity{UserName: "ada"}
	if !r.info.Spawner.Has("options_form") || !r.info.Spawner.Has("options_from_form") {
		t.Errorf("overrides: %v", r.info.Spawner.Overrides)
	}
	html, err := r.hooks.OptionsForm(t.Context(), id)
	if err != nil || !strings.Contains(html, `name="energy"`) {
		t.Errorf("%q %v", html, err)
	}
	options, err := r.hooks.OptionsFromForm(t.Context(), id, map[string]any{"energy": []any{"511keV"}, "bounds": []any{"-1", "1"}}, false)
	if err != nil || options["energy"] != "511keV" || fmt.Sprint(options["bounds"]) != "[-1 1]" || options["notspecified"] != int64(5) {
		t.Errorf("%v %v", options, err)
	}
	_, err = r.hooks.OptionsFromForm(t.Context(), id, map[string]any{"illegal_argument": []any{"x"}}, false)
	if e, ok := errors.AsType[*pybridge.Error](err); !ok || e.Type != "ValueError" {
		t.Errorf("%v", err)
	}
	url, err := r.launch(t, sp, "ada", map[string]any{"energy": "938MeV"})
	if err != nil {
		t.Fatal(err)
	}
	if env := get(t, url+"/user/ada/env"); !strings.Contains(env, `"ENERGY": "938MeV"`) {
		t.Error(env)
	}
}

const ownSpawner = `
from jupyterhub.spawner import Spawner
from traitlets import Integer, default
class Own(Spawner):
    n = Integer(0, config=True)
    @default("env_keep")
    def _keep(self): return ["PATH"]
    def get_env(self):
        env = super().get_env()
        env["EXTRA"] = "e"
        return env
    def load_state(self, state):
        super().load_state(state); self.n = state.get("n", 0)
    def get_state(self):
        return dict(super().get_state(), n=self.n) if self.n else super().get_state()
    def clear_state(self):
        super().clear_state(); self.n = 0
    async def start(self):
        self.n = 3
        assert self.get_env()["EXTRA"] == "e" and self.get_env()["JUPYTERHUB_API_TOKEN"] == "the-token"
        return "https://somewhere:8443"
    async def poll(self): return None if self.n else 4
    async def stop(self, now=False): self.n = 0
    async def progress(self):
        yield {"progress": 10, "message": "one"}
        yield {"message": "two", "html_message": "<b>two</b>"}
    async def delete_forever(self): print("deleted", self._log_name)
    async def rename(self, old, new):
        if new == "taken": raise ValueError("no")
    async def get_url(self): return "http://moved:1"
c.JupyterHub.spawner_class = Own
`

func TestSpawnerOfTheFile(t *testing.T) {
	r, sp := newSpawner(t, ownSpawner, "Own")
	url, err := r.launch(t, sp, "ada", nil)
	if err != nil || url != "https://somewhere:8443" {
		t.Fatalf("%q %v", url, err)
	}
	if n, ok := sp.State().Int("n"); !ok || n != 3 {
		t.Errorf("state %v", sp.State())
	}
	if d := pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir); !slices.Equal(d.EnvKeep(), []string{"PATH"}) || d.Name() != "builtins.Own" {
		t.Errorf("%v %s", d.EnvKeep(), d.Name())
	}
	var events []spawner.Event
	for e := range sp.(spawner.Progresser).Progress(t.Context()) {
		events = append(events, e)
	}
	want := []spawner.Event{{Progress: 10, Message: "one"}, {Progress: 10, Message: "two", HTMLMessage: "<b>two</b>"}}
	if !slices.Equal(events, want) {
		t.Errorf("events %v", events)
	}
	if err := sp.(spawner.Renamer).Rename(t.Context(), "taken"); err == nil {
		t.Error("a rename that the class refuses passes")
	}
	if err := sp.(spawner.Renamer).Rename(t.Context(), "free"); err != nil {
		t.Error(err)
	}
	if err := sp.Stop(t.Context(), true); err != nil || len(sp.State()) != 0 {
		t.Errorf("%v %v", err, sp.State())
	}
	if exit, err := sp.Poll(t.Context()); err != nil || exit == nil || exit.Code != 4 {
		t.Errorf("%v %v", exit, err)
	}
	if err := sp.(spawner.ForeverDeleter).DeleteForever(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "delete_forever", func() bool { return strings.Contains(r.log.String(), "deleted ada") })
}

func TestManyServersOfPythonAtOnce(t *testing.T) {
	r, _ := newSpawner(t, ownSpawner, "Own")
	d := pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			sp := d.New(spawner.Identity{UserName: "u" + strconv.Itoa(i)})
			if _, err := r.launch(t, sp, "u"+strconv.Itoa(i), nil); err != nil {
				t.Error(err)
			}
			if exit, err := sp.Poll(t.Context()); exit != nil || err != nil {
				t.Errorf("%v %v", exit, err)
			}
		})
	}
	all.Wait()
}

func TestClassesThatCannotBeMade(t *testing.T) {
	py := anyPython(t)
	path := write(t, t.TempDir(), "c.py", "c.JupyterHub.authenticator_class = 'no.such.Thing'\n")
	b, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: py})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Find(t.Context(), "authenticator", "no.such.Thing"); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("%v", err)
	}
	_, err = b.Setup(t.Context(), pybridge.SetupRequest{Facts: facts(), Authenticator: python("no.such.Thing")})
	if e, ok := errors.AsType[*pybridge.SetupError](err); !ok || e.Trait != "authenticator_class" {
		t.Errorf("%v", err)
	}
}

func TestPagesOfAnAuthenticator(t *testing.T) {
	r := newRig(t, withJupyterHub(t), `
from jupyterhub.auth import DummyAuthenticator
from jupyterhub.handlers import BaseHandler
from tornado import web
class In(BaseHandler):
    async def get(self, name):
        if name == "bad": raise web.HTTPError(400, "not like this")
        if name == "boom": raise RuntimeError("inner")
        self.write(await self.render_template("own.html", who=self.current_user and self.current_user.name))
    async def post(self, name):
        user = await self.login_user({"username": name, "password": ""})
        self.set_cookie("own", "1")
        self.redirect(self.get_next_url(user))
class Own(DummyAuthenticator):
    def get_handlers(self, app): return super().get_handlers(app) + [(r"/in/([a-z]+)", In)]
c.JupyterHub.authenticator_class = Own
c.Authenticator.allow_all = True
`, pybridge.SetupRequest{Authenticator: python("Own"), Pages: true})
	pages, err := pybridge.NewPages(r.info.Pages)
	if err != nil || pages == nil {
		t.Fatalf("%v %v", pages, err)
	}
	defer pages.Close()
	if pages.Match("/in/ada") != pybridge.OwnPage || pages.Match("/in/ada/x") != pybridge.NoPage || pages.Match("/login") != pybridge.NoPage {
		t.Error("matching of paths")
	}
	ask := func(method, path string) *pybridge.PageAnswer {
		t.Helper()
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx := pybridge.WithRequest(limited, &pybridge.Request{Method: method, URI: path, User: &pybridge.User{Name: "bob"}})
		req, _ := http.NewRequestWithContext(ctx, method, "http://hub.example"+path, nil)
		req.Header.Set("X-Minihub-User", "forged")
		a, err := pages.Do(req, pybridge.PageCall{URI: path, XSRF: "tok"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := ask("GET", "/hub/in/ada"); a.Status != 200 || string(a.Body) != "user bob token tok" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := ask("POST", "/hub/in/ada?next=%2Fhub%2Fhome"); a.Status != 302 || a.Ticket != "ticket-ada" || a.Header.Get("Location") != "/hub/home" || a.Header.Get("X-Minihub-Ticket") != "" {
		t.Errorf("%+v", a)
	}
	if a := ask("GET", "/hub/in/bad"); !a.Failed || a.Status != 400 || a.Message != "not like this" {
		t.Errorf("%+v", a)
	}
	if a := ask("GET", "/hub/in/boom"); !a.Failed || a.Status != 500 || a.Message != "" {
		t.Errorf("%+v", a)
	}
	eventually(t, "the exception in the log", func() bool { return strings.Contains(r.log.String(), "inner") })
}

func TestCommandLineWinsOverTheFile(t *testing.T) {
	path := write(t, t.TempDir(), "c.py", ownAuthenticator)
	b, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: withJupyterHub(t),
		Overrides: []pybridge.Override{{Class: "Own", Trait: "realm", Texts: []string{"cli"}}, {Class: "Authenticator", Trait: "admin_users", Texts: []string{"a", "b"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	res, err := b.Setup(t.Context(), pybridge.SetupRequest{Facts: facts(), Authenticator: python("Own")})
	if err != nil {
		t.Fatal(err)
	}
	if p := pybridge.NewAuthenticator(b, res.Authenticator).LoginPage(); p.CustomHTML != "<p>cli at /hub/</p>" {
		t.Errorf("%+v", p)
	}
	if admins := fmt.Sprint(res.Authenticator.Traits["admin_users"]); admins != "[a b]" {
		t.Errorf("admin_users %s", admins)
	}
}

// Changes of a default in the file are made to the real default of a class, as traitlets does.
func TestChangesOfDefaultsOfClasses(t *testing.T) {
	r, _ := newSpawner(t, `
c.Spawner.args.append("--last")
c.Spawner.env_keep.extend(["MINE"])
c.MockSpawner.args.prepend(["--first"])
c.Spawner.environment.update({"A": "1"})
c.Spawner.mem_limit = "2G"
`, mocks+"MockSpawner")
	traits := r.info.Spawner.Traits
	if got := fmt.Sprint(traits["args"]); got != "[--first --last]" {
		t.Errorf("args %s", got)
	}
	if got := fmt.Sprint(traits["env_keep"]); !strings.Contains(got, "PATH") || !strings.HasSuffix(got, "MINE]") {
		t.Errorf("env_keep %s", got)
	}
	if traits["mem_limit"] != float64(2<<30) {
		t.Errorf("mem_limit %v", traits["mem_limit"])
	}
}

// Users that add_user was told of are known to the next child.
func TestAuthenticatorAfterARestart(t *testing.T) {
	r := newRig(t, withJupyterHub(t), "c.Authenticator.allowed_users = {'ada'}\n", pybridge.SetupRequest{Authenticator: python(mocks + "MockPAMAuthenticator")})
	a := pybridge.NewAuthenticator(r.Bridge, r.info.Authenticator)
	if err := a.AddUser(t.Context(), auth.User{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	kill(t, r)
	eventually(t, "bob logs in", func() bool {
		m, err := login(t, a, "bob", "bob")
		return err == nil && m != nil
	})
	if m, err := login(t, a, "eve", "eve"); m != nil || err != nil {
		t.Errorf("somebody unknown: %v %v", m, err)
	}
}
