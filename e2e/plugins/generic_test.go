//go:build e2e

package plugins

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubtest/idp"
)

const genericConfig = `
c.JupyterHub.authenticator_class = "generic-oauth"
a = c.GenericOAuthenticator
a.client_id, a.client_secret = ID, SECRET
a.authorize_url, a.token_url, a.userdata_url = IDP + "/authorize", IDP + "/token", IDP + "/userinfo"
a.login_service = "the university"
a.username_claim = "preferred_username"
a.scope = ["openid", "profile", "groups"]
a.enable_auth_state = True
a.manage_groups = True
a.auth_state_groups_key = "oauth_user.groups"
a.allowed_groups = {"students", "staff"}
a.admin_groups = {"staff"}
a.custom_403_message = "Ask the secretary, room 12."
a.logout_redirect_url = IDP + "/logout"
c.Authenticator.auth_refresh_age = 1

def hand_over(spawner, auth_state):
    spawner.environment["UPSTREAM_USER"] = auth_state["oauth_user"]["sub"]

async def look(spawner):
    state = await spawner.user.get_auth_state()
    spawner.environment["UPSTREAM_TOKEN"] = state["access_token"]
    spawner.environment["GROUPS"] = " ".join(sorted(g.name for g in spawner.user.groups))

c.Spawner.auth_state_hook = hand_over
c.Spawner.pre_spawn_hook = look
`

// TestGenericOAuthenticator is a university's login with groups, from the first visit to the logout.
func TestGenericOAuthenticator(t *testing.T) {
	t.Parallel()
	p := idp.Start(t, idp.Person{Name: "Ada", Email: "ada@uni.test", Groups: []string{"students", "chess"}}, idp.Person{Name: "boss", Groups: []string{"staff"}},
		idp.Person{Name: "guest", Groups: []string{"visitors"}}, idp.Person{Name: "nobody"})
	p.PKCE = true
	h := withProvider(t, p, genericConfig)
	p.Callback = h.URL + "/hub/oauth_callback"
	t.Run("login", func(t *testing.T) { genericLogin(t, h) })
	t.Run("admin by group", func(t *testing.T) { genericAdmin(t, h) })
	t.Run("rejected", func(t *testing.T) { genericRejected(t, h) })
	t.Run("state", func(t *testing.T) { genericState(t, h) })
	t.Run("spawn", func(t *testing.T) { genericSpawn(t, h) })
	t.Run("refresh", func(t *testing.T) { genericRefresh(t, h) })
	t.Run("provider fails", func(t *testing.T) { genericFaults(t, h) })
	t.Run("logout", func(t *testing.T) { genericLogout(t, h) })
}

func genericLogin(t *testing.T, h *provided) {
	client := h.Browse(t)
	page := client.Get("/hub/token?from=mail")
	if page.URL.Path != "/hub/login" || !strings.Contains(page.Text(), "the university") {
		t.Errorf("before the login: %s\n%s", page.URL, page.Text())
	}
	page = h.visit(t, client, "/hub/token?from=mail", "Ada")
	if page.Status != http.StatusOK || page.URL.RequestURI() != "/hub/token?from=mail" {
		t.Fatalf("after the login: status %d at %s, want the page that was asked for", page.Status, page.URL)
	}
	model := h.user(t, "ada")
	if got := strings.Join(texts(model["groups"]), " "); got != "chess students" || model["admin"] != false {
		t.Errorf("ada: groups %q, admin %v", got, model["admin"])
	}
	if user, ok := h.idp.Knows(text(dig(model, "auth_state", "access_token"))); !ok || user != "Ada" {
		t.Errorf("auth_state has no access token of Ada's: %v", dig(model, "auth_state"))
	}
	if dig(model, "auth_state", "oauth_user", "email") != "ada@uni.test" {
		t.Errorf("auth_state has no answer of userinfo: %v", dig(model, "auth_state"))
	}
	if raw := h.Query(t, "SELECT encrypted_auth_state FROM users WHERE name = 'ada'"); len(raw) < 100 || strings.Contains(raw, "access_token") {
		t.Errorf("auth_state in the database is not encrypted, or not there: %d characters", len(raw))
	}
}

func genericAdmin(t *testing.T, h *provided) {
	boss := h.login(t, "boss")
	if page := boss.Get("/hub/admin"); page.Status != http.StatusOK {
		t.Errorf("the admin page for a member of staff: status %d", page.Status)
	}
	ada := h.login(t, "Ada")
	if page := ada.Get("/hub/admin"); page.Status == http.StatusOK {
		t.Error("the admin page opens for a student")
	}
}

func genericRejected(t *testing.T, h *provided) {
	for _, user := range []string{"guest", "nobody"} {
		client := h.Browse(t)
		refused(t, user, h.visit(t, client, "/hub/home", user), http.StatusForbidden, "Ask the secretary, room 12.")
		if page := client.Get("/hub/home"); page.URL.Path == "/hub/home" {
			t.Errorf("%s is logged in all the same", user)
		}
		h.Admin(t).Get("/users/" + user).Want(http.StatusNotFound)
	}
}

