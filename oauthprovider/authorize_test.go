package oauthprovider_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/oauthprovider"
	"github.com/minihub/minihub/orm"
)

// Before client and redirect URI are known to be good nothing may be redirected (RFC 6749 section 4.1.2.1).
func TestClientAndRedirectURI(t *testing.T) {
	s := newSite(t)
	noErr(t, s.store.SaveOAuthClient(t.Context(), &orm.OAuthClient{Identifier: "orphan", Secret: orm.HashToken("x", 1), RedirectURI: "/orphan"}))
	alice := s.browser("alice")
	otherURI := "https://other.test:8443/cb?keep=1"
	app := func(uri string) string { return "client_id=" + appID + "&redirect_uri=" + url.QueryEscape(uri) }
	other := func(uri string) string { return "client_id=service-other&redirect_uri=" + url.QueryEscape(uri) }
	tests := map[string]string{
		"unknown client":            "client_id=nobody",
		"no client":                 "redirect_uri=" + url.QueryEscape(appCallback),
		"empty client":              "client_id=",
		"the hub itself":            "client_id=jupyterhub",
		"client without secret":     "client_id=service-bare",
		"client of nothing":         "client_id=orphan",
		"NUL in the client":         "client_id=service-app%00",
		"not UTF-8":                 "client_id=%ff%fe",
		"SQL in the client":         "client_id=" + url.QueryEscape("' OR 1=1 --"),
		"10 kB client":              "client_id=" + strings.Repeat("a", 10_000),
		"bad escape":                "client_id=service-app&x=%zz",
		"unregistered":              app("https://evil.test/cb"),
		"slash added":               app(appCallback + "/"),
		"letter added":              app(appCallback + "x"),
		"query added":               app(appCallback + "?x=1"),
		"fragment added":            app(appCallback + "#f"),
		"scheme-relative":           app("//evil.test" + appCallback),
		"absolute form":             app("http://127.0.0.1" + appCallback),
		"dot segments":              app("/services/app/../app/oauth_callback"),
		"escaped letter":            app("/services/%61pp/oauth_callback"),
		"upper case":                app(strings.ToUpper(appCallback)),
		"another client's":          app(otherURI),
		"other scheme":              other(strings.Replace(otherURI, "https", "http", 1)),
		"other host":                other(strings.Replace(otherURI, "other.test", "evil.test", 1)),
		"other port":                other(strings.Replace(otherURI, ":8443", "", 1)),
		"user info trick":           other("https://other.test:8443@evil.test/cb?keep=1"),
		"upper case host":           other(strings.Replace(otherURI, "other", "OTHER", 1)),
		"200 kB":                    other("https://[" + strings.Repeat("1:", 100_000)),
		"twice":                     app(appCallback) + "&redirect_uri=" + url.QueryEscape("https://evil.test/"),
		"twice, the good one later": app("https://evil.test/") + "&redirect_uri=" + url.QueryEscape(appCallback),
		"client twice":              app(appCallback) + "&client_id=service-other",
	}
	for name, q := range tests {
		t.Run(name, func(t *testing.T) {
			for _, responseType := range []string{"code", "token", ""} {
				a := alice.get("/hub/api/oauth2/authorize?" + q + "&response_type=" + responseType)
				if a.status != http.StatusBadRequest || a.header.Get("Content-Type") != "text/html" {
					t.Errorf("%q: %d %.200s", responseType, a.status, a.body)
				}
				if a.to != nil {
					t.Errorf("%q: redirected to %s", responseType, a.to)
				}
				if strings.Contains(a.body, "evil") {
					t.Errorf("the page repeats the request: %s", a.body)
				}
				if a.header.Get("Referrer-Policy") != "no-referrer" {
					t.Errorf("Referrer-Policy %q", a.header.Get("Referrer-Policy"))
				}
			}
		})
	}
}

