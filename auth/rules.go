package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// RulesOptions configure Rules; the names are the traits'.
type RulesOptions struct {
	AdminUsers, AllowedUsers, BlockedUsers []string
	// AllowAll nil is JupyterHub's computed default: DefaultAllowAll when allowed_users is empty, else false.
	AllowAll *bool
	// DefaultAllowAll is true for the dummy authenticator, which lets everybody in unless told otherwise.
	DefaultAllowAll bool
	// AllowExistingUsers nil means: whether allowed_users is non-empty.
	AllowExistingUsers *bool
	UsernameMap        map[string]string
	// UsernamePattern is a Python regular expression that must match at the start of the name, as re.match: end it with
	// "$" to bound the whole name. See compilePattern for the few things that Go cannot express.
	UsernamePattern string
	// AllowedGroups and AdminGroups are UNIX groups (LocalAuthenticator, PAMAuthenticator).
	AllowedGroups, AdminGroups []string
	// AnyAllowConfig true silences the warning that nobody can log in.
	AnyAllowConfig *bool
	// PostAuth is post_auth_hook. A nil model refuses the login.
	PostAuth func(ctx context.Context, req Request, m *Model) (*Model, error)
	// NormalizeUser replaces lower-casing when set (PAM.NormalizeUser for pam_normalize_username); username_map still applies.
	NormalizeUser func(name string) (string, error)
	// Unix looks up UNIX groups; nil is SystemUsers.
	Unix UnixUsers
}

// Rules are JupyterHub's Authenticator traits that decide who gets in; safe for concurrent use after NewRules.
// Rules wraps any Authenticator: normalise, validate, block, allow, admin, post_auth_hook.
type Rules struct {
	options       RulesOptions
	pattern       *regexp.Regexp // nil: any name
	admins        map[string]bool
	blocked       map[string]bool
	configured    []string // allowed_users of the configuration, normalised and sorted
	allowAll      bool
	allowExisting bool

	mu      sync.RWMutex
	allowed map[string]bool // grows and shrinks with the database's users when allow_existing_users
}

// NewRules checks and normalises the options. Every bad name and pattern is in the error, with its trait.
func NewRules(o RulesOptions) (*Rules, error) {
	if o.Unix == nil {
		o.Unix = SystemUsers{}
	}
	r := &Rules{options: o}
	var problems []error
	if o.UsernamePattern != "" {
		var err error
		if r.pattern, err = compilePattern(o.UsernamePattern); err != nil {
			//lint:ignore ST1005 it begins with the name of a trait
			problems = append(problems, fmt.Errorf("Authenticator.username_pattern %q: %w", o.UsernamePattern, err))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(o.UsernameMap)) {
		if err := ValidateUserName(o.UsernameMap[from]); err != nil {
			//lint:ignore ST1005 it begins with the name of a trait
			problems = append(problems, fmt.Errorf("Authenticator.username_map[%q] = %q: %w", from, o.UsernameMap[from], err))
		}
	}
	r.admins = r.nameSet("Authenticator.admin_users", o.AdminUsers, &problems)
	r.allowed = r.nameSet("Authenticator.allowed_users", o.AllowedUsers, &problems)
	r.blocked = make(map[string]bool, len(o.BlockedUsers))
	for _, name := range o.BlockedUsers {
		// Not validated: blocking a name that cannot exist does no harm, and the list may be older than username_pattern.
		r.blocked[r.Normalize(name)] = true
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}

	r.configured = slices.Sorted(maps.Keys(r.allowed))
	r.allowAll = o.DefaultAllowAll && len(r.allowed) == 0
	if o.AllowAll != nil {
		r.allowAll = *o.AllowAll
	}
	r.allowExisting = len(r.allowed) > 0
	if o.AllowExistingUsers != nil {
		r.allowExisting = *o.AllowExistingUsers
	}
	if len(r.allowed) > 0 { // as JupyterHub at start-up: else its admins could not log in
		maps.Copy(r.allowed, r.admins)
	}
	return r, nil
}

func (r *Rules) nameSet(trait string, names []string, problems *[]error) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		normal := r.Normalize(name)
		if err := r.Validate(normal); err != nil {
			*problems = append(*problems, fmt.Errorf("%s has the invalid name %q: %w", trait, ShortName(name), err))
			continue
		}
		set[normal] = true
	}
	return set
}

