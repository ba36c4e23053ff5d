package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// assignment is what one role specification says about its members of one kind.
type assignment struct {
	role    string
	kind    orm.RoleHolder
	given   bool // the key is there: members are exactly ids
	managed bool
	ids     []int64
}

// keep reports whether members stay although the specification does not list them: those of the role "user" come from logins, those of
// managed roles from earlier logins.
func (a assignment) keep() bool {
	return !a.given && a.kind == orm.HolderUser && (a.managed || a.role == rbac.RoleUser)
}

// assignRoles gives every role exactly the members that its specification lists, and makes admin flags and the admin role agree.
func (s *Setup) assignRoles(ctx context.Context) error {
	plan, err := s.plan(ctx)
	if err != nil {
		return err
	}
	err = s.store.Tx(ctx, func(tx *orm.Store) error {
		if err := s.assign(ctx, tx, plan); err != nil {
			return err
		}
		if s.specs.ResetManagedRoles {
			if err := s.stripStale(ctx, tx, plan); err != nil {
				return err
			}
		}
		if err := s.completeUserRole(ctx, tx, plan); err != nil {
			return err
		}
		return s.syncAdmins(ctx, tx, plan)
	})
	return storeErr(err, "assign roles")
}

// plan resolves the members of all role specifications; users and groups that are missing are created, missing services are problems.
func (s *Setup) plan(ctx context.Context) ([]assignment, error) {
	var out []assignment
	var problems []error
	for _, role := range s.roleSpecs() {
		users := role.Users
		if admins := s.rules.AdminUsers(); role.Name == rbac.RoleAdmin && len(admins) > 0 {
			s.log.WarnContext(ctx, "both Authenticator.admin_users and an admin role in JupyterHub.load_roles are configured; their users are merged")
			merged := admins
			if users != nil {
				merged = append(slices.Clone(*users), admins...)
			}
			users = &merged
		}
		for _, part := range []struct {
			kind  orm.RoleHolder
			key   string
			names *[]string
		}{{orm.HolderUser, "users", users}, {orm.HolderService, "services", role.Services}, {orm.HolderGroup, "groups", role.Groups}} {
			a := assignment{role: role.Name, kind: part.kind, given: part.names != nil, managed: role.Managed}
			if a.given {
				var err error
				where := fmt.Sprintf("JupyterHub.load_roles[%q].%s", role.Name, part.key)
				if a.ids, err = s.memberIDs(ctx, where, part.kind, *part.names); err != nil {
					problems = append(problems, err)
				}
			}
			out = append(out, a)
		}
	}
	return out, errors.Join(problems...)
}

