package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

// bodies are all operations with a body: a right one, and which JSON type each of its fields has.
var bodies = []struct {
	method, path string
	fields       map[string]string
}{
	{"POST", "/users", map[string]string{"usernames": "list", "admin": "bool"}},
	{"POST", "/users/new1", map[string]string{"admin": "bool"}},
	{"PATCH", "/users/carol", map[string]string{"name": "string", "admin": "bool", "auth_state": "object"}},
	{"POST", "/users/alice/activity", map[string]string{"last_activity": "string", "servers": "object"}},
	{"POST", "/users/alice/tokens", map[string]string{"note": "string", "expires_in": "int", "scopes": "list", "roles": "list", "auth": "object"}},
	{"PUT", "/users/alice/servers/new1", map[string]string{"display_name": "string", "user_options": "object"}},
	{"POST", "/users/alice/servers/new2", map[string]string{"display_name": "string", "user_options": "object"}},
	{"PATCH", "/users/alice/servers/one", map[string]string{"name": "string", "display_name": "string", "user_options": "object"}},
	{"DELETE", "/users/alice/servers/one", map[string]string{"remove": "bool"}},
	{"POST", "/groups", map[string]string{"groups": "list", "users": "list"}},
	{"POST", "/groups/new1", map[string]string{"users": "list"}},
	{"POST", "/groups/g1/users", map[string]string{"users": "list"}},
	{"DELETE", "/groups/g1/users", map[string]string{"users": "list"}},
	{"PUT", "/groups/g1/properties", nil},
	{"POST", "/services/new1", map[string]string{"admin": "bool", "url": "string", "oauth_client_allowed_scopes": "list", "api_token": "string", "info": "object", "display": "bool",
		"oauth_no_confirm": "bool", "command": "list", "cwd": "string", "environment": "object", "user": "string", "oauth_client_id": "string", "oauth_redirect_uri": "string"}},
	{"POST", "/shares/alice/one", map[string]string{"user": "string", "group": "string", "scopes": "list"}},
	{"PATCH", "/shares/alice/one", map[string]string{"user": "string", "group": "string", "scopes": "list"}},
	{"POST", "/share-codes/alice/one", map[string]string{"scopes": "list", "expires_in": "int"}},
	{"PATCH", "/proxy", map[string]string{"api_url": "string", "auth_token": "string"}},
	{"POST", "/shutdown", map[string]string{"proxy": "bool", "servers": "bool"}},
}

// values are JSON values by type; some more of the kinds that break programs.
var values = map[string][]string{
	"string": {`"x"`, `""`, `"\u0000"`, `"\ud800"`, `"` + strings.Repeat("y", 5000) + `"`},
	"int":    {`1`, `-1`, `0`, `99999999999999999999999`, `1e400`},
	"float":  {`1.5`, `-0.0`},
	"bool":   {`true`},
	"list":   {`[]`, `[null]`, `[[1]]`, `[{}]`, `["x",1]`},
	"object": {`{}`, `{"":{}}`, `{"__proto__":1}`, `{"a":null}`},
	"null":   {`null`},
}

func TestWrongTypesAreRefusedByName(t *testing.T) {
	l := newLab(t)
	l.level.Set(100)
	l.do(call{as: "root", method: "PUT", path: "/hub/api/users/alice/servers/one", body: "{}"})
	for _, b := range bodies {
		name := b.method + " " + b.path
		for field, want := range b.fields {
			for kind, list := range values {
				for _, v := range list {
					body := fmt.Sprintf(`{%q: %s}`, field, v)
					got := l.serve("root", b.method, "/hub/api"+b.path, body)
					if got.Code >= 500 {
						t.Errorf("%s %.80s: %d %s", name, body, got.Code, got.Body)
					}
					if kind == want || kind == "null" || want == "bool" && kind == "int" && strings.HasPrefix(b.path, "/shutdown") {
						continue
					}
					if b.path == "/groups" && field == "groups" && kind == "object" { // older clients send the names as keys
						continue
					}
					// 404 and 409: an earlier row already made or removed the thing
					if got.Code < 400 || got.Code == 400 && !strings.Contains(got.Body.String(), field) {
						t.Errorf("%s %.80s (must be %s): %d %s", name, body, want, got.Code, got.Body)
					}
				}
			}
		}
		for _, whole := range []string{`[]`, `[1]`, `"x"`, `1`, `true`, `{`, `{"a":`, "\xff\xfe", `{"a":"` + "\xff" + `"}`, strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000), `{} {}`,
			`{"__minihub_opaque__": "x"}`, `{"nosuchkey": 1}`, `{"` + strings.Repeat("k", 100_000) + `": 1}`} {
			if got := l.serve("root", b.method, "/hub/api"+b.path, whole); got.Code >= 500 || got.Code < 400 && !strings.HasPrefix(whole, `{"`) || got.Body.Len() > 2000 && got.Code >= 400 {
				t.Errorf("%s %.60q: %d %.300s", name, whole, got.Code, got.Body)
			}
		}
		if got := l.serve("root", b.method, "/hub/api"+b.path, `{"a":"`+strings.Repeat("x", 11<<20)+`"}`); got.Code != 413 {
			t.Errorf("%s with 11 MB: %d", name, got.Code)
		}
	}
	if len(l.down) > 0 && strings.Contains(strings.Join(l.down, ""), "x") {
		t.Errorf("shut down: %v", l.down)
	}
}

