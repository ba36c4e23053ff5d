package hub

import (
	"context"
	"slices"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// saveClient registers the OAuth client of a service, or deletes the one that it no longer has.
func (r *ServiceRows) saveClient(ctx context.Context, tx *orm.Store, row *orm.Service, spec ServiceSpec, secret string) (redirect string, err error) {
	old := row.OAuthClientID
	id := spec.clientID()
	if old != nil && (!spec.oauth() || *old != id) {
		r.log.WarnContext(ctx, "deleting the unused oauth client of a service", "service", spec.Name, "client", *old)
		if err := tx.DeleteOAuthClient(ctx, *old); err != nil {
			return "", err
		}
		row.OAuthClientID = nil
	}
	if !spec.oauth() {
		return "", nil
	}
	_, _, other, err := tx.OwnerOfClient(ctx, id)
	if err != nil {
		return "", err
	}
	if other != "" && other != spec.Name {
		return "", errorf(Invalid, "oauth_client_id %s belongs to service %s already", id, other)
	}
	redirect = spec.OAuthRedirectURI
	if redirect == "" {
		redirect = r.Host(spec.Name) + urlpath.Join(r.Prefix(spec.Name), "oauth_callback")
	}
	scopes, err := r.clientScopes(ctx, tx, spec)
	if err != nil {
		return "", err
	}
	client := &orm.OAuthClient{Identifier: id, Description: "JupyterHub service " + spec.Name, RedirectURI: redirect, AllowedScopes: scopes}
	if client.Secret, err = clientSecret(ctx, tx, id, secret); err != nil {
		return "", err
	}
	if err := tx.SaveOAuthClient(ctx, client); err != nil {
		return "", err
	}
	row.OAuthClientID = &id
	return redirect, nil
}

// Host returns scheme://host of a service that has a subdomain, "" when services are on the hub's own host.
func (r *ServiceRows) Host(name string) string {
	if r.o.HostOf == nil {
		return ""
	}
	return r.o.HostOf(name)
}

// clientSecret hashes a secret, unless the stored hash is of the same one; "" is no secret, with which no client can log in.
func clientSecret(ctx context.Context, tx *orm.Store, id, secret string) (string, error) {
	if secret == "" {
		return "", nil
	}
	stored, err := tx.OAuthClient(ctx, id)
	if err == nil && orm.VerifyToken(stored.Secret, secret) {
		return stored.Secret, nil
	}
	return orm.HashToken(secret, orm.SuppliedRounds), ignoreMissing(err)
}

// clientScopes is what a service's OAuth tokens may have at most: its oauth_client_allowed_scopes, or else those of its oauth_roles, and
// access to itself.
func (r *ServiceRows) clientScopes(ctx context.Context, tx *orm.Store, spec ServiceSpec) (orm.JSONList, error) {
	scopes := slices.Clone(spec.OAuthClientAllowedScopes)
	if len(spec.OAuthRoles) > 0 {
		if len(scopes) > 0 {
			r.log.WarnContext(ctx, "oauth_roles of a service are ignored, it has oauth_client_allowed_scopes", "service", spec.Name)
		} else {
			rows, err := tx.RolesByName(ctx, spec.OAuthRoles)
			if err != nil {
				return nil, err
			}
			for _, name := range spec.OAuthRoles {
				if rows[name] == nil {
					r.log.WarnContext(ctx, "oauth_roles of a service names a role that does not exist", "service", spec.Name, "role", name)
					continue
				}
				scopes = append(scopes, rows[name].Scopes...)
			}
		}
	}
	scopes = append(scopes, rbac.AccessScopes(rbac.Owner{ClientService: spec.Name})...)
	return slices.Compact(slices.Sorted(slices.Values(scopes))), nil
}
