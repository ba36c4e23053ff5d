package services

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/minihub/minihub/hub"
)

// EnvOptions are the parts of a managed service's environment that are the same for all services (env.md D).
type EnvOptions struct {
	BaseURL          string            // percent-encoded, slashes at both ends
	HubAPIURL        string            // http://127.0.0.1:8081/hub/api
	PublicHost       string            // scheme://host of public_url or subdomain_host, "" when unknown
	PublicURL        string            // public URL of base_url with trailing slash, "" when unknown
	KeptEnv          map[string]string // variables of the hub's own environment that processes inherit
	CookieHostPrefix bool
}

// place is where a service is to be found.
type place struct {
	prefix string // "/services/name/" below base_url
	host   string // scheme://host when it has a subdomain
}

// environment is the complete environment of a managed service. The variables of the definition override the defaults, except those that
// say who and where the service is.
func (o EnvOptions) environment(def hub.ConfiguredService, at place) map[string]string {
	name := def.Row.Name
	own, _ := json.Marshal("access:services!service=" + name) // strings always can
	access := `["access:services", ` + string(own) + `]`      // spaced as Python writes it
	env := maps.Clone(o.KeptEnv)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, map[string]string{
		"JUPYTERHUB_API_TOKEN": def.Token, "JPY_API_TOKEN": def.Token, "JUPYTERHUB_API_URL": o.HubAPIURL, "JUPYTERHUB_BASE_URL": o.BaseURL,
		"JUPYTERHUB_HOST": o.PublicHost, "JUPYTERHUB_CLIENT_ID": "service-" + name, "JUPYTERHUB_USER": "", "JUPYTERHUB_SERVER_NAME": "",
		"JUPYTERHUB_OAUTH_ACCESS_SCOPES": access, "JUPYTERHUB_OAUTH_SCOPES": access, "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES": "[]",
		"JUPYTERHUB_OAUTH_CALLBACK_URL": "oauth_callback", "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": "0",
		"JUPYTERHUB_PUBLIC_URL": "", "JUPYTERHUB_PUBLIC_HUB_URL": "", "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/",
	})
	if o.CookieHostPrefix {
		env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] = "1"
	}
	if def.Row.OAuthClientID != nil {
		env["JUPYTERHUB_CLIENT_ID"] = *def.Row.OAuthClientID
	}
	if def.Addr != nil {
		// not oauth_redirect_uri, which may be a public address: this is where the service itself listens
		env["JUPYTERHUB_OAUTH_CALLBACK_URL"] = at.host + at.prefix + "oauth_callback"
	}
	if def.Row.SystemUser != nil {
		env["JUPYTERHUB_USER"] = *def.Row.SystemUser
	}
	if o.PublicURL != "" {
		env["JUPYTERHUB_PUBLIC_HUB_URL"] = o.PublicURL + "hub/"
	}
	if def.Addr != nil {
		env["JUPYTERHUB_PUBLIC_URL"] = o.publicURL(at)
	}
	for k, v := range def.Row.Environment {
		env[k] = fmt.Sprint(v)
	}
	env["JUPYTERHUB_SERVICE_NAME"] = name
	if def.Row.URL != nil && *def.Row.URL != "" {
		env["JUPYTERHUB_SERVICE_URL"] = *def.Row.URL
	}
	if def.Addr != nil {
		env["JUPYTERHUB_SERVICE_PREFIX"] = at.prefix
	}
	return env
}

// Environment is the environment that a service gets when the hub starts it; for those who start a service of the configuration
// themselves. NotFound: there is no such service.
func (s *Services) Environment(name string) (map[string]string, error) {
	s.mu.Lock()
	sv := s.live[name]
	s.mu.Unlock()
	if sv == nil {
		return nil, &hub.Error{Kind: hub.NotFound, Message: "No such service: " + name}
	}
	return s.o.Env.environment(sv.def, s.place(name)), nil
}

// publicURL is where browsers find a service, "" when the hub does not know its own public address.
func (o EnvOptions) publicURL(at place) string {
	switch {
	case at.host != "":
		return at.host + at.prefix
	case o.PublicURL != "":
		return strings.TrimSuffix(o.PublicURL, o.BaseURL) + at.prefix
	}
	return ""
}
