package rbac

import (
	"errors"
	"fmt"
	"slices"
)

// Role is a role as configured (load_roles, load_managed_roles) or as built in.
type Role struct {
	Name        string
	Description string   // "" = not given
	Scopes      []string // raw scopes; nil = not given, empty = none

	// Members by kind; nil = the key was not given, which start-up treats differently from an empty list.

	Users, Services, Groups *[]string

	Managed bool // came from the authenticator (load_managed_roles)
}

// Names of the default roles.
const (
	RoleUser   = "user"
	RoleAdmin  = "admin"
	RoleServer = "server"
	RoleToken  = "token"
)

// DefaultRoles returns the roles that every hub has, with the descriptions that JupyterHub stores: "user" is given to
// every user and grows by extra_user_scopes, "admin" to administrators, "server" gives the scopes of a server's token,
// "token" those of an API token requested without scopes. The caller owns the result.
func DefaultRoles(extraUserScopes []string) []Role {
	return []Role{
		{
			Name: RoleUser, Description: "Standard user privileges",
			Scopes: append([]string{scopeSelf}, extraUserScopes...),
		},
		{
			Name: RoleAdmin, Description: "Elevated privileges (can do anything)",
			Scopes: []string{
				"admin-ui", "admin:users", "admin:servers", "admin:services", "tokens", "admin:groups",
				"list:services", "read:services", "read:hub", "proxy", "shutdown", "access:services",
				"access:servers", "read:roles", "read:metrics", "shares",
			},
		},
		{
			Name: RoleServer, Description: "Post activity only",
			Scopes: []string{"users:activity!user", "access:servers!server"},
		},
		{
			Name: RoleToken, Description: "Token with same permissions as its owner",
			Scopes: []string{scopeInherit},
		},
	}
}

// Gained returns the scopes that the role has and a stored version of it had not, for the warning at start-up that a
// role has become more powerful.
func (r Role) Gained(old []string) []string {
	var out []string
	for _, scope := range r.Scopes {
		if !slices.Contains(old, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// MergeRoles returns all roles that the hub should have: the default ones that the configuration does not mention,
// then the configured ones in their order. A configured role with a default name is laid over the default key by key;
// description and scopes of "admin" cannot be changed. The error joins every problem of every role: bad or repeated
// names, unknown scopes, a changed admin role. Warnings are sentences for the log. Inputs are not changed or shared.
func (c *Catalog) MergeRoles(loadRoles []Role, extraUserScopes []string) ([]Role, []string, error) {
	m := roleMerge{catalog: c, extra: extraUserScopes, seen: make(map[string]int, len(loadRoles))}
	m.checkScopes("extra_user_scopes", extraUserScopes)
	for _, r := range loadRoles {
		m.seen[r.Name]++
	}
	defaults := DefaultRoles(extraUserScopes)
	var configured []Role
	for _, r := range loadRoles {
		if !m.checkName(r.Name) {
			continue
		}
		if i := slices.IndexFunc(defaults, func(d Role) bool { return d.Name == r.Name }); i >= 0 {
			m.checkOverride(r, defaults[i])
			r = overlay(defaults[i], r)
			defaults = slices.Delete(defaults, i, i+1)
		}
		m.checkRole(r)
		configured = append(configured, r.clone())
	}
	if err := errors.Join(m.problems...); err != nil {
		return nil, m.warnings, err
	}
	return append(defaults, configured...), m.warnings, nil
}

// CheckNoMembers returns an error when a configured role lists users or groups. That is forbidden when the
// authenticator manages roles (manage_roles), because it would assign them differently at each login.
func CheckNoMembers(loadRoles []Role) error {
	var problems []error
	for _, r := range loadRoles {
		for key, members := range map[string]*[]string{"users": r.Users, "groups": r.Groups} {
			if !r.Managed && members != nil && len(*members) > 0 {
				problems = append(problems, fmt.Errorf(
					"load_roles[%q]: %s cannot be given when the authenticator manages roles: "+
						"remove the key, or unset Authenticator.manage_roles", r.Name, key))
			}
		}
	}
	slices.SortStableFunc(problems, func(a, b error) int {
		return compareText(a.Error(), b.Error())
	})
	return errors.Join(problems...)
}
