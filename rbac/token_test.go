package rbac_test

import (
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestTokenScopes(t *testing.T) {
	c := builtinCatalog(t)
	identity := []string{"read:users:groups!user=alice", "read:users:name!user=alice"}
	for _, tc := range []struct {
		name      string
		role, raw []string
		owner     rbac.Owner
		want      []string
		discarded []string
	}{
		{
			name: "an empty token still knows its owner",
			role: []string{"self"}, owner: alice, want: identity,
		},
		{
			name: "unless the owner does not",
			role: []string{"proxy"}, owner: alice, want: nil, discarded: identity,
		},
		{
			name: "limited to the owner",
			role: []string{"self"}, raw: []string{"delete:servers", "shutdown"}, owner: alice,
			want:      append([]string{"delete:servers!user=alice"}, identity...),
			discarded: []string{"delete:servers", "shutdown"},
		},
		{
			name: "limited to the token",
			role: []string{"users", "proxy"}, raw: []string{"proxy"}, owner: alice,
			want: append([]string{"proxy"}, identity...), // users includes the groups of users, so the identity is whole
		},
		{
			name: "inherit",
			role: []string{"proxy"}, raw: []string{"inherit", "shutdown"}, owner: alice, want: []string{"proxy"},
		},
		{
			name: "access to what the client belongs to",
			role: []string{"self"}, owner: rbac.Owner{User: "alice", ClientServer: "alice/gpu"},
			want: append([]string{"access:servers!server=alice/gpu"}, identity...),
		},
		{
			name: "but not to a service that the owner may not use",
			role: []string{"self"}, owner: rbac.Owner{User: "alice", ClientService: "forum"},
			want: identity, discarded: []string{"access:services!service=forum"},
		},
		{
			name: "useless scopes are reported as written",
			role: []string{"self"}, raw: []string{"custom:gone", "servers!server"}, owner: alice,
			want: identity, discarded: []string{"custom:gone", "servers!server"},
		},
		{
			name: "a service",
			role: []string{"read:services", "proxy"}, raw: []string{"proxy"}, owner: rbac.Owner{Service: "cull"},
			want: []string{"proxy", "read:services:name!service=cull"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expanded, _ := c.Expand(tc.role, rbac.Owner{User: tc.owner.User, Service: tc.owner.Service})
			held := mustParse(t, expanded...)
			got, discarded := c.TokenScopes(tc.raw, tc.owner, held, nil)
			diff(t, "effective", got.List(), tc.want)
			diff(t, "discarded", discarded, tc.discarded)
		})
	}
}

func TestResolveRequested(t *testing.T) {
	c := builtinCatalog(t)
	o := rbac.Owner{User: "alice", ClientServer: "alice/gpu"}
	for _, tc := range []struct {
		name                string
		requested, have     []string
		allowed, disallowed []string
	}{
		{name: "nothing"},
		{name: "same text", requested: []string{"servers!user"}, have: []string{"servers!user"}, allowed: []string{"servers!user"}},
		{
			name: "covered keeps its short form", requested: []string{"servers!server"}, have: []string{"servers!user"},
			allowed: []string{"servers!server"},
		},
		{name: "covered by self", requested: []string{"read:users!user"}, have: []string{"self"}, allowed: []string{"read:users!user"}},
		{
			name: "partly covered", requested: []string{"delete:servers"}, have: []string{"self"},
			allowed: []string{"delete:servers!user=alice"}, disallowed: []string{"delete:servers"},
		},
		{name: "not covered", requested: []string{"shutdown"}, have: []string{"self"}, disallowed: []string{"shutdown"}},
		{name: "inherit must be there by name", requested: []string{"inherit"}, have: []string{"self"}, disallowed: []string{"inherit"}},
		{name: "inherit", requested: []string{"inherit"}, have: []string{"inherit"}, allowed: []string{"inherit"}},
		{name: "inherit gives no others", requested: []string{"proxy"}, have: []string{"inherit"}, disallowed: []string{"proxy"}},
		{
			name: "nonsense", requested: []string{"nope", "users!", "users!user="}, have: []string{"nope", "users", "users!"},
			disallowed: []string{"nope", "users!", "users!user="},
		},
		{
			name: "member of the held group", requested: []string{"tokens!user"}, have: []string{"tokens!group=staff"},
			allowed: []string{"tokens!user"},
		},
		{
			name: "what is granted already is not spelled out again", requested: []string{"delete:servers!user", "servers!user"},
			have:    []string{"delete:servers", "start:servers"},
			allowed: []string{"delete:servers!user", "start:servers!user=alice"}, disallowed: []string{"servers!user"},
		},
		{
			name: "repeated", requested: []string{"proxy", "shutdown", "proxy", "shutdown"}, have: []string{"proxy"},
			allowed: []string{"proxy"}, disallowed: []string{"shutdown"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			allowed, disallowed := c.ResolveRequested(tc.requested, tc.have, o, recordedGroups)
			diff(t, "allowed", allowed, tc.allowed)
			diff(t, "disallowed", disallowed, tc.disallowed)
		})
	}
}
