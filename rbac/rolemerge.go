package rbac

import (
	"cmp"
	"fmt"
	"slices"
)

// roleMerge collects what MergeRoles finds.
type roleMerge struct {
	catalog  *Catalog
	extra    []string
	seen     map[string]int // how often each name is configured
	problems []error
	warnings []string
}

func (m *roleMerge) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf(format, args...))
}

func (m *roleMerge) warn(format string, args ...any) {
	m.warnings = append(m.warnings, fmt.Sprintf(format, args...))
}

// checkName reports whether the role may go on: the name is valid, and given once. A repeated name is reported once.
func (m *roleMerge) checkName(name string) bool {
	if err := CheckRoleName(name); err != nil {
		m.problem("load_roles: %w", err)
		return false
	}
	if n := m.seen[name]; n != 1 {
		if n > 1 {
			m.problem("load_roles[%q]: defined %d times: merge the definitions into one", name, n)
		}
		m.seen[name] = 0
		return false
	}
	return true
}

// checkOverride looks at a configured role that has the name of a default one.
func (m *roleMerge) checkOverride(r, builtin Role) {
	switch r.Name {
	case RoleAdmin:
		if r.Description != "" && r.Description != builtin.Description {
			m.problem("load_roles[%q]: description of the admin role cannot be changed: remove the key", r.Name)
		}
		if r.Scopes != nil && !sameSet(r.Scopes, builtin.Scopes) {
			m.problem("load_roles[%q]: scopes of the admin role cannot be changed: remove the key, "+
				"or define a role with another name", r.Name)
		}
	case RoleUser:
		if r.Scopes == nil {
			return
		}
		if len(m.extra) > 0 {
			m.warn("load_roles[%q] sets scopes, so extra_user_scopes %v are ignored", r.Name, m.extra)
		}
		if !slices.Contains(r.Scopes, scopeSelf) {
			m.warn("load_roles[%q] has scopes without self, so users may be unable to use their own servers: "+
				"add self, or use extra_user_scopes to add permissions", r.Name)
		}
	}
}

// checkRole looks at a role as it will be stored.
func (m *roleMerge) checkRole(r Role) {
	where := fmt.Sprintf("load_roles[%q].scopes", r.Name)
	m.checkScopes(where, r.Scopes)
	if len(r.Scopes) == 0 {
		m.warn("load_roles[%q] has no scopes, so it grants nothing", r.Name)
	}
	for _, useless := range m.catalog.Useless(r.Scopes) {
		m.warn("%s: %s", where, useless)
	}
}

func (m *roleMerge) checkScopes(where string, scopes []string) {
	for _, scope := range scopes {
		if err := m.catalog.Check([]string{scope}); err != nil {
			m.problem("%s: %w", where, err)
		}
	}
}

// RoleNameError reports a role name that JupyterHub does not accept.
type RoleNameError struct{ Name string }

// Error names the role and the rule.
func (e *RoleNameError) Error() string {
	return fmt.Sprintf("invalid role name %q: use 3 to 255 of a-z 0-9 - _ ~ . , beginning with a letter and "+
		"ending with a letter or digit", e.Name)
}

// CheckRoleName returns a *[RoleNameError] unless the name matches ^[a-z][a-z0-9\-_~\.]{1,253}[a-z0-9]$.
func CheckRoleName(name string) error {
	bad := &RoleNameError{Name: name}
	if len(name) < 3 || len(name) > 255 || name[0] < 'a' || name[0] > 'z' || !lowerOrDigit(name[len(name)-1]) {
		return bad
	}
	for i := range len(name) {
		switch c := name[i]; {
		case lowerOrDigit(c), c == '-', c == '_', c == '~', c == '.':
		default:
			return bad
		}
	}
	return nil
}

// overlay lays the keys that a configured role gives over a default role.
func overlay(base, r Role) Role {
	if r.Description == "" {
		r.Description = base.Description
	}
	if r.Scopes == nil {
		r.Scopes = base.Scopes
	}
	return r
}

// clone copies the role with its lists.
func (r Role) clone() Role {
	r.Scopes = slices.Clone(r.Scopes)
	for _, members := range []**[]string{&r.Users, &r.Services, &r.Groups} {
		if *members != nil {
			list := slices.Clone(**members)
			*members = &list
		}
	}
	return r
}

// sameSet reports whether two lists hold the same values, in any order.
func sameSet(a, b []string) bool {
	return slices.Equal(sortedSet(slices.Clone(a)), sortedSet(slices.Clone(b)))
}

func compareText(a, b string) int { return cmp.Compare(a, b) }
