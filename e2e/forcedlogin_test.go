//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestExampleForcedLogin runs an application that knows its people already and sends them to the hub with a token that serves once.
func TestExampleForcedLogin(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "forced-login", Args: allowRoot})
	app := "http://127.0.0.1:" + hub.Port("9000") + "/"
	harness.StartProcess(t, "external-app", hub.Dir, []string{"JUPYTERHUB_URL=" + hub.URL + "/"}, harness.Python(), "external_app.py")
	harness.Poll(t, 60*time.Second, "the application at "+app, func() bool {
		r, err := http.Get(app)
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	// launch fills in the application's form and gives the browser, and the link with the token to which it was sent.
	launch := func(user, path string) (*harness.Client, *url.URL) {
		client := hub.Browse(t)
		page := client.Get(app)
		form := page.Form(t, "username")
		form.Values.Set("username", user)
		form.Values.Set("path", path)
		if form.Action == "" {
			form.Action = app
		}
		client.StopAt(hub.URL + "/hub/login")
		link := client.Submit(page, form).URL
		client.StopAt("")
		if link.Query().Get("login_token") == "" {
			t.Fatalf("the application sent the browser to %s", link)
		}
		hub.Secret(link.Query().Get("login_token"))
		return client, link
	}

	ada, link := launch("ada", "/lab")
	t.Run("to JupyterLab without a question", func(t *testing.T) {
		page := ada.Get(link.String())
		if page.Status != http.StatusOK || page.URL.Path == "/hub/login" {
			t.Fatalf("the link: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		for _, hop := range append(page.Hops, page.URL)[1:] {
			if strings.Contains(hop.String(), link.Query().Get("login_token")) {
				t.Errorf("the token goes on to %s", hop)
			}
		}
		harness.Poll(t, 120*time.Second, "JupyterLab", func() bool {
			page := ada.Get("/hub/user-redirect/lab")
			return page.Status == http.StatusOK && page.URL.Path == "/user/ada/lab"
		})
	})
	for name, try := range map[string]struct {
		path   string
		status int
		words  string
	}{
		"used again":        {link.RequestURI(), http.StatusForbidden, "Invalid token. Login with external provider at http://127.0.0.1"},
		"invented":          {"/hub/login?login_token=x", http.StatusForbidden, "Invalid token"},
		"no token":          {"/hub/login", http.StatusBadRequest, "Login with external provider at http://127.0.0.1"},
		"a page of the hub": {"/hub/home", http.StatusBadRequest, "Login with external provider"},
	} {
		t.Run(name, func(t *testing.T) {
			client := hub.Browse(t)
			page := client.Get(try.path)
			if page.Status != try.status || !strings.Contains(page.Text(), try.words) {
				t.Errorf("status %d at %s, want %d and %q:\n%s", page.Status, page.URL, try.status, try.words, page.Text())
			}
			if client.Get("/user/ada/api/contents").Status == http.StatusOK {
				t.Error("let in")
			}
		})
	}
	t.Run("somebody else's link in ada's browser", func(t *testing.T) {
		_, link := launch("bob", "/lab")
		page := ada.Get(fmt.Sprintf("/hub/login?next=%%2Fhub%%2Fhome&login_token=%s", link.Query().Get("login_token")))
		if page.Status != http.StatusOK || page.URL.Path != "/hub/home" || !strings.Contains(page.Text(), "ada") || strings.Contains(page.Text(), "bob") {
			t.Errorf("whoever is logged in stays: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
	})
}
