package rbac_test

import (
	"testing"

	"github.com/minihub/minihub/rbac"
)

var alice = rbac.Owner{User: "alice"}

func builtinCatalog(t testing.TB) *rbac.Catalog {
	t.Helper()
	c, err := rbac.NewCatalog(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func BenchmarkNewCatalog(b *testing.B) {
	for b.Loop() {
		if _, err := rbac.NewCatalog(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpand(b *testing.B) {
	c := builtinCatalog(b)
	roles := map[string][]string{}
	for _, r := range rbac.DefaultRoles(nil) {
		roles[r.Name] = r.Scopes
	}
	for name, raw := range map[string][]string{
		"user":       roles["user"],
		"admin":      roles["admin"],
		"user+admin": append(roles["admin"], "self"),
		"user+share": {"self", "access:servers!server=bob/", "read:users:name", "shares!user"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Expand(raw, alice)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	expanded, _ := builtinCatalog(b).Expand([]string{"self"}, alice)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rbac.Parse(expanded); err != nil {
			b.Fatal(err)
		}
	}
}

// checks are the checks that requests make.
func checks(t testing.TB) map[string]func() rbac.Outcome {
	own := func(raw ...string) rbac.Scopes {
		expanded, _ := builtinCatalog(t).Expand(raw, alice)
		return mustParse(t, expanded...)
	}
	self, admin, teacher := own("self"), own("admin:users", "servers"), own("servers!group=class")
	one := mustParse(t, "access:servers!server=alice/a-server-with-a-rather-long-name-indeed")
	groups := []string{"class"}
	groupsOf := func(string) []string { return groups }
	user := rbac.Target{Kind: "user", User: "alice", GroupsOf: groupsOf}
	server := rbac.Target{
		Kind: "server", User: "alice", Server: "a-server-with-a-rather-long-name-indeed", HasServer: true, GroupsOf: groupsOf,
	}
	other := rbac.Target{Kind: "user", User: "bob", GroupsOf: groupsOf}
	return map[string]func() rbac.Outcome{
		"own user":   func() rbac.Outcome { return self.Check(user, "read:users", "read:users:name") },
		"own server": func() rbac.Outcome { return self.Check(server, "servers") },
		"one server": func() rbac.Outcome { return one.Check(server, "access:servers") },
		"by group":   func() rbac.Outcome { return teacher.Check(server, "servers") },
		"unfiltered": func() rbac.Outcome { return admin.Check(rbac.Target{}, "admin:users") },
		"other user": func() rbac.Outcome { return self.Check(other, "read:users", "read:users:name", "read:servers") },
		"not held":   func() rbac.Outcome { return self.Check(rbac.Target{}, "shutdown") },
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, check := range checks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check()
			}
		})
	}
}

func TestCheckDoesNotAllocate(t *testing.T) {
	for name, check := range checks(t) {
		if n := testing.AllocsPerRun(100, func() { check() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkTokenScopes(b *testing.B) {
	c := builtinCatalog(b)
	expanded, _ := c.Expand([]string{"self"}, alice)
	held := mustParse(b, expanded...)
	o := rbac.Owner{User: "alice", ClientServer: "alice/"}
	b.ReportAllocs()
	for b.Loop() {
		c.TokenScopes([]string{"access:servers!server=alice/", "users:activity!user"}, o, held, nil)
	}
}

func BenchmarkKeysFor(b *testing.B) {
	expanded, _ := builtinCatalog(b).Expand([]string{"self"}, alice)
	s := mustParse(b, expanded...)
	b.ReportAllocs()
	for b.Loop() {
		rbac.KeysFor(s, rbac.ModelUser, rbac.Target{Kind: "user", User: "alice"})
	}
}
