//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// The examples of JupyterHub's source distribution, each with its own jupyterhub_config.py. What is asserted is
// what the example's README shows.

// allowRoot lets examples start jupyterhub-singleuser when the tests run as root.
var allowRoot = []string{"--Spawner.args=--allow-root"}

// model decodes the user model that the whoami services show.
func model(t *testing.T, page *harness.Page) map[string]any {
	t.Helper()
	var m map[string]any
	if page.Status != http.StatusOK {
		t.Fatalf("%s: status %d\n%s", page.URL, page.Status, page.Text())
	}
	if err := json.Unmarshal([]byte(page.Body), &m); err != nil {
		t.Fatalf("%s: not JSON: %v\n%s", page.URL, err, page.Text())
	}
	return m
}

// list gives a JSON list of strings, sorted.
func list(v any) []string {
	items, _ := v.([]any)
	texts := []string{}
	for _, item := range items {
		text, _ := item.(string)
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

func wantList(t *testing.T, what string, got any, want ...string) {
	t.Helper()
	if !slices.Equal(list(got), want) {
		t.Errorf("%s: got %q, want %q", what, list(got), want)
	}
}

// passwordToken asks for a token with name and password in the body, as the API allows without other credentials.
func passwordToken(t *testing.T, hub *harness.Hub, user string) string {
	t.Helper()
	token, _ := hub.API(t, "").Post("/users/"+user+"/tokens", map[string]any{
		"auth": map[string]any{"username": user, "password": harness.Password},
	}).Want(http.StatusCreated).Map()["token"].(string)
	if token == "" {
		t.Fatalf("no token for %s in the answer", user)
	}
	return token
}

// serviceUp waits until a managed service answers something through the hub's public port.
func serviceUp(t *testing.T, hub *harness.Hub, name string) {
	t.Helper()
	harness.Poll(t, 30*time.Second, "service "+name+" to answer", func() bool {
		answer := hub.API(t, "").Get("/services/" + name + "/")
		noRoute := answer.Status == http.StatusNotFound || strings.HasPrefix(answer.Header.Get("Location"), "/hub/services/")
		return !noRoute && answer.Status < 500
	})
}

func TestExampleServiceWhoami(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "service-whoami"})
	serviceUp(t, hub, "whoami-oauth")
	serviceUp(t, hub, "whoami-api")

	t.Run("oauth", func(t *testing.T) {
		// With the slash: the service's cookie is for /services/whoami-oauth/ alone, so the README's address without
		// it goes round in circles in every browser.
		m := model(t, hub.Browse(t).Visit("/services/whoami-oauth/", "queequeg"))
		if m["name"] != "queequeg" || m["kind"] != "user" || m["admin"] != false {
			t.Errorf("name, kind, admin: got %v, %v, %v", m["name"], m["kind"], m["admin"])
		}
		if id, _ := m["session_id"].(string); len(id) != 32 {
			t.Errorf("session_id: got %v, want 32 characters", m["session_id"])
		}
		wantList(t, "groups", m["groups"])
		if !slices.Contains(list(m["scopes"]), "access:services!service=whoami-oauth") {
			t.Errorf("scopes: got %q, want access to the service among them", list(m["scopes"]))
		}
	})
	t.Run("api", func(t *testing.T) {
		if got := hub.API(t, "").Get("/services/whoami-api/").Status; got != http.StatusForbidden {
			t.Errorf("without a token: status %d, want 403", got)
		}
		token := passwordToken(t, hub, "queequeg")
		m := hub.API(t, token).Get("/services/whoami-api/").Want(http.StatusOK).Map()
		for key, want := range map[string]any{
			"name": "queequeg", "kind": "user", "admin": false, "pending": nil, "server": nil, "session_id": nil,
		} {
			got, there := m[key]
			if !there || got != want {
				t.Errorf("%s: got %v (there: %v), want %v", key, got, there, want)
			}
		}
		wantList(t, "roles", m["roles"], "user")
		for _, scope := range []string{
			"access:services", "access:servers!user=queequeg", "delete:servers!user=queequeg", "read:servers!user=queequeg",
			"read:tokens!user=queequeg", "read:users!user=queequeg", "read:users:activity!user=queequeg",
			"read:users:groups!user=queequeg", "read:users:name!user=queequeg", "servers!user=queequeg",
			"tokens!user=queequeg", "users:activity!user=queequeg",
		} {
			if !slices.Contains(list(m["scopes"]), scope) {
				t.Errorf("scopes lack %s: %q", scope, list(m["scopes"]))
			}
		}
	})
}

