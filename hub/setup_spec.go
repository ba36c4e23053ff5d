package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// ServiceSpec is one entry of JupyterHub.services.
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
	Properties map[string]any // nil: leave the stored ones
}

// SetupOptions are the parts and configuration that start-up needs.
type SetupOptions struct {
	Store    *orm.Store
	Catalog  *rbac.Catalog
	Users    *Users
	Rules    *auth.Rules
	Tokens   *Tokens
	Logger   *slog.Logger
	Specs    SetupSpecs
	Services ServiceDefaults
}

// SetupSpecs are the people parts of the configuration, under their trait names.
type SetupSpecs struct {
	LoadRoles                                    []rbac.Role
	ExtraUserScopes                              []string
	ManagedRoles                                 []rbac.Role // Authenticator.load_managed_roles()
	LoadGroups                                   map[string]GroupSpec
	Services                                     []ServiceSpec
	ServiceTokens                                map[string]string // token -> service name
	APITokens                                    map[string]string // token -> user name
	AdminUsers                                   []string
	AllowedUsers                                 []string
	BlockedUsers                                 []string
	ManageGroups, ManageRoles, ResetManagedRoles bool
	EnableAuthState, HasCryptKeys                bool
	DeleteInvalidUsers                           bool
	TrustUserProvidedTokens                      bool
}

// ServiceDefaults are what service rows need beyond their spec.
type ServiceDefaults struct {
	BaseURL string // JupyterHub.base_url, "/" by default
}

// SetupResult is what start-up found and made.
type SetupResult struct {
	Services   []ConfiguredService // configuration's and API-created ones, in order
	TotalUsers int
}

// ConfiguredService is a service row with what is not in the row.
type ConfiguredService struct {
	Row          orm.Service
	Addr         *orm.Server // nil without url
	Token        string      // plain API token; "" for API-created ones and external ones without
	Managed      bool
	Capabilities []string
}

// Setup brings the database in line with the configuration at start-up.
type Setup struct {
	o SetupOptions
}

// NewSetup returns a Setup.
func NewSetup(o SetupOptions) *Setup { return &Setup{o: o} }

// Run does all steps before running servers are restored.
func (s *Setup) Run(ctx context.Context) (*SetupResult, error) { return nil, nil }

// Cleanup deletes OAuth clients that belong to nothing; keep are those of servers in memory. It runs after restore.
func (s *Setup) Cleanup(ctx context.Context, keep []string) error { return nil }
