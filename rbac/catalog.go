package rbac

import (
	"slices"
	"strings"
)

// Catalog knows every scope of a deployment: the built-in ones and the custom ones. All expansions are computed when
// it is made; afterwards it never changes and may be used by any number of goroutines.
type Catalog struct {
	entries map[string]*entry
	names   []string // sorted
	self    []string // names that "self" stands for, sorted
}

// entry is one definition with its expansions.
type entry struct {
	def Definition
	// expansion is the scope and all scopes below it, sorted.
	expansion []string
	// onServer is the expansion under a server filter. Scopes about reading users are left out: a permission for
	// one server says nothing about its user (read:servers!server=a/b does not include read:users:name).
	onServer []string
}

// NewCatalog makes the catalog of a deployment from the built-in definitions and its custom_scopes. The error joins
// one error per faulty custom scope, each with the scope, the reason and the way out.
func NewCatalog(custom map[string]CustomScope) (*Catalog, error) {
	if err := checkCustom(custom); err != nil {
		return nil, err
	}
	c := &Catalog{entries: make(map[string]*entry, len(definitions)+len(custom))}
	for _, d := range definitions {
		c.entries[d.Name] = &entry{def: d}
	}
	for name, s := range custom {
		d := Definition{Name: name, Description: s.Description, SubScopes: slices.Clone(s.SubScopes)}
		c.entries[name] = &entry{def: d}
	}
	for name, e := range c.entries {
		c.names = append(c.names, name)
		e.expansion = c.below(nil, name)
		slices.Sort(e.expansion)
		for _, sub := range e.expansion {
			if !strings.HasPrefix(sub, "read:user") {
				e.onServer = append(e.onServer, sub)
			}
		}
	}
	slices.Sort(c.names)
	for _, name := range selfScopes {
		c.self = c.below(c.self, name)
	}
	slices.Sort(c.self)
	return c, nil
}

// below appends a scope and everything below it that is not in the list yet.
func (c *Catalog) below(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	list = append(list, name)
	for _, sub := range c.entries[name].def.SubScopes {
		list = c.below(list, sub)
	}
	return list
}

// Known reports whether a scope, given with or without filter, has a definition. The filter is not looked at.
func (c *Catalog) Known(scope string) bool {
	name, _, _ := strings.Cut(scope, "!")
	_, ok := c.entries[name]
	return ok
}

// Names returns the names of all scopes in sorted order.
func (c *Catalog) Names() []string { return slices.Clone(c.names) }

// Lookup returns the definition of a scope name (without filter).
func (c *Catalog) Lookup(name string) (Definition, bool) {
	e, ok := c.entries[name]
	if !ok {
		return Definition{}, false
	}
	d := e.def
	d.SubScopes, d.Filters = slices.Clone(d.SubScopes), slices.Clone(d.Filters)
	return d, true
}

// Check returns an error for the first scope that is not valid where scopes are configured or requested: an
// *[UnknownScopeError] or a *[BadFilterError]. Raw scopes (with !user, !server, !service) are valid.
func (c *Catalog) Check(scopes []string) error {
	for _, scope := range scopes {
		name, _, _, _, reason := splitScope(scope)
		if _, ok := c.entries[name]; !ok {
			return &UnknownScopeError{Scope: scope, Nearest: c.nearest(name)}
		}
		if reason != "" {
			return &BadFilterError{Scope: scope, Reason: reason}
		}
	}
	return nil
}

// Useless returns, for each valid scope whose filter can never match, a sentence that says so. Such a scope is legal
// in JupyterHub and silently grants nothing, so start-up warns.
func (c *Catalog) Useless(scopes []string) []string {
	var out []string
	for _, scope := range scopes {
		name, kind, _, _, reason := splitScope(scope)
		e, ok := c.entries[name]
		if !ok || kind == "" || reason != "" || e.def.Filters == nil || slices.Contains(e.def.Filters, kind) {
			continue
		}
		usable := "without filter only"
		if len(e.def.Filters) > 0 {
			usable = "without filter or by " + strings.Join(e.def.Filters, ", ")
		}
		out = append(out, "scope "+scope+" grants nothing: "+name+" works "+usable)
	}
	return out
}
