package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/internal/freeport"
)

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// hub is a whole hub in the test process.
type testHub struct {
	t    *testing.T
	app  *app.App
	url  string
	api  string // through the private port
	log  *syncBuffer
	dir  string
	text map[string]map[string]any
}

const adminToken = "admin-token-0123456789"

// newHub prepares a hub with the toy spawner and a service that may do everything; change edits the configuration.
func newHub(t *testing.T, change func(c map[string]map[string]any)) *testHub {
	t.Helper()
	dir := t.TempDir()
	public, private := freeport.For(t), freeport.For(t)
	c := map[string]map[string]any{"JupyterHub": {
		"bind_url": fmt.Sprintf("http://127.0.0.1:%d", public), "hub_port": private, "db_url": "sqlite:///" + filepath.Join(dir, "hub.sqlite"),
		"cookie_secret_file": filepath.Join(dir, "secret"), "authenticator_class": "dummy", "spawner_class": "toy",
		"services":   []any{map[string]any{"name": "boss", "api_token": adminToken}},
		"load_roles": []any{map[string]any{"name": "boss", "services": []any{"boss"}, "scopes": []any{"admin:users", "admin:servers", "admin:groups", "admin:services", "tokens", "proxy", "shutdown", "read:hub", "read:metrics"}}},
	}}
	if change != nil {
		change(c)
	}
	return &testHub{t: t, dir: dir, text: c, url: fmt.Sprintf("http://127.0.0.1:%d", public), api: fmt.Sprintf("http://127.0.0.1:%d", private), log: &syncBuffer{}}
}

func (h *testHub) load() (*config.Config, *config.Report, error) {
	file := filepath.Join(h.dir, "hub.json")
	text, err := json.Marshal(h.text)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		h.t.Fatal(err)
	}
	args, err := config.ParseArgs([]string{"-f", file})
	if err != nil {
		h.t.Fatal(err)
	}
	return app.Load(h.t.Context(), args, h.log)
}

func (h *testHub) start() {
	h.t.Helper()
	cfg, _, err := h.load()
	if err != nil {
		h.t.Fatal(err)
	}
	if h.app, err = app.New(h.t.Context(), cfg, app.Options{Logger: app.NewLogger(h.log, app.LogOptions{})}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.app.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *testHub) stop() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.app.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v\n%s", err, h.log)
	}
}

// do sends a request with the boss's token and returns status and body.
func (h *testHub) do(method, path, body string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "token "+adminToken)
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return w.StatusCode, string(text)
}

func (h *testHub) want(method, path, body string, status int, part string) string {
	h.t.Helper()
	got, text := h.do(method, path, body)
	if got != status || !strings.Contains(text, part) {
		h.t.Errorf("%s %s = %d %s, want %d with %q", method, path, got, text, status, part)
	}
	return text
}

func TestAHubServesUsersServersAndRoutes(t *testing.T) {
	h := newHub(t, func(c map[string]map[string]any) {
		c["Proxy"] = map[string]any{"extra_routes": map[string]any{"/docs/": "http://127.0.0.1:1"}}
	})
	h.start()
	defer h.stop()
	h.want("GET", "/hub/api/", "", 200, `{"version":"6.1.1"}`)
	h.want("GET", "/hub/api/info", "", 200, `"class":"minihub.spawner.ToySpawner"`)
	h.want("POST", "/hub/api/users/ann", "", 201, `"name":"ann"`)
	h.want("POST", "/hub/api/users/ann/server", "", 201, "")
	h.want("GET", "/user/ann/api", "", 200, "version")
	h.want("GET", "/hub/api/proxy", "", 200, `"/user/ann/"`)
	h.want("GET", "/hub/api/proxy", "", 200, `"extra":true`)
	h.want("GET", "/hub/api/proxy", "", 200, `"hub":true`)
	h.want("GET", "/docs/x", "", 503, "503")
	h.want("DELETE", "/hub/api/users/ann/server", "", 204, "")
	h.want("GET", "/hub/metrics", "", 200, `jupyterhub_server_spawn_duration_seconds_count{reason="",status="success"} 1`)
	h.want("GET", "/hub/metrics", "", 200, `jupyterhub_total_users 1`)
	if text := h.log.String(); strings.Contains(text, adminToken) {
		t.Error("the log has the token")
	}
}

func TestTheHubAnswersOnItsPrivatePort(t *testing.T) {
	h := newHub(t, nil)
	h.start()
	defer h.stop()
	w, err := http.Get(h.api + "/hub/api/")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		t.Errorf("private port answers %s", w.Status)
	}
}

func TestShutdownByAPIEndsTheHubAndKeepsTheData(t *testing.T) {
	h := newHub(t, nil)
	h.start()
	h.want("POST", "/hub/api/users/ann", "", 201, "ann")
	h.want("POST", "/hub/api/shutdown", `{"servers": true}`, 202, "Shutting down")
	select {
	case <-h.app.Done():
	case <-time.After(time.Minute):
		t.Fatal("the hub does not want to end")
	}
	if err := h.app.Err(); err != nil {
		t.Errorf("why = %v, want nil: it was asked for", err)
	}
	h.stop()
	h.start()
	defer h.stop()
	h.want("GET", "/hub/api/users/ann", "", 200, `"name":"ann"`)
}

