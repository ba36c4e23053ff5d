package rbac_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/rbac"
)

func list(values ...string) *[]string { return &values }

func TestDefaultRoles(t *testing.T) {
	c := builtinCatalog(t)
	want := map[string]string{
		"user":   "Standard user privileges",
		"admin":  "Elevated privileges (can do anything)",
		"server": "Post activity only",
		"token":  "Token with same permissions as its owner",
	}
	for _, r := range rbac.DefaultRoles(nil) {
		if want[r.Name] != r.Description {
			t.Errorf("%s: description %q is not what JupyterHub stores", r.Name, r.Description)
		}
		delete(want, r.Name)
		if err := errors.Join(c.Check(r.Scopes), rbac.CheckRoleName(r.Name)); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if useless := c.Useless(r.Scopes); len(useless) > 0 {
			t.Errorf("%s: %v", r.Name, useless)
		}
		if r.Users != nil || r.Services != nil || r.Groups != nil || r.Managed {
			t.Errorf("%s: default roles have no members", r.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	diff(t, "extra scopes", rbac.DefaultRoles([]string{"proxy"})[0].Scopes, []string{"self", "proxy"})
	rbac.DefaultRoles(nil)[1].Scopes[0] = "changed"
	if rbac.DefaultRoles(nil)[1].Scopes[0] == "changed" {
		t.Error("default roles are shared")
	}
}

func TestMergeRoles(t *testing.T) {
	c := builtinCatalog(t)
	names := func(roles []rbac.Role) (out []string) {
		for _, r := range roles {
			out = append(out, r.Name)
		}
		return out
	}
	t.Run("nothing configured", func(t *testing.T) {
		roles, warnings, err := c.MergeRoles(nil, []string{"proxy"})
		if err != nil || len(warnings) > 0 {
			t.Fatal(warnings, err)
		}
		if d := cmp.Diff(rbac.DefaultRoles([]string{"proxy"}), roles); d != "" {
			t.Error(d)
		}
	})
	t.Run("order", func(t *testing.T) {
		roles, warnings, err := c.MergeRoles([]rbac.Role{
			{Name: "teacher", Scopes: []string{"servers!group=class"}},
			{Name: "server", Scopes: []string{"self"}},
			{Name: "cull", Scopes: []string{"delete:servers"}, Services: list("idle-culler"), Managed: true},
		}, nil)
		if err != nil || len(warnings) > 0 {
			t.Fatal(warnings, err)
		}
		diff(t, "names", names(roles), []string{"user", "admin", "token", "teacher", "server", "cull"})
		if got := roles[4]; got.Description != "Post activity only" || got.Scopes[0] != "self" || len(got.Scopes) != 1 {
			t.Errorf("server: %+v", got)
		}
		if got := roles[5]; !got.Managed || (*got.Services)[0] != "idle-culler" || got.Users != nil {
			t.Errorf("cull: %+v", got)
		}
	})
	t.Run("key by key", func(t *testing.T) {
		roles, warnings, err := c.MergeRoles([]rbac.Role{
			{Name: "user", Description: "everybody"},
			{Name: "admin", Users: list("root"), Scopes: nil},
			{Name: "token", Scopes: []string{}},
		}, []string{"proxy"})
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]rbac.Role{}
		for _, r := range roles {
			byName[r.Name] = r
		}
		if r := byName["user"]; r.Description != "everybody" || len(r.Scopes) != 2 {
			t.Errorf("user: %+v, extra_user_scopes still apply", r)
		}
		if r := byName["admin"]; len(r.Scopes) != 16 || (*r.Users)[0] != "root" {
			t.Errorf("admin: %+v", r)
		}
		if r := byName["token"]; len(r.Scopes) != 0 {
			t.Errorf("token: an empty list is a value: %+v", r)
		}
		diff(t, "warnings", warnings, []string{`load_roles["token"] has no scopes, so it grants nothing`})
	})
	t.Run("admin repeated as it is", func(t *testing.T) {
		same := rbac.DefaultRoles(nil)[1]
		same.Scopes[0], same.Scopes[1] = same.Scopes[1], same.Scopes[0]
		if _, _, err := c.MergeRoles([]rbac.Role{same}, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("inputs stay apart", func(t *testing.T) {
		in := []rbac.Role{{Name: "teacher", Scopes: []string{"proxy"}, Users: list("ann")}}
		roles, _, err := c.MergeRoles(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := roles[len(roles)-1]
		got.Scopes[0], (*got.Users)[0] = "changed", "changed"
		if in[0].Scopes[0] != "proxy" || (*in[0].Users)[0] != "ann" {
			t.Error("result and input share lists")
		}
	})
}

func TestMergeRolesWarns(t *testing.T) {
	c := builtinCatalog(t)
	for _, tc := range []struct {
		role  rbac.Role
		extra []string
		want  []string // in this order
	}{
		{rbac.Role{Name: "user", Scopes: []string{"self"}}, nil, nil},
		{rbac.Role{Name: "user", Scopes: []string{"self"}}, []string{"proxy"}, []string{"extra_user_scopes [proxy] are ignored"}},
		{rbac.Role{Name: "user", Scopes: []string{"proxy"}}, nil, []string{"without self"}},
		{rbac.Role{Name: "user", Scopes: []string{}}, nil, []string{"without self", "grants nothing"}},
		{rbac.Role{Name: "empty"}, nil, []string{`load_roles["empty"] has no scopes`}},
		{rbac.Role{Name: "odd", Scopes: []string{"shutdown!user", "users!group=g"}}, nil, []string{`load_roles["odd"].scopes: scope shutdown!user grants nothing`}},
	} {
		_, warnings, err := c.MergeRoles([]rbac.Role{tc.role}, tc.extra)
		if err != nil || len(warnings) != len(tc.want) {
			t.Errorf("%+v: warnings %q, error %v", tc.role, warnings, err)
			continue
		}
		for i, want := range tc.want {
			if !strings.Contains(warnings[i], want) {
				t.Errorf("%+v: %q lacks %q", tc.role, warnings[i], want)
			}
		}
	}
}

func TestMergeRolesReportsEveryProblem(t *testing.T) {
	roles, _, err := builtinCatalog(t).MergeRoles([]rbac.Role{
		{Name: "ok-role", Scopes: []string{"proxy"}},
		{Name: "Bad Name", Scopes: []string{"proxy"}},
		{Name: "twice", Scopes: []string{"proxy"}},
		{Name: "twice", Scopes: []string{"proxy"}},
		{Name: "twice", Scopes: []string{"proxy"}},
		{Name: "typo", Scopes: []string{"read:user", "all", "users!user="}},
		{Name: "admin", Description: "mine", Scopes: []string{"proxy"}},
	}, []string{"acces:services"})
	if err == nil || roles != nil {
		t.Fatalf("got %v, %v", roles, err)
	}
	text := err.Error()
	for _, want := range []string{
		`invalid role name "Bad Name": use 3 to 255`,
		`load_roles["twice"]: defined 3 times: merge`,
		`load_roles["typo"].scopes: unknown scope "read:user": did you mean "read:users"?`,
		`load_roles["typo"].scopes: unknown scope "all": everything its owner may do is called "inherit"`,
		`load_roles["typo"].scopes: bad filter in scope "users!user=": the value`,
		`load_roles["admin"]: description of the admin role cannot be changed: remove`,
		`load_roles["admin"]: scopes of the admin role cannot be changed: remove`,
		`extra_user_scopes: unknown scope "acces:services": did you mean "access:services"?`,
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%s: %d times in\n%s", want, strings.Count(text, want), text)
		}
	}
	if strings.Contains(text, "ok-role") {
		t.Errorf("blames a good role:\n%s", text)
	}
	var name *rbac.RoleNameError
	var unknown *rbac.UnknownScopeError
	if !errors.As(err, &name) || name.Name != "Bad Name" || !errors.As(err, &unknown) {
		t.Errorf("typed errors are lost: %v", err)
	}
}

func TestCheckNoMembers(t *testing.T) {
	for _, tc := range []struct {
		role rbac.Role
		want []string
	}{
		{rbac.Role{Name: "none"}, nil},
		{rbac.Role{Name: "empty", Users: list(), Groups: list()}, nil},
		{rbac.Role{Name: "services", Services: list("s")}, nil},
		{rbac.Role{Name: "managed", Users: list("a"), Managed: true}, nil},
		{rbac.Role{Name: "by-user", Users: list("a")}, []string{"users"}},
		{rbac.Role{Name: "both", Users: list("a"), Groups: list("g")}, []string{"groups", "users"}},
	} {
		err := rbac.CheckNoMembers([]rbac.Role{tc.role})
		var want []string
		for _, key := range tc.want {
			want = append(want, fmt.Sprintf("load_roles[%q]: %s cannot be given when the authenticator manages roles: "+
				"remove the key, or unset Authenticator.manage_roles", tc.role.Name, key))
		}
		if got := fmt.Sprint(err); err == nil && want != nil || err != nil && got != strings.Join(want, "\n") {
			t.Errorf("%s: %v", tc.role.Name, err)
		}
	}
}

func TestGained(t *testing.T) {
	r := rbac.Role{Scopes: []string{"proxy", "users", "shutdown"}}
	diff(t, "grown", r.Gained([]string{"users", "tokens"}), []string{"proxy", "shutdown"})
	diff(t, "same", r.Gained([]string{"shutdown", "users", "proxy"}), nil)
	diff(t, "new", r.Gained(nil), r.Scopes)
}
