//go:build e2e

package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// lightHub is a hub whose servers only say who they are, and whose users may share them.
func lightHub(t *testing.T, config string) *harness.Hub {
	t.Helper()
	return harness.Start(t, harness.Options{Config: fmt.Sprintf(`
c.Spawner.cmd = ["python3", %q]
c.Spawner.args = []
c.Spawner.default_url = ""
c.JupyterHub.redirect_to_server = False
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "access:services", "shares!user", "read:users:name", "read:groups:name"]}]
`, harness.Testdata("lightserver.py")) + config})
}

func notJupyterHubs(t *testing.T) {
	t.Helper()
	if harness.Oracle() {
		t.Skip("this is about minihub's own pages")
	}
}

// TestPageActions does everything that home and token page offer, in a phone's width too, and no page may want something that
// its own Content-Security-Policy refuses.
func TestPageActions(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WatchPolicy()
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Click("#toggle_password_visibility")
	tab.Wait("the password to be shown", `document.getElementById("password_input").type == "text"`)
	tab.Click("#toggle_password_visibility")
	tab.Wait("the password to be hidden", `document.getElementById("password_input").type == "password"`)
	tab.CheckNoOverflow(320)
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")

	tab.Type(".new-server-name", "First Try")
	tab.Click(".new-server-btn")
	tab.WaitText(".home-server-row", "First Try")
	tab.Click(".home-server-row details.more summary")
	tab.Type(".popover input[name=display_name]", "Second & third")
	tab.Click(".rename-server")
	tab.WaitText(".home-server-row", "Second & third")
	tab.Click("#start-first-try")
	tab.WaitPath("/user/ada/first-try/")
	tab.Go("/hub/home")
	tab.CheckNoOverflow(320)
	tab.WaitText(".home-server-row", "Running")
	tab.Click("#stop-first-try")
	tab.WaitFor("#delete-first-try")
	tab.Click("#delete-first-try") // asks, and the tab says yes
	tab.Wait("the server to be gone", `!document.querySelector("#delete-first-try") && document.readyState == "complete"`)
	tab.Click("#start")
	tab.WaitPath("/user/ada/")
	tab.Go("/hub/home")
	tab.Click("#dark-theme-toggle")
	tab.Wait("the other theme", `document.documentElement.getAttribute("data-bs-theme") == "dark"`)
	tab.Go("/hub/token")
	tab.Wait("the theme to be remembered", `document.documentElement.getAttribute("data-bs-theme") == "dark"`)

	tab.Type("#token-note", "only names")
	tab.Click(".scope-picker summary")
	tab.Click(`input[name=scopes][value="read:users:name"]`)
	tab.Click("#request-token-form [type=submit]")
	tab.WaitFor("#token-result")
	token, _ := Eval[string](tab, `document.querySelector("#token-result").value`)
	hub.Secret(token)
	if m := hub.API(t, token).Get("/user").Map(); m["name"] != "ada" || !strings.Contains(fmt.Sprint(m["scopes"]), "read:users:name") || strings.Contains(fmt.Sprint(m["scopes"]), "servers") {
		t.Errorf("what the token can do: %v", m)
	}
	tab.CheckNoOverflow(320)
	tab.Click(`[aria-label="Revoke the token only names"]`)
	tab.Wait("the token to be revoked", `!document.body.innerText.includes("only names") && document.readyState == "complete"`)
	hub.API(t, token).Get("/user").Want(403)

	for _, path := range []string{"/hub/home", "/hub/token", "/hub/shares", "/hub/nothing", "/hub/error/503"} {
		tab.Go(path)
		tab.WaitFor("#main")
		tab.CheckPolicy()
		tab.CheckNoOverflow(320)
	}
	if strings.Contains(hub.Log(), "content security violation") {
		t.Error("a page wants what its policy refuses: see the hub's log")
	}
}

// TestPagesOfSharing makes a link, follows it as somebody else, gives up what it gave, and takes the link back.
func TestPagesOfSharing(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WatchPolicy()
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	tab.Click("#start")
	tab.WaitPath("/user/ada/")
	tab.Go("/hub/shares")
	tab.Click("#share-btn")
	tab.WaitFor("#new-link")
	link, _ := Eval[string](tab, `document.querySelector("#new-link").value`)
	tab.CheckNoOverflow(320)
	grace := Open(t, hub)
	grace.WatchPolicy()
	path := strings.TrimPrefix(link, hub.URL)
	_, code, found := strings.Cut(path, "?code=")
	if path == link || !found {
		t.Fatalf("the link %q does not lead to the hub", link)
	}
	hub.Secret(code)
	grace.Go(path)
	grace.WaitPath("/hub/login")
	grace.Login("grace", harness.Password)
	grace.WaitPath("/hub/accept-share")
	grace.CheckNoOverflow(320)
	grace.CheckPolicy()
	grace.Click("form [type=submit]")
	grace.WaitPath("/user/ada/")
	grace.Go("/hub/shares")
	grace.WaitText("#shared-table", "ada")
	tab.Go("/hub/shares")
	tab.WaitText("#grants-table", "grace")
	grace.Click(`#shared-table button[value="leave"]`)
	grace.Wait("the share to be given up", `!document.querySelector("#shared-table") && document.readyState == "complete"`)
	grace.CheckPolicy()
	tab.Click(`#links-table button[value="revoke-link"]`)
	tab.Wait("the link to be revoked", `!document.querySelector("#links-table") && document.readyState == "complete"`)
	grace.Go(path)
	grace.WaitText("body", "404")
	grace.CheckPolicy()
}

