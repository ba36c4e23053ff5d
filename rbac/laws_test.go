package rbac_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/minihub/minihub/rbac"
)

// The laws that hold for all scopes, whatever anybody configures. The rapid tests draw well-formed scopes, the fuzz
// targets any text.

var worldUsers = []string{"alice", "bob", "carol", "da!ve=x"}

// rawScope draws a valid raw scope; expandedScope one without bare filters.
func rawScope(c *rbac.Catalog) *rapid.Generator[string] {
	bare := rapid.SampledFrom([]string{"", "", "!user", "!server", "!service"})
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "bare") {
			return rapid.SampledFrom(c.Names()).Draw(t, "name") + bare.Draw(t, "filter")
		}
		return expandedScope(c).Draw(t, "scope")
	})
}

func expandedScope(c *rbac.Catalog) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		// Few names and values, so that sets meet; all names now and then.
		names := []string{"servers", "read:users", "groups", "access:servers"}
		if rapid.IntRange(0, 3).Draw(t, "any name") == 0 {
			names = c.Names()
		}
		name := rapid.SampledFrom(names).Draw(t, "name")
		user := rapid.SampledFrom(worldUsers).Draw(t, "user")
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return name
		case 1:
			return name + "!group=" + rapid.SampledFrom([]string{"class-a", "class-b", "staff"}).Draw(t, "group")
		case 2:
			return name + "!server=" + user + "/" + rapid.SampledFrom([]string{"", "gpu"}).Draw(t, "server")
		case 3:
			return name + "!service=" + rapid.SampledFrom([]string{"svc", "grader"}).Draw(t, "service")
		}
		return name + "!user=" + user
	})
}

func drawScopes(t *rapid.T, c *rbac.Catalog, label string) rbac.Scopes {
	s, err := rbac.Parse(rapid.SliceOfN(expandedScope(c), 0, 8).Draw(t, label))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func drawOwner(t *rapid.T) rbac.Owner {
	var o rbac.Owner
	switch rapid.IntRange(0, 2).Draw(t, "owner") {
	case 0:
		o.User = rapid.SampledFrom(worldUsers).Draw(t, "user")
	case 1:
		o.Service = "svc"
	}
	switch rapid.IntRange(0, 2).Draw(t, "client") {
	case 0:
		o.ClientServer = "bob/gpu"
	case 1:
		o.ClientService = "grader"
	}
	return o
}

// everything is each target that the drawn scopes can be about.
func everything() []rbac.Target {
	targets := []rbac.Target{{}, onGroup("class-a"), onGroup("class-b"), onGroup("staff"), onService("svc"), onService("grader")}
	for _, user := range worldUsers {
		targets = append(targets, onUser(user), onServer(user, ""), onServer(user, "gpu"), onServersOf(user))
	}
	return targets
}

// grants lists what scopes allow, target by target: the meaning of scopes, without regard to how they are written.
func grants(s rbac.Scopes, names []string) map[string]bool {
	out := map[string]bool{}
	for i, target := range everything() {
		for _, name := range names {
			if s.Check(target, name) == granted {
				out[name+" on "+string(rune('A'+i))] = true
			}
		}
	}
	return out
}

func within(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

func namesOf(sets ...rbac.Scopes) []string {
	var out []string
	for _, s := range sets {
		for name := range s {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestLawParseAndListAreInverse(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		s := drawScopes(t, c, "scopes")
		again, err := rbac.Parse(s.List())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, again); d != "" {
			t.Fatal(d)
		}
	})
}

func TestLawExpandIsIdempotent(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rawScope(c), 0, 8).Draw(t, "raw")
		once, _ := c.Expand(raw, drawOwner(t))
		// Everything is resolved the first time, so the owner of the second does not matter.
		again, dropped := c.Expand(once, rbac.Owner{})
		if d := cmp.Diff(once, again); d != "" || dropped != nil {
			t.Fatalf("dropped %v\n%s", dropped, d)
		}
		if !slices.IsSorted(once) || slices.ContainsFunc(once, func(s string) bool {
			return strings.HasSuffix(s, "!user") || strings.HasSuffix(s, "!server") || strings.HasSuffix(s, "!service")
		}) {
			t.Fatalf("not in expanded form: %v", once)
		}
	})
}

func TestLawExpandIsMonotone(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rawScope(c), 0, 5).Draw(t, "some")
		more := rapid.SliceOfN(rawScope(c), 0, 5).Draw(t, "more")
		o := drawOwner(t)
		a, _ := c.Expand(some, o)
		b, _ := c.Expand(append(slices.Clone(some), more...), o)
		if missing := mustParseRapid(t, b).Contains(mustParseRapid(t, a), nil); missing != nil {
			t.Fatalf("more raw scopes took away %v", missing)
		}
	})
}

