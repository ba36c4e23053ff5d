package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/api"
	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/oauthprovider"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/services"
	"github.com/minihub/minihub/spawner/spawnertest"
)

// lab is a whole hub but its web pages: a real database, the real use cases, fake servers that really listen, real HTTP.
type lab struct {
	t       testing.TB
	o       labOptions
	store   *orm.Store
	fake    *spawnertest.Fake
	router  *fakeRouter
	hub     api.Hub
	rows    *hub.ServiceRows
	cookies *httpmw.Cookies
	xsrf    *httpmw.XSRF
	mw      *httpmw.Middleware
	api     *api.API
	bare    http.Handler // without the contract
	handler http.Handler
	http    *httptest.Server
	log     *logBuffer
	level   *slog.LevelVar
	tokens  map[string]string // by service, or user of api_tokens

	mu   sync.Mutex
	down []string // what POST /shutdown asked for
}

type labOptions struct {
	Base        string
	PublicURL   string
	Path        string // of the database
	Auth        auth.Authenticator
	Behaviour   spawnertest.Behaviour
	Pages       api.PageLimits
	MaxExpiry   time.Duration
	Logins      hub.LoginTraits
	SlowSpawn   time.Duration
	Headers     map[string]string
	Trusted     []netip.Prefix
	Keys        []string // of auth_state
	AdminAccess bool
	Resolution  time.Duration // of activity
	Roles       []rbac.Role
}

// labSetup is testdata/hub.json, which record.py gives to the reference hub too.
type labSetup struct {
	AdminUsers []string                 `json:"admin_users"`
	LoadGroups map[string]hub.GroupSpec `json:"load_groups"`
	Users      []string                 `json:"users"`
	APITokens  map[string]string        `json:"api_tokens"`
	Services   []struct {
		Name, URL     string
		APIToken      string `json:"api_token"`
		Admin         bool
		Info          map[string]any
		OAuthClientID string `json:"oauth_client_id"`
	}
	LoadRoles []struct {
		Name     string
		Services []string
		Scopes   []string
	} `json:"load_roles"`
}

func newLab(t testing.TB, change ...func(*labOptions)) *lab {
	t.Helper()
	o := labOptions{Base: "/", Auth: auth.NewDummy(""), Pages: api.PageLimits{Default: 50, Max: 200}, SlowSpawn: 20 * time.Second}
	for _, f := range change {
		f(&o)
	}
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "hub.sqlite")
	}
	l := &lab{t: t, o: o, log: &logBuffer{}, level: &slog.LevelVar{}, tokens: map[string]string{}, router: &fakeRouter{routes: map[string]api.ProxyRoute{}}}
	l.level.Set(slog.LevelDebug)
	logger := slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: l.level}))
	store, err := orm.Open(context.Background(), orm.Options{URL: o.Path})
	noErr(t, err)
	t.Cleanup(func() { _ = store.Close() })
	l.store = store
	l.core(logger)
	l.edge(logger)
	return l
}

func readSetup(t testing.TB) labSetup {
	t.Helper()
	raw, err := os.ReadFile("testdata/hub.json")
	noErr(t, err)
	var s labSetup
	noErr(t, json.Unmarshal(raw, &s))
	return s
}