// Normalize returns the name that the hub knows this person by: lower case as Python's str.lower (which keeps İ apart from
// i), then username_map. A name that pam_normalize_username cannot resolve stays as it is; Check and Login refuse it.
func (r *Rules) Normalize(name string) string {
	normal, err := r.normalize(name)
	if err != nil {
		return name
	}
	return normal
}

func (r *Rules) normalize(name string) (string, error) {
	if r.options.NormalizeUser != nil {
		var err error
		if name, err = r.options.NormalizeUser(name); err != nil {
			return "", err
		}
	} else {
		name = cases.Lower(language.Und).String(name)
	}
	if mapped, ok := r.options.UsernameMap[name]; ok {
		return mapped, nil
	}
	return name, nil
}

// Validate tells why a normalised name cannot be a user's in this hub; nil when it can.
func (r *Rules) Validate(name string) error {
	if err := ValidateUserName(name); err != nil {
		return err
	}
	if r.pattern != nil && !r.pattern.MatchString(name) {
		return fmt.Errorf("name does not match Authenticator.username_pattern %q", r.options.UsernamePattern)
	}
	return nil
}

// Blocked reports whether a normalised name is in blocked_users.
func (r *Rules) Blocked(name string) bool { return r.blocked[name] }

// IsAdmin reports whether a normalised name is in admin_users.
func (r *Rules) IsAdmin(name string) bool { return r.admins[name] }

// Allowed reports whether a normalised name that authenticates may log in, and which trait says so; when it may not, the
// text lists what would have let it in. groups are the UNIX groups of the name; nil: look them up when allowed_groups asks.
func (r *Rules) Allowed(name string, groups []string) (bool, string) {
	if r.allowAll {
		return true, "Authenticator.allow_all"
	}
	if group := r.memberOf(name, groups); group != "" {
		return true, fmt.Sprintf("LocalAuthenticator.allowed_groups (%s)", group)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.allowed[name] {
		return true, "Authenticator.allowed_users"
	}
	reason := "Authenticator.allow_all is false"
	if n := len(r.options.AllowedGroups); n > 0 {
		reason += ", no UNIX group of this user is in LocalAuthenticator.allowed_groups"
	}
	if len(r.allowed) == 0 {
		return false, reason + ", Authenticator.allowed_users is empty"
	}
	return false, reason + ", the name is not in Authenticator.allowed_users"
}

// memberOf returns the first of allowed_groups that the name belongs to, "" for none. A name without an account on this
// machine belongs to none (JupyterHub answers 500 there); neither does anybody to a group that does not exist.
func (r *Rules) memberOf(name string, groups []string) string {
	if len(r.options.AllowedGroups) == 0 {
		return ""
	}
	for _, group := range r.options.AllowedGroups {
		if slices.Contains(groups, group) {
			return group
		}
	}
	if groups != nil {
		return ""
	}
	ids, err := r.options.Unix.GroupIDs(name)
	if err != nil {
		return ""
	}
	for _, group := range r.options.AllowedGroups {
		if id, err := r.options.Unix.GroupID(group); err == nil && slices.Contains(ids, id) {
			return group
		}
	}
	return ""
}

// UserCreated tells the rules that the database has a user of this name: with allow_existing_users, and unless everybody
// is allowed anyway, they may log in from now on (JupyterHub's add_user default).
func (r *Rules) UserCreated(name string) {
	if !r.FollowsUsers() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allowed[name] = true
}

// FollowsUsers reports whether UserCreated changes anything: being in the database lets users log in.
func (r *Rules) FollowsUsers() bool { return r.allowExisting && !r.allowAll }

// UserDeleted removes a name from allowed_users (JupyterHub's delete_user default).
func (r *Rules) UserDeleted(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.allowed, name)
}

// AdminUsers returns admin_users, normalised and sorted.
func (r *Rules) AdminUsers() []string { return slices.Sorted(maps.Keys(r.admins)) }

// AllowedUsers returns the allowed_users of the configuration, normalised and sorted; they are created at start-up.
func (r *Rules) AllowedUsers() []string { return slices.Clone(r.configured) }

// BlockedUsers returns blocked_users, normalised and sorted; they lose admin, roles, groups and servers at start-up.
func (r *Rules) BlockedUsers() []string { return slices.Sorted(maps.Keys(r.blocked)) }
