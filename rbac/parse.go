package rbac

import "slices"

// Scopes are parsed scopes: scope name -> filter. The zero value grants nothing. Treat it as a value: build it with
// [Parse], [Scopes.Union] or [Scopes.Intersect], and do not write to it afterwards.
type Scopes map[string]Filter

// Parse turns expanded scopes into a value that can be asked. An unfiltered scope swallows its filtered forms.
// A scope without name, with an unknown filter kind, with an empty value or with a filter that was never expanded
// (!user) is a *[BadFilterError]: guessing there could widen a permission. Names are not looked up; [Catalog.Expand]
// and [Catalog.Check] do that.
func Parse(expanded []string) (Scopes, error) {
	out := make(Scopes, len(expanded))
	var latest Filter // per kind, the latest set of one value, to be shared by the scopes that follow
	for _, scope := range expanded {
		name, kind, value, bare, reason := splitScope(scope)
		switch {
		case reason != "":
		case name == "":
			reason = "the scope has no name"
		case bare:
			reason = "!" + kind + " has not been expanded for its owner"
		}
		if reason != "" {
			return nil, &BadFilterError{Scope: scope, Reason: reason}
		}
		if kind == "" {
			out[name] = Filter{All: true}
			continue
		}
		f := out[name]
		if f.All {
			continue
		}
		// Most scopes of one owner have the same filter, so they share one set.
		if set, one := f.set(kind), latest.set(kind); len(*set) == 0 && has(*one, value) {
			*set = *one
		} else {
			f.add(kind, value)
			if len(*set) == 1 {
				*one = *set
			}
		}
		out[name] = f
	}
	return out, nil
}

// List returns the expanded scopes in sorted order, the reverse of [Parse].
func (s Scopes) List() []string {
	out := make([]string, 0, len(s))
	for name, f := range s {
		if f.All {
			out = append(out, name)
			continue
		}
		for kind, value := range f.each {
			out = append(out, name+"!"+kind+"="+value)
		}
	}
	slices.Sort(out)
	return out
}

// Has reports whether the scope is held with any filter.
func (s Scopes) Has(scope string) bool {
	f, ok := s[scope]
	return ok && !f.empty()
}

// Union returns what either of the two grants.
func (s Scopes) Union(o Scopes) Scopes {
	out := make(Scopes, len(s)+len(o))
	for name, f := range s {
		if !f.empty() {
			out[name] = f
		}
	}
	for name, f := range o {
		have, ok := out[name]
		switch {
		case f.empty() || have.All:
		case !ok || f.All:
			out[name] = f
		default:
			var both Filter
			both.addAll(have)
			both.addAll(f)
			out[name] = both
		}
	}
	return out
}
