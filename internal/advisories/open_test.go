package advisories_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is still open in JupyterHub 6.1.1, and its other known bugs: each row is in docs/differences.md.

// POST /users/NAME stored the name as it was written, so that its owner could never log in.
func TestOpen_CreatedNamesAreNormalised(t *testing.T) {
	h := newHub(t)
	if a := h.wants(201, boss, "POST", "/users/UPPER", ""); a.json(t)["name"] != "upper" {
		t.Errorf("created: %s", a.body)
	}
	if a := h.login("UPPER").get("/hub/api/user"); a.json(t)["name"] != "upper" {
		t.Errorf("logged in as %s", a.body)
	}
	h.wants(409, boss, "POST", "/users/Upper", "")
	// Nobody gets around a filter by another spelling.
	h.sql("UPDATE roles SET scopes = '[\"admin:users!user=UPPERCASE\"]' WHERE name = 'narrow'")
	h.wants(404, narrow, "POST", "/users/UPPERCASE", "")
}

// After a rename the running server stayed at the old address, open to the next one of that name and closed to its owner.
func TestOpen_ServersOfRenamedUsers(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(201, boss, "POST", "/users/ann/server", "")
	h.wants(201, boss, "POST", "/users/ann/servers/idle", "")
	h.wants(204, boss, "DELETE", "/users/ann/servers/idle", "")
	if a := h.login("ann").follow("/user/ann/"); a.status != 200 || !strings.Contains(a.body, "whoami") {
		t.Fatalf("before: %d", a.status)
	}
	h.wants(200, boss, "PATCH", "/users/ann", `{"name": "anna"}`)
	until(t, "the start under the new name", func() bool {
		return strings.Contains(h.api(boss, "GET", "/users/anna", "").body, `"server":"/user/anna/"`)
	})
	if a := h.login("anna").follow("/user/anna/"); a.status != 200 || !strings.Contains(a.body, "whoami") {
		t.Errorf("the server under its new name: %d %.300s", a.status, a.body)
	}
	h.wants(201, boss, "POST", "/users/anna/servers/idle", "")
	if routes := h.api(boss, "GET", "/proxy", "").body; strings.Contains(routes, "/user/ann/") || !strings.Contains(routes, "/user/anna/idle/") {
		t.Errorf("routes: %s", routes)
	}
	if tokens := h.api(boss, "GET", "/users/anna/tokens", "").body; strings.Contains(tokens, "/user/ann/") {
		t.Errorf("tokens: %s", tokens)
	}
	h.wants(201, boss, "POST", "/users/ann", "") // somebody else
	if a := h.login("ann").follow("/user/ann/"); strings.Contains(a.body, "anna") || strings.Contains(a.body, "whoami") {
		t.Errorf("the new ann sees %d %.300s", a.status, a.body)
	}
	if a := h.login("ann").follow("/user/anna/"); a.status == 200 {
		t.Errorf("the new ann opens anna's server")
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("did not happen: " + what)
}

// Paths, numbers and bodies that were internal errors.
func TestOpen_InternalErrorsByInput(t *testing.T) {
	h := newHub(t)
	host := strings.TrimPrefix(h.url, "http://")
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(201, boss, "PUT", "/users/ann/servers/lab", "{}")
	for _, path := range []string{"/hub/%", "/hub/%zz", "/user/%ff%fe/", "/hub/user/%ff%fe/", "/hub/api/%", "/hub/api/users/%ff", "/hub/login?next=%0d%0aSet-Cookie:%20a=b", "/%", "/hub/%00", "/hub/api/users/a%00b", "/services/%ff/"} {
		got := h.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: token " + boss + "\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 2") && !strings.HasPrefix(got, "HTTP/1.1 3") && !strings.HasPrefix(got, "HTTP/1.1 4") || strings.Contains(got, "\r\nSet-Cookie: a=b") {
			t.Errorf("%s: %.200s", path, got)
		}
	}
	type row struct {
		method, path, body string
		statuses           []int
	}
	rows := []row{
		{"GET", "/users/ann/tokens/a" + strings.Repeat("9", 40), "", []int{404}}, {"GET", "/users?offset=99999999999999999999", "", []int{200}}, {"GET", "/users?limit=99999999999999999999", "", []int{200}}, {"GET", "/users?offset=x", "", []int{400}},
		{"PATCH", "/users/ann", `{"groups": ["g"]}`, []int{400}}, {"PATCH", "/users/ann", `{"roles": ["admin"]}`, []int{400}}, {"PATCH", "/users/ann/servers/lab", `{"nosuch": 1}`, []int{400}},
		{"POST", "/shares/ann/lab", `{"user": "bob", "scopes": ["nosuch"]}`, []int{400}}, {"POST", "/services/new", `{"oauth_client_allowed_scopes": ["nosuch"], "oauth_client_id": "service-new"}`, []int{400}},
		{"POST", "/share-codes/ann/lab", `{"scopes": ["nosuch"]}`, []int{400}}, {"POST", "/users/ann/tokens", `{"expires_in": true}`, []int{400}}, {"POST", "/users/ann/tokens", `{"scopes": ["nosuch"]}`, []int{400}}, {"POST", "/users/ann/tokens", `{"roles": ["nosuch"]}`, []int{400}},
	}
	for _, body := range []string{`1`, `"x"`, `[]`, `[1]`, `true`, `null`, `{`, `{"a": 1}{}`, "\xff", `{"": null}`, strings.Repeat("[", 20_000)} {
		for _, w := range [][2]string{{"PATCH", "/proxy"}, {"PATCH", "/users/ann/servers/lab"}, {"PATCH", "/users/ann"}, {"POST", "/shares/ann/lab"}, {"PATCH", "/shares/ann/lab"}, {"POST", "/share-codes/ann/lab"}, {"POST", "/users/ann/tokens"}, {"POST", "/services/new2"},
			{"POST", "/users"}, {"POST", "/groups"}, {"POST", "/groups/g/users"}, {"PUT", "/groups/g/properties"}, {"POST", "/users/ann/activity"}, {"POST", "/shutdown"}, {"PUT", "/users/ann/servers/lab2"}} {
			if (w[1] == "/shutdown" || w[1] == "/share-codes/ann/lab" || w[1] == "/users/ann/tokens" || strings.HasPrefix(w[1], "/users/ann/servers/lab2")) && body == "null" {
				continue // no body at all
			}
			rows = append(rows, row{w[0], w[1], body, []int{400}})
		}
	}
	for _, r := range rows {
		if a := h.api(boss, r.method, r.path, r.body); a.status >= 500 || (!slices.Contains(r.statuses, a.status) && a.status/100 != 4 && !harmless(r.path, r.body)) || (a.status == 400 && a.json(t)["message"] == nil) {
			t.Errorf("%s %s %.40q: %d %.200s", r.method, r.path, r.body, a.status, a.body)
		}
	}
	if a := h.api(boss, "GET", "/user", ""); a.status != 200 {
		t.Fatalf("the hub is gone: %d", a.status)
	}
}

