package toy_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/spawner/toy"
)

func TestMain(m *testing.M) {
	spawnertest.Main()
	goleak.VerifyTestMain(m)
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(3 * time.Millisecond)
	}
}

func TestToyConforms(t *testing.T) {
	spawnertest.Run(t, func(*testing.T) spawner.Driver { return toy.New(toy.Options{}) }, spawnertest.Options{
		Failing: func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
			req := spawnertest.Request(t, driver, id)
			req.UserOptions = map[string]any{"toy": map[string]any{"fail": "no room for this server"}}
			return req
		},
	})
}

var alice = spawner.Identity{UserName: "alice", ServerName: "work"}

func TestBrowserLogin(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.know("browser-token", "alice", "access:servers!user=alice", "read:users!user=alice")
	s.hub.login = "browser-token"
	b := newBrowser(t)

	first := b.get(s.url+"?from=mail", "Accept", "text/html")
	location := first.header.Get("Location")
	if first.status != http.StatusFound || !strings.HasPrefix(location, s.hub.URL+"/hub/api/oauth2/authorize?") {
		t.Fatalf("first visit: %d to %q", first.status, location)
	}
	cookie := first.header.Get("Set-Cookie")
	for _, want := range []string{"jupyterhub-user-alice-work-oauth-state-", "HttpOnly", "SameSite=Lax", "Path=/user/alice/work/", "Max-Age=600"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("state cookie %q has no %q", cookie, want)
		}
	}
	callback := b.get(location)
	arrived := b.get(callback.header.Get("Location"))
	if arrived.status != http.StatusFound || arrived.header.Get("Location") != "/user/alice/work/?from=mail" {
		t.Fatalf("callback: %d to %q: %s", arrived.status, arrived.header.Get("Location"), arrived.body)
	}
	if header := strings.Join(arrived.header.Values("Set-Cookie"), "\n"); strings.Contains(header, "browser-token") {
		t.Error("the token is readable in a cookie")
	}
	page := b.get(s.url, "Accept", "text/html")
	for _, want := range []string{`<strong id="name">alice</strong>`, "access:servers!user=alice", "g1", "JUPYTERHUB_API_TOKEN", "alice / work"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("page has no %q: %s", want, page.body)
		}
	}
	for _, secret := range []string{"0123456789abcdef", "browser-token"} {
		if strings.Contains(page.body, secret) {
			t.Errorf("page shows %q", secret)
		}
	}
	if page.header.Get("X-JupyterHub-Version") != toy.Version {
		t.Errorf("X-JupyterHub-Version is %q", page.header.Get("X-JupyterHub-Version"))
	}
	if asked := s.hub.count("/hub/api/user"); asked != 1 {
		t.Errorf("the hub was asked %d times, want one and then the cache", asked)
	}
	// The code and the state were used up.
	if again := b.get(callback.header.Get("Location")); again.status != http.StatusBadRequest {
		t.Errorf("second use of the callback: %d", again.status)
	}
	out := b.get(s.url + "logout")
	if out.status != http.StatusFound || out.header.Get("Location") != s.hub.URL+"/hub/logout" {
		t.Errorf("logout: %d to %q", out.status, out.header.Get("Location"))
	}
	if after := b.get(s.url, "Accept", "text/html"); after.status != http.StatusFound {
		t.Errorf("after logout: %d", after.status)
	}
}

func TestLogoutAtTheHubEndsTheSessionHere(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.know("tok", "alice", "access:servers")
	s.hub.login = "tok"
	b := newBrowser(t)
	here, _ := url.Parse(s.url)
	b.Jar.SetCookies(here, []*http.Cookie{{Name: "jupyterhub-session-id", Value: "s1", Path: "/"}})
	if a := b.follow(b.get(s.url), s.base); a.status != http.StatusOK {
		t.Fatalf("login: %d %s", a.status, a.body)
	}
	s.hub.mu.Lock()
	delete(s.hub.users, "tok")
	s.hub.mu.Unlock()
	b.Jar.SetCookies(here, []*http.Cookie{{Name: "jupyterhub-session-id", Value: "", Path: "/", MaxAge: -1}})
	if a := b.get(s.url); a.status != http.StatusFound {
		t.Errorf("after the hub's logout: %d, want a new login", a.status)
	}
}

