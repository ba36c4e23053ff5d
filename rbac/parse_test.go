package rbac_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/rbac"
)

func set(values ...string) map[string]struct{} {
	out := make(map[string]struct{}, len(values))
	for _, v := range values {
		out[v] = struct{}{}
	}
	return out
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name     string
		expanded []string
		want     rbac.Scopes
	}{
		{"nothing", nil, rbac.Scopes{}},
		{"unfiltered", []string{"users"}, rbac.Scopes{"users": {All: true}}},
		{
			"alternatives",
			[]string{"servers!user=a", "servers!user=b", "servers!group=g", "servers!server=c/", "access:services!service=s"},
			rbac.Scopes{
				"servers":         {Users: set("a", "b"), Groups: set("g"), Servers: set("c/")},
				"access:services": {Services: set("s")},
			},
		},
		{"unfiltered first", []string{"users", "users!user=a"}, rbac.Scopes{"users": {All: true}}},
		{"unfiltered last", []string{"users!user=a", "users"}, rbac.Scopes{"users": {All: true}}},
		{"repeated", []string{"users!user=a", "users!user=a"}, rbac.Scopes{"users": {Users: set("a")}}},
		{
			"free text", []string{"users!user=a!b", "users!user=a=b", "users!user= "},
			rbac.Scopes{"users": {Users: set("a!b", "a=b", " ")}},
		},
		{
			"equal filters on several names, one of which grows later",
			[]string{"tokens!user=a", "users!user=a", "servers!user=a", "users!user=b", "proxy!user=b", "shares!user=a"},
			rbac.Scopes{
				"tokens": {Users: set("a")}, "users": {Users: set("a", "b")}, "servers": {Users: set("a")},
				"proxy": {Users: set("b")}, "shares": {Users: set("a")},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := rbac.Parse(tc.expanded)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, scope := range []string{
		"", "!user=a", "users!", "users!user", "users!server", "users!service", "users!group", "users!user=",
		"users!group=", "users!server=", "users!service=", "users!role=x", "users!=x", "users!User=x", "users! user=x",
	} {
		for _, list := range [][]string{{scope}, {"users", scope}, {scope, "users"}} {
			got, err := rbac.Parse(list)
			var bad *rbac.BadFilterError
			if !errors.As(err, &bad) || bad.Scope != scope || bad.Reason == "" || got != nil {
				t.Errorf("Parse(%q) = %v, %v", list, got, err)
			}
		}
	}
}

func TestListIsTheReverseOfParse(t *testing.T) {
	s := mustParse(t, "users", "servers!user=b", "servers!server=b/x", "servers!user=a", "users!user=a", "proxy")
	diff(t, s, s.List(), []string{"proxy", "servers!server=b/x", "servers!user=a", "servers!user=b", "users"})
	diff(t, "zero value", rbac.Scopes(nil).List(), nil)
	diff(t, "empty filter", rbac.Scopes{"users": {}}.List(), nil)
}

func TestHas(t *testing.T) {
	s := mustParse(t, "users", "servers!user=a")
	s["tokens"] = rbac.Filter{Users: set()}
	for scope, want := range map[string]bool{
		"users": true, "servers": true, "servers!user=a": false, "tokens": false, "read:users": false, "": false,
	} {
		if s.Has(scope) != want {
			t.Errorf("Has(%q) = %v", scope, !want)
		}
	}
	if rbac.Scopes(nil).Has("users") {
		t.Error("the zero value has a scope")
	}
}

func TestUnion(t *testing.T) {
	for _, tc := range []struct{ a, b, want []string }{
		{nil, nil, nil},
		{[]string{"users"}, nil, []string{"users"}},
		{[]string{"users!user=a"}, []string{"users!user=b", "proxy"}, []string{"proxy", "users!user=a", "users!user=b"}},
		{[]string{"users!user=a"}, []string{"users"}, []string{"users"}},
		{[]string{"users!user=a"}, []string{"users!group=g", "users!user=a"}, []string{"users!group=g", "users!user=a"}},
	} {
		a, b := mustParse(t, tc.a...), mustParse(t, tc.b...)
		diff(t, tc, a.Union(b).List(), tc.want)
		diff(t, tc, b.Union(a).List(), tc.want)
		diff(t, "first input of the union", a.List(), tc.a)
		diff(t, "second input of the union", b.List(), mustParse(t, tc.b...).List())
	}
	if got := (rbac.Scopes{"users": {}}).Union(rbac.Scopes{"users": {}, "proxy": {}}); len(got) != 0 {
		t.Errorf("filters that match nothing became %v", got)
	}
}

// A set of one value is shared between scopes; a union must not write into it.
func TestUnionDoesNotReachSharedSets(t *testing.T) {
	a := mustParse(t, "servers!user=a", "tokens!user=a", "users!user=a")
	b := a.Union(mustParse(t, "users!user=b"))
	diff(t, "union", b.List(), []string{"servers!user=a", "tokens!user=a", "users!user=a", "users!user=b"})
	diff(t, "input", a.List(), []string{"servers!user=a", "tokens!user=a", "users!user=a"})
}
