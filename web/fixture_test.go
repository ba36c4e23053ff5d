package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/web"
)

// world is a hub with pages on a real database, with servers inside the test process.
type world struct {
	t       testing.TB
	store   *orm.Store
	access  *hub.Access
	users   *hub.Users
	groups  *hub.Groups
	tokens  *hub.Tokens
	shares  *hub.Shares
	servers *hub.Servers
	logins  *hub.Logins
	cookies *httpmw.Cookies
	fake    *spawnertest.Fake
	page    *auth.Page
	site    *web.Site
	handler http.Handler
	url     string
	log     *logBuffer
}

// worldOptions change what newWorld makes. edit sees everything but what it returns itself.
type worldOptions struct {
	base     string
	fake     *spawnertest.Fake
	throttle *auth.Throttle
	headers  map[string]string // tornado_settings.headers
	profiles []hub.Profile
	onQuery  func(time.Duration)
	edit     func(w *world, o *web.Options)
}

// author is the authenticator: any name with the password "right", a refusal of its own for whoever comes from the portal too late, and a login page that tests can change.
type author struct{ page *auth.Page }

func (author) Name() string { return "test" }
func (author) Authenticate(_ context.Context, req auth.Request) (*auth.Model, error) {
	if req.Password == "late" || req.Header["X-Portal"] != nil {
		return nil, &auth.Refusal{Reason: "ticket is too old", Public: "Come from the portal again", Status: http.StatusGone}
	}
	if req.Password != "right" {
		return nil, nil
	}
	return &auth.Model{Name: req.Username}, nil
}
func (a author) LoginPage() auth.Page { return *a.page }

type routes struct{}

func (routes) AddRoute(context.Context, string, string, map[string]any) error { return nil }
func (routes) DeleteRoute(context.Context, string) error                      { return nil }

type prober struct{}