// harmless: any object is a set of properties, and unknown keys are ignored in some bodies, as in JupyterHub.
func harmless(path, body string) bool { return strings.HasPrefix(body, "{") || path == "/proxy" }

// A user whose named or pending servers were active could not be deleted: 500.
func TestOpen_DeletingUsersWithServers(t *testing.T) {
	h := newHub(t)
	h.wants(201, boss, "POST", "/users/ann", "")
	h.wants(201, boss, "POST", "/users/ann/servers/lab", "")
	h.wants(204, boss, "DELETE", "/users/ann", "")
	h.wants(404, boss, "GET", "/users/ann", "")
	if routes := h.api(boss, "GET", "/proxy", "").body; strings.Contains(routes, "/user/ann/") {
		t.Errorf("routes: %s", routes)
	}
}

// A server stopped after a restart of the hub left its token valid for ever.
func TestOpen_TokensOfStoppedServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	h := newHub(t, func(c settings) {
		c["JupyterHub"]["spawner_class"] = "simple"
		c["JupyterHub"]["cleanup_servers"] = false
		c["SimpleLocalProcessSpawner"] = map[string]any{"home_dir_template": t.TempDir()}
		c["Spawner"] = map[string]any{"cmd": []any{need(os.Executable())}, "http_timeout": 60, "environment": map[string]any{tokenFileEnv: file}}
	})
	h.wants(201, boss, "POST", "/users/ann", "")
	if a := h.api(boss, "POST", "/users/ann/server", ""); a.status/100 != 2 {
		t.Fatalf("start: %d %s", a.status, a.body)
	}
	until(t, "the start", func() bool {
		return strings.Contains(h.api(boss, "GET", "/users/ann", "").body, `"server":"/user/ann/"`)
	})
	token := string(need(os.ReadFile(file)))
	h.wants(200, token, "GET", "/user", "")
	h.restart()
	until(t, "the check of the server", func() bool {
		return strings.Contains(h.api(boss, "GET", "/users/ann", "").body, `"server":"/user/ann/"`)
	})
	h.wants(200, token, "GET", "/user", "")
	if a := h.api(boss, "DELETE", "/users/ann/server", ""); a.status/100 != 2 {
		t.Errorf("stop: %d %s", a.status, a.body)
	}
	until(t, "the stop", func() bool { return strings.Contains(h.api(boss, "GET", "/users/ann", "").body, `"servers":{}`) })
	h.wants(403, token, "GET", "/user", "")
}

