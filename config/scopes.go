package config

import "fmt"

// EachScope visits every scope that the configuration names, with the trait that names it, in the order of the file.
func (c *Config) EachScope(visit func(where, scope string)) {
	hub, sp := &c.JupyterHub, c.SpawnerTraits()
	each := func(where string, scopes []string) {
		for i, scope := range scopes {
			visit(fmt.Sprintf("%s[%d]", where, i), scope)
		}
	}
	for i, role := range hub.LoadRoles {
		each(fmt.Sprintf("JupyterHub.load_roles[%d] (%s).scopes", i, role.Name), role.Scopes)
	}
	for i, s := range hub.Services {
		each(fmt.Sprintf("JupyterHub.services[%d] (%s).oauth_client_allowed_scopes", i, s.Name), s.OAuthClientAllowedScopes)
	}
	each("JupyterHub.extra_user_scopes", hub.ExtraUserScopes)
	each("Spawner.oauth_client_allowed_scopes", sp.OAuthClientAllowedScopes)
	each("Spawner.server_token_scopes", sp.ServerTokenScopes)
}
