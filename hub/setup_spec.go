package hub

import (
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// ServiceSpec is one entry of JupyterHub.services, or the body of POST /services/{service}.
type ServiceSpec struct {
	Name, URL, APIToken, Cwd, User       string
	Admin                                bool
	Command                              []string
	Environment                          map[string]string
	Info                                 map[string]any
	Display                              bool          // true by default in JupyterHub: whoever reads the configuration sets it
	Timeout                              time.Duration // 0 = 30 s
	OAuthClientID, OAuthRedirectURI      string
	OAuthNoConfirm                       bool
	OAuthClientAllowedScopes, OAuthRoles []string
	Managed                              *bool    // minihub's own key; must agree with Command when set
	Capabilities                         []string // minihub's own key; kept in memory only
}

// GroupSpec is one entry of JupyterHub.load_groups.
type GroupSpec struct {
	Users      []string
	Properties map[string]any // nil: the key was not given, the stored ones stay
}

// SetupSpecs are the people parts of the configuration, under their trait names. Admin, allowed and blocked users come from the Rules.
type SetupSpecs struct {
	LoadRoles               []rbac.Role
	ExtraUserScopes         []string
	ManagedRoles            []rbac.Role // Authenticator.load_managed_roles(); only with ManageRoles
	LoadGroups              map[string]GroupSpec
	Services                []ServiceSpec
	ServiceTokens           map[string]string // token -> service name
	APITokens               map[string]string // token -> user name
	ManageGroups            bool
	ManageRoles             bool
	ResetManagedRoles       bool // reset_managed_roles_on_startup
	EnableAuthState         bool
	HasCryptKeys            bool
	DeleteInvalidUsers      bool
	TrustUserProvidedTokens bool
}

// SetupResult is what start-up found and made.
type SetupResult struct {
	Services   []ConfiguredService // of the configuration, in its order, then those created through the API
	TotalUsers int                 // users in the database, for the gauge
}

// ConfiguredService is a service's row with what is not in the row.
type ConfiguredService struct {
	Row          orm.Service
	Addr         *orm.Server // nil without url
	Token        string      // plain API token; "" for those created through the API and external ones without
	RedirectURI  string      // "" without OAuth
	Managed      bool
	Capabilities []string
}
