//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/e2e/harness"
)

// extensions is a hub with testdata/extension_config.py, whose functions and methods note each call.
type extensions struct {
	*harness.Hub
}

// call is one note: what was called, and what it saw.
type call struct {
	What string         `json:"what"`
	Saw  map[string]any `json:"saw"`
}

func startExtensions(t *testing.T, which string) *extensions {
	t.Helper()
	text, err := os.ReadFile(harness.Testdata("extension_config.py"))
	if err != nil {
		t.Fatal(err)
	}
	return &extensions{harness.Start(t, harness.Options{Config: string(text),
		Env: []string{"EXTENSIONS=" + which, "LIGHT_SERVER=" + harness.Testdata("lightserver.py")}})}
}

// calls are the notes of one kind since the start of the hub.
func (e *extensions) calls(t *testing.T, what string) []map[string]any {
	t.Helper()
	f, err := os.Open(filepath.Join(e.Dir, "calls.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []map[string]any
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var c call
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatalf("calls.jsonl: %v", err)
		}
		if c.What == what {
			out = append(out, c.Saw)
		}
	}
	return out
}

// saw waits for a call that saw all of want, and returns it.
func (e *extensions) saw(t *testing.T, what string, want map[string]any) map[string]any {
	t.Helper()
	var found map[string]any
	wait := func() bool {
		for _, c := range e.calls(t, what) {
			same := true
			for key, value := range want {
				same = same && cmp.Equal(c[key], value)
			}
			if same {
				found = c
			}
		}
		return found != nil
	}
	for end := time.Now().Add(20 * time.Second); !wait(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%s was not called with %v; the calls were %v", what, want, e.calls(t, what))
			return nil
		}
	}
	return found
}

// like fails for each value that is not the one wanted.
func like(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	for key, value := range want {
		if !cmp.Equal(got[key], value) {
			t.Errorf("%s: %s is %#v, want %#v", what, key, got[key], value)
		}
	}
	for key, value := range got {
		if text, ok := value.(string); ok && strings.HasPrefix(text, "! ") && want[key] == nil {
			t.Errorf("%s: %s raises %s", what, key, text)
		}
	}
}

// ready waits for a server.
func (e *extensions) ready(t *testing.T, user, name string) {
	t.Helper()
	harness.Poll(t, 60*time.Second, "server of "+user+" to be ready", func() bool { return e.Admin(t).Server(user, name)["ready"] == true })
}

func (e *extensions) halt(t *testing.T, path, user, name string) {
	t.Helper()
	e.Admin(t).Delete(path, nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, 60*time.Second, "server of "+user+" to end", func() bool {
		s := e.Admin(t).Server(user, name)
		return s == nil || s["ready"] == false && s["pending"] == nil
	})
}

// loginAt logs in on the page of the authenticator's own.
func (e *extensions) loginAt(t *testing.T, c *harness.Client, user string) *harness.Page {
	t.Helper()
	page := c.Get("/hub/own-login?next=%2Fhub%2Fhome")
	form := page.Form(t, "username")
	form.Values.Set("username", user)
	form.Values.Set("password", harness.Password)
	return c.Submit(page, form)
}

