package orm

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// RoleHolder is the kind of thing that may hold a role.
type RoleHolder string

// What may hold a role.
const (
	HolderUser    RoleHolder = "user"
	HolderGroup   RoleHolder = "group"
	HolderService RoleHolder = "service"
)

// RoleGrant is one row of a role map.
type RoleGrant struct {
	HolderID int64
	RoleID   int64
}

// mapTable, idColumn and table come from a closed set: they are put into SQL as they are.
func (h RoleHolder) mapTable() string { return string(h) + "_role_map" }
func (h RoleHolder) idColumn() string { return string(h) + "_id" }
func (h RoleHolder) table() string    { return `"` + string(h) + `s"` }

func (h RoleHolder) valid() error {
	switch h {
	case HolderUser, HolderGroup, HolderService:
		return nil
	}
	return errHolder
}

// Roles returns all roles by id.
func (s *Store) Roles(ctx context.Context) ([]Role, error) {
	return find[Role](s.read(ctx).Order("id"), "list roles")
}

// RoleByName returns the role with this name.
func (s *Store) RoleByName(ctx context.Context, name string) (*Role, error) {
	return first[Role](s.read(ctx), "find role", "name = ?", name)
}

// RolesByName returns the roles that exist among names, by name.
func (s *Store) RolesByName(ctx context.Context, names []string) (map[string]*Role, error) {
	return byKey(ctx, s, "find roles", "name", names, func(r *Role) string { return r.Name })
}

// CreateRole inserts a role and fills ID; ErrConflict when the name is taken.
func (s *Store) CreateRole(ctx context.Context, r *Role) error {
	if r.Scopes == nil {
		r.Scopes = JSONList{}
	}
	return s.write(ctx, "create role", func(db *gorm.DB) error { return insert(db, []*Role{r}) })
}

// UpdateRole writes the named columns of r, or all but id.
func (s *Store) UpdateRole(ctx context.Context, r *Role, cols ...string) error {
	return update(ctx, s, "update role", r, cols)
}

// DeleteRole deletes a role and takes it from all holders.
func (s *Store) DeleteRole(ctx context.Context, id int64) error {
	return s.write(ctx, "delete role", func(db *gorm.DB) error {
		return run(db,
			stmt(`DELETE FROM user_role_map WHERE role_id = ?`, id),
			stmt(`DELETE FROM group_role_map WHERE role_id = ?`, id),
			stmt(`DELETE FROM service_role_map WHERE role_id = ?`, id),
			must(`DELETE FROM roles WHERE id = ?`, id))
	})
}

// RoleHolders returns the sorted names of the users, groups or services that hold a role.
func (s *Store) RoleHolders(ctx context.Context, roleID int64, kind RoleHolder) ([]string, error) {
	if err := kind.valid(); err != nil {
		return nil, fail("find holders of role", err)
	}
	out := []string{}
	err := s.read(ctx).Raw(`SELECT h.name FROM `+kind.mapTable()+` m JOIN `+kind.table()+` h ON h.id = m.`+kind.idColumn()+
		` WHERE m.role_id = ? ORDER BY h.name`, roleID).Scan(&out).Error
	return out, fail("find holders of role", err)
}

// Grant gives a role to holders; for those who have it already, nothing changes (managed included).
func (s *Store) Grant(ctx context.Context, kind RoleHolder, holderIDs []int64, roleID int64, managed bool) error {
	if err := kind.valid(); err != nil {
		return fail("grant role", err)
	}
	return s.write(ctx, "grant role", func(db *gorm.DB) error { return grant(db, kind, holderIDs, roleID, managed) })
}

func grant(db *gorm.DB, kind RoleHolder, holderIDs []int64, roleID int64, managed bool) error {
	rows := make([]map[string]any, 0, len(holderIDs))
	for _, id := range distinct(holderIDs) {
		rows = append(rows, map[string]any{kind.idColumn(): id, "role_id": roleID, "managed_by_auth": managed})
	}
	for start := 0; start < len(rows); start += insertRows {
		part := rows[start:min(start+insertRows, len(rows))]
		if err := db.Table(kind.mapTable()).Clauses(clause.OnConflict{DoNothing: true}).Create(part).Error; err != nil {
			return err
		}
	}
	return nil
}

// Strip takes a role from holders.
func (s *Store) Strip(ctx context.Context, kind RoleHolder, holderIDs []int64, roleID int64) error {
	if err := kind.valid(); err != nil {
		return fail("strip role", err)
	}
	return s.write(ctx, "strip role", func(db *gorm.DB) error {
		return chunked(holderIDs, func(part []int64) error {
			return db.Exec(`DELETE FROM `+kind.mapTable()+` WHERE role_id = ? AND `+kind.idColumn()+` IN ?`, roleID, part).Error
		})
	})
}

