package rbac

// Names of the models for [KeysFor].
const (
	ModelUser    = "user"
	ModelServer  = "server"
	ModelGroup   = "group"
	ModelService = "service"
)

// fieldRule says which keys of a model one scope opens.
type fieldRule struct {
	scope string
	keys  []string
}

// modelFields is the whole field filtering of the REST API: a key is shown when one of the scopes that open it is held
// for the object. Keys that no rule names are never shown.
//
// "servers" of a user follows two rules: the key is there when read:servers is held for the user, or when it is held
// for any one of the servers in it; the second is found by asking for the server model of each.
var modelFields = map[string][]fieldRule{
	ModelUser: {
		{"read:users", []string{
			"kind", "name", "user_info", "admin", "roles", "groups", "server", "pending", "created", "last_activity",
		}},
		{"read:users:name", []string{"kind", "name", "user_info", "admin"}},
		{"read:users:groups", []string{"kind", "name", "groups"}},
		{"read:users:activity", []string{"kind", "name", "last_activity"}},
		{"read:servers", []string{"kind", "name", "servers"}},
		{"read:roles:users", []string{"kind", "name", "roles", "admin"}},
		{"admin:auth_state", []string{"kind", "name", "auth_state"}},
	},
	ModelServer: {
		{"read:servers", []string{
			"name", "display_name", "full_name", "last_activity", "started", "pending", "ready", "stopped", "url",
			"user_options", "progress_url", "full_url", "full_progress_url",
		}},
		{"admin:server_state", []string{"state"}},
	},
	ModelGroup: {
		{"read:groups", []string{"kind", "name", "properties", "users"}},
		{"read:groups:name", []string{"kind", "name"}},
		{"read:roles:groups", []string{"kind", "name", "roles"}},
	},
	ModelService: {
		{"read:services", []string{
			"kind", "name", "admin", "url", "prefix", "command", "pid", "info", "display",
		}},
		{"read:services:name", []string{"kind", "name", "admin"}},
		{"read:roles:services", []string{"kind", "name", "roles", "admin"}},
	},
}

// Unfiltered reports whether KeysFor is the same for every target of a model: none of the scopes that open keys is held with a filter.
func Unfiltered(s Scopes, model string) bool {
	for _, rule := range modelFields[model] {
		if f, ok := s[rule.scope]; ok && !f.All && !f.empty() {
			return false
		}
	}
	return true
}

// KeysFor returns the keys of a model ("user", "server", "group", "service") that may be shown for a target. It is
// nil when there are none, then the object itself must not be shown; so too for an unknown model. The caller owns the
// map. The target's groups are looked up at most once.
func KeysFor(s Scopes, model string, t Target) map[string]struct{} {
	var keys map[string]struct{}
	var groups membership
	for _, rule := range modelFields[model] {
		f, ok := s[rule.scope]
		if !ok || !f.matches(&t, &groups) {
			continue
		}
		if keys == nil {
			keys = make(map[string]struct{}, len(rule.keys)+2)
		}
		for _, key := range rule.keys {
			keys[key] = struct{}{}
		}
	}
	return keys
}
