package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

// credentials is a login form that is right.
func credentials(name string) url.Values {
	return url.Values{"username": {name}, "password": {"right"}}
}

func TestLoginGoesOn(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.start(w.user("running"), "")
	for _, row := range []struct{ name, user, query, want string }{
		{"own server", "alice", "", "/hub/spawn"},
		{"own server runs", "running", "", "/user/running/"},
		{"next", "alice", "?next=%2Fhub%2Ftoken%3Fa%3D1", "/hub/token?a=1"},
		{"other arguments", "alice", "?a=1&b=2", "/hub/spawn?a=1&b=2"},
		{"other arguments with next", "alice", "?a=1&next=/hub/home", "/hub/home"},
		{"other host", "alice", "?next=https%3A%2F%2Fevil.test%2F", "/hub/spawn"},
		{"protocol relative", "alice", "?next=%2F%2Fevil.test", "/hub/spawn"},
		{"three slashes", "alice", "?next=%2F%2F%2Fevil.test%2Fa", "/hub/spawn"},
		{"backslash", "alice", "?next=%2F%5Cevil.test", "/%5Cevil.test"},
		{"relative", "alice", "?next=foo", "/hub/spawn"},
		{"script", "alice", "?next=javascript%3Aalert(1)", "/hub/spawn"},
		{"line break", "alice", "?next=%2Fa%0d%0aX%3A1", "/hub/spawn"},
		{"own origin, double slash", "alice", "?next=" + url.QueryEscape(w.url+"//evil.test/"), "/evil.test/"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := w.as("")
			b.get("/hub/login" + row.query)
			a := b.post("/hub/login"+row.query, credentials(row.user))
			if a.status != 302 || a.location() != row.want {
				t.Errorf("%d %q, want %q", a.status, a.location(), row.want)
			}
			// the same for somebody who is logged in already
			if a := b.get("/hub/login" + row.query); a.status != 302 || a.location() != row.want {
				t.Errorf("again: %d %q, want %q", a.status, a.location(), row.want)
			}
		})
	}
}

func TestLoginRefused(t *testing.T) {
	w := newWorld(t, worldOptions{})
	long := strings.Repeat("x", 500_000)
	for _, row := range []struct {
		name   string
		form   url.Values
		status int
		want   string
		not    string
	}{
		{"wrong password", url.Values{"username": {"alice"}, "password": {"secret-typo"}}, 403, "Invalid username or password", "secret-typo"},
		{"no fields", url.Values{}, 403, "Invalid username or password", "None"},
		{"long name", url.Values{"username": {long}, "password": {"x"}}, 403, "Invalid username or password", strings.Repeat("x", 33)},
		{"wrong token", url.Values{"username": {"alice"}, "password": {"right"}, "_xsrf": {"forged"}}, 403, "Login form invalid or expired. Try again.", "XSRF cookie"},
		{"markup", url.Values{"username": {`"><img src=x>`}, "password": {"x"}}, 403, "&lt;img src=x&gt;", "<img src=x>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := w.as("")
			b.get("/hub/login")
			a := b.post("/hub/login?next=/hub/home", row.form)
			if a.status != row.status || !strings.Contains(a.body, row.want) || strings.Contains(a.body, row.not) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if !strings.Contains(a.body, `name="password"`) || !strings.Contains(a.body, `action="/hub/login?next=%2Fhub%2Fhome"`) {
				t.Error("the form is not shown again")
			}
			if a := b.get("/hub/home"); a.location() != "/hub/login?next=%2Fhub%2Fhome" {
				t.Errorf("logged in: %d %s", a.status, a.location())
			}
		})
	}
	if strings.Contains(w.log.String(), strings.Repeat("x", 40)) {
		t.Error("the long name is in the log")
	}
}

func TestLoginThrottled(t *testing.T) {
	w := newWorld(t, worldOptions{throttle: auth.NewThrottle(auth.ThrottleOptions{})})
	b := w.as("")
	b.get("/hub/login")
	for range 200 {
		a := b.post("/hub/login", url.Values{"username": {"alice"}, "password": {"wrong"}})
		if a.status == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "Too many failed logins") || !strings.Contains(a.body, `name="password"`) {
				t.Errorf("%v %s", a.header, a.body)
			}
			return
		}
	}
	t.Error("never throttled")
}

