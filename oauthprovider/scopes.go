package oauthprovider

import (
	"context"
	"slices"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/rbac"
)

// maxScopes is how many scopes a request may name; far more than there are.
const maxScopes = 500

// requiredScopes are what every token of a client has: knowing who the user is, and using what the client belongs to.
func requiredScopes(t target) []string {
	return append(rbac.IdentifyRaw(), rbac.AccessScopes(t.owner(""))...)
}

// requestedScopes turns the request's scope parameter into raw scopes. None means all that the client may have. The legacy
// value "identify" means the identity scopes, which are always there. Names that are no scopes are tried as roles.
// Anything beyond the client's allowance is invalid_scope.
func (p *Provider) requestedScopes(ctx context.Context, asked []string, req *request, id *hub.Identity) ([]string, error) {
	if len(asked) > maxScopes {
		return nil, invalidScope("too many scopes")
	}
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
			return nil, invalidScope("no such scopes: " + err.Error())
		}
		asked = roles
	}
	asked = append(asked, required...)
	_, beyond, err := p.resolve(ctx, asked, allowed, req.target.owner(id.Name()))
	if err != nil {
		return nil, err
	}
	if len(beyond) > 0 {
		return nil, invalidScope("not allowed for this client: " + strings.Join(beyond, " ") + " (see oauth_client_allowed_scopes)")
	}
	slices.Sort(asked)
	return slices.Compact(asked), nil
}

// resolve is rbac's ResolveRequested with the groups of the database, whose error spoils the answer.
func (p *Provider) resolve(ctx context.Context, requested, have []string, o rbac.Owner) (allowed, disallowed []string, err error) {
	var failed error
	allowed, disallowed = p.o.Catalog.ResolveRequested(requested, have, o, p.o.Access.GroupsOf(ctx, &failed))
	return allowed, disallowed, failed
}

// scopesOfRoles reads names as roles, as clients of JupyterHub 2 wrote them; nil when one of them is none.
func (p *Provider) scopesOfRoles(ctx context.Context, names []string) ([]string, error) {
	if slices.ContainsFunc(names, func(s string) bool { return !clean(s) }) {
		return nil, nil
	}
	roles, err := p.o.Store.RolesByName(ctx, names)
	if err != nil {
		return nil, err
	}
	scopes := []string{}
	for _, name := range names {
		if roles[name] == nil {
			return nil, nil
		}
		scopes = append(scopes, roles[name].Scopes...)
	}
	return scopes, nil
}

// grant limits the request to what the user holds in roles of their own and of their groups, as it is at this moment.
func (p *Provider) grant(ctx context.Context, id *hub.Identity, req *request) ([]string, error) {
	a, err := p.o.Store.AuthorityOfUser(ctx, id.User.ID)
	if err != nil {
		return nil, err
	}
	have := append(requiredScopes(req.target), "inherit")
	for _, role := range slices.Concat(a.Roles, a.GroupRoles) {
		have = append(have, role.Scopes...)
	}
	granted, left, err := p.resolve(ctx, req.scopes, have, req.target.owner(id.Name()))
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		p.o.Logger.WarnContext(ctx, "oauth client asked for more than the user holds", "client", req.client.Identifier, "user", id.Name(), "not_granted", left)
	}
	return granted, nil
}

// agreed are the scopes that the user left in the consent form, of those that were offered; what was added to the form counts for
// nothing. The required ones are not up for choice: a token without them could not even say whose it is.
func agreed(chosen, offered, required []string) []string {
	return slices.DeleteFunc(slices.Clone(offered), func(s string) bool {
		return !slices.Contains(chosen, s) && !slices.Contains(required, s)
	})
}
