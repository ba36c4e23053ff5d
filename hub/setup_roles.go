package hub

import (
	"context"
	"slices"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// roleSpecs are the roles of the configuration and of the authenticator, the latter marked.
func (s *Setup) roleSpecs() []rbac.Role {
	specs := slices.Clone(s.specs.LoadRoles)
	if s.specs.ManageRoles {
		for _, role := range s.specs.ManagedRoles {
			role.Managed = true
			specs = append(specs, role)
		}
	}
	return specs
}

// loadRoles makes the roles of the database those of the configuration, the authenticator and the defaults.
func (s *Setup) loadRoles(ctx context.Context) error {
	wanted, warnings, err := s.catalog.MergeRoles(s.roleSpecs(), s.specs.ExtraUserScopes)
	for _, text := range warnings {
		s.log.WarnContext(ctx, "role configuration: "+text)
	}
	if err != nil {
		return err
	}
	err = s.store.Tx(ctx, func(tx *orm.Store) error {
		stored, err := tx.Roles(ctx)
		if err != nil {
			return err
		}
		if len(stored) == 0 {
			users, err := tx.CountUsers(ctx)
			if err != nil {
				return err
			}
			s.upgrade = users > 0
		}
		stored, err = s.dropRoles(ctx, tx, stored, wanted)
		if err != nil {
			return err
		}
		return s.saveRoles(ctx, tx, stored, wanted)
	})
	return storeErr(err, "load roles")
}

// dropRoles deletes roles that are no longer configured and returns the others.
func (s *Setup) dropRoles(ctx context.Context, tx *orm.Store, stored []orm.Role, wanted []rbac.Role) ([]orm.Role, error) {
	configured, managed := map[string]bool{}, map[string]bool{}
	for _, role := range wanted {
		if role.Managed {
			managed[role.Name] = true
		} else {
			configured[role.Name] = true
		}
	}
	var kept []orm.Role
	for _, row := range stored {
		drop := !row.ManagedByAuth && !configured[row.Name] || row.ManagedByAuth && s.specs.ResetManagedRoles && !managed[row.Name]
		if !drop {
			kept = append(kept, row)
			continue
		}
		s.log.WarnContext(ctx, "role deleted, it is not in the configuration any more", "role", row.Name)
		if err := tx.DeleteRole(ctx, row.ID); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (s *Setup) saveRoles(ctx context.Context, tx *orm.Store, stored []orm.Role, wanted []rbac.Role) error {
	for _, role := range wanted {
		i := slices.IndexFunc(stored, func(row orm.Role) bool { return row.Name == role.Name })
		if i < 0 {
			row := orm.Role{Name: role.Name, Description: role.Description, Scopes: role.Scopes, ManagedByAuth: role.Managed}
			if err := tx.CreateRole(ctx, &row); err != nil {
				return err
			}
			s.log.DebugContext(ctx, "role created", "role", role.Name)
			continue
		}
		row := stored[i]
		if gained := role.Gained(row.Scopes); len(gained) > 0 {
			s.log.WarnContext(ctx, "role has gained scopes", "role", role.Name, "scopes", gained)
		}
		if row.Description == role.Description && slices.Equal([]string(row.Scopes), role.Scopes) {
			continue
		}
		row.Description, row.Scopes = role.Description, append(orm.JSONList{}, role.Scopes...)
		if err := tx.UpdateRole(ctx, &row, "description", "scopes"); err != nil {
			return err
		}
	}
	return nil
}
