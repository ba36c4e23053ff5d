package rbac

import (
	"slices"
	"strings"
)

// Description tells a person what one raw scope permits; the consent page and the token page show it.
type Description struct {
	Scope       string // name without filter
	Description string // phrase of the definition
	Filter      string // "" = no limit, "only you", "users in group NAME", "server NAME/SERVER", …
}

// Describe returns a description per raw scope, in the given order and without repetitions. userName is the reader:
// !user and !user=userName read "only you". A scope without definition is described by its own name, because a consent
// page must not hide anything.
func (c *Catalog) Describe(raw []string, userName string) []Description {
	out := make([]Description, 0, len(raw))
	for _, scope := range raw {
		name, filter, _ := strings.Cut(scope, "!")
		d := Description{Scope: name, Description: name, Filter: describeFilter(filter, userName)}
		if e, ok := c.entries[name]; ok {
			d.Description = e.def.Description
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

func describeFilter(filter, userName string) string {
	kind, value, valued := strings.Cut(filter, "=")
	switch {
	case filter == "":
		return ""
	case kind == KindUser && (!valued || value == userName):
		return "only you"
	case !valued:
		return "this " + kind
	case kind == KindGroup:
		return "users in group " + value
	}
	return kind + " " + value
}
