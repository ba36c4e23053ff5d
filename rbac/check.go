package rbac

// Target is what an access check is about.
type Target struct {
	Kind      Kind   // "" = the endpoint needs the unfiltered scope
	User      string // with Kind "user" and "server"
	Server    string // with Kind "server"; "" is the default server
	HasServer bool   // false with Kind "server": about all servers of the user, as in shares/{owner}; no !server= fits
	Group     string // with Kind "group"
	Service   string // with Kind "service"

	// GroupsOf returns the groups of a user. It is asked lazily, at most once per check; nil = in no group.
	GroupsOf func(user string) []string
}

// Outcome of [Scopes.Check]; a greater outcome is a better one.
type Outcome int

const (
	// Denied means that the scope is not held at all, or that no target was named: 403.
	Denied Outcome = iota
	// Hidden means that the scope is held, but its filter does not match the target: 404, so as not to tell
	// whether the target exists.
	Hidden
	// Granted means that the scope is held for the target.
	Granted
)

// String returns the outcome's name, for logs and tests.
func (o Outcome) String() string {
	switch o {
	case Denied:
		return "denied"
	case Hidden:
		return "hidden"
	case Granted:
		return "granted"
	}
	return "unknown"
}

// Check returns the best outcome of the named scopes for a target. A target without kind needs an unfiltered scope.
// It does not allocate, whatever the target, unless a server's full name is longer than 128 bytes or GroupsOf allocates.
func (s Scopes) Check(t Target, anyOf ...string) Outcome {
	best := Denied
	var groups membership
	for _, name := range anyOf {
		f, ok := s[name]
		if !ok || f.empty() {
			continue
		}
		if f.matches(&t, &groups) {
			return Granted
		}
		if t.Kind != "" {
			best = Hidden
		}
	}
	return best
}

// ListFilter returns how a listing must be limited, for endpoints that answer any holder and filter each item. allowed
// are the filter kinds that the listing can apply (list:users: user and group; list:groups: group; list:services:
// service). The outcome is Denied when the scope is not held, or is held with any other kind of filter: a listing that
// ignored such a filter would show everything.
func (s Scopes) ListFilter(scope string, allowed ...Kind) (Filter, Outcome) {
	f, ok := s[scope]
	if !ok || f.empty() {
		return Filter{}, Denied
	}
	if f.All {
		return f, Granted
	}
	for _, kind := range kinds {
		if len(f.values(kind)) > 0 && !contains(allowed, kind) {
			return Filter{}, Denied
		}
	}
	return f, Granted
}

// contains is slices.Contains for short lists; it keeps the variadic slice of the caller on the stack.
func contains(list []string, want string) bool {
	for _, v := range list {
		if v == want {
			return true
		}
	}
	return false
}

// membership remembers the groups of a check's user, so that the lookup runs at most once.
type membership struct {
	asked  bool
	groups []string
}

// within reports whether the target's user is in one of the groups.
func (m *membership) within(groups map[string]struct{}, t *Target) bool {
	if len(groups) == 0 || t.GroupsOf == nil {
		return false
	}
	if !m.asked {
		m.asked, m.groups = true, t.GroupsOf(t.User)
	}
	for _, g := range m.groups {
		if _, ok := groups[g]; ok {
			return true
		}
	}
	return false
}

// matches reports whether the filter lets the target through.
func (f Filter) matches(t *Target, m *membership) bool {
	if f.All {
		return true
	}
	switch t.Kind {
	case KindUser:
		return has(f.Users, t.User) || m.within(f.Groups, t)
	case KindServer:
		return has(f.Users, t.User) || f.matchesServer(t) || m.within(f.Groups, t)
	case KindGroup:
		return has(f.Groups, t.Group)
	case KindService:
		return has(f.Services, t.Service)
	}
	return false
}

// matchesServer reports whether the one server of the target is listed by its full name.
func (f Filter) matchesServer(t *Target) bool {
	if !t.HasServer || len(f.Servers) == 0 {
		return false
	}
	var room [128]byte
	full := append(append(append(room[:0], t.User...), '/'), t.Server...)
	_, ok := f.Servers[string(full)] // the compiler looks up without making the string
	return ok
}

// has reports whether a set holds a value.
func has(set map[string]struct{}, value string) bool {
	_, ok := set[value]
	return ok
}
