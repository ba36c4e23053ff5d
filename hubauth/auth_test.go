package hubauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubauth"
	"github.com/minihub/minihub/hubtest"
)

// site is a service in Go behind a hub, at /services/who/.
type site struct {
	hub   *hubtest.Hub
	auth  *hubauth.Auth
	saved atomic.Int64 // requests that changed something
}

func newSite(t *testing.T, change func(o *hubauth.Options)) *site {
	t.Helper()
	const token = "who-token-0123456789"
	s := &site{}
	var handler atomic.Pointer[http.Handler] // nil while the hub starts, which asks whether somebody is there
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := handler.Load(); h != nil {
			(*h).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.hub = hubtest.New(t, hubtest.Options{
		Users:    []hubtest.User{{Name: "ann"}, {Name: "bob"}},
		Services: []map[string]any{{"name": "who", "url": server.URL, "api_token": token, "oauth_client_allowed_scopes": []any{"read:users!user"}}},
		Roles:    []map[string]any{{"name": "visitors", "users": []any{"ann"}, "scopes": []any{"access:services!service=who"}}},
	})
	o := hubauth.Options{APIURL: s.hub.APIURL, APIToken: token, ClientID: "service-who", Prefix: "/services/who/", AccessScopes: []string{"access:services!service=who"}}
	if change != nil {
		change(&o)
	}
	var err error
	if s.auth, err = hubauth.New(o); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/who/save", func(w http.ResponseWriter, r *http.Request) { s.saved.Add(1) })
	mux.Handle("/services/who/deep", hubauth.Require(http.HandlerFunc(s.page), "read:users!user=ann"))
	mux.Handle("/services/who/admin", hubauth.Require(http.HandlerFunc(s.page), "admin:users"))
	mux.HandleFunc("/", s.page)
	h := s.auth.Handler(mux)
	handler.Store(&h)
	return s
}

func (s *site) page(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello %s at %s, xsrf=%s;", hubauth.Identity(r).Name, r.URL.RequestURI(), s.auth.XSRFToken(r))
}

// ask calls the service as a program with a token.
func (s *site) ask(t *testing.T, method, path, authorization string) (int, string) {
	t.Helper()
	q, err := http.NewRequest(method, strings.TrimRight(s.hub.URL, "/")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		q.Header.Set("Authorization", authorization)
	}
	q.Header.Set("Accept", "application/json")
	w, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body := make([]byte, 4096)
	n, _ := w.Body.Read(body)
	return w.StatusCode, string(body[:n])
}

func TestProgramsUseTokens(t *testing.T) {
	s := newSite(t, nil)
	ann, bob := s.hub.Token("ann"), s.hub.Token("bob")
	for name, c := range map[string]struct {
		authorization string
		status        int
		part          string
	}{
		"token":           {"token " + ann, 200, "hello ann"},
		"bearer":          {"Bearer " + ann, 200, "hello ann"},
		"no access":       {"token " + bob, 403, "access:services!service=who"},
		"unknown token":   {"token 0123456789", 403, "Missing or invalid credentials"},
		"another scheme":  {"Basic " + ann, 403, "Missing or invalid credentials"},
		"no credentials":  {"", 403, "Missing or invalid credentials"},
		"limited scopes":  {"token " + s.hub.Token("ann", "access:services!service=who"), 200, "hello ann"},
		"scopes too few":  {"token " + s.hub.Token("ann", "read:users!user=ann"), 403, "may not access"},
		"the hub's admin": {"token " + s.hub.AdminToken, 200, "hello hubtest"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := s.ask(t, "GET", "/services/who/x", c.authorization); status != c.status || !strings.Contains(body, c.part) {
				t.Errorf("%d %s, want %d with %q", status, body, c.status, c.part)
			}
		})
	}
	if status, _ := s.ask(t, "POST", "/services/who/save", "token "+ann); status != 200 || s.saved.Load() != 1 {
		t.Errorf("POST with a token: %d, want 200 without any XSRF token", status)
	}
	if status, body := s.ask(t, "GET", "/services/who/deep", "token "+ann); status != 200 {
		t.Errorf("a scope that is held: %d %s", status, body)
	}
	if status, body := s.ask(t, "GET", "/services/who/admin", "token "+ann); status != 403 || !strings.Contains(body, "admin:users") {
		t.Errorf("a scope that is not held: %d %s, want 403 that names it", status, body)
	}
}

