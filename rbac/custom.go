package rbac

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CustomScope is one entry of JupyterHub.custom_scopes. The hub grants, filters and describes it; what it permits is
// decided by the services that ask for it.
type CustomScope struct {
	// Description is shown on the consent page; it is required.
	Description string
	// SubScopes are custom scopes of the same configuration that are granted together with this one.
	SubScopes []string
}

const customPrefix = "custom:"

// checkCustom returns every problem of a custom_scopes configuration, in the order of the names.
func checkCustom(custom map[string]CustomScope) error {
	var problems []error
	report := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("custom_scopes[%q]: "+format, append([]any{name}, args...)...))
	}
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		scope := custom[name]
		if builtin(name) {
			report(name, "cannot redefine a built-in scope: choose a name that starts with custom:")
			continue
		}
		if !validCustomName(name) {
			report(name, "invalid name: write custom: and then at least three of a-z 0-9 - _ : *, "+
				"beginning with a letter or digit and not ending with - or :")
		}
		if scope.Description == "" {
			report(name, "description is missing: say what the scope permits, users read it when they consent")
		}
		for _, sub := range scope.SubScopes {
			if _, ok := custom[sub]; ok {
				continue
			}
			if builtin(sub) {
				report(name, "subscope %q is not a custom scope: put both scopes into a role instead", sub)
			} else {
				report(name, "subscope %q is not defined: add it to custom_scopes", sub)
			}
		}
		if loop := findLoop(custom, name); loop != nil {
			report(name, "contains itself (%s): remove one of these subscopes", strings.Join(loop, " > "))
		}
	}
	return errors.Join(problems...)
}

// builtin reports whether JupyterHub defines the name.
func builtin(name string) bool {
	return slices.ContainsFunc(definitions, func(d Definition) bool { return d.Name == name })
}

// validCustomName reports whether a name matches ^custom:[a-z0-9][a-z0-9_\-\*:]+[a-z0-9_\*]$.
func validCustomName(name string) bool {
	rest, ok := strings.CutPrefix(name, customPrefix)
	if !ok || len(rest) < 3 {
		return false
	}
	last := len(rest) - 1
	for i := range len(rest) {
		switch c := rest[i]; {
		case lowerOrDigit(c):
		case i > 0 && (c == '_' || c == '*'):
		case i > 0 && i < last && (c == '-' || c == ':'):
		default:
			return false
		}
	}
	return true
}

func lowerOrDigit(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// findLoop returns the way from a scope back to itself, nil when there is none.
func findLoop(custom map[string]CustomScope, start string) []string {
	visited := map[string]bool{}
	var walk func(name string) []string
	walk = func(name string) []string {
		for _, sub := range custom[name].SubScopes {
			if sub == start {
				return []string{name, sub}
			}
			if visited[sub] {
				continue
			}
			visited[sub] = true
			if way := walk(sub); way != nil {
				return append([]string{name}, way...)
			}
		}
		return nil
	}
	return walk(start)
}
