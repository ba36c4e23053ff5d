package rbac

import "strings"

// Kind is a filter kind: the word before "=" in a filter, and the kind of a [Target].
type Kind = string

// The four filter kinds.
const (
	KindUser    Kind = "user"
	KindServer  Kind = "server"
	KindGroup   Kind = "group"
	KindService Kind = "service"
)

// Filter limits one scope name. All means unfiltered; otherwise the sets are alternatives. The zero value matches
// nothing. The sets are never changed once a Filter has been built.
type Filter struct {
	All      bool
	Users    map[string]struct{} // a user, and all servers of the user
	Groups   map[string]struct{} // the group, its members and their servers
	Servers  map[string]struct{} // "user/server", default server "user/"
	Services map[string]struct{}
}

// empty reports whether the filter matches nothing at all.
func (f Filter) empty() bool {
	return !f.All && len(f.Users)+len(f.Groups)+len(f.Servers)+len(f.Services) == 0
}

// values returns the set of one kind.
func (f Filter) values(kind Kind) map[string]struct{} {
	switch kind {
	case KindUser:
		return f.Users
	case KindGroup:
		return f.Groups
	case KindServer:
		return f.Servers
	default:
		return f.Services
	}
}

// set returns the place of one kind's set in a filter that is still being built.
func (f *Filter) set(kind Kind) *map[string]struct{} {
	switch kind {
	case KindUser:
		return &f.Users
	case KindGroup:
		return &f.Groups
	case KindServer:
		return &f.Servers
	default:
		return &f.Services
	}
}

// add puts a value into a filter that is still being built. A set of one value may be shared with other filters (Parse
// does so, because most scopes of a user have the same filter); it is replaced before it grows.
func (f *Filter) add(kind Kind, value string) {
	set := f.set(kind)
	switch len(*set) {
	case 0:
		*set = map[string]struct{}{value: {}}
	case 1:
		grown := map[string]struct{}{value: {}}
		for first := range *set {
			grown[first] = struct{}{}
		}
		*set = grown
	default:
		(*set)[value] = struct{}{}
	}
}

// addAll puts every value of another filter into one that is still being built.
func (f *Filter) addAll(o Filter) {
	for kind, value := range o.each {
		f.add(kind, value)
	}
}

// each yields the values of all kinds, in no particular order.
func (f Filter) each(yield func(kind Kind, value string) bool) {
	for _, kind := range kinds {
		for value := range f.values(kind) {
			if !yield(kind, value) {
				return
			}
		}
	}
}

// kinds are all filter kinds.
var kinds = [...]Kind{KindUser, KindGroup, KindServer, KindService}

// splitScope cuts a scope at its filter and checks the filter's form. bare is set for !user, !server and !service,
// which still need an owner. A reason is returned when the filter is malformed, and then nothing else is meaningful.
func splitScope(scope string) (name string, kind Kind, value string, bare bool, reason string) {
	name, filter, filtered := strings.Cut(scope, "!")
	if !filtered {
		return name, "", "", false, ""
	}
	kind, value, valued := strings.Cut(filter, "=")
	switch kind {
	case KindUser, KindServer, KindService:
	case KindGroup:
		if !valued {
			// An owner can be in many groups, so there is no such thing as "the" group.
			return name, "", "", false, "a group filter needs a name, as in !group=name"
		}
	case "":
		return name, "", "", false, "the filter after ! is empty; leave the ! out for an unfiltered scope"
	default:
		return name, "", "", false, "filters are !user, !server, !service, or user=, group=, server=, service= with a value"
	}
	if valued && value == "" {
		return name, "", "", false, "the value after " + kind + "= is empty"
	}
	return name, kind, value, !valued, ""
}
