package rbac

import "slices"

// TokenScopes returns what a token may do at this moment: its raw scopes, plus reading who its owner is, plus access
// to the server or service that it was issued for, all of it limited to what the owner holds now. A token with
// "inherit" has exactly the owner's scopes. discarded are the token's scopes beyond the owner's, for a warning in the
// log; a scope that expansion could not use is among them, as written.
//
// o carries the client context of the token (empty for the hub's own tokens); held are the owner's scopes.
func (c *Catalog) TokenScopes(
	raw []string, o Owner, held Scopes, groupsOf func(user string) []string,
) (effective Scopes, discarded []string) {
	if slices.Contains(raw, scopeInherit) {
		return held, nil
	}
	expanded, dropped := c.Expand(raw, o)
	expanded = append(expanded, AccessScopes(o)...)
	expanded = append(expanded, IdentifyScopes(o)...)
	token := mustParse(expanded)
	discarded = held.Contains(token, groupsOf)
	for _, d := range dropped {
		discarded = append(discarded, d.Scope)
	}
	return token.Intersect(held, groupsOf), discarded
}

// ResolveRequested decides an OAuth request or a server's token scopes: which of the requested raw scopes a holder of
// have (raw as well) may hand out to o. A scope that is in both lists, or that expands to what have covers, is allowed
// as written; of a scope that is covered in part, the covered expanded scopes are allowed, and the scope itself is
// reported as disallowed too. Unknown and malformed scopes are disallowed. Both results are sorted.
func (c *Catalog) ResolveRequested(
	requested, have []string, o Owner, groupsOf func(user string) []string,
) (allowed, disallowed []string) {
	var open []string
	for _, scope := range requested {
		switch {
		case c.Check([]string{scope}) != nil:
			disallowed = append(disallowed, scope)
		case slices.Contains(have, scope):
			allowed = append(allowed, scope)
		default:
			open = append(open, scope)
		}
	}
	if len(open) > 0 {
		held := c.parsed(have, o)
		given := c.parsed(allowed, o)
		slices.Sort(open)
		for _, scope := range slices.Compact(open) {
			extra := c.parsed([]string{scope}, o).without(given)
			both := extra.Intersect(held, groupsOf)
			// Compared as text: an unfiltered scope of which only a filtered part is held is not fully covered.
			if slices.Equal(both.List(), extra.List()) {
				allowed = append(allowed, scope)
			} else {
				disallowed = append(disallowed, scope)
				allowed = append(allowed, both.List()...)
			}
			given = given.Union(both)
		}
	}
	return sortedSet(allowed), sortedSet(disallowed)
}

// parsed expands and parses raw scopes; what cannot be used grants nothing.
func (c *Catalog) parsed(raw []string, o Owner) Scopes {
	expanded, _ := c.Expand(raw, o)
	return mustParse(expanded)
}

// without returns s less the entries that o has literally.
func (s Scopes) without(o Scopes) Scopes {
	out := make(Scopes, len(s))
	for name, f := range s {
		have := o[name]
		if f.All {
			if !have.All {
				out[name] = f
			}
			continue
		}
		var rest Filter
		for kind, value := range f.each {
			if !has(have.values(kind), value) {
				rest.add(kind, value)
			}
		}
		if !rest.empty() {
			out[name] = rest
		}
	}
	return out
}

// mustParse parses what this package expanded itself, which is well-formed; if it ever were not, nothing is granted.
func mustParse(expanded []string) Scopes {
	s, err := Parse(expanded)
	if err != nil {
		return Scopes{}
	}
	return s
}

// sortedSet sorts a list and drops repetitions.
func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
