package advisories_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/orm"
)

// PR 5553: tokens of more than 64 characters are refused without hashing them 16384 times; exactly 64 work.
func TestChange_TokensOfMoreThan64Characters(t *testing.T) {
	h := newHub(t)
	for n, want := range map[int]int{64: 200, 65: 403, 66: 403, 100_000: 403} {
		token := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		h.sql("INSERT INTO api_tokens (hashed, prefix, service_id, client_id, scopes, note) SELECT ?, ?, id, 'jupyterhub', '[\"inherit\"]', '' FROM services WHERE name = 'boss'",
			orm.HashToken(token, orm.GeneratedRounds), token[:4])
		if a := h.api(token, "GET", "/users", ""); a.status != want && a.status != 431 {
			t.Errorf("a token of %d characters, whose hash is in the database: %d", n, a.status)
		}
	}
}

// PR 5554: whether a service may make tokens for a user is asked about the user, not about a service of that name.
func TestChange_TokensMadeByServices(t *testing.T) {
	h := newHub(t)
	for _, name := range []string{"ann", "narrow", "svc"} {
		h.wants(201, boss, "POST", "/users/"+name, "")
	}
	h.wants(201, boss, "POST", "/services/ann", `{"info": {}}`)
	h.wants(201, narrow, "POST", "/users/ann/tokens", "{}") // tokens!user=ann
	h.wants(403, narrow, "POST", "/users/narrow/tokens", "{}")
	h.wants(403, narrow, "POST", "/users/svc/tokens", "{}")
	h.wants(403, narrow, "POST", "/users/nosuch/tokens", "{}")
}

// Tokens in URLs end in logs and Referer headers: off since 5.0.
func TestChange_TokensInURLs(t *testing.T) {
	h := newHub(t)
	h.wants(200, boss, "GET", "/users", "")
	for _, path := range []string{"/users?token=" + boss, "/users?access_token=" + boss, "/user?token=" + boss} {
		h.wants(403, "", "GET", path, "")
	}
	if a := (&browser{h, noRedirects(nil)}).form("/hub/api/users", url.Values{"_xsrf": {""}, "token": {boss}, "access_token": {boss}}); a.status != 403 {
		t.Errorf("in a body: %d", a.status)
	}
	if strings.Contains(h.log.String(), boss) {
		t.Error("the token is in the log")
	}
}

// PR 5386: a browser that is logged in always gets a session id, so that its logout can end what was issued.
func TestChange_SessionIDOfCookieLogins(t *testing.T) {
	h := newHub(t)
	cookie := "jupyterhub-hub-login=" + h.login("ann").cookie("jupyterhub-hub-login")
	a := (&browser{h, noRedirects(nil)}).get("/hub/home", "Cookie", cookie)
	if a.status != 200 || !strings.Contains(strings.Join(a.header.Values("Set-Cookie"), "\n"), "jupyterhub-session-id=") {
		t.Errorf("%d, cookies %q", a.status, a.header.Values("Set-Cookie"))
	}
}

// A session id from before the login may be an attacker's: JupyterHub keeps it, here the login gives another one.
func TestChange_SessionFixation(t *testing.T) {
	h := newHub(t)
	b := h.browser()
	b.client.Jar.SetCookies(need(url.Parse(h.url+"/hub/")), []*http.Cookie{{Name: "jupyterhub-session-id", Value: strings.Repeat("f", 32), Path: "/"}})
	b.get("/hub/login")
	if a := b.form("/hub/login", url.Values{"username": {"ann"}, "password": {"x"}}); a.status != 302 {
		t.Fatalf("login: %d", a.status)
	}
	if id := b.cookie("jupyterhub-session-id"); id == "" || id == strings.Repeat("f", 32) {
		t.Errorf("session id after the login: %q", id)
	}
}
