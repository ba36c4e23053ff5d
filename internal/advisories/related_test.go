package advisories_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
)

// oauthenticator: a renamed option was ignored, and everybody got in. Here an unknown name in what restricts access is a start-up error,
// and without any allow-option nobody gets in.
func TestCVE_2020_26250_OptionsThatRestrict(t *testing.T) {
	h := newHub(t, func(c settings) {
		c["JupyterHub"]["authenticator_class"] = "shared-password"
		c["SharedPasswordAuthenticator"] = map[string]any{"user_password": "users-password"}
		c["Authenticator"] = map[string]any{}
	})
	b := h.browser()
	b.get("/hub/login")
	if a := b.form("/hub/login", url.Values{"username": {"ann"}, "password": {"users-password"}}); a.status != 403 {
		t.Errorf("nobody is allowed, and ann gets in: %d", a.status)
	}
	for _, name := range []string{"allowed_user", "allow_groups", "blocked_user", "username_patern"} {
		h.text["Authenticator"] = map[string]any{"allow_all": true, name: []any{"ann"}}
		if _, err := h.load(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
}

// firstuseauthenticator: another spelling of a name was another person to one table and the same to the next.
func TestCVE_2021_41194_SpellingsOfAName(t *testing.T) {
	h := newHub(t)
	for _, name := range []string{"ann", "ANN", "Ann", " ann"} {
		if a := h.login(name).get("/hub/api/user"); a.status != 200 || a.json(t)["name"] != "ann" {
			t.Errorf("%q is %s", name, a.body)
		}
	}
	if n := strings.Count(h.api(boss, "GET", "/users", "").body, `"kind":"user"`); n != 3 { // ann, bob, root
		t.Errorf("%d users", n)
	}
}

// kubespawner: user "user" with server "a-b" and user "user-a" with server "b" had one pod. In a hub it is the OAuth client, the route and
// the cookie: whoever starts second must not take over the first one's login.
func TestCVE_2020_15110_NamesThatMeet(t *testing.T) {
	h := newHub(t)
	servers := [][2]string{{"u", "a-b"}, {"u-a", "b"}, {"u-a-b", ""}, {"u", "a"}, {"u-a", ""}}
	for _, s := range servers {
		h.api(boss, "POST", "/users/"+s[0], "")
		h.wants(201, boss, "POST", "/users/"+s[0]+"/servers/"+s[1], "")
	}
	for _, s := range servers {
		path := "/user/" + s[0] + "/" + s[1] + "/"
		if s[1] == "" {
			path = "/user/" + s[0] + "/"
		}
		if a := h.login(s[0]).follow(path); a.status != 200 || !strings.Contains(a.body, "whoami") {
			t.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
	h.wants(204, boss, "DELETE", "/users/u/servers/a-b", "")
	if a := h.login("u-a").follow("/user/u-a/b/"); a.status != 200 || !strings.Contains(a.body, "whoami") {
		t.Errorf("the other server with that id, after one has stopped: %d %.200s", a.status, a.body)
	}
}

// systemdspawner: other people of the machine could read tokens in unit files and command lines.
func TestCVE_2020_26261_TokensInCommandLines(t *testing.T) {
	out := filepath.Join(t.TempDir(), "cmdline")
	h := newHub(t, func(c settings) {
		c["JupyterHub"]["spawner_class"] = "simple"
		c["SimpleLocalProcessSpawner"] = map[string]any{"home_dir_template": t.TempDir()}
		c["Spawner"] = map[string]any{"cmd": []any{"/bin/sh", "-c", `tr '\0' '\n' < /proc/$$/cmdline > ` + out + `; echo "$JUPYTERHUB_API_TOKEN" >> ` + out + `.token; exit 1`}}
	})
	h.wants(201, boss, "POST", "/users/ann", "")
	h.api(boss, "POST", "/users/ann/server", "")
	token := strings.TrimSpace(string(need(os.ReadFile(out + ".token"))))
	if args := string(need(os.ReadFile(out))); len(token) < 32 || strings.Contains(args, token) || !strings.Contains(args, "sh") {
		t.Errorf("token of %d characters, arguments %q", len(token), args)
	}
	if strings.Contains(h.log.String(), token) {
		t.Error("the token is in the log")
	}
}

// ltiauthenticator: what is remembered about strangers before they have proved anything must not grow without end.
func TestCVE_2026_34052_MemoryOfStrangers(t *testing.T) {
	throttle := auth.NewThrottle(auth.ThrottleOptions{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 300_000 {
		throttle.Begin(fmt.Sprintf("2001:db8:%x:%x::1", i/65536, i%65536), fmt.Sprintf("somebody-%d", i))
	}
	if grown := int64(heap()) - int64(before); grown > 20<<20 {
		t.Errorf("%d MB for 300000 attempts", grown>>20)
	}
	runtime.KeepAlive(throttle)
}

// jupyter-server-proxy: a caller chose where the server connects to. The hub's two such places are for admins.
func TestCVE_2022_21697_WhoChoosesAddresses(t *testing.T) {
	h := newHub(t)
	asked := make(chan string, 8)
	inner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer inner.Close()
	ann := h.login("ann")
	token, _ := h.wants(201, boss, "POST", "/users/ann/tokens", "{}").json(t)["token"].(string)
	for _, as := range []string{token, manager, narrow, ""} {
		h.wants(403, as, "PATCH", "/proxy", `{"api_url": "`+inner.URL+`", "auth_token": "x"}`)
		h.wants(403, as, "POST", "/services/evil", `{"url": "`+inner.URL+`"}`)
		h.wants(403, as, "POST", "/proxy", "")
	}
	ann.get("/hub/login?next=" + url.QueryEscape(inner.URL))
	ann.get("/hub/logo?url=" + url.QueryEscape(inner.URL))
	select {
	case path := <-asked:
		t.Errorf("the hub has asked for %s", path)
	default:
	}
}

// jupyter-server-proxy: the WebSocket variant of a route skipped authentication.
func TestCVE_2024_28179_WebSocketVariants(t *testing.T) {
	h := newHub(t)
	host := strings.TrimPrefix(h.url, "http://")
	for _, path := range []string{"/hub/api/users", "/hub/api/user", "/hub/api/proxy", "/hub/api/users/bob/server/progress", "/hub/home", "/hub/admin", "/hub/token", "/hub/metrics"} {
		got := h.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-Fetch-Mode: websocket\r\n\r\n")
		if status := got[:min(len(got), 12)]; status != "HTTP/1.1 403" && status != "HTTP/1.1 302" {
			t.Errorf("%s as a WebSocket: %s", path, status)
		}
	}
}

// jupyter-server-proxy: the name of a host stood in an error page as it was sent.
func TestCVE_2024_35225_InputInErrorPages(t *testing.T) {
	h := newHub(t)
	root := h.login("root")
	const evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
	for _, path := range []string{"/hub/" + evil, "/hub/user/%3Cscript%3Ealert(1)", "/user/%3Cscript%3Ealert(1)/", "/hub/spawn/%3Cscript%3Ealert(1)", "/hub/error/404?url=" + evil, "/hub/login?username=" + evil + "&next=" + evil,
		"/hub/accept-share?code=" + evil, "/hub/api/users/" + evil, "/hub/spawn-pending/root/%3Cscript%3Ealert(1)", "/hub/token?note=" + evil, "/hub/api/oauth2/authorize?client_id=" + evil} {
		for _, b := range []*browser{root, h.browser()} {
			a := b.get(path)
			if strings.Contains(a.header.Get("Content-Type"), "html") && strings.Contains(a.body, "<script>alert(1)") {
				t.Errorf("%s: %d shows what was sent", path, a.status)
			}
		}
	}
	b := h.browser()
	b.get("/hub/login")
	h.sql("UPDATE users SET admin = 0 WHERE name = 'bob'")
	if a := b.form("/hub/login?username=x", url.Values{"username": {"<script>alert(1)</script>"}, "_xsrf": {"wrong"}}); strings.Contains(a.body, "<script>alert(1)") {
		t.Error("the login form shows what was sent")
	}
}

// binderhub, nbgitpuller: a name that begins with a dash became an option of a command.
func TestCVE_2021_39159_NamesThatAreOptions(t *testing.T) {
	out := filepath.Join(t.TempDir(), "args")
	script := filepath.Join(t.TempDir(), "adduser")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >> "+out+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	users := need(auth.NewLocalUsers(auth.LocalUsersOptions{CreateSystemUsers: true, AddUserCmd: []string{script, "-m"}}))
	for _, name := range []string{"-x", "--help", "-oProxyCommand=x"} {
		if err := users.AddUser(t.Context(), auth.User{Name: name}); err == nil {
			t.Errorf("an account %q was made", name)
		}
	}
	if err := users.AddUser(t.Context(), auth.User{Name: "no such; touch x $(id)"}); err != nil {
		t.Error(err)
	}
	if got := string(need(os.ReadFile(out))); got != "-m\nno such; touch x $(id)\n" {
		t.Errorf("arguments %q", got)
	}
}

// jupyter-server: cookies survived what should have ended them. Another cookie secret, or another cookie_id of the user, ends logins.
func TestCVE_2026_40934_EndOfAllLogins(t *testing.T) {
	h := newHub(t)
	ann, bob := h.login("ann"), h.login("bob")
	in := func(b *browser) bool { return b.get("/hub/home").status == 200 }
	h.sql("UPDATE users SET cookie_id = 'another' WHERE name = 'ann'")
	if in(ann) || !in(bob) {
		t.Errorf("after ann's cookie_id has changed: ann %t, bob %t", in(ann), in(bob))
	}
	if err := os.WriteFile(filepath.Join(h.dir, "secret"), []byte(strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	h.restart()
	if in(bob) {
		t.Error("a login outlives the cookie secret")
	}
}

// jupyter-server, notebook: unanchored patterns. username_pattern holds from the first character on.
func TestCVE_2026_40110_AnchoredPatterns(t *testing.T) {
	h := newHub(t, func(c settings) { c["Authenticator"]["username_pattern"] = "ann|b[a-z]+$|root" })
	for name, want := range map[string]int{"joann": 400, "xbob": 400, "bill9": 400, "bill": 201, "ann": 201} {
		h.wants(want, boss, "POST", "/users/"+name, "")
	}
}

// oauthlib: a redirect_uri could keep a regular expression busy for minutes.
func TestCVE_2022_36087_HugeRedirectURIs(t *testing.T) {
	h := newHub(t)
	ann := h.login("ann")
	h.wants(201, boss, "POST", "/users/ann/server", "")
	for _, uri := range []string{strings.Repeat("a", 200_000), "http://[" + strings.Repeat(":", 100_000) + "]/", "http://" + strings.Repeat("[", 50_000), strings.Repeat("http://", 20_000), strings.Repeat("%25", 60_000)} {
		begin := time.Now()
		a := ann.get("/hub/api/oauth2/authorize?response_type=code&client_id=jupyterhub-user-ann&redirect_uri=" + uri)
		if took := time.Since(begin); a.status/100 != 4 || took > 20*time.Second {
			t.Errorf("%.20s…: %d after %v", uri, a.status, took)
		}
	}
}

// Tornado: forms with very many fields, parts and headers.
func TestCVE_2024_52804_ParserBombs(t *testing.T) {
	h := newHub(t)
	b := h.browser()
	b.get("/hub/login")
	many := url.Values{"username": {"ann"}, "password": {"x"}}
	for i := range 2000 {
		many.Set(fmt.Sprint("f", i), "x")
	}
	if a := b.form("/hub/login", many); a.status != 400 {
		t.Errorf("2000 fields: %d", a.status)
	}
	var parts strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&parts, "--x\r\nContent-Disposition: form-data; name=\"f%d\"; filename=\"a\"\r\n\r\ny\r\n", i)
	}
	parts.WriteString("--x--\r\n")
	a := b.do("POST", "/hub/login?_xsrf="+url.QueryEscape(b.cookie("_xsrf")), strings.NewReader(parts.String()), "Content-Type", "multipart/form-data; boundary=x")
	if a.status/100 != 4 {
		t.Errorf("2000 parts: %d", a.status)
	}
	if a := b.do("GET", "/hub/login", nil, "Cookie", strings.Repeat("a=b; ", 12_000)); a.status >= 500 {
		t.Errorf("12000 cookies: %d", a.status)
	}
	if a := b.form("/hub/login", url.Values{"username": {"ann"}, "password": {"x"}}); a.status != 302 {
		t.Errorf("an honest login afterwards: %d", a.status)
	}
	for _, smuggled := range []string{"Content-Length: +5", "Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: xchunked"} {
		got := h.raw("POST /hub/api/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + smuggled + "\r\n\r\n0\r\n\r\nGET /hub/health HTTP/1.1\r\nHost: x\r\n\r\n")
		if strings.Count(got, "HTTP/1.1 ") > 1 || strings.HasPrefix(got, "HTTP/1.1 2") {
			t.Errorf("%q: %.100s", smuggled, got)
		}
	}
}

// Go: what a client names in Connection is removed on the way, which must not be its credentials or what the proxy says about it.
func TestGO_HopByHopHeaders(t *testing.T) {
	seen := make(chan http.Header, 8)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() }))
	defer backend.Close()
	h := newHub(t, func(c settings) {
		c["Proxy"] = map[string]any{"extra_routes": map[string]any{"/docs/": backend.URL}}
	})
	got := h.raw("GET /docs/ HTTP/1.1\r\nHost: hub\r\nConnection: close, Authorization, Cookie, X-Forwarded-For, X-Forwarded-Proto, X-XSRFToken\r\nAuthorization: token abc\r\nCookie: a=b\r\nX-XSRFToken: t\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Fatalf("%.100s", got)
	}
	header := <-seen
	for name, want := range map[string]string{"Authorization": "token abc", "Cookie": "a=b", "X-Xsrftoken": "t", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"} {
		if header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, header.Get(name), want)
		}
	}
}

// configurable-http-proxy: a server that dies in the middle of an upgrade took the proxy with it.
func TestGHSA_6x33_pw7p_hmpq_BrokenUpgrades(t *testing.T) {
	answers := []string{"", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "garbage\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\xff\xff\xff"}
	next := make(chan string, len(answers))
	backend := need(net.Listen("tcp", "127.0.0.1:0"))
	defer backend.Close()
	go func() {
		for {
			conn, err := backend.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, <-next)
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset, not an end
			_ = conn.Close()
		}
	}()
	h := newHub(t, func(c settings) {
		c["Proxy"] = map[string]any{"extra_routes": map[string]any{"/docs/": "http://" + backend.Addr().String()}}
	})
	for _, text := range answers {
		next <- text
		h.raw("GET /docs/ws HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85")
		h.wants(200, boss, "GET", "/user", "")
	}
}
