package hubtest

import (
	"context"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Spec describes a hub in JSON or YAML, for programs that start one with "minihub test-server".
//
//	users:                          # each gets a token
//	  - ann
//	  - {name: bob, admin: true}
//	  - {name: eve, scopes: ["read:users!user=eve"]}    # of the token; without: what the user may
//	groups: {lab: [ann, bob]}
//	services:                       # as c.JupyterHub.services; an api_token is made when there is none
//	  - {name: grader, url: "http://127.0.0.1:9999"}
//	roles:                          # as c.JupyterHub.load_roles
//	  - {name: grader, services: [grader], scopes: ["list:users"]}
//	config:                         # any trait
//	  JupyterHub: {allow_named_servers: true}
type Spec struct {
	Users    []UserSpec                `yaml:"users"`
	Groups   map[string][]string       `yaml:"groups"`
	Services []map[string]any          `yaml:"services"`
	Roles    []map[string]any          `yaml:"roles"`
	Config   map[string]map[string]any `yaml:"config"`
}

// UserSpec is a user with a token; in YAML also the name alone.
type UserSpec struct {
	Name   string   `yaml:"name"`
	Admin  bool     `yaml:"admin"`
	Scopes []string `yaml:"scopes"`
}

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (u *UserSpec) UnmarshalYAML(text []byte) error {
	if yaml.Unmarshal(text, &u.Name) == nil && u.Name != "" {
		return nil
	}
	type plain UserSpec
	return yaml.UnmarshalWithOptions(text, (*plain)(u), yaml.Strict())
}

// ParseSpec reads a Spec. Keys that do not exist are errors, which name them and the line.
func ParseSpec(text []byte) (Spec, error) {
	var s Spec
	if strings.TrimSpace(string(text)) == "" {
		return s, nil
	}
	if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
		return s, fmt.Errorf("hubtest: read the description of the hub: %w", err)
	}
	return s, nil
}

// Options are what Start needs to make the hub. Services without a token get one, which is then in the Spec as well.
func (s *Spec) Options() Options {
	o := Options{Groups: s.Groups, Services: s.Services, Roles: s.Roles, Config: s.Config}
	for _, u := range s.Users {
		o.Users = append(o.Users, User{Name: u.Name, Admin: u.Admin})
	}
	for _, service := range s.Services {
		if service["api_token"] == nil {
			service["api_token"] = newSecret()
		}
	}
	return o
}

// Set sets a trait of the configuration.
func (s *Spec) Set(class, trait string, value any) {
	if s.Config == nil {
		s.Config = map[string]map[string]any{}
	}
	if s.Config[class] == nil {
		s.Config[class] = map[string]any{}
	}
	s.Config[class][trait] = value
}

// Ready is what "minihub test-server" prints as one line of JSON when its hub answers.
type Ready struct {
	URL        string                  `json:"url"`         // public address with base_url
	APIURL     string                  `json:"api_url"`     // of the REST API, for JUPYTERHUB_API_URL
	ControlURL string                  `json:"control_url"` // of Hub.Control
	AdminToken string                  `json:"admin_token"` // may do everything
	Tokens     map[string]string       `json:"tokens"`      // by user
	Services   map[string]ServiceReady `json:"services"`
	IDP        *IDPReady               `json:"idp,omitempty"` // of the mock identity provider, when there is one
	PID        int                     `json:"pid"`
}

// IDPReady is what an OAuth authenticator needs of the mock identity provider.
type IDPReady struct {
	URL          string `json:"url"` // the issuer: discovery is at url/.well-known/openid-configuration
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	AuthorizeURL string `json:"authorize_url"`
	TokenURL     string `json:"token_url"`
	UserinfoURL  string `json:"userdata_url"` // as GenericOAuthenticator calls it
}

// ServiceReady is what a service of the Spec needs: its token is its OAuth client secret, too.
type ServiceReady struct {
	APIToken     string `json:"api_token"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Prefix       string `json:"prefix,omitempty"`
}

// Ready makes the users' tokens and tells all that a test needs to know of the hub; the caller adds ControlURL and PID.
func (h *Hub) Ready(ctx context.Context, s Spec) (Ready, error) {
	r := Ready{URL: h.URL, APIURL: h.APIURL, AdminToken: h.AdminToken, Tokens: map[string]string{}, Services: map[string]ServiceReady{}}
	for _, u := range s.Users {
		token, err := h.token(ctx, u.Name, u.Scopes)
		if err != nil {
			return r, err
		}
		r.Tokens[u.Name] = token
	}
	for _, service := range s.Services {
		name, token := fmt.Sprint(service["name"]), fmt.Sprint(service["api_token"])
		ready := ServiceReady{APIToken: token, ClientID: "service-" + name, ClientSecret: token}
		if id, ok := service["oauth_client_id"].(string); ok {
			ready.ClientID = id
		}
		if service["url"] != nil {
			ready.Prefix = "/" + strings.Trim(strings.TrimPrefix(h.URL, h.origin()), "/") + "/services/" + name + "/"
			ready.Prefix = strings.Replace(ready.Prefix, "//", "/", 1)
		}
		r.Services[name] = ready
	}
	return r, nil
}
