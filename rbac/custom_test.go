package rbac_test

import (
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestCustomScopesExpand(t *testing.T) {
	c := recordedCatalog(t)
	for raw, want := range map[string][]string{
		"custom:files:read": {"custom:files:read"},
		"custom:files:write!server": {
			"custom:files:read!server=alice/", "custom:files:write!server=alice/",
		},
		"custom:files:*": {"custom:files:*", "custom:files:read", "custom:files:write", "custom:other"},
	} {
		got, dropped := c.Expand([]string{raw}, rbac.Owner{User: "alice", ClientServer: "alice/"})
		diff(t, raw, got, want)
		if len(dropped) > 0 {
			t.Errorf("%s: dropped %v", raw, dropped)
		}
	}
}

func TestFaultyCustomScopesAreAllNamed(t *testing.T) {
	_, err := rbac.NewCatalog(map[string]rbac.CustomScope{
		"custom:fine":      {Description: "fine", SubScopes: []string{"custom:fine:read"}},
		"custom:fine:read": {Description: "fine"},
		"read:users":       {Description: "taken"},
		"custom:UPPER":     {Description: "shouts"},
		"files:read":       {Description: "no prefix"},
		"custom:silent":    {},
		"custom:thief":     {Description: "d", SubScopes: []string{"admin:users"}},
		"custom:dangling":  {Description: "d", SubScopes: []string{"custom:nowhere"}},
		"custom:loop:a":    {Description: "d", SubScopes: []string{"custom:loop:b"}},
		"custom:loop:b":    {Description: "d", SubScopes: []string{"custom:fine", "custom:loop:c"}},
		"custom:loop:c":    {Description: "d", SubScopes: []string{"custom:loop:a"}},
		"custom:loop:self": {Description: "d", SubScopes: []string{"custom:loop:self"}},
		"custom:into-loop": {Description: "d", SubScopes: []string{"custom:loop:a"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`custom_scopes["read:users"]: cannot redefine a built-in scope: choose`,
		`custom_scopes["custom:UPPER"]: invalid name: write`,
		`custom_scopes["files:read"]: invalid name: write`,
		`custom_scopes["custom:silent"]: description is missing: say`,
		`custom_scopes["custom:thief"]: subscope "admin:users" is not a custom scope: put both`,
		`custom_scopes["custom:dangling"]: subscope "custom:nowhere" is not defined: add it`,
		`custom_scopes["custom:loop:a"]: contains itself (custom:loop:a > custom:loop:b > custom:loop:c > custom:loop:a)`,
		`custom_scopes["custom:loop:self"]: contains itself (custom:loop:self > custom:loop:self)`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %s in\n%v", want, err)
		}
	}
	for _, wrong := range []string{`["custom:fine"]`, `["custom:fine:read"]`, `["custom:into-loop"]`} {
		if strings.Contains(err.Error(), wrong) {
			t.Errorf("%s is fine, but blamed in\n%v", wrong, err)
		}
	}
}

func TestCustomScopesAreCopied(t *testing.T) {
	subs := []string{"custom:b-scope"}
	c, err := rbac.NewCatalog(map[string]rbac.CustomScope{
		"custom:a-scope": {Description: "a", SubScopes: subs},
		"custom:b-scope": {Description: "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	subs[0] = "shutdown"
	if d, _ := c.Lookup("custom:a-scope"); d.SubScopes[0] != "custom:b-scope" {
		t.Errorf("the catalog changed with its input: %v", d.SubScopes)
	}
}
