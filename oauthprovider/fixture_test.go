package oauthprovider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/oauthprovider"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// The client that most tests use: a service with its own page, whose tokens may read names of users too.
const (
	appID       = "service-app"
	appSecret   = "secret-of-app"
	appCallback = "/services/app/oauth_callback"
	appAccess   = "access:services!service=app"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

var identity = []string{"read:users:groups!user", "read:users:name!user"}

// site is a hub with nothing but its OAuth endpoints, on a real database and real HTTP.
type site struct {
	t        *testing.T
	store    *orm.Store
	access   *hub.Access
	users    *hub.Users
	rows     *hub.ServiceRows
	provider *oauthprovider.Provider
	http     *httptest.Server

	newProvider func() *oauthprovider.Provider // with the same options
	log         *logBuffer
}

// newSite has the services app (needs consent), trusted (does not), other and bare (without secret), and a role that lets everybody use
// the first three.
func newSite(t *testing.T, change ...func(*oauthprovider.Options)) *site {
	t.Helper()
	s := &site{t: t, log: &logBuffer{}}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store, err := orm.Open(context.Background(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite")})
	noErr(t, err)
	t.Cleanup(func() { _ = store.Close() })
	catalog, err := rbac.NewCatalog(map[string]rbac.CustomScope{"custom:app:read": {Description: "read the app"}})
	noErr(t, err)
	s.store = store
	s.access = hub.NewAccess(hub.AccessOptions{Store: store, Catalog: catalog, Logger: logger})
	s.setup(catalog, logger)
	signer := httpmw.Signer{Secret: []byte("0123456789abcdef0123456789abcdef")}
	cookies, err := httpmw.NewCookies(signer, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/"})
	noErr(t, err)
	xsrf, err := httpmw.NewXSRF(signer, nil)
	noErr(t, err)
	o := oauthprovider.Options{Store: store, Access: s.access, Catalog: catalog, Consent: jsonConsent{}, Identity: httpmw.Identity, SessionID: httpmw.SessionID, Logger: logger}
	for _, f := range change {
		f(&o)
	}
	s.newProvider = func() *oauthprovider.Provider { return oauthprovider.New(o) }
	s.provider = s.newProvider()
	mw := httpmw.New(httpmw.Options{Access: s.access, Cookies: cookies, XSRF: xsrf, BaseURL: "/", Logger: logger, Pages: httpmw.Pages{ErrorPage: errorPage}})
	s.http = httptest.NewServer(mw.Handler(s.api(), s.pages(cookies)))
	t.Cleanup(s.http.Close)
	return s
}

func (s *site) api() httpmw.Table {
	return httpmw.Table{Prefix: "/hub/api", API: true, Routes: []httpmw.Route{
		{Method: http.MethodPost, Path: "/oauth2/token", Access: httpmw.ClientAuth(), Handler: func(w http.ResponseWriter, r *http.Request) error { return s.provider.Token(w, r) }},
		{Method: http.MethodPost, Path: "/oauth2/revoke", Access: httpmw.ClientAuth(), Handler: s.provider.Revoke},
		{Method: http.MethodPost, Path: "/oauth2/introspect", Access: httpmw.ClientAuth(), Handler: s.provider.Introspect},
		{Method: http.MethodGet, Path: "/oauth2/metadata", Access: httpmw.Public(), Handler: s.provider.Metadata},
		{Method: http.MethodGet, Path: "/oauth2/userinfo", Access: httpmw.Identified(), Handler: s.provider.UserInfo},
		{Method: http.MethodPost, Path: "/oauth2/userinfo", Access: httpmw.Identified(), Handler: s.provider.UserInfo},
	}}
}

// pages has a login without password beside the endpoint.
func (s *site) pages(cookies *httpmw.Cookies) httpmw.Table {
	login := func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.users.Find(r.Context(), httpmw.Param(r, "user"))
		if err != nil {
			return err
		}
		cookies.SetLogin(w.Header(), false, u.CookieID)
		return nil
	}
	return httpmw.Table{Prefix: "/hub", Routes: []httpmw.Route{
		{Method: http.MethodGet, Path: "/api/oauth2/authorize", Access: httpmw.LoggedIn(), Handler: s.provider.Authorize},
		{Method: http.MethodPost, Path: "/api/oauth2/authorize", Access: httpmw.LoggedIn(), Handler: s.provider.Authorize},
		{Method: http.MethodGet, Path: "/enter/{user}", Access: httpmw.Public(), Handler: login},
	}}
}

func (s *site) setup(catalog *rbac.Catalog, logger *slog.Logger) {
	s.t.Helper()
	yes := true
	rules, err := auth.NewRules(auth.RulesOptions{AllowAll: &yes})
	noErr(s.t, err)
	s.users = hub.NewUsers(hub.UsersOptions{Store: s.store, Rules: rules, Authenticator: auth.Null{}, Catalog: catalog, Logger: logger})
	tokens := hub.NewTokens(hub.TokensOptions{Store: s.store, Access: s.access, Catalog: catalog, Logger: logger})
	s.rows = hub.NewServiceRows(hub.ServiceRowsOptions{Store: s.store, Tokens: tokens, Catalog: catalog, Logger: logger})
	specs := hub.SetupSpecs{
		LoadRoles: []rbac.Role{
			{Name: "user", Scopes: []string{"self", appAccess, "access:services!service=trusted", "access:services!service=other"}},
			{Name: "reader", Scopes: []string{"read:users:name", "custom:app:read"}, Groups: &[]string{"readers"}},
			{Name: "legacy", Scopes: []string{"custom:app:read"}},
		},
		LoadGroups: map[string]hub.GroupSpec{"readers": {Users: []string{"rita"}}},
		Services: []hub.ServiceSpec{
			{Name: "app", URL: "http://127.0.0.1:9", APIToken: appSecret, OAuthClientAllowedScopes: []string{"read:users:name", "custom:app:read"}},
			{Name: "trusted", URL: "http://127.0.0.1:9", APIToken: "secret-of-trusted", OAuthNoConfirm: true, OAuthClientAllowedScopes: []string{"inherit"}},
			{Name: "other", APIToken: "secret-of-other", OAuthRedirectURI: "https://other.test:8443/cb?keep=1", OAuthClientAllowedScopes: []string{"inherit"}},
			{Name: "bare", OAuthRedirectURI: "https://bare.test/cb"},
			{Name: "closed", APIToken: "secret-of-closed", OAuthRedirectURI: "https://closed.test/cb"},
		},
	}
	_, err = hub.NewSetup(hub.SetupOptions{Store: s.store, Catalog: catalog, Users: s.users, Rules: rules, Tokens: tokens, Services: s.rows, Specs: specs, Logger: logger}).
		Run(s.t.Context())
	noErr(s.t, err)
	for _, name := range []string{"alice", "bob"} {
		_, _, err := s.users.Ensure(s.t.Context(), name)
		noErr(s.t, err)
	}
}

// server gives a user a server with an OAuth client, as a running one has.
func (s *site) server(owner, name, clientID string) {
	s.t.Helper()
	ctx := s.t.Context()
	noErr(s.t, s.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: clientID, Description: "Server at /user/" + owner + "/" + name, Secret: orm.HashToken("secret-of-server", 1),
		RedirectURI: "/user/" + owner + "/" + name + "oauth_callback", AllowedScopes: orm.JSONList{"access:servers!server=" + owner + "/" + name}}))
	u, err := s.users.Find(ctx, owner)
	noErr(s.t, err)
	noErr(s.t, s.store.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: name, OAuthClientID: &clientID}))
}

