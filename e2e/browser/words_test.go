//go:build e2e

package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/minihub/minihub/e2e/harness"
)

// TestLanguageSwitch changes the language at the foot of a page, without JavaScript, and the choice stays.
func TestLanguageSwitch(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WithoutScripts()
	tab.Go("/hub/login?next=%2Fhub%2Ftoken")
	tab.CheckNoOverflow(320)
	tab.Click(`.languages a[hreflang="de"]`)
	tab.WaitText("h1", "Anmelden")
	tab.Type("input[name=username]", "ada")
	tab.Type("input[name=password]", "wrong-password")
	tab.Keys("\r")
	tab.WaitText(".login_error", "Name oder Passwort ist falsch")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/token") // where the visit was going before the language was chosen
	tab.WaitText("h1", "Tokens")
	tab.WaitText("#token-expiration-seconds", "1 Stunde")
	tab.Click(`.languages a[hreflang="en"]`)
	tab.WaitText("#token-expiration-seconds", "1 Hour")
	tab.WaitPath("/hub/token")
}

// TestErrorsInGerman reads what goes wrong in German: on a page, on the way to a server, and on the admin page, whose script shows
// what the API answers.
func TestErrorsInGerman(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.WatchPolicy()
	tab.Go("/hub/language/de")
	tab.Go("/hub/login?next=%2Fhub%2Fadmin")
	tab.Login("admin", harness.Password)
	tab.WaitFor("#admin-panel[data-ready]")
	tab.Click("#add-users")
	tab.Type("dialog[open] textarea", "a/b")
	tab.confirm()
	tab.WaitText("dialog[open] .alert-danger", "Ungültiger Name: a/b")
	tab.WaitText("dialog[open] .alert-danger", "der Name darf kein „/“ enthalten")
	tab.Keys(kb.Escape)
	tab.Go("/hub/spawn/admin/slow-one")
	tab.WaitText("#progress-log, #progress-message", "Der Server startet …")
	tab.CheckPolicy()
	tab.Go("/hub/spawn/admin/broken-one")
	tab.WaitText("#main", "Der Prozess des Servers endete, bevor er antwortete (Rückgabewert")
	tab.WaitText("#main", "Was Sie tun können:")
	tab.CheckPolicy()
	tab.Go("/hub/spawn-pending/admin/nothing-here")
	tab.WaitText("#main", "404 : Nicht gefunden")
	tab.WaitText("#main", "admin hat keinen Server nothing-here")
}

// TestLoginForm: a one-time password reaches the authenticator, and who comes without encryption is warned.
func TestLoginForm(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, `
from jupyterhub.auth import Authenticator
class WithCode(Authenticator):
    request_otp = True
    otp_prompt = "Code of your telephone"
    async def authenticate(self, handler, data):
        return data["username"] if data.get("otp") == "123456" else None
c.JupyterHub.authenticator_class = WithCode
c.Authenticator.allow_all = True
`)
	tab := Open(t, hub)
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.WaitText(`label[for="otp_input"]`, "Code of your telephone")
	tab.Wait("no warning, since nobody is between", `document.querySelector("#insecure-login-warning").offsetHeight === 0`)
	hub.Secret(harness.Password)
	tab.Type("input[name=username]", "ada")
	tab.Type("input[name=password]", harness.Password)
	tab.Type("input[name=otp]", "000000")
	tab.Keys("\r")
	tab.WaitText(".login_error", "Invalid username or password")
	tab.Type("input[name=otp]", "123456")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")

	stranger := Open(t, hub)
	open := strings.Replace(hub.URL, "127.0.0.1", "0.0.0.0", 1) // the same machine, but not an address that browsers trust
	stranger.do("open the hub by an address that is not trusted", chromedp.Navigate(open+"/hub/login"))
	stranger.WaitText("#insecure-login-warning", "not encrypted")
	stranger.Wait("the warning to be seen", `document.querySelector("#insecure-login-warning").offsetHeight > 0`)
}