func mustParseRapid(t *rapid.T, scopes []string) rbac.Scopes {
	s, err := rbac.Parse(scopes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLawFiltersNeverWiden(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		scope := rawScope(c).Filter(func(s string) bool { return !strings.HasPrefix(s, "self") }).Draw(t, "scope")
		name, _, _ := strings.Cut(scope, "!")
		o := drawOwner(t)
		filtered, _ := c.Expand([]string{scope}, o)
		whole, _ := c.Expand([]string{name}, o)
		f, w := mustParseRapid(t, filtered), mustParseRapid(t, whole)
		if missing := w.Contains(f, nil); missing != nil {
			t.Fatalf("%s gives %v beyond %s", scope, missing, name)
		}
		if names := namesOf(f, w); !within(grants(f, names), grants(w, names)) {
			t.Fatalf("%s grants more than %s", scope, name)
		}
	})
}

func TestLawIntersectNeverGrantsMore(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawScopes(t, c, "a"), drawScopes(t, c, "b")
		both := a.Intersect(b, recordedGroups)
		if beyond := append(a.Contains(both, recordedGroups), b.Contains(both, recordedGroups)...); len(beyond) > 0 {
			t.Fatalf("beyond an input: %v", beyond)
		}
		names := namesOf(a, b)
		inA, inB, inBoth := grants(a, names), grants(b, names), grants(both, names)
		if !within(inBoth, inA) || !within(inBoth, inB) {
			t.Fatalf("%v ∩ %v = %v grants more than an input", a.List(), b.List(), both.List())
		}
		if d := cmp.Diff(both, b.Intersect(a, recordedGroups)); d != "" {
			t.Fatalf("not commutative:\n%s", d)
		}
		if d := cmp.Diff(a.List(), a.Intersect(a, recordedGroups).List()); d != "" {
			t.Fatalf("not idempotent:\n%s", d)
		}
		if missing := both.Contains(a.Intersect(b, nil), recordedGroups); missing != nil {
			t.Fatalf("knowing groups took away %v", missing)
		}
	})
}

func TestLawUnionGrantsExactlyBoth(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawScopes(t, c, "a"), drawScopes(t, c, "b")
		before := [2][]string{a.List(), b.List()}
		sum := a.Union(b)
		names := namesOf(a, b)
		want := grants(a, names)
		for k := range grants(b, names) {
			want[k] = true
		}
		if d := cmp.Diff(want, grants(sum, names)); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(before, [2][]string{a.List(), b.List()}); d != "" {
			t.Fatalf("an input changed:\n%s", d)
		}
	})
}

func TestLawCheckAgreesWithContains(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		held, asked := drawScopes(t, c, "held"), expandedScope(c).Draw(t, "asked")
		name, filter, filtered := strings.Cut(asked, "!")
		kind, value, _ := strings.Cut(filter, "=")
		var target rbac.Target
		switch {
		case !filtered:
		case kind == "user":
			target = onUser(value)
		case kind == "group":
			target = onGroup(value)
		case kind == "service":
			target = onService(value)
		default:
			user, server, _ := strings.Cut(value, "/")
			target = onServer(user, server)
		}
		covered := held.Contains(mustParseRapid(t, []string{asked}), recordedGroups) == nil
		if got := held.Check(target, name); (got == granted) != covered {
			t.Fatalf("%v: check of %s is %v, contained: %v", held.List(), asked, got, covered)
		}
	})
}

func TestLawTokensNeverExceedTheirOwner(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		held, o := drawScopes(t, c, "held"), drawOwner(t)
		raw := rapid.SliceOfN(rawScope(c), 0, 6).Draw(t, "raw")
		got, discarded := c.TokenScopes(raw, o, held, recordedGroups)
		if beyond := held.Contains(got, recordedGroups); beyond != nil {
			t.Fatalf("beyond the owner: %v", beyond)
		}
		for _, scope := range discarded {
			if slices.Contains(got.List(), scope) {
				t.Fatalf("%s is both effective and discarded", scope)
			}
		}
	})
}

func TestLawResolvedRequestsNeverExceedWhatIsHeld(t *testing.T) {
	c := recordedCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawOwner(t)
		requested := rapid.SliceOfN(rawScope(c), 0, 5).Draw(t, "requested")
		have := rapid.SliceOfN(rawScope(c), 0, 5).Draw(t, "have")
		allowed, disallowed := c.ResolveRequested(requested, have, o, recordedGroups)
		a, _ := c.Expand(allowed, o)
		h, _ := c.Expand(have, o)
		r, _ := c.Expand(requested, o)
		if beyond := mustParseRapid(t, h).Contains(mustParseRapid(t, a), recordedGroups); beyond != nil {
			t.Fatalf("beyond what is held: %v", beyond)
		}
		if beyond := mustParseRapid(t, r).Contains(mustParseRapid(t, a), recordedGroups); beyond != nil {
			t.Fatalf("beyond what was requested: %v", beyond)
		}
		for _, scope := range requested {
			if slices.Contains(allowed, scope) == slices.Contains(disallowed, scope) {
				t.Fatalf("%s: allowed %v, disallowed %v", scope, allowed, disallowed)
			}
		}
	})
}
