package rbac

// Definition is one scope of the catalog.
type Definition struct {
	// Name of the scope, without filter.
	Name string
	// Description is one phrase for the person who is asked to consent; it reads after "the service may".
	Description string
	// SubScopes are granted together with the scope, with the same filter.
	SubScopes []string
	// Filters are the filter kinds that make sense; with any other kind the scope is valid but grants nothing.
	// It is nil for custom scopes, whose services give filters their meaning.
	Filters []Kind
}

// Names of the scopes that have rules of their own.
const (
	scopeSelf    = "self"
	scopeInherit = "inherit"
	scopeNone    = "(no_scope)"
)

// Filter kinds in the combinations that the definitions use.
var (
	aboutUsers    = []Kind{KindUser, KindGroup}
	aboutServers  = []Kind{KindUser, KindGroup, KindServer}
	aboutGroups   = []Kind{KindGroup}
	aboutServices = []Kind{KindService}
	aboutAnything = []Kind{KindUser, KindGroup, KindService}
	aboutNothing  = []Kind{}
)

// selfScopes is what a user may do with the own resources: the metascope "self" stands for these and their sub-scopes,
// each with the filter !user=NAME. Starting and reading servers is in it, deleting the user or seeing other users is not.
var selfScopes = []string{
	"access:servers", "read:shares", "read:users", "servers", "tokens", "users:activity", "users:shares",
}

// definitions are the scopes of JupyterHub 6.1.1. Everything else, documentation included, derives from this table.
var definitions = []Definition{
	{scopeNone, "Know who you are, and nothing more", nil, aboutNothing},
	{scopeSelf, "Use everything that is yours: your profile, servers, tokens and shares", nil, aboutNothing},
	{scopeInherit, "Do everything that you may do", nil, aboutNothing},
	{"admin-ui", "Open the admin page (what it may change there needs other permissions)", nil, aboutNothing},

	{
		"admin:users", "Manage users completely, including their saved login state; nearly as powerful as an administrator",
		[]string{"admin:auth_state", "users", "read:roles:users", "delete:users"}, aboutUsers,
	},
	{"admin:auth_state", "Read the saved login state of users", nil, aboutUsers},
	{
		"users", "Read and change users, but not their servers, tokens or login state",
		[]string{"read:users", "list:users", "users:activity"}, aboutUsers,
	},
	{"delete:users", "Delete users", nil, aboutUsers},
	{"list:users", "See which users exist", []string{"read:users:name"}, aboutUsers},
	{
		"read:users", "Read user profiles, including the address of a running default server",
		[]string{"read:users:name", "read:users:groups", "read:users:activity"}, aboutUsers,
	},
	{"read:users:name", "Read the names of users", nil, aboutUsers},
	{"read:users:groups", "Read which groups users belong to", nil, aboutUsers},
	{"read:users:activity", "Read when users were last active", nil, aboutUsers},
	{
		"read:roles", "Read who has which role",
		[]string{"read:roles:users", "read:roles:services", "read:roles:groups"}, aboutAnything,
	},
	{"read:roles:users", "Read the roles of users", nil, aboutUsers},
	{"read:roles:services", "Read the roles of services", nil, aboutServices},
	{"read:roles:groups", "Read the roles of groups", nil, aboutGroups},
	{"users:activity", "Report that users are active", []string{"read:users:activity"}, aboutUsers},

	{
		"admin:servers", "Control user servers completely, including their internal state",
		[]string{"admin:server_state", "servers"}, aboutServers,
	},
	{"admin:server_state", "Read the internal state of user servers", nil, aboutServers},
	{
		"servers", "See, start, edit and stop user servers",
		[]string{"read:servers", "start:servers", "delete:servers"}, aboutServers,
	},
	{"read:servers", "See user servers and the names of their owners", []string{"read:users:name"}, aboutServers},
	{"start:servers", "Start and edit user servers", nil, aboutServers},
	{"delete:servers", "Stop and delete user servers", nil, aboutServers},
	{"tokens", "See, create and revoke API tokens of users", []string{"read:tokens"}, aboutUsers},
	{"read:tokens", "See API tokens of users, without their secret value", nil, aboutUsers},

	{
		"admin:groups", "Manage groups completely: create, change and delete them",
		[]string{"groups", "read:roles:groups", "delete:groups"}, aboutGroups,
	},
	{
		"groups", "Change groups and their members; who joins a group gains its permissions",
		[]string{"read:groups", "list:groups"}, aboutGroups,
	},
	{"list:groups", "See which groups exist", []string{"read:groups:name"}, aboutGroups},
	{"read:groups", "Read groups with their members and properties", []string{"read:groups:name"}, aboutGroups},
	{"read:groups:name", "Read the names of groups", nil, aboutGroups},
	{"delete:groups", "Delete groups", nil, aboutGroups},

	{
		"admin:services", "Manage services that were created through the API",
		[]string{"list:services", "read:services", "read:roles:services"}, aboutServices,
	},
	{"list:services", "See which services exist", []string{"read:services:name"}, aboutServices},
	{"read:services", "Read the details of services", []string{"read:services:name"}, aboutServices},
	{"read:services:name", "Read the names of services", nil, aboutServices},
	{"read:hub", "Read version and set-up of the hub", nil, aboutNothing},
	{"access:servers", "Open user servers, in the browser or by their API", nil, aboutServers},
	{"access:services", "Open services, in the browser or by their API", nil, aboutServices},

	{"users:shares", "See and leave the servers that are shared with a user", []string{"read:users:shares"}, aboutServers},
	{"read:users:shares", "See the servers that are shared with a user", nil, aboutUsers},
	{
		"groups:shares", "See and give up the servers that are shared with a group",
		[]string{"read:groups:shares"},
		[]Kind{KindGroup, KindServer},
	},
	{"read:groups:shares", "See the servers that are shared with a group", nil, aboutGroups},
	{"read:shares", "See with whom servers are shared", nil, aboutServers},
	{
		"shares", "Share servers with others, and end it",
		[]string{"access:servers", "read:shares", "users:shares", "groups:shares"}, aboutServers,
	},

	{"proxy", "Read and refresh the proxy's routes, or point the hub to another proxy", nil, aboutNothing},
	{"shutdown", "Stop the hub", nil, aboutNothing},
	{"read:metrics", "Read the hub's metrics", nil, aboutNothing},
}
