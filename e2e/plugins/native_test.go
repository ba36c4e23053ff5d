//go:build e2e

package plugins

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// The configuration is what the plug-in's documentation says, with the templates for the links in the navigation bar.
const nativeConfig = `
import os, nativeauthenticator
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"boss"}
c.JupyterHub.authenticator_class = "native"
c.JupyterHub.template_paths = [os.path.dirname(nativeauthenticator.__file__) + "/templates/"]
c.NativeAuthenticator.minimum_password_length = 10
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 3
c.NativeAuthenticator.seconds_before_next_try = 600
c.NativeAuthenticator.ask_email_on_signup = True
`

const (
	firstPassword  = "first-battery-staple"
	secondPassword = "second-battery-staple"
)

// signUp fills in the sign-up page.
func signUp(t *testing.T, hub *harness.Hub, user, password, again string) *harness.Page {
	t.Helper()
	client := hub.Browse(t)
	page := client.Get("/hub/signup")
	form := page.Form(t, "signup_password")
	form.Values.Set("username", user)
	form.Values.Set("email", user+"@lab.test")
	form.Values.Set("signup_password", password)
	form.Values.Set("signup_password_confirmation", again)
	hub.Secret(password)
	return client.Submit(page, form)
}

// wantIn logs in with a password and expects the home page.
func wantIn(t *testing.T, hub *harness.Hub, user, password string) *harness.Client {
	t.Helper()
	client := hub.Browse(t)
	if page := client.TryLogin(user, password); page.Status != http.StatusOK || page.URL.Path != "/hub/home" {
		t.Fatalf("%s logs in: status %d at %s\n%s", user, page.Status, page.URL, page.Text())
	}
	return client
}

// wantOut logs in with a password and expects a page with these words instead.
func wantOut(t *testing.T, hub *harness.Hub, user, password, words string) {
	t.Helper()
	client := hub.Browse(t)
	page := client.TryLogin(user, password)
	if !strings.Contains(page.Text(), words) {
		t.Errorf("%s with a password that does not let in: status %d at %s\n%s", user, page.Status, page.URL, page.Text())
	}
	if page := client.Get("/hub/home"); page.URL.Path == "/hub/home" {
		t.Errorf("%s is logged in", user)
	}
}

// fill opens a page, fills in its form and sends it.
func fill(t *testing.T, client *harness.Client, path string, values map[string]string) *harness.Page {
	t.Helper()
	page := client.Get(path)
	var form *harness.Form
	for name, value := range values {
		if form == nil {
			form = page.Form(t, name)
		}
		form.Values.Set(name, value)
	}
	return client.Submit(page, form)
}

// says expects words on a page of status 200.
func says(t *testing.T, what string, page *harness.Page, words ...string) {
	t.Helper()
	refused(t, what, page, http.StatusOK, words...)
}

