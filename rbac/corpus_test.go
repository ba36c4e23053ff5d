package rbac_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/minihub/minihub/rbac"
)

// The tests of this file compare with answers recorded from JupyterHub 6.1.1, see testdata/README.md.

// recordedGroups is the membership that the recording was made with.
func recordedGroups(user string) []string {
	return map[string][]string{
		"alice":   {"class-a", "staff"},
		"bob":     {"class-a"},
		"da!ve=x": {"class-b"},
	}[user]
}

// recordedCatalog has the custom scopes of the recording.
func recordedCatalog(t testing.TB) *rbac.Catalog {
	t.Helper()
	c, err := rbac.NewCatalog(map[string]rbac.CustomScope{
		"custom:files:read":  {Description: "r"},
		"custom:files:write": {Description: "w", SubScopes: []string{"custom:files:read"}},
		"custom:files:*":     {Description: "all", SubScopes: []string{"custom:files:write", "custom:other"}},
		"custom:other":       {Description: "o"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recorded[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("testdata/%s.json is empty", name)
	}
	return cases
}

func mustParse(t testing.TB, scopes ...string) rbac.Scopes {
	t.Helper()
	s, err := rbac.Parse(scopes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type recordedOwner struct {
	User          string `json:"user"`
	Service       string `json:"service"`
	ClientServer  string `json:"client_server"`
	ClientService string `json:"client_service"`
}

func (o recordedOwner) owner() rbac.Owner { return rbac.Owner(o) }

type recordedTarget struct {
	Kind      string `json:"kind"`
	User      string `json:"user"`
	Server    string `json:"server"`
	HasServer bool   `json:"has_server"`
	Group     string `json:"group"`
	Service   string `json:"service"`
}

func (r recordedTarget) target() rbac.Target {
	return rbac.Target{
		Kind: r.Kind, User: r.User, Server: r.Server, HasServer: r.HasServer, Group: r.Group, Service: r.Service,
		GroupsOf: recordedGroups,
	}
}

func diff(t *testing.T, question any, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%+v (-jupyterhub +rbac):\n%s", question, d)
	}
}

func TestRecordedExpansions(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range recorded[struct {
		Raw   []string      `json:"raw"`
		Owner recordedOwner `json:"owner"`
		Want  []string      `json:"want"`
	}](t, "expand") {
		got, _ := c.Expand(tc.Raw, tc.Owner.owner())
		diff(t, tc, got, tc.Want)
	}
}

func TestRecordedIntersections(t *testing.T) {
	for _, tc := range recorded[struct {
		A      []string `json:"a"`
		B      []string `json:"b"`
		Groups bool     `json:"groups"`
		Want   []string `json:"want"`
	}](t, "intersect") {
		var groupsOf func(string) []string
		if tc.Groups {
			groupsOf = recordedGroups
		}
		a, b := mustParse(t, tc.A...), mustParse(t, tc.B...)
		diff(t, tc, a.Intersect(b, groupsOf).List(), tc.Want)

		// What the intersection loses of a is exactly what b does not contain.
		var lost []string
		for _, scope := range a.List() {
			if !slices.Contains(tc.Want, scope) {
				lost = append(lost, scope)
			}
		}
		diff(t, tc, b.Contains(a, groupsOf), lost)
	}
}

func TestRecordedChecks(t *testing.T) {
	for _, tc := range recorded[struct {
		Held   []string       `json:"held"`
		Target recordedTarget `json:"target"`
		AnyOf  []string       `json:"any_of"`
		Want   string         `json:"want"`
	}](t, "check") {
		got := mustParse(t, tc.Held...).Check(tc.Target.target(), tc.AnyOf...)
		if got.String() != tc.Want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
}

func TestRecordedFields(t *testing.T) {
	for _, tc := range recorded[struct {
		Held   []string       `json:"held"`
		Model  string         `json:"model"`
		Target recordedTarget `json:"target"`
		Want   []string       `json:"want"`
	}](t, "fields") {
		var got []string
		for key := range rbac.KeysFor(mustParse(t, tc.Held...), tc.Model, tc.Target.target()) {
			got = append(got, key)
		}
		slices.Sort(got)
		diff(t, tc, got, tc.Want)
	}
}

func TestRecordedTokens(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range recorded[struct {
		Owner recordedOwner `json:"owner"`
		Role  []string      `json:"role"`
		Token []string      `json:"token"`
		Want  []string      `json:"want"`
	}](t, "token") {
		o := tc.Owner.owner()
		// Roles are expanded for the owner alone: the client's context belongs to the token.
		expanded, _ := c.Expand(tc.Role, rbac.Owner{User: o.User, Service: o.Service})
		held := mustParse(t, expanded...)
		got, _ := c.TokenScopes(tc.Token, o, held, recordedGroups)
		diff(t, tc, got.List(), tc.Want)
	}
}

func TestRecordedRequests(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range recorded[struct {
		Owner      recordedOwner `json:"owner"`
		Requested  []string      `json:"requested"`
		Have       []string      `json:"have"`
		Allowed    []string      `json:"allowed_expanded"`
		Disallowed []string      `json:"disallowed"`
	}](t, "request") {
		o := tc.Owner.owner()
		allowed, disallowed := c.ResolveRequested(tc.Requested, tc.Have, o, recordedGroups)
		// A partly covered scope may be granted in one of several spellings; what counts is what it expands to.
		expanded, _ := c.Expand(allowed, o)
		diff(t, tc, expanded, tc.Allowed)
		diff(t, tc, disallowed, tc.Disallowed)
	}
}

func TestRecordedValidity(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range recorded[struct {
		Scope string `json:"scope"`
		Want  bool   `json:"want"`
	}](t, "valid") {
		if got := c.Check([]string{tc.Scope}) == nil; got != tc.Want {
			t.Errorf("%q: valid here %v, in JupyterHub %v", tc.Scope, got, tc.Want)
		}
	}
}

// JupyterHub takes an empty filter as none ("users!" is "users") or accepts it and fails at each later request
// ("users!user="). Here both are refused where they are written.
func TestEmptyFiltersDiffer(t *testing.T) {
	c := recordedCatalog(t)
	for _, scope := range []string{"users!", "users!user=", "users!group=", "users!server=", "users!service="} {
		if err := c.Check([]string{scope}); err == nil {
			t.Errorf("%q is accepted", scope)
		}
		if got, dropped := c.Expand([]string{scope}, rbac.Owner{User: "alice"}); len(got) != 0 || len(dropped) != 1 {
			t.Errorf("%q expands to %v, dropped %v", scope, got, dropped)
		}
	}
}

func TestRecordedNames(t *testing.T) {
	type name struct {
		Name string `json:"name"`
		Want bool   `json:"want"`
	}
	for _, tc := range recorded[name](t, "custom_name") {
		_, err := rbac.NewCatalog(map[string]rbac.CustomScope{tc.Name: {Description: "d"}})
		if (err == nil) != tc.Want {
			t.Errorf("custom scope %q: got %v, JupyterHub accepts: %v", tc.Name, err, tc.Want)
		}
	}
	for _, tc := range recorded[name](t, "role_name") {
		if err := rbac.CheckRoleName(tc.Name); (err == nil) != tc.Want {
			t.Errorf("role %q: got %v, JupyterHub accepts: %v", tc.Name, err, tc.Want)
		}
	}
}

func TestRecordedDescriptions(t *testing.T) {
	c := recordedCatalog(t)
	for _, tc := range recorded[struct {
		Scope string `json:"scope"`
		User  string `json:"user"`
		Want  string `json:"want"`
	}](t, "describe") {
		if got := c.Describe([]string{tc.Scope}, tc.User); got[0].Filter != tc.Want {
			t.Errorf("%s for %q: got %q, want %q", tc.Scope, tc.User, got[0].Filter, tc.Want)
		}
	}
}
