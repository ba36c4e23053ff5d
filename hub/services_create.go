package hub

import (
	"context"
	"errors"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Create makes a service through the API. Such a service runs elsewhere: Invalid with a command. by must hold what the service is given:
// everything of an admin for admin, and the scopes that its OAuth tokens may have. Conflict when the name is taken. An api_token that
// exists already stays as it is.
func (r *ServiceRows) Create(ctx context.Context, by *Identity, spec ServiceSpec) (*ConfiguredService, error) {
	if len(spec.Command) > 0 || spec.Managed != nil && *spec.Managed {
		return nil, errorf(Invalid, "Can not create managed service %s at runtime", cut(spec.Name, 64)).
			withHint("define it in JupyterHub.services, or leave command out and run it yourself")
	}
	_, err := r.o.Store.ServiceByName(ctx, spec.Name)
	if err == nil {
		return nil, errorf(Conflict, "Service %s already exists", spec.Name)
	}
	if !errors.Is(err, orm.ErrNotFound) {
		return nil, storeErr(err, "look up service")
	}
	if err := r.Check(spec); err != nil {
		return nil, errorf(Invalid, "Failed to create service %s: %s", cut(spec.Name, 64), err).because(err)
	}
	if err := r.mayCreate(ctx, by, spec); err != nil {
		return nil, err
	}
	if spec.APIToken != "" {
		if err := checkTokenLength(spec.APIToken); err != nil {
			return nil, err // before anything is written
		}
	}
	out, err := r.Save(ctx, spec, false)
	if err != nil || spec.APIToken == "" {
		return out, err
	}
	if err := r.register(ctx, out.Row.ID, spec.APIToken); err != nil {
		return nil, errors.Join(err, r.o.Store.DeleteService(context.WithoutCancel(ctx), out.Row.ID))
	}
	r.log.InfoContext(ctx, "service created", "service", spec.Name, "by", nameOf(by))
	return out, nil
}

func (r *ServiceRows) mayCreate(ctx context.Context, by *Identity, spec ServiceSpec) error {
	if by == nil {
		return nil
	}
	wanted := append([]string{}, spec.OAuthClientAllowedScopes...)
	if spec.Admin {
		for _, role := range rbac.DefaultRoles(nil) {
			if role.Name == rbac.RoleAdmin {
				wanted = append(wanted, role.Scopes...)
			}
		}
	}
	// oauth_roles would be a way around: their scopes count like the others.
	if len(spec.OAuthClientAllowedScopes) == 0 && len(spec.OAuthRoles) > 0 {
		scopes, err := roleScopes(ctx, r.o.Store, spec.OAuthRoles)
		if err != nil {
			return err
		}
		wanted = append(wanted, scopes...)
	}
	return r.o.Tokens.CheckScopes(ctx, by, wanted)
}

func (r *ServiceRows) register(ctx context.Context, serviceID int64, token string) error {
	existing, err := r.o.Tokens.Lookup(ctx, token)
	if err != nil || existing != nil {
		return err
	}
	scopes, err := r.o.Tokens.DefaultScopes(ctx)
	if err != nil {
		return err
	}
	note := configNote
	_, err = r.o.Tokens.Register(ctx, orm.APIToken{ServiceID: &serviceID, Note: &note}, token, false, scopes)
	return err
}