func TestExampleServiceWhoamiFlask(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "service-whoami-flask"})
	serviceUp(t, hub, "whoami")
	m := model(t, hub.Browse(t).Visit("/services/whoami/", "queequeg"))
	if m["name"] != "queequeg" || m["admin"] != false || m["kind"] != "user" {
		t.Errorf("model: %v", m)
	}
	wantList(t, "scopes", m["scopes"], "access:services!service=whoami",
		"read:users:groups!user=queequeg", "read:users:name!user=queequeg")
}

func TestExampleServiceFastAPI(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "service-fastapi"})
	serviceUp(t, hub, "fastapi")

	if body := hub.API(t, "").Get("/services/fastapi/").Want(http.StatusOK).Body; body != `{"Hello":"World"}` {
		t.Errorf("index: %s", body)
	}
	hub.API(t, "").Get("/services/fastapi/me").Want(http.StatusUnauthorized)
	token := passwordToken(t, hub, "test-user")
	m := hub.Bearer(t, token).Get("/services/fastapi/me").Want(http.StatusOK).Map()
	if m["name"] != "test-user" || m["admin"] != false || m["pending"] != nil {
		t.Errorf("me: %v", m)
	}
	if !slices.Contains(list(m["scopes"]), "access:servers!user=test-user") {
		t.Errorf("scopes: %q", list(m["scopes"]))
	}
	if _, err := time.Parse(time.RFC3339Nano, m["last_activity"].(string)); err != nil {
		t.Errorf("last_activity: %v", err)
	}
	t.Run("swagger's own OAuth", func(t *testing.T) { fastAPISwagger(t, hub) })
	t.Run("not allowed", func(t *testing.T) {
		page := hub.Browse(t).TryLogin("somebody-else", harness.Password)
		if page.Status != http.StatusForbidden {
			t.Errorf("a user outside allowed_users: status %d, want 403", page.Status)
		}
	})
}

// fastAPISwagger does what the Authorize button of the docs page does: the flow with an absolute redirect URI, and
// the code posted to the service's get_token.
func fastAPISwagger(t *testing.T, hub *harness.Hub) {
	redirect := "http://127.0.0.1:8000/services/fastapi/oauth_callback"
	redirect = strings.Replace(redirect, "8000", hub.Port("8000"), 1)
	client := hub.Browse(t)
	page := client.Visit("/hub/api/oauth2/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"service-fastapi"}, "redirect_uri": {redirect}, "state": {"s1"},
	}.Encode(), "test-user")
	if page.URL.Path != "/services/fastapi/oauth_callback" || page.URL.Query().Get("state") != "s1" {
		t.Fatalf("after consent at %s (status %d)", page.URL, page.Status)
	}
	answer := client.Post("/services/fastapi/get_token", url.Values{"code": {page.URL.Query().Get("code")}})
	m := model(t, answer)
	token, _ := m["access_token"].(string)
	// Not /me: the example's model wants fields that a token of the default OAuth scopes does not show.
	if me := hub.Bearer(t, token).Get("/user").Want(http.StatusOK).Map(); me["name"] != "test-user" {
		t.Errorf("the owner of the OAuth token: %v", me)
	}
}

func TestExampleExternalOAuth(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"launch-service.sh", "launch-service-basic.sh"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			env := []string{"JUPYTERHUB_API_TOKEN=" + harness.NewToken() + harness.NewToken()}
			hub := harness.Start(t, harness.Options{Example: "external-oauth", Env: env})
			// launch-service.sh runs ../service-whoami/whoami-oauth.py
			sibling := filepath.Join(filepath.Dir(hub.Dir), "service-whoami")
			if script == "launch-service.sh" {
				linkExample(t, "service-whoami", sibling)
			}
			// the example relies on the hub's own port being 8081
			env = append(env, "JUPYTERHUB_API_URL="+hub.APIURL)
			harness.StartProcess(t, "service", hub.Dir, env, "bash", script)
			service := "http://127.0.0.1:" + hub.Port("5555") + "/"
			harness.Poll(t, 30*time.Second, "the service at "+service, func() bool {
				r, err := http.Head(service)
				if err == nil {
					r.Body.Close()
				}
				return err == nil
			})
			client := hub.Browse(t)
			page := client.Visit(service, "queequeg")
			m := model(t, page)
			if m["name"] != "queequeg" || m["admin"] != false {
				t.Errorf("model: %v", m)
			}
			// the OAuth screen is for external services: the user has said yes once
			consented := slices.ContainsFunc(page.Hops, func(u *url.URL) bool { return u.Path == "/hub/api/oauth2/authorize" })
			if !consented {
				t.Errorf("no consent on the way: %v", page.Hops)
			}
		})
	}
}

