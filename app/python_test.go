package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// usePython makes the hub use the interpreter of the tests; jupyterhub tells that it must have that package.
func usePython(t *testing.T, jupyterhub bool) {
	t.Helper()
	python := os.Getenv("MINIHUB_TEST_PYTHON")
	if python == "" {
		if jupyterhub {
			t.Skip("set MINIHUB_TEST_PYTHON to an interpreter with jupyterhub to run this test")
		}
		var err error
		if python, err = exec.LookPath("python3"); err != nil {
			t.Skip("no python3 in PATH; set MINIHUB_TEST_PYTHON to an interpreter to run this test")
		}
	}
	t.Setenv("MINIHUB_PYTHON", python)
}

// newPythonHub is newHub with a jupyterhub_config.py: the same traits, then text.
func newPythonHub(t *testing.T, jupyterhub bool, text string, change func(c map[string]map[string]any)) *testHub {
	t.Helper()
	usePython(t, jupyterhub)
	h := newHub(t, change)
	data, err := json.Marshal(h.text)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("base.json", string(data))
	write("jupyterhub_config.py", `
import json, os
for section, traits in json.load(open(os.path.join(os.path.dirname(__file__), "base.json"))).items():
    for trait, value in traits.items():
        c[section][trait] = value
`+text)
	return h
}

func (h *testHub) loadPython() (*config.Config, *config.Report, error) {
	h.t.Helper()
	args, err := config.ParseArgs([]string{"-f", filepath.Join(h.dir, "jupyterhub_config.py")})
	if err != nil {
		h.t.Fatal(err)
	}
	return app.Load(h.t.Context(), args, h.log)
}

func (h *testHub) startPython() {
	h.t.Helper()
	cfg, _, err := h.loadPython()
	if err != nil {
		h.t.Fatal(err)
	}
	h.run(cfg)
}

func (h *testHub) run(cfg *config.Config) {
	h.t.Helper()
	var err error
	if h.app, err = app.New(h.t.Context(), cfg, app.Options{Logger: app.NewLogger(h.log, app.LogOptions{})}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.app.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		h.stop()
		if h.t.Failed() {
			h.t.Log(h.log.String())
		}
	})
}

