//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// webApp is an external OAuth web application with authlib as its client (testdata/oauth_webapp.py), and the hub
// that it logs in with.
type webApp struct {
	hub    *harness.Hub
	secret string
	url    string // of the application
}

// startWebApp starts a hub with two services for the application: "webapp" with the default scopes, and
// "self-app" that may have all that its user has.
func startWebApp(t *testing.T) *webApp {
	t.Helper()
	secret := harness.NewToken() + harness.NewToken()
	app := &webApp{secret: secret, url: fmt.Sprintf("http://127.0.0.1:%d", harness.FreePort(t))}
	app.hub = harness.Start(t, harness.Options{Config: fmt.Sprintf(`
c.JupyterHub.services += [
    {"name": "webapp", "api_token": %[1]q, "oauth_redirect_uri": %[2]q,
     "oauth_client_allowed_scopes": ["read:users!user"]},
    {"name": "self-app", "api_token": %[3]q, "oauth_redirect_uri": %[2]q,
     "oauth_client_allowed_scopes": ["self"]},
]
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "access:services"]}]
c.JupyterHub.load_groups = {"crew": {"users": ["queequeg"]}}
`, secret, app.url+"/callback", strings.Repeat("s", 40))})
	app.hub.Secret(secret)
	harness.StartProcess(t, "webapp", app.hub.Dir, []string{
		"HUB_URL=" + app.hub.URL, "HUB_API=" + app.hub.APIURL, "APP_URL=" + app.url, "CLIENT_SECRET=" + secret,
	}, harness.Python(), harness.Testdata("oauth_webapp.py"))
	harness.Poll(t, 30*time.Second, "the web application", func() bool {
		r, err := http.Get(app.url + "/health")
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	return app
}

// authorize sends a browser to the authorize endpoint and through login and consent.
func (a *webApp) authorize(client *harness.Client, change url.Values) *harness.Page {
	query := url.Values{
		"response_type": {"code"}, "client_id": {"service-webapp"}, "redirect_uri": {a.url + "/callback"}, "state": {"st-1"},
	}
	for key, values := range change {
		if query[key] = values; len(values) == 0 {
			query.Del(key)
		}
	}
	return client.Visit("/hub/api/oauth2/authorize?"+query.Encode(), "queequeg")
}

// code gives a fresh authorization code: the application is not part of it, so the code is not used yet.
func (a *webApp) code(t *testing.T, change url.Values) string {
	t.Helper()
	client := a.hub.Browse(t)
	client.StopAt(a.url)
	page := a.authorize(client, change)
	code := page.URL.Query().Get("code")
	if code == "" {
		t.Fatalf("no code at %s (status %d)\n%s", page.URL, page.Status, page.Text())
	}
	if state := page.URL.Query().Get("state"); state != "st-1" {
		t.Errorf("state: got %q, want the one sent", state)
	}
	a.hub.Secret(code)
	return code
}

// token sends a token request; change replaces (or with no values removes) parameters.
func (a *webApp) token(t *testing.T, change url.Values) *harness.Answer {
	t.Helper()
	values := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"service-webapp"}, "client_secret": {a.secret},
		"redirect_uri": {a.url + "/callback"},
	}
	for key, v := range change {
		if values[key] = v; len(v) == 0 {
			values.Del(key)
		}
	}
	request, err := http.NewRequest(http.MethodPost, a.hub.APIURL+"/oauth2/token", strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return harness.Send(t, request)
}

// tokenError checks that a token request was refused with an error of RFC 6749 §5.2.
func tokenError(t *testing.T, answer *harness.Answer, status int, errors ...string) {
	t.Helper()
	answer.Want(status)
	got, _ := answer.Map()["error"].(string)
	if !slices.Contains(errors, got) {
		t.Errorf("error: got %q, want one of %q; the answer: %s", got, errors, answer.Body)
	}
	if strings.Contains(answer.Body, "access_token") {
		t.Errorf("a refusal with a token: %s", answer.Body)
	}
}

func TestOAuthWebApplication(t *testing.T) {
	t.Parallel()
	app := startWebApp(t)
	t.Run("authlib: state, code, token, user", func(t *testing.T) {
		client := app.hub.Browse(t)
		m := model(t, client.Visit(app.url+"/login", "queequeg"))
		user, _ := m["user"].(map[string]any)
		if user["name"] != "queequeg" || user["kind"] != "user" {
			t.Errorf("GET /hub/api/user with the token: %v", user)
		}
		wantList(t, "groups", user["groups"], "crew")
		if m["token_type"] != "Bearer" {
			t.Errorf("token_type: %v", m["token_type"])
		}
		// minihub serves /userinfo beside /user, JupyterHub answers 404
		userinfo, _ := m["userinfo"].(map[string]any)
		if !harness.Oracle() {
			// sub is never given to another user, not even after a rename, so it is not the name
			if sub, _ := userinfo["sub"].(string); sub == "" || sub == "queequeg" || userinfo["name"] != "queequeg" {
				t.Errorf("userinfo: %v", userinfo)
			}
			wantList(t, "userinfo's groups", userinfo["groups"], "crew")
		}
	})
	t.Run("a wrong state is the application's to refuse", func(t *testing.T) {
		client := app.hub.Browse(t)
		page := client.Get(app.url + "/callback?code=abc&state=never-given")
		if page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "mismatching_state") {
			t.Errorf("status %d: %s", page.Status, page.Body)
		}
	})
	t.Run("denied tokens of userinfo", func(t *testing.T) {
		harness.MinihubOnly(t, "it has no userinfo endpoint")
		app.hub.API(t, "").Get("/oauth2/userinfo").Want(http.StatusUnauthorized, http.StatusForbidden)
		app.hub.Bearer(t, harness.NewToken()).Get("/oauth2/userinfo").Want(http.StatusUnauthorized, http.StatusForbidden)
	})
}

