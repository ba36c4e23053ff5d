package advisories_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/supervise"
)

// leadsAway tells whether a browser, given this Location on the hub's host, would leave it.
func leadsAway(location string) bool {
	s := strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(s)
	return !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//")
}

// evilTargets are values of ?next= that have led somewhere else in one hub or another. HOST is the hub's own host and port.
var evilTargets = []string{
	"//evil.test", "///evil.test", "////evil.test", `/\evil.test`, `\/evil.test`, `\\evil.test`, `/\/evil.test`, `\evil.test`, "http://evil.test", "https://evil.test/hub/",
	"HTTP://EVIL.TEST", "http:evil.test", "http:/evil.test", "http:///evil.test", "javascript:alert(1)", "JaVaScRiPt:alert(1)//", "data:text/html,x", "vbscript:x",
	"/\t/evil.test", "/\n/evil.test", "/\r/evil.test", "\t//evil.test", " //evil.test", "\x00//evil.test", "/%09/evil.test\t//", "//evil.test/%2e%2e",
	"//HOST@evil.test/", "http://HOST@evil.test/", "http://HOST.evil.test/", "http://HOST%2eevil.test/", "//HOST.evil.test", "http://evil.test#HOST", "http://evil.test?HOST/",
	"http://HOST//evil.test/", "http://HOST///evil.test", `http://HOST/\evil.test`, `http://HOST\evil.test`, "//HOST//evil.test", `//HOST/\evil.test`, "http://HOST/\t/evil.test",
	"hub/home", "evil.test", ".evil.test", "@evil.test", ":80", "?//evil.test", "#//evil.test", "ftp://HOST/x", "//[::1]/", "//0/", "https:/evil.test", "///\tevil.test", "/ /../\\evil.test/%5c..",
}

// An open redirect in ?next= (0.9.6).
func TestCVE_2019_10255_OpenRedirect(t *testing.T) {
	h := newHub(t)
	host := strings.TrimPrefix(h.url, "http://")
	in := h.login("ann")
	h.wants(201, boss, "POST", "/users/ann/server", "")
	if len(evilTargets) < 50 {
		t.Fatalf("only %d payloads", len(evilTargets))
	}
	for _, target := range evilTargets {
		target = strings.ReplaceAll(target, "HOST", host)
		next := "?next=" + url.QueryEscape(target)
		for _, path := range []string{"/hub/login", "/hub/", "/hub/spawn"} {
			if a := in.get(path + next); a.status/100 == 3 && leadsAway(a.location()) {
				t.Errorf("GET %s with next=%q leads to %q", path, target, a.location())
			}
		}
	}
	for _, target := range []string{"//evil.test", `/\evil.test`, "http://" + host + "//evil.test", "http://evil.test"} {
		b := h.browser()
		b.get("/hub/login")
		if a := b.form("/hub/login?next="+url.QueryEscape(target), url.Values{"username": {"ann"}, "password": {"x"}}); a.status != 302 || leadsAway(a.location()) {
			t.Errorf("POST with next=%q: %d, leads to %q", target, a.status, a.location())
		}
	}
	for _, path := range []string{"//evil.test/", "/hub//evil.test/", "//evil.test/%2e%2e", `/\evil.test/`, "/hub/user-redirect//evil.test"} {
		got := h.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		for line := range strings.SplitSeq(got, "\r\n") {
			if to, ok := strings.CutPrefix(line, "Location: "); ok && leadsAway(strings.TrimPrefix(to, h.url)) {
				t.Errorf("GET %s leads to %q", path, to)
			}
		}
	}
}

// A page of another site could use the admin's cookie for writes to the API (1.2).
func TestCVE_2020_36191_APIWritesNeedXSRF(t *testing.T) {
	h := newHub(t)
	root := h.login("root")
	for _, w := range []struct{ method, path, body string }{
		{"POST", "/hub/api/users", `{"usernames": ["evil"]}`}, {"POST", "/hub/api/users/evil", ""}, {"PATCH", "/hub/api/users/root", `{"admin": false}`}, {"DELETE", "/hub/api/users/bob", ""},
		{"POST", "/hub/api/groups/evil", ""}, {"POST", "/hub/api/users/root/tokens", ""}, {"POST", "/hub/api/users/bob/server", ""}, {"POST", "/hub/api/shutdown", ""}, {"PUT", "/hub/api/groups/g/properties", "{}"},
	} {
		for _, header := range [][]string{nil, {"X-XSRFToken", ""}, {"X-XSRFToken", "forged"}, {"Origin", "http://evil.test"}, {"Sec-Fetch-Mode", "cors"}, {"Content-Type", "text/plain"}} {
			if a := root.do(w.method, w.path, strings.NewReader(w.body), header...); a.status != 403 {
				t.Errorf("%s %s with %v: %d %.200s", w.method, w.path, header, a.status, a.body)
			}
		}
	}
	if a := root.do("POST", "/hub/api/users/good", nil, "X-XSRFToken", root.cookie("_xsrf")); a.status != 201 {
		t.Errorf("with the token: %d %s", a.status, a.body)
	}
}