// TestAutoLoginIsNoGuess: who opens pages without being known does not lock out the people behind the same address; whoever sends
// credentials along is counted.
func TestAutoLoginIsNoGuess(t *testing.T) {
	w := newWorld(t, worldOptions{throttle: auth.NewThrottle(auth.ThrottleOptions{PerUser: 3, PerIP: 5}),
		edit: func(_ *world, o *web.Options) { o.Traits.Logins.AutoLogin = true }})
	for i := range 20 {
		if a := w.as("").get("/hub/login"); a.status != http.StatusForbidden {
			t.Fatalf("request %d that says nothing: %d", i+1, a.status)
		}
	}
	b := w.as("")
	b.get("/hub/home")
	for range 10 {
		if a := b.get("/hub/login", "Authorization", "Basic YWxpY2U6d3Jvbmc="); a.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("guesses in a header are never throttled")
}

func TestSessionIsNewAtLogin(t *testing.T) {
	w := newWorld(t, worldOptions{})
	b := w.as("")
	target := need(url.Parse(w.url + "/hub/"))
	b.client.Jar.SetCookies(target, []*http.Cookie{{Name: "jupyterhub-session-id", Value: "planted", Path: "/"}})
	b.get("/hub/login")
	b.post("/hub/login", credentials("alice"))
	first := b.cookie("jupyterhub-session-id")
	if first == "planted" || len(first) != 32 {
		t.Errorf("session id after login: %q", first)
	}
	// The same person once more, as from another tab: the session stays, and so do its tokens.
	b.post("/hub/login", credentials("alice"))
	if b.cookie("jupyterhub-session-id") != first {
		t.Error("a second login of the same person began a new session")
	}
	alice := w.user("alice")
	token, _, err := w.tokens.Issue(t.Context(), orm.APIToken{UserID: &alice.ID, SessionID: &first}, []string{"inherit"})
	if err != nil {
		t.Fatal(err)
	}
	b.post("/hub/login", credentials("bob"))
	if b.cookie("jupyterhub-session-id") == first {
		t.Error("another person got the same session")
	}
	if id, err := w.access.ByToken(t.Context(), token); id != nil || err != nil {
		t.Error("what alice's session had been given works while bob is logged in:", err)
	}
	if a := b.get("/hub/home"); !strings.Contains(a.body, "bob") {
		t.Error(a.status, a.location())
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.Logins.ShutdownOnLogout = true }})
	alice := w.user("alice")
	w.start(alice, "")
	b, other := w.as("alice"), w.as("alice")
	issue := func(session string) string {
		token, _, err := w.tokens.Issue(t.Context(), orm.APIToken{UserID: &alice.ID, SessionID: &session}, []string{"inherit"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	mine, others := issue(b.cookie("jupyterhub-session-id")), issue(other.cookie("jupyterhub-session-id"))
	// Without a login nothing happens, whatever the session cookie says.
	w.as("").get("/hub/logout", "Cookie", "jupyterhub-session-id="+b.cookie("jupyterhub-session-id"))
	if id, err := w.access.ByToken(t.Context(), mine); id == nil || err != nil {
		t.Fatal("a forged logout revoked a token", err)
	}
	a := b.get("/hub/logout")
	if a.status != 302 || a.location() != "/hub/login" {
		t.Errorf("%d %s", a.status, a.location())
	}
	if id, _ := w.access.ByToken(t.Context(), mine); id != nil {
		t.Error("the session's token still works")
	}
	if id, _ := w.access.ByToken(t.Context(), others); id == nil {
		t.Error("another session's token is gone")
	}
	for _, name := range []string{"jupyterhub-hub-login", "jupyterhub-session-id", "_xsrf"} {
		if b.cookie(name) != "" {
			t.Errorf("cookie %s is still there", name)
		}
	}
	if v := need(w.servers.View(t.Context(), alice, "")); v.Active {
		t.Error("shutdown_on_logout: the server runs")
	}
}

func TestLoginPageVariants(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Look.TemplateVars = map[string]any{"login_term_url": "/terms"} }})
	for _, row := range []struct {
		name      string
		page      auth.Page
		want, not string
	}{
		{"form", auth.Page{}, `href="/terms"`, "otp"},
		{"one-time password", auth.Page{RequestOTP: true, OTPPrompt: "Key:"}, ">Key:</label>", "Sign in with"},
		{"service", auth.Page{Service: "Git<b>Lab"}, "Sign in with Git&lt;b&gt;Lab", `name="password"`},
		{"custom", auth.Page{CustomHTML: `<p class="own">{{ login_url }} {{ next }}</p>`}, `<p class="own">/hub/login %2Fhub%2Fhome</p>`, `name="password"`},
		{"none", auth.Page{NoForm: true}, "API tokens only", `name="password"`},
		{"broken custom", auth.Page{CustomHTML: `{% if %}`}, "Internal Server Error", "{% if"},
	} {
		*w.page = row.page
		a := w.as("").get("/hub/login?next=/hub/home")
		if !strings.Contains(a.body, row.want) || strings.Contains(a.body, row.not) {
			t.Errorf("%s: %d %s", row.name, a.status, a.body)
		}
	}
}