func TestHostilePathsAndQueries(t *testing.T) {
	l := newLab(t)
	for _, path := range []string{"/users/%ff%fe", "/users/%00", "/users/a%0d%0ab", "/users/%2e%2e", "/users/..", "/users/" + strings.Repeat("x", 5000), "/users/%F0%9F%92%A9", "/users/a%2fb/server",
		"/users/alice/tokens/a" + strings.Repeat("9", 40), "/users/alice/tokens/a-1", "/users/alice/tokens/%ff", "/users?offset=99999999999999999999", "/users?limit=-99999999999999999999", "/users?limit=1e3",
		"/users?limit=" + strings.Repeat("1", 4000), "/users?sort=%00", "/users?state=%ff", "/users?name_filter=%ff%00", "/users?%zz=1", "/users?a;b", "/groups?offset=9223372036854775808", "/proxy?limit=0x10",
		"/shares/%ff", "/shares/alice/%00", "/share-codes/alice/?id=sc_99999999999999999999", "/groups/%2e", "/services/%25", "/users/alice/servers/%24p~c%7Ca%21", "/authorizations/token/%ff", "/authorizations/cookie/%22%3b/%22"} {
		for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
			if got := l.do(call{as: "root", method: method, path: "/hub/api" + path}); got.status >= 500 {
				t.Errorf("%s %.80s: %d %s", method, path, got.status, got.text)
			}
		}
	}
}

// GHSA-93gc-h923-mp36: names that browsers and proxies take for something else.
func TestGHSA93gcPathConfusion(t *testing.T) {
	l := newLab(t)
	for _, name := range []string{".", "..", "...", "%2e%2e", "a/b", " x", "x ", ""} {
		body := fmt.Sprintf(`{"usernames": [%q]}`, name)
		if got := l.serve("root", "POST", "/hub/api/users", body); got.Code != 400 {
			t.Errorf("create %q: %d %s", name, got.Code, got.Body)
		}
		if got := l.serve("root", "PATCH", "/hub/api/users/alice", fmt.Sprintf(`{"name": %q}`, name)); got.Code != 400 {
			t.Errorf("rename to %q: %d %s", name, got.Code, got.Body)
		}
	}
	for _, path := range []string{"%2e%2e", "%252e", "a%2Fb", "%20x"} {
		if got := l.do(call{as: "root", method: "POST", path: "/hub/api/services/" + path, body: `{"admin": false}`}); got.status != 400 && got.status != 404 {
			t.Errorf("service %s: %d %s", path, got.status, got.text)
		}
	}
}

// GHSA-pvm9-48cg-w76j: nothing that means zero makes a token that never expires.
func TestGHSApvm9ExpiresIn(t *testing.T) {
	l := newLab(t, func(o *labOptions) { o.MaxExpiry = time.Hour })
	for _, v := range []string{"0", "-1", `"0"`, "false", "0.5", "3601", "1e30", "[]"} {
		if got := l.serve("alice", "POST", "/hub/api/users/alice/tokens", `{"expires_in": `+v+`}`); got.Code != 400 || !strings.Contains(got.Body.String(), "expires_in") {
			t.Errorf("expires_in %s: %d %s", v, got.Code, got.Body)
		}
	}
	for _, body := range []string{"", "{}", `{"expires_in": null}`, `{"expires_in": 3600}`} {
		if got := l.serve("alice", "POST", "/hub/api/users/alice/tokens", body); got.Code != 201 || strings.Contains(got.Body.String(), `"expires_at":null`) {
			t.Errorf("%s: %d %s", body, got.Code, got.Body)
		}
	}
}

// GHSA-9x4q-3gxw-849f: admin:users does not make anybody an admin.
func TestGHSA9x4qAdminFlag(t *testing.T) {
	l := newLab(t)
	for _, c := range []call{
		{method: "POST", path: "/users", body: `{"usernames": ["m1"], "admin": true}`}, {method: "POST", path: "/users/m2", body: `{"admin": true}`},
		{method: "PATCH", path: "/users/alice", body: `{"admin": true}`}, {method: "PATCH", path: "/users/admin", body: `{"admin": false}`},
		{method: "PATCH", path: "/users/admin", body: `{"name": "x"}`}, {method: "PATCH", path: "/users/admin", body: `{"auth_state": {}}`},
	} {
		if got := l.serve("usersadmin", c.method, "/hub/api"+c.path, c.body); got.Code != 403 {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, got.Code, got.Body)
		}
	}
	l.serve("usersadmin", "POST", "/hub/api/users/m3", `{"roles": ["admin"]}`)
	if got := l.serve("root", "GET", "/hub/api/users/m3", ""); strings.Contains(got.Body.String(), `"roles":["admin"`) {
		t.Errorf("roles of the body took effect: %s", got.Body)
	}
}