// TestOAuthScopes asks with the scope parameter of RFC 6749 §3.3.
func TestOAuthScopes(t *testing.T) {
	t.Parallel()
	app := startWebApp(t)
	selfApp := url.Values{"client_id": {"service-self-app"}, "client_secret": {strings.Repeat("s", 40)}}
	for _, row := range []struct {
		name   string
		scope  []string // of the authorize request; none when empty
		client url.Values
		want   []string // scopes that the token must have
		never  []string // and must not
	}{
		{"none: the client's own", nil, url.Values{},
			[]string{"read:users!user=queequeg", "access:services!service=webapp"}, []string{"servers!user=queequeg"}},
		// the old word for the identity scopes
		{"identify", []string{"identify"}, url.Values{},
			[]string{"read:users:name!user=queequeg", "read:users:groups!user=queequeg"}, []string{"servers!user=queequeg", "read:users!user=queequeg"}},
		{"self", []string{"self"}, selfApp,
			[]string{"servers!user=queequeg", "tokens!user=queequeg", "read:users!user=queequeg"}, []string{"admin:users"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			authorize := url.Values{"scope": row.scope}
			if id := row.client.Get("client_id"); id != "" {
				authorize.Set("client_id", id)
			}
			exchange := url.Values{"code": {app.code(t, authorize)}}
			for key, values := range row.client {
				exchange[key] = values
			}
			answer := app.token(t, exchange).Want(http.StatusOK)
			token, _ := answer.Map()["access_token"].(string)
			app.hub.Secret(token)
			if got := answer.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control: got %q, want no-store (RFC 6749 §5.1)", got)
			}
			user := app.hub.Bearer(t, token).Get("/user").Want(http.StatusOK).Map()
			if user["name"] != "queequeg" {
				t.Errorf("user: %v", user)
			}
			scopes := list(user["scopes"])
			for _, scope := range row.want {
				if !slices.Contains(scopes, scope) {
					t.Errorf("the token lacks %s: %q", scope, scopes)
				}
			}
			for _, scope := range row.never {
				if slices.Contains(scopes, scope) {
					t.Errorf("the token has %s, which was not asked for: %q", scope, scopes)
				}
			}
		})
	}
	t.Run("more than the client may have", func(t *testing.T) {
		client := app.hub.Browse(t)
		client.StopAt(app.url)
		page := app.authorize(client, url.Values{"scope": {"servers!user"}})
		if code := page.URL.Query().Get("code"); code != "" {
			t.Errorf("a code for a scope that the client may not ask for, at %s", page.URL)
		}
		if page.Status >= 500 {
			t.Errorf("status %d", page.Status)
		}
	})
}

