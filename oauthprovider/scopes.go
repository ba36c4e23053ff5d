package oauthprovider

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// requiredScopes are what every token of a client has: knowing who the user is, and using what the client belongs to.
func requiredScopes(t target) []string {
	return append(rbac.IdentifyRaw(), accessScopes(t)...)
}

func accessScopes(t target) []string {
	switch {
	case t.service != "":
		return []string{"access:services!service=" + t.service}
	case t.user != "":
		return []string{"access:servers!server=" + t.user + "/" + t.server}
	}
	return nil
}

// requestedScopes turns the request's scope parameter into raw scopes. None means all that the client may have. The legacy
// value "identify" means the identity scopes, which are always there. Names that are no scopes are tried as roles.
// Anything beyond the client's allowance is invalid_scope.
func (p *Provider) requestedScopes(ctx context.Context, asked []string, req *request, id *hub.Identity) ([]string, error) {
	required := requiredScopes(req.target)
	allowed := append(slices.Clone(required), req.client.AllowedScopes...)
	if len(asked) == 0 {
		asked = slices.Clone(req.client.AllowedScopes)
	}
	asked = slices.DeleteFunc(asked, func(s string) bool { return s == "identify" })
	if err := p.o.Catalog.Check(asked); err != nil {
		roles, rerr := p.scopesOfRoles(ctx, asked)
		if rerr != nil {
			return nil, rerr
		}
		if roles == nil {
			return nil, invalidScope("no such scopes: " + strings.Join(asked, " ") + " (" + err.Error() + ")")
		}
		asked = roles
	}
	asked = append(asked, required...)
	_, beyond := p.o.Catalog.ResolveRequested(asked, allowed, req.target.owner(id.Name()), p.o.Access.GroupsOf(ctx, new(error)))
	if len(beyond) > 0 {
		return nil, invalidScope("not allowed for this client: " + strings.Join(beyond, " ") + " (see oauth_client_allowed_scopes)")
	}
	slices.Sort(asked)
	return slices.Compact(asked), nil
}

// scopesOfRoles reads names as roles, as clients of JupyterHub 2 wrote them; nil when one of them is none.
func (p *Provider) scopesOfRoles(ctx context.Context, names []string) ([]string, error) {
	scopes := []string{}
	for _, name := range names {
		role, err := p.o.Store.RoleByName(ctx, name)
		if errors.Is(err, orm.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, role.Scopes...)
	}
	return scopes, nil
}

// grant limits the request to what the user holds.
func (p *Provider) grant(ctx context.Context, id *hub.Identity, req *request) ([]string, error) {
	a, err := p.o.Store.AuthorityOfUser(ctx, id.User.ID)
	if err != nil {
		return nil, err
	}
	have := append(requiredScopes(req.target), "inherit")
	for _, role := range slices.Concat(a.Roles, a.GroupRoles) {
		have = append(have, role.Scopes...)
	}
	granted, left := p.o.Catalog.ResolveRequested(req.scopes, have, req.target.owner(id.Name()), p.o.Access.GroupsOf(ctx, new(error)))
	if len(left) > 0 {
		p.o.Logger.WarnContext(ctx, "oauth client asked for more than the user holds", "client", req.client.Identifier, "user", id.Name(), "not_granted", left)
	}
	return granted, nil
}

// agreed are the scopes that the user left in the consent form, of those that were offered. An empty form still says who the user is.
func agreed(r *http.Request, offered []string) []string {
	chosen := r.PostForm["scopes"]
	keep := []string{}
	for _, s := range offered {
		if slices.Contains(chosen, s) {
			keep = append(keep, s)
		}
	}
	return keep
}