// profileConfig is the example of docs/configuration.md.
const profileConfig = `
c.Spawner.profile_list = [
    {"display_name": "Small", "description": "One core, for notes and <em>small</em> data.", "default": True, "spawner_override": {"environment": {"SIZE": "small"}}},
    {"display_name": "Large", "slug": "large", "description": "Eight gigabytes.", "kubespawner_override": {"environment": {"SIZE": "large"}},
     "profile_options": {"start": {"display_name": "Start with", "choices": [
         {"slug": "lab", "display_name": "JupyterLab", "spawner_override": {"environment": {"START": "/lab"}}},
         {"slug": "tree", "display_name": "Notebook", "spawner_override": {"environment": {"START": "/tree"}}}],
       "unlisted_choice": {"enabled": True, "display_name": "Another page", "validation_regex": "/[a-z/]+$", "validation_message": "a path such as /doc",
           "spawner_override": {"environment": {"START": "{value}"}}}}}}]
c.Spawner.pre_spawn_hook = lambda spawner: print("starts with", spawner.environment.get("SIZE"), spawner.environment.get("START"))
`

// TestProfilePages chooses among profiles, with JavaScript and without.
func TestProfilePages(t *testing.T) {
	notJupyterHubs(t)
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %v", scripts), func(t *testing.T) {
			t.Parallel()
			hub := lightHub(t, profileConfig)
			tab := Open(t, hub)
			if scripts {
				tab.WatchPolicy()
			} else {
				tab.WithoutScripts()
			}
			tab.Go("/hub/login?next=%2Fhub%2Fspawn")
			tab.Login("ada", harness.Password)
			tab.WaitPath("/hub/spawn")
			tab.WaitText("#spawn_form", "One core, for notes and small data.")
			tab.Wait("no options of what is not chosen", `document.querySelector(".profile-options").offsetHeight == 0`)
			tab.CheckNoOverflow(320)
			tab.Click(`label[for="profile-item-large"]`)
			tab.Wait("the options of what is chosen", `document.querySelector(".profile-options").offsetHeight > 0`)
			own := "profile-option-large--start"
			tab.Wait("no field for what is not listed", `document.querySelector(".profile-unlisted").offsetHeight == 0`)
			if _, ok := Eval[bool](tab, fmt.Sprintf(`document.getElementById(%q).value = "unlisted-choice", true`, own)); !ok {
				t.Fatal("no list of choices")
			}
			tab.Wait("a field for what is not listed", `document.querySelector(".profile-unlisted").offsetHeight > 0`)
			tab.CheckNoOverflow(320)
			tab.Type("#"+own+"--unlisted-choice", "BAD")
			tab.Click("#spawn_form [type=submit]")
			tab.WaitText("#main", "does not take the value")
			tab.WaitText("#main", "a path such as /doc")
			tab.Wait("what was written", fmt.Sprintf(`document.getElementById(%q).value == "BAD"`, own+"--unlisted-choice"))
			if _, ok := Eval[bool](tab, fmt.Sprintf(`document.getElementById(%q).value = "", true`, own+"--unlisted-choice")); !ok {
				t.Fatal("no field")
			}
			tab.Type("#"+own+"--unlisted-choice", "/doc")
			if scripts {
				tab.CheckPolicy()
			}
			tab.Click("#spawn_form [type=submit]")
			tab.WaitPath("/user/ada/")
			if !strings.Contains(hub.Log(), "starts with large /doc") {
				t.Error("the profile did not take effect")
			}
		})
	}
}

