package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
)

// Update changes name, admin flag or auth_state (PATCH /users/{user}), all or nothing. Forbidden when someone without the admin flag
// touches an admin or makes one; Invalid for a name that cannot be or is taken.
func (u *Users) Update(ctx context.Context, by *Identity, name string, p UserPatch) (*UserView, error) {
	user, err := u.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	if by != nil && !by.IsAdmin() && user.Admin {
		return nil, errorf(Forbidden, "Only admins can modify other admins").
			withHint("%s %s does not have the admin flag; scopes do not replace it", by.Kind(), by.Name())
	}
	if err := mayGrantAdmin(by, p.Admin != nil && *p.Admin); err != nil {
		return nil, err
	}
	cols, err := u.patch(ctx, user, p)
	if err != nil {
		return nil, err
	}
	if len(cols) > 0 {
		if err := u.save(ctx, user, cols, p.Admin != nil); err != nil {
			return nil, err
		}
		u.log.InfoContext(ctx, "user changed", "user", user.Name, "was", name, "columns", cols, "by", nameOf(by))
	}
	u.servers.Changed(name)
	if user.Name != name {
		u.rules.UserCreated(user.Name)
		u.servers.Changed(user.Name)
		if err := u.servers.Renamed(ctx, user, name); err != nil {
			return nil, fmt.Errorf("rename servers of user %q: %w", user.Name, err)
		}
	}
	return u.View(ctx, user)
}

func nameOf(by *Identity) string {
	if by == nil {
		return "hub"
	}
	return by.Name()
}

// patch puts p into user and returns the columns that change.
func (u *Users) patch(ctx context.Context, user *orm.User, p UserPatch) (cols []string, err error) {
	if p.Name != nil && *p.Name != user.Name {
		if user.Name, err = u.newName(ctx, *p.Name); err != nil {
			return nil, err
		}
		cols = append(cols, "name")
	}
	if p.Admin != nil {
		user.Admin = *p.Admin
		cols = append(cols, "admin")
	}
	if p.AuthState != nil {
		if user.EncryptedAuthState, err = u.states.Seal(*p.AuthState); err != nil {
			return nil, err
		}
		cols = append(cols, "encrypted_auth_state")
	}
	return cols, nil
}

// newName normalises and checks the name of a rename. Skipping that was GHSA-x7xh-7hc7-9436.
func (u *Users) newName(ctx context.Context, name string) (string, error) {
	normal := u.rules.Normalize(name)
	if err := u.rules.Validate(normal); err != nil {
		return "", errorf(Invalid, "Invalid username: %s", auth.ShortName(normal)).withHint("%s", err)
	}
	_, err := userByName(ctx, u.store, normal)
	switch {
	case err == nil:
		return "", nameTaken(normal)
	case !errors.Is(err, orm.ErrNotFound):
		return "", storeErr(err, "look up user")
	}
	return normal, nil
}

func nameTaken(name string) *Error {
	return errorf(Invalid, "User %s already exists, username must be unique", name)
}

func (u *Users) save(ctx context.Context, user *orm.User, cols []string, syncRoles bool) error {
	err := u.store.Tx(ctx, func(tx *orm.Store) error {
		if err := tx.UpdateUser(ctx, user, cols...); err != nil {
			return err
		}
		if !syncRoles {
			return nil
		}
		return syncDefaultRoles(ctx, tx, orm.HolderUser, user.ID, user.Admin)
	})
	if errors.Is(err, orm.ErrConflict) {
		return nameTaken(user.Name).because(err)
	}
	return notFound(err, "No such user: %s", user.Name)
}

// Delete stops a user's servers and deletes the user with everything they own. Nobody deletes themselves; Invalid then and while a
// server is stopping.
func (u *Users) Delete(ctx context.Context, by *Identity, name string) error {
	user, err := u.Find(ctx, name)
	if err != nil {
		return err
	}
	if by != nil && by.User != nil && by.User.ID == user.ID {
		return errorf(Invalid, "Cannot delete yourself!")
	}
	if err := u.servers.StopForDelete(ctx, user); err != nil {
		return err
	}
	if err := u.hooks.DeleteUser(ctx, auth.User{Name: user.Name, Admin: user.Admin}); err != nil {
		return fmt.Errorf("tell the authenticator that user %q is deleted: %w", user.Name, err)
	}
	if err := u.store.DeleteUser(ctx, user.ID); err != nil {
		return notFound(err, "No such user: %s", name)
	}
	u.rules.UserDeleted(user.Name)
	u.servers.ForgetUser(user.ID)
	u.states.Forget(user)
	u.servers.Changed(name)
	u.total(-1)
	u.log.InfoContext(ctx, "user deleted", "user", user.Name, "by", nameOf(by))
	return nil
}
