package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/minihub/minihub/rbac"
)

// scopeTopics sort what a token can be limited to; the first word that a scope's name has decides.
var scopeTopics = [...]string{"tokens", "shares", "servers", "services", "groups", "users"}

func scopeTopic(name string) string {
	for _, topic := range scopeTopics {
		if strings.Contains(name, topic) {
			return topic
		}
	}
	return "hub"
}

// scopeChoices are the scopes that whoever makes the request holds, by topic and with what each gives: what a new token can be limited
// to. A scope that is held without limits leaves out the same one with limits.
func (s *Site) scopeChoices(r *http.Request) list {
	id, catalog, words := identity(r), s.o.Hub.Access.Catalog(), s.words(r)
	if id == nil || id.User == nil {
		return nil
	}
	all := map[string]bool{}
	for _, scope := range id.Expanded {
		all[scope] = true
	}
	byTopic := map[string]list{}
	sorted := slices.SortedFunc(slices.Values(id.Expanded), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.TrimPrefix(a, "read:"), strings.TrimPrefix(b, "read:")), cmp.Compare(a, b))
	})
	for _, scope := range slices.Compact(sorted) {
		name, _, filtered := cutScope(scope)
		definition, known := catalog.Lookup(name)
		if !known || filtered && all[name] {
			continue
		}
		about := catalog.Describe([]string{scope}, id.User.Name)[0]
		topic := scopeTopic(name)
		choice := words.scope(about)
		choice["scope"], choice["includes"] = scope, texts(definition.SubScopes)
		byTopic[topic] = append(byTopic[topic], choice)
	}
	var out list
	for _, topic := range []string{"servers", "users", "tokens", "shares", "groups", "services", "hub"} {
		if scopes := byTopic[topic]; len(scopes) > 0 {
			out = append(out, object{"topic": topic, "scopes": scopes})
		}
	}
	return out
}

// scope is what templates know of a scope: its name, and in words what it permits and where.
func (w words) scope(d rbac.Description) object {
	return object{"scope": d.Scope, "description": w.find(d.Description), "filter": w.say(d.Limit, "name", d.Name)}
}

func (w words) scopes(all []rbac.Description) (out list) {
	for _, d := range all {
		out = append(out, w.scope(d))
	}
	return out
}
