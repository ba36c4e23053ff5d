package oauthprovider

import (
	"net/http"
	"slices"
	"strings"
)

// metadata describes the server to programs (RFC 8414 section 2). Everything in it is true: "plain" challenges are accepted
// but nobody is told so, because S256 is better.
type metadata struct {
	Issuer                string   `json:"issuer"`
	Authorization         string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	Revocation            string   `json:"revocation_endpoint"`
	Introspection         string   `json:"introspection_endpoint"`
	UserInfo              string   `json:"userinfo_endpoint"`
	ScopesSupported       []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	TokenAuth             []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	IssuerInAuthorization bool     `json:"authorization_response_iss_parameter_supported"`
}

// Metadata is the server's description (RFC 8414), for anybody.
func (p *Provider) Metadata(w http.ResponseWriter, r *http.Request) error {
	issuer := p.issuer(r)
	oauth := issuer + "/hub/api/oauth2/"
	methods := []string{"client_secret_basic", "client_secret_post"}
	// "(no_scope)" is how the catalogue calls the absence of scopes
	scopes := slices.DeleteFunc(p.o.Catalog.Names(), func(s string) bool { return strings.HasPrefix(s, "(") })
	w.Header().Set("Access-Control-Allow-Origin", "*") // public, and the same for everybody
	return writeJSON(w, http.StatusOK, metadata{
		Issuer: issuer, Authorization: oauth + "authorize", Token: oauth + "token", Revocation: oauth + "revoke", Introspection: oauth + "introspect",
		UserInfo: oauth + "userinfo", ScopesSupported: append(scopes, "identify"), ResponseTypes: []string{"code"}, ResponseModes: []string{"query"},
		GrantTypes: []string{"authorization_code"}, ChallengeMethods: []string{"S256"}, TokenAuth: methods, RevocationAuth: methods, IntrospectionAuth: methods,
		IssuerInAuthorization: true,
	})
}

// issuer is the hub's name as an authorization server: the public URL without the slash at its end. Without public_url it is what
// the request says, as for every address that the hub tells.
func (p *Provider) issuer(r *http.Request) string {
	if p.o.PublicURL != "" {
		return strings.TrimSuffix(p.o.PublicURL, "/")
	}
	return p.o.Scheme(r) + "://" + r.Host + strings.TrimSuffix(p.o.BaseURL, "/")
}