// The access log showed client_secret and password.
func TestOpen_SecretsInTheAccessLog(t *testing.T) {
	h := newHub(t)
	const secret = "hush-hush-hush"
	for _, key := range []string{"client_secret", "password", "token", "code", "state", "_xsrf", "api_key", "auth", "Client_Secret", "x-password", "next"} {
		value := secret
		if key == "next" {
			value = url.QueryEscape("/hub/api/oauth2/authorize?client_secret=" + secret + "&state=" + secret)
		}
		for _, path := range []string{"/hub/nosuch?", "/hub/api/users?", "/hub/home?", "/user/ann/x?", "/?"} {
			h.browser().get(path + key + "=" + value)
		}
	}
	h.browser().form("/hub/login", url.Values{"username": {"ann"}, "password": {secret}})
	if strings.Contains(h.log.String(), secret) {
		for line := range strings.SplitSeq(h.log.String(), "\n") {
			if strings.Contains(line, secret) {
				t.Errorf("in the log: %s", line)
			}
		}
	}
}

// An Authorization header on a page for cookies must change neither the user nor the scopes.
func TestOpen_TokensOnPages(t *testing.T) {
	h := newHub(t)
	ann := h.login("ann")
	if a := ann.get("/hub/admin", "Authorization", "token "+boss); a.status != 403 {
		t.Errorf("ann with somebody's token on the admin page: %d", a.status)
	}
	if a := ann.get("/hub/spawn/bob", "Authorization", "token "+boss); a.status != 404 && a.status != 403 {
		t.Errorf("ann with somebody's token on bob's spawn page: %d", a.status)
	}
	if a := h.browser().get("/hub/home", "Authorization", "token "+boss); a.status != 302 {
		t.Errorf("a token alone: %d", a.status)
	}
}

// A page of another site could log people out, by an image.
func TestOpen_ForgedLogout(t *testing.T) {
	h := newHub(t)
	ann := h.login("ann")
	for _, mode := range [][]string{{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}} {
		ann.get("/hub/logout", mode...)
		if a := ann.get("/hub/home"); a.status != 200 {
			t.Fatalf("logged out by %v", mode)
		}
	}
	ann.get("/hub/logout", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	if a := ann.get("/hub/home"); a.status != 302 {
		t.Errorf("not logged out: %d", a.status)
	}
}