func TestTheFieldForAOneTimePasswordIsForEveryAuthenticator(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Traits.Logins.RequestOTP, o.Traits.Logins.OTPPrompt = true, "Code of your telephone"
	}})
	a := w.as("").get("/hub/login")
	if !strings.Contains(a.body, ">Code of your telephone</label>") || !strings.Contains(a.body, `name="otp"`) {
		t.Errorf("request_otp: %d %s", a.status, a.body)
	}
}

func TestAutoLogin(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.Logins.AutoLogin = true }})
	if a := w.as("").get("/hub/login"); a.status != 403 {
		t.Errorf("request that says nothing: %d", a.status)
	}
	if a := w.as("").get("/hub/login", "X-Portal", "x"); a.status != http.StatusGone || !strings.Contains(a.body, "Come from the portal again") {
		t.Errorf("request that the authenticator refuses in its own words: %d %s", a.status, a.body)
	}
	*w.page = auth.Page{LoginURL: "/hub/oauth_login"}
	if a := w.as("").get("/hub/login?next=/hub/token"); a.location() != "/hub/oauth_login?next=%2Fhub%2Ftoken" {
		t.Errorf("%d %s", a.status, a.location())
	}
	if a := w.as("").get("/hub/home"); a.location() != "/hub/login?next=%2Fhub%2Fhome" {
		t.Errorf("login_url: %d %s", a.status, a.location())
	}
	if a := w.as("").get("/hub/logout"); a.status != 200 || !strings.Contains(a.body, "logged out") {
		t.Errorf("logout: %d", a.status)
	}
}

// With Authenticator.auto_login_oauth2_authorize an application's login does not stop at the hub's login page; everything else does.
func TestAutoLoginForApplications(t *testing.T) {
	for _, c := range []struct {
		on         bool
		page, path string
		want       string
	}{
		{true, "/jhub/hub/oauth_login", "/jhub/hub/api/oauth2/authorize?client_id=x&state=y", "/jhub/hub/oauth_login"},
		{true, "", "/jhub/hub/api/oauth2/authorize?client_id=x", "/jhub/hub/login"},
		{true, "/jhub/hub/oauth_login", "/jhub/hub/home", "/jhub/hub/login"},
		{false, "/jhub/hub/oauth_login", "/jhub/hub/api/oauth2/authorize", "/jhub/hub/login"},
	} {
		w := newWorld(t, worldOptions{base: "/jhub/", edit: func(_ *world, o *web.Options) { o.Traits.Logins.AutoLoginOAuth2 = c.on }})
		*w.page = auth.Page{LoginURL: c.page}
		if got := w.site.Pages().LoginURL(httptest.NewRequest(http.MethodGet, c.path, nil)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestLoginCookies(t *testing.T) {
	w := newWorld(t, worldOptions{base: "/jhub/"})
	b := w.as("")
	a := b.get("/jhub/hub/login")
	if c := a.header.Get("Set-Cookie"); !strings.HasPrefix(c, "_xsrf=") || !strings.Contains(c, "Path=/jhub/hub/") || !strings.Contains(c, "Max-Age=3600") {
		t.Errorf("login page: %s", c)
	}
	if a := b.get("/jhub/hub/login", "Sec-Fetch-Mode", "cors"); len(a.header["Set-Cookie"]) != 0 {
		t.Errorf("a script got cookies: %v", a.header["Set-Cookie"])
	}
	begin := time.Now()
	u := need(url.Parse(w.url + "/jhub/hub/"))
	form := credentials("alice")
	for _, c := range b.client.Jar.Cookies(u) {
		form.Set(c.Name, c.Value)
	}
	a = b.post("/jhub/hub/login", form)
	all := strings.Join(a.header["Set-Cookie"], "\n")
	for _, want := range []string{"jupyterhub-session-id=", "jupyterhub-hub-login=", "_xsrf=", "HttpOnly"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %s", want, all)
		}
	}
	if strings.Count(all, "_xsrf=") != 1 || a.status != 302 || time.Since(begin) > time.Minute {
		t.Errorf("%d %s", a.status, all)
	}
}
