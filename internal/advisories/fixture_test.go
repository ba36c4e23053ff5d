package advisories_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/internal/freeport"
)

// theHub is a whole hub in the test process: every part, real sockets, a real database, servers as goroutines.
type theHub struct {
	t    testing.TB
	app  *app.App
	url  string
	log  *logBuffer
	dir  string
	text map[string]map[string]any

	inside http.Handler // the hub behind its proxy, for who wants no sockets
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// Tokens of the services that every hub of these tests has.
const (
	boss    = "boss-token-0123456789"    // everything, and the admin flag
	manager = "manager-token-0123456789" // admin:users, admin:groups, admin:servers, shares; no admin flag
	narrow  = "narrow-token-0123456789"  // admin:users and admin:groups of group g, tokens of user ann
)

type settings = map[string]map[string]any

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newHub configures a hub; change edits the configuration before it starts.
func newHub(t testing.TB, change ...func(c settings)) *theHub {
	t.Helper()
	dir := t.TempDir()
	public := freeport.For(t)
	list := func(s ...any) []any { return s }
	c := settings{"JupyterHub": {
		"bind_url": fmt.Sprintf("http://127.0.0.1:%d", public), "hub_port": freeport.For(t), "db_url": "sqlite:///" + filepath.Join(dir, "hub.sqlite"),
		"cookie_secret_file": filepath.Join(dir, "secret"), "authenticator_class": "dummy", "spawner_class": "toy", "allow_named_servers": true,
		"services": list(map[string]any{"name": "boss", "api_token": boss, "admin": true}, map[string]any{"name": "manager", "api_token": manager},
			map[string]any{"name": "narrow", "api_token": narrow}),
		"load_groups": map[string]any{"g": map[string]any{"users": list("bob")}},
		"load_roles": list(
			map[string]any{"name": "manager", "services": list("manager"), "scopes": list("admin:users", "admin:groups", "admin:servers", "shares", "read:groups:name")},
			map[string]any{"name": "narrow", "services": list("narrow"), "scopes": list("admin:users!group=g", "admin:groups!group=g", "tokens!user=ann")}),
	}, "Authenticator": {"allow_all": true, "admin_users": list("root")}}
	for _, f := range change {
		f(c)
	}
	h := &theHub{t: t, dir: dir, text: c, url: fmt.Sprintf("http://127.0.0.1:%d", public), log: &logBuffer{}}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *theHub) load() (*config.Config, error) {
	file := filepath.Join(h.dir, "hub.json")
	if err := os.WriteFile(file, need(json.Marshal(h.text)), 0o600); err != nil {
		h.t.Fatal(err)
	}
	cfg, _, err := app.Load(h.t.Context(), need(config.ParseArgs([]string{"-f", file})), h.log)
	return cfg, err
}

func (h *theHub) start() {
	h.t.Helper()
	cfg, err := h.load()
	if err != nil {
		h.t.Fatal(err)
	}
	if h.app, err = app.New(h.t.Context(), cfg, app.Options{Logger: app.NewLogger(h.log, app.LogOptions{}),
		Handler: func(next http.Handler) http.Handler { h.inside = next; return next }}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.app.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *theHub) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.app.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v\n%s", err, h.log)
	}
}

// restart ends the hub and starts it again on the same database.
func (h *theHub) restart() {
	h.t.Helper()
	h.stop()
	h.start()
}

// sql changes the database behind the hub's back, as an older or another hub could have.
func (h *theHub) sql(query string, args ...any) {
	h.t.Helper()
	db := need(sql.Open("sqlite", filepath.Join(h.dir, "hub.sqlite")+"?_pragma=busy_timeout(10000)"))
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		h.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

func (a answer) json(t testing.TB) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d, no JSON object: %s", a.status, a.body)
	}
	return v
}

// api sends a request with a token; the path is below /hub/api.
func (h *theHub) api(token, method, path, body string) answer {
	h.t.Helper()
	var header []string
	if token != "" {
		header = []string{"Authorization", "token " + token}
	}
	return (&browser{h: h, client: noRedirects(nil)}).do(method, "/hub/api"+path, strings.NewReader(body), header...)
}

// wants checks a row of requests; each is token, method, path, body, the status.
func (h *theHub) wants(status int, token, method, path, body string) answer {
	h.t.Helper()
	a := h.api(token, method, path, body)
	if a.status != status {
		h.t.Errorf("%s %s %.80s: %d %.300s, want %d", method, path, body, a.status, a.body, status)
	}
	return a
}

func noRedirects(jar http.CookieJar) *http.Client {
	return &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// browser keeps cookies.
type browser struct {
	h      *theHub
	client *http.Client
}

func (h *theHub) browser() *browser { return &browser{h, noRedirects(need(cookiejar.New(nil)))} }

// login returns a browser in which this user is logged in.
func (h *theHub) login(name string) *browser {
	h.t.Helper()
	b := h.browser()
	b.get("/hub/login")
	if a := b.form("/hub/login", url.Values{"username": {name}, "password": {"x"}}); a.status != 302 {
		h.t.Fatalf("login of %s: %d %.500s", name, a.status, a.body)
	}
	return b
}

func (b *browser) do(method, path string, body io.Reader, header ...string) answer {
	b.h.t.Helper()
	to := path
	if strings.HasPrefix(path, "/") {
		to = b.h.url + path
	}
	r, err := http.NewRequestWithContext(b.h.t.Context(), method, to, body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.h.t.Fatalf("%s %.100s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string, header ...string) answer { return b.do("GET", path, nil, header...) }

// form posts a form, with the page's token unless the form brings one.
func (b *browser) form(path string, form url.Values, header ...string) answer {
	if !form.Has("_xsrf") {
		form.Set("_xsrf", b.cookie("_xsrf"))
	}
	return b.do("POST", path, strings.NewReader(form.Encode()), append(header, "Content-Type", "application/x-www-form-urlencoded")...)
}

func (b *browser) cookie(name string) string {
	for _, c := range b.client.Jar.Cookies(need(url.Parse(b.h.url + "/hub/"))) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// follow goes from redirect to redirect until a page comes.
func (b *browser) follow(path string) answer {
	b.h.t.Helper()
	a := b.get(path)
	for i := 0; i < 12 && a.status/100 == 3; i++ {
		next := need(need(url.Parse(b.h.url + path)).Parse(a.location()))
		path = next.RequestURI()
		a = b.get(path)
	}
	return a
}

// raw sends bytes to the public port and returns all that comes back.
func (h *theHub) raw(request string) string {
	h.t.Helper()
	conn := need(net.Dial("tcp", strings.TrimPrefix(h.url, "http://")))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		h.t.Fatal(err)
	}
	text, _ := io.ReadAll(conn)
	return string(text)
}

func jsonText(v any) ([]byte, error) { return json.Marshal(v) }

// tokenFileEnv makes this test program a single-user server, which writes its token to that file.
const tokenFileEnv = "ADVISORIES_TOKEN_FILE"

func TestMain(m *testing.M) {
	file := os.Getenv(tokenFileEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	if err := os.WriteFile(file, []byte(os.Getenv("JUPYTERHUB_API_TOKEN")), 0o600); err != nil {
		panic(err)
	}
	address := need(url.Parse(os.Getenv("JUPYTERHUB_SERVICE_URL")))
	panic(http.ListenAndServe(address.Host, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-JupyterHub-Version", "6.1.1") })))
}