func TestForeignCallbacksAreRefused(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.know("tok", "mallory", "access:servers")
	s.hub.login = "tok"
	victim, attacker := newBrowser(t), newBrowser(t)
	theirs := attacker.get(attacker.get(s.url).header.Get("Location")).header.Get("Location")
	_ = victim.get(s.url)
	for name, target := range map[string]string{
		"login of another browser": theirs,
		"no state":                 s.url + "oauth_callback?code=code-0",
		"nothing":                  s.url + "oauth_callback",
		"short state":              s.url + "oauth_callback?state=x&code=y",
	} {
		if a := victim.get(target); a.status != http.StatusBadRequest || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, cookies %q", name, a.status, a.header.Values("Set-Cookie"))
		}
	}
	if s.hub.count("/hub/api/oauth2/token") != 0 {
		t.Error("a code was exchanged")
	}
	// An error of the hub ends the login.
	b := newBrowser(t)
	location, _ := url.Parse(b.get(s.url).header.Get("Location"))
	a := b.get(s.url+"oauth_callback?error=access_denied&error_description=%3Cb%3E&state="+location.Query().Get("state"), "Accept", "text/html")
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "access_denied") || strings.Contains(a.body, "<b>") {
		t.Errorf("refused login: %d %s", a.status, a.body)
	}
}

func TestRedirectsStayInTheServer(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.know("tok", "alice", "access:servers")
	s.hub.login = "tok"
	for _, target := range []string{"//evil.example/user/alice/work/", "/user/alice/work/?next=//evil.example"} {
		b := newBrowser(t)
		req, _ := http.NewRequest(http.MethodGet, s.base, nil)
		req.URL.Opaque = target
		if strings.HasPrefix(target, "//") {
			req.URL.Opaque, req.URL.Path = "", "//evil.example/user/alice/work/"
		}
		resp, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound {
			continue // not below the prefix
		}
		a := b.get(resp.Header.Get("Location"))
		a = b.get(a.header.Get("Location"))
		if got := a.header.Get("Location"); !strings.HasPrefix(got, "/user/alice/work/") {
			t.Errorf("%q: redirected to %q", target, got)
		}
	}
}

func TestAccessByScopes(t *testing.T) {
	for _, c := range []struct {
		scopes []string
		want   int
	}{
		{[]string{"access:servers"}, 200},
		{[]string{"access:servers!user=alice"}, 200},
		{[]string{"access:servers!server=alice/work"}, 200},
		{[]string{"read:users", "access:servers!server=alice/work"}, 200},
		{[]string{"access:servers!server=alice/"}, 403},
		{[]string{"access:servers!server=alice/work2"}, 403},
		{[]string{"access:servers!user=alic"}, 403},
		{[]string{"access:servers!user=bob"}, 403},
		{[]string{"access:servers!group=g1"}, 403},
		{[]string{"access:services"}, 403},
		{[]string{"admin:users", "servers"}, 403},
		{nil, 403},
	} {
		s := startToy(t, alice, nil)
		s.hub.know("tok", "alice", c.scopes...)
		b := newBrowser(t)
		a := b.get(s.url+"whoami", "Authorization", "token tok")
		if a.status != c.want {
			t.Errorf("scopes %q: %d, want %d", c.scopes, a.status, c.want)
		}
		if c.want == 403 && !strings.Contains(a.body, "access:servers!user=alice") {
			t.Errorf("the refusal does not tell what is needed: %s", a.body)
		}
	}
}

