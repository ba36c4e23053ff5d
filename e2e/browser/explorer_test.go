//go:build e2e

package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestExplorer reads and tries the API on the hub's own page: without a login, as the person who is logged in, and with a token. The
// content security policy permits the page's own script and style, and nothing from elsewhere.
func TestExplorer(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the page is an addition")
	hub := harness.Start(t, harness.Options{})
	hub.Admin(t).Post("/users", map[string]any{"usernames": []string{"ada"}})
	tab := Open(t, hub)

	tab.Go("/hub/api/docs")
	tab.WaitText("#about", "not logged in")
	tab.WaitText("#operations", "Servers")
	if n, _ := Eval[int](tab, `document.querySelectorAll("details.operation").length`); n < 90 {
		t.Errorf("%d operations", n)
	}
	external, _ := Eval[string](tab, `performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith(location.origin)).join(" ")`)
	if external != "" {
		t.Errorf("the page loads %s", external)
	}

	if n, _ := Eval[int](tab, `document.styleSheets.length`); n != 1 {
		t.Errorf("%d style sheets are in force, want 1", n)
	}

	tab.Go("/hub/login")
	tab.Login("ada", harness.Password)
	tab.Go("/hub/api/docs#get-user")
	tab.WaitText("#about", "logged in as ada")
	tab.WaitFor("#get-user[open] form")
	tab.Click("#get-user button.send")
	tab.WaitText("#get-user .status", "200")
	tab.WaitText("#get-user .answer", `"name": "ada"`)
	tab.Look("api-explorer")

	// a request that changes something, by cookie and XSRF token
	tab.Click("#post-users-user-tokens > summary")
	tab.Type("#post-users-user-tokens-user", "ada")
	Eval[string](tab, `(() => { const b = document.querySelector("#post-users-user-tokens textarea"); b.value = '{"note": "from the explorer"}'; b.dispatchEvent(new Event("input", {bubbles: true})); return ""; })()`)
	tab.WaitText("#post-users-user-tokens .curl", "/hub/api/users/ada/tokens")
	tab.Click("#post-users-user-tokens button.send")
	tab.WaitText("#post-users-user-tokens .status", "201")
	if body := hub.Admin(t).Get("/users/ada/tokens").Want(http.StatusOK).Body; !strings.Contains(body, "from the explorer") {
		t.Errorf("there is no such token: %s", body)
	}

	// a token counts instead of the login
	tab.Type("#token", hub.AdminToken)
	tab.Click("#get-user button.send")
	tab.WaitText("#get-user .answer", `"name": "e2e-admin"`)

	// the list narrows down to what is looked for
	tab.Type("#find", "share-codes post")
	tab.Wait("the list to be narrowed down", `[...document.querySelectorAll("details.operation")].filter((e) => !e.hidden && !e.closest("section").hidden).length < 5`)
	if !tab.Exists("#post-share-codes-user-server:not([hidden])") || tab.Exists("#get-user:not([hidden])") {
		t.Error("the wrong operations are shown")
	}
}
