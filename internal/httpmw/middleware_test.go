package httpmw_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
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
)

// site is a middleware with routes that show what it found out, on a real database, behind real HTTP.
type site struct {
	t       *testing.T
	auth    *refresher
	access  *hub.Access
	users   *hub.Users
	cookies *httpmw.Cookies
	xsrf    *httpmw.XSRF
	mw      *httpmw.Middleware
	http    *httptest.Server
	log     *lockedBuffer
	alice   *orm.User
	token   string // of alice
	mu      sync.Mutex
	seen    []string // what was observed; requests may end after their answers
}

type siteOptions struct {
	base    string
	strict  bool
	age     time.Duration
	trusted []netip.Prefix
	headers map[string]string
	decided func(*http.Request, httpmw.Decision)
}

func newSite(t *testing.T, change ...func(*siteOptions)) *site {
	t.Helper()
	o := siteOptions{base: "/"}
	for _, f := range change {
		f(&o)
	}
	s := &site{t: t, auth: &refresher{ok: true}, log: &lockedBuffer{}}
	logger := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store := need(orm.Open(context.Background(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite")}))
	t.Cleanup(func() { _ = store.Close() })
	catalog := need(rbac.NewCatalog(nil))
	yes := true
	rules := need(auth.NewRules(auth.RulesOptions{AllowAll: &yes}))
	s.access = hub.NewAccess(hub.AccessOptions{Store: store, Catalog: catalog, Logger: logger})
	s.users = hub.NewUsers(hub.UsersOptions{Store: store, Rules: rules, Authenticator: s.auth, Catalog: catalog, Logger: logger})
	logins := hub.NewLogins(hub.LoginsOptions{Store: store, Authenticator: s.auth, Rules: rules, Users: s.users, Logger: logger,
		Traits: hub.LoginTraits{RefreshAge: o.age, RefreshStrict: o.strict}})
	s.users.SetAuthStates(logins)
	tokens := hub.NewTokens(hub.TokensOptions{Store: store, Access: s.access, Catalog: catalog, Logger: logger})
	rows := hub.NewServiceRows(hub.ServiceRowsOptions{Store: store, Tokens: tokens, Catalog: catalog, BaseURL: "/", Logger: logger})
	need(hub.NewSetup(hub.SetupOptions{Store: store, Catalog: catalog, Users: s.users, Rules: rules, Tokens: tokens, Services: rows, Logger: logger}).Run(t.Context()))
	s.alice, _, _ = s.users.Ensure(t.Context(), "alice")
	var err error
	s.token, _, err = tokens.Issue(t.Context(), orm.APIToken{UserID: &s.alice.ID}, []string{"inherit"})
	fatal(t, err)
	signer := httpmw.Signer{Secret: []byte("0123456789abcdef0123456789abcdef")}
	s.cookies = need(httpmw.NewCookies(signer, httpmw.CookieOptions{BaseURL: o.base, HubPrefix: o.base + "hub/"}))
	s.xsrf = need(httpmw.NewXSRF(signer, nil))
	s.mw = httpmw.New(httpmw.Options{Access: s.access, Logins: logins, Cookies: s.cookies, XSRF: s.xsrf, BaseURL: o.base, Headers: o.headers, TrustedDownstream: o.trusted, Decided: o.decided,
		Logger: logger, Observe: func(method, handler string, code int, _ time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen = append(s.seen, fmt.Sprint(method, " ", handler, " ", code))
		},
		Pages: httpmw.Pages{ErrorPage: func(w http.ResponseWriter, _ *http.Request, status int, e *hub.Error) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			fmt.Fprintf(w, "<p>%s</p>", e.Message)
		}, NotFound: func(http.ResponseWriter, *http.Request) error {
			return &hub.Error{Kind: hub.NotFound, Message: "no page"}
		}}})
	s.http = httptest.NewServer(s.mw.Handler(s.api(), s.pages(), wellKnownTable()))
	t.Cleanup(s.http.Close)
	return s
}

func wellKnownTable() httpmw.Table {
	return httpmw.Table{Prefix: "/.well-known", API: true, Routes: []httpmw.Route{{Method: "GET", Path: "/thing", Access: httpmw.Public(),
		Handler: func(w http.ResponseWriter, _ *http.Request) error { return httpmw.WriteJSON(w, 200, "the thing") }}}}
}

func (s *site) api() httpmw.Table {
	who := func(w http.ResponseWriter, r *http.Request) error {
		name := ""
		if id := httpmw.Identity(r); id != nil {
			name = id.Name()
			for range 2 { // as handlers do before they start a server: asked for once only
				if _, err := s.mw.Refresh(r, id.User, false); err != nil {
					return err
				}
			}
		}
		return httpmw.WriteJSON(w, 200, map[string]any{"name": name, "session": httpmw.SessionID(r), "ip": httpmw.RemoteIP(r), "scheme": s.mw.Scheme(r), "user": httpmw.Param(r, "user"), "server": httpmw.Param(r, "server")})
	}
	anybody := httpmw.InHandler("a test")
	route := func(method, path string, a httpmw.Access, h httpmw.Handler) httpmw.Route {
		return httpmw.Route{Method: method, Path: path, Access: a, Handler: h}
	}
	return httpmw.Table{Prefix: "/hub/api", API: true, Routes: []httpmw.Route{
		route("GET", "/who", anybody, who), route("POST", "/who", anybody, who), route("PATCH", "/who", anybody, who),
		route("GET", "/user", httpmw.Identified(), who),
		route("GET", "/users/{user}/servers/{server}", anybody, who), route("GET", "/users/{user}/servers/", anybody, who),
		route("GET", "/panic", httpmw.Public(), func(http.ResponseWriter, *http.Request) error { panic("secret detail") }),
		route("GET", "/late-panic", httpmw.Public(), func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "half of")
			_ = http.NewResponseController(w).Flush()
			panic("too late")
		}),
		route("GET", "/late-error", httpmw.Public(), func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			return errors.New("broke in the middle")
		}),
		route("GET", "/fail", httpmw.Public(), func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") }),
		route("GET", "/db", httpmw.Public(), func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("x: %w", orm.ErrUnavailable) }),
		route("GET", "/throttled", httpmw.Public(), func(http.ResponseWriter, *http.Request) error {
			return &hub.Error{Kind: hub.TooMany, Message: "slow down", RetryAfter: 1500 * time.Millisecond}
		}),
		route("GET", "/stream", httpmw.Public(), func(w http.ResponseWriter, _ *http.Request) error {
			for range 3 {
				_, _ = io.WriteString(w, "x\n")
				if err := http.NewResponseController(w).Flush(); err != nil {
					return err
				}
			}
			return nil
		}),
		route("GET", "/hijack", httpmw.Public(), func(w http.ResponseWriter, _ *http.Request) error {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return err
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\nraw")
			return conn.Close()
		}),
	}}
}

