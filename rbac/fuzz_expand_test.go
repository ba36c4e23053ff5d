package rbac_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

// FuzzExpand holds for any two lists of raw scopes: more scopes never take anything away, and a filter never gives more than the scope
// without it.
func FuzzExpand(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, seeds[(i+3)%len(seeds)])
	}
	f.Add("servers!server=alice/", "read:servers!user=alice")
	f.Add("admin:users!group=class-a", "self")
	c := recordedCatalog(f)
	owner := rbac.Owner{User: "alice", ClientServer: "alice/gpu"}
	f.Fuzz(func(t *testing.T, textA, textB string) {
		a, b := strings.Fields(textA), strings.Fields(textB)
		some, _ := c.Expand(a, owner)
		all, _ := c.Expand(append(slices.Clone(a), b...), owner)
		held := mustParse(t, all...)
		if missing := held.Contains(mustParse(t, some...), nil); missing != nil {
			t.Fatalf("%q with %q on top loses %q", a, b, missing)
		}
		for _, scope := range a {
			name, _, filtered := strings.Cut(scope, "!")
			if !filtered {
				continue
			}
			narrow, _ := c.Expand([]string{scope}, owner)
			wide, _ := c.Expand([]string{name}, owner)
			if beyond := mustParse(t, wide...).Contains(mustParse(t, narrow...), nil); beyond != nil {
				t.Fatalf("%q gives %q, which %q does not", scope, beyond, name)
			}
		}
		// A token never gets beyond its owner, whatever it asks for.
		effective, _ := c.TokenScopes(b, owner, mustParse(t, some...), recordedGroups)
		if beyond := mustParse(t, some...).Contains(effective, recordedGroups); beyond != nil {
			t.Fatalf("a token with %q of an owner with %q gets %q", b, a, beyond)
		}
	})
}
