package hubauth

import (
	"slices"
	"strings"
)

// HasScope tells whether the held scopes, as the hub reports them, include the needed one. A scope without a filter includes
// all its filters, and "!user=ann" includes the servers of ann. Scopes held for a group are not looked up: the hub reports
// access through groups as it is.
func HasScope(held []string, needed string) bool {
	name, filter, filtered := strings.Cut(needed, "!")
	if slices.Contains(held, needed) || slices.Contains(held, name) {
		return true
	}
	if owner, ok := strings.CutPrefix(filter, "server="); filtered && ok {
		user, _, _ := strings.Cut(owner, "/")
		return slices.Contains(held, name+"!user="+user)
	}
	return false
}

// HasAnyScope tells whether one of the needed scopes is held.
func HasAnyScope(held []string, needed ...string) bool {
	return slices.ContainsFunc(needed, func(n string) bool { return HasScope(held, n) })
}
