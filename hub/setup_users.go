package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/minihub/minihub/orm"
)

// loadUsers creates admin_users and allowed_users and tells the authenticator of everybody in the database.
func (s *Setup) loadUsers(ctx context.Context) error {
	for _, text := range s.rules.Warnings() {
		s.log.WarnContext(ctx, text)
	}
	admins := s.rules.AdminUsers()
	known, err := s.store.UsersByName(ctx, slices.Concat(admins, s.rules.AllowedUsers()))
	if err != nil {
		return storeErr(err, "look up configured users")
	}
	err = s.store.Tx(ctx, func(tx *orm.Store) error { return s.createConfigured(ctx, tx, admins, known) })
	if err != nil {
		return storeErr(err, "create configured users")
	}
	return s.announceUsers(ctx)
}

func (s *Setup) createConfigured(ctx context.Context, tx *orm.Store, admins []string, known map[string]*orm.User) error {
	var newAdmins, newUsers []*orm.User
	for _, name := range admins {
		user := known[name]
		if user == nil {
			user = &orm.User{Name: name, Admin: true}
			known[name] = user
			newAdmins = append(newAdmins, user)
			continue
		}
		if !user.Admin {
			user.Admin = true
			if err := tx.UpdateUser(ctx, user, "admin"); err != nil {
				return err
			}
		}
	}
	for _, name := range s.rules.AllowedUsers() {
		if known[name] == nil {
			user := &orm.User{Name: name}
			known[name] = user
			newUsers = append(newUsers, user)
		}
	}
	for _, group := range []struct {
		rows  []*orm.User
		admin bool
	}{{newAdmins, true}, {newUsers, false}} {
		if len(group.rows) == 0 {
			continue
		}
		if err := tx.CreateUsers(ctx, group.rows); err != nil {
			return err
		}
		ids := make([]int64, len(group.rows))
		for i, row := range group.rows {
			ids[i] = row.ID
		}
		if err := grantDefaultRoles(ctx, tx, ids, group.admin); err != nil {
			return err
		}
	}
	return nil
}

// announceUsers calls the authenticator's add_user for everybody who is not blocked, so that allowed_users follows the database. Those
// whom it refuses are logged, or deleted with delete_invalid_users. Rows of old databases get a creation time.
// Where nothing but the log depends on it, checkNames does it while the hub serves: a start must not grow with the number of users.
func (s *Setup) announceUsers(ctx context.Context) error {
	var invalid []*orm.User
	if !s.quietUsers() {
		var err error
		if invalid, err = s.refusedUsers(ctx); err != nil {
			return err
		}
	}
	undated, err := s.store.UndatedUsers(ctx)
	if err != nil {
		return storeErr(err, "list users without creation time")
	}
	if len(undated) == 0 && (len(invalid) == 0 || !s.specs.DeleteInvalidUsers) {
		return nil
	}
	return s.store.Tx(ctx, func(tx *orm.Store) error {
		for i := range undated {
			user := &undated[i]
			if user.Created = user.LastActivity; user.Created == nil {
				now := time.Now().UTC()
				user.Created = &now
			}
			if err := tx.UpdateUser(ctx, user, "created"); err != nil {
				return storeErr(err, "set creation time of user %q", user.Name)
			}
		}
		if !s.specs.DeleteInvalidUsers {
			return nil
		}
		for _, user := range invalid {
			s.log.WarnContext(ctx, "deleting invalid user", "user", user.Name)
			if err := tx.DeleteUser(ctx, user.ID); err != nil {
				return storeErr(err, "delete invalid user %q", user.Name)
			}
		}
		return nil
	})
}

// quietUsers reports whether nobody learns from being told of all users: neither authenticator nor rules, and none is to be deleted.
func (s *Setup) quietUsers() bool {
	_, none := s.users.hooks.(noHooks)
	return none && !s.rules.FollowsUsers() && !s.specs.DeleteInvalidUsers
}

// refusedUsers tells the authenticator of everybody and returns those whom it refuses. An authenticator's code may take its time, and use
// the database, so no statement is open meanwhile.
func (s *Setup) refusedUsers(ctx context.Context) (invalid []*orm.User, err error) {
	var users []*orm.User
	err = s.store.UserNames(ctx, func(id int64, name string, admin bool) error {
		if !s.rules.Blocked(name) {
			users = append(users, &orm.User{ID: id, Name: name, Admin: admin})
		}
		return nil
	})
	if err != nil {
		return nil, storeErr(err, "list users")
	}
	for _, user := range users {
		if err := s.announce(ctx, user); err != nil {
			s.refused(ctx, user.Name, err)
			invalid = append(invalid, user)
		}
	}
	return invalid, nil
}

