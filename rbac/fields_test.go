package rbac_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestKeysFor(t *testing.T) {
	for _, tc := range []struct {
		held   string
		model  string
		target rbac.Target
		want   string
	}{
		{"read:users", "user", onUser("bob"), "admin created groups kind last_activity name pending roles server user_info"},
		{"read:users!user=bob", "user", onUser("bob"), "admin created groups kind last_activity name pending roles server user_info"},
		{"read:users!user=bob", "user", onUser("alice"), ""},
		{"read:users!group=class-a", "user", onUser("alice"), "admin created groups kind last_activity name pending roles server user_info"},
		{"read:users:name", "user", onUser("bob"), "admin kind name user_info"},
		{"read:users:groups", "user", onUser("bob"), "groups kind name"},
		{"read:users:activity", "user", onUser("bob"), "kind last_activity name"},
		{"read:servers", "user", onUser("bob"), "kind name servers"},
		{"read:servers!server=bob/", "user", onUser("bob"), ""}, // one server is not the user
		{"read:roles:users", "user", onUser("bob"), "admin kind name roles"},
		{"admin:auth_state", "user", onUser("bob"), "auth_state kind name"},
		{"list:users", "user", onUser("bob"), ""},
		{"admin:users", "user", onUser("bob"), ""}, // not expanded: only the sub-scopes open keys

		{
			"read:servers", "server", onServer("bob", "x"),
			"display_name full_name full_progress_url full_url last_activity name pending progress_url ready started stopped url user_options",
		},
		{"admin:server_state", "server", onServer("bob", "x"), "state"},
		{"admin:server_state!server=bob/x", "server", onServer("bob", "x"), "state"},
		{"admin:server_state!server=bob/x", "server", onServer("bob", ""), ""},
		{"admin:server_state!user=bob", "server", onServer("bob", ""), "state"},

		{"read:groups", "group", onGroup("g"), "kind name properties users"},
		{"read:groups:name!group=g", "group", onGroup("g"), "kind name"},
		{"read:groups:name!group=g", "group", onGroup("h"), ""},
		{"read:roles:groups", "group", onGroup("g"), "kind name roles"},
		{"read:services", "service", onService("s"), "admin command display info kind name pid prefix url"},
		{"read:services:name!service=s", "service", onService("s"), "admin kind name"},
		{"read:roles:services", "service", onService("s"), "admin kind name roles"},
		{"read:services!service=t", "service", onService("s"), ""},

		{"read:users", "planet", onUser("bob"), ""},
		{"read:users:name!user=bob", "user", rbac.Target{}, ""},
	} {
		keys := rbac.KeysFor(mustParse(t, tc.held), tc.model, tc.target)
		if got := strings.Join(slices.Sorted(maps.Keys(keys)), " "); got != tc.want {
			t.Errorf("%s with %s on %+v:\n got %s\nwant %s", tc.model, tc.held, tc.target, got, tc.want)
		}
		if tc.want == "" && keys != nil {
			t.Errorf("%s with %s: got an empty map, not nil", tc.model, tc.held)
		}
	}
}

func TestKeysForAddsUp(t *testing.T) {
	s := mustParse(t, "read:users:name", "read:servers!user=bob", "admin:auth_state!user=alice")
	for user, want := range map[string]string{
		"bob":   "admin kind name servers user_info",
		"alice": "admin auth_state kind name user_info",
		"carol": "admin kind name user_info",
	} {
		keys := rbac.KeysFor(s, rbac.ModelUser, onUser(user))
		if got := strings.Join(slices.Sorted(maps.Keys(keys)), " "); got != want {
			t.Errorf("%s: got %s, want %s", user, got, want)
		}
		keys["auth_state"] = struct{}{} // the map is the caller's
	}
	if _, ok := rbac.KeysFor(s, rbac.ModelUser, onUser("carol"))["auth_state"]; ok {
		t.Error("a caller's change opened a key for everybody")
	}
}

func TestAUserNeverReadsTheOwnAuthState(t *testing.T) {
	c := builtinCatalog(t)
	expanded, _ := c.Expand([]string{"self"}, alice)
	s := mustParse(t, expanded...)
	if _, ok := rbac.KeysFor(s, rbac.ModelUser, onUser("alice"))["auth_state"]; ok {
		t.Error("auth_state")
	}
	if _, ok := rbac.KeysFor(s, rbac.ModelServer, onServer("alice", ""))["state"]; ok {
		t.Error("state")
	}
}