// All other mistakes go back to the client, with the state and without a code.
func TestErrorsGoToTheClient(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	tests := []struct {
		name  string
		query string
		want  string
	}{
		{"implicit", "response_type=token", "unsupported_response_type"},
		{"id_token", "response_type=id_token", "unsupported_response_type"},
		{"none", "response_type=none", "unsupported_response_type"},
		{"hybrid", "response_type=code+token", "unsupported_response_type"},
		{"prefix", "response_type=codex", "unsupported_response_type"},
		{"upper case", "response_type=CODE", "unsupported_response_type"},
		{"no type", "", "invalid_request"},
		{"empty type", "response_type=", "invalid_request"},
		{"type twice", "response_type=code&response_type=token", "invalid_request"},
		{"scope twice", "response_type=code&scope=identify&scope=read:users:name", "invalid_request"},
		{"challenge twice", "response_type=code&code_challenge=" + challenge + "&code_challenge=" + challenge, "invalid_request"},
		{"unknown method", "response_type=code&code_challenge_method=S512&code_challenge=" + challenge, "invalid_request"},
		{"lower-case method", "response_type=code&code_challenge_method=s256&code_challenge=" + challenge, "invalid_request"},
		{"method alone", "response_type=code&code_challenge_method=S256", "invalid_request"},
		{"short challenge", "response_type=code&code_challenge_method=S256&code_challenge=" + challenge[:42], "invalid_request"},
		{"long challenge", "response_type=code&code_challenge=" + strings.Repeat("a", 129), "invalid_request"},
		{"bad alphabet", "response_type=code&code_challenge=" + challenge[:42] + "%2B", "invalid_request"},
		{"unknown scope", "response_type=code&scope=read:everything", "invalid_scope"},
		{"long scope", "response_type=code&scope=" + strings.Repeat("x", 5000), "invalid_scope"},
		{"no scope, no role", "response_type=code&scope=legacy+nothing", "invalid_scope"},
		{"hostile scope", "response_type=code&scope=" + url.QueryEscape("\"<script>\x00\\é"), "invalid_scope"},
		{"many scopes", "response_type=code&scope=" + strings.Repeat("x+", 600), "invalid_scope"},
		{"inherit", "response_type=code&scope=inherit", "invalid_scope"},
		{"self", "response_type=code&scope=self", "invalid_scope"},
		{"admin", "response_type=code&scope=admin:users", "invalid_scope"},
		{"more than allowed", "response_type=code&scope=read:users", "invalid_scope"},
		{"another service", "response_type=code&scope=access:services!service%3Dother", "invalid_scope"},
		{"role beyond the client", "response_type=code&scope=user", "invalid_scope"},
	}
	base := "/hub/api/oauth2/authorize?client_id=" + appID + "&redirect_uri=" + url.QueryEscape(appCallback) + "&state=st&"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := alice.get(base + tt.query)
			if a.status != http.StatusFound || a.to.Path != appCallback || a.to.Host != "" || a.to.Fragment != "" {
				t.Fatalf("%d %v %s", a.status, a.to, a.body)
			}
			q := a.to.Query()
			if q.Get("error") != tt.want || q.Get("state") != "st" || q.Has("code") || q.Has("access_token") {
				t.Errorf("%v", q)
			}
			if d := q.Get("error_description"); d == "" || len(d) > 500 || strings.ContainsAny(d, "\"\\\x00é") {
				t.Errorf("description %q", d)
			}
			if a.header.Get("Referrer-Policy") != "no-referrer" {
				t.Error("no Referrer-Policy")
			}
		})
	}
	a := alice.get("/hub/api/oauth2/authorize?client_id=" + appID + "&state=one&state=two&response_type=code")
	if a.status != http.StatusFound || a.to.Query().Get("error") != "invalid_request" {
		t.Errorf("state twice: %d %v", a.status, a.to)
	}
	if a := alice.get(base + "response_type=code&utm=1&utm=2"); a.status != http.StatusOK {
		t.Errorf("an unknown parameter is to be ignored, also twice: %d %v", a.status, a.to)
	}
}