func (s *site) pages() httpmw.Table {
	page := func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("X-Page-Token", httpmw.PageToken(r))
		_, err := io.WriteString(w, "page")
		return err
	}
	return httpmw.Table{Prefix: "/hub", Routes: []httpmw.Route{
		{Method: "GET", Path: "/home", Access: httpmw.LoggedIn(), Handler: page}, {Method: "POST", Path: "/home", Access: httpmw.LoggedIn(), Handler: page},
		{Method: "GET", Path: "/login", Access: httpmw.Public(), Handler: page, Name: "jupyterhub.handlers.login.LoginHandler"},
	}}
}

// ask sends a request; headers are pairs.
func (s *site) ask(method, path string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.http.URL+path, nil)
	fatal(s.t, err)
	r.URL.Opaque, _, _ = strings.Cut(path, "?") // as it is written
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	fatal(s.t, err)
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

// login is the Cookie header of alice's browser.
func (s *site) login(session string) string {
	h := http.Header{}
	s.cookies.SetLogin(h, false, s.alice.CookieID)
	line := strings.SplitN(h.Get("Set-Cookie"), ";", 2)[0]
	if session != "" {
		line += "; " + httpmw.SessionCookie + "=" + session
	}
	return line
}

func whoIs(t *testing.T, body string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	name, _ := m["name"].(string)
	return name
}