func (l *lab) core(logger *slog.Logger) {
	t, o := l.t, l.o
	setup := readSetup(t)
	catalog := need(rbac.NewCatalog(map[string]rbac.CustomScope{"custom:x:read": {Description: "read x"}}))
	yes := true
	rules := need(auth.NewRules(auth.RulesOptions{AdminUsers: setup.AdminUsers, AllowAll: &yes}))
	var crypt *auth.CryptKeeper
	if len(o.Keys) > 0 {
		crypt = need(auth.NewCryptKeeper(o.Keys...))
	}
	acts := hub.NewActivity(hub.ActivityOptions{Store: l.store, Resolution: cmp.Or(o.Resolution, 30*time.Second), Logger: logger})
	t.Cleanup(acts.Close)
	access := hub.NewAccess(hub.AccessOptions{Store: l.store, Catalog: catalog, Seen: acts, Logger: logger})
	users := hub.NewUsers(hub.UsersOptions{Store: l.store, Rules: rules, Authenticator: o.Auth, Catalog: catalog, Logger: logger})
	tokens := hub.NewTokens(hub.TokensOptions{Store: l.store, Access: access, Catalog: catalog, MaxExpiry: o.MaxExpiry, Logger: logger})
	logins := hub.NewLogins(hub.LoginsOptions{Store: l.store, Authenticator: o.Auth, Rules: rules, Crypt: crypt, Users: users, Traits: o.Logins, Logger: logger})
	users.SetAuthStates(logins)
	l.fake = spawnertest.NewFake(o.Behaviour)
	t.Cleanup(l.fake.Shutdown)
	servers := hub.NewServers(hub.ServersOptions{Store: l.store, Driver: l.fake, Router: l.router, Prober: prober{}, Catalog: catalog, Activity: acts, Logger: logger,
		Traits: hub.ServerTraits{AllowNamedServers: true, SlowSpawnTimeout: o.SlowSpawn, SlowStopTimeout: o.SlowSpawn, HubID: "lab",
			URLs:     hub.ServerURLs{BaseURL: o.Base, HubAPIURL: "http://127.0.0.1:1" + o.Base + "hub/api", PublicURL: o.PublicURL},
			Spawn:    hub.SpawnTraits{StartTimeout: time.Minute, HTTPTimeout: 30 * time.Second},
			ListText: func(s []string) string { b, _ := json.Marshal(s); return string(b) }}})
	t.Cleanup(func() { _ = servers.Close(context.Background()) })
	users.SetServers(servers)
	l.rows = hub.NewServiceRows(hub.ServiceRowsOptions{Store: l.store, Tokens: tokens, Catalog: catalog, BaseURL: o.Base, Logger: logger})
	l.hub = api.Hub{Access: access, Users: users, Tokens: tokens, Servers: servers, Logins: logins, Acts: acts,
		Groups: hub.NewGroups(hub.GroupsOptions{Store: l.store, Rules: rules, Logger: logger}),
		Shares: hub.NewShares(hub.SharesOptions{Store: l.store, Access: access, Catalog: catalog, Servers: servers, Logger: logger})}
	_, err := hub.NewSetup(hub.SetupOptions{Store: l.store, Catalog: catalog, Users: users, Rules: rules, Tokens: tokens, Services: l.rows,
		Specs: l.specs(setup), Logger: logger}).Run(t.Context())
	noErr(t, err)
	l.api = api.New(api.Options{Hub: l.hub})
}

func (l *lab) specs(s labSetup) hub.SetupSpecs {
	specs := hub.SetupSpecs{LoadGroups: s.LoadGroups, APITokens: s.APITokens, LoadRoles: l.o.Roles, TrustUserProvidedTokens: true,
		EnableAuthState: l.o.Logins.EnableAuthState, HasCryptKeys: len(l.o.Keys) > 0}
	for token, user := range s.APITokens {
		l.tokens[user] = token
	}
	for _, sv := range s.Services {
		l.tokens[sv.Name] = sv.APIToken
		specs.Services = append(specs.Services, hub.ServiceSpec{Name: sv.Name, URL: sv.URL, APIToken: sv.APIToken, Admin: sv.Admin, Info: sv.Info, Display: true, OAuthClientID: sv.OAuthClientID})
	}
	for _, r := range s.LoadRoles {
		specs.LoadRoles = append(specs.LoadRoles, rbac.Role{Name: r.Name, Scopes: r.Scopes, Services: &r.Services})
	}
	return specs
}

func (l *lab) edge(logger *slog.Logger) {
	t, o := l.t, l.o
	signer := httpmw.Signer{Secret: []byte("0123456789abcdef0123456789abcdef")}
	l.cookies = need(httpmw.NewCookies(signer, httpmw.CookieOptions{BaseURL: o.Base, HubPrefix: o.Base + "hub/", PublicURL: o.PublicURL}))
	l.xsrf = need(httpmw.NewXSRF(signer, nil))
	l.mw = httpmw.New(httpmw.Options{Access: l.hub.Access, Logins: l.hub.Logins, Cookies: l.cookies, XSRF: l.xsrf, BaseURL: o.Base, PublicURL: o.PublicURL,
		Headers: o.Headers, TrustedDownstream: o.Trusted, Logger: logger})
	provider := oauthprovider.New(oauthprovider.Options{Store: l.store, Access: l.hub.Access, Catalog: l.hub.Access.Catalog(), Consent: noConsent{},
		Identity: httpmw.Identity, SessionID: httpmw.SessionID, Logger: logger})
	live := services.New(services.Options{Store: l.store, Rows: l.rows, Router: l.router, Prober: prober{}, Logger: logger, Env: services.EnvOptions{BaseURL: o.Base}})
	t.Cleanup(func() { _ = live.Stop(context.Background()) })
	l.load(live)
	l.api = api.New(api.Options{Hub: l.hub, OAuth: provider, Services: live, Proxy: l.router, Requests: l.mw, URLs: api.URLs{BaseURL: o.Base, PublicURL: o.PublicURL},
		Info: api.Info{Python: "3.11", SysExecutable: "/usr/bin/python3", SpawnerClass: l.fake.Name(), AuthenticatorClass: o.Auth.Name(),
			SpawnerVersion: "6.1.1", AuthenticatorVersion: "6.1.1", AdminAccess: o.AdminAccess, Shutdown: l.shutdown},
		Pages: o.Pages, Logger: logger})
	l.bare = l.mw.Handler(l.api.Tables()...)
	l.handler = l.contract(l.bare)
	l.http = httptest.NewServer(l.handler)
	t.Cleanup(l.http.Close)
}

