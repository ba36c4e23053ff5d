package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOAuthRolesOfAFunction: the deprecated oauth_roles may be a function, for built-in spawners and for classes in Python. Tokens of the
// server's visitors may do what its roles permit, and no more.
func TestOAuthRolesOfAFunction(t *testing.T) {
	const roles = `
c.JupyterHub.load_roles = c.JupyterHub.load_roles + [{"name": "visit", "scopes": ["read:users:activity!user", "read:tokens!user"]}]
def roles(spawner):
    return {"ada": ["visit"], "bob": []}.get(spawner.user.name, ["nowhere"])
c.Spawner.oauth_roles = roles
c.Spawner.cmd = ["sh", "-c", "env >env.new; mv env.new env; exec sleep 600"] # in the home folder
c.Spawner.http_timeout = 600
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0, "slow_stop_timeout": 60}
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(os.path.dirname(__file__), "{username}")
`
	for name, python := range map[string]string{
		"built in": "",
		"class": `
from jupyterhub.spawner import SimpleLocalProcessSpawner
class Mine(SimpleLocalProcessSpawner):
    pass
c.JupyterHub.spawner_class = Mine
`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newPythonHub(t, python != "", roles+python, func(c map[string]map[string]any) {
				c["JupyterHub"]["spawner_class"] = "simple"
				c["Authenticator"] = map[string]any{"allow_all": true}
			})
			h.startPython()
			for user, visits := range map[string]bool{"ada": true, "bob": false} {
				h.want("POST", "/hub/api/users/"+user, "", 201, user)
				h.want("POST", "/hub/api/users/"+user+"/server", "", 202, "")
				scopes := h.visit(user)
				for _, scope := range []string{"read:users:activity!user=" + user, "read:tokens!user=" + user} {
					if slices.Contains(scopes, scope) != visits {
						t.Errorf("a visitor of %s's server holds %v; %s should be there: %v", user, scopes, scope, visits)
					}
				}
				if !slices.Contains(scopes, "access:servers!server="+user+"/") || slices.Contains(scopes, "servers!user="+user) {
					t.Errorf("a visitor of %s's server holds %v", user, scopes)
				}
			}
			h.want("POST", "/hub/api/users/eve", "", 201, "eve")
			h.do("POST", "/hub/api/users/eve/server", "")
			eventually(t, func() bool { return strings.Contains(h.log.String(), "no such role: nowhere") })
			if _, err := os.Stat(filepath.Join(h.dir, "eve", "env")); err == nil {
				t.Error("a server with a role that does not exist was started")
			}
		})
	}
}

// visit logs in to a user's own server, with the secret that its process has, and returns the scopes of the token that the server gets.
func (h *testHub) visit(user string) []string {
	h.t.Helper()
	var env []byte
	eventually(h.t, func() bool {
		var err error
		env, err = os.ReadFile(filepath.Join(h.dir, user, "env"))
		return err == nil
	})
	secret := ""
	for line := range strings.Lines(string(env)) {
		if value, ok := strings.CutPrefix(line, "JUPYTERHUB_API_TOKEN="); ok {
			secret = strings.TrimSpace(value)
		}
	}
	client, _ := h.browser(user, "x")
	id, back := "jupyterhub-user-"+user, "/user/"+user+"/oauth_callback"
	resp, err := client.Get(h.url + "/hub/api/oauth2/authorize?" + url.Values{"client_id": {id}, "redirect_uri": {back}, "response_type": {"code"}}.Encode())
	if err != nil {
		h.t.Fatal(err)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if text := bodyOf(h.t, resp); err != nil || to.Query().Get("code") == "" {
		h.t.Fatalf("authorize: %d to %q: %.300s", resp.StatusCode, to, text)
	}
	resp, err = http.PostForm(h.url+"/hub/api/oauth2/token", url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {"authorization_code"},
		"code": {to.Query().Get("code")}, "redirect_uri": {back}})
	if err != nil {
		h.t.Fatal(err)
	}
	var token struct {
		Text string `json:"access_token"`
	}
	if text := bodyOf(h.t, resp); json.Unmarshal([]byte(text), &token) != nil || token.Text == "" {
		h.t.Fatalf("token: %d %s", resp.StatusCode, text)
	}
	req, _ := http.NewRequestWithContext(h.t.Context(), "GET", h.url+"/hub/api/user", nil)
	req.Header.Set("Authorization", "token "+token.Text)
	if resp, err = http.DefaultClient.Do(req); err != nil {
		h.t.Fatal(err)
	}
	var who struct{ Scopes []string }
	if text := bodyOf(h.t, resp); json.Unmarshal([]byte(text), &who) != nil {
		h.t.Fatalf("whoami: %d %s", resp.StatusCode, text)
	}
	return who.Scopes
}
