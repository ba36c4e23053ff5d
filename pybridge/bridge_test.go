package pybridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/spawner"
)

// withJupyterHub returns an interpreter that can import jupyterhub, or skips.
func withJupyterHub(t testing.TB) string {
	t.Helper()
	python := os.Getenv("MINIHUB_TEST_PYTHON")
	if python == "" {
		t.Skip("set MINIHUB_TEST_PYTHON to an interpreter with jupyterhub to run this test")
	}
	if out, err := exec.Command(python, "-c", "import jupyterhub").CombinedOutput(); err != nil {
		t.Fatalf("MINIHUB_TEST_PYTHON cannot import jupyterhub: %s", out)
	}
	return python
}

// anyPython is interpreter for benchmarks too.
func anyPython(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("MINIHUB_TEST_PYTHON"); path != "" {
		return path
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 in PATH; set MINIHUB_TEST_PYTHON to an interpreter to run this test")
	}
	return path
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// directory is a hub with fixed answers.
type directory struct {
	mu     sync.Mutex
	groups map[string][]string
	states map[string]any
	server pybridge.Server
}

func (d *directory) User(_ context.Context, name string) (pybridge.User, error) {
	if name == "nobody" {
		return pybridge.User{}, errors.New("no such user")
	}
	return pybridge.User{Name: name, ID: 7, Admin: name == "admin", Groups: d.groups[name]}, nil
}

func (d *directory) Server(_ context.Context, user, server string) (pybridge.Server, error) {
	d.mu.Lock()
	out := d.server
	d.mu.Unlock()
	out.Name = server
	out.ClientID = "jupyterhub-user-" + user
	return out, nil
}

func (d *directory) AuthState(_ context.Context, user string) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.states[user], nil
}

func (d *directory) SaveAuthState(_ context.Context, user string, state any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states[user] = state
	return nil
}

func (d *directory) DeleteUser(_ context.Context, user string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.states, user)
	return nil
}

func (d *directory) CompleteLogin(_ context.Context, m pybridge.Model) (pybridge.User, string, error) {
	return pybridge.User{Name: m.Name}, "ticket-" + m.Name, nil
}

// rig is a bridge with a configuration, ready for calls.
type rig struct {
	*pybridge.Bridge
	hooks *pybridge.Hooks
	dir   *directory
	log   *logBuffer
	info  *pybridge.SetupResult
}

func facts() pybridge.Facts {
	return pybridge.Facts{BaseURL: "/", HubPrefix: "/hub/", APIURL: "http://127.0.0.1:8081/hub/api", LogLevel: 10,
		CookieSecret: []byte("0123456789abcdef0123456789abcdef"), Templates: map[string]string{"own.html": "user {{ who }} token {{ xsrf }}"}}
}

