//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/e2e/harness"
)

// server names one of the running servers.
type server struct{ user, name string }

// api is the server's place in the REST API.
func (s server) api() string {
	if s.name == "" {
		return "/users/" + url.PathEscape(s.user) + "/server"
	}
	return "/users/" + url.PathEscape(s.user) + "/servers/" + url.PathEscape(s.name)
}

// people are all users of the folder's database.
var people = []string{"admin", "alice", "bob", "carol", odd}

// odd is a name as identity providers give them.
const odd = "zoë o'neil@lab.org"

// populate makes, through HTTP alone, everything that a database can hold.
func (d *dropin) populate(t *testing.T, servers []server) {
	t.Helper()
	admin := d.Admin(t)
	admin.Post("/users", map[string]any{"usernames": []string{"carol", odd}}).Want(http.StatusCreated, http.StatusConflict)
	d.login(t, d.admin, "admin")
	d.login(t, d.user, "bob")
	d.login(t, d.Browse(t), "alice")
	admin.Post("/groups/lab", nil).Want(http.StatusCreated)
	admin.Do(http.MethodPut, "/groups/lab/properties", map[string]any{"quota": 2, "nested": map[string]any{"ä": []any{1, nil, "x"}}}).Want(http.StatusOK)
	admin.Post("/groups/lab/users", map[string]any{"users": []string{"carol", "bob"}}).Want(http.StatusOK)
	for _, s := range servers {
		admin.Post(s.api(), map[string]any{"size": "big", "n": []int{1, 2}}).Want(http.StatusCreated, http.StatusAccepted)
		harness.Poll(t, 60*time.Second, fmt.Sprintf("server %v to be ready", s), func() bool { return admin.Server(s.user, s.name)["ready"] == true })
	}
	// a server that was stopped keeps its row
	admin.Post("/users/carol/servers/spare", map[string]any{}).Want(http.StatusCreated, http.StatusAccepted)
	harness.Poll(t, 60*time.Second, "server carol/spare to be ready", func() bool { return admin.Server("carol", "spare")["ready"] == true })
	admin.Delete("/users/carol/servers/spare", nil).Want(http.StatusNoContent, http.StatusAccepted)

	admin.Post("/shares/alice/", map[string]any{"user": "bob"}).Want(http.StatusOK, http.StatusCreated)
	admin.Post("/shares/alice/", map[string]any{"group": "lab", "scopes": []string{"access:servers!server=alice/"}}).Want(http.StatusOK, http.StatusCreated)
	code := admin.Post("/share-codes/alice/", map[string]any{"expires_in": 86400}).Want(http.StatusOK, http.StatusCreated).Map()
	d.tokens["share code"], _ = code["code"].(string)
	d.Secret(d.tokens["share code"])

	d.tokens["service e2e-admin"] = d.AdminToken
	d.tokens["service app"] = d.app
	d.tokens["user bob"] = admin.NewToken("bob", map[string]any{"note": "Bob's, für immer"})
	d.tokens["user alice, narrow"] = admin.NewToken("alice", map[string]any{"scopes": []string{"read:users!user", "access:servers!server=alice/"}, "expires_in": 7200})
	d.tokens["user bob, tutor"] = admin.NewToken("bob", map[string]any{"roles": []string{"tutor"}})
	d.tokens["user "+odd] = admin.NewToken(odd, nil)
	d.tokens["oauth bob"] = d.oauthToken(t, d.user)
	for _, token := range d.tokens {
		d.Secret(token)
	}
	if state, _ := admin.Get("/users/bob").Map()["auth_state"].(map[string]any); len(state) == 0 {
		t.Error("bob has no auth_state: the database does not have all it should have")
	}
}

// state is what clients see of a hub: the answers for every user, group, share, token and running server.
func (d *dropin) state(t *testing.T) map[string]any {
	t.Helper()
	admin, out := d.Admin(t), map[string]any{}
	get := func(path string) {
		t.Helper()
		var v any
		admin.Get(path).Want(http.StatusOK).JSON(&v)
		out[path] = stable("", v)
	}
	for _, path := range []string{"/users?include_stopped_servers=1", "/groups", "/services", "/shares/alice", "/share-codes/alice", "/users/bob/shared", "/groups/lab/shared"} {
		get(path)
	}
	for _, user := range people {
		get("/users/" + url.PathEscape(user))
		get("/users/" + url.PathEscape(user) + "/tokens")
	}
	for what, token := range d.tokens {
		if what == "share code" {
			continue
		}
		me := d.API(t, token).Get("/user").Want(http.StatusOK).Map()
		out["token of "+what] = stable("", me)
	}
	return out
}