func TestCredentials(t *testing.T) {
	s := newSite(t)
	cookie := s.login("5e55")
	xsrf := s.xsrf.New(s.xsrf.UserTokenID("5e55", s.alice.CookieID))
	tests := []struct {
		name, method string
		headers      []string
		want         string // who, or status
	}{
		{"nobody", "GET", nil, ""},
		{"token", "GET", []string{"Authorization", "token " + s.token}, "alice"},
		{"TOKEN", "GET", []string{"Authorization", "TOKEN " + s.token}, "alice"},
		{"Bearer", "GET", []string{"Authorization", "Bearer " + s.token}, "alice"},
		{"two spaces", "GET", []string{"Authorization", "bearer  " + s.token}, "alice"},
		{"other scheme", "GET", []string{"Authorization", "Basic " + s.token}, ""},
		{"no scheme", "GET", []string{"Authorization", s.token}, ""},
		{"two values", "GET", []string{"Authorization", "token " + s.token + " x"}, ""},
		{"two headers", "GET", []string{"Authorization", "token " + s.token, "Authorization", "token x"}, ""},
		{"too long", "GET", []string{"Authorization", "token " + strings.Repeat("x", 5000)}, ""},
		{"token needs no xsrf", "POST", []string{"Authorization", "token " + s.token}, "alice"},
		{"cookie", "GET", []string{"Cookie", cookie}, "alice"},
		{"wrong token falls back to the cookie", "GET", []string{"Authorization", "token nosuch00", "Cookie", cookie}, "alice"},
		{"malformed header falls back to the cookie", "GET", []string{"Authorization", "token", "Cookie", cookie}, "alice"},
		{"forged cookie", "GET", []string{"Cookie", httpmw.LoginCookie + "=\"2|1:0|x\""}, ""},
		{"cookie, script without xsrf", "GET", []string{"Cookie", cookie, "Sec-Fetch-Mode", "cors"}, "403"},
		{"cookie, script with xsrf", "GET", []string{"Cookie", cookie + "; _xsrf=" + xsrf, "Sec-Fetch-Mode", "cors", "X-XSRFToken", xsrf}, "alice"},
		{"cookie POST without xsrf (GHSA-7xx3-qp5w-fw96)", "POST", []string{"Cookie", cookie}, "403"},
		{"cookie PATCH without xsrf", "PATCH", []string{"Cookie", cookie}, "403"},
		{"cookie POST with self-made xsrf (GHSA-7r3h-4ph8-w38g)", "POST", []string{"Cookie", cookie + "; _xsrf=abc", "X-XSRFToken", "abc"}, "403"},
		{"cookie POST with the token of an anonymous page", "POST", []string{"Cookie", cookie, "X-XSRFToken", s.xsrf.New("None:x")}, "403"},
		{"cookie POST no-cors (GHSA-m68r-v472-jgq9)", "POST", []string{"Cookie", cookie, "Sec-Fetch-Mode", "no-cors"}, "403"},
		{"same-origin no-cors GET", "GET", []string{"Cookie", cookie, "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "same-origin"}, "alice"},
		{"cookie POST with xsrf", "POST", []string{"Cookie", cookie + "; _xsrf=" + xsrf, "X-XSRFToken", xsrf}, "alice"},
		{"cookie POST that is no JSON is anonymous", "POST", []string{"Cookie", cookie + "; _xsrf=" + xsrf, "X-XSRFToken", xsrf, "Content-Type", "text/plain"}, ""},
		{"the same from another origin", "POST", []string{"Cookie", cookie, "Content-Type", "text/plain", "Origin", "http://evil.test"}, "403"},
	}
	for _, tt := range tests {
		resp, body := s.ask(tt.method, "/hub/api/who", tt.headers...)
		if resp.StatusCode == 403 && tt.want == "403" {
			continue
		}
		if resp.StatusCode != 200 || whoIs(t, body) != tt.want {
			t.Errorf("%s: %d %s, want %q", tt.name, resp.StatusCode, body, tt.want)
		}
	}
	if resp, _ := s.ask("GET", "/hub/home", "Authorization", "token "+s.token); resp.StatusCode != 302 {
		t.Errorf("a page took a token: %d", resp.StatusCode)
	}
	if strings.Contains(s.log.String(), s.token) || strings.Contains(s.log.String(), xsrf) {
		t.Error("a secret is in the log")
	}
}

func TestSessionCookies(t *testing.T) {
	s := newSite(t)
	resp, body := s.ask("GET", "/hub/api/who", "Cookie", s.login(""))
	if set := strings.Join(resp.Header["Set-Cookie"], "\n"); !strings.Contains(set, httpmw.SessionCookie+"=") || strings.Contains(body, `"session":""`) {
		t.Errorf("a login without session id gets none: %q %s", set, body)
	}
	if resp, _ := s.ask("GET", "/hub/api/who", "Cookie", s.login("5e55")); len(resp.Header["Set-Cookie"]) != 0 {
		t.Errorf("needless cookies: %v", resp.Header["Set-Cookie"])
	}
	for _, cookie := range []string{httpmw.LoginCookie + "=nonsense", strings.Replace(s.login(""), "2|1", "2|9", 1)} {
		resp, _ := s.ask("GET", "/hub/api/who", "Cookie", cookie)
		if set := strings.Join(resp.Header["Set-Cookie"], "\n"); !strings.Contains(set, httpmw.LoginCookie+`="";`) && !strings.Contains(set, httpmw.LoginCookie+"=;") {
			t.Errorf("invalid login cookie stays: %q", set)
		}
	}
	resp, _ = s.ask("GET", "/hub/login")
	if token := resp.Header.Get("X-Page-Token"); token == "" || !strings.Contains(strings.Join(resp.Header["Set-Cookie"], "\n"), "_xsrf="+token) {
		t.Errorf("page token %q, cookies %v", token, resp.Header["Set-Cookie"])
	}
	if resp, _ = s.ask("GET", "/hub/login", "Sec-Fetch-Mode", "cors"); len(resp.Header["Set-Cookie"]) != 0 {
		t.Errorf("a script got a new _xsrf: %v", resp.Header["Set-Cookie"])
	}
}

func TestAnonymousOnPages(t *testing.T) {
	s := newSite(t)
	resp, _ := s.ask("GET", "/hub/home?a=b&c=%0d%0aX:y")
	if loc := resp.Header.Get("Location"); resp.StatusCode != 302 || loc != "/hub/login?next=%2Fhub%2Fhome%3Fa%3Db%26c%3D%250d%250aX%3Ay" {
		t.Errorf("%d %q", resp.StatusCode, loc)
	}
	if resp, _ = s.ask("POST", "/hub/home"); resp.StatusCode != 403 {
		t.Errorf("POST: %d", resp.StatusCode)
	}
}

func TestRefresh(t *testing.T) {
	for _, tt := range []struct {
		name, credential string
		strict, ok       bool
		want             string
	}{
		{"cookie, still valid", "cookie", false, true, "alice"}, {"cookie, no longer valid", "cookie", false, false, ""},
		{"token, no longer valid", "token", false, false, "alice"}, {"token, strict", "token", true, false, ""}, {"token, strict and valid", "token", true, true, "alice"},
	} {
		s := newSite(t, func(o *siteOptions) { o.strict, o.age = tt.strict, time.Hour })
		s.auth.ok = tt.ok
		headers := []string{"Cookie", s.login("5e55")}
		if tt.credential == "token" {
			headers = []string{"Authorization", "token " + s.token}
		}
		resp, body := s.ask("GET", "/hub/api/who", headers...)
		if resp.StatusCode != 200 || whoIs(t, body) != tt.want {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, body)
		}
		if n := s.auth.count(); n != 1 {
			t.Errorf("%s: refreshed %d times in one request", tt.name, n)
		}
	}
}

func TestRefreshChangesTheIdentityOfTheRequest(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.age = time.Hour })
	admin := true
	s.auth.model = &auth.Model{Name: "alice", Admin: &admin}
	s.ask("GET", "/hub/api/who", "Authorization", "token "+s.token)
	id, err := s.access.OfUser(t.Context(), s.alice.ID)
	fatal(t, err)
	if !id.IsAdmin() {
		t.Error("the refreshed model was not applied")
	}
}

