package rbac

import (
	"slices"
	"strings"
)

// Intersect returns what both grant, compared by meaning and not by text: !server=a/b and !user=a meet in !server=a/b,
// and !user=a and !group=g meet in !user=a when a is in g. groupsOf is asked at most once per user, and only when the
// answer depends on it; nil = in no group, which can only make the result smaller.
func (s Scopes) Intersect(o Scopes, groupsOf func(user string) []string) Scopes {
	if len(o) < len(s) {
		s, o = o, s
	}
	out := make(Scopes, len(s))
	members := memberLookup{groupsOf: groupsOf}
	for name, a := range s {
		b, ok := o[name]
		if !ok {
			continue
		}
		if f := a.intersect(b, &members); !f.empty() {
			out[name] = f
		}
	}
	return out
}

// Contains returns the scopes of o that s does not cover, in sorted order; nil when s covers all of them. groupsOf is
// used as in [Scopes.Intersect].
func (s Scopes) Contains(o Scopes, groupsOf func(user string) []string) []string {
	var missing []string
	members := memberLookup{groupsOf: groupsOf}
	for name, wanted := range o {
		held := s[name]
		if wanted.All {
			if !held.All {
				missing = append(missing, name)
			}
			continue
		}
		for kind, value := range wanted.each {
			if !held.covers(kind, value, &members) {
				missing = append(missing, name+"!"+kind+"="+value)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// intersect returns the entries of each side that the other side covers.
func (f Filter) intersect(o Filter, members *memberLookup) Filter {
	switch {
	case f.All:
		return o
	case o.All:
		return f
	}
	var out Filter
	for kind, value := range f.each {
		if o.covers(kind, value, members) {
			out.add(kind, value)
		}
	}
	for kind, value := range o.each {
		if f.covers(kind, value, members) {
			out.add(kind, value)
		}
	}
	return out
}

// covers reports whether everything that kind=value lets through is let through by the filter as well.
func (f Filter) covers(kind Kind, value string, members *memberLookup) bool {
	if f.All || has(f.values(kind), value) {
		return true
	}
	switch kind {
	case KindUser:
		return members.within(value, f.Groups)
	case KindServer:
		// A value without "/" names no server that exists; its whole text is taken as the user, as in JupyterHub.
		user, _, _ := strings.Cut(value, "/")
		return has(f.Users, user) || members.within(user, f.Groups)
	}
	return false
}

// memberLookup asks for the groups of each user at most once.
type memberLookup struct {
	groupsOf func(user string) []string
	known    map[string][]string
}

// within reports whether the user is in one of the groups.
func (m *memberLookup) within(user string, groups map[string]struct{}) bool {
	if len(groups) == 0 || m.groupsOf == nil {
		return false
	}
	mine, ok := m.known[user]
	if !ok {
		mine = m.groupsOf(user)
		if m.known == nil {
			m.known = make(map[string][]string, 1)
		}
		m.known[user] = mine
	}
	for _, g := range mine {
		if has(groups, g) {
			return true
		}
	}
	return false
}
