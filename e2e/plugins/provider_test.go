//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubtest/idp"
)

// provided is a hub whose people log in at an identity provider.
type provided struct {
	*harness.Hub
	idp *idp.Provider
}

// withProvider starts a hub whose configuration gets the provider's address, the client's id and its secret as IDP, ID and SECRET.
func withProvider(t *testing.T, p *idp.Provider, config string) *provided {
	t.Helper()
	// what the base says of who may log in is not this authenticator's
	head := "c.Authenticator.allow_all = False\nc.Authenticator.admin_users = set()\n"
	head += fmt.Sprintf("IDP, ID, SECRET = %q, %q, %q\n", p.URL, p.ClientID, p.Secret)
	h := &provided{start(t, head+config, "JUPYTERHUB_CRYPT_KEY="+harness.NewToken()+harness.NewToken()), p}
	t.Cleanup(func() {
		for _, secret := range p.Issued() {
			h.Secret(secret)
		}
		if log := h.Log(); !harness.Oracle() {
			for _, secret := range p.Issued() {
				if strings.Contains(log, secret) {
					t.Errorf("the hub's log shows a secret of the provider that starts with %q", secret[:4])
				}
			}
		}
	})
	return h
}

// visit opens a path of the hub in a browser and logs in at the provider where that is asked for.
func (h *provided) visit(t *testing.T, client *harness.Client, path, user string) *harness.Page {
	t.Helper()
	page := client.Get(path)
	if page.URL.Path == "/hub/login" && page.Status == http.StatusOK { // the page with the button
		link := "/hub/oauth_login"
		if !strings.Contains(page.Body, link) {
			t.Fatalf("the login page has no link to %s:\n%s", link, page.Body)
		}
		page = client.Get(link + "?" + url.Values{"next": {page.URL.Query().Get("next")}}.Encode())
	}
	if !strings.HasPrefix(page.URL.String(), h.idp.URL) {
		return page
	}
	form := page.Form(t, "username")
	form.Values.Set("username", user)
	return client.Submit(page, form)
}

// login logs in at the provider and expects the home page.
func (h *provided) login(t *testing.T, user string) *harness.Client {
	t.Helper()
	client := h.Browse(t)
	if page := h.visit(t, client, "/hub/home", user); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
		t.Fatalf("%s logs in at the provider: status %d at %s\n%s", user, page.Status, page.URL, page.Text())
	}
	return client
}

// user is what the API says of a user, auth_state included.
func (h *provided) user(t *testing.T, name string) map[string]any {
	t.Helper()
	return h.Admin(t).Get("/users/" + url.PathEscape(name)).Want(http.StatusOK).Map()
}

// groups are the groups of a user, sorted.
func (h *provided) groups(t *testing.T, name string) string {
	t.Helper()
	return strings.Join(texts(h.user(t, name)["groups"]), " ")
}