func TestForwardedHeaders(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, tt := range []struct {
		name       string
		trusted    []netip.Prefix
		headers    []string
		ip, scheme string
	}{
		{"untrusted peer", nil, []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https"}, "127.0.0.1", "http"},
		{"trusted peer", loopback, []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https"}, "1.2.3.4", "https"},
		{"right-most that is not trusted", loopback, []string{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 127.0.0.9"}, "1.2.3.4", "http"},
		{"nonsense ends the chain", loopback, []string{"X-Forwarded-For", "1.2.3.4, evil"}, "127.0.0.1", "http"},
		{"X-Real-Ip", loopback, []string{"X-Real-Ip", "5.6.7.8", "X-Scheme", "HTTPS, http"}, "5.6.7.8", "https"},
		{"unknown scheme", loopback, []string{"X-Forwarded-Proto", "javascript"}, "127.0.0.1", "http"},
	} {
		s := newSite(t, func(o *siteOptions) { o.trusted = tt.trusted })
		_, body := s.ask("GET", "/hub/api/who", tt.headers...)
		if !strings.Contains(body, `"ip":"`+tt.ip+`"`) || !strings.Contains(body, `"scheme":"`+tt.scheme+`"`) {
			t.Errorf("%s: %s", tt.name, body)
		}
	}
}

func TestErrorsAndHeaders(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.headers = map[string]string{"X-Extra": "yes"} })
	api := "frame-ancestors 'none'; report-uri /hub/security/csp-report; default-src 'none'"
	for _, tt := range []struct {
		method, path string
		status       int
		body         string // contained
		html         bool
	}{
		{"GET", "/hub/api/who", 200, `"name":""`, false}, {"GET", "/hub/api/user", 403, `{"status":403,"message":null}`, false},
		{"GET", "/hub/api/nosuch", 404, `"message":null`, false}, {"PUT", "/hub/api/who", 405, `"message":null`, false}, {"BREW", "/hub/api/who", 405, `405`, false},
		{"GET", "/hub/api/panic", 500, `"message":"Internal Server Error","request_id":"`, false}, {"GET", "/hub/api/fail", 500, `Internal Server Error`, false},
		{"GET", "/hub/api/db", 503, `database`, false}, {"GET", "/hub/api/throttled", 429, `"slow down"`, false}, {"OPTIONS", "/hub/api/who", 200, "", false},
		{"GET", "/hub/nosuch", 404, "<p>no page</p>", true}, {"PUT", "/hub/home", 405, "<p>", true}, {"GET", "/elsewhere", 404, "<p>", true}, {"GET", "/", 404, "<p>", true},
		{"GET", "/hub/api/users/%ff/servers/x", 404, "404", false}, {"GET", "/hub/api/users/a%00b/servers/x", 404, "404", false},
	} {
		resp, body := s.ask(tt.method, tt.path)
		h := resp.Header
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, resp.StatusCode, body)
		}
		wantCSP, wantType := api, "application/json"
		if tt.html {
			wantCSP, wantType = strings.TrimSuffix(api, "; default-src 'none'"), "text/html"
		}
		if h.Get("Content-Security-Policy") != wantCSP || !strings.HasPrefix(h.Get("Content-Type"), wantType) || h.Get("X-JupyterHub-Version") != "6.1.1" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Headers") != "accept, content-type, authorization" || h.Get("X-Extra") != "yes" || h.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: headers %v", tt.method, tt.path, h)
		}
		if tt.status == 405 && !strings.Contains(h.Get("Allow"), "GET") {
			t.Errorf("%s %s: Allow %q", tt.method, tt.path, h.Get("Allow"))
		}
		if strings.Contains(body, "secret detail") || strings.Contains(body, "disk on fire") {
			t.Errorf("%s %s shows internals: %s", tt.method, tt.path, body)
		}
	}
	if resp, _ := s.ask("GET", "/hub/api/throttled"); resp.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
	}
	resp, body := s.ask("GET", "/hub/api/panic")
	id := resp.Header.Get("X-Request-Id")
	if !strings.Contains(body, id) || !strings.Contains(s.log.String(), id) || !strings.Contains(s.log.String(), "secret detail") {
		t.Error("the request id does not lead from the answer to the panic in the log")
	}
	for _, path := range []string{"/hub/api/late-panic", "/hub/api/late-error"} { // the client must see that something is missing
		r, err := http.Get(s.http.URL + path)
		if err == nil {
			_, err = io.ReadAll(r.Body)
			_ = r.Body.Close()
		}
		if err == nil {
			t.Errorf("%s ends as if it were complete", path)
		}
	}
}