// GHSA-69wv-m5fw-2fhp: a filtered scope does not open routes that have no target.
func TestGHSA69wvFilteredScope(t *testing.T) {
	l := newLab(t)
	for path, body := range map[string]string{"/users": `{"usernames": ["evil"]}`, "/groups": `{"groups": ["evil"]}`} {
		if got := l.serve("ing1", "POST", "/hub/api"+path, body); got.Code != 403 {
			t.Errorf("POST %s: %d %s", path, got.Code, got.Body)
		}
	}
}

// GHSA-hx46-2cv3-mh6g: options that cannot be read back poison every list.
func TestGHSAhx46PoisonedOptions(t *testing.T) {
	l := newLab(t)
	for i, v := range []string{`{"__jupyterhub_bytes__": true}`, `{"__jupyterhub_bytes__": true, "data": 5}`, `{"__jupyterhub_bytes__": true, "data": "%%"}`, `{"a": {"__jupyterhub_bytes__": true}}`,
		`{"a": 1e999}`, `{"a": 123456789012345678901234567890}`, `{"a": "\u0000"}`, `{"a": "\ud800"}`, `{"": {"": []}}`, `{"a":` + strings.Repeat("[", 150) + strings.Repeat("]", 150) + `}`} {
		l.serve("root", "PUT", fmt.Sprintf("/hub/api/users/alice/servers/s%d", i), `{"user_options": `+v+`}`)
	}
	// and a database that JupyterHub left behind
	l.serve("root", "PUT", "/hub/api/users/alice/servers/broken", `{}`)
	rows, err := l.store.SpawnersOfUsers(t.Context(), []int64{need(l.store.UserByName(t.Context(), "alice")).ID})
	noErr(t, err)
	for _, list := range rows {
		for i := range list {
			if list[i].Name == "broken" {
				list[i].UserOptions = orm.JSONDict{orm.OpaqueKey: `{"__jupyterhub_bytes__"`}
				noErr(t, l.store.UpdateSpawner(t.Context(), &list[i], "user_options"))
			}
		}
	}
	got := l.serve("root", "GET", "/hub/api/users?include_stopped_servers=1", "")
	if got.Code != 200 || strings.Contains(got.Body.String(), orm.OpaqueKey) || !strings.Contains(got.Body.String(), `"broken"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// GHSA-x7xh-7hc7-9436: a rename is checked like a creation.
func TestGHSAx7xhRename(t *testing.T) {
	l := newLab(t)
	if got := l.serve("root", "PATCH", "/hub/api/users/alice", `{"name": "BOB"}`); got.Code != 400 {
		t.Errorf("rename to an existing name in other case: %d %s", got.Code, got.Body)
	}
	if got := l.serve("root", "PATCH", "/hub/api/users/alice", `{"name": "Zoe"}`); got.Code != 200 || !strings.Contains(got.Body.String(), `"name":"zoe"`) {
		t.Errorf("rename to mixed case: %d %s", got.Code, got.Body)
	}
}

// GHSA-mj6q-mp44-53v8: a share does not go over to the next user of the owner's old name.
func TestGHSAmj6qRenamedOwner(t *testing.T) {
	l := newLab(t)
	for _, c := range []call{
		{method: "PUT", path: "/users/bob/servers/one", body: "{}"}, {method: "POST", path: "/shares/bob/one", body: `{"user": "alice"}`},
		{method: "PATCH", path: "/users/bob", body: `{"name": "robert"}`}, {method: "POST", path: "/users/bob"}, {method: "PUT", path: "/users/bob/servers/one", body: "{}"},
	} {
		if got := l.serve("root", c.method, "/hub/api"+c.path, c.body); got.Code >= 300 {
			t.Fatalf("%s %s: %d %s", c.method, c.path, got.Code, got.Body)
		}
	}
	if got := l.serve("alice", "GET", "/hub/api/user", ""); strings.Contains(got.Body.String(), "server=bob/") {
		t.Errorf("alice still has a scope on the new bob: %s", got.Body)
	}
}

// Token length is checked before anything is hashed (PR 5553): exactly 64 characters work, more do not.
func TestTokenLength(t *testing.T) {
	l := newLab(t)
	for length, want := range map[int]int{64: 200, 65: 403, 100_000: 403} {
		token := strings.Repeat("t", length)
		if length == 64 {
			u := need(l.store.UserByName(t.Context(), "alice"))
			need(l.hub.Tokens.Register(t.Context(), orm.APIToken{UserID: &u.ID}, token, true, []string{"inherit"}))
		}
		if got := l.serve(token, "GET", "/hub/api/user", ""); got.Code != want {
			t.Errorf("%d characters: %d", length, got.Code)
		}
	}
}
