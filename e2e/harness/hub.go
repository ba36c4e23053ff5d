package harness

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Password is the password of every user in the hubs that [Start] configures.
const Password = "correct-horse-battery"

// Options says which hub to start. With Example empty the configuration is a base (dummy authenticator, simple
// spawner with jupyterhub-singleuser, an administrator's service token) followed by Config.
type Options struct {
	Config  string                    // lines of jupyterhub_config.py
	Base    string                    // JupyterHub.base_url; "" is "/". Paths that the harness gets are those of the whole URL
	Example string                    // folder below examples/ of JupyterHub's source distribution
	Env     []string                  // added to the hub's environment
	Args    []string                  // added to the hub's arguments
	Wrap    func(dir string) []string // the prefix of the hub's command, by its working directory; see [Systemd.Wrap]
	Venv    string                    // the virtual environment that is active around the hub, default [Venv]

	Reference bool // start JupyterHub, whatever MINIHUB_E2E_HUB says
}

// Hub is a running hub under test.
type Hub struct {
	URL        string // http://127.0.0.1:port, without a slash at the end
	APIURL     string // the API on the hub's own port, as servers and services reach it
	Dir        string // its working directory; users' homes are below home/
	AdminToken string // of the service e2e-admin, which may do everything; not in examples

	opts    Options
	ports   map[string]string // fixed ports of an example and what stands for them
	args    []string
	env     []string
	process *Process

	mu      sync.Mutex
	secrets map[string]bool
}

const baseConfig = `
c = get_config()  # noqa
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = %q
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = ["jupyterhub-singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "e2e-admin", "api_token": %q}]
c.JupyterHub.load_roles = [{
    "name": "e2e-admin",
    "scopes": ["admin:users", "admin:servers", "admin:groups", "admin:services", "admin:auth_state",
               "tokens", "shares", "access:servers", "access:services", "read:hub", "proxy", "list:users", "list:groups",
               "list:services", "read:roles", "read:metrics", "shutdown"],
    "services": ["e2e-admin"],
}]
`

// Start starts a hub and waits until it is ready.
func Start(t testing.TB, opts Options) *Hub {
	t.Helper()
	h := Prepare(t, opts)
	h.Run(t)
	return h
}

