package rbac_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestExpand(t *testing.T) {
	onGPU := rbac.Owner{User: "alice", ClientServer: "alice/gpu"}
	forGrader := rbac.Owner{User: "alice", ClientService: "grader"}
	grader := rbac.Owner{Service: "grader"}
	nobody := rbac.Owner{}
	cases := []struct {
		name  string
		raw   []string
		owner rbac.Owner
		want  []string
	}{
		{"nothing", nil, alice, nil},
		{"a leaf", []string{"shutdown"}, nobody, []string{"shutdown"}},
		{"sub-scopes", []string{"list:users"}, nobody, []string{"list:users", "read:users:name"}},
		{
			"sub-scopes keep the filter",
			[]string{"list:users!group=class"},
			nobody,
			[]string{"list:users!group=class", "read:users:name!group=class"},
		},
		{"bare user", []string{"tokens!user"}, alice, []string{"read:tokens!user=alice", "tokens!user=alice"}},
		{"bare user of a service", []string{"tokens!user"}, grader, nil},
		{"bare service", []string{"access:services!service"}, grader, []string{"access:services!service=grader"}},
		{"bare service of a client", []string{"access:services!service"}, forGrader, []string{"access:services!service=grader"}},
		{
			"the client's service wins over the owner",
			[]string{"access:services!service"},
			rbac.Owner{Service: "other", ClientService: "grader"},
			[]string{"access:services!service=grader"},
		},
		{"bare service without any", []string{"access:services!service"}, onGPU, nil},
		{"bare server", []string{"access:servers!server"}, onGPU, []string{"access:servers!server=alice/gpu"}},
		{"bare server without client", []string{"access:servers!server"}, alice, nil},
		{
			"a server says nothing about users",
			[]string{"read:servers!server=bob/"},
			alice,
			[]string{"read:servers!server=bob/"},
		},
		{"a server filter on users", []string{"read:users!server=bob/"}, alice, nil},
		{"self of a service", []string{"self"}, grader, nil},
		{"self of a group's share", []string{"self"}, nobody, nil},
		{"inherit stays", []string{"inherit"}, alice, []string{"inherit"}},
		{
			"unfiltered swallows filtered",
			[]string{"read:users:name!user=bob", "read:users:name", "read:users:name!group=g"},
			alice,
			[]string{"read:users:name"},
		},
		{
			"a longer name is not swallowed",
			[]string{"groups", "groups:shares!group=g"},
			alice,
			[]string{"groups", "groups:shares!group=g", "list:groups", "read:groups", "read:groups:name", "read:groups:shares!group=g"},
		},
		{"unknown", []string{"all", "identify", "custom:gone", "shutdown"}, alice, []string{"shutdown"}},
		{"malformed", []string{"users!", "users!user=", "users!role=x", "!user", "", "proxy"}, alice, []string{"proxy"}},
		{"free text in the value", []string{"tokens!user=a!b=c d"}, nobody, []string{"read:tokens!user=a!b=c d", "tokens!user=a!b=c d"}},
	}
	c := builtinCatalog(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := c.Expand(tc.raw, tc.owner)
			diff(t, tc.raw, got, tc.want)
		})
	}
}

func TestExpandSelf(t *testing.T) {
	got, dropped := builtinCatalog(t).Expand([]string{"self"}, alice)
	diff(t, "self", got, []string{
		"access:servers!user=alice", "delete:servers!user=alice", "read:servers!user=alice", "read:shares!user=alice",
		"read:tokens!user=alice", "read:users!user=alice", "read:users:activity!user=alice",
		"read:users:groups!user=alice", "read:users:name!user=alice", "read:users:shares!user=alice",
		"servers!user=alice", "start:servers!user=alice", "tokens!user=alice", "users:activity!user=alice",
		"users:shares!user=alice",
	})
	if dropped != nil {
		t.Errorf("dropped %v", dropped)
	}
}

