package auth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// WhoCanLogIn returns one sentence for the start-up log.
func (r *Rules) WhoCanLogIn() string {
	r.mu.RLock()
	allowed := slices.Sorted(maps.Keys(r.allowed))
	r.mu.RUnlock()

	var who []string
	if r.allowAll {
		who = append(who, "everybody who authenticates")
	} else {
		if len(allowed) > 0 {
			who = append(who, listNames(allowed))
		}
		if len(r.options.AllowedGroups) > 0 {
			who = append(who, "members of the UNIX groups "+listNames(r.options.AllowedGroups))
		}
		if r.allowExisting {
			who = append(who, "users that are in the database")
		}
	}
	if len(who) == 0 {
		return "nobody: set Authenticator.allowed_users or allow_all"
	}
	sentence := strings.Join(who, ", ")
	if len(r.blocked) > 0 {
		sentence += ", but not " + listNames(slices.Sorted(maps.Keys(r.blocked)))
	}
	return sentence
}

// Warnings lists what is probably a mistake in the configuration, each with its trait.
func (r *Rules) Warnings() []string {
	var out []string
	any := r.options.AnyAllowConfig != nil && *r.options.AnyAllowConfig
	if !any && !r.allowAll && !r.allowExisting && len(r.configured) == 0 && len(r.options.AllowedGroups) == 0 {
		out = append(out, "nobody can log in: set Authenticator.allowed_users, Authenticator.allow_all, "+
			"or Authenticator.any_allow_config = True to silence this")
	}
	var short []string
	for _, name := range r.configured {
		if utf8.RuneCountInString(name) == 1 {
			short = append(short, name)
		}
	}
	if len(short) > 1 {
		out = append(out, fmt.Sprintf("Authenticator.allowed_users has the single-character names %s: "+
			"a set made from a string holds its letters, write {\"name\"}", listNames(short)))
	}
	for _, name := range r.BlockedUsers() {
		if r.admins[name] || slices.Contains(r.configured, name) {
			out = append(out, fmt.Sprintf("Authenticator.blocked_users has %q, which is also allowed or admin: blocked wins", name))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(r.options.UsernameMap)) {
		if r.options.NormalizeUser == nil && from != strings.ToLower(from) {
			out = append(out, fmt.Sprintf("Authenticator.username_map has the key %q, which never matches: names are lower case before they are mapped", from))
		}
	}
	return out
}

// listNames writes up to ten names and counts the rest.
func listNames(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