func TestOAuthTokenRefusals(t *testing.T) {
	t.Parallel()
	app := startWebApp(t)
	code := app.code(t, nil)
	for _, row := range []struct {
		name   string
		change url.Values
		status int
		errors []string
	}{
		{"wrong secret", url.Values{"client_secret": {"wrong-" + app.secret}}, 401, []string{"invalid_client"}},
		{"no secret", url.Values{"client_secret": nil}, 401, []string{"invalid_client"}},
		{"another client's secret", url.Values{"client_secret": {strings.Repeat("s", 40)}}, 401, []string{"invalid_client"}},
		{"unknown client", url.Values{"client_id": {"service-nobody"}}, 401, []string{"invalid_client"}},
		{"another client's code", url.Values{"client_id": {"service-self-app"}, "client_secret": {strings.Repeat("s", 40)}}, 400, []string{"invalid_grant"}},
		{"wrong redirect URI", url.Values{"redirect_uri": {"http://127.0.0.1:1/callback"}}, 400, []string{"invalid_grant", "invalid_request"}},
		{"invented code", url.Values{"code": {"abcdefghijklmnopqrstuvwxyz0123"}}, 400, []string{"invalid_grant"}},
		{"empty code", url.Values{"code": {""}}, 400, []string{"invalid_grant", "invalid_request"}},
		{"grant type password", url.Values{"grant_type": {"password"}, "username": {"queequeg"}, "password": {harness.Password}}, 400, []string{"unsupported_grant_type"}},
		{"grant type client_credentials", url.Values{"grant_type": {"client_credentials"}}, 400, []string{"unsupported_grant_type"}},
		{"no grant type", url.Values{"grant_type": nil}, 400, []string{"unsupported_grant_type", "invalid_request"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			change := url.Values{"code": {code}}
			for key, values := range row.change {
				change[key] = values
			}
			tokenError(t, app.token(t, change), row.status, row.errors...)
		})
	}
	t.Run("after all that the code is still good, once", func(t *testing.T) {
		answer := app.token(t, url.Values{"code": {code}}).Want(http.StatusOK)
		token, _ := answer.Map()["access_token"].(string)
		app.hub.Secret(token)
		tokenError(t, app.token(t, url.Values{"code": {code}}), 400, "invalid_grant")
		if harness.Oracle() {
			return // RFC 6749 §4.1.2 "SHOULD revoke": JupyterHub does not
		}
		app.hub.Bearer(t, token).Get("/user").Want(http.StatusForbidden)
	})
	t.Run("GET", func(t *testing.T) {
		app.hub.API(t, "").Get("/oauth2/token").Want(http.StatusMethodNotAllowed)
	})
	t.Run("expired code", func(t *testing.T) { expiredCode(t, app) })
}

// expiredCode lets a code age by moving its expiry in the database, as the hub's clock cannot be moved.
func expiredCode(t *testing.T, app *webApp) {
	code := app.code(t, nil)
	app.hub.SQL(t, "UPDATE oauth_codes SET expires_at = 1000000000")
	answer := app.token(t, url.Values{"code": {code}})
	tokenError(t, answer, 400, "invalid_grant")
}

func TestOAuthAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	app := startWebApp(t)
	client := app.hub.Browse(t)
	client.Login("queequeg")
	client.StopAt(app.url)
	good := app.url + "/callback"
	for name, change := range map[string]url.Values{
		"unknown client":       {"client_id": {"service-nobody"}},
		"no client":            {"client_id": nil},
		"the hub's own client": {"client_id": {"jupyterhub"}},
		"other redirect URI":   {"redirect_uri": {"http://127.0.0.1:1/callback"}},
		"other path":           {"redirect_uri": {good + "/x"}},
		"slash at the end":     {"redirect_uri": {good + "/"}},
		"with a query":         {"redirect_uri": {good + "?x=1"}},
		"with a fragment":      {"redirect_uri": {good + "#f"}},
		"localhost by name":    {"redirect_uri": {strings.Replace(good, "127.0.0.1", "localhost", 1)}},
		"user info trick":      {"redirect_uri": {strings.Replace(good, "http://", "http://hub@evil.example/", 1)}},
		"https instead":        {"redirect_uri": {strings.Replace(good, "http:", "https:", 1)}},
		"script":               {"redirect_uri": {"javascript:alert(1)"}},
		"not a URI":            {"redirect_uri": {"%zz://\x7f"}},
		"two redirect URIs":    {"redirect_uri": {good, "http://127.0.0.1:1/callback"}},
		"two clients":          {"client_id": {"service-webapp", "service-self-app"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := app.authorize(client, change)
			if page.Status < 400 || page.Status >= 500 {
				t.Errorf("status %d at %s, want a refusal on the hub's own page", page.Status, page.URL)
			}
			if strings.HasPrefix(page.URL.String(), app.url) || !strings.HasPrefix(page.URL.String(), app.hub.URL) {
				t.Errorf("sent on to %s", page.URL)
			}
		})
	}
	for name, change := range map[string]url.Values{
		"response type token":    {"response_type": {"token"}},
		"response type id_token": {"response_type": {"id_token"}},
		"no response type":       {"response_type": nil},
		"unknown PKCE method":    {"code_challenge": {strings.Repeat("x", 43)}, "code_challenge_method": {"S999"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := app.authorize(client, change)
			if code := page.URL.Query().Get("code"); code != "" || strings.Contains(page.URL.Fragment, "token") {
				t.Errorf("a code or token at %s", page.URL)
			}
			if page.Status >= 500 {
				t.Errorf("status %d\n%s", page.Status, page.Text())
			}
		})
	}
	t.Run("consent without _xsrf", func(t *testing.T) {
		page := client.Get("/hub/api/oauth2/authorize?" + url.Values{
			"response_type": {"code"}, "client_id": {"service-webapp"}, "redirect_uri": {good}, "state": {"x"}}.Encode())
		form := page.Form(t, "scopes")
		form.Values.Del("_xsrf")
		if page := client.Submit(page, form); page.Status != http.StatusForbidden {
			t.Errorf("status %d, want 403", page.Status)
		}
	})
	t.Run("consent with added scopes", func(t *testing.T) {
		page := client.Get("/hub/api/oauth2/authorize?" + url.Values{
			"response_type": {"code"}, "client_id": {"service-webapp"}, "redirect_uri": {good}, "state": {"x"}}.Encode())
		form := page.Form(t, "scopes")
		form.Values.Add("scopes", "servers!user")
		page = client.Submit(page, form)
		code := page.URL.Query().Get("code")
		if code == "" {
			return // refusing is fine
		}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(app.token(t, url.Values{"code": {code}}).Want(http.StatusOK).Body), &answer); err != nil {
			t.Fatal(err)
		}
		scopes := list(app.hub.Bearer(t, answer.AccessToken).Get("/user").Want(http.StatusOK).Map()["scopes"])
		if slices.Contains(scopes, "servers!user=queequeg") {
			t.Errorf("the added scope was granted: %q", scopes)
		}
	})
}

// TestOAuthPKCE runs the flow of RFC 7636 by hand: the right verifier, none, and wrong ones.
func TestOAuthPKCE(t *testing.T) {
	t.Parallel()
	app := startWebApp(t)
	// RFC 7636 appendix B
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	withChallenge := url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	for name, wrong := range map[string][]string{
		"no verifier": nil, "a wrong one": {strings.Repeat("a", 43)}, "the challenge itself": {challenge}, "a cut one": {verifier[:42]},
	} {
		t.Run(name, func(t *testing.T) {
			answer := app.token(t, url.Values{"code": {app.code(t, withChallenge)}, "code_verifier": wrong})
			tokenError(t, answer, 400, "invalid_grant", "invalid_request", "missing_code_verifier")
		})
	}
	t.Run("the right verifier", func(t *testing.T) {
		app.token(t, url.Values{"code": {app.code(t, withChallenge)}, "code_verifier": {verifier}}).Want(http.StatusOK)
	})
	t.Run("a verifier without a challenge", func(t *testing.T) {
		harness.MinihubOnly(t, "it accepts the downgrade that RFC 9700 §4.8.2 warns of")
		tokenError(t, app.token(t, url.Values{"code": {app.code(t, nil)}, "code_verifier": {verifier}}), 400, "invalid_grant", "invalid_request")
	})
}
