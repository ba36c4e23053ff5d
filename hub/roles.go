package hub

import (
	"context"
	"fmt"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// syncDefaultRoles gives a user or service the roles that follow from what they are: "user" for every user, "admin" for exactly
// those with the admin flag. Inside a transaction.
func syncDefaultRoles(ctx context.Context, tx *orm.Store, kind orm.RoleHolder, id int64, admin bool) error {
	roles, err := tx.RolesByName(ctx, []string{rbac.RoleUser, rbac.RoleAdmin})
	if err != nil {
		return err
	}
	for _, name := range []string{rbac.RoleUser, rbac.RoleAdmin} {
		if roles[name] == nil {
			return fmt.Errorf("assign default roles: role %q is not in the database: restart the hub to create it", name)
		}
	}
	ids := []int64{id}
	if kind == orm.HolderUser {
		if err := tx.Grant(ctx, kind, ids, roles[rbac.RoleUser].ID, false); err != nil {
			return err
		}
	}
	if admin {
		return tx.Grant(ctx, kind, ids, roles[rbac.RoleAdmin].ID, false)
	}
	return tx.Strip(ctx, kind, ids, roles[rbac.RoleAdmin].ID)
}

// grantDefaultRoles gives new users the roles "user" and, for admins, "admin", in one statement each. Inside a transaction.
func grantDefaultRoles(ctx context.Context, tx *orm.Store, ids []int64, admin bool) error {
	names := []string{rbac.RoleUser}
	if admin {
		names = append(names, rbac.RoleAdmin)
	}
	roles, err := tx.RolesByName(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if roles[name] == nil {
			return fmt.Errorf("assign default roles: role %q is not in the database: restart the hub to create it", name)
		}
		if err := tx.Grant(ctx, orm.HolderUser, ids, roles[name].ID, false); err != nil {
			return err
		}
	}
	return nil
}

// holderIDs returns the ids of users, groups or services in the order of their names, and the names that do not exist.
func holderIDs(ctx context.Context, tx *orm.Store, kind orm.RoleHolder, names []string) (ids []int64, missing []string, err error) {
	found := map[string]int64{}
	switch kind {
	case orm.HolderUser:
		rows, e := tx.UsersByName(ctx, names)
		for name, row := range rows {
			found[name] = row.ID
		}
		err = e
	case orm.HolderGroup:
		rows, e := tx.GroupsByName(ctx, names)
		for name, row := range rows {
			found[name] = row.ID
		}
		err = e
	case orm.HolderService:
		rows, e := tx.Services(ctx)
		for _, row := range rows {
			found[row.Name] = row.ID
		}
		err = e
	}
	for _, name := range names {
		if id, ok := found[name]; ok {
			ids = append(ids, id)
		} else {
			missing = append(missing, name)
		}
	}
	return ids, missing, err
}

// roleScopes returns the raw scopes of roles together; Invalid "No such role: ..." for the first that does not exist.
func roleScopes(ctx context.Context, store *orm.Store, names []string) ([]string, error) {
	rows, err := store.RolesByName(ctx, names)
	if err != nil {
		return nil, storeErr(err, "find roles")
	}
	scopes := []string{}
	for _, name := range names {
		row := rows[name]
		if row == nil {
			return nil, errorf(Invalid, "No such role: %s", name)
		}
		scopes = append(scopes, row.Scopes...)
	}
	return scopes, nil
}
