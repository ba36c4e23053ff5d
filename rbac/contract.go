package rbac

// CONTRACT (the owner of rbac dissolves this file into well-named files; names and signatures stay).

// Owner tells whose scopes are expanded: bare filters and metascopes resolve against it.
type Owner struct {
	User    string // set when the owner is a user
	Service string // set when the owner is a service
	// Client context of a token issued by OAuth (zero for the hub's own tokens):
	ClientServer  string // "owner/server" when the client belongs to a user server: resolves !server
	ClientService string // service name when the client belongs to a service: resolves !service
}

// Filter limits one scope name. All means unfiltered; otherwise the sets are alternatives.
type Filter struct {
	All      bool
	Users    map[string]struct{}
	Groups   map[string]struct{}
	Servers  map[string]struct{} // "user/server", default server "user/"
	Services map[string]struct{}
}

// Scopes are parsed scopes: scope name -> filter. The zero value grants nothing.
type Scopes map[string]Filter

// Target is what an access check is about. GroupsOf is asked lazily, at most once.
type Target struct {
	Kind    string // "", "user", "server", "group", "service"; "" = the endpoint needs the unfiltered scope
	User    string
	Server  string // with Kind "server"
	HasServer bool // false: server-less check such as shares/{owner} (only user filter or unfiltered fit)
	Group   string
	Service string
	GroupsOf func(user string) []string
}

// Outcome of Check.
type Outcome int

const (
	Denied  Outcome = iota // scope not held at all -> 403
	Hidden                 // held, but the filter does not match the target -> 404
	Granted
)

// Functions to provide (exact signatures):
//
//	func NewCatalog(custom map[string]CustomScope) (*Catalog, error)  // built-in definitions + custom_scopes; errors name scope, reason and way out
//	type CustomScope struct { Description string; SubScopes []string }
//	func (c *Catalog) Known(scope string) bool                 // name without or with filter
//	func (c *Catalog) Names() []string
//	func (c *Catalog) Check(scopes []string) error             // *UnknownScopeError{Scope, Nearest} or *BadFilterError; "all" points to inherit
//	func (c *Catalog) Expand(raw []string, o Owner) (expanded []string, dropped []Dropped)   // scopes.json expansion_rules; sorted; dropped carries scope and reason
//	func (c *Catalog) Describe(raw []string, userName string) []Description   // {Scope, Description, Filter}
//	func Parse(expanded []string) (Scopes, error)
//	func (s Scopes) List() []string                            // sorted unparsed form, parse∘unparse identity
//	func (s Scopes) Has(scope string) bool                     // any filter
//	func (s Scopes) Check(t Target, anyOf ...string) Outcome   // best outcome of anyOf; expansion_rules/filters "check"
//	func (s Scopes) Union(o Scopes) Scopes
//	func (s Scopes) Intersect(o Scopes, groupsOf func(user string) []string) Scopes   // by value, scopes.json "intersection"
//	func (s Scopes) Contains(o Scopes, groupsOf func(string) []string) []string       // the scopes of o not covered by s; nil = all covered
//	func IdentifyScopes(o Owner) []string                      // expanded identify scopes
//	var IdentifyRaw = []string{...} as a func (no mutable package state): func IdentifyRaw() []string
//	func AccessScopes(o Owner) []string                        // access scope(s) of the client's target
//	type Role struct { Name, Description string; Scopes []string; Users, Services, Groups *[]string; Managed bool }
//	func DefaultRoles(extraUserScopes []string) []Role         // user, admin, server, token with the database descriptions
//	func (c *Catalog) MergeRoles(loadRoles []Role, extraUserScopes []string) ([]Role, []string /*warnings*/, error)  // role_rules, behaviours.md 2 (9)
//	func ResolveServerScopes(raw []string, user, server string) []string   // "!server" -> "!server=user/server" before storing a server token
//	type Kind; ListFilter: func (s Scopes) ListFilter(scope string, kinds ...string) (f Filter, o Outcome)  // post-filter endpoints: Denied when filter kinds other than allowed
//	func KeysFor(s Scopes, model string, t Target) map[string]struct{}   // model_fields_by_scope as ONE table in fields.go: "user","server","group","service" -> allowed keys
