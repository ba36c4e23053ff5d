package rbac_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestExplain(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range []struct {
		name   string
		held   []string
		target rbac.Target
		anyOf  []string
		owner  rbac.Owner
		want   string
	}{
		{
			"unfiltered", []string{"read:users:name"}, rbac.Target{}, []string{"read:users"}, alice,
			"needs one of: read:users; held: read:users:name; " +
				"add to load_roles: {'name': 'allow-read-users', 'scopes': ['read:users'], 'users': ['alice']}",
		},
		{
			"a service of a forum question",
			[]string{"access:servers!server=alice/", "users:activity!user=alice"}, onService("grading-service"),
			[]string{"access:services"}, alice,
			"needs one of: access:services!service=grading-service; held: access:servers!server=alice/, users:activity!user=alice; add to load_roles: " +
				"{'name': 'allow-access-services', 'scopes': ['access:services!service=grading-service'], 'users': ['alice']}",
		},
		{
			"another user", []string{"read:users!user=alice", "tokens!user=alice"}, onUser("bob"),
			[]string{"read:users", "read:users:name"}, alice,
			"needs one of: read:users!user=bob, read:users:name!user=bob; held: read:users!user=alice, tokens!user=alice; add to load_roles: " +
				"{'name': 'allow-read-users', 'scopes': ['read:users!user=bob'], 'users': ['alice']}",
		},
		{
			"a server", []string{"read:servers!user=alice"}, onServer("bob", "gpu"), []string{"start:servers"},
			rbac.Owner{Service: "cull"},
			"needs one of: start:servers!server=bob/gpu; held: read:servers!user=alice; add to load_roles: " +
				"{'name': 'allow-start-servers', 'scopes': ['start:servers!server=bob/gpu'], 'services': ['cull']}",
		},
		{
			"all servers of an owner", nil, onServersOf("bob"), []string{"read:shares"}, rbac.Owner{},
			"needs one of: read:shares!user=bob; held: nothing; add to load_roles: " +
				"{'name': 'allow-read-shares', 'scopes': ['read:shares!user=bob']}",
		},
		{
			"a group", []string{"users:shares!user=alice"}, onGroup("class"), []string{"groups"}, alice,
			"needs one of: groups!group=class; held: users:shares!user=alice; add to load_roles: " +
				"{'name': 'allow-groups', 'scopes': ['groups!group=class'], 'users': ['alice']}",
		},
		{
			"quotes", nil, onGroup(`o'brien\`), []string{"custom:files:*"}, rbac.Owner{User: "it's\nme"},
			`needs one of: custom:files:*!group=o'brien\; held: nothing; add to load_roles: ` +
				`{'name': 'allow-custom-files', 'scopes': ['custom:files:*!group=o\'brien\\'], 'users': ['it\'s\x0ame']}`,
		},
		{"granted", []string{"users"}, onUser("bob"), []string{"users"}, alice, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := c.Explain(mustParse(t, tc.held...), tc.target, tc.anyOf, tc.owner); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestRefusalListsWhatIsRelatedFirst(t *testing.T) {
	c := recordedCatalog(t)
	held := mustParse(t, "read:users:name", "users:activity!user=a", "read:servers", "shutdown", "custom:files:read", "custom:other", "groups:shares!group=g")
	for need, want := range map[string][]string{
		"admin:users":        {"read:users:name", "users:activity!user=a"},
		"servers":            {"read:servers", "read:users:name"}, // servers would include the names of users
		"custom:files:write": {"custom:files:read"},
		"groups":             {"groups:shares!group=g"},
		"shutdown":           {"shutdown"},
		"proxy":              nil,
		"custom:unheard:of":  nil,
	} {
		r := c.Refusal(held, rbac.Target{}, []string{need})
		if len(r.Held) != len(held.List()) {
			t.Errorf("%s: held has %d scopes, want all %d: %v", need, len(r.Held), len(held.List()), r.Held)
		}
		diff(t, need, r.Held[:len(want)], append([]string{}, want...))
		diff(t, need, r.Needed, []string{need})
	}
}

func TestLongListsOfHeldScopesAreCut(t *testing.T) {
	r := rbac.Refusal{Needed: []string{"proxy"}, Held: strings.Split(strings.Repeat("x,", 15)+"x", ",")}
	if got := r.Hint(alice); !strings.Contains(got, "held: "+strings.Repeat("x, ", 11)+"x and 4 more; add") {
		t.Error(got)
	}
	if got := (rbac.Refusal{}).Hint(alice); got != "needs one of: ; held: nothing" {
		t.Errorf("got %q", got)
	}
}

// The entry that a hint proposes must work when it is copied into the configuration.
func TestHintsProposeRolesThatWork(t *testing.T) {
	c := recordedCatalog(t)
	entry := regexp.MustCompile(`\{'name': '([^']*)', 'scopes': \['([^']*)'\], 'users': \['alice'\]\}`)
	for _, need := range c.Names() {
		for _, target := range []rbac.Target{{}, onUser("bob"), onServer("bob", ""), onServersOf("bob"), onGroup("g"), onService("s")} {
			hint := c.Explain(nil, target, []string{need}, alice)
			m := entry.FindStringSubmatch(hint)
			if m == nil {
				t.Fatalf("%s: no entry in %q", need, hint)
			}
			roles, _, err := c.MergeRoles([]rbac.Role{{Name: m[1], Scopes: []string{m[2]}, Users: list("alice")}}, nil)
			if err != nil {
				t.Fatalf("%s: %v", hint, err)
			}
			if need == "self" || target.Kind == rbac.KindServer && strings.HasPrefix(need, "read:user") {
				continue // no endpoint needs these
			}
			expanded, _ := c.Expand(roles[len(roles)-1].Scopes, alice)
			if got := mustParse(t, expanded...).Check(target, need); got != granted {
				t.Errorf("%s does not help: %v", hint, got)
			}
		}
	}
}
