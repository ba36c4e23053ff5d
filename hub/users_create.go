package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// mayGrantAdmin is the rule that holding admin:users does not make anybody an admin (GHSA-9x4q-3gxw-849f): only those with the admin
// flag grant it. by nil is the hub itself.
func mayGrantAdmin(by *Identity, wanted bool) error {
	if !wanted || by == nil || by.IsAdmin() {
		return nil
	}
	return errorf(Forbidden, "Only admins can grant admin permissions").
		withHint("%s %s does not have the admin flag; scopes do not replace it", by.Kind(), by.Name())
}

// Create makes several users (POST /users), all or none of those that do not exist yet. Conflict when all exist, Invalid for names
// that cannot be, Forbidden when admin is asked for by someone who is none.
func (u *Users) Create(ctx context.Context, by *Identity, names []string, admin bool) ([]UserView, error) {
	if len(names) == 0 {
		return nil, errorf(Invalid, "Must specify at least one user to create")
	}
	if err := mayGrantAdmin(by, admin); err != nil {
		return nil, err
	}
	wanted, err := u.normalAll(names)
	if err != nil {
		return nil, err
	}
	existing, err := u.store.UsersByName(ctx, wanted)
	if err != nil {
		return nil, storeErr(err, "look up users")
	}
	var missing []string
	for _, name := range wanted {
		if existing[name] == nil {
			missing = append(missing, name)
		} else {
			u.log.WarnContext(ctx, "user exists already", "user", name)
		}
	}
	if len(missing) == 0 {
		return nil, errorf(Conflict, "All %d users already exist", len(names))
	}
	rows, err := u.insert(ctx, missing, admin)
	if errors.Is(err, orm.ErrConflict) {
		return nil, errorf(Conflict, "One of the users was created by someone else at the same time").because(err)
	}
	if err != nil {
		return nil, err
	}
	u.total(len(rows))
	return u.views(ctx, rows)
}

// normalAll returns names normalised and without repetitions.
func (u *Users) normalAll(names []string) ([]string, error) {
	var valid, bad, reasons []string
	seen := map[string]bool{}
	for _, name := range names {
		normal := u.rules.Normalize(name)
		if seen[normal] {
			continue
		}
		seen[normal] = true
		if err := u.rules.Validate(normal); err != nil {
			bad = append(bad, auth.ShortName(normal))
			reasons = append(reasons, fmt.Sprintf("%q: %s", auth.ShortName(normal), err))
			continue
		}
		valid = append(valid, normal)
	}
	switch len(bad) {
	case 0:
		return valid, nil
	case 1:
		return nil, errorf(Invalid, "Invalid username: %s", bad[0]).withHint("%s", reasons[0])
	}
	return nil, errorf(Invalid, "Invalid usernames: %s", strings.Join(bad, ", ")).withHint("%s", strings.Join(reasons, "; "))
}

// CreateOne makes one user (POST /users/{user}); of the patch only Admin counts. The name is normalised, unlike in JupyterHub, where
// a user in upper case could never log in.
func (u *Users) CreateOne(ctx context.Context, by *Identity, name string, p UserPatch) (*UserView, error) {
	admin := p.Admin != nil && *p.Admin
	if err := mayGrantAdmin(by, admin); err != nil {
		return nil, err
	}
	normal := u.rules.Normalize(name)
	if normal != name && by != nil {
		// The route was checked for the name in the URL; a filtered admin:users must hold for the user that is really made.
		if by.Scopes.Check(rbac.Target{Kind: rbac.KindUser, User: normal}, "admin:users") != rbac.Granted {
			return nil, errorf(NotFound, "No access to resources or resources not found")
		}
	}
	_, err := userByName(ctx, u.store, normal)
	if err == nil {
		return nil, errorf(Conflict, "User %s already exists", normal)
	}
	if !errors.Is(err, orm.ErrNotFound) {
		return nil, storeErr(err, "look up user")
	}
	if err := u.rules.Validate(normal); err != nil {
		return nil, errorf(Invalid, "Invalid username: %s", auth.ShortName(normal)).withHint("%s", err)
	}
	rows, err := u.insert(ctx, []string{normal}, admin)
	if errors.Is(err, orm.ErrConflict) {
		return nil, errorf(Conflict, "User %s already exists", normal).because(err)
	}
	if err != nil {
		return nil, err
	}
	u.total(1)
	return u.View(ctx, &rows[0])
}

