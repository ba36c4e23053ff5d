package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// apply writes what an authenticator said about a user, all or nothing, and leaves the new row in *user.
func (l *Logins) apply(ctx context.Context, user *orm.User, m *auth.Model, refreshing bool) error {
	state, err := l.reconcile(ctx, user, m)
	if err != nil {
		return err
	}
	// nil would leave group membership to whoever edited it last, although the configuration says that the authenticator decides.
	if l.o.Traits.ManageGroups && m.Groups == nil && !refreshing {
		return &Error{Kind: Failed, Message: "Login failed, ask an administrator",
			Hint: "Authenticator.manage_groups is set, but " + l.o.Authenticator.Name() + " gave no groups: unset it, or use an authenticator that does"}
	}
	err = l.o.Store.Tx(ctx, func(tx *orm.Store) error { return l.applyTx(ctx, tx, user, m, state) })
	if errors.Is(err, orm.ErrNotFound) {
		return errorf(NotFound, "No such user: %s", user.Name).because(err)
	}
	return storeErr(err, "apply login of user %q", user.Name)
}

// reconcile returns the auth_state to store, encrypted; nil when it is not enabled, which clears what is there.
func (l *Logins) reconcile(ctx context.Context, user *orm.User, m *auth.Model) ([]byte, error) {
	if !l.o.Traits.EnableAuthState {
		return nil, nil
	}
	state := m.AuthState
	if hook := l.o.Traits.ReconcileAuthState; hook != nil {
		existing, err := l.AuthState(ctx, user)
		if err != nil {
			return nil, err
		}
		if state, err = hook(ctx, m, existing); err != nil {
			return nil, fmt.Errorf("run Authenticator.reconcile_auth_state_hook: %w", err)
		}
	}
	return l.Seal(state)
}

func (l *Logins) applyTx(ctx context.Context, tx *orm.Store, user *orm.User, m *auth.Model, state []byte) error {
	row, err := tx.User(ctx, user.ID)
	if err != nil {
		return err
	}
	changed := []string{}
	if m.Admin != nil && *m.Admin != row.Admin {
		row.Admin = *m.Admin
		changed = append(changed, "admin")
	}
	if m.UserInfo != nil {
		row.UserInfo = m.UserInfo
		changed = append(changed, "user_info")
	}
	if !slices.Equal(row.EncryptedAuthState, state) {
		row.EncryptedAuthState = state
		changed = append(changed, "encrypted_auth_state")
	}
	if len(changed) > 0 {
		if err := tx.UpdateUser(ctx, row, changed...); err != nil {
			return err
		}
	}
	if err := syncDefaultRoles(ctx, tx, orm.HolderUser, row.ID, row.Admin); err != nil {
		return err
	}
	if l.o.Traits.ManageGroups && m.Groups != nil {
		if err := l.syncGroups(ctx, tx, row, *m.Groups); err != nil {
			return err
		}
	}
	if l.o.Traits.ManageRoles && m.Roles != nil {
		if err := l.syncRoles(ctx, tx, row, *m.Roles); err != nil {
			return err
		}
	}
	*user = *row
	return nil
}

// syncGroups makes the user a member of exactly these groups and creates those that are missing. Groups that become empty stay.
func (l *Logins) syncGroups(ctx context.Context, tx *orm.Store, user *orm.User, names []string) error {
	current, err := tx.GroupNamesOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return err
	}
	wanted := slices.Compact(slices.Sorted(slices.Values(names)))
	if slices.Equal(wanted, current[user.ID]) {
		return nil
	}
	ids, err := ensureGroups(ctx, tx, wanted)
	if err != nil {
		return err
	}
	l.log.InfoContext(ctx, "groups of user changed by the authenticator", "user", user.Name, "before", current[user.ID], "groups", wanted)
	return tx.SetUserGroups(ctx, user.ID, ids)
}

// ensureGroups returns the ids of groups, created where missing.
func ensureGroups(ctx context.Context, tx *orm.Store, names []string) ([]int64, error) {
	found, err := tx.GroupsByName(ctx, names)
	if err != nil {
		return nil, err
	}
	var missing []*orm.Group
	for _, name := range names {
		if found[name] != nil {
			continue
		}
		if err := auth.ValidateGroupName(name); err != nil {
			return nil, errorf(Invalid, "Invalid group name %q: %s", auth.ShortName(name), err)
		}
		group := &orm.Group{Name: name, Properties: orm.JSONDict{}}
		found[name] = group
		missing = append(missing, group)
	}
	if len(missing) > 0 {
		if err := tx.CreateGroups(ctx, missing); err != nil {
			return nil, err
		}
	}
	ids := make([]int64, 0, len(names))
	for _, name := range names {
		ids = append(ids, found[name].ID)
	}
	return ids, nil
}