func (prober) WaitUp(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
	return "6.1.1", alive(ctx)
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
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

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newWorld(t testing.TB, o worldOptions) *world {
	t.Helper()
	if o.base == "" {
		o.base = "/"
	}
	if o.fake == nil {
		o.fake = spawnertest.NewFake(spawnertest.Behaviour{})
	}
	yes := true
	w := &world{t: t, fake: o.fake, log: &logBuffer{}, page: &auth.Page{}}
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.store = need(orm.Open(context.Background(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite"), OnQuery: o.onQuery}))
	t.Cleanup(func() { _ = w.store.Close() })
	catalog := need(rbac.NewCatalog(nil))
	rules := need(auth.NewRules(auth.RulesOptions{AllowAll: &yes, AdminUsers: []string{"root"}}))
	who := author{w.page}
	w.access = hub.NewAccess(hub.AccessOptions{Store: w.store, Catalog: catalog, Logger: logger})
	w.users = hub.NewUsers(hub.UsersOptions{Store: w.store, Rules: rules, Authenticator: who, Catalog: catalog, Logger: logger})
	w.logins = hub.NewLogins(hub.LoginsOptions{Store: w.store, Authenticator: who, Rules: rules, Users: w.users, Throttle: o.throttle, Logger: logger})
	w.users.SetAuthStates(w.logins)
	w.groups = hub.NewGroups(hub.GroupsOptions{Store: w.store, Rules: rules, Logger: logger})
	w.tokens = hub.NewTokens(hub.TokensOptions{Store: w.store, Access: w.access, Catalog: catalog, Logger: logger})
	activity := hub.NewActivity(hub.ActivityOptions{Store: w.store, Logger: logger})
	t.Cleanup(activity.Close)
	w.servers = hub.NewServers(hub.ServersOptions{Store: w.store, Activity: activity, Driver: w.fake, Router: routes{}, Prober: prober{}, Catalog: catalog, Logger: logger,
		Traits: hub.ServerTraits{AllowNamedServers: true, Profiles: o.profiles, SlowSpawnTimeout: 5 * time.Second, SlowStopTimeout: 5 * time.Second,
			URLs:     hub.ServerURLs{BaseURL: o.base},
			ListText: func(l []string) string { return strings.Join(l, ",") },
			Spawn:    hub.SpawnTraits{StartTimeout: time.Minute, HTTPTimeout: time.Minute, Cmd: []string{"x"}}}})
	t.Cleanup(func() {
		w.fake.Shutdown() // ends starts and stops in progress
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.servers.Close(ctx); err != nil {
			t.Error("servers did not end:", err)
		}
	})
	w.users.SetServers(w.servers)
	w.shares = hub.NewShares(hub.SharesOptions{Store: w.store, Access: w.access, Catalog: catalog, Servers: w.servers, Logger: logger})
	setup := hub.NewSetup(hub.SetupOptions{Store: w.store, Catalog: catalog, Users: w.users, Rules: rules, Tokens: w.tokens,
		Services: hub.NewServiceRows(hub.ServiceRowsOptions{Store: w.store, Tokens: w.tokens, Catalog: catalog, Logger: logger}), Logger: logger})
	need(setup.Run(t.Context()))
	w.serve(o, logger)
	return w
}

func (w *world) serve(o worldOptions, logger *slog.Logger) {
	signer := httpmw.Signer{Secret: []byte(strings.Repeat("s", 32))}
	w.cookies = need(httpmw.NewCookies(signer, httpmw.CookieOptions{BaseURL: o.base, HubPrefix: o.base + "hub/"}))
	xsrf := need(httpmw.NewXSRF(signer, nil))
	options := web.Options{
		Hub: web.Hub{Access: w.access, Users: w.users, Groups: w.groups, Tokens: w.tokens, Shares: w.shares, Servers: w.servers, Logins: w.logins,
			Hooks: hub.Hooks{OptionsForm: nil}},
		Sessions: web.Sessions{Cookies: w.cookies, XSRF: xsrf}, URLs: web.URLs{BaseURL: o.base}, Logger: logger,
		Traits: web.Traits{Redirects: web.Redirects{RedirectToServer: true}, Servers: web.ServerTraits{AllowNamed: true}},
		Look:   web.Look{Version: "6.1.1"},
	}
	if o.edit != nil {
		o.edit(w, &options)
	}
	w.site = need(web.New(options))
	mw := httpmw.New(httpmw.Options{Access: w.access, Logins: w.logins, Cookies: w.cookies, XSRF: xsrf, BaseURL: o.base, Logger: logger, Pages: w.site.Pages(), Headers: o.headers})
	w.site.SetMiddleware(mw)
	w.handler = mw.Handler(w.site.Table())
	server := httptest.NewServer(w.handler)
	w.t.Cleanup(server.Close)
	w.url = server.URL
}

// user makes a user with the default roles.
func (w *world) user(name string) *orm.User {
	w.t.Helper()
	u, _, err := w.users.Ensure(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

// browser keeps cookies and follows no redirects.
type browser struct {
	w      *world
	client *http.Client
}

// as returns a browser in which this user is logged in; "" is nobody.
func (w *world) as(name string) *browser {
	w.t.Helper()
	jar := need(cookiejar.New(nil))
	b := &browser{w: w, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if name != "" {
		b.get("/hub/login")
		if a := b.post("/hub/login", url.Values{"username": {name}, "password": {"right"}}); a.status != http.StatusFound {
			w.t.Fatalf("login of %s: %d %s", name, a.status, a.body)
		}
	}
	return b
}

func (b *browser) cookie(name string) string {
	u := need(url.Parse(b.w.url + "/hub/"))
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) get(path string, header ...string) answer {
	return b.do("GET", path, nil, "", header...)
}

// post sends a form with the page's token.
func (b *browser) post(path string, form url.Values, header ...string) answer {
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("_xsrf") {
		form.Set("_xsrf", b.cookie("_xsrf"))
	}
	return b.do("POST", path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded", header...)
}

func (b *browser) do(method, path string, body io.Reader, contentType string, header ...string) answer {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.url+path, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// service makes a service that holds these scopes and returns its token.
func (w *world) service(name string, scopes ...string) string {
	w.t.Helper()
	ctx := w.t.Context()
	row, role := &orm.Service{Name: name, FromConfig: true}, &orm.Role{Name: "of-" + name, Scopes: scopes}
	for _, err := range []error{w.store.SaveService(ctx, row), w.store.CreateRole(ctx, role)} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.store.Grant(ctx, orm.HolderService, []int64{row.ID}, role.ID, false); err != nil {
		w.t.Fatal(err)
	}
	return need2(w.tokens.Issue(ctx, orm.APIToken{ServiceID: &row.ID}, []string{"inherit"}))
}

func need2[T, U any](v T, _ U, err error) T { return need(v, err) }

// start starts a server and waits until it is ready.
func (w *world) start(user *orm.User, server string) {
	w.t.Helper()
	if _, err := w.servers.Start(w.t.Context(), user, server, hub.StartOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// until polls a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("did not happen: " + what)
}

type ctxt = context.Context

// services is a fixed menu.
type services []web.Service

func (s services) Displayed(context.Context) ([]web.Service, error) { return s, nil }