// jsonConsent shows the page as JSON.
type jsonConsent struct{}

type consentData struct {
	oauthprovider.Consent
	XSRF string
}

func (jsonConsent) Render(w http.ResponseWriter, r *http.Request, c oauthprovider.Consent) error {
	return json.NewEncoder(w).Encode(consentData{c, httpmw.PageToken(r)})
}

func errorPage(w http.ResponseWriter, _ *http.Request, status int, e *hub.Error) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<h1>%d</h1>%s", status, e.Message)
}

// browser has a cookie jar and follows no redirects.
type browser struct {
	*site
	client *http.Client
}

// browser opens a browser and logs in, unless user is "".
func (s *site) browser(user string) *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	noErr(s.t, err)
	b := &browser{site: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if user != "" {
		if a := b.get("/hub/enter/" + user); a.status != http.StatusOK {
			s.t.Fatalf("login as %s: %d %s", user, a.status, a.body)
		}
	}
	return b
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
	to     *url.URL // Location, nil without
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(r)
	noErr(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	noErr(b.t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
	if location := resp.Header.Get("Location"); location != "" {
		a.to, err = url.Parse(location)
		noErr(b.t, err)
	}
	return a
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.http.URL+path, nil)
	noErr(b.t, err)
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.http.URL+path, strings.NewReader(form.Encode()))
	noErr(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// authorizeURL is the address of a request of the client app; pairs of name and value change it, an empty value removes.
func authorizeURL(pairs ...string) string {
	return "/hub/api/oauth2/authorize?" + params(url.Values{"client_id": {appID}, "redirect_uri": {appCallback}, "response_type": {"code"}, "state": {"st"}}, pairs).Encode()
}

func params(v url.Values, pairs []string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

// code runs a request up to the code, through the consent page when there is one.
func (b *browser) code(pairs ...string) string {
	b.t.Helper()
	a := b.get(authorizeURL(pairs...))
	if a.status == http.StatusOK {
		c := b.consent(a)
		a = b.post(authorizeURL(pairs...), url.Values{"_xsrf": {c.XSRF}, "scopes": c.Scopes})
	}
	if a.status != http.StatusFound || a.to.Query().Get("code") == "" {
		b.t.Fatalf("no code: %d %v %s", a.status, a.to, a.body)
	}
	return a.to.Query().Get("code")
}

func (b *browser) consent(a answer) consentData {
	b.t.Helper()
	var c consentData
	if err := json.Unmarshal([]byte(a.body), &c); err != nil || a.status != http.StatusOK {
		b.t.Fatalf("no consent page: %d %s", a.status, a.body)
	}
	return c
}

// tokenAnswer is the JSON of the token endpoint.
type tokenAnswer struct {
	answer
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in"`
	TokenType        string `json:"token_type"`
	Scope            string `json:"scope"`
	Error            string `json:"error"`
	ErrorDescription string `json:"error_description"`
	RefreshToken     string `json:"refresh_token"`
}

// exchange posts to the token endpoint as the client app.
func (s *site) exchange(code string, pairs ...string) tokenAnswer {
	s.t.Helper()
	return s.token(params(url.Values{"client_id": {appID}, "client_secret": {appSecret}, "grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appCallback}}, pairs))
}

func (s *site) token(form url.Values, change ...func(*http.Request)) tokenAnswer {
	s.t.Helper()
	out := tokenAnswer{answer: s.send("token", form, change...)}
	if err := json.Unmarshal([]byte(out.body), &out); err != nil {
		s.t.Fatalf("not JSON: %d %s", out.status, out.body)
	}
	return out
}

// send posts a form to an endpoint for programs.
func (s *site) send(endpoint string, form url.Values, change ...func(*http.Request)) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.http.URL+"/hub/api/oauth2/"+endpoint, strings.NewReader(form.Encode()))
	noErr(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(r)
	}
	return s.browser("").do(r)
}

// valid asks the hub whether a token is accepted, and returns its scopes.
func (s *site) valid(token string) ([]string, bool) {
	s.t.Helper()
	id, err := s.access.ByToken(s.t.Context(), token)
	noErr(s.t, err)
	if id == nil {
		return nil, false
	}
	return id.Expanded, true
}

func (s *site) user(name string) *orm.User {
	s.t.Helper()
	u, err := s.users.Find(s.t.Context(), name)
	noErr(s.t, err)
	return u
}

func (a tokenAnswer) want(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.Error != code {
		t.Errorf("token endpoint: %d %s, want %d %q", a.status, a.body, status, code)
	}
	if (a.AccessToken != "") != (code == "") {
		t.Errorf("token endpoint: token and error do not fit: %s", a.body)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("token endpoint: headers %v", a.header)
	}
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// logBuffer collects a log that is written by many goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
