//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubtest/idp"
)

// dropin is one folder with a configuration, a database and a cookie secret, on which JupyterHub and minihub take turns.
type dropin struct {
	*harness.Hub
	idp *idp.Provider // nil: everybody logs in with harness.Password

	app, appURL string            // secret and address of the service that is an OAuth client
	tokens      map[string]string // every token that must live on, by what it is
	admin, user *harness.Client   // browsers that log in once
	now         *harness.Process
}

// venv5 is the virtual environment with JupyterHub 5.
func venv5(t *testing.T) string {
	dir := filepath.Join(harness.Root(), ".cache", "venv5")
	if _, err := os.Stat(filepath.Join(dir, "bin", "python")); err != nil {
		t.Fatalf("no JupyterHub 5 to make a database with: %v; run scripts/setup.sh venv5", err)
	}
	return dir
}

// prepareDropin makes the folder; nothing is started.
func prepareDropin(t *testing.T, provider *idp.Provider) *dropin {
	t.Helper()
	d := &dropin{Hub: harness.Prepare(t, harness.Options{}), idp: provider, app: harness.NewToken(), tokens: map[string]string{}}
	d.appURL = fmt.Sprintf("http://127.0.0.1:%d", harness.FreePort(t))
	facts := map[string]any{
		"url": d.URL, "hub_url": strings.TrimSuffix(d.APIURL, "/hub/api"), "password": harness.Password,
		"proxy_api_url": fmt.Sprintf("http://127.0.0.1:%d", harness.FreePort(t)), "proxy_token": harness.NewToken(),
		"crypt_key": harness.NewToken() + harness.NewToken(), "admin_token": d.AdminToken, "app_token": d.app, "app_url": d.appURL,
		"server_command": []string{harness.Testdata("choose_server.sh")},
	}
	if provider != nil {
		facts["idp"], facts["idp_client"], facts["idp_secret"] = provider.URL, provider.ClientID, provider.Secret
		provider.Callback = d.URL + "/hub/oauth_callback"
	}
	data, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(harness.Testdata("dropin_config.py"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"dropin.json": data, "jupyterhub_config.py": config} {
		if err := os.WriteFile(filepath.Join(d.Dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.admin, d.user = d.Browse(t), d.Browse(t)
	return d
}

// jupyterhub starts the JupyterHub of a virtual environment.
func (d *dropin) jupyterhub(t *testing.T, venv string) {
	t.Helper()
	path := strings.Join([]string{filepath.Join(venv, "bin"), filepath.Join(harness.Root(), ".cache", "npm", "node_modules", ".bin"), os.Getenv("PATH")}, ":")
	d.run(t, harness.StartProcess(t, "jupyterhub", d.Dir, []string{"PATH=" + path}, filepath.Join(venv, "bin", "python"), "-m", "jupyterhub", "-f", "jupyterhub_config.py"))
}

func minihubBinary() string {
	if binary := os.Getenv("MINIHUB_E2E_BINARY"); binary != "" {
		return binary
	}
	return filepath.Join(harness.Root(), "bin", "minihub")
}

// minihub starts minihub, as one starts JupyterHub.
func (d *dropin) minihub(t *testing.T) {
	t.Helper()
	d.run(t, harness.StartProcess(t, "minihub", d.Dir, nil, minihubBinary(), "-f", "jupyterhub_config.py"))
}

// command runs a sub-command of minihub to its end.
func (d *dropin) command(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	name := "command-" + harness.NewToken()
	p := harness.StartProcess(t, name, d.Dir, nil, append([]string{minihubBinary()}, args...)...)
	code = p.ExitCode(t, 60*time.Second)
	return p.Log(), code
}

// run waits until a hub answers through its public port and has put the routes of all running servers back.
func (d *dropin) run(t *testing.T, p *harness.Process) {
	t.Helper()
	d.now = p
	harness.Poll(t, 90*time.Second, p.Name+" to answer at "+d.URL, func() bool {
		if p.Exited() {
			t.Fatalf("%s ended while it was starting; its log:\n%s", p.Name, lastLines(p.Log(), 60))
		}
		r, err := http.Get(d.URL + "/hub/health")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (d *dropin) stop(t *testing.T) {
	t.Helper()
	d.now.Stop(t)
}

// login logs a browser in, with the password or at the identity provider.
func (d *dropin) login(t *testing.T, client *harness.Client, user string) {
	t.Helper()
	if d.idp == nil {
		client.Login(user)
		return
	}
	d.idp.Next(user)
	if page := client.Get("/hub/oauth_login?next=%2Fhub%2Fhome"); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
		t.Fatalf("log in %s at the identity provider: status %d at %s\n%s", user, page.Status, page.URL, page.Text())
	}
}

// oauthToken goes through OAuth as a web application does and gives the access token of the browser's user.
func (d *dropin) oauthToken(t *testing.T, client *harness.Client) string {
	t.Helper()
	client.StopAt(d.appURL)
	defer client.StopAt("")
	callback := d.appURL + "/callback"
	page := client.Get("/hub/api/oauth2/authorize?" + url.Values{"response_type": {"code"}, "client_id": {"service-app"}, "redirect_uri": {callback}, "state": {"s"}}.Encode())
	code := page.URL.Query().Get("code")
	if code == "" {
		t.Fatalf("no OAuth code: status %d at %s\n%s", page.Status, page.URL, page.Text())
	}
	request, err := http.NewRequest(http.MethodPost, d.APIURL+"/oauth2/token", strings.NewReader(url.Values{"grant_type": {"authorization_code"},
		"client_id": {"service-app"}, "client_secret": {d.app}, "redirect_uri": {callback}, "code": {code}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	token, _ := harness.Send(t, request).Want(http.StatusOK).Map()["access_token"].(string)
	return token
}

// provider is an identity provider that knows everybody in the drop-in's database.
func provider(t *testing.T) *idp.Provider {
	t.Helper()
	p := idp.Start(t)
	p.PKCE = true
	for _, name := range append([]string{"real"}, people...) {
		p.Set(idp.Person{Name: name, Email: "someone@lab.test"})
	}
	return p
}

// upstream ends bob's access token at the provider: the hub has to get a new one with the refresh token in bob's auth_state, which another
// hub may have written, and bob must not notice.
func (d *dropin) upstream(t *testing.T, what string) {
	t.Helper()
	token := func() string {
		state, _ := d.Admin(t).Get("/users/bob").Want(http.StatusOK).Map()["auth_state"].(map[string]any)
		token, _ := state["access_token"].(string)
		return token
	}
	before := token()
	if user, ok := d.idp.Knows(before); !ok || user != "bob" {
		t.Fatalf("%s: bob's auth_state has no token that is valid at the provider", what)
	}
	d.idp.Expire("bob")
	harness.Poll(t, 60*time.Second, what+" to renew bob's token at the provider", func() bool {
		if page := d.user.Get("/hub/home"); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
			t.Fatalf("%s: bob at the home page: status %d at %s", what, page.Status, page.URL)
		}
		now := token()
		user, ok := d.idp.Knows(now)
		return now != before && ok && user == "bob"
	})
}