// TestOptionsAndExpiry: options in a link start a server with them, and a token of the page ends when it was said.
func TestOptionsAndExpiry(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, `
c.Spawner.options_form = '<label for="size">Size</label> <select name="size" id="size"><option>small</option><option>large</option></select>'
`)
	admin := hub.Admin(t)
	tab := Open(t, hub)
	tab.Go("/hub/login?next=" + url.QueryEscape("/hub/spawn?opt-size=large&other=x"))
	tab.Login("ada", harness.Password)
	tab.WaitPath("/user/ada/")
	if options := fmt.Sprint(admin.Server("ada", "")["user_options"]); options != "map[size:[large]]" {
		t.Errorf("user_options: %s", options)
	}
	tab.Go("/hub/token")
	tab.Type("#token-note", "for an hour")
	Eval[bool](tab, `document.querySelector("#token-expiration-seconds").value = "3600", true`)
	tab.Click("#request-token-form [type=submit]")
	tab.WaitFor("#token-result")
	token, _ := Eval[string](tab, `document.querySelector("#token-result").value`)
	hub.Secret(token)
	tab.WaitText(".token-row", "in 1 hour")
	ends := ""
	for _, v := range admin.Get("/users/ada/tokens").Want(http.StatusOK).Map()["api_tokens"].([]any) {
		if m := v.(map[string]any); m["note"] == "for an hour" {
			ends, _ = m["expires_at"].(string)
		}
	}
	if at, err := time.Parse(time.RFC3339, ends); err != nil || time.Until(at) > time.Hour || time.Until(at) < 50*time.Minute {
		t.Errorf("the token ends at %q: %v", ends, err)
	}
}

// TestHomePageBudget adds up what a browser really transfers for its first visit: all comes from the hub, and is less than 100 kB.
func TestHomePageBudget(t *testing.T) {
	notJupyterHubs(t)
	t.Parallel()
	hub := lightHub(t, "")
	tab := Open(t, hub)
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	tab.Wait("the page to be loaded", `document.readyState === "complete"`)
	sent, _ := Eval[int](tab, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce((n, e) => n + (e.encodedBodySize || 0), 0)`)
	foreign, _ := Eval[string](tab, `performance.getEntriesByType("resource").map(e => e.name).filter(u => !u.startsWith(location.origin + "/hub/")).join(" ")`)
	t.Logf("the home page takes %d bytes", sent)
	if sent < 5_000 || sent > 100_000 || foreign != "" {
		t.Errorf("the home page takes %d bytes, at most 100000 are allowed; from elsewhere come: %q", sent, foreign)
	}
}

// TestAdminStates filters users by the state of their servers, and finds the shutdown's choices as they were made.
func TestAdminStates(t *testing.T) {
	harness.MinihubOnly(t, "the page is another one")
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: toys})
	admin := hub.Admin(t)
	for _, name := range []string{"ann", "ben", "cat"} {
		admin.Post("/users/"+name, nil)
	}
	admin.Post("/users/ben/server", nil).Want(http.StatusCreated)
	tab := openAdmin(t, hub)
	state := func(value string) {
		Eval[bool](tab, fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change")); return true })(document.querySelector('select[aria-label="State of servers"]'))`, value))
	}
	state("ready")
	tab.rows("ben")
	state("inactive")
	tab.rows("admin", "ann", "cat")
	state("active")
	tab.rows("ben")
	state("")
	tab.rows("admin", "ann", "ben", "cat")
	order := func(value string) {
		Eval[bool](tab, fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change")); return true })(document.querySelector('select[aria-label="Order"]'))`, value))
	}
	order("-id")
	tab.rows("cat", "ben", "ann", "admin")
	order("-name")
	tab.rows("cat", "ben", "ann", "admin")
	tab.Click("th[data-sort=last_activity] button")
	tab.WaitFor(`th[data-sort=last_activity][aria-sort=ascending]`)

	tab.Click("#shutdown-button")
	tab.WaitFor("dialog[open] input[name=servers]:checked")
	tab.Click("dialog[open] input[name=servers]")
	tab.Click("dialog[open] input[name=proxy]")
	Eval[bool](tab, `window.asked = "", window.realFetch = window.fetch, window.fetch = (to, how) => { window.asked = to + " " + how.body; return Promise.reject(new Error("kept back")) }, true`)
	tab.confirm()
	tab.Wait("the choices to be sent", `window.asked.endsWith('api/shutdown {"servers":false,"proxy":false}')`)
}
