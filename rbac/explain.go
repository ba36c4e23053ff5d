package rbac

import (
	"fmt"
	"slices"
	"strings"
)

// maxHeld limits how many held scopes a hint spells out.
const maxHeld = 12

// Refusal says why a check failed.
type Refusal struct {
	// Needed are the scopes of which any one would do, with the filter that fits the target.
	Needed []string
	// Held are the holder's scopes, expanded: first those about the same subject, then the others, each part sorted.
	Held []string
}

// Refusal collects the reasons of a failed [Scopes.Check] with the same arguments.
func (c *Catalog) Refusal(s Scopes, t Target, anyOf []string) Refusal {
	filter := t.filter()
	r := Refusal{Needed: make([]string, 0, len(anyOf))}
	related := make(map[string]bool, 2*len(anyOf))
	for _, name := range anyOf {
		r.Needed = append(r.Needed, name+filter)
		related[name] = true
		if e, ok := c.entries[name]; ok {
			for _, sub := range e.expansion {
				related[sub] = true
			}
		}
	}
	held, others := make(Scopes), make(Scopes)
	for name, f := range s {
		about := subject(name)
		if related[name] || slices.ContainsFunc(anyOf, func(n string) bool { return subject(n) == about }) {
			held[name] = f
		} else {
			others[name] = f
		}
	}
	r.Held = append(held.List(), others.List()...)
	return r
}

// Explain returns the hint of a refused request: what is needed, what is held, and the load_roles entry that would
// grant the first of the needed scopes to the owner, for just this target. It is "" when the check is not refused.
// It tells nothing about whether the target exists.
func (c *Catalog) Explain(s Scopes, t Target, anyOf []string, o Owner) string {
	if s.Check(t, anyOf...) == Granted {
		return ""
	}
	return c.Refusal(s, t, anyOf).Hint(o)
}

// Hint renders the refusal for the owner whose request it was.
func (r Refusal) Hint(o Owner) string {
	var b strings.Builder
	b.WriteString("needs one of: " + strings.Join(r.Needed, ", ") + "; held: ")
	switch held := r.Held; {
	case len(held) == 0:
		b.WriteString("nothing")
	case len(held) > maxHeld:
		fmt.Fprintf(&b, "%s and %d more", strings.Join(held[:maxHeld], ", "), len(held)-maxHeld)
	default:
		b.WriteString(strings.Join(held, ", "))
	}
	if len(r.Needed) == 0 {
		return b.String()
	}
	scope := r.Needed[0]
	fmt.Fprintf(&b, "; add to load_roles: {'name': %s, 'scopes': [%s]", pyString(roleNameFor(scope)), pyString(scope))
	switch {
	case o.User != "":
		b.WriteString(", 'users': [" + pyString(o.User) + "]")
	case o.Service != "":
		b.WriteString(", 'services': [" + pyString(o.Service) + "]")
	}
	b.WriteString("}")
	return b.String()
}

// filter returns the narrowest filter that fits the target, with its "!".
func (t Target) filter() string {
	switch {
	case t.Kind == KindUser, t.Kind == KindServer && !t.HasServer:
		return "!" + KindUser + "=" + t.User
	case t.Kind == KindServer:
		return "!" + KindServer + "=" + t.User + "/" + t.Server
	case t.Kind == KindGroup:
		return "!" + KindGroup + "=" + t.Group
	case t.Kind == KindService:
		return "!" + KindService + "=" + t.Service
	}
	return ""
}

// subject returns what a scope is about: "users" for read:users:name and users:activity, "servers" for access:servers,
// the project for a custom scope.
func subject(name string) string {
	parts := strings.Split(name, ":")
	switch {
	case len(parts) < 2:
		return name
	case parts[0] == "custom":
		return "custom:" + parts[1]
	case parts[0] == "users" || parts[0] == "groups":
		return parts[0]
	}
	return parts[1]
}

// roleNameFor makes a valid role name from a scope.
func roleNameFor(scope string) string {
	name, _, _ := strings.Cut(scope, "!")
	name = strings.Map(func(r rune) rune {
		if r < 128 && (lowerOrDigit(byte(r)) || r == '_') {
			return r
		}
		return '-'
	}, name)
	return "allow-" + strings.Trim(name, "-_")
}

// pyString quotes a value for jupyterhub_config.py.
func pyString(value string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range value {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