// serversNow asks every running server who it is, through the public port, until all have their routes.
func (d *dropin) serversNow(t *testing.T, servers []server) map[server]who {
	t.Helper()
	out := map[server]who{}
	for _, s := range servers {
		path, _ := d.Admin(t).Server(s.user, s.name)["url"].(string)
		harness.Poll(t, 40*time.Second, "the route of "+path, func() bool { return d.API(t, "").Get(path).Status == http.StatusOK })
		out[s] = ask(t, d.Hub, path)
	}
	return out
}

// stable removes from an answer what may change while nothing happens: times of activity, and what a hub remembers of a process beside its pid.
func stable(key string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, item := range x {
			switch {
			case k == "last_activity", k == "pid" && key != "state", k == "token_id", k == "session_id":
			case key == "state" && k != "pid":
			default:
				out[k] = stable(k, item)
			}
			if m, ok := item.(map[string]any); ok && (k == "state" || k == "user_options") && (len(m) == 0 || m["__jupyterhub_bytes__"] == true) {
				out[k] = nil // JupyterHub itself answers {} or what was sent, and null after a restart
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, item := range x {
			out[i] = stable("", item)
		}
		if slices.Contains([]string{"scopes", "roles", "groups", "users"}, key) {
			slices.SortFunc(out, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		if key == "api_tokens" { // the order of their last use
			slices.SortFunc(out, func(a, b any) int {
				return strings.Compare(fmt.Sprint(a.(map[string]any)["id"]), fmt.Sprint(b.(map[string]any)["id"]))
			})
		}
		return out
	}
	return v
}

// known cuts from now the keys and scopes that the older version did not have, so that what is left must be equal.
func known(was, now any) any {
	switch was := was.(type) {
	case map[string]any:
		now, ok := now.(map[string]any)
		if !ok {
			return now
		}
		out := map[string]any{}
		for k, v := range was {
			if item, ok := now[k]; ok {
				out[k] = known(v, item)
			}
		}
		return out
	case []any:
		now, ok := now.([]any)
		if ok && len(was) > 0 {
			if _, text := was[0].(string); text {
				return slices.DeleteFunc(slices.Clone(now), func(v any) bool { return v == "start:servers" || strings.HasPrefix(fmt.Sprint(v), "start:servers!") })
			}
		}
		if !ok || len(now) != len(was) {
			return now
		}
		out := make([]any, len(was))
		for i := range was {
			out[i] = known(was[i], now[i])
		}
		return out
	}
	return now
}

// same compares two states; older allows the later one more keys.
func same(t *testing.T, what string, was, now map[string]any, older bool) {
	t.Helper()
	for path, v := range was {
		got := now[path]
		if older {
			got = known(v, got)
		}
		if diff := cmp.Diff(v, got); diff != "" {
			t.Errorf("%s: %s (-before +now):\n%s", what, path, diff)
		}
	}
}

// lives checks all that people notice: logins, the admin page, tokens, servers with their processes, shares.
func (d *dropin) lives(t *testing.T, what string, servers map[server]who, was map[string]any, older bool) {
	t.Helper()
	now := d.serversNow(t, serversOf(servers))
	if diff := cmp.Diff(servers, now, cmp.AllowUnexported(server{})); diff != "" {
		t.Errorf("%s: servers (-before +now):\n%s", what, diff)
	}
	same(t, what, was, d.state(t), older)
	if page := d.user.Get("/hub/home"); page.Status != http.StatusOK || page.URL.Path != "/hub/home" || !strings.Contains(page.Body, "bob") {
		t.Errorf("%s: bob's browser is not logged in: status %d at %s", what, page.Status, page.URL)
	}
	if page := d.user.Get("/hub/admin"); page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
		t.Errorf("%s: bob at the admin page: status %d at %s, want a refusal", what, page.Status, page.URL)
	}
	if page := d.admin.Get("/hub/admin"); page.Status != http.StatusOK || page.URL.Path != "/hub/admin" {
		t.Errorf("%s: the administrator's admin page: status %d at %s", what, page.Status, page.URL)
	}
	if page := d.admin.Get("/hub/token"); page.Status != http.StatusOK || page.URL.Path != "/hub/token" {
		t.Errorf("%s: the token page: status %d at %s", what, page.Status, page.URL)
	}
	list := d.admin.Get("/hub/api/users?_xsrf=" + url.QueryEscape(d.admin.Cookie("/hub/", "_xsrf")))
	if list.Status != http.StatusOK || !strings.Contains(list.Body, `"carol"`) {
		t.Errorf("%s: what the admin page asks with the browser's cookies: status %d: %s", what, list.Status, list.Body)
	}
}

func serversOf(m map[server]who) []server {
	var out []server
	for s := range m {
		out = append(out, s)
	}
	return out
}

// environment gives a variable of a server's process.
func environment(pid int, name string) string {
	data, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "environ"))
	for _, line := range strings.Split(string(data), "\x00") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}