func TestStreamAndHijack(t *testing.T) {
	s := newSite(t)
	if resp, body := s.ask("GET", "/hub/api/stream"); resp.StatusCode != 200 || body != "x\nx\nx\n" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	fatal(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET /hub/api/hijack HTTP/1.1\r\nHost: x\r\n\r\n")
	b, _ := io.ReadAll(bufio.NewReader(conn))
	if !bytes.HasSuffix(b, []byte("raw")) || bytes.Count(b, []byte("HTTP/1.1")) != 1 {
		t.Errorf("%q", b)
	}
}

func TestBaseURLSpellings(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.base = "/@/space%20word/" })
	for _, base := range []string{"/@/space%20word", "/%40/space%20word", "/%40/%73pace%20word"} {
		for path, want := range map[string]string{
			"/hub/api/users/a@b/servers/x": `"server":"x","session":"","user":"a@b"`, "/hub/api/users/a%40b/servers/x": `"user":"a@b"`,
			"/hub/api/users/%C3%BC~%25z%20w/servers/%2F%2e": `"server":"/.","session":"","user":"ü~%z w"`, "/hub/api/users/a%2540b/servers/": `"server":"","session":"","user":"a%40b"`,
		} {
			if resp, body := s.ask("GET", base+path); resp.StatusCode != 200 || !strings.Contains(body, want) {
				t.Errorf("%s%s: %d %s", base, path, resp.StatusCode, body)
			}
		}
	}
	// below the host's root base_url comes after the name (RFC 8414 section 3.1)
	for _, path := range []string{"/@/space%20word/.well-known/thing", "/.well-known/thing/@/space%20word", "/.well-known/thing/%40/space%20word/"} {
		if resp, body := s.ask("GET", path); resp.StatusCode != 200 || !strings.Contains(body, "the thing") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if resp, body := newSite(t).ask("GET", "/.well-known/thing"); resp.StatusCode != 200 || !strings.Contains(body, "the thing") {
		t.Errorf("without a base: %d %s", resp.StatusCode, body)
	}
	for _, path := range []string{"/.well-known/thing", "/.well-known/thing/@", "/.well-known/thing/other/place", "/hub/api/who", "/@/space/hub/api/who", "/@/space%20word", "/@/space%2520word/hub/api/who", "//@/space%20word/hub/api/who"} {
		if resp, _ := s.ask("GET", path); resp.StatusCode != 404 {
			t.Errorf("%s is inside: %d", path, resp.StatusCode)
		}
	}
}