// SetHolders makes exactly these users, groups or services hold the role.
func (s *Store) SetHolders(ctx context.Context, kind RoleHolder, roleID int64, holderIDs []int64, managed bool) error {
	if err := kind.valid(); err != nil {
		return fail("set holders of role", err)
	}
	return s.write(ctx, "set holders of role", func(db *gorm.DB) error {
		if err := db.Exec(`DELETE FROM `+kind.mapTable()+` WHERE role_id = ?`, roleID).Error; err != nil {
			return err
		}
		return grant(db, kind, holderIDs, roleID, managed)
	})
}

// SetRoles gives the holder exactly these roles; the grants that stay keep their managed flag.
func (s *Store) SetRoles(ctx context.Context, kind RoleHolder, holderID int64, roleIDs []int64, managed bool) error {
	if err := kind.valid(); err != nil {
		return fail("set roles", err)
	}
	return s.write(ctx, "set roles", func(db *gorm.DB) error {
		if err := db.Exec(`DELETE FROM `+kind.mapTable()+` WHERE `+kind.idColumn()+` = ? AND role_id NOT IN ?`, holderID, notNone(roleIDs)).Error; err != nil {
			return err
		}
		rows := make([]map[string]any, 0, len(roleIDs))
		for _, id := range distinct(roleIDs) {
			rows = append(rows, map[string]any{kind.idColumn(): holderID, "role_id": id, "managed_by_auth": managed})
		}
		if len(rows) == 0 {
			return nil
		}
		return db.Table(kind.mapTable()).Clauses(clause.OnConflict{DoNothing: true}).Create(rows).Error
	})
}

// ManagedGrants returns the grants of one kind that the authenticator made.
func (s *Store) ManagedGrants(ctx context.Context, kind RoleHolder) ([]RoleGrant, error) {
	if err := kind.valid(); err != nil {
		return nil, fail("list managed grants", err)
	}
	out := []RoleGrant{}
	err := s.read(ctx).Raw(`SELECT ` + kind.idColumn() + ` AS holder_id, role_id FROM ` + kind.mapTable() +
		` WHERE managed_by_auth ORDER BY role_id, ` + kind.idColumn()).Scan(&out).Error
	return out, fail("list managed grants", err)
}

// StripManagedGrants deletes all grants of one kind that the authenticator made.
func (s *Store) StripManagedGrants(ctx context.Context, kind RoleHolder) error {
	if err := kind.valid(); err != nil {
		return fail("strip managed grants", err)
	}
	_, err := s.exec(ctx, "strip managed grants", `DELETE FROM `+kind.mapTable()+` WHERE managed_by_auth`)
	return err
}

// RolesOfService returns the roles of a service by id.
func (s *Store) RolesOfService(ctx context.Context, serviceID int64) ([]Role, error) {
	return find[Role](s.read(ctx).Where("id IN (SELECT role_id FROM service_role_map WHERE service_id = ?)", serviceID).Order("id"), "find roles of service")
}

// RoleNamesOfServices returns the sorted names of the roles of each service.
func (s *Store) RoleNamesOfServices(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return s.roleNames(ctx, HolderService, ids)
}

// UserIDsWithoutRole returns the users who do not hold a role themselves, by id.
func (s *Store) UserIDsWithoutRole(ctx context.Context, roleID int64) ([]int64, error) {
	out := []int64{}
	err := s.read(ctx).Raw(`SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM user_role_map WHERE role_id = ?) ORDER BY id`, roleID).Scan(&out).Error
	return out, fail("find users without role", err)
}

// UsersUnlikeRole returns the users (ID, Name and Admin alone) with the admin flag who do not have the role, and those who have the role
// without the flag, by id.
func (s *Store) UsersUnlikeRole(ctx context.Context, roleID int64) ([]User, error) {
	out := []User{}
	err := s.read(ctx).Raw(`SELECT id, name, admin FROM users WHERE admin AND id NOT IN (SELECT user_id FROM user_role_map WHERE role_id = ?)
		UNION ALL SELECT u.id, u.name, false FROM user_role_map m JOIN users u ON u.id = m.user_id WHERE m.role_id = ? AND NOT COALESCE(u.admin, false)
		ORDER BY 1`, roleID, roleID).Scan(&out).Error
	return out, fail("find users whose admin flag and role differ", err)
}

func (s *Store) roleNames(ctx context.Context, kind RoleHolder, ids []int64) (map[int64][]string, error) {
	return names(ctx, s, "find roles of "+string(kind)+"s", ids, `SELECT m.`+kind.idColumn()+` AS id, r.name AS name FROM `+kind.mapTable()+
		` m JOIN roles r ON r.id = m.role_id WHERE m.`+kind.idColumn()+` %s ORDER BY r.name`)
}