// load gives the services of the configuration to those that live.
func (l *lab) load(live *services.Services) {
	rows, err := l.store.Services(l.t.Context())
	noErr(l.t, err)
	for _, row := range rows {
		def, err := l.rows.FromRow(l.t.Context(), row)
		noErr(l.t, err)
		live.Load([]hub.ConfiguredService{*def})
	}
}

func (l *lab) shutdown(proxy, servers *bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	show := func(b *bool) string {
		if b == nil {
			return "keep"
		}
		return fmt.Sprint(*b)
	}
	l.down = append(l.down, show(proxy)+" "+show(servers))
}

// call is one request. as is a name in tokens, a token, or "" for nobody.
type call struct {
	as, method, path, body string
	header                 http.Header
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// do sends a request as it is written: the path is not cleaned or re-encoded.
func (l *lab) do(c call) answer {
	l.t.Helper()
	conn, err := net.Dial("tcp", l.http.Listener.Addr().String())
	noErr(l.t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: hub.test\r\nConnection: close\r\n", c.method, c.path)
	if c.as != "" {
		fmt.Fprintf(&b, "Authorization: token %s\r\n", l.token(c.as))
	}
	for _, k := range slices.Sorted(maps.Keys(c.header)) {
		for _, v := range c.header[k] {
			fmt.Fprintf(&b, "%s: %s\r\n", k, v)
		}
	}
	if c.body != "" || c.method == "POST" || c.method == "PUT" || c.method == "PATCH" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.body))
	}
	b.WriteString("\r\n")
	b.WriteString(c.body)
	go func() { _, _ = conn.Write(b.Bytes()) }() // the hub may answer before it has read a large body
	resp, err := http.ReadResponse(readerOf(conn), &http.Request{Method: c.method})
	if err != nil {
		l.t.Fatalf("%s %s: no answer: %v", c.method, c.path, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (l *lab) token(as string) string {
	if t, ok := l.tokens[as]; ok {
		return t
	}
	return as
}

// with makes a service that holds exactly these scopes and returns its token's name for call.as.
func (l *lab) with(scopes ...string) string {
	l.t.Helper()
	ctx := l.t.Context()
	name := "s" + strings.ToLower(need(randomName()))
	row := &orm.Service{Name: name, FromConfig: true, Timeout: 30}
	noErr(l.t, l.store.SaveService(ctx, row))
	role := &orm.Role{Name: "role-of-" + name, Scopes: scopes}
	noErr(l.t, l.store.CreateRole(ctx, role))
	noErr(l.t, l.store.Grant(ctx, orm.HolderService, []int64{row.ID}, role.ID, false))
	token, _, err := l.hub.Tokens.Issue(ctx, orm.APIToken{ServiceID: &row.ID}, []string{"inherit"})
	noErr(l.t, err)
	l.tokens[name] = token
	return name
}

// prober trusts that fake servers listen when they have started.
type prober struct{}

func (prober) WaitUp(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
	if strings.HasSuffix(strings.TrimRight(url, "/"), ":9") {
		return "", context.DeadlineExceeded
	}
	return "6.1.1", alive(ctx)
}

// fakeRouter is a proxy that only remembers.
type fakeRouter struct {
	mu      sync.Mutex
	routes  map[string]api.ProxyRoute
	checks  int
	repoint []string
	err     error
}

func (r *fakeRouter) AddRoute(_ context.Context, spec, target string, data map[string]any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := maps.Clone(data)
	d["last_activity"] = "2026-01-01T00:00:00.000Z"
	r.routes[spec] = api.ProxyRoute{RouteSpec: spec, Target: target, Data: d}
	return nil
}

func (r *fakeRouter) DeleteRoute(_ context.Context, spec string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routes, spec)
	return nil
}

func (r *fakeRouter) Routes(context.Context) (map[string]api.ProxyRoute, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.routes), r.err
}

func (r *fakeRouter) Check(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks++
	return r.err
}

func (r *fakeRouter) Repoint(_ context.Context, apiURL, token string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repoint = append(r.repoint, apiURL+" "+token)
	return r.err
}

// noConsent is a consent page that nobody sees.
type noConsent struct{}

func (noConsent) Render(w http.ResponseWriter, _ *http.Request, _ oauthprovider.Consent) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