func (s *Setup) refused(ctx context.Context, name string, err error) {
	s.log.ErrorContext(ctx, "authenticator refuses a user of the database", "user", name, "err", err,
		"way_out", "Authenticator.delete_invalid_users = True deletes such users")
}

// checkNames logs users of the database whose names the authenticator refuses, where announceUsers left that for later.
func (s *Setup) checkNames(ctx context.Context) error {
	if !s.quietUsers() {
		return nil
	}
	err := s.store.UserNames(ctx, func(_ int64, name string, _ bool) error {
		if err := s.rules.Validate(name); err != nil && !s.rules.Blocked(name) {
			s.refused(ctx, name, err)
		}
		return nil
	})
	return storeErr(err, "list users")
}

// announce is JupyterHub's add_user: the default one checks the name too.
func (s *Setup) announce(ctx context.Context, user *orm.User) error {
	if err := s.rules.Validate(user.Name); err != nil {
		return err
	}
	return s.users.added(ctx, user)
}

// ensureUsers returns the ids of users in the order of their names, which are normalised and created when missing. where names the
// configuration entry.
func (s *Setup) ensureUsers(ctx context.Context, where string, names []string) ([]int64, error) {
	normal, err := s.userNames(where, names)
	if err != nil {
		return nil, err
	}
	known, err := s.store.UsersByName(ctx, normal)
	if err != nil {
		return nil, storeErr(err, "look up users of %s", where)
	}
	var missing []string
	for _, name := range normal {
		if known[name] == nil {
			missing = append(missing, name)
		}
	}
	made := map[string]int64{}
	if len(missing) > 0 {
		s.log.InfoContext(ctx, "creating users found in the configuration", "users", missing, "where", where)
		rows, err := s.users.insert(ctx, missing, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		for _, row := range rows {
			made[row.Name] = row.ID
		}
	}
	ids := make([]int64, 0, len(normal))
	for _, name := range normal {
		if row := known[name]; row != nil {
			ids = append(ids, row.ID)
		} else {
			ids = append(ids, made[name])
		}
	}
	return ids, nil
}

// loadGroups creates the groups of load_groups, adds their members and replaces their properties. Nobody is removed.
func (s *Setup) loadGroups(ctx context.Context) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(s.specs.LoadGroups)) {
		where := fmt.Sprintf("JupyterHub.load_groups[%q]", name)
		spec := s.specs.LoadGroups[name]
		ids, err := s.ensureUsers(ctx, where, spec.Users)
		if err == nil {
			err = s.saveGroup(ctx, name, spec, ids)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (s *Setup) saveGroup(ctx context.Context, name string, spec GroupSpec, members []int64) error {
	err := s.store.Tx(ctx, func(tx *orm.Store) error {
		ids, err := ensureGroups(ctx, tx, []string{name})
		if err != nil {
			return err
		}
		if len(members) > 0 {
			if err := tx.AddToGroup(ctx, ids[0], members); err != nil {
				return err
			}
		}
		if spec.Properties == nil {
			return nil
		}
		return tx.UpdateGroup(ctx, &orm.Group{ID: ids[0], Properties: spec.Properties}, "properties")
	})
	return storeErr(err, "load group %q", name)
}

// strikeBlocked takes admin flag, roles and groups from blocked users. Their tokens stay and can do nothing.
func (s *Setup) strikeBlocked(ctx context.Context) error {
	rows, err := s.store.UsersByName(ctx, s.rules.BlockedUsers())
	if err != nil {
		return storeErr(err, "look up blocked users")
	}
	err = s.store.Tx(ctx, func(tx *orm.Store) error {
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			row := rows[name]
			s.log.WarnContext(ctx, "blocked user loses admin flag, roles and groups", "user", name)
			row.Admin = false
			if err := tx.UpdateUser(ctx, row, "admin"); err != nil {
				return err
			}
			if err := tx.SetRoles(ctx, orm.HolderUser, row.ID, nil, false); err != nil {
				return err
			}
			if err := tx.SetUserGroups(ctx, row.ID, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return storeErr(err, "strike blocked users")
}
