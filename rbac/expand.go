package rbac

import (
	"slices"
	"strings"
)

// Expand turns raw scopes into expanded ones for an owner: sub-scopes added with the same filter, "self" and the bare
// filters filled in, redundant scopes removed. The result is sorted. What cannot be used (unknown, malformed, or
// relative to something that the owner does not have) grants nothing and is returned in dropped, with the reason.
//
// "inherit" stays as it is: only a token gives it a meaning, see [Catalog.TokenScopes].
func (c *Catalog) Expand(raw []string, o Owner) (expanded []string, dropped []Dropped) {
	size := 0
	for _, scope := range raw {
		name, _, _ := strings.Cut(scope, "!")
		if e, ok := c.entries[name]; ok {
			size += len(e.expansion)
		}
		if scope == scopeSelf {
			size += len(c.self)
		}
	}
	expanded = make([]string, 0, size)
	for _, scope := range raw {
		names, filter, reason := c.expandOne(scope, o)
		switch {
		case reason != "":
			dropped = append(dropped, Dropped{Scope: scope, Reason: reason})
		case filter == "":
			expanded = append(expanded, names...)
		default:
			expanded = appendFiltered(expanded, names, filter)
		}
	}
	return reduce(expanded), dropped
}

// expandOne returns the names that a raw scope stands for and the resolved filter ("" = none) that all of them get.
func (c *Catalog) expandOne(scope string, o Owner) (names []string, filter, reason string) {
	name, kind, value, bare, reason := splitScope(scope)
	e, known := c.entries[name]
	switch {
	case !known:
		return nil, "", "no such scope"
	case reason != "":
		return nil, "", reason
	case kind == "" && name == scopeSelf:
		if o.User == "" {
			return nil, "", "only users have resources of their own"
		}
		filter, _ = o.resolve(KindUser)
		return c.self, filter, ""
	case kind == "":
		return e.expansion, "", ""
	}
	names = e.expansion
	if kind == KindServer {
		names = e.onServer
	}
	if len(names) == 0 {
		return nil, "", "a server filter does not apply to " + name
	}
	if !bare {
		return names, kind + "=" + value, ""
	}
	filter, ok := o.resolve(kind)
	if !ok {
		return nil, "", "the owner has no " + kind + " that !" + kind + " could stand for"
	}
	return names, filter, ""
}

// appendFiltered appends name!filter for each name. All of them are cut from one string, which is much cheaper than
// one string each, and this runs on every request that carries a token.
func appendFiltered(out, names []string, filter string) []string {
	size := len(names) * (1 + len(filter))
	for _, name := range names {
		size += len(name)
	}
	var b strings.Builder
	b.Grow(size)
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte('!')
		b.WriteString(filter)
	}
	all := b.String()
	for _, name := range names {
		n := len(name) + 1 + len(filter)
		out = append(out, all[:n])
		all = all[n:]
	}
	return out
}

// reduce sorts expanded scopes and drops repetitions and what an unfiltered scope of the same name makes redundant.
// The slice is used in place. Names have to be of the catalog: none of their characters sorts before "!", so that the
// filtered forms of a name directly follow the bare one.
func reduce(expanded []string) []string {
	slices.Sort(expanded)
	out := expanded[:0]
	unfiltered := ""
	for _, scope := range expanded {
		if len(out) > 0 && out[len(out)-1] == scope {
			continue
		}
		name, _, filtered := strings.Cut(scope, "!")
		switch {
		case !filtered:
			unfiltered = name
		case unfiltered != "" && name == unfiltered:
			continue
		}
		out = append(out, scope)
	}
	clear(expanded[len(out):])
	return out
}

// ResolveServerScopes fills in !server for the token of a user's server. It has to happen before the token is stored,
// because that token belongs to the client "jupyterhub", which has no server that expansion could use later.
func ResolveServerScopes(raw []string, user, server string) []string {
	out := make([]string, len(raw))
	for i, scope := range raw {
		if strings.HasSuffix(scope, "!"+KindServer) {
			scope += "=" + user + "/" + server
		}
		out[i] = scope
	}
	return out
}