func TestBrowsersLogInAndComeBack(t *testing.T) {
	s := newSite(t, nil)
	ann, err := s.hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	page, err := ann.Open("/services/who/deep?q=1")
	if err != nil || page.Status != 200 || !strings.Contains(page.Body, "hello ann at /services/who/deep?q=1") {
		t.Fatalf("first visit: %+v, %v", page, err)
	}
	page, err = ann.Get("/services/who/again")
	if err != nil || page.Status != 200 || page.URL.Path != "/services/who/again" {
		t.Errorf("second visit: %+v, %v; want no detour", page, err)
	}
	bob, err := s.hub.Browser("bob")
	if err != nil {
		t.Fatal(err)
	}
	if page, err := bob.Open("/services/who/"); err != nil || page.Status != 403 {
		t.Errorf("bob: %+v, %v; want 403", page, err)
	}
}

func TestChangesNeedTheXSRFToken(t *testing.T) {
	s := newSite(t, nil)
	ann, err := s.hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Open("/services/who/"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"from the cookie": {url.Values{}, 200},
		"missing":         {url.Values{"_xsrf": {""}}, 403},
		"of the hub":      {url.Values{"_xsrf": {ann.XSRF("/hub/home")}}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.saved.Load()
			page, err := ann.Post("/services/who/save", c.form)
			if err != nil || page.Status != c.status {
				t.Errorf("%+v, %v; want %d", page, err, c.status)
			}
			if changed := s.saved.Load() != before; changed != (c.status == 200) {
				t.Errorf("changed = %v with status %d", changed, c.status)
			}
		})
	}
}

func TestALogoutAtTheHubCountsAtOnce(t *testing.T) {
	s := newSite(t, nil)
	ann, err := s.hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	if page, err := ann.Open("/services/who/"); err != nil || page.Status != 200 {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := ann.Get("hub/logout"); err != nil {
		t.Fatal(err)
	}
	page, err := ann.Get("/services/who/")
	if err != nil || page.URL.Path != "/hub/login" {
		t.Errorf("after the logout: %+v, %v; want the login page", page, err)
	}
}

func TestTheServicesLogoutEndsTheLogin(t *testing.T) {
	s := newSite(t, nil)
	ann, err := s.hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	if page, err := ann.Open("/services/who/"); err != nil || page.Status != 200 {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err := ann.Get("/services/who/logout"); err != nil || !strings.HasPrefix(page.URL.Path, "/hub/log") {
		t.Errorf("logout: %+v, %v; want a page of the hub", page, err)
	}
	if page, err := ann.Get("/services/who/"); err != nil || page.URL.Path != "/hub/login" {
		t.Errorf("after the logout: %+v, %v; want the login page", page, err)
	}
}

// noRedirect is a client that shows redirects instead of following them.
func noRedirect() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestCallbacksThatNobodyAskedFor(t *testing.T) {
	s := newSite(t, nil)
	for name, query := range map[string]string{
		"no state": "code=x", "invented state": "code=x&state=ABCDEFGHIJ", "an error": "error=access_denied&error_description=no",
	} {
		t.Run(name, func(t *testing.T) {
			w, err := noRedirect().Get(s.hub.URL + "services/who/oauth_callback?" + query)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			if w.StatusCode != 403 || w.Header.Get("Referrer-Policy") != "no-referrer" || len(w.Cookies()) != 0 {
				t.Errorf("%s with cookies %v, want 403 and none", w.Status, w.Cookies())
			}
		})
	}
}

func TestLoginsStayOnThisSite(t *testing.T) {
	s := newSite(t, nil)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/services/who/", nil)
	r.RequestURI, r.URL = "//evil.example/", &url.URL{Path: "//evil.example/"}
	s.auth.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/hub/api/oauth2/authorize") {
		t.Fatalf("redirect to %q, %v", w.Header().Get("Location"), err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("response_type") != "code" {
		t.Errorf("authorize?%s", u.RawQuery)
	}
	for _, c := range w.Result().Cookies() {
		if strings.Contains(c.Value, "evil") || !c.HttpOnly || c.Path != "/services/who/" {
			t.Errorf("cookie %+v", c)
		}
	}
}

func TestTheHubIsAskedOnceInAWhile(t *testing.T) {
	var calls atomic.Int64
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.Header.Get("Authorization") == "token down" {
			w.WriteHeader(503)
			return
		}
		fmt.Fprint(w, `{"name": "ann", "kind": "user", "scopes": []}`)
	}))
	defer hub.Close()
	for age, want := range map[time.Duration]int64{0: 2, -1: 4} {
		calls.Store(0)
		a, err := hubauth.New(hubauth.Options{APIURL: hub.URL, APIToken: "x", CacheAge: age})
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range []string{"one", "one", "two", "two"} {
			if _, err := a.CheckToken(t.Context(), "tok", session); err != nil {
				t.Fatal(err)
			}
		}
		if calls.Load() != want {
			t.Errorf("CacheAge %v: the hub was asked %d times, want %d", age, calls.Load(), want)
		}
		if _, err := a.CheckToken(t.Context(), "down", ""); err == nil || err == hubauth.ErrNoIdentity {
			t.Errorf("a hub that fails: %v, want an error that says nothing about the token", err)
		}
	}
}