func TestRequestLog(t *testing.T) {
	s := newSite(t)
	s.ask("GET", "/hub/api/who?token=SECRET1&client_secret=SECRET2&x=1&next=%2Fa%3Fcode%3DSECRET3")
	s.ask("GET", "/hub/api/authorizations/token/SECRET4")
	s.ask("GET", "/hub/login?password=SECRET5&_xsrf=SECRET6")
	s.ask("GET", "/hub/home?state=SECRET7")
	s.http.Close() // waits for the ends of all requests, which are logged and observed after the answer
	log := s.log.String()
	if strings.Contains(log, "SECRET") {
		t.Errorf("secrets in the log:\n%s", log)
	}
	for _, want := range []string{`"msg":"request","status":200,"method":"GET","uri":"/hub/api/who?token=[secret]&client_secret=[secret]&x=1&next=`, `"ip":"127.0.0.1"`, `"level":"WARN","msg":"request","status":404`, `"location":"/hub/login?next=`} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
	if got := strings.Join(s.seen, "; "); got != "GET minihub.hub.api.who 200; GET jupyterhub.handlers.login.LoginHandler 200; GET minihub.hub.home 302" {
		t.Errorf("observed %s", got)
	}
}

// refresher is an authenticator whose logins go stale.
type refresher struct {
	auth.Null
	mu    sync.Mutex
	ok    bool
	model *auth.Model
	calls int
}

func (a *refresher) Refresh(context.Context, auth.User) (bool, *auth.Model, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	return a.ok, a.model, nil
}

func (a *refresher) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
