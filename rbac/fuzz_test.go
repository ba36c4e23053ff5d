package rbac_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/rbac"
)

// seeds are lists of scopes, separated by spaces, from roles and from people with bad intentions.
var seeds = []string{
	"", "self", "users", "users!user", "users!user=alice users", "servers!server=alice/ servers!user=alice",
	"users!", "users!user=", "users!group", "users!=", "users!!", "!user=alice", "users!user=a!user=b", "users!role=x",
	"users!user=a=b", "read:servers!server=bob/gpu read:users!server=bob/gpu", "servers!server=noslash", "users!server=/",
	"groups!group=class-a groups:shares groups", "inherit (no_scope) all", "custom:files:*!service=x", "users!user=\x00",
	"users!user=\xff", "users!userx=1 users!service=svc", "read:users read:users!user=alice", "tokens!user=alice!",
}

// FuzzParse holds for any text: what is accepted has no empty value and comes back the same; whatever is refused by
// Parse or Check grants nothing when expanded.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	c := recordedCatalog(f)
	f.Fuzz(func(t *testing.T, text string) {
		list := strings.Split(text, " ")
		expanded, dropped := c.Expand(list, rbac.Owner{User: "alice", ClientServer: "alice/gpu"})
		again, _ := c.Expand(expanded, rbac.Owner{})
		diff(t, "expand twice", again, expanded)
		if c.Check(list) != nil && len(dropped) == 0 {
			t.Fatalf("%q is not valid, but all of it is used", list)
		}
		parsed, err := rbac.Parse(expanded)
		if err != nil {
			t.Fatalf("an expansion does not parse: %v", err)
		}
		diff(t, "an expansion is sorted and reduced", expanded, parsed.List())
		for _, d := range dropped {
			if !slices.Contains(list, d.Scope) || d.Reason == "" {
				t.Fatalf("dropped %+v of %q", d, list)
			}
		}

		s, err := rbac.Parse(list)
		if err != nil {
			if s != nil {
				t.Fatalf("an error, and yet %v", s)
			}
			return
		}
		for _, scope := range list {
			_, filter, filtered := strings.Cut(scope, "!")
			if _, value, _ := strings.Cut(filter, "="); filtered && value == "" {
				t.Fatalf("the empty filter of %q was accepted", scope)
			}
		}
		for name, filter := range s {
			for _, set := range []map[string]struct{}{filter.Users, filter.Groups, filter.Servers, filter.Services} {
				if _, ok := set[""]; ok || filter.All && len(set) > 0 {
					t.Fatalf("%s has the filter %+v", name, filter)
				}
			}
		}
		unparsed := s.List()
		back, err := rbac.Parse(unparsed)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, back); d != "" {
			t.Fatal(d)
		}
	})
}

// FuzzIntersect holds for any two lists of expanded scopes: the result is in both, and complete for what is in both
// by text.
func FuzzIntersect(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, seeds[(i+5)%len(seeds)])
	}
	f.Add("servers!user=alice", "servers!server=alice/gpu servers!group=class-a")
	f.Fuzz(func(t *testing.T, textA, textB string) {
		a, errA := rbac.Parse(strings.Split(textA, " "))
		b, errB := rbac.Parse(strings.Split(textB, " "))
		if errA != nil || errB != nil {
			return // not two lists of scopes
		}
		for _, groupsOf := range []func(string) []string{nil, recordedGroups} {
			both := a.Intersect(b, groupsOf)
			if beyond := a.Contains(both, groupsOf); beyond != nil {
				t.Fatalf("beyond a: %q", beyond)
			}
			if beyond := b.Contains(both, groupsOf); beyond != nil {
				t.Fatalf("beyond b: %q", beyond)
			}
			if missing := both.Contains(commonText(t, a, b), groupsOf); missing != nil {
				t.Fatalf("in both, but lost: %q", missing)
			}
			if d := cmp.Diff(both, b.Intersect(a, groupsOf)); d != "" {
				t.Fatalf("not commutative:\n%s", d)
			}
		}
	})
}

// commonText returns the scopes that both lists have literally.
func commonText(t *testing.T, a, b rbac.Scopes) rbac.Scopes {
	other := b.List()
	return mustParse(t, slices.DeleteFunc(a.List(), func(s string) bool { return !slices.Contains(other, s) })...)
}
