package oauthprovider

import (
	"context"
	"errors"
	"slices"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// mustAsk tells whether the user has to confirm: not for their own servers, not for services that the administrator
// vouches for (oauth_no_confirm), and not when valid tokens of this client cover all of it already.
func (p *Provider) mustAsk(ctx context.Context, id *hub.Identity, req *request, granted []string) (bool, error) {
	if req.target.service == "" && req.target.user == id.Name() {
		return false, nil
	}
	if req.target.service != "" {
		s, err := p.o.Store.ServiceByName(ctx, req.target.service)
		if err != nil && !errors.Is(err, orm.ErrNotFound) {
			return false, err
		}
		if err == nil && s.OAuthNoConfirm != nil && *s.OAuthNoConfirm {
			return false, nil
		}
	}
	earlier, err := p.o.Store.ClientTokenScopes(ctx, id.User.ID, req.client.Identifier)
	if err != nil || len(earlier) == 0 {
		return err == nil, err
	}
	have := slices.Concat(earlier...)
	for _, s := range granted {
		if !slices.Contains(have, s) {
			return true, nil
		}
	}
	return false, nil
}

// consent is what the page shows: not what every client gets anyway, and with "inherit" nothing but that.
func (p *Provider) consent(id *hub.Identity, req *request, granted []string) Consent {
	c := Consent{ClientID: req.client.Identifier, ClientDescription: req.client.Description, RedirectURI: req.redirectURI, Scopes: granted}
	required := requiredScopes(req.target)
	described := slices.DeleteFunc(slices.Clone(granted), func(s string) bool { return slices.Contains(required, s) })
	switch {
	case slices.Contains(described, "inherit"):
		c.Scopes, described = []string{"inherit"}, []string{"inherit"}
	case len(described) == 0:
		d, _ := p.o.Catalog.Lookup("(no_scope)")
		c.Descriptions = []rbac.Description{{Description: d.Description}}
		return c
	}
	c.Descriptions = p.o.Catalog.Describe(described, id.Name())
	return c
}
