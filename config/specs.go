package config

// Service is one entry of JupyterHub.services. Keys are JupyterHub's plus managed and capabilities.
type Service struct {
	Name                     string            `key:"name" json:"name,omitzero"`                                               // Name is unique and never empty.
	Admin                    bool              `key:"admin" json:"admin,omitzero"`                                             // Admin is deprecated: it gives the admin role.
	URL                      string            `key:"url" json:"url,omitzero"`                                                 // URL is where the service listens; it gets a route when set.
	Command                  Command           `key:"command" json:"command,omitzero"`                                         // Command makes the service a managed one.
	Cwd                      string            `key:"cwd" json:"cwd,omitzero"`                                                 // Cwd is the working directory; "" is the hub's.
	Environment              map[string]string `key:"environment" json:"-"`                                                    // Environment is added to what the hub sets; it may hold secrets, so JSON leaves it out.
	User                     string            `key:"user" json:"user,omitzero"`                                               // User is the system user to become; "" is the hub's.
	APIToken                 Secret            `key:"api_token" json:"api_token,omitzero"`                                     // APIToken has 8 to 64 characters; generated for managed services when empty.
	Info                     map[string]any    `key:"info" json:"info,omitzero"`                                               // Info is free data, shown in the service's model.
	Display                  bool              `key:"display" json:"display" default:"True"`                                   // Display shows the service in menus; default true.
	Timeout                  int               `key:"timeout" json:"timeout,omitzero" default:"30"`                            // Timeout is how many seconds the hub waits for URL; default 30.
	OAuthClientID            string            `key:"oauth_client_id" json:"oauth_client_id,omitzero"`                         // OAuthClientID starts with service-; default service-<name>.
	OAuthRedirectURI         string            `key:"oauth_redirect_uri" json:"oauth_redirect_uri,omitzero"`                   // OAuthRedirectURI is required for OAuth without URL.
	OAuthNoConfirm           bool              `key:"oauth_no_confirm" json:"oauth_no_confirm,omitzero"`                       // OAuthNoConfirm skips the consent page.
	OAuthClientAllowedScopes []string          `key:"oauth_client_allowed_scopes" json:"oauth_client_allowed_scopes,omitzero"` // OAuthClientAllowedScopes may be held by the service's tokens of users.
	OAuthRoles               []string          `key:"oauth_roles" json:"oauth_roles,omitzero"`                                 // OAuthRoles is the deprecated form of OAuthClientAllowedScopes.
	Managed                  *bool             `key:"managed" json:"managed,omitzero"`                                         // Managed must agree with Command when it is given.
	Capabilities             []string          `key:"capabilities" json:"capabilities,omitzero"`                               // Capabilities are words other services find this one by.
	Given                    map[string]bool   `json:"-"`                                                                      // Given holds the keys that the configuration wrote.
}

// IsManaged reports whether the hub starts the service itself.
func (s Service) IsManaged() bool { return len(s.Command) > 0 }

// WantsOAuth reports whether the service gets an OAuth client: it has a URL, or any oauth key that only makes sense with one.
func (s Service) WantsOAuth() bool {
	return s.URL != "" || s.OAuthClientID != "" || s.OAuthRedirectURI != "" || s.OAuthNoConfirm
}

// RoleSpec is one entry of JupyterHub.load_roles. A nil slice or pointer means that the key is absent, which differs
// from an empty one: a present list of members is exact, an absent one clears the members.
type RoleSpec struct {
	Name        string   `key:"name" json:"name,omitzero"`               // Name is 3 to 255 characters of a-z 0-9 - _ ~ .
	Description *string  `key:"description" json:"description,omitzero"` // Description is shown to users.
	Scopes      []string `key:"scopes" json:"scopes,omitzero"`           // Scopes are not expanded here; rbac checks that they exist.
	Users       []string `key:"users" json:"users,omitzero"`             // Users are names of members.
	Services    []string `key:"services" json:"services,omitzero"`       // Services are names of members.
	Groups      []string `key:"groups" json:"groups,omitzero"`           // Groups are names of members.
}

// GroupSpec is one value of JupyterHub.load_groups. The deprecated list form sets Users. Nil means that the key is absent.
type GroupSpec struct {
	Users      []string       `key:"users" json:"users,omitzero"`           // Users are added to the group.
	Properties map[string]any `key:"properties" json:"properties,omitzero"` // Properties replace those of the group.
}

// CustomScope is one value of JupyterHub.custom_scopes; the key is its name and starts with "custom:".
type CustomScope struct {
	Description string   `key:"description" json:"description,omitzero"` // Description is required.
	Subscopes   []string `key:"subscopes" json:"subscopes,omitzero"`     // Subscopes are included in this scope.
}
