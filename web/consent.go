package web

import (
	"net/http"

	"github.com/minihub/minihub/rbac"
)

// ConsentData is what the OAuth provider wants confirmed.
type ConsentData struct {
	ClientDescription string // the client's own words; "" shows Identifier
	RedirectURI       string
	Identifier        string             // client_id
	Scopes            []string           // what the form sends back, one hidden field each
	Descriptions      []rbac.Description // the same in words
	// Rejected are scopes that the client asked for and cannot get, for the log and for administrators; may be nil.
	Rejected []string
	// DenyURL is where "No" leads: the client's redirect URI with error=access_denied; "" leads to the hub's home page.
	DenyURL string
}

// ConsentPage renders oauth.html. It is handed to oauthprovider, which knows what to ask but not how it looks. The form of the page is
// posted to the address that it was shown at.
type ConsentPage struct{ site *Site }

// Consent returns the page on which people allow an application to act for them.
func (s *Site) Consent() *ConsentPage { return &ConsentPage{site: s} }

// Render answers with the page.
func (c *ConsentPage) Render(w http.ResponseWriter, r *http.Request, d ConsentData) error {
	description := d.ClientDescription
	if description == "" {
		description = d.Identifier
	}
	descriptions := c.site.words(r).scopes(d.Descriptions)
	user := pageUser(r)
	var state any
	if user != nil {
		var err error
		if state, err = c.site.o.Hub.Logins.AuthState(r.Context(), user); err != nil {
			return err
		}
	}
	return c.site.render(w, r, view{template: "oauth.html", vars: map[string]any{
		"oauth_client":       object{"description": description, "redirect_uri": d.RedirectURI, "identifier": d.Identifier},
		"scope_descriptions": descriptions, "allowed_scopes": texts(d.Scopes), "rejected_scopes": texts(d.Rejected),
		"deny_url": d.DenyURL, "auth_state": templateValue(state),
	}})
}