// syncRoles makes the user's own roles exactly these: roles are created or updated, other ones are taken away ("user" and "admin"
// included, as in JupyterHub), and managed roles that nobody holds any more are deleted.
func (l *Logins) syncRoles(ctx context.Context, tx *orm.Store, user *orm.User, wanted []auth.ManagedRole) error {
	stored, err := tx.Roles(ctx)
	if err != nil {
		return err
	}
	byName := make(map[string]*orm.Role, len(stored))
	for i := range stored {
		byName[stored[i].Name] = &stored[i]
	}
	own, err := tx.RoleNamesOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return err
	}
	ids := make([]int64, 0, len(wanted))
	keep := map[string]bool{}
	for _, name := range l.o.Traits.KeepRoles {
		keep[name] = true
	}
	for _, role := range wanted {
		row, err := l.saveManagedRole(ctx, tx, byName[role.Name], role)
		if err != nil {
			return err
		}
		byName[role.Name] = row
		ids = append(ids, row.ID)
		keep[role.Name] = true
	}
	if err := tx.SetRoles(ctx, orm.HolderUser, user.ID, ids, true); err != nil {
		return err
	}
	for _, name := range own[user.ID] {
		if role := byName[name]; !keep[name] && role != nil && role.ManagedByAuth {
			if err := deleteIfUnheld(ctx, tx, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveManagedRole creates or updates a role that the authenticator manages, and its members where it lists them. A role that cannot
// exist is Conflict, as in JupyterHub.
func (l *Logins) saveManagedRole(ctx context.Context, tx *orm.Store, row *orm.Role, role auth.ManagedRole) (*orm.Role, error) {
	if err := checkManagedRole(l.o.Users.catalog, role); err != nil {
		return nil, err
	}
	if row == nil {
		row = &orm.Role{Name: role.Name, Description: role.Description, Scopes: role.Scopes, ManagedByAuth: true}
		if err := tx.CreateRole(ctx, row); err != nil {
			return nil, err
		}
	} else if err := updateManagedRole(ctx, tx, row, role); err != nil {
		return nil, err
	}
	for _, m := range []struct {
		kind  orm.RoleHolder
		names *[]string
	}{{orm.HolderUser, role.Users}, {orm.HolderGroup, role.Groups}, {orm.HolderService, role.Services}} {
		if m.names == nil {
			continue
		}
		ids, missing, err := holderIDs(ctx, tx, m.kind, *m.names)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			l.log.WarnContext(ctx, "managed role names members that do not exist", "role", role.Name, "kind", string(m.kind), "missing", missing)
		}
		if err := tx.SetHolders(ctx, m.kind, row.ID, ids, true); err != nil {
			return nil, err
		}
	}
	return row, nil
}

func checkManagedRole(catalog *rbac.Catalog, role auth.ManagedRole) error {
	err := rbac.CheckRoleName(role.Name)
	if err == nil {
		err = catalog.Check(role.Scopes)
	}
	if err == nil && role.Name == rbac.RoleAdmin {
		_, _, err = catalog.MergeRoles([]rbac.Role{{Name: role.Name, Description: role.Description, Scopes: role.Scopes}}, nil)
	}
	if err != nil {
		return errorf(Conflict, "The authenticator's role %q cannot be used: %s", role.Name, err).because(err)
	}
	return nil
}

// updateManagedRole changes what the authenticator mentions; what it leaves out stays.
func updateManagedRole(ctx context.Context, tx *orm.Store, row *orm.Role, role auth.ManagedRole) error {
	var cols []string
	if role.Description != "" && role.Description != row.Description {
		row.Description = role.Description
		cols = append(cols, "description")
	}
	if len(role.Scopes) > 0 && !slices.Equal(role.Scopes, []string(row.Scopes)) {
		row.Scopes = role.Scopes
		cols = append(cols, "scopes")
	}
	if len(cols) == 0 {
		return nil
	}
	return tx.UpdateRole(ctx, row, cols...)
}

func deleteIfUnheld(ctx context.Context, tx *orm.Store, role *orm.Role) error {
	for _, kind := range []orm.RoleHolder{orm.HolderUser, orm.HolderGroup, orm.HolderService} {
		holders, err := tx.RoleHolders(ctx, role.ID, kind)
		if err != nil || len(holders) > 0 {
			return err
		}
	}
	return tx.DeleteRole(ctx, role.ID)
}