// Ensure returns the user of that name, created with the default roles when missing (login, configuration). The name must be
// normalised; an impossible one is Invalid.
func (u *Users) Ensure(ctx context.Context, name string) (user *orm.User, created bool, err error) {
	for range 2 {
		user, err = userByName(ctx, u.store, name)
		if err == nil {
			return user, false, nil
		}
		if !errors.Is(err, orm.ErrNotFound) {
			return nil, false, storeErr(err, "look up user")
		}
		if err := u.rules.Validate(name); err != nil {
			return nil, false, errorf(Invalid, "Invalid username: %s", auth.ShortName(name)).withHint("%s", err)
		}
		rows, err := u.insert(ctx, []string{name}, false)
		if err == nil {
			u.total(1)
			return &rows[0], true, nil
		}
		if !errors.Is(err, orm.ErrConflict) {
			return nil, false, err
		}
		// Another request or process was faster: take its row.
	}
	return nil, false, storeErr(err, "create user %q", name)
}

// insert creates users with their default roles and tells the authenticator. When it refuses one, none is created. The hook runs
// outside of the transaction, for it may take long (creating a system user). The caller counts the users.
func (u *Users) insert(ctx context.Context, names []string, admin bool) ([]orm.User, error) {
	rows := make([]*orm.User, len(names))
	ids := make([]int64, len(names))
	err := u.store.Tx(ctx, func(tx *orm.Store) error {
		for i, name := range names {
			rows[i] = &orm.User{Name: name, Admin: admin}
		}
		if err := tx.CreateUsers(ctx, rows); err != nil {
			return err
		}
		for i, row := range rows {
			ids[i] = row.ID
		}
		return grantDefaultRoles(ctx, tx, ids, admin)
	})
	if err != nil {
		return nil, storeErr(err, "create users")
	}
	for i, row := range rows {
		if err := u.added(ctx, row); err != nil {
			u.undoInsert(ctx, rows, i)
			u.log.ErrorContext(ctx, "authenticator refused a new user", "user", row.Name, "err", err)
			return nil, errorf(Invalid, "Failed to create user %s: %s", row.Name, err).because(err)
		}
	}
	out := make([]orm.User, len(rows))
	for i, row := range rows {
		u.log.InfoContext(ctx, "user created", "user", row.Name, "admin", row.Admin)
		u.servers.Changed(row.Name)
		out[i] = *row
	}
	return out, nil
}

// added tells rules and authenticator that the database has this user.
func (u *Users) added(ctx context.Context, row *orm.User) error {
	if err := u.hooks.AddUser(ctx, auth.User{Name: row.Name, Admin: row.Admin}); err != nil {
		return err
	}
	u.rules.UserCreated(row.Name)
	return nil
}

// undoInsert deletes rows again; the authenticator had accepted the first n.
func (u *Users) undoInsert(ctx context.Context, rows []*orm.User, n int) {
	ctx = context.WithoutCancel(ctx) // half of a creation must not stay because the client went away
	for i, row := range rows {
		if i < n {
			u.rules.UserDeleted(row.Name)
			if err := u.hooks.DeleteUser(ctx, auth.User{Name: row.Name, Admin: row.Admin}); err != nil {
				u.log.ErrorContext(ctx, "authenticator cannot forget a user that could not be created", "user", row.Name, "err", err)
			}
		}
		if err := u.store.DeleteUser(ctx, row.ID); err != nil && !errors.Is(err, orm.ErrNotFound) {
			u.log.ErrorContext(ctx, "cannot delete a user that could not be created", "user", row.Name, "err", err)
		}
	}
}
