//go:build e2e

package plugins

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const firstUseConfig = `
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"boss"}
c.JupyterHub.authenticator_class = "firstuse"
c.FirstUseAuthenticator.min_password_length = 12
`

// TestFirstUseAuthenticator lets the first login set the password.
func TestFirstUseAuthenticator(t *testing.T) {
	t.Parallel()
	hub := start(t, firstUseConfig)
	wantOut(t, hub, "ada", "short", "at least 12 characters")
	ada := wantIn(t, hub, "ada", firstPassword)
	wantOut(t, hub, "ada", secondPassword, "Invalid username or password")
	if files, _ := filepath.Glob(filepath.Join(hub.Dir, "passwords.dbm*")); len(files) == 0 {
		t.Error("no password file in the hub's folder")
	}
	if page := hub.Browse(t).Get("/hub/auth/change-password"); page.URL.Path != "/hub/login" {
		t.Errorf("change-password without a login: %s", page.URL)
	}
	page := ada.Get("/hub/auth/change-password")
	says(t, "the page", page, "Change Password", "ada")
	form := page.Form(t, "password")
	form.Values.Set("password", "short")
	says(t, "a short password", ada.Submit(page, form), "at least 12 characters")
	form.Values.Set("password", secondPassword)
	hub.Secret(secondPassword)
	says(t, "a good password", ada.Submit(page, form), "changed successfully")
	wantOut(t, hub, "ada", firstPassword, "Invalid username or password")
	ada = wantIn(t, hub, "Ada", secondPassword)
	ada.Get("/hub/spawn")
	if server := running(t, hub, "/user/ada/"); server.User != "ada" {
		t.Errorf("the server is %q's", server.User)
	}
	// somebody who was deleted may start again
	wantIn(t, hub, "bob", firstPassword)
	hub.Admin(t).Delete("/users/bob", nil).Want(http.StatusNoContent)
	wantIn(t, hub, "bob", secondPassword)
	data, _ := os.ReadFile(filepath.Join(hub.Dir, "passwords.dbm"))
	if strings.Contains(string(data), secondPassword) {
		t.Error("a password in the clear")
	}
}

// TestFirstUseAuthenticatorKnown does not create users: it looks for them in the hub's database.
func TestFirstUseAuthenticatorKnown(t *testing.T) {
	t.Parallel()
	hub := start(t, firstUseConfig+"c.FirstUseAuthenticator.create_users = False\n")
	wantOut(t, hub, "ada", firstPassword, "Invalid username or password")
	hub.Admin(t).Post("/users/ada", nil).Want(http.StatusCreated)
	wantIn(t, hub, "ada", firstPassword)
}