func TestHasScope(t *testing.T) {
	for _, c := range []struct {
		held   []string
		needed string
		want   bool
	}{
		{[]string{"access:services"}, "access:services!service=who", true},
		{[]string{"access:services!service=who"}, "access:services!service=who", true},
		{[]string{"access:services!service=other"}, "access:services!service=who", false},
		{[]string{"access:services!service=who"}, "access:services", false},
		{[]string{"access:servers!user=ann"}, "access:servers!server=ann/x", true},
		{[]string{"access:servers!user=ann"}, "access:servers!server=anna/x", false},
		{[]string{"access:servers!server=ann/"}, "access:servers!server=ann/x", false},
		{[]string{"access:servers!group=g"}, "access:servers!user=ann", false},
		{nil, "access:services", false},
	} {
		if got := hubauth.HasScope(c.held, c.needed); got != c.want {
			t.Errorf("HasScope(%q, %q) = %v", c.held, c.needed, got)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := hubauth.New(hubauth.Options{APIURL: "http://127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), "JUPYTERHUB_API_TOKEN") {
		t.Errorf("no token: %v", err)
	}
	t.Setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:1/hub/api")
	t.Setenv("JUPYTERHUB_API_TOKEN", "x")
	t.Setenv("JUPYTERHUB_OAUTH_ACCESS_SCOPES", "access:services")
	if _, err := hubauth.FromEnv(); err == nil || !strings.Contains(err.Error(), "JUPYTERHUB_OAUTH_ACCESS_SCOPES") {
		t.Errorf("scopes that are no JSON: %v", err)
	}
	t.Setenv("JUPYTERHUB_OAUTH_ACCESS_SCOPES", `["access:services"]`)
	a, err := hubauth.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen(); err == nil || !strings.Contains(err.Error(), "JUPYTERHUB_SERVICE_URL") {
		t.Errorf("Listen without an address: %v", err)
	}
	if !slices.Equal([]string{a.Prefix()}, []string{"/"}) || a.Hub().URL() != "http://127.0.0.1:1/hub/api" {
		t.Errorf("prefix %q, hub %q", a.Prefix(), a.Hub().URL())
	}
	var _ *hubapi.Client = a.Hub()
}
