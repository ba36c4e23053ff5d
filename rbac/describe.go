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

	// Limit is Filter with %(name)s in the place of Name, for translations: one of FilterPhrases, or "".
	Limit, Name string
}

// FilterPhrases are the limits in English, as Description.Limit has them.
func FilterPhrases() []string {
	return []string{limitOwn, limitThis, limitGroup, limitUser, limitServer, limitService}
}

const (
	limitOwn     = "only you"
	limitThis    = "this %(name)s"
	limitGroup   = "users in group %(name)s"
	limitUser    = "user %(name)s"
	limitServer  = "server %(name)s"
	limitService = "service %(name)s"
)

// Describe returns a description per raw scope, in the given order and without repetitions. userName is the reader:
// !user and !user=userName read "only you". A scope without definition is described by its own name, because a consent
// page must not hide anything.
func (c *Catalog) Describe(raw []string, userName string) []Description {
	out := make([]Description, 0, len(raw))
	for _, scope := range raw {
		name, filter, _ := strings.Cut(scope, "!")
		d := Description{Scope: name, Description: name}
		d.Limit, d.Name = describeFilter(filter, userName)
		d.Filter = strings.Replace(d.Limit, "%(name)s", d.Name, 1)
		if e, ok := c.entries[name]; ok {
			d.Description = e.def.Description
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

func describeFilter(filter, userName string) (limit, name string) {
	kind, value, valued := strings.Cut(filter, "=")
	switch {
	case filter == "":
		return "", ""
	case kind == KindUser && (!valued || value == userName):
		return limitOwn, ""
	case !valued:
		return limitThis, kind
	case kind == KindGroup:
		return limitGroup, value
	case kind == KindUser:
		return limitUser, value
	case kind == KindServer:
		return limitServer, value
	}
	return limitService, value
}
