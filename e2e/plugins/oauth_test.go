//go:build e2e

package plugins

import (
	"net/http"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubtest/idp"
)

const githubConfig = `
c.JupyterHub.authenticator_class = "github"
a = c.GitHubOAuthenticator
a.github_url = IDP
a.client_id, a.client_secret = ID, SECRET
a.scope = ["read:org", "user:email"]
a.allowed_organizations = {"lab", "club:chess"}
a.admin_users = {"octo"}
a.populate_teams_in_auth_state = True
a.enable_auth_state = True

# what a lab makes of its teams
a.manage_groups = True
a.auth_state_groups_key = lambda auth_state: ["gh-" + team["slug"] for team in auth_state["teams"]]

def hand_over(spawner, auth_state):
    spawner.environment["GITHUB_TOKEN"] = auth_state["access_token"]
    spawner.environment["GITHUB_LOGIN"] = auth_state["github_user"]["login"]

c.Spawner.auth_state_hook = hand_over
`

// TestGitHubOAuthenticator lets in members of an organization and of one team.
func TestGitHubOAuthenticator(t *testing.T) {
	t.Parallel()
	p := idp.Start(t, idp.Person{Name: "Octo", Email: "octo@lab.test"}, idp.Person{Name: "ada", Email: "ada@lab.test", Teams: []string{"lab:physics", "lab:staff", "other:x"}},
		idp.Person{Name: "bob", Teams: []string{"club:chess"}}, idp.Person{Name: "carl", Teams: []string{"club:go"}})
	h := withProvider(t, p, githubConfig)
	p.Callback = h.URL + "/hub/oauth_callback"
	if page := h.Browse(t).Get("/hub/login"); !strings.Contains(page.Text(), "GitHub") {
		t.Errorf("the login page does not name GitHub:\n%s", page.Text())
	}
	t.Run("organization", func(t *testing.T) {
		ada := h.login(t, "ada")
		if got := h.groups(t, "ada"); got != "gh-physics gh-staff gh-x" {
			t.Errorf("groups of the teams on three pages: %q", got)
		}
		if dig(h.user(t, "ada"), "auth_state", "github_user", "email") != "ada@lab.test" {
			t.Errorf("auth_state has no answer of /user: %v", h.user(t, "ada"))
		}
		ada.Get("/hub/spawn")
		server := running(t, h.Hub, "/user/ada/")
		if user, ok := p.Knows(variable(server.Pid, "GITHUB_TOKEN")); !ok || user != "ada" || variable(server.Pid, "GITHUB_LOGIN") != "ada" {
			t.Error("auth_state_hook did not hand the token to the server")
		}
	})
	t.Run("team", func(t *testing.T) { h.login(t, "bob") })
	t.Run("admin", func(t *testing.T) {
		octo := h.login(t, "Octo")
		if page := octo.Get("/hub/admin"); page.Status != http.StatusOK {
			t.Errorf("the admin page for octo: status %d", page.Status)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		refused(t, "a member of another team", h.visit(t, h.Browse(t), "/hub/home", "carl"), http.StatusForbidden)
	})
	t.Run("code used twice", func(t *testing.T) {
		client := h.Browse(t)
		client.StopAt(h.URL + "/hub/oauth_callback")
		callback := h.visit(t, client, "/hub/home", "bob").URL
		client.StopAt("")
		code := callback.Query().Get("code")
		if body := harness.Send(t, post(t, p.URL+"/login/oauth/access_token", "client_id", p.ClientID, "client_secret", p.Secret, "code", code)).Body; !strings.Contains(body, "access_token") {
			t.Fatalf("the code was not taken: %s", body)
		}
		refused(t, "a code that was used", client.Get(callback.String()), http.StatusForbidden, "incorrect or expired")
	})
	t.Run("no teams to be had", func(t *testing.T) {
		p.Fail("/api/v3/user/teams", http.StatusInternalServerError)
		defer p.Fail("/api/v3/user/teams", 0)
		client := h.Browse(t)
		if page := h.visit(t, client, "/hub/home", "ada"); page.Status < 500 {
			t.Errorf("status %d at %s", page.Status, page.URL)
		}
		if page := client.Get("/hub/home"); page.URL.Path == "/hub/home" {
			t.Error("logged in although the provider failed")
		}
	})
}

const openidConfig = `
import json, urllib.request
import jwt

with urllib.request.urlopen(IDP + "/.well-known/openid-configuration") as answer:
    about = json.load(answer)

keys = jwt.PyJWKClient(about["jwks_uri"])

def verify(authenticator, auth_state):
    token = auth_state["id_token"]
    claims = jwt.decode(token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"], audience=ID, issuer=about["issuer"])
    auth_state["verified"] = claims["sub"]
    return auth_state

c.JupyterHub.authenticator_class = "oauthenticator.generic.GenericOAuthenticator"
a = c.GenericOAuthenticator
a.client_id, a.client_secret = ID, SECRET
a.authorize_url, a.token_url = about["authorization_endpoint"], about["token_endpoint"]
a.logout_redirect_url = about["end_session_endpoint"]
a.userdata_from_id_token = True
a.basic_auth = True
a.scope = ["openid", "email"]
a.username_claim = lambda claims: claims["email"].split("@")[0]
a.modify_auth_state_hook = verify
a.enable_auth_state = True
a.manage_groups = True
a.auth_state_groups_key = "oauth_user.realm_access.roles"
a.admin_groups = {"hub-admin"}
a.allow_all = True
c.Authenticator.auto_login = True
c.Authenticator.blocked_users = {"mallory"}
`

// TestOpenIDConnect is a configuration as for Keycloak: addresses by discovery, people by id_token, roles in a nested claim.
func TestOpenIDConnect(t *testing.T) {
	t.Parallel()
	role := func(roles ...string) map[string]any {
		return map[string]any{"realm_access": map[string]any{"roles": roles}}
	}
	p := idp.Start(t, idp.Person{Name: "u1", Email: "Ada@uni.test", Claims: role("research")}, idp.Person{Name: "u2", Email: "root@uni.test", Claims: role("hub-admin")},
		idp.Person{Name: "u3", Email: "mallory@uni.test"}, idp.Person{Name: "u4"})
	h := withProvider(t, p, openidConfig)
	h.login(t, "u1")
	model := h.user(t, "ada")
	if dig(model, "auth_state", "verified") != "id-of-u1" || h.groups(t, "ada") != "research" {
		t.Errorf("ada: %v", model)
	}
	if p.Calls("/userinfo") != 0 {
		t.Error("userinfo was asked although the id_token says it all")
	}
	h.login(t, "u2")
	if h.user(t, "root")["admin"] != true {
		t.Error("root is no administrator")
	}
	refused(t, "a blocked user", h.visit(t, h.Browse(t), "/hub/home", "u3"), http.StatusForbidden)
	if page := h.visit(t, h.Browse(t), "/hub/home", "u4"); page.Status < 500 || strings.Contains(page.Body, "Traceback") {
		t.Errorf("somebody without an address: status %d\n%s", page.Status, page.Text())
	}
}

const auth0Config = `
c.JupyterHub.authenticator_class = "auth0"
a = c.Auth0OAuthenticator
a.auth0_domain = "lab.example"
a.client_id, a.client_secret = ID, SECRET
a.authorize_url, a.token_url, a.userdata_url = IDP + "/authorize", IDP + "/token", IDP + "/userinfo"
a.scope = ["openid", "email"]
a.allowed_users = {"ada.l@uni.test", "bob@uni.test"}
`

// TestAuth0OAuthenticator has names that are addresses, and an exception of the class's own on the page.
func TestAuth0OAuthenticator(t *testing.T) {
	t.Parallel()
	p := idp.Start(t, idp.Person{Name: "ada", Email: "Ada.L@uni.test"}, idp.Person{Name: "bob", Email: "bob@uni.test", Hidden: true})
	h := withProvider(t, p, auth0Config)
	ada := h.login(t, "ada")
	ada.Get("/hub/spawn")
	if server := running(t, h.Hub, "/user/ada.l@uni.test/"); server.User != "ada.l@uni.test" {
		t.Errorf("the server is %q's", server.User)
	}
	refused(t, "an address that is not confirmed", h.visit(t, h.Browse(t), "/hub/home", "bob"), http.StatusForbidden, "bob@uni.test is not allowed")
	ada.StopAt("https://lab.example")
	if page := ada.Get("/hub/logout"); page.URL.String() != "https://lab.example/v2/logout" {
		t.Errorf("the logout goes to %s", page.URL)
	}
}
