//go:build e2e

package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/minihub/minihub/e2e/harness"
)

// TestJupyterLab is the main job: log in, get JupyterLab, run a cell and a terminal, a second server with a display
// name, log out and be logged out of the servers too.
func TestJupyterLab(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{})
	tab := Open(t, hub)
	tab.Go("/")
	tab.WaitPath("/hub/login")
	tab.Login("ada", harness.Password)
	// the default server starts by itself, its page shows progress and goes on when it is ready
	tab.WaitPath("/user/ada/lab")
	tab.WaitLab()
	home := filepath.Join(hub.Dir, "home", "ada")
	tab.RunCell("6*7", "42", home)
	if out := tab.RunInTerminal(t, `echo "user $JUPYTERHUB_USER" > terminal.txt`, home, "terminal.txt"); out != "user ada\n" {
		t.Errorf("the terminal wrote %q", out)
	}

	tab.Go("/hub/home")
	tab.Type(".new-server-name", "Second Thoughts")
	tab.Click(".new-server-btn")
	// the server's name is made of the display name, which is what people read
	tab.WaitText(".home-server-row", "Second Thoughts")
	tab.Click(`a[href*="/spawn/ada/second-thoughts"]`)
	tab.WaitPath("/user/ada/second-thoughts/lab")
	tab.WaitFor("#jp-main-dock-panel") // it shows what the first one had open: both have the same home folder
	server := hub.Admin(t).Server("ada", "second-thoughts")
	if server["display_name"] != "Second Thoughts" || server["ready"] != true {
		t.Errorf("the named server: %v", server)
	}
	tab.Go("/hub/home")
	tab.WaitText(".home-server-row", "Second Thoughts")

	tab.Click("#logout")
	tab.WaitPath("/hub/log") // the logout page, or the login page that it leads to
	for _, path := range []string{"/user/ada/lab", "/user/ada/second-thoughts/lab", "/hub/home"} {
		tab.Go(path)
		tab.WaitPath("/hub/login")
	}
	// the servers' API does not redirect, it says no
	status, _ := Eval[int](tab, `(() => { const r = new XMLHttpRequest(); r.open("GET", "/user/ada/api/contents", false); r.send(); return r.status })()`)
	if status != http.StatusForbidden {
		t.Errorf("the server's API after logout: status %d, want 403", status)
	}
}

// TestTokenInURL is a hub without logins: everything is done by a service over REST, and a token in the address opens
// the server in a browser.
func TestTokenInURL(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: `
c.JupyterHub.authenticator_class = "null"
c.Spawner.environment = {"JUPYTERHUB_ALLOW_TOKEN_IN_URL": "1"}
`})
	admin := hub.Admin(t)
	admin.StartServer("me", "named")
	token := admin.NewToken("me", map[string]any{"note": "link", "scopes": []string{"access:servers!server=me/named"}})
	other := admin.NewToken("me", map[string]any{"scopes": []string{"access:servers!server=me/"}})

	t.Run("a token for another server does not open it", func(t *testing.T) {
		page := hub.Browse(t).Get("/user/me/named/api/contents?token=" + other)
		if page.Status != http.StatusForbidden {
			t.Errorf("status %d at %s, want 403", page.Status, page.URL)
		}
	})
	t.Run("there is no login", func(t *testing.T) {
		if page := hub.Browse(t).Get("/hub/login"); page.Status != http.StatusForbidden {
			t.Errorf("status %d, want 403", page.Status)
		}
	})
	t.Run("JupyterLab by link", func(t *testing.T) {
		tab := Open(t, hub)
		tab.Go("/user/me/named/?token=" + token)
		tab.WaitPath("/user/me/named/lab")
		tab.WaitLab()
		tab.RunCell("6*7", "42", filepath.Join(hub.Dir, "home", "me"))
		if strings.Contains(tab.URL().RawQuery, token) {
			t.Error("the token stays in the address")
		}
	})
	// the token is for the server, not for the hub
	hub.API(t, token).Get("/users/me").Want(http.StatusForbidden, http.StatusNotFound, http.StatusOK)
	hub.API(t, token).Delete("/users/me/servers/named", nil).Want(http.StatusForbidden, http.StatusNotFound)
}