func TestAPortInUseIsAStartErrorThatNamesTheTrait(t *testing.T) {
	h := newHub(t, nil)
	l, err := net.Listen("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg, _, err := h.load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), cfg, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = a.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "JupyterHub.bind_url") || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("start = %v, want an error that names the trait and the way out", err)
	}
}

func TestProfiles(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freeport.For(t))
	h := newHub(t, func(c map[string]map[string]any) { c["Minihub"] = map[string]any{"pprof": address} })
	h.start()
	w, err := http.Get("http://" + address + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(w.Body)
	_ = w.Body.Close()
	if err != nil || !strings.Contains(string(text), "TestProfiles") {
		t.Errorf("%v %.200s, want the goroutines of this test", err, text)
	}
	h.want("GET", "/debug/pprof/", "", 302, "") // the public port knows no such page and sends to the hub
	h.stop()
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the port is open after the hub ended")
	}
}

func TestCheckFindsWhatOnlyThePartsKnow(t *testing.T) {
	for name, row := range map[string]struct {
		change func(c map[string]map[string]any)
		want   string
	}{
		"unknown scope": {func(c map[string]map[string]any) {
			c["JupyterHub"]["load_roles"] = []any{map[string]any{"name": "odd", "scopes": []any{"read:user"}}}
		}, "read:users"},
		"bad custom scope": {func(c map[string]map[string]any) {
			c["JupyterHub"]["custom_scopes"] = map[string]any{"mine": map[string]any{"description": "x"}}
		}, "custom:"},
		"profiles for everybody": {func(c map[string]map[string]any) { c["Minihub"] = map[string]any{"pprof": "0.0.0.0:6060"} }, "write for example 127.0.0.1:6060"},
		"profiles by a name":     {func(c map[string]map[string]any) { c["Minihub"] = map[string]any{"pprof": "hub.example.org:6060"} }, "is not a loopback address"},
		"profiles everywhere":    {func(c map[string]map[string]any) { c["Minihub"] = map[string]any{"pprof": ":6060"} }, "is not a loopback address"},
		"profiles without port":  {func(c map[string]map[string]any) { c["Minihub"] = map[string]any{"pprof": "127.0.0.1"} }, "no address with a port"},
		"bad pattern":            {func(c map[string]map[string]any) { c["Authenticator"] = map[string]any{"username_pattern": "("} }, "username_pattern"},
		"bad downstream":         {func(c map[string]map[string]any) { c["JupyterHub"]["trusted_downstream_ips"] = []any{"proxy"} }, "trusted_downstream_ips"},
		"unknown spawner":        {func(c map[string]map[string]any) { c["JupyterHub"]["spawner_class"] = "spaceship" }, "spawner_class"},
		"bad profile": {func(c map[string]map[string]any) {
			c["Spawner"] = map[string]any{"profile_list": []any{map[string]any{"display_name": "Big", "spawner_override": map[string]any{"mem_limit": true}}}}
		}, "Spawner.mem_limit must be a size"},
		"short user password": {func(c map[string]map[string]any) {
			c["JupyterHub"]["authenticator_class"] = "shared-password"
			c["SharedPasswordAuthenticator"] = map[string]any{"user_password": "short"}
		}, "user_password"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, row.change)
			_, report, err := h.load()
			if err == nil || report == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("load = %v, want an error with %q", err, row.want)
			}
		})
	}
}

func TestLogLines(t *testing.T) {
	var text, object bytes.Buffer
	for _, log := range []struct {
		out *bytes.Buffer
		o   app.LogOptions
	}{{&text, app.LogOptions{}}, {&object, app.LogOptions{JSON: true}}} {
		l := app.NewLogger(log.out, log.o)
		l.Debug("not shown")
		l.Warn("server stopped", "user", "ann", "reason", "exit code 3", "empty", "")
		l.Info("request", "status", 302, "method", "GET", "uri", "/hub/", "user", "ann", "ip", "127.0.0.1", "duration", 1500*time.Microsecond, "location", "/hub/home")
	}
	lines := strings.Split(text.String(), "\n")
	if !strings.HasPrefix(lines[0], "[W 20") || !strings.HasSuffix(lines[0], ` JupyterHub] server stopped user=ann reason="exit code 3"`) {
		t.Errorf("line = %q", lines[0])
	}
	if !strings.HasPrefix(lines[1], "[I 20") || !strings.HasSuffix(lines[1], " JupyterHub] 302 GET /hub/ -> /hub/home (ann@127.0.0.1) 1.50ms") {
		t.Errorf("request line = %q", lines[1])
	}
	var row map[string]any
	if err := json.Unmarshal(bytes.Split(object.Bytes(), []byte("\n"))[0], &row); err != nil || row["user"] != "ann" {
		t.Errorf("JSON line %s: %v", object.String(), err)
	}
}