// TestNativeAuthenticator goes from the first administrator's sign-up to users who are let in, get new passwords, and are discarded.
func TestNativeAuthenticator(t *testing.T) {
	t.Parallel()
	config := nativeConfig
	if harness.Oracle() { // NativeAuthenticator 1.3.0 uses what JupyterHub 6 no longer has; minihub gives its pages that
		config += "from unittest.mock import MagicMock\nfrom jupyterhub.handlers import BaseHandler\nBaseHandler.statsd = MagicMock()\n"
	}
	hub := start(t, config)
	page := hub.Browse(t).Get("/hub/login")
	says(t, "the plug-in's login page", page, "Sign In", "Sign up")
	t.Run("sign up", func(t *testing.T) {
		says(t, "an administrator", signUp(t, hub, "boss", firstPassword, firstPassword), "signup was successful")
		says(t, "somebody else", signUp(t, hub, "ada", firstPassword, firstPassword), "sent to the admin")
		says(t, "a name that is taken", signUp(t, hub, "Ada", firstPassword, firstPassword), "already in use")
		says(t, "two passwords", signUp(t, hub, "bob", firstPassword, secondPassword), "did not match")
		says(t, "a short password", signUp(t, hub, "bob", "short", "short"), "at least 10 characters")
		says(t, "a common password", signUp(t, hub, "bob", "1234567890", "1234567890"), "too common")
		signUp(t, hub, "mallory", firstPassword, firstPassword)
		signUp(t, hub, "carol", firstPassword, firstPassword)
	})
	boss := wantIn(t, hub, "boss", firstPassword)
	t.Run("authorization area", func(t *testing.T) {
		wantOut(t, hub, "ada", firstPassword, "not been authorized by an administrator yet")
		if page := boss.Get("/hub/home"); !strings.Contains(page.Body, `href="/hub/authorize"`) || !strings.Contains(page.Body, `href="/hub/change-password"`) {
			t.Error("the plug-in's template did not put its links into the navigation bar")
		}
		says(t, "the list", boss.Get("/hub/authorize"), "ada", "ada@lab.test", "mallory")
		says(t, "ada is let in", boss.Get("/hub/authorize/ada"), "Unauthorize")
		wantIn(t, hub, "ada", firstPassword)
		page := boss.Get("/hub/discard/mallory")
		if page.URL.Path != "/hub/authorize" || strings.Contains(page.Text(), "mallory") {
			t.Errorf("mallory is discarded: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		wantOut(t, hub, "mallory", firstPassword, "Invalid username or password")
	})
	boss.Get("/hub/authorize/carol")
	wantIn(t, hub, "carol", firstPassword)
	ada := wantIn(t, hub, "ada", firstPassword)
	t.Run("not for everybody", func(t *testing.T) {
		for _, path := range []string{"/hub/authorize", "/hub/authorize/ada", "/hub/discard/ada", "/hub/change-password/boss"} {
			if page := ada.Get(path); page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
				t.Errorf("%s for somebody who is no administrator: status %d at %s", path, page.Status, page.URL)
			}
		}
		if page := hub.Browse(t).Get("/hub/change-password"); page.URL.Path != "/hub/login" {
			t.Errorf("change-password without a login: %s", page.URL)
		}
	})
	t.Run("without the token of the form", func(t *testing.T) {
		values := url.Values{"old_password": {firstPassword}, "new_password": {secondPassword}, "new_password_confirmation": {secondPassword}}
		refused(t, "a form of another site", ada.Post("/hub/change-password", values), http.StatusForbidden)
	})
	t.Run("own password", func(t *testing.T) {
		change := func(old, new, again string) *harness.Page {
			return fill(t, ada, "/hub/change-password", map[string]string{"old_password": old, "new_password": new, "new_password_confirmation": again})
		}
		says(t, "a wrong old password", change(secondPassword, secondPassword, secondPassword), "current password was incorrect")
		says(t, "a short one", change(firstPassword, "short", "short"), "at least 10")
		says(t, "a good one", change(firstPassword, secondPassword, secondPassword), "changed successfully")
		wantOut(t, hub, "ada", firstPassword, "Invalid username or password")
		wantIn(t, hub, "ada", secondPassword)
	})
	t.Run("password by an administrator", func(t *testing.T) {
		page := fill(t, boss, "/hub/change-password/ada", map[string]string{"new_password": firstPassword, "new_password_confirmation": firstPassword})
		says(t, "ada's password", page, "password for ada has been changed")
		ada = wantIn(t, hub, "ada", firstPassword)
	})
	t.Run("server", func(t *testing.T) {
		ada.Get("/hub/spawn")
		if server := running(t, hub, "/user/ada/"); server.User != "ada" {
			t.Errorf("the server is %q's", server.User)
		}
	})
	hub.Process().Stop(t)
	hub.Run(t) // of the whole test: it has to outlive the sub-test
	t.Run("goes on after a restart", func(t *testing.T) {
		if page := ada.Get("/hub/home"); page.URL.Path != "/hub/home" {
			t.Errorf("ada's browser is logged out: %s", page.URL)
		}
		wantIn(t, hub, "ada", firstPassword)
	})
	t.Run("discarded", func(t *testing.T) {
		hub.Admin(t).Get("/users/carol").Want(http.StatusOK)
		boss.Get("/hub/authorize/carol") // that was the second time: not authorized any more
		if page := boss.Get("/hub/discard/carol"); page.URL.Path != "/hub/authorize" || strings.Contains(page.Text(), "carol") {
			t.Errorf("carol is discarded: status %d at %s\n%s", page.Status, page.URL, page.Text())
		}
		harness.Poll(t, 20*time.Second, "the hub to forget carol", func() bool { return hub.Admin(t).Get("/users/carol").Status == http.StatusNotFound })
	})
	t.Run("deleted in the hub", func(t *testing.T) {
		hub.Admin(t).Delete("/users/ada", nil).Want(http.StatusNoContent)
		wantOut(t, hub, "ada", firstPassword, "Invalid username or password")
	})
	t.Run("too many wrong passwords", func(t *testing.T) {
		for range 4 {
			wantOut(t, hub, "boss", secondPassword, "Invalid username or password")
		}
		wantOut(t, hub, "boss", firstPassword, "Invalid username or password")
	})
}