func TestHooksInAHub(t *testing.T) {
	h := newPythonHub(t, false, `
def pre(spawner):
    if spawner.user.name == "eve":
        raise RuntimeError("secret detail")
    print("hook for", spawner.user.name, "asked by", spawner.handler.request.path, spawner.user_options)
c.Spawner.pre_spawn_hook = pre
c.Spawner.post_stop_hook = lambda spawner: print("stopped", spawner.user.name)
def options(spawner, user_options):
    if "bad" in user_options: raise ValueError("secret too")
c.Spawner.apply_user_options = options
c.JupyterHub.named_server_limit_per_user = lambda handler: 0 if handler is None else 1
c.JupyterHub.allow_named_servers = True
`, nil)
	h.startPython()
	for _, name := range []string{"ada", "eve"} {
		if status, body := h.do("POST", "/hub/api/users/"+name, ""); status != 201 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, body := h.do("POST", "/hub/api/users/ada/server", `{"colour": "red"}`); status != 201 {
		t.Errorf("start: %d %s", status, body)
	}
	h.logs("hook for ada asked by /hub/api/users/ada/server {'colour': 'red'}")
	status, body := h.do("POST", "/hub/api/users/eve/server", "")
	if status != 500 || strings.Contains(body, "secret detail") || !strings.Contains(body, "Unhandled error starting server eve") {
		t.Errorf("a hook that raises: %d %s", status, body)
	}
	if text := h.log.String(); !strings.Contains(text, "RuntimeError: secret detail") || !strings.Contains(text, "jupyterhub_config.py:9 in pre") {
		t.Error("the log has no traceback")
	}
	if status, body := h.do("POST", "/hub/api/users/eve/server", `{"bad": 1}`); status != 400 || strings.Contains(body, "secret too") {
		t.Errorf("options that the hook refuses: %d %s", status, body)
	}
	if status, _ := h.do("DELETE", "/hub/api/users/ada/server", ""); status != 204 && status != 202 {
		t.Errorf("stop: %d", status)
	}
	h.logs("[python] stopped ada")
	if status, body := h.do("POST", "/hub/api/users/ada/servers/one", ""); status != 201 && status != 202 {
		t.Errorf("first named server: %d %s", status, body)
	}
	if status, body := h.do("POST", "/hub/api/users/ada/servers/two", ""); status != 400 || !strings.Contains(body, "maximum of 1") {
		t.Errorf("second named server: %d %s", status, body)
	}
}

// browser logs a browser in and returns it.
func (h *testHub) browser(name, password string) (*http.Client, *http.Response) {
	h.t.Helper()
	jar, _ := cookiejar.New(nil) // never fails
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, _ := http.NewRequestWithContext(h.t.Context(), "GET", h.url+"/hub/login", nil)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	token := regexp.MustCompile(`name="_xsrf" value="([^"]+)"`).FindStringSubmatch(bodyOf(h.t, resp))
	if token == nil {
		h.t.Fatal("the login page has no XSRF token")
	}
	resp, err = client.PostForm(h.url+"/hub/login", url.Values{"username": {name}, "password": {password}, "_xsrf": {token[1]}})
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	return client, resp
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

func TestHooksOfLoginsAndPages(t *testing.T) {
	h := newPythonHub(t, false, `
c.DummyAuthenticator.password = "pw"
async def post(authenticator, handler, model):
    if model["name"] == "out":
        return None
    model["admin"] = handler.request.method == "POST" and model["name"] == "root"
    return model
c.Authenticator.post_auth_hook = post
c.JupyterHub.default_url = lambda handler: "/hub/home?for=" + handler.current_user.name
c.JupyterHub.template_vars = {"announcement_home": lambda user: "Hello from Python, " + user.name if user else ""}
c.JupyterHub.user_redirect_hook = lambda path, request, user, base_url: base_url + "user/" + user.name + "/to/" + path
`, nil)
	h.startPython()
	client, resp := h.browser("Root", "pw")
	if resp.StatusCode != 302 || !strings.HasSuffix(resp.Header.Get("Location"), "/hub/home?for=root") {
		t.Errorf("login: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, err := client.Get(h.url + "/hub/home"); err != nil || !strings.Contains(bodyOf(t, resp), "Hello from Python, root") {
		t.Errorf("template_vars: %v", err)
	}
	if resp, err := client.Get(h.url + "/hub/user-redirect/lab"); err != nil || !strings.Contains(resp.Header.Get("Location"), "/user/root/to/lab") {
		t.Errorf("user_redirect_hook: %v %s", err, resp.Header.Get("Location"))
	}
	if _, body := h.do("GET", "/hub/api/users/root", ""); !strings.Contains(body, `"admin":true`) {
		t.Errorf("post_auth_hook: %s", body)
	}
	if _, resp := h.browser("out", "pw"); resp.StatusCode != 403 {
		t.Errorf("refused by the hook: %d", resp.StatusCode)
	}
}

func TestNoChildWithoutAnythingInIt(t *testing.T) {
	for text, lives := range map[string]bool{"": false, "c.Spawner.pre_spawn_hook = lambda s: None\n": true} {
		h := newPythonHub(t, false, text, nil)
		cfg, _, err := h.loadPython()
		if err != nil {
			t.Fatal(err)
		}
		if (cfg.Child != nil) != lives {
			t.Errorf("%q: child %v", text, cfg.Child)
		}
		if cfg.Child != nil {
			if err := cfg.Child.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A person learns that a hook failed, an administrator also where.
func TestWhoSeesATraceback(t *testing.T) {
	h := newPythonHub(t, false, `
def pre(spawner):
    raise RuntimeError("inner detail")
c.Spawner.pre_spawn_hook = pre
c.Authenticator.admin_users = {"root"}
c.Authenticator.allow_all = True
`, nil)
	h.startPython()
	for name, sees := range map[string]bool{"ada": false, "root": true} {
		client, _ := h.browser(name, "x")
		var page string
		eventually(t, func() bool {
			resp, err := client.Get(h.url + "/hub/spawn/" + name)
			if err != nil {
				t.Fatal(err)
			}
			page = bodyOf(t, resp)
			return strings.Contains(page, "Unhandled error")
		})
		if strings.Contains(page, "inner detail") != sees || strings.Contains(page, "jupyterhub_config.py:8 in pre") != sees {
			t.Errorf("page of %s: %s", name, page)
		}
	}
}

func TestWhatPythonCannotDoHere(t *testing.T) {
	h := newPythonHub(t, false, `
class MyProxy: pass
c.JupyterHub.proxy_class = MyProxy
c.JupyterHub.authenticator_class = "no_such_package.Thing"
`, nil)
	_, report, err := h.loadPython()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, trait := range []string{"JupyterHub.proxy_class", "JupyterHub.authenticator_class"} {
		found := false
		for _, p := range report.Errors() {
			found = found || strings.Contains(p.String(), trait)
		}
		if !found {
			t.Errorf("no error names %s: %v", trait, report.Errors())
		}
	}
}

// Classes are named in a JSON file: the child gets all its sections.
func TestPythonClassesOfAJSONFile(t *testing.T) {
	usePython(t, true)
	h := newHub(t, func(c map[string]map[string]any) {
		c["JupyterHub"]["authenticator_class"] = "jupyterhub.tests.mocking.MockPAMAuthenticator"
		c["JupyterHub"]["spawner_class"] = "jupyterhub.tests.mocking.MockSpawner"
		c["Authenticator"] = map[string]any{"allowed_users": []string{"ada"}}
	})
	cfg, _, err := h.load()
	if err != nil {
		t.Fatal(err)
	}
	h.run(cfg)
	if _, resp := h.browser("Ada", "Ada"); resp.StatusCode != 302 {
		t.Errorf("login: %d", resp.StatusCode)
	}
	if _, resp := h.browser("bob", "bob"); resp.StatusCode != 403 {
		t.Errorf("login of somebody not allowed: %d", resp.StatusCode)
	}
	if _, body := h.do("GET", "/hub/api/users/admin", ""); !strings.Contains(body, `"admin":true`) {
		t.Errorf("admin_users by default of the class: %s", body)
	}
	if status, body := h.do("POST", "/hub/api/users/ada/server", ""); status != 201 && status != 202 {
		t.Errorf("start: %d %s", status, body)
	}
	if status, body := h.do("DELETE", "/hub/api/users/ada/server", ""); status != 204 && status != 202 {
		t.Errorf("stop: %d %s", status, body)
	}
	if _, body := h.do("GET", "/hub/api/info", ""); !strings.Contains(body, "MockPAMAuthenticator") || !strings.Contains(body, "MockSpawner") {
		t.Error(body)
	}
}

// A spawner that resumes what it only stopped comes back with the token of the earlier start.
func TestServersThatResumeKeepTheirToken(t *testing.T) {
	const kept = "0123456789abcdef0123456789abcdef"
	h := newPythonHub(t, true, `
from jupyterhub.tests.mocking import MockSpawner
class Resuming(MockSpawner):
    use_this_api_token = "`+kept+`"
c.JupyterHub.spawner_class = Resuming
`, nil)
	h.startPython()
	if status, body := h.do("POST", "/hub/api/users/ada", ""); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	for range 2 {
		if status, body := h.do("POST", "/hub/api/users/ada/server", ""); status != 201 && status != 202 {
			t.Fatalf("start: %d %s", status, body)
		}
		eventually(t, func() bool {
			_, body := h.do("GET", "/hub/api/users/ada", "")
			return strings.Contains(body, `"ready":true`)
		})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+"/hub/api/user", nil)
		req.Header.Set("Authorization", "token "+kept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if body := bodyOf(t, resp); resp.StatusCode != 200 || !strings.Contains(body, `"name":"ada"`) {
			t.Errorf("the kept token: %d %s", resp.StatusCode, body)
		}
		h.do("DELETE", "/hub/api/users/ada/server", "")
		eventually(t, func() bool {
			_, body := h.do("GET", "/hub/api/users/ada", "")
			return strings.Contains(body, `"servers":{}`)
		})
	}
}

// logs waits until a text is in the log. What Python prints comes there on a way of its own, maybe after the answer to the request.
func (h *testHub) logs(text string) {
	h.t.Helper()
	eventually(h.t, func() bool { return strings.Contains(h.log.String(), text) })
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never happened")
}

// A link to /hub/spawn with options asks the class's options_from_query, a submitted form its options_from_form.
func TestOptionsOfALink(t *testing.T) {
	h := newPythonHub(t, true, `
from jupyterhub.tests.mocking import MockSpawner
class Chooses(MockSpawner):
    def options_from_query(self, query):
        return {"from": "link", "size": int(query["size"][0])}
    def options_from_form(self, form):
        return {"from": "form"}
c.JupyterHub.spawner_class = Chooses
c.Spawner.pre_spawn_hook = lambda spawner: print("chosen:", spawner.user_options)
`, func(c map[string]map[string]any) {
		c["JupyterHub"]["authenticator_class"] = "dummy"
		c["Authenticator"] = map[string]any{"allow_all": true}
	})
	h.startPython()
	client, _ := h.browser("ada", "ada")
	req, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+"/hub/spawn?opt-size=3", nil)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if to := resp.Header.Get("Location"); resp.StatusCode != 302 || !strings.Contains(to, "/hub/spawn-pending/ada") {
		t.Errorf("%d %s", resp.StatusCode, to)
	}
	h.logs("chosen: {'from': 'link', 'size': 3}") // which options_from_query gave
}

// The domains of users are what a function of the configuration makes of their names.
func TestSubdomainHookInPython(t *testing.T) {
	h := newPythonHub(t, false, `
def hook(name, domain, kind):
    return f"{kind}-{name}.lab.{domain}"
c.JupyterHub.subdomain_host = "http://hub.test:8000"
c.JupyterHub.subdomain_hook = hook
c.Authenticator.allow_all = True
`, nil)
	h.startPython()
	client, _ := h.browser("ada", "x")
	resp, err := client.Get(h.url + "/hub/user-redirect/lab")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Path != "/hub/spawn/ada" || to.Query().Get("next") != "http://user-ada.lab.hub.test:8000/user/ada/lab" {
		t.Errorf("status %d to %s, %v", resp.StatusCode, to, err)
	}
}