func newRig(t testing.TB, python, text string, r pybridge.SetupRequest) *rig {
	t.Helper()
	out := &rig{dir: &directory{groups: map[string][]string{}, states: map[string]any{}}, log: &logBuffer{}}
	path := filepath.Join(t.TempDir(), "jupyterhub_config.py")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: python, Output: out.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(out.log.String())
		}
	})
	out.Bridge = b
	b.Keep(slog.New(slog.NewTextHandler(out.log, &slog.HandlerOptions{Level: slog.LevelDebug})), out.dir)
	r.Facts = facts()
	if r.Authenticator.Chain == nil {
		r.Authenticator.Chain = []string{"DummyAuthenticator", "Authenticator"}
	}
	if r.Spawner.Chain == nil {
		r.Spawner.Chain = []string{"SimpleLocalProcessSpawner", "LocalProcessSpawner", "Spawner"}
	}
	if out.info, err = b.Setup(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	out.hooks = pybridge.NewHooks(b, out.dir)
	return out
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func request(user string) *spawner.Request {
	return &spawner.Request{Identity: spawner.Identity{UserName: user}, Cmd: []string{"jupyterhub-singleuser"}, Port: 4000, BaseURL: "/user/" + user + "/",
		Env: map[string]string{"JUPYTERHUB_API_TOKEN": "secret", "A": "config", "GONE": "x"}, UserOptions: map[string]any{}}
}

// begin is what the hub does before the hooks.
func (r *rig) begin(t testing.TB, user string) pybridge.Beginning {
	t.Helper()
	b, err := r.hooks.Begin(t.Context(), spawner.Identity{UserName: user}, map[string]any{
		"cmd": []string{"jupyterhub-singleuser"}, "args": []string{}, "environment": map[string]string{"A": "config", "GONE": "x", "FN": ""}, "port": 4000, "ip": "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const hooksFile = `
import asyncio
def pre(spawner):
    assert spawner.user.name == "ada" and spawner.user.groups[0].name == "staff"
    spawner.environment["B"] = spawner.user_options.get("colour", "none")
    del spawner.environment["GONE"]
    spawner.args.append("--debug")
    spawner.mem_limit = "1G"
    spawner.cpu_limit = 2
    spawner.notebook_dir = "/home/{username}"
    spawner.volumes["/data"] = "/mnt"
    spawner.port = 4001
    spawner.left_here = object()
async def state(spawner, auth_state):
    await asyncio.sleep(0)
    spawner.environment["STATE"] = (auth_state or {}).get("token", "-")
    assert await spawner.user.get_auth_state() == auth_state
    await spawner.user.save_auth_state({"seen": True})
def options(spawner, user_options):
    if "bad" in user_options:
        raise ValueError("boom")
    spawner.user_options = {"colour": user_options["colour"].upper()}
c.Spawner.pre_spawn_hook = pre
c.Spawner.auth_state_hook = state
c.Spawner.apply_user_options = options
c.Spawner.environment = {"A": "config", "GONE": "x", "FN": lambda s: "for-" + s.user.name}
c.Spawner.server_token_scopes = lambda s: ["read:users!user=" + s.user.name]
c.Spawner.group_overrides = lambda s: {"1": {"groups": ["staff"], "spawner_override": {"mem_limit": "2G", "environment": {"G": "1"}}}, "2": {"groups": ["x"], "spawner_override": {}}}
c.Spawner.options_form = lambda s: "<b>%s</b>" % s.user.name
def from_form(form, spawner=None):
    return {"n": int(form["n"][0]), "who": spawner.user.name, "file": form["f_file"][0]["body"]}
c.Spawner.options_from_form = from_form
def ready(spawner, event):
    event["message"] += " for " + spawner.user.name
    return event
c.Spawner.progress_ready_hook = ready
c.Spawner.post_stop_hook = lambda s: print("stopped", s.user.name)
c.JupyterHub.default_url = lambda handler: "/hub/spawn?who=" + (handler.current_user.name if handler.current_user else "-")
c.JupyterHub.named_server_limit_per_user = lambda handler: 3 if handler.current_user.name == "ada" else 1
c.JupyterHub.template_vars = {"plain": 1, "hello": lambda user: "hi " + user.name}
def redirect(path, request, user, base_url):
    return base_url + "user/" + user.name + "/" + path + "?" + request.query if path != "none" else None
c.JupyterHub.user_redirect_hook = redirect
`

func TestHooksOfTheHubsOwnSpawner(t *testing.T) {
	r := newRig(t, anyPython(t), hooksFile, pybridge.SetupRequest{})
	r.dir.groups["ada"] = []string{"staff"}
	r.dir.states["ada"] = map[string]any{"token": "tok"}
	b := r.begin(t, "ada")
	if len(b.Overrides) != 1 || b.Overrides[0]["mem_limit"] != "2G" || b.TokenScopes == nil || (*b.TokenScopes)[0] != "read:users!user=ada" || b.ClientScopes != nil {
		t.Errorf("beginning: %+v", b)
	}
	req, ctx := request("ada"), t.Context()
	if err := r.hooks.AuthState(ctx, map[string]any{"token": "tok"}, req); err != nil {
		t.Fatal(err)
	}
	if req.Env["STATE"] != "tok" || r.dir.states["ada"].(map[string]any)["seen"] != true {
		t.Errorf("auth_state_hook: %v %v", req.Env, r.dir.states)
	}
	if err := r.hooks.ApplyUserOptions(ctx, req, map[string]any{"colour": "red"}); err != nil {
		t.Fatal(err)
	}
	if err := r.hooks.PreSpawn(ctx, req); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"A": "config", "B": "RED", "GONE": "", "FN": "for-ada", "MEM_LIMIT": "1073741824", "CPU_LIMIT": "2.0",
		"JUPYTERHUB_ROOT_DIR": "/home/ada", "JUPYTERHUB_SERVICE_URL": "http://:4001/user/ada/"} {
		if req.Env[key] != want {
			t.Errorf("%s=%q, want %q", key, req.Env[key], want)
		}
	}
	if fmt.Sprint(req.Args) != "[--debug]" || req.MemLimit != 1<<30 || req.CPULimit != 2 || req.UserOptions["colour"] != "RED" || req.Port != 4001 {
		t.Errorf("request: %+v", req)
	}
	if fmt.Sprint(req.Overrides["volumes"]) != "map[/data:/mnt]" || req.Overrides["left_here"] != nil {
		t.Errorf("overrides: %v", req.Overrides)
	}
}

func TestFormsEventsAndCallables(t *testing.T) {
	r := newRig(t, anyPython(t), hooksFile, pybridge.SetupRequest{})
	id, ctx := spawner.Identity{UserName: "ada"}, t.Context()
	if html, err := r.hooks.OptionsForm(ctx, id); err != nil || html != "<b>ada</b>" {
		t.Errorf("form %q %v", html, err)
	}
	form := map[string]any{"n": []any{"5"}, "f_file": []any{map[string]any{"filename": "x", "body": []byte{0, 255}}}}
	options, err := r.hooks.OptionsFromForm(ctx, id, form, false)
	if err != nil || options["n"] != int64(5) || options["who"] != "ada" || !bytes.Equal(options["file"].([]byte), []byte{0, 255}) {
		t.Errorf("options %v %v", options, err)
	}
	if e, err := r.hooks.ProgressReady(ctx, id, map[string]any{"message": "Ready"}); err != nil || e["message"] != "Ready for ada" {
		t.Errorf("event %v %v", e, err)
	}
	if err := r.hooks.PostStop(ctx, id); err != nil {
		t.Error(err)
	}
	eventually(t, "output in the log", func() bool { return strings.Contains(r.log.String(), "[python] stopped ada") })
	ada := pybridge.User{Name: "ada"}
	if u, err := r.DefaultURL(ctx, &ada); err != nil || u != "/hub/spawn?who=ada" {
		t.Errorf("default_url %q %v", u, err)
	}
	if u, err := r.DefaultURL(ctx, nil); err != nil || u != "/hub/spawn?who=-" {
		t.Errorf("default_url of nobody %q %v", u, err)
	}
	if n, err := r.NamedServerLimit(ctx, ada); err != nil || n != 3 {
		t.Errorf("limit %d %v", n, err)
	}
	if v, err := r.TemplateVar(ctx, "hello", &ada); err != nil || v != "hi ada" {
		t.Errorf("template var %v %v", v, err)
	}
	with := pybridge.WithRequest(ctx, &pybridge.Request{Method: "GET", URI: "/hub/user-redirect/lab?x=1"})
	if u, err := r.UserRedirect(with, "lab", ada); err != nil || u != "/user/ada/lab?x=1" {
		t.Errorf("redirect %q %v", u, err)
	}
	if u, err := r.UserRedirect(with, "none", ada); err != nil || u != "" {
		t.Errorf("redirect %q %v", u, err)
	}
}

func TestExceptionsOfHooks(t *testing.T) {
	r := newRig(t, anyPython(t), hooksFile, pybridge.SetupRequest{})
	r.begin(t, "ada")
	err := r.hooks.ApplyUserOptions(t.Context(), request("ada"), map[string]any{"bad": 1})
	e, ok := errors.AsType[*pybridge.Error](err)
	if !ok || e.Type != "ValueError" || e.Message != "boom" || e.Say() != "" || len(e.Traceback) == 0 || !strings.Contains(e.Traceback[0], "jupyterhub_config.py:21 in options") {
		t.Errorf("%+v", e)
	}
	if text := r.log.String(); !strings.Contains(text, "ValueError: boom") || !strings.Contains(text, "jupyterhub_config.py:21 in options") {
		t.Error("the log has no traceback")
	}
	if _, err := r.hooks.OptionsForm(t.Context(), spawner.Identity{UserName: "nobody"}); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("unknown user: %v", err)
	}
}

// An HTTPError may bring headers; Retry-After is the one that says something about a refused start.
func TestRetryAfterOfAnException(t *testing.T) {
	r := newRig(t, withJupyterHub(t), `
from tornado.web import HTTPError
given = {"number": 7, "text": " 12", "date": "Wed, 21 Oct 2015 07:28:00 GMT", "negative": "-3", "huge": "9999999999999999999"}
def full(spawner):
    error = HTTPError(503, "full")
    error.headers = {"X": "1", "retry-after": given[spawner.user.name]}
    raise error
c.Spawner.pre_spawn_hook = full
`, pybridge.SetupRequest{})
	for user, want := range map[string]int{"number": 7, "text": 12, "date": 0, "negative": 0, "huge": 0} {
		r.begin(t, user)
		e, ok := errors.AsType[*pybridge.Error](r.hooks.PreSpawn(t.Context(), request(user)))
		if !ok || e.Status != 503 || e.RetryAfter != want {
			t.Errorf("Retry-After as a %s: %+v", user, e)
		}
	}
}

func TestEvaluationErrors(t *testing.T) {
	python := anyPython(t)
	path := write(t, t.TempDir(), "c.py", "c.A.x = 1\nraise RuntimeError('no')\n")
	_, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: python})
	if e, ok := errors.AsType[*pybridge.EvalError](err); !ok || e.Line != 2 || e.Type != "RuntimeError" {
		t.Errorf("%v", err)
	}
	path = write(t, t.TempDir(), "c.py", "import os\nos.write(2, b'last words')\nos._exit(3)\n")
	if _, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: python}); err == nil || !strings.Contains(err.Error(), "last words") {
		t.Errorf("a file that ends the process: %v", err)
	}
	if _, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: "/nonexistent/python"}); !errors.Is(err, pybridge.ErrNoPython) {
		t.Errorf("no interpreter: %v", err)
	}
	path = write(t, t.TempDir(), "c.py", "import time\ntime.sleep(60)\n")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, _, err := pybridge.Start(ctx, pybridge.Options{Path: path, Python: python}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 10*time.Second {
		t.Errorf("a file that never ends: %v after %s", err, time.Since(begin))
	}
}

const slowFile = `
import asyncio, time
async def pre(spawner):
    name = spawner.user.name
    if name.startswith("slow"):
        print("began", name)
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("cancelled", name)
            raise
    if name.startswith("crowd"):
        global here
        here += 1
        if here == 100:
            everybody.set()
        await everybody.wait()
    spawner.environment["WHO"] = name
here, everybody = 0, asyncio.Event()
c.Spawner.pre_spawn_hook = pre
`

func TestManyCallsAtOnceAndDeadlines(t *testing.T) {
	r := newRig(t, anyPython(t), slowFile, pybridge.SetupRequest{})
	r.begin(t, "slow-late")
	r.begin(t, "slow-left")
	for i := range 100 {
		r.begin(t, fmt.Sprint("crowd", i))
	}
	deadline, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	called, callOff := context.WithCancel(t.Context())
	defer callOff()
	var all sync.WaitGroup
	for name, want := range map[string]error{"slow-late": context.DeadlineExceeded, "slow-left": context.Canceled} {
		ctx := map[string]context.Context{"slow-late": deadline, "slow-left": called}[name]
		all.Go(func() {
			if err := r.hooks.PreSpawn(ctx, request(name)); !errors.Is(err, want) {
				t.Errorf("slow hook: %v, want %v", err, want)
			}
		})
	}
	patient, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	for i := range 100 { // each waits for all others: one after the other, not even the first would end
		all.Go(func() {
			req := request(fmt.Sprint("crowd", i))
			if err := r.hooks.PreSpawn(patient, req); err != nil || req.Env["WHO"] != req.UserName {
				t.Errorf("%v %v", err, req.Env)
			}
		})
	}
	eventually(t, "a slow hook runs", func() bool { return strings.Contains(r.log.String(), "began slow-left") })
	<-deadline.Done()
	callOff()
	all.Wait()
	eventually(t, "the hooks that began are cancelled", func() bool {
		log := r.log.String()
		return strings.Count(log, "cancelled slow") == strings.Count(log, "began slow")
	})
}

func TestChildKilledInTheMiddleOfCalls(t *testing.T) {
	r := newRig(t, anyPython(t), slowFile, pybridge.SetupRequest{})
	const n = 20
	for i := range n {
		r.begin(t, fmt.Sprint("slow", i))
	}
	first := r.PID()
	results := make(chan error, n)
	for i := range n {
		go func() { results <- r.hooks.PreSpawn(t.Context(), request(fmt.Sprint("slow", i))) }()
	}
	eventually(t, "all calls are under way", func() bool { return strings.Count(r.log.String(), "began slow") == n })
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := <-results; !errors.Is(err, pybridge.ErrUnavailable) {
			t.Errorf("call of a dead child: %v", err)
		}
	}
	eventually(t, "a new child", func() bool { pid := r.PID(); return pid != 0 && pid != first })
	eventually(t, "hooks again", func() bool {
		req := request("ada")
		return r.hooks.PreSpawn(t.Context(), req) == nil && req.Env["WHO"] == "ada"
	})
}

func TestChildDiesWithTheHub(t *testing.T) {
	path := write(t, t.TempDir(), "c.py", "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n")
	b, _, err := pybridge.Start(t.Context(), pybridge.Options{Path: path, Python: anyPython(t)})
	if err != nil {
		t.Fatal(err)
	}
	pid, begin := b.PID(), time.Now()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) || time.Since(begin) > 20*time.Second {
		t.Errorf("child after Close: %v, %s", err, time.Since(begin))
	}
	if err := b.Call(t.Context(), "echo", nil, nil); !errors.Is(err, pybridge.ErrUnavailable) {
		t.Errorf("call after Close: %v", err)
	}
}

// A service manager sends TERM to all processes of the hub: the child goes on until the hub ends it.
func TestChildLeavesSignalsToTheHub(t *testing.T) {
	r := newRig(t, anyPython(t), "", pybridge.SetupRequest{})
	pid := r.PID()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
		if err := r.Call(t.Context(), "echo", nil, nil); err != nil || r.PID() != pid {
			t.Errorf("after %s: %v", s, err)
		}
	}
}

func BenchmarkHookCall(b *testing.B) {
	r := newRig(b, anyPython(b), "c.Spawner.pre_spawn_hook = lambda s: s.environment.update(B='1')\n", pybridge.SetupRequest{})
	r.begin(b, "ada")
	req := request("ada")
	for b.Loop() {
		if err := r.hooks.PreSpawn(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	r := newRig(b, anyPython(b), "", pybridge.SetupRequest{})
	for b.Loop() {
		if err := r.Call(b.Context(), "echo", nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