// TestPagesWithoutJavaScript does much of that with JavaScript off.
func TestPagesWithoutJavaScript(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WithoutScripts()
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	if tab.Exists("html.js") {
		t.Fatal("JavaScript is on")
	}
	tab.Type(".new-server-name", "slow")
	tab.Click(".new-server-btn")
	tab.WaitFor("#start-slow")
	tab.Click("#start-slow")
	tab.WaitPath("/hub/spawn-pending/ada/slow")
	tab.WaitText("#main", "This page reloads by itself")
	if err := os.WriteFile(filepath.Join(hub.Dir, "home", "ada", "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tab.WaitPath("/user/ada/slow/") // by the page's own refresh
	tab.Go("/hub/home")
	tab.Click("#stop-slow")
	tab.WaitFor("#delete-slow")
	tab.Click("#delete-slow")
	tab.Wait("the server to be gone", `!document.querySelector("#delete-slow") && document.readyState == "complete"`)
	tab.Go("/hub/token")
	tab.Type("#token-note", "no script")
	tab.Click("#request-token-form [type=submit]")
	tab.WaitFor("#token-result")
	tab.Click(".revoke-token-btn")
	tab.Wait("the token to be revoked", `!document.body.innerText.includes("no script") && document.readyState == "complete"`)
	tab.Go("/hub/shares")
	tab.Click("#share-btn")
	tab.WaitFor("#new-link")
	tab.Click("#logout")
	tab.WaitPath("/hub/login")
}

// TestPagesWhenThingsFail: a server that dies, a start that is stopped, a session that is over, two tabs that log in.
func TestPagesWhenThingsFail(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WatchPolicy()

	t.Run("two tabs race through login", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/login?next=%2Fhub%2Fhome")
		tab.WaitFor("input[name=password]")
		hub.Secret(harness.Password)
		// what the other tab does: it sends the same form, and has its cookies afterwards
		tab.InBackground(fmt.Sprintf(`fetch("/hub/login", {method: "POST", body: new URLSearchParams({username: "ada", password: %q,
			_xsrf: document.querySelector("input[name=_xsrf]").value})})`, harness.Password))
		tab.Login("ada", harness.Password)
		tab.WaitPath("/hub/home")
		tab.Go("/hub/token") // still logged in
		tab.WaitPath("/hub/token")
	})
	t.Run("a server that dies", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/home")
		tab.Type(".new-server-name", "broken one")
		tab.Click(".new-server-btn")
		tab.Click("#start-broken-one")
		tab.WaitText("#main", "told to break")
		tab.WaitText("#main", "What to do:")
		tab.CheckPolicy()
		tab.WaitFor("a#start")
		tab.Go("/hub/home")
		tab.WaitText(".home-server-row", "Failed to start")
	})
	t.Run("a slow start is stopped", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/home")
		tab.Type(".new-server-name", "slow one")
		tab.Click(".new-server-btn")
		tab.Click("#start-slow-one")
		tab.WaitPath("/hub/spawn-pending/ada/slow-one")
		tab.Wait("progress", `document.getElementById("progress-bar").value > 0`)
		tab.WaitText("#progress-time", "Waiting for")
		tab.CheckPolicy()
		tab.Click("#stop-server-btn")
		tab.WaitPath("/hub/home")
		tab.WaitFor("#start-slow-one, #delete-slow-one")
	})
	t.Run("a session that ended in another tab", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/home")
		tab.WaitFor(".new-server-btn")
		tab.InBackground(`fetch("/hub/logout")`)
		tab.Type(".new-server-name", "too late")
		tab.Click(".new-server-btn")
		tab.WaitText("#main", "not any more")
		tab.CheckPolicy()
		tab.Click("#main a.btn-primary")
		tab.WaitPath("/hub/login")
		tab.Login("ada", harness.Password)
		tab.WaitPath("/hub/home")
		if tab.Exists(`[data-server-name="too-late"]`) {
			t.Error("the server was made without a login")
		}
	})
}

// TestPagesOfPeople runs JupyterHub's own templates with its scripts, and an inline script of an override, under minihub's policy.
func TestPagesOfPeople(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	dir := t.TempDir()
	page := `{% extends "templates/page.html" %}{% block script %}{{ super() }}<script>require(["jquery"], $ => $("body").attr("data-own", "ran"))</script>{% endblock %}`
	if err := os.WriteFile(filepath.Join(dir, "page.html"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	share := filepath.Join(harness.Venv(), "share", "jupyterhub")
	hub := lightHub(t, fmt.Sprintf("c.JupyterHub.data_files_path = %q\nc.JupyterHub.template_paths = [%q]\n", share, dir))
	tab := Open(t, hub)
	tab.WatchPolicy()
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Wait("the override's script", `document.body.dataset.own == "ran"`)
	tab.CheckPolicy()
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	tab.Wait("the override's script", `document.body.dataset.own == "ran"`)
	tab.waitScript(".new-server-btn", "click")
	tab.Type(".new-server-name", "theirs")
	tab.Click(".new-server-btn")
	tab.WaitText(".home-server-row", "theirs")
	tab.Go("/hub/token")
	tab.Wait("the override's script", `document.body.dataset.own == "ran"`)
	tab.waitScript("#request-token-form", "submit")
	tab.Type("#token-note", "by jQuery")
	tab.Click("#request-token-form [type=submit]")
	tab.Wait("the new token", `/^[0-9a-f]{32,}$/.test(document.querySelector("#token-result").innerText.trim())`)
	tab.CheckPolicy()
}

// waitScript waits until a script of JupyterHub's own pages, which loads on its own, handles an event of an element.
func (tab *Tab) waitScript(selector, event string) {
	tab.t.Helper()
	tab.Wait("JupyterHub's script of the page", fmt.Sprintf(`(window.require && require.defined("jquery") &&
		require("jquery")._data(document.querySelector(%q), "events") || {})[%q] !== undefined`, selector, event))
}