func TestAdminRoleDoesEverythingButTheMetascopes(t *testing.T) {
	c := builtinCatalog(t)
	admin := rbac.DefaultRoles(nil)[1]
	got, _ := c.Expand(admin.Scopes, rbac.Owner{User: "root"})
	for _, name := range c.Names() {
		want := name != "self" && name != "inherit" && name != "(no_scope)"
		if slices.Contains(got, name) != want {
			t.Errorf("%s: in the admin role: %v", name, !want)
		}
	}
}

func TestDroppedScopesSayWhy(t *testing.T) {
	c := builtinCatalog(t)
	for scope, reason := range map[string]string{
		"self":                   "only users have resources",
		"tokens!user":            "the owner has no user that !user could stand for",
		"servers!server":         "the owner has no server",
		"read:users!server=a/b":  "a server filter does not apply to read:users",
		"nope":                   "no such scope",
		"tokens!user=":           "is empty",
		"tokens!":                "is empty",
		"tokens!group":           "needs a name",
		"tokens!planet=earth":    "filters are",
		"access:servers!service": "the owner has no service",
	} {
		got, dropped := c.Expand([]string{scope}, rbac.Owner{})
		if len(got) != 0 || len(dropped) != 1 || dropped[0].Scope != scope || !strings.Contains(dropped[0].Reason, reason) {
			t.Errorf("%q: expanded to %v, dropped %v", scope, got, dropped)
		}
		if text := dropped[0].String(); !strings.HasPrefix(text, scope+": ") {
			t.Errorf("%q does not begin with the scope", text)
		}
	}
}

func TestExpandLeavesItsInputAlone(t *testing.T) {
	c := builtinCatalog(t)
	raw := []string{"users", "read:users!user", "admin:users"}
	before := slices.Clone(raw)
	first, _ := c.Expand(raw, alice)
	diff(t, "input", raw, before)
	first[0] = "shutdown"
	second, _ := c.Expand(raw, alice)
	if slices.Contains(second, "shutdown") {
		t.Error("two expansions share their result")
	}
}

func TestIdentifyAndAccessScopes(t *testing.T) {
	c := builtinCatalog(t)
	for _, tc := range []struct {
		owner            rbac.Owner
		identify, access []string
	}{
		{alice, []string{"read:users:groups!user=alice", "read:users:name!user=alice"}, nil},
		{rbac.Owner{Service: "grader"}, []string{"read:services:name!service=grader"}, nil},
		{rbac.Owner{}, nil, nil},
		{
			rbac.Owner{User: "alice", ClientServer: "bob/gpu"},
			[]string{"read:users:groups!user=alice", "read:users:name!user=alice"},
			[]string{"access:servers!server=bob/gpu"},
		},
		{
			rbac.Owner{Service: "grader", ClientService: "forum"},
			[]string{"read:services:name!service=grader"},
			[]string{"access:services!service=forum"},
		},
	} {
		diff(t, tc.owner, rbac.IdentifyScopes(tc.owner), tc.identify)
		diff(t, tc.owner, rbac.AccessScopes(tc.owner), tc.access)
	}
	expanded, _ := c.Expand(rbac.IdentifyRaw(), alice)
	diff(t, "the raw form means the same", expanded, rbac.IdentifyScopes(alice))
}

func TestResolveServerScopes(t *testing.T) {
	raw := []string{"access:servers!server", "users:activity!user", "servers!server=bob/", "inherit", "access:services!service"}
	diff(t, raw, rbac.ResolveServerScopes(raw, "alice", "gpu"), []string{
		"access:servers!server=alice/gpu", "users:activity!user", "servers!server=bob/", "inherit", "access:services!service",
	})
	diff(t, "default server", rbac.ResolveServerScopes(raw[:1], "alice", ""), []string{"access:servers!server=alice/"})
	if raw[0] != "access:servers!server" {
		t.Error("the input was changed")
	}
	diff(t, "nothing", rbac.ResolveServerScopes(nil, "alice", ""), nil)
}