func (s *Setup) memberIDs(ctx context.Context, where string, kind orm.RoleHolder, names []string) ([]int64, error) {
	switch kind {
	case orm.HolderUser:
		return s.ensureUsers(ctx, where, names)
	case orm.HolderGroup:
		var ids []int64
		err := s.store.Tx(ctx, func(tx *orm.Store) (err error) {
			ids, err = ensureGroups(ctx, tx, slices.Compact(slices.Sorted(slices.Values(names))))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		return ids, nil
	}
	ids, missing, err := holderIDs(ctx, s.store, kind, names)
	if err != nil {
		return nil, storeErr(err, "look up services of %s", where)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s names undefined services %q: define them in JupyterHub.services", where, missing)
	}
	return ids, nil
}

func (s *Setup) assign(ctx context.Context, tx *orm.Store, plan []assignment) error {
	for _, a := range plan {
		if a.keep() {
			continue
		}
		role, err := tx.RoleByName(ctx, a.role)
		if err != nil {
			return err
		}
		if err := tx.SetHolders(ctx, a.kind, role.ID, a.ids, a.managed); err != nil {
			return err
		}
	}
	return nil
}

// stripStale takes away what the authenticator once assigned and does not declare any more.
func (s *Setup) stripStale(ctx context.Context, tx *orm.Store, plan []assignment) error {
	roles, err := tx.Roles(ctx)
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, role := range roles {
		names[role.ID] = role.Name
	}
	for _, kind := range []orm.RoleHolder{orm.HolderUser, orm.HolderService, orm.HolderGroup} {
		grants, err := tx.ManagedGrants(ctx, kind)
		if err != nil {
			return err
		}
		stale := map[int64][]int64{}
		for _, grant := range grants {
			declared := slices.ContainsFunc(plan, func(a assignment) bool {
				return a.managed && a.kind == kind && a.role == names[grant.RoleID]
			})
			if !declared {
				stale[grant.RoleID] = append(stale[grant.RoleID], grant.HolderID)
			}
		}
		for roleID, holders := range stale {
			s.log.InfoContext(ctx, "stale managed role assignments deleted", "role", names[roleID], "kind", string(kind), "count", len(holders))
			if err := tx.Strip(ctx, kind, holders, roleID); err != nil {
				return err
			}
		}
	}
	return nil
}

// completeUserRole gives the role "user" to allowed users who lack it and to users who have no role at all (written by other programs,
// or older than roles), unless the configuration lists its members.
func (s *Setup) completeUserRole(ctx context.Context, tx *orm.Store, plan []assignment) error {
	listed := slices.ContainsFunc(plan, func(a assignment) bool { return a.role == rbac.RoleUser && a.kind == orm.HolderUser && a.given })
	role, err := tx.RoleByName(ctx, rbac.RoleUser)
	if err != nil {
		return err
	}
	lacking, err := tx.UserIDsWithoutRole(ctx, role.ID)
	if err != nil || len(lacking) == 0 {
		return err
	}
	users, err := tx.UsersByID(ctx, lacking)
	if err != nil {
		return err
	}
	own, err := tx.RoleNamesOfUsers(ctx, lacking)
	if err != nil {
		return err
	}
	restricted := len(s.rules.AllowedUsers()) > 0
	var give []int64
	for _, id := range lacking {
		user := users[id]
		if user == nil || s.rules.Blocked(user.Name) {
			continue
		}
		allowed := false
		if restricted {
			allowed, _ = s.rules.Allowed(user.Name, []string{})
		}
		roleless := len(own[id]) == 0 && !listed && !s.specs.ManageRoles
		if allowed || roleless || s.upgrade {
			give = append(give, id)
		}
	}
	return tx.Grant(ctx, orm.HolderUser, give, role.ID, false)
}

// syncAdmins makes admin flags follow the admin role where the configuration lists its members, and the role follow the flags where it
// does not. Members of the role always get the flag.
func (s *Setup) syncAdmins(ctx context.Context, tx *orm.Store, plan []assignment) error {
	role, err := tx.RoleByName(ctx, rbac.RoleAdmin)
	if err != nil {
		return err
	}
	for _, kind := range []orm.RoleHolder{orm.HolderUser, orm.HolderService} {
		listed := slices.ContainsFunc(plan, func(a assignment) bool { return a.role == rbac.RoleAdmin && a.kind == kind && a.given })
		names, err := tx.RoleHolders(ctx, role.ID, kind)
		if err != nil {
			return err
		}
		members := map[string]bool{}
		for _, name := range names {
			members[name] = true
		}
		flags, err := s.adminFlags(ctx, tx, kind, role.ID)
		if err != nil {
			return err
		}
		var promote []int64
		for _, flag := range flags {
			switch {
			case flag.admin == members[flag.name]:
			case flag.admin && !listed:
				promote = append(promote, flag.id)
			default:
				s.log.WarnContext(ctx, "admin flag changed to agree with the admin role", string(kind), flag.name, "admin", !flag.admin)
				if err := flag.set(!flag.admin); err != nil {
					return err
				}
			}
		}
		if err := tx.Grant(ctx, kind, promote, role.ID, false); err != nil {
			return err
		}
	}
	return nil
}

// adminFlag is the admin column of a user or service.
type adminFlag struct {
	id    int64
	name  string
	admin bool
	set   func(admin bool) error
}

// adminFlags are those of all services, and of the users where flag and role differ.
func (s *Setup) adminFlags(ctx context.Context, tx *orm.Store, kind orm.RoleHolder, roleID int64) ([]adminFlag, error) {
	var out []adminFlag
	if kind == orm.HolderService {
		rows, err := tx.Services(ctx)
		for _, row := range rows {
			out = append(out, adminFlag{row.ID, row.Name, row.Admin, func(admin bool) error {
				row.Admin = admin
				return tx.SaveService(ctx, &row)
			}})
		}
		return out, err
	}
	rows, err := tx.UsersUnlikeRole(ctx, roleID) // very many have neither
	for _, row := range rows {
		out = append(out, adminFlag{row.ID, row.Name, row.Admin, func(admin bool) error {
			return tx.UpdateUser(ctx, &orm.User{ID: row.ID, Admin: admin}, "admin")
		}})
	}
	return out, err
}