// TestScreenshots opens every page of the hub, uses its forms, and takes its picture.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: fmt.Sprintf(`
c.Spawner.cmd = ["python3", %q]
c.Spawner.args = []
c.Spawner.http_timeout = 30
c.Spawner.options_form = '<label for="size">Size</label> <select name="size" id="size" class="form-control"><option>small</option><option>large</option></select>'
c.JupyterHub.services += [{"name": "gradebook", "api_token": %q, "oauth_redirect_uri": "http://127.0.0.1:1/callback",
    "oauth_client_allowed_scopes": ["read:users!user", "read:servers!user"]}]
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "access:services", "shares!user"]}]
`, harness.Testdata("lightserver.py"), harness.NewToken())})
	admin := hub.Admin(t)
	admin.StartServer("grace", "")
	tab := Open(t, hub)

	t.Run("login", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/login?next=%2Fhub%2Fhome")
		tab.WaitFor("input[name=password]")
		tab.Look("login")
		tab.Type("input[name=username]", "ada")
		tab.Type("input[name=password]", "wrong-password")
		tab.Keys("\r")
		tab.WaitText("body", "Invalid username or password")
		tab.Look("login-refused")
		tab.Login("ada", harness.Password)
		tab.WaitPath("/hub/home")
	})
	t.Run("spawn form and pending", func(t *testing.T) {
		tab.Use(t)
		admin.Post("/users/ada/servers/slow-one", nil) // 201 or 202: it exists now; its start waits for a file
		admin.Delete("/users/ada/servers/slow-one", nil)
		tab.Go("/hub/spawn/ada/slow-two")
		tab.WaitFor("select[name=size]")
		tab.Look("spawn-form")
		tab.Click("form [type=submit]")
		tab.WaitPath("/hub/spawn-pending/ada/slow-two")
		tab.WaitFor("[role=progressbar], progress")
		tab.Look("spawn-pending")
		if err := os.WriteFile(filepath.Join(hub.Dir, "home", "ada", "go"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		tab.WaitPath("/user/ada/slow-two/")
		if options := admin.Server("ada", "slow-two")["user_options"]; fmt.Sprint(options) != "map[size:[small]]" {
			t.Errorf("user_options: %v", options)
		}
	})
	t.Run("home", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/home")
		tab.WaitText(".home-server-row", "slow-two")
		tab.Look("home")
	})
	t.Run("token", func(t *testing.T) {
		tab.Use(t)
		// JupyterHub shows the token as text, minihub in a field to copy it from
		const shown = `(e => (e.value ?? e.innerText).trim())(document.querySelector("#token-result"))`
		tab.Go("/hub/token")
		tab.Type("#token-note", "for my script")
		tab.Click("#request-token-form [type=submit]")
		tab.Wait("the new token", `/^[0-9a-zA-Z_-]{32,}$/.test(`+shown+`)`)
		token, _ := Eval[string](tab, shown)
		hub.Secret(token)
		if m := hub.API(t, token).Get("/user").Want(http.StatusOK).Map(); m["name"] != "ada" {
			t.Errorf("the token of the page: %v", m)
		}
		tab.Go("/hub/token")
		tab.WaitText(".token-row", "for my script")
		tab.Look("token")
	})
	t.Run("consent", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/api/oauth2/authorize?" + url.Values{"client_id": {"service-gradebook"}, "response_type": {"code"},
			"redirect_uri": {"http://127.0.0.1:1/callback"}, "state": {"x"}}.Encode())
		tab.WaitFor("form [type=submit]")
		tab.WaitText("body", "gradebook")
		tab.Look("oauth-consent")
	})
	t.Run("not running", func(t *testing.T) {
		tab.Use(t)
		admin.Delete("/users/ada/servers/slow-two", nil)
		tab.Go("/user/ada/")
		tab.WaitPath("/hub/user/ada/")
		tab.WaitFor("#start")
		tab.Look("not-running")
	})
	t.Run("error", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/no-such-page")
		tab.WaitText("body", "404")
		tab.Look("error")
	})
	t.Run("spawn failed", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/spawn/ada/broken-one?size=small")
		// the form's values in the query start it at once
		tab.Wait("the failure", `/Error|failed|Failed|exited/.test(document.body.innerText)`)
		if !harness.Oracle() { // which knows only that it failed
			tab.WaitText("body", "told to break")
		}
		tab.Look("spawn-failed")
	})
	t.Run("accept share", func(t *testing.T) {
		tab.Use(t)
		code, _ := admin.Post("/share-codes/grace/", map[string]any{}).Want(http.StatusOK, http.StatusCreated).Map()["accept_url"].(string)
		tab.Go(code)
		tab.WaitText("body", "grace")
		tab.Look("accept-share")
		tab.Click("form [type=submit]")
		tab.WaitPath("/user/grace/")
	})
	t.Run("sharing", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/shares")
		tab.WaitFor("h1")
		tab.Look("sharing")
	})
	t.Run("home in German", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/language/de")
		tab.WaitPath("/hub/home")
		tab.Wait("the page to be German", `document.documentElement.lang === "de"`)
		tab.Look("home-german")
	})
}

// TestAdminLooks looks at the admin page and each of its dialogs.
func TestAdminLooks(t *testing.T) {
	harness.MinihubOnly(t, "the page is another one")
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: toys})
	admin := hub.Admin(t)
	for i, name := range []string{"ada.lovelace", "alan.turing", "barbara.liskov", "donald.knuth", "edsger.dijkstra", "frances.allen", "grace.hopper", "katherine.johnson", "margaret.hamilton", "tim.berners-lee"} {
		group := []string{"course-101", "course-202", "teachers"}[i%3]
		admin.Post("/groups/"+group, nil)
		admin.Post("/users/"+name, map[string]any{"admin": name == "grace.hopper"})
		admin.Post("/groups/"+group+"/users", map[string]any{"users": []string{name}})
		if i%2 == 0 {
			admin.Post("/users/"+name+"/server", map[string]any{"profile": "large", "memory": "16G"})
		}
	}
	admin.Do(http.MethodPut, "/users/ada.lovelace/servers/engine", map[string]any{"display_name": "Analytical engine", "user_options": map[string]any{"profile": "GPU"}})
	admin.Do(http.MethodPut, "/groups/course-101/properties", map[string]any{"profile": "large"})
	tab := openAdmin(t, hub)
	dialog := func(name, selector string) {
		tab.Click(selector)
		tab.WaitFor("dialog[open]")
		tab.Look(name)
		tab.Keys(kb.Escape)
		tab.Wait("the dialog to go", `!document.querySelector("dialog[open]")`)
	}
	tab.WaitText(in("ada.lovelace", ".status"), "running")
	tab.Look("admin")
	tab.Click(in("ada.lovelace", ".expand"))
	tab.WaitText(in("ada.lovelace", ".detail"), "Analytical engine")
	tab.Click(in("alan.turing", "input[type=checkbox]"))
	tab.Look("admin-details")
	dialog("admin-add", "#add-users")
	dialog("admin-edit", in("ada.lovelace", labelled("Edit ada.lovelace")))
	dialog("admin-tokens", in("ada.lovelace", labelled("Tokens of ada.lovelace")))
	dialog("admin-delete", in("ada.lovelace", labelled("Delete user ada.lovelace")))
	dialog("admin-shutdown", "#shutdown-button")
	tab.Go("/hub/admin?tab=groups")
	tab.Click(`details[data-group="course-101"] summary`)
	tab.WaitFor(`details[data-group="course-101"] textarea`)
	tab.Look("admin-groups")
	tab.Go("/hub/admin?tab=services")
	tab.WaitText("#admin-panel", "gradebook")
	tab.Look("admin-services")
}