// linkExample puts a link to an example where another expects it, for as long as the tests run.
func linkExample(t *testing.T, name, at string) {
	t.Helper()
	if err := os.Symlink(filepath.Join(harness.Sdist(t), "examples", name), at); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(at) })
}

func TestExampleCustomScopes(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "custom-scopes"})
	serviceUp(t, hub, "grades")
	for _, row := range []struct {
		user                   string
		read                   int // status of the page with all grades
		write                  int // and of entering one
		offersList, offersForm bool
	}{
		{"student", http.StatusForbidden, http.StatusForbidden, false, false},
		// the example checks its write scope too late (its decorator runs after the one that logs in), so that the
		// form's absence is all that keeps an instructor from writing
		{"instructor", http.StatusOK, http.StatusOK, true, false},
		{"grader", http.StatusOK, http.StatusOK, true, true},
	} {
		t.Run(row.user, func(t *testing.T) {
			client := hub.Browse(t)
			mine := client.Visit("/services/grades/", row.user)
			if mine.Status != http.StatusOK || !strings.Contains(mine.Body, "My name is: "+row.user) {
				t.Fatalf("own grade: status %d at %s\n%s", mine.Status, mine.URL, mine.Text())
			}
			if got := strings.Contains(mine.Body, "enter grades"); got != row.offersList {
				t.Errorf("link to all grades: %v, want %v", got, row.offersList)
			}
			all := client.Visit("/services/grades/grades/", row.user)
			if all.Status != row.read {
				t.Fatalf("all grades: status %d, want %d", all.Status, row.read)
			}
			if got := strings.Contains(all.Body, "Enter grade"); got != row.offersForm {
				t.Errorf("form for a grade: %v, want %v", got, row.offersForm)
			}
			entered := client.Post("/services/grades/grades/", url.Values{
				"student": {"student"}, "grade": {"97"}, "_xsrf": {client.Cookie("/services/grades/grades/", "_xsrf")},
			})
			if entered.Status != row.write {
				t.Errorf("enter a grade: status %d, want %d\n%s", entered.Status, row.write, entered.Text())
			}
			if row.write == http.StatusOK && !strings.Contains(entered.Body, `<td class="grade">97</td>`) {
				t.Errorf("the entered grade does not show:\n%s", entered.Body)
			}
		})
	}
}

func TestExampleServerAPI(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "server-api", Args: allowRoot})
	command := exec.Command(harness.Python(), "start-stop-server.py")
	command.Dir = hub.Dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("start-stop-server.py: %v\n%s", err, out)
	}
	for _, pattern := range []string{
		`Starting server test-user`, `Server test-user is launching`, `Server test-user is pending spawn`,
		`Progress 0%`, `Progress 100%: Server ready at`, `Server status: \{.*"connections"`, `Server test-user stopped`,
	} {
		if !regexp.MustCompile(pattern).Match(out) {
			t.Errorf("the script did not print %q:\n%s", pattern, out)
		}
	}
}

func TestExampleServiceAnnouncement(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "service-announcement"})
	serviceUp(t, hub, "announcement")
	const text = "JupyterHub will be upgraded on August 14!"
	announcer, other := passwordToken(t, hub, "announcer"), passwordToken(t, hub, "otheruser")
	body := map[string]any{"announcement": text}

	hub.API(t, "").Post("/services/announcement/", body).Want(http.StatusForbidden)
	hub.API(t, other).Post("/services/announcement/", body).Want(http.StatusForbidden)
	hub.API(t, announcer).Post("/services/announcement/", body).Want(http.StatusOK)
	m := hub.API(t, "").Get("/services/announcement/").Want(http.StatusOK).Map()
	if m["announcement"] != text || m["user"] != "announcer" || m["timestamp"] == "" {
		t.Errorf("announcement: %v", m)
	}
	// template_paths: the example's page.html extends the hub's own
	page := hub.Browse(t).Get("/hub/login")
	if page.Status != http.StatusOK || !strings.Contains(page.Body, `<div class="container text-center announcement"></div>`) ||
		!strings.Contains(page.Body, `$.get("/services/announcement/"`) {
		t.Errorf("login page without the example's template: status %d", page.Status)
	}
	page.Form(t, "username")
	hub.API(t, other).Delete("/services/announcement/", nil).Want(http.StatusForbidden)
	hub.API(t, announcer).Delete("/services/announcement/", nil).Want(http.StatusOK)
	if m := hub.API(t, "").Get("/services/announcement/").Map(); m["announcement"] != "" {
		t.Errorf("after DELETE: %v", m)
	}
}
