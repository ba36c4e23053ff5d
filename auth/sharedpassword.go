package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Shortest passwords that SharedPassword accepts in its configuration, in characters.
const (
	MinUserPassword  = 8
	MinAdminPassword = 32
)

// SharedPasswordOptions are the traits of SharedPasswordAuthenticator. An empty password turns that way in off.
type SharedPasswordOptions struct {
	UserPassword, AdminPassword string
	// PasswordGroups maps further passwords for non-admins to the groups that they give; needs ManageGroups.
	PasswordGroups map[string][]string
	ManageGroups   bool
	// Rules normalises the typed name and knows admin_users; required.
	Rules *Rules
}

// SharedPassword knows one password for everybody, one for admins, and one per set of groups. Whoever knows the first can
// log in as any user who is not an admin: for short-lived hubs among friends.
type SharedPassword struct {
	o      SharedPasswordOptions
	groups []string // the passwords of PasswordGroups in a fixed order
}

var (
	_ Authenticator = (*SharedPassword)(nil)
	_ Warner        = (*SharedPassword)(nil)
)

// NewSharedPassword checks the options as JupyterHub does. All problems are in the error; no password is.
func NewSharedPassword(o SharedPasswordOptions) (*SharedPassword, error) {
	var problems []error
	problem := func(trait, format string, args ...any) {
		problems = append(problems, fmt.Errorf("SharedPasswordAuthenticator."+trait+" "+format, args...))
	}
	if o.Rules == nil {
		problem("admin_users", "cannot be checked without rules: set SharedPasswordOptions.Rules")
	}
	if n := utf8.RuneCountInString(o.UserPassword); n > 0 && n < MinUserPassword {
		problem("user_password", "must have at least %d characters, it has %d", MinUserPassword, n)
	}
	if n := utf8.RuneCountInString(o.AdminPassword); n > 0 && n < MinAdminPassword {
		problem("admin_password", "must have at least %d characters, it has %d", MinAdminPassword, n)
	}
	if o.AdminPassword != "" && o.AdminPassword == o.UserPassword {
		problem("admin_password", "must differ from user_password")
	}
	if len(o.PasswordGroups) > 0 && !o.ManageGroups {
		problem("password_groups", "assigns groups, which needs Authenticator.manage_groups = True")
	}
	for password := range o.PasswordGroups {
		if password == "" {
			problem("password_groups", "has an empty password")
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &SharedPassword{o: o, groups: slices.Sorted(maps.Keys(o.PasswordGroups))}, nil
}

// Name implements Authenticator.
func (*SharedPassword) Name() string {
	return "jupyterhub.authenticators.shared.SharedPasswordAuthenticator"
}

// Authenticate implements Authenticator. The name is normalised before it is looked up in admin_users: else "Admin" would
// get in as admin with the users' password (GHSA-r764-xgvf-jrfj).
func (s *SharedPassword) Authenticate(_ context.Context, req Request) (*Model, error) {
	name := s.o.Rules.Normalize(req.Username)
	if s.o.Rules.IsAdmin(name) {
		return s.authenticateAdmin(name, req.Password)
	}
	if s.o.UserPassword != "" && sameSecret(req.Password, s.o.UserPassword) {
		return &Model{Name: name, Admin: new(false), Groups: &[]string{}}, nil
	}
	for _, password := range s.groups {
		if sameSecret(req.Password, password) {
			groups := slices.Clone(s.o.PasswordGroups[password])
			return &Model{Name: name, Groups: &groups}, nil
		}
	}
	reason := "the password is not SharedPasswordAuthenticator.user_password"
	switch {
	case s.o.UserPassword == "" && len(s.groups) == 0:
		reason = "SharedPasswordAuthenticator.user_password is not set, so only admins can log in"
	case len(s.groups) > 0:
		reason += " and not in password_groups"
	}
	return nil, &Refusal{Rule: RuleCredentials, Trait: "SharedPasswordAuthenticator.user_password", Reason: reason}
}

func (s *SharedPassword) authenticateAdmin(name, password string) (*Model, error) {
	if s.o.AdminPassword != "" && sameSecret(password, s.o.AdminPassword) {
		return &Model{Name: name, Admin: new(true), Groups: &[]string{}}, nil
	}
	reason := "names in Authenticator.admin_users log in with SharedPasswordAuthenticator.admin_password, and this was not it"
	if s.o.AdminPassword == "" {
		reason = "SharedPasswordAuthenticator.admin_password is not set, so names in Authenticator.admin_users cannot log in"
	}
	return nil, &Refusal{Rule: RuleCredentials, Trait: "SharedPasswordAuthenticator.admin_password", Reason: reason}
}

// Warnings lists what in the configuration keeps people out, each with its trait.
func (s *SharedPassword) Warnings() []string {
	var out []string
	admins := len(s.o.Rules.admins) > 0
	switch {
	case s.o.UserPassword == "" && s.o.AdminPassword == "" && len(s.groups) == 0:
		out = append(out, "nobody can log in: set SharedPasswordAuthenticator.user_password or admin_password")
	case s.o.UserPassword == "" && len(s.groups) == 0:
		out = append(out, "only admins can log in: SharedPasswordAuthenticator.user_password is not set")
	}
	if s.o.AdminPassword != "" && !admins {
		out = append(out, "SharedPasswordAuthenticator.admin_password is of no use: Authenticator.admin_users is empty")
	}
	if s.o.AdminPassword == "" && admins {
		out = append(out, "no admin can log in: Authenticator.admin_users is set and SharedPasswordAuthenticator.admin_password is not")
	}
	return out
}