func TestStateComesBackAsItWas(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	trusted := "/hub/api/oauth2/authorize?client_id=service-trusted&response_type="
	states := []string{"abc", "a b", "a+b", "a;b", "100%", "%41", `"'<>&=#?/\`, "ünï©ødé 🐱", "a\tb\r\nc", "\x00", "\xff\xfe", strings.Repeat("0123456789abcde", 100)}
	for _, state := range states {
		for _, responseType := range []string{"code", "token"} {
			a := alice.get(trusted + responseType + "&state=" + url.QueryEscape(state))
			if got := a.to.Query(); a.status != http.StatusFound || got.Get("state") != state || len(got["state"]) != 1 {
				t.Errorf("%s: state %q came back as %q", responseType, state, got["state"])
			}
		}
	}
	// A semicolon is no separator, whatever HTML 4 said.
	if a := alice.get(trusted + "code&state=a;b"); a.to == nil || a.to.Query().Get("state") != "a;b" {
		t.Errorf("raw semicolon: %v", a.to)
	}
	for _, responseType := range []string{"code", "token"} {
		if a := alice.get(trusted + responseType); a.to.Query().Has("state") {
			t.Errorf("a state was invented: %v", a.to)
		}
	}
}

// A registered redirect URI with a query keeps it.
func TestRedirectKeepsQuery(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	pairs := []string{"client_id", "service-other", "redirect_uri", "https://other.test:8443/cb?keep=1"}
	c := alice.consent(alice.get(authorizeURL(pairs...)))
	a := alice.post(authorizeURL(pairs...), url.Values{"_xsrf": {c.XSRF}})
	if got := a.to; a.status != http.StatusFound || got.Scheme != "https" || got.Host != "other.test:8443" || got.Query().Get("keep") != "1" || got.Query().Get("code") == "" {
		t.Errorf("%d %v", a.status, a.to)
	}
}

func TestPKCERequired(t *testing.T) {
	s := newSite(t, func(o *oauthprovider.Options) { o.RequirePKCE = true })
	alice := s.browser("alice")
	a := alice.get(authorizeURL())
	if a.status != http.StatusFound || a.to.Query().Get("error") != "invalid_request" || a.to.Query().Get("error_description") != "Code challenge required." {
		t.Errorf("%d %v", a.status, a.to)
	}
	code := alice.code("code_challenge", challenge, "code_challenge_method", "S256")
	s.exchange(code).want(t, http.StatusBadRequest, "invalid_request")
	s.exchange(code, "code_verifier", verifier).want(t, http.StatusOK, "")
}

// Who may not use what the client belongs to gets no code, and no page to agree on.
func TestTargetAccess(t *testing.T) {
	s := newSite(t)
	s.server("alice", "", "jupyterhub-user-alice")
	s.server("alice", "work/", "jupyterhub-user-alice-work")
	tests := []struct {
		user, client, target string
		ok                   bool
	}{
		{"alice", "jupyterhub-user-alice", "/user/alice/oauth_callback", true},
		{"alice", "jupyterhub-user-alice-work", "/user/alice/work/oauth_callback", true},
		{"bob", "jupyterhub-user-alice", "Server at /user/alice/", false},
		{"bob", "jupyterhub-user-alice-work", "Server at /user/alice/work/", false},
		{"bob", "service-closed", "JupyterHub service closed", false},
	}
	for _, tt := range tests {
		t.Run(tt.user+" "+tt.client, func(t *testing.T) {
			b := s.browser(tt.user)
			a := b.get(authorizeURL("client_id", tt.client, "redirect_uri", ""))
			switch {
			case tt.ok && (a.status != http.StatusFound || a.to.Path != tt.target || a.to.Query().Get("code") == ""):
				t.Errorf("%d %v %s", a.status, a.to, a.body)
			case !tt.ok && (a.status != http.StatusForbidden || !strings.Contains(a.body, "You do not have permission to access "+tt.target)):
				t.Errorf("%d %v %s", a.status, a.to, a.body)
			}
			xsrf := b.consent(b.get(authorizeURL("scope", "identify"))).XSRF
			if a := b.post(authorizeURL("client_id", tt.client, "redirect_uri", ""), url.Values{"_xsrf": {xsrf}}); (a.status == http.StatusFound) != tt.ok {
				t.Errorf("POST: %d %v", a.status, a.to)
			}
		})
	}
}

// What is granted: requested, allowed for the client, and held by the user at this moment.
func TestGrant(t *testing.T) {
	s := newSite(t)
	required := []string{appAccess, "read:users:groups!user", "read:users:name!user"}
	tests := []struct {
		user, scope string
		also        []string
	}{
		{"rita", "read:users:name custom:app:read", []string{"custom:app:read", "read:users:name"}},
		{"alice", "read:users:name", []string{"read:users:name!user=alice"}}, // held in part
		{"alice", "custom:app:read", nil},
		{"rita", "legacy", []string{"custom:app:read"}}, // a role, as clients of JupyterHub 2 wrote it
		{"rita", "identify", nil},
		{"rita", "identify custom:app:read", []string{"custom:app:read"}},
		{"rita", "custom:app:read!user", nil}, // a filter that the scope has nothing to do with
	}
	for _, tt := range tests {
		t.Run(tt.user+" "+tt.scope, func(t *testing.T) {
			code := s.browser(tt.user).code("scope", tt.scope)
			row, err := s.store.CodeByValue(t.Context(), code)
			noErr(t, err)
			got := map[string]bool{}
			for _, scope := range row.Scopes {
				got[scope] = true
			}
			for _, scope := range append(tt.also, required...) {
				if !got[scope] {
					t.Errorf("%s is missing", scope)
				}
				delete(got, scope)
			}
			delete(got, "custom:app:read!user="+tt.user)
			delete(got, "custom:app:read!user")
			if len(got) > 0 {
				t.Errorf("too much: %v", got)
			}
		})
	}
}

// The endpoint is a page: no other methods, and never an answer that repeats a POST elsewhere.
func TestMethods(t *testing.T) {
	s := newSite(t)
	b := s.browser("alice")
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		r, err := http.NewRequest(method, s.http.URL+authorizeURL(), nil)
		noErr(t, err)
		if a := b.do(r); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	r, err := http.NewRequest(http.MethodGet, s.http.URL+"/hub/api/oauth2/token?client_secret="+appSecret, nil)
	noErr(t, err)
	if a := b.do(r); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET token: %d", a.status)
	}
}

// A database that does not answer is no refusal.
func TestDatabaseGone(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	code := alice.code()
	noErr(t, s.store.Close())
	if a := alice.get(authorizeURL()); a.status < 500 || a.to != nil {
		t.Errorf("authorize: %d %v", a.status, a.to)
	}
	reply := s.exchange(code)
	if reply.status < 500 || reply.Error != "server_error" && reply.Error != "temporarily_unavailable" || strings.Contains(reply.body, "sql") {
		t.Errorf("token: %d %s", reply.status, reply.body)
	}
	if !strings.Contains(s.log.String(), "request_id="+fmt.Sprint(reply.header.Get("X-Request-Id"))) {
		t.Errorf("the log does not lead from the request to the reason:\n%s", s.log)
	}
}