func genericState(t *testing.T, h *provided) {
	client := h.Browse(t)
	refused(t, "somebody who says no", h.visit(t, client, "/hub/home", ""), http.StatusBadRequest, "the person said no")

	client.StopAt(h.URL + "/hub/oauth_callback")
	page := h.visit(t, client, "/hub/home", "Ada")
	client.StopAt("")
	callback, query := page.URL, page.URL.Query()
	refused(t, "another browser with Ada's code", h.Browse(t).Get(callback.String()), http.StatusBadRequest, "state missing")
	wrong := url.Values{"code": {query.Get("code")}, "state": {"eyJzdGF0ZV9pZCI6ICJ4In0="}}
	refused(t, "another state", client.Get("/hub/oauth_callback?"+wrong.Encode()), http.StatusBadRequest, "mismatch")
	refused(t, "no code", client.Get("/hub/oauth_callback?state="+url.QueryEscape(query.Get("state"))), http.StatusBadRequest, "without a code")

	client = h.Browse(t)
	client.StopAt(h.URL + "/hub/oauth_callback")
	page = h.visit(t, client, "/hub/home", "Ada")
	client.StopAt("")
	if page := client.Get(page.URL.String()); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
		t.Errorf("the right callback: status %d at %s", page.Status, page.URL)
	}
	if page := client.Get("/hub/oauth_login?next=" + url.QueryEscape("//evil.test/x")); page.URL.Host == "evil.test" {
		t.Error("next leads away from the hub")
	}
}

func genericSpawn(t *testing.T, h *provided) {
	client := h.login(t, "Ada")
	client.Get("/hub/spawn")
	server := running(t, h.Hub, "/user/ada/")
	for name, want := range map[string]string{"UPSTREAM_USER": "id-of-Ada", "GROUPS": "chess students"} {
		if got := variable(server.Pid, name); got != want {
			t.Errorf("%s in the server's environment: %q, want %q", name, got, want)
		}
	}
	if user, ok := h.idp.Knows(variable(server.Pid, "UPSTREAM_TOKEN")); !ok || user != "Ada" {
		t.Error("the server's environment has no token of Ada's that is valid at the provider")
	}
}

func genericRefresh(t *testing.T, h *provided) {
	client := h.login(t, "Ada")
	home := func() *harness.Page { return client.Get("/hub/home") }

	h.idp.Set(idp.Person{Name: "Ada", Email: "ada@uni.test", Groups: []string{"students", "go", "staff"}})
	harness.Poll(t, 30*time.Second, "new groups after a refresh", func() bool { return home().Status == http.StatusOK && h.groups(t, "ada") == "go staff students" })
	if h.user(t, "ada")["admin"] != true {
		t.Error("ada came into the group of administrators and is none")
	}
	h.idp.Set(idp.Person{Name: "Ada", Email: "ada@uni.test", Groups: []string{"students"}})
	harness.Poll(t, 30*time.Second, "groups to be taken away", func() bool { return home().Status == http.StatusOK && h.groups(t, "ada") == "students" })
	if h.user(t, "ada")["admin"] != false {
		t.Error("ada left the group of administrators and is one still")
	}

	before := text(dig(h.user(t, "ada"), "auth_state", "access_token"))
	h.idp.Expire("Ada")
	harness.Poll(t, 30*time.Second, "a new access token by the refresh token", func() bool {
		home()
		now := text(dig(h.user(t, "ada"), "auth_state", "access_token"))
		_, valid := h.idp.Knows(now)
		return now != before && valid
	})
	if page := home(); page.URL.Path != "/hub/home" {
		t.Errorf("logged out by a refresh that worked: %s", page.URL)
	}

	h.idp.Revoke("Ada")
	harness.Poll(t, 30*time.Second, "the login page after all tokens were revoked", func() bool { return home().URL.Path == "/hub/login" })
	if page := h.visit(t, client, "/hub/home", "Ada"); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
		t.Errorf("a new login: status %d at %s", page.Status, page.URL)
	}
}

func genericFaults(t *testing.T, h *provided) {
	h.idp.Fail("/userinfo", http.StatusInternalServerError)
	page := h.visit(t, h.Browse(t), "/hub/home", "boss")
	if page.Status < 500 || strings.Contains(page.Body, "Traceback") {
		t.Errorf("userinfo fails: status %d\n%s", page.Status, page.Text())
	}
	h.idp.Fail("/userinfo", 0)
	h.idp.Fail("/token", http.StatusBadRequest)
	if page := h.visit(t, h.Browse(t), "/hub/home", "boss"); page.Status < 400 || page.URL.Path == "/hub/home" {
		t.Errorf("the token address fails: status %d at %s", page.Status, page.URL)
	}
	h.idp.Fail("/token", 0)
	h.login(t, "boss")
}

func genericLogout(t *testing.T, h *provided) {
	client := h.login(t, "Ada")
	if page := client.Get("/hub/logout"); page.URL.String() != h.idp.URL+"/logout" {
		t.Errorf("the logout ends at %s, want the provider's", page.URL)
	}
	if page := client.Get("/hub/home"); page.URL.Path == "/hub/home" {
		t.Error("still logged in after the logout")
	}
	if log := h.Log(); !strings.Contains(log, "GET /hub/oauth_callback?code=[secret]") || strings.Contains(log, "python-pages") {
		t.Error("the log does not name the plug-in's pages as browsers do")
	}
}
