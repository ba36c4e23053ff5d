//go:build e2e

package browser

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestLooksOfLogins looks at the login page in its variants, and at what comes after a logout.
func TestLooksOfLogins(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "its own pages are looked at by its own people")
	for _, variant := range []struct{ name, config, want string }{
		{"login-otp", `
c.Authenticator.request_otp = True
c.Authenticator.otp_prompt = "Code of your telephone"`, "Code of your telephone"},
		{"login-service", `
from jupyterhub.auth import Authenticator
class University(Authenticator):
    login_service = "University of Testing"
    def login_url(self, base_url):
        return base_url + "elsewhere"
c.JupyterHub.authenticator_class = University`, "University of Testing"},
		{"login-custom", `
from jupyterhub.auth import Authenticator
class Hall(Authenticator):
    custom_html = "<h1>Welcome to the hall</h1><p><a href='{{ authenticator_login_url }}'>Come in</a></p>"
    async def authenticate(self, handler, data):
        return "ada"
c.JupyterHub.authenticator_class = Hall`, "Welcome to the hall"},
		{"logout", `
from jupyterhub.auth import Authenticator
class Portal(Authenticator):
    auto_login = True
    def login_url(self, base_url):
        return base_url + "elsewhere"
c.JupyterHub.authenticator_class = Portal`, "You are logged out"},
		{"login-terms", `
c.JupyterHub.template_vars = {"login_term_url": "https://example.org/terms", "announcement_login": "The hub rests on Sunday."}`, "The hub rests on Sunday."},
	} {
		t.Run(variant.name, func(t *testing.T) {
			hub := harness.Start(t, harness.Options{Config: variant.config})
			tab := Open(t, hub)
			if variant.name == "logout" {
				tab.Go("/hub/logout")
			} else {
				tab.Go("/hub/login")
			}
			tab.WaitText("body", variant.want)
			tab.Look(variant.name)
			if variant.name != "login-terms" {
				return
			}
			Eval[bool](tab, `document.querySelector("#insecure-login-warning").classList.remove("hidden"), true`)
			tab.Look("login-insecure") // as a browser shows it that came over plain http
			Eval[bool](tab, `document.querySelector("#login_terms_checkbox").checked = true`)
			tab.Login("ada", harness.Password)
			tab.WaitPath("/")
		})
	}
}

// TestLooksInGerman looks at pages with forms in the other language, whose words are longer.
func TestLooksInGerman(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "JupyterHub speaks English only")
	hub := harness.Start(t, harness.Options{Config: fmt.Sprintf(`
c.Spawner.cmd = ["python3", %q]
c.Spawner.args = []
c.Spawner.profile_list = [
    {"display_name": "Small", "slug": "small", "description": "For reading", "default": True},
    {"display_name": "Large", "slug": "large", "description": "For models", "profile_options": {"memory": {"display_name": "Memory",
        "choices": {"a": {"display_name": "8 GiB", "default": True}, "b": {"display_name": "64 GiB"}}}}},
]
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "shares!user"]}]
`, harness.Testdata("lightserver.py"))})
	tab := Open(t, hub)
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	tab.Go("/hub/language/de")
	tab.Wait("the page to be German", `document.documentElement.lang === "de"`)
	for _, page := range []struct{ path, name string }{
		{"/hub/spawn/ada", "spawn-profiles-german"}, {"/hub/token", "token-german"}, {"/hub/shares", "sharing-german"}, {"/hub/no-such-page", "error-german"},
	} {
		tab.Go(page.path)
		tab.WaitFor("h1")
		tab.Look(page.name)
	}
}

// TestLookOfStopping looks at the page of a server that takes its time to stop.
func TestLookOfStopping(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the toy server is minihub's")
	hub := harness.Start(t, harness.Options{Config: `
c.JupyterHub.spawner_class = "toy"
c.JupyterHub.tornado_settings = {"slow_stop_timeout": 0}
`})
	admin := hub.Admin(t)
	admin.Post("/users/ada", nil)
	admin.Post("/users/ada/server", map[string]any{"toy": map[string]any{"stop_delay": 30}}).Want(http.StatusCreated)
	tab := Open(t, hub)
	tab.Go("/hub/login?next=%2Fhub%2Fhome")
	tab.Login("ada", harness.Password)
	tab.WaitPath("/hub/home")
	admin.Delete("/users/ada/server", nil).Want(http.StatusAccepted)
	tab.Go("/hub/spawn-pending/ada")
	tab.WaitText("body", "stopping")
	// the page stays as it is while it is looked at: it would load itself again, and the server is not stopping for ever
	Eval[bool](tab, `(() => { for (let id = setTimeout(() => {}); id > 0; id--) clearTimeout(id); return true })()`)
	tab.Look("stop-pending")
}