// TestExtensionClasses walks what an Authenticator and a Spawner of the configuration may define.
func TestExtensionClasses(t *testing.T) {
	t.Parallel()
	e := startExtensions(t, "classes")
	admin := e.Admin(t)
	ann := e.Browse(t)

	t.Run("at start", func(t *testing.T) {
		e.saw(t, "check_allow_config", nil)
		e.saw(t, "get_handlers", map[string]any{"app": true, "base": "/"})
		if n := len(e.calls(t, "load_managed_roles")); n < 1 {
			t.Errorf("load_managed_roles was called %d times", n)
		}
		e.saw(t, "add_user", map[string]any{"name": "ann"}) // of load_groups
	})
	t.Run("login page", func(t *testing.T) {
		page := ann.Get("/hub/login")
		if page.Status != http.StatusOK || !strings.Contains(page.Body, "<p id='own'>Sign in at /hub/own-login") || !strings.Contains(page.Body, "of /hub/</p>") {
			t.Errorf("get_custom_html: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		if page := ann.Get("/hub/home"); page.URL.Path != "/hub/own-login" && page.URL.Path != "/hub/login" {
			t.Errorf("a page for people who are logged in leads to %s", page.URL)
		}
		e.saw(t, "login_url", map[string]any{"base": "/hub/"})
	})
	t.Run("login", func(t *testing.T) {
		if page := e.loginAt(t, ann, "Ann "); page.URL.Path != "/hub/home" || page.Status != http.StatusOK {
			t.Fatalf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		like(t, "authenticate", e.saw(t, "authenticate", nil), map[string]any{"handler.request.method": "POST", "handler.request.path": "/hub/own-login",
			"handler.request.remote_ip": "127.0.0.1", "handler.get_query_argument(\"next\", \"none\")": "/hub/home", "handler.settings[\"base_url\"]": "/",
			"handler.hub.base_url": "/hub/", "handler.authenticator.enable_auth_state": true, "handler.log.name": "JupyterHub", "handler.request.protocol": "http"})
		e.saw(t, "validate_username", map[string]any{"name": "ann"})
		e.saw(t, "check_blocked_users", map[string]any{"name": "ann"})
		e.saw(t, "check_allowed", map[string]any{"name": "ann"})
		e.saw(t, "is_admin", map[string]any{"name": "ann"})
		like(t, "post_auth_hook", e.saw(t, "post_auth_hook", nil), map[string]any{"handler.request.method": "POST"})
		model := admin.Get("/users/ann").Map()
		if roles, _ := model["roles"].([]any); !slices.Contains(roles, "helper") {
			t.Errorf("ann's roles: %v", roles)
		}
		state := model["auth_state"]
		if !cmp.Equal(state, map[string]any{"upstream": "Ann", "seen": true}) {
			t.Errorf("auth_state: %v", state)
		}
	})
	for user, status := range map[string]int{"blocked": 403, "stranger": 403, "xeno": 403, "turned-away": 403, "teapot": 418} {
		t.Run("login of "+user, func(t *testing.T) {
			page := e.loginAt(t, e.Browse(t), user)
			if page.Status != status {
				t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
			}
			if user == "teapot" && !strings.Contains(page.Body, "no coffee here") {
				t.Errorf("the page does not say why:\n%s", page.Text())
			}
		})
	}
	t.Run("is_admin", func(t *testing.T) {
		if page := e.loginAt(t, e.Browse(t), "boss"); page.Status != http.StatusOK {
			t.Fatalf("status %d at %s", page.Status, page.URL)
		}
		if admin.Get("/users/boss").Map()["admin"] != true {
			t.Error("boss is no administrator")
		}
	})
	t.Run("names of the API", func(t *testing.T) {
		admin.Post("/users", map[string]any{"usernames": []string{"Under_Score"}}).Want(http.StatusCreated)
		admin.Get("/users/under-score").Want(http.StatusOK)
		admin.Post("/users", map[string]any{"usernames": []string{"xavier"}}).Want(http.StatusBadRequest)
		admin.Post("/users/unwanted", nil).Want(http.StatusBadRequest)
		admin.Get("/users/unwanted").Want(http.StatusNotFound)
		admin.Delete("/users/under-score", nil).Want(http.StatusNoContent)
		e.saw(t, "delete_user", map[string]any{"name": "under-score"})
	})
	t.Run("refresh_user", func(t *testing.T) {
		harness.Poll(t, 20*time.Second, "refresh_user to be called", func() bool {
			ann.Get("/hub/home")
			return len(e.calls(t, "refresh_user")) > 0
		})
		e.saw(t, "refresh_user", map[string]any{"name": "ann", "path": "/hub/home", "state": map[string]any{"upstream": "Ann", "seen": true}})
		harness.Poll(t, 20*time.Second, "auth_state to be renewed", func() bool {
			state, _ := admin.Get("/users/ann").Map()["auth_state"].(map[string]any)
			return state["refreshed"] == true
		})
	})
	t.Run("own pages", func(t *testing.T) {
		if page := ann.Get("/hub/own/green%20tea/page?q=1"); !strings.Contains(page.Body, `"what": "green tea"`) || !strings.Contains(page.Body, `"user": "ann", "q": "1"`) {
			t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		if page := ann.Get("/hub/own/template/page"); page.Status != http.StatusOK || !strings.Contains(page.Body, "for ann") {
			t.Errorf("a page with a template: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		if page := e.Browse(t).Get("/hub/own/tea/page"); page.URL.Path == "/hub/own/tea/page" {
			t.Errorf("a page for people who are logged in, shown to nobody: status %d", page.Status)
		}
	})
	e.pages(t, ann)
	e.forms(t, ann, "for ann")
	e.spawner(t)
	t.Run("logout", func(t *testing.T) {
		if page := ann.Get("/hub/own-logout"); page.URL.Path != "/hub/login" && page.URL.Path != "/hub/own-login" {
			t.Errorf("status %d at %s", page.Status, page.URL)
		}
		e.saw(t, "own_logout", map[string]any{"user": "ann"})
		if page := ann.Get("/hub/home"); page.URL.Path == "/hub/home" {
			t.Error("still logged in")
		}
	})
	t.Run("expired", func(t *testing.T) {
		bob := e.Browse(t)
		e.loginAt(t, bob, "bob")
		if err := os.WriteFile(filepath.Join(e.Dir, "expired"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		harness.Poll(t, 20*time.Second, "bob to be asked to log in again", func() bool { return bob.Get("/hub/home").URL.Path != "/hub/home" })
	})
}

// spawner walks the life of servers of a Spawner class.
func (e *extensions) spawner(t *testing.T) {
	admin := e.Admin(t)
	e.started(t, map[string]any{"spawner.get_args()": []any{"--note=ann"}})
	like(t, "environment", e.saw(t, "environment", map[string]any{"ADDED_BY_GET_ENV": "ann"}), map[string]any{"FROM_FUNCTION": "called for ann",
		"FROM_PRE_SPAWN": "ann/1", "FROM_OPTIONS": "5", "FROM_AUTH_STATE": "ann"})
	e.saw(t, "start", map[string]any{"spawner.name": ""})
	e.saw(t, "pre_spawn_start", map[string]any{"name": "ann", "server": ""})
	e.again(t)
	e.saw(t, "load_state", map[string]any{"own": 1.0, "pid": true})
	e.ready(t, "ann", "")
	e.halt(t, "/users/ann/server", "ann", "")
	e.saw(t, "stop", map[string]any{"now": false})
	e.saw(t, "clear_state", nil)
	e.saw(t, "post_spawn_stop", map[string]any{"name": "ann", "server": ""})
	e.saw(t, "post_stop_hook", map[string]any{"user": "ann", "name": ""})

	admin.Post("/users/ann/servers/one", map[string]any{"fail": true}).Want(http.StatusInternalServerError, http.StatusAccepted)
	harness.Poll(t, 20*time.Second, "the failed start to be over", func() bool {
		s := admin.Server("ann", "one")
		return s == nil || s["pending"] == nil
	})
	admin.Post("/users/ann/servers/one", map[string]any{"fail": false}).Want(http.StatusCreated, http.StatusAccepted)
	e.ready(t, "ann", "one")
	e.halt(t, "/users/ann/servers/one", "ann", "one")
	admin.Do(http.MethodPatch, "/users/ann/servers/one", map[string]any{"name": "two"}).Want(http.StatusOK)
	e.saw(t, "rename", map[string]any{"old": "one", "new": "two"})
	admin.Delete("/users/ann/servers/two", map[string]any{"remove": true}).Want(http.StatusNoContent, http.StatusAccepted)
	e.saw(t, "delete_forever", map[string]any{"user": "ann", "name": "two"})
}

// again stops the hub, with servers left alone, and starts it again.
func (e *extensions) again(t *testing.T) {
	t.Helper()
	e.Stop(t)
	e.Run(t)
}

// started starts ann's server with options and compares what hooks saw.
func (e *extensions) started(t *testing.T, more map[string]any) {
	t.Helper()
	admin := e.Admin(t)
	admin.Post("/users/ann/server?opt=from+query", map[string]any{"size": 12}).Want(http.StatusBadRequest)
	admin.Post("/users/ann/server?opt=from+query", map[string]any{"size": 5}).Want(http.StatusCreated, http.StatusAccepted)
	e.ready(t, "ann", "")
	e.Admin(t).Get("/users/ann/server/progress").Want(http.StatusOK)
	if options := e.Admin(t).Server("ann", "")["user_options"]; !cmp.Equal(options, map[string]any{"size": 5.0, "added": "by the hook"}) {
		t.Errorf("user_options after a hook changed them: %v", options)
	}
	want := map[string]any{"spawner.name": "", "spawner.user.name": "ann", "spawner.user.admin": false, "spawner.user.url": "/user/ann/",
		`sorted(g.name for g in spawner.user.groups)`: []any{"class"}, `[g.properties for g in spawner.user.groups]`: []any{map[string]any{"level": 3.0}},
		`spawner.user.spawners[spawner.name] is spawner`: true, `spawner.user.settings["base_url"]`: "/", `spawner.user_options`: map[string]any{"size": 5.0},
		`spawner.start_timeout`: 120.0, `spawner.http_timeout`: 120.0, `spawner.hub.base_url`: "/hub/", `spawner.hub.api_url.rpartition("/")[2]`: "api",
		`spawner.server.base_url`: "/user/ann/", `spawner.oauth_client_id`: "jupyterhub-user-ann", `len(spawner.api_token)`: 32.0,
		`spawner.orm_spawner.name`: "", `spawner.orm_spawner.user.name`: "ann", `spawner.orm_spawner.user_options`: map[string]any{"size": 5.0},
		`spawner.log.name`: "JupyterHub", `spawner.handler.request.path`: "/hub/api/users/ann/server", `spawner.handler.request.method`: "POST",
		`spawner.handler.current_user.name`: "e2e-admin", `spawner.handler.get_argument("opt", "none")`: "from query", `spawner.authenticator.enable_auth_state`: true,
		`spawner.active`: true, `spawner.pending`: "spawn", `spawner.ready`: false, `spawner.format_string("{username}")`: "ann",
		`spawner.template_namespace()["base_url"]`: "/user/ann/", `spawner.get_env()["JUPYTERHUB_USER"]`: "ann", `spawner.poll_interval`: 1.0,
		`spawner.get_env()["JUPYTERHUB_API_URL"] == spawner.hub.api_url`: true, `spawner.get_env()["JUPYTERHUB_SERVICE_PREFIX"]`: "/user/ann/",
		`spawner.default_url`: "/lab", `len(spawner.cmd)`: 2.0, `spawner.cookie_options`: map[string]any{}, `spawner.consecutive_failure_limit`: 0.0}
	event := e.saw(t, "progress_ready_hook", nil)
	if !cmp.Equal(event["event"], []any{"html_message", "message", "progress", "ready", "url"}) {
		t.Errorf("progress_ready_hook got %v", event)
	}
	for key, value := range more {
		want[key] = value
	}
	like(t, "pre_spawn_hook", e.saw(t, "pre_spawn_hook", map[string]any{"spawner.name": ""}), want)
}

// pages walks extra_handlers and the callables of JupyterHub.
func (e *extensions) pages(t *testing.T, ann *harness.Client) {
	t.Run("extra_handlers", func(t *testing.T) {
		if page := ann.Get("/hub/extra/apples?more=1"); page.Status != http.StatusOK || page.Body != "Good day ann: apples" {
			t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		like(t, "extra handler", e.saw(t, "extra_handler", nil), map[string]any{"handler.request.path": "/hub/extra/apples",
			"handler.get_argument(\"more\", \"none\")": "1", "handler.current_user and handler.current_user.name": "ann"})
		if page := e.Browse(t).Get("/hub/open-page"); page.Body != "open to everybody" {
			t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		if page := e.Browse(t).Get("/hub/extra/apples"); page.URL.Path == "/hub/extra/apples" {
			t.Errorf("shown to nobody: status %d", page.Status)
		}
		xsrf := ann.Cookie("/hub/", "_xsrf")
		if page := ann.Post("/hub/extra/apples", url.Values{"text": {"hi"}, "_xsrf": {xsrf}}); page.Status != http.StatusOK || page.Body != "posted hi" {
			t.Errorf("post: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		if page := ann.Post("/hub/extra/apples", url.Values{"text": {"hi"}}); page.Status != http.StatusForbidden {
			t.Errorf("post without XSRF token: status %d\n%s", page.Status, page.Text())
		}
	})
	t.Run("default_url", func(t *testing.T) {
		if page := ann.Get("/hub/"); page.URL.Path != "/hub/home" || page.URL.Query().Get("from") != "default_url" || page.URL.Query().Get("who") != "ann" {
			t.Errorf("at %s", page.URL)
		}
	})
	t.Run("template_vars", func(t *testing.T) {
		if page := ann.Get("/hub/home"); !strings.Contains(page.Body, "for ann") {
			t.Errorf("%s", page.Text())
		}
	})
	t.Run("user_redirect_hook", func(t *testing.T) {
		ann.StopAt(e.URL + "/user/ann/redirected/")
		defer ann.StopAt("")
		if page := ann.Get("/hub/user-redirect/mine/x?y=1"); page.URL.Path != "/user/ann/redirected/mine/x" || page.URL.RawQuery != "y=1" {
			t.Errorf("at %s", page.URL)
		}
	})
}

var sizes = regexp.MustCompile(`Size <input name=['"]?size`)

// forms walks the spawn page.
func (e *extensions) forms(t *testing.T, ann *harness.Client, text string) {
	t.Run("options_form", func(t *testing.T) {
		page := ann.Get("/hub/spawn/ann/formed")
		if page.Status != http.StatusOK || !sizes.MatchString(page.Body) || !strings.Contains(page.Body, text) {
			t.Fatalf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		form := page.Form(t, "size")
		form.Values.Set("size", "many")
		if page := ann.Submit(page, form); !strings.Contains(page.Body, "invalid literal for int()") {
			t.Errorf("a wrong value: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		form.Values.Set("size", "7")
		if page := ann.Submit(page, form); page.Status >= 400 {
			t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		e.saw(t, "options_from_form", map[string]any{"size": []any{"7"}})
		e.ready(t, "ann", "formed")
		e.saw(t, "apply_user_options", nil)
		e.halt(t, "/users/ann/servers/formed", "ann", "formed")
		e.Admin(t).Delete("/users/ann/servers/formed", map[string]any{"remove": true}).Want(http.StatusNoContent, http.StatusAccepted)
	})
}

// TestExtensionHooks walks the functions that a configuration puts around built-in classes.
func TestExtensionHooks(t *testing.T) {
	t.Parallel()
	e := startExtensions(t, "hooks")
	admin := e.Admin(t)
	ann := e.Browse(t)
	ann.Login("ann")
	like(t, "post_auth_hook", e.saw(t, "post_auth_hook", nil), map[string]any{"handler.request.method": "POST", "handler.request.path": "/hub/login"})
	if page := e.Browse(t).TryLogin("turned-away", harness.Password); page.Status != http.StatusForbidden {
		t.Errorf("turned away by post_auth_hook: status %d", page.Status)
	}
	e.pages(t, ann)
	e.forms(t, ann, "hook form for ann")
	e.started(t, nil)
	e.saw(t, "auth_state_hook", map[string]any{"state": map[string]any{"seen": true}})
	e.saw(t, "auth_state in pre_spawn_hook", map[string]any{"state": map[string]any{"seen": true}})
	e.halt(t, "/users/ann/server", "ann", "")
	e.saw(t, "post_stop_hook", map[string]any{"user": "ann", "name": ""})
	t.Run("a hook shortens its own start", func(t *testing.T) {
		begin := time.Now()
		said := admin.Post("/users/ann/servers/short", map[string]any{"short": true}).Body
		said += admin.Get("/users/ann/servers/short/progress").Body
		if took := time.Since(begin); took > 40*time.Second || !strings.Contains(said, "failed") {
			t.Errorf("after %s: %s", took, said)
		}
	})
	admin.Delete("/users/ann/servers/short", map[string]any{"remove": true})
	admin.Post("/users/bob", nil)
	t.Run("named_server_limit_per_user", func(t *testing.T) {
		admin.Post("/users/bob/servers/one", map[string]any{}).Want(http.StatusCreated, http.StatusAccepted)
		if a := admin.Post("/users/bob/servers/two", map[string]any{}).Want(http.StatusBadRequest); !strings.Contains(a.Body, "maximum of 1 named servers") {
			t.Error(a.Body)
		}
	})
}
