package rbac_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestCatalogKnowsItsScopes(t *testing.T) {
	c := recordedCatalog(t)
	for scope, want := range map[string]bool{
		"read:users":                true,
		"read:users!user=alice":     true,
		"read:users!nonsense":       true, // the name is known; Check looks at the filter
		"self":                      true,
		"inherit":                   true,
		"(no_scope)":                true,
		"custom:files:read":         true,
		"custom:files:read!user=me": true,
		"custom:files":              false,
		"all":                       false,
		"identify":                  false,
		"":                          false,
		"!user":                     false,
	} {
		if got := c.Known(scope); got != want {
			t.Errorf("Known(%q) = %v", scope, got)
		}
	}
	if rest := builtinCatalog(t); rest.Known("custom:files:read") {
		t.Error("a custom scope of one catalog is known to another")
	}
}

func TestNamesAreSortedAndComplete(t *testing.T) {
	names := recordedCatalog(t).Names()
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
	if len(names) != len(builtinCatalog(t).Names())+4 {
		t.Errorf("the four custom scopes are missing: %v", names)
	}
	names[0] = "changed by the caller"
	if recordedCatalog(t).Names()[0] == names[0] {
		t.Error("Names shares its list")
	}
}

func TestDefinitionsAreFitForPeopleAndDocs(t *testing.T) {
	c := builtinCatalog(t)
	for _, name := range c.Names() {
		d, ok := c.Lookup(name)
		if !ok || d.Name != name {
			t.Fatalf("Lookup(%q) = %+v, %v", name, d, ok)
		}
		if d.Description == "" || strings.HasSuffix(d.Description, ".") {
			t.Errorf("%s: description %q is not a phrase", name, d.Description)
		}
		if d.Filters == nil {
			t.Errorf("%s: nobody said which filters make sense", name)
		}
		for _, sub := range d.SubScopes {
			if !c.Known(sub) {
				t.Errorf("%s: unknown sub-scope %s", name, sub)
			}
		}
	}
	if _, ok := c.Lookup("read:users!user"); ok {
		t.Error("Lookup takes a filter")
	}
	d, _ := c.Lookup("users")
	d.SubScopes[0] = "shutdown"
	if again, _ := c.Lookup("users"); again.SubScopes[0] == "shutdown" {
		t.Error("Lookup shares its lists")
	}
}

func TestUnknownScopesNameTheNearest(t *testing.T) {
	c := recordedCatalog(t)
	for scope, nearest := range map[string]string{
		"read:user":              "read:users",
		"reed:users":             "read:users",
		"read:users:nam":         "read:users:name",
		"acces:servers":          "access:servers",
		"access:server!user":     "access:servers",
		"custom:files:reed":      "custom:files:read",
		"all":                    "inherit",
		"shutdwon":               "shutdown",
		"something-else":         "",
		"":                       "",
		"jupyterlab":             "",
		strings.Repeat("x", 1e6): "",
	} {
		err := c.Check([]string{"self", scope})
		var unknown *rbac.UnknownScopeError
		if !errors.As(err, &unknown) {
			t.Errorf("Check(%.40q) = %v", scope, err)
			continue
		}
		if unknown.Scope != scope || unknown.Nearest != nearest {
			t.Errorf("Check(%.40q): nearest is %q, want %q", scope, unknown.Nearest, nearest)
		}
	}
}

func TestScopeErrorsSayTheWayOut(t *testing.T) {
	c := builtinCatalog(t)
	for scope, want := range map[string]string{
		"all":               `everything its owner may do is called "inherit"`,
		"read:user":         `unknown scope "read:user": did you mean "read:users"?`,
		"frobnicate":        `define it in custom_scopes as custom:`,
		"users!":            "leave the ! out",
		"users!user=":       "the value after user= is empty",
		"users!group":       "needs a name, as in !group=name",
		"users!role=editor": "user=, group=, server=, service=",
	} {
		err := c.Check([]string{scope})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), scope) {
			t.Errorf("Check(%q) = %v, want %q in it", scope, err, want)
		}
	}
	var filter *rbac.BadFilterError
	if err := c.Check([]string{"users!role=x"}); !errors.As(err, &filter) || filter.Scope != "users!role=x" {
		t.Errorf("got %v", err)
	}
	if err := c.Check(nil); err != nil {
		t.Errorf("no scopes: %v", err)
	}
}

func TestUselessFilters(t *testing.T) {
	c := recordedCatalog(t)
	for scope, useless := range map[string]bool{
		"read:users!user=alice":           false,
		"read:users!user":                 false,
		"read:users!group=class":          false,
		"read:users!server=alice/":        true,
		"servers!server=alice/":           false,
		"servers!service=x":               true,
		"access:services!service":         false,
		"access:services!user":            true,
		"groups!group=class":              false,
		"groups!user=alice":               true,
		"shutdown":                        false,
		"shutdown!user":                   true,
		"self!user":                       true,
		"custom:files:read!service=files": false, // the service decides
		"unknown!user":                    false, // another error's business
		"users!bad":                       false,
	} {
		got := c.Useless([]string{scope})
		if (len(got) == 1) != useless {
			t.Errorf("Useless(%q) = %q", scope, got)
		}
		if useless && !strings.Contains(got[0], scope) {
			t.Errorf("%q does not name %q", got[0], scope)
		}
	}
}