// Prepare does all that [Start] does before the process is started.
func Prepare(t testing.TB, opts Options) *Hub {
	t.Helper()
	h := &Hub{opts: opts, secrets: map[string]bool{}, AdminToken: NewToken()}
	h.Dir = filepath.Join(tempDir(t), "hub")
	if err := os.Mkdir(h.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	port, hubPort := FreePort(t), FreePort(t)
	h.APIURL = fmt.Sprintf("http://127.0.0.1:%d/hub/api", hubPort)
	h.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	h.Secret(h.AdminToken)
	h.args = []string{
		"--ip=127.0.0.1",
		fmt.Sprintf("--port=%d", port),
		fmt.Sprintf("--JupyterHub.hub_port=%d", hubPort),
		fmt.Sprintf("--ConfigurableHTTPProxy.api_url=http://127.0.0.1:%d", FreePort(t)),
		"--SimpleLocalProcessSpawner.home_dir_template=" + filepath.Join(h.Dir, "home", "{username}"),
	}
	if opts.Example != "" {
		h.copyExample(t, port)
	} else {
		h.WriteConfig(t, opts.Config)
	}
	if opts.Base != "" {
		h.args = append(h.args, "--JupyterHub.base_url="+opts.Base)
		h.APIURL = fmt.Sprintf("http://127.0.0.1:%d%shub/api", hubPort, opts.Base)
	}
	h.args = append(h.args, opts.Args...)
	if h.opts.Venv == "" {
		h.opts.Venv = Venv()
	}
	h.env = append([]string{"CONFIGPROXY_AUTH_TOKEN=" + NewToken(), "PATH=" + searchPath(h.opts.Venv)}, opts.Env...)
	t.Cleanup(func() { h.finish(t) })
	return h
}

// tempDir is a temporary folder that every account may enter.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "minihub-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Getenv("MINIHUB_E2E_KEEP") != "" {
			t.Logf("kept %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// WriteConfig replaces the configuration: the base, then these lines. It takes effect with the next [Hub.Run].
func (h *Hub) WriteConfig(t testing.TB, lines string) {
	t.Helper()
	text := fmt.Sprintf(baseConfig, Password, h.AdminToken) + "\n" + lines
	if err := os.WriteFile(filepath.Join(h.Dir, "jupyterhub_config.py"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Run starts the process (again) and waits until the hub answers through its public port.
func (h *Hub) Run(t testing.TB) {
	t.Helper()
	h.Launch(t)
	Poll(t, 60*time.Second, "the hub's answer at "+h.URL, func() bool {
		if h.process.Exited() {
			t.Fatalf("the hub ended while it was starting; its log:\n%s", tail(h.Log(), 60))
		}
		r, err := http.Get(h.URL + strings.TrimSuffix(h.opts.Base, "/") + "/hub/health")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// Launch starts the process and returns at once.
func (h *Hub) Launch(t testing.TB) {
	t.Helper()
	command := referenceCommand(h.opts.Venv)
	if !h.opts.Reference {
		command = hubCommand(t, h.opts.Venv)
	}
	argv := append(command, "-f", "jupyterhub_config.py")
	if h.opts.Wrap != nil {
		argv = append(h.opts.Wrap(h.Dir), argv...)
	}
	h.process = StartProcess(t, "hub", h.Dir, h.env, append(argv, h.args...)...)
}

// Process is the hub's own process.
func (h *Hub) Process() *Process { return h.process }

// SQL runs a statement on the hub's SQLite database while the hub is running, as an administrator's tool would.
func (h *Hub) SQL(t testing.TB, statement string) {
	t.Helper()
	out, err := exec.Command(Python(), "-c",
		"import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10); db.execute(sys.argv[2]); db.commit()",
		filepath.Join(h.Dir, "jupyterhub.sqlite"), statement).CombinedOutput()
	if err != nil {
		t.Fatalf("SQL %s: %v\n%s", statement, err, out)
	}
}

// Query gives the first column of the first row of a query on the hub's SQLite database, "" for none.
func (h *Hub) Query(t testing.TB, query string) string {
	t.Helper()
	out, err := exec.Command(Python(), "-c",
		"import sqlite3, sys; row = sqlite3.connect(sys.argv[1], timeout=10).execute(sys.argv[2]).fetchone(); print(row[0] if row else '', end='')",
		filepath.Join(h.Dir, "jupyterhub.sqlite"), query).CombinedOutput()
	if err != nil {
		t.Fatalf("query %s: %v\n%s", query, err, out)
	}
	return string(out)
}

// Stop ends the hub in its normal way and waits for it.
func (h *Hub) Stop(t testing.TB) { h.process.Stop(t) }

// Log is all that the hub, its servers and its managed services have printed.
func (h *Hub) Log() string { return h.process.Log() }

// Port gives the port that stands for a fixed port of an example.
func (h *Hub) Port(fixed string) string { return h.ports[fixed] }

// Env gives the environment that an example's own program needs: PATH and the like come from [StartProcess].
func (h *Hub) Env() []string { return h.opts.Env }

// Secret registers text that must not appear in the hub's log.
func (h *Hub) Secret(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(text) >= 12 {
		h.secrets[text] = true
	}
}

// NewToken makes a token of the form that JupyterHub makes.
func NewToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// polls are the lines of requests with which tests wait for something.
var polls = regexp.MustCompile(`(?m)^.*(?: 200 GET /hub/api/users/\S+ \(e2e-admin@|backend failed route=|proxy: backend does not answer).*\n`)

var trace = regexp.MustCompile(`(?m)^goroutine \d+ \[`)

// finish stops the hub, kills by pid what it left behind, and looks into the log.
func (h *Hub) finish(t testing.TB) {
	if h.process != nil {
		h.process.Stop(t)
	}
	for _, pid := range ProcessesIn(h.Dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if h.process == nil {
		return
	}
	log := h.Log()
	if !Oracle() && !h.opts.Reference {
		if trace.MatchString(log) {
			t.Error("the hub's log has a goroutine trace")
		}
		h.mu.Lock()
		for secret := range h.secrets {
			if strings.Contains(log, secret) {
				t.Errorf("the hub's log shows a secret that starts with %q", secret[:4])
			}
		}
		h.mu.Unlock()
	}
	if t.Failed() {
		t.Logf("the hub's log ends:\n%s", tail(polls.ReplaceAllString(log, ""), 80))
	}
}

// tail gives the last lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