func TestTokens(t *testing.T) {
	s := startToy(t, alice, func(req *spawner.Request) { req.Env["JUPYTERHUB_ALLOW_TOKEN_IN_URL"] = "1" })
	s.hub.know("tok", "alice", "access:servers")
	for name, c := range map[string]struct {
		target string
		header string
		want   int
	}{
		"token":            {"whoami", "token tok", 200},
		"bearer":           {"whoami", "Bearer tok", 200},
		"case":             {"whoami", "TOKEN tok", 200},
		"unknown token":    {"whoami", "token nope", 403},
		"unknown on page":  {"", "token nope", 403},
		"other scheme":     {"whoami", "Basic dG9r", 403},
		"nothing":          {"whoami", "", 403},
		"in the URL":       {"whoami?token=tok", "", 200},
		"wrong in the URL": {"?token=nope", "", 403},
		"status":           {"api/status", "token tok", 200},
		"status, nobody":   {"api/status", "", 403},
		"kernels":          {"api/kernels", "token tok", 200},
		"api is open":      {"api", "", 200},
		"no such page":     {"nope", "token tok", 404},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			headers := []string{"Accept", "application/json"}
			if c.header != "" {
				headers = append(headers, "Authorization", c.header)
			}
			a := b.get(s.url+c.target, headers...)
			if a.status != c.want {
				t.Errorf("%d, want %d: %s", a.status, c.want, a.body)
			}
			if name == "in the URL" {
				if again := b.get(s.url + "whoami"); again.status != 200 {
					t.Errorf("the next request without the token: %d", again.status)
				}
			}
		})
	}
	var me struct {
		Name, Kind string
		Scopes     []string
		Env        []string
	}
	if err := json.Unmarshal([]byte(newBrowser(t).get(s.url+"whoami", "Authorization", "token tok").body), &me); err != nil {
		t.Fatal(err)
	}
	if me.Name != "alice" || me.Kind != "user" || len(me.Scopes) != 1 || len(me.Env) < 15 {
		t.Errorf("whoami %+v", me)
	}
	closed := startToy(t, alice, nil)
	closed.hub.know("tok", "alice", "access:servers")
	if a := newBrowser(t).get(closed.url + "whoami?token=tok"); a.status != 403 {
		t.Errorf("token in the URL without permission: %d", a.status)
	}
}

func TestABrokenHubIsNoStatementAboutPeople(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.mu.Lock()
	s.hub.broken = true
	s.hub.mu.Unlock()
	if a := newBrowser(t).get(s.url+"whoami", "Authorization", "token tok"); a.status != http.StatusBadGateway {
		t.Errorf("hub answers 500: %d, want 502", a.status)
	}
	s.hub.Close()
	if a := newBrowser(t).get(s.url+"whoami", "Authorization", "token tok2"); a.status != http.StatusBadGateway {
		t.Errorf("hub is gone: %d, want 502", a.status)
	}
}

func TestPathsOfUnusualNames(t *testing.T) {
	for _, id := range []spawner.Identity{{UserName: "a@b"}, {UserName: "日本", ServerName: "x"}, {UserName: "a b"}, {UserName: "%"}} {
		s := startToy(t, id, nil)
		if a := newBrowser(t).get(s.url + "api"); a.status != 200 || !strings.Contains(a.body, `"version"`) {
			t.Errorf("%s: %d %s", id, a.status, a.body)
		}
		if a := newBrowser(t).get(s.base + "/elsewhere"); a.status != 404 {
			t.Errorf("outside the prefix: %d", a.status)
		}
		if a := newBrowser(t).get(strings.TrimSuffix(s.url, "/")); a.status != 302 {
			t.Errorf("without the slash: %d", a.status)
		}
	}
}