// Logging out ended the browser's session, but not the tokens that servers had got during it (1.5.0).
func TestCVE_2021_41247_LogoutEndsSessionTokens(t *testing.T) {
	h := newHub(t)
	one, two := h.login("ann"), h.login("ann")
	h.wants(201, boss, "POST", "/users/ann/server", "")
	for _, b := range []*browser{one, two} {
		if a := b.follow("/user/ann/"); a.status != 200 || !strings.Contains(a.body, "whoami") {
			t.Fatalf("server: %d %.300s", a.status, a.body)
		}
	}
	count := func() int {
		return strings.Count(h.api(boss, "GET", "/users/ann/tokens", "").body, `"oauth_client":"Server at`)
	}
	if n := count(); n != 2 {
		t.Fatalf("%d tokens of servers, want one for each browser", n)
	}
	one.get("/hub/logout")
	if n := count(); n != 1 {
		t.Errorf("%d tokens of servers after one of two browsers has logged out", n)
	}
	if a := two.get("/user/ann/whoami"); a.status != 200 {
		t.Errorf("the other browser: %d", a.status)
	}
}

// Cookies that a server sets for the whole host could stand for the hub's XSRF cookie (4.1.0).
func TestCVE_2024_28233_CookieTossing(t *testing.T) {
	h := newHub(t)
	ann, bob, stranger := h.login("ann"), h.login("bob"), h.browser()
	stranger.get("/hub/login")
	for name, token := range map[string]string{"made up": "2|abc|def", "of another user": bob.cookie("_xsrf"), "of nobody": stranger.cookie("_xsrf"), "plain": "x"} {
		if token == "" {
			t.Fatalf("%s: no token", name)
		}
		cookie := "_xsrf=" + token + "; jupyterhub-hub-login=" + ann.cookie("jupyterhub-hub-login") + "; jupyterhub-session-id=" + ann.cookie("jupyterhub-session-id")
		for _, header := range [][]string{{"Cookie", cookie, "X-XSRFToken", token}, {"Cookie", "_xsrf=other; " + cookie, "X-XSRFToken", token}} {
			a := (&browser{h, noRedirects(nil)}).do("POST", "/hub/api/users/ann/tokens", nil, header...)
			if a.status != 403 || strings.Contains(a.body, `"token"`) {
				t.Errorf("token %s: %d %s", name, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/hub/login", "/hub/home", "/hub/api/", "/hub/token"} {
		if csp := ann.get(path).header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
	}
}

// Who holds admin:users could make itself an admin (4.1.6, 5.1.0).
func TestCVE_2024_41942_AdminUsersIsNotAdmin(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	for _, w := range [][3]string{
		{"POST", "/users", `{"usernames": ["evil"], "admin": true}`}, {"POST", "/users/evil", `{"admin": true}`}, {"PATCH", "/users/ann", `{"admin": true}`},
		{"PATCH", "/users/root", `{"admin": false}`}, {"PATCH", "/users/root", `{"name": "evil"}`}, {"PATCH", "/users/root", `{"auth_state": {"a": 1}}`},
	} {
		h.wants(403, manager, w[0], w[1], w[2])
	}
	h.api(manager, "POST", "/users/rolf", `{"roles": ["admin"]}`)
	h.api(manager, "PATCH", "/users/ann", `{"roles": ["admin"]}`)
	for _, name := range []string{"evil", "rolf", "ann"} {
		if a := h.api(boss, "GET", "/users/"+name, ""); strings.Contains(a.body, `"admin":true`) || strings.Contains(a.body, `"admin"]`) {
			t.Errorf("%s is an admin: %s", name, a.body)
		}
	}
}

// The own origin was cut off from ?next=, and the rest was //evil (5.4.4).
func TestCVE_2026_33709_OwnOriginThenDoubleSlash(t *testing.T) {
	h := newHub(t)
	ann := h.login("ann")
	for _, rest := range []string{"//evil.test/", "///evil.test/", "////evil.test", `/\evil.test`, "//evil.test/%2e"} {
		for _, origin := range []string{h.url, strings.TrimPrefix(h.url, "http:")} {
			a := ann.get("/hub/login?next=" + url.QueryEscape(origin+rest))
			if to := a.location(); a.status != 302 || leadsAway(to) {
				t.Errorf("next=%s%s: %d to %q", origin, rest, a.status, to)
			}
		}
	}
	if a := ann.get("/hub/login?next=" + url.QueryEscape(h.url+"/hub/token?a=b#c")); a.location() != "/hub/token?a=b#c" {
		t.Errorf("an own address leads to %q", a.location())
	}
}

// Sec-Fetch-Mode: no-cors, which forged forms can have, skipped the check (5.4.5); own images need no token (5.4.6).
func TestCVE_2026_40864_NoCORSForms(t *testing.T) {
	h := newHub(t)
	ann := h.login("ann")
	h.wants(201, boss, "POST", "/users/ann/server", "")
	for _, site := range []string{"cross-site", "same-site", "same-origin", "none", ""} {
		for _, path := range []string{"/hub/token/request", "/hub/spawn", "/hub/home/servers", "/hub/token/revoke"} {
			a := ann.do("POST", path, strings.NewReader("note=x"), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", site)
			if a.status != 403 {
				t.Errorf("POST %s, %q: %d", path, site, a.status)
			}
		}
		a := ann.do("POST", "/hub/api/users/ann/tokens", nil, "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", site)
		if a.status != 403 {
			t.Errorf("POST API, %q: %d", site, a.status)
		}
	}
	if a := ann.get("/hub/api/user", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "same-origin"); a.status != 200 {
		t.Errorf("own no-cors GET: %d", a.status)
	}
	if a := ann.get("/hub/api/user", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "cross-site"); a.status != 403 {
		t.Errorf("foreign no-cors GET: %d", a.status)
	}
}

// A stranger could fill the log with one name of many kilobytes (5.5.0).
func TestCVE_2026_54338_LongNamesInLogAndPage(t *testing.T) {
	h := newHub(t, func(c settings) {
		c["Authenticator"] = map[string]any{"allowed_users": []any{"ann"}}
		c["DummyAuthenticator"] = map[string]any{"password": "right"}
	})
	long := strings.Repeat("n", 500_000)
	b := h.browser()
	b.get("/hub/login")
	a := b.form("/hub/login", url.Values{"username": {long}, "password": {"wrong"}})
	if a.status != 403 {
		t.Errorf("status %d", a.status)
	}
	for where, text := range map[string]string{"log": h.log.String(), "page": a.body} {
		if strings.Contains(text, strings.Repeat("n", 33)) {
			t.Errorf("more than 32 characters of the name are in the %s", where)
		}
	}
}

// ?next= stood unescaped in the page that accepts a share (5.5.1).
func TestGHSA_c4gm_pwx9_9w8j_ScriptInAcceptShare(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(201, boss, "PUT", "/users/ann/servers/lab", "{}")
	code, _ := h.wants(200, boss, "POST", "/share-codes/ann/lab", "{}").json(t)["code"].(string)
	bob := h.login("bob")
	for _, next := range []string{`/hub/home"><img src=x onerror=y>`, `/hub/home'><img src=x>`, `/x">injected</a>`, "/hub/<script>alert(1)</script>", "javascript:alert(1)", "JavaScript:alert(1)//", "//evil.test/", "http://evil.test/", "data:text/html,x"} {
		a := bob.get("/hub/accept-share?code=" + code + "&next=" + url.QueryEscape(next))
		if a.status != 200 {
			t.Fatalf("%d %.300s", a.status, a.body)
		}
		for _, bad := range []string{"<img src=x", "<script>alert", ">injected", `href="javascript`, `href="JavaScript`, `href="//evil`, `href="http://evil`, `href="data:`} {
			if strings.Contains(a.body, bad) {
				t.Errorf("next=%s: the page has %s", next, bad)
			}
		}
	}
}

// A filtered scope opened operations that are about nobody in particular (5.5.1).
func TestGHSA_69wv_m5fw_2fhp_FilteredScopesNeedATarget(t *testing.T) {
	h := newHub(t)
	h.wants(403, narrow, "POST", "/users", `{"usernames": ["evil"]}`)
	h.wants(403, narrow, "POST", "/groups", `{"groups": ["evil"]}`)
	h.wants(404, boss, "GET", "/users/evil", "")
	h.wants(404, boss, "GET", "/groups/evil", "")
	if a := h.wants(200, narrow, "GET", "/users", ""); !strings.Contains(a.body, "bob") || strings.Contains(a.body, "root") {
		t.Errorf("the list has to show group g and nobody else: %s", a.body)
	}
}

// A share named its server by the owner's name, which somebody else could get after a rename (5.5.2).
func TestGHSA_mj6q_mp44_53v8_SharesFollowRenames(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(201, boss, "PUT", "/users/ann/servers/lab", "{}")
	h.wants(200, boss, "POST", "/shares/ann/lab", `{"user": "bob"}`)
	h.wants(200, boss, "PATCH", "/users/ann", `{"name": "anna"}`)
	h.wants(201, boss, "POST", "/users/ann", "") // somebody else
	h.wants(201, boss, "PUT", "/users/ann/servers/lab", "{}")
	token, _ := h.wants(201, boss, "POST", "/users/bob/tokens", "{}").json(t)["token"].(string)
	scopes := h.api(token, "GET", "/user", "").body
	if strings.Contains(scopes, "access:servers!server=ann/lab") || !strings.Contains(scopes, "access:servers!server=anna/lab") {
		t.Errorf("bob may: %s", scopes)
	}
}

// user_options that JupyterHub wrote and could not read again broke every query and the start (5.5.3, 6.1.0).
func TestGHSA_hx46_2cv3_mh6g_OptionsThatCannotBeReadBack(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	hostile := []string{
		`{"__jupyterhub_bytes__": true}`, `{"__jupyterhub_bytes__": true, "data": 7}`, `{"__jupyterhub_bytes__": true, "data": "%"}`, `{"__jupyterhub_bytes__": 1, "data": null}`, `{"a": {"__jupyterhub_bytes__": true}}`,
		`{"a": [{"__jupyterhub_bytes__": true, "data": "YQ"}]}`, `{"__jupyterhub_bytes__": false}`, `{"": {"": {}}}`, `{"a": 1e999}`, `{"a": 123456789012345678901234567890}`, `{"__minihub_opaque__": "x"}`, `{"\u0000": "\ud800"}`,
	}
	for i, options := range hostile {
		name := "s" + string(rune('a'+i))
		a := h.api(boss, "PUT", "/users/ann/servers/"+name, `{"user_options": `+options+`}`)
		if a.status != 201 && a.status != 400 {
			t.Errorf("%s: %d %s", options, a.status, a.body)
		}
		h.wants(200, boss, "GET", "/users?include_stopped_servers=1", "")
	}
	// A database that JupyterHub has filled so.
	for _, text := range []string{`{"__jupyterhub_bytes__": true}`, `{"a": {"__jupyterhub_bytes__": true, "data": 5}}`, `[`, `NaN`, "\x00"} {
		h.sql("UPDATE spawners SET user_options = ?, state = ?", text, text)
		h.wants(200, boss, "GET", "/users?include_stopped_servers=1", "")
	}
	h.restart()
	h.wants(200, boss, "GET", "/users?include_stopped_servers=1", "")
	h.wants(201, boss, "POST", "/users/ann/server", "")
}

// A process whose groups could not be set kept the hub's (5.5.3, 6.1.0).
func TestGHSA_5jhc_4h3c_q97h_GroupsThatCannotBeSet(t *testing.T) {
	account := &supervise.Account{Name: "nobody", UID: 65534, GID: 65534, Groups: make([]uint32, 70_000)} // more than any kernel takes
	p, err := supervise.Start(supervise.Command{Argv: []string{"/bin/true"}, Account: account})
	if err == nil {
		p.Close()
		t.Error("the process was started without its groups")
	}
}

// namesThatArePaths mean something else when they stand in a URL.
var namesThatArePaths = []string{".", "..", "...", "%2e%2e", "%2E", "a/b", "../x", " x", "x ", "a\x00b", "a\nb"}

// Names that are path components: a user ".." is reached where somebody else lives (5.5.3, 6.1.0).
func TestGHSA_93gc_h923_mp36_NamesThatArePaths(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	for _, name := range namesThatArePaths {
		quoted := string(need(jsonText(name)))
		h.wants(400, boss, "POST", "/users", `{"usernames": [`+quoted+`]}`)
		h.wants(400, boss, "PATCH", "/users/ann", `{"name": `+quoted+`}`)
		if a := h.api(boss, "POST", "/users/"+url.PathEscape(name), ""); a.status != 400 && a.status != 404 && a.status/100 != 3 {
			t.Errorf("POST /users/%s: %d", name, a.status)
		}
		if a := h.api(boss, "POST", "/services/"+url.PathEscape(name), "{}"); a.status != 400 && a.status != 404 && a.status/100 != 3 {
			t.Errorf("POST /services/%s: %d", name, a.status)
		}
	}
	for _, name := range []string{"a%2Fb", "%41"} {
		h.wants(400, boss, "POST", "/services/"+url.PathEscape(name), "{}")
	}
	if a := h.api(boss, "GET", "/users", ""); strings.Count(a.body, `"kind":"user"`) != 3 {
		t.Errorf("users other than ann, bob and root: %s", a.body)
	}
}

// "Admin" got in as admin with the password for everybody (5.5.3, 6.1.0).
func TestGHSA_r764_xgvf_jrfj_SpellingsOfAnAdmin(t *testing.T) {
	h := newHub(t, func(c settings) {
		c["JupyterHub"]["authenticator_class"] = "shared-password"
		c["SharedPasswordAuthenticator"] = map[string]any{"user_password": "users-password", "admin_password": strings.Repeat("admin-password", 3)}
	})
	attempt := func(name, password string) int {
		b := h.browser()
		b.get("/hub/login")
		return b.form("/hub/login", url.Values{"username": {name}, "password": {password}}).status
	}
	for _, name := range []string{"root", "Root", "ROOT", " root", "root ", "rOoT"} {
		if got := attempt(name, "users-password"); got != 403 {
			t.Errorf("%q with the users' password: %d", name, got)
		}
	}
	if got := attempt("ROOT", strings.Repeat("admin-password", 3)); got != 302 {
		t.Errorf("with the right password: %d", got)
	}
	if got := attempt("ann", "users-password"); got != 302 {
		t.Errorf("a user: %d", got)
	}
}

// expires_in 0 was like none at all, a token without end (5.5.3, 6.1.0).
func TestGHSA_pvm9_48cg_w76j_TokensWithoutEnd(t *testing.T) {
	h := newHub(t, func(c settings) { c["JupyterHub"]["token_expires_in_max_seconds"] = 3600 })
	h.wants(201, boss, "POST", "/users/ann", "")
	for _, value := range []string{"0", "-1", `"0"`, "false", "true", "0.5", "[]", "{}", "1e-9", "3601", "9223372036854775807", "1e30", "-0"} {
		h.wants(400, boss, "POST", "/users/ann/tokens", `{"expires_in": `+value+`}`)
	}
	for _, body := range []string{"", "{}", `{"expires_in": null}`, `{"expires_in": 3600}`} {
		if a := h.wants(201, boss, "POST", "/users/ann/tokens", body); strings.Contains(a.body, `"expires_at":null`) {
			t.Errorf("%s: %s", body, a.body)
		}
	}
	free := newHub(t)
	free.wants(201, boss, "POST", "/users/ann", "")
	for _, value := range []string{"0", "-1", `"0"`, "false", "0.5"} {
		free.wants(400, boss, "POST", "/users/ann/tokens", `{"expires_in": `+value+`}`)
	}
}

// A rename went past normalisation and validation (5.5.3, 6.1.0).
func TestGHSA_x7xh_7hc7_9436_RenamesAreNormalised(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(400, boss, "PATCH", "/users/ann", `{"name": "BOB"}`)
	if a := h.wants(200, boss, "PATCH", "/users/ann", `{"name": "<B>Ann"}`); a.json(t)["name"] != "<b>ann" {
		t.Errorf("stored as %s", a.body)
	}
	root := h.login("root")
	for _, path := range []string{"/hub/admin", "/hub/spawn/%3Cb%3Eann", "/hub/user/%3Cb%3Eann/"} {
		if a := root.get(path); strings.Contains(a.body, "<b>ann") {
			t.Errorf("%s has the name as markup", path)
		}
	}
	if !slices.Contains([]int{200, 302}, h.login("<B>ANN").get("/hub/home").status) {
		t.Error("the renamed user cannot log in")
	}
}