func TestSockets(t *testing.T) {
	s := startToy(t, alice, nil)
	s.hub.know("tok", "alice", "access:servers")
	auth := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"token tok"}}}
	for _, path := range []string{"ws", "api/kernels/123/channels?session_id=1"} {
		conn, _, err := websocket.Dial(t.Context(), s.url+path, auth)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		conn.SetReadLimit(1 << 20)
		for _, message := range []string{"hello", "", strings.Repeat("x", 100000)} {
			if err := conn.Write(t.Context(), websocket.MessageBinary, []byte(message)); err != nil {
				t.Fatal(err)
			}
			kind, got, err := conn.Read(t.Context())
			if err != nil || kind != websocket.MessageBinary || string(got) != message {
				t.Errorf("%s: echo of %d bytes is %d bytes, %v", path, len(message), len(got), err)
			}
		}
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
	for name, opts := range map[string]*websocket.DialOptions{
		"nobody":       nil,
		"foreign page": {HTTPHeader: http.Header{"Authorization": {"token tok"}, "Origin": {"https://evil.example"}}},
	} {
		conn, resp, err := websocket.Dial(t.Context(), s.url+"ws", opts)
		if err == nil {
			conn.CloseNow()
			t.Errorf("%s: connected", name)
		} else if resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	silent, _, err := websocket.Dial(t.Context(), s.url+"ws", auth) // never reads, so never answers the close frame
	if err != nil {
		t.Fatal(err)
	}
	defer silent.CloseNow()
	open, _, err := websocket.Dial(t.Context(), s.url+"ws", auth)
	if err != nil {
		t.Fatal(err)
	}
	defer open.CloseNow()
	read := make(chan error, 1)
	go func() {
		_, _, err := open.Read(context.Background())
		read <- err
	}()
	began := time.Now()
	if err := s.sp.Stop(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4500*time.Millisecond {
		t.Errorf("a silent client held up the stop for %v", took)
	}
	if err := <-read; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("an open socket ended with %v, want going away", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestActivityIsReported(t *testing.T) {
	s := startToy(t, alice, func(req *spawner.Request) { req.Env["JUPYTERHUB_ACTIVITY_INTERVAL"] = "0.01" })
	s.hub.know("tok", "alice", "access:servers")
	reports := func() []map[string]any {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		return s.hub.activity
	}
	if a := newBrowser(t).get(s.url+"whoami", "Authorization", "token tok"); a.status != 200 {
		t.Fatal(a)
	}
	eventually(t, "a report of the request", func() bool { return len(reports()) == 1 }) // and none of the start
	last := reports()[0]
	servers, _ := last["servers"].(map[string]any)
	work, _ := servers["work"].(map[string]any)
	stamp, _ := last["last_activity"].(string)
	if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil || work["last_activity"] != stamp {
		t.Errorf("report %v", last)
	}
	// Nothing happens, nothing is said: the readiness probe is nobody's activity.
	for range 20 {
		_ = newBrowser(t).get(s.url + "api")
	}
	if got := len(reports()); got != 1 {
		t.Errorf("%d reports without activity", got)
	}
}

func TestHostPrefixedCookies(t *testing.T) {
	s := startToy(t, alice, func(req *spawner.Request) { req.Env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] = "1" })
	cookie := newBrowser(t).get(s.url).header.Get("Set-Cookie")
	for _, want := range []string{"__Host-jupyterhub-user-alice-work", "Path=/;", "Secure"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q has no %q", cookie, want)
		}
	}
}

func TestWrongEnvironments(t *testing.T) {
	for name, value := range map[string]string{
		"JUPYTERHUB_API_TOKEN": "", "JUPYTERHUB_CLIENT_ID": "", "JUPYTERHUB_API_URL": "", "JUPYTERHUB_SERVICE_PREFIX": "user/alice",
		"JUPYTERHUB_OAUTH_ACCESS_SCOPES": "not json", "JUPYTERHUB_ACTIVITY_INTERVAL": "often",
	} {
		driver := toy.New(toy.Options{})
		req := spawnertest.Request(t, driver, alice)
		req.Env[name] = value
		if _, err := toy.NewServer(toy.ServerOptions{Env: req.Env}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: %v, want an error which names it", name, value, err)
		}
		_ = driver.Close()
	}
}
