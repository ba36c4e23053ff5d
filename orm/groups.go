package orm

import (
	"context"

	"gorm.io/gorm"
)

// GroupQuery selects a page of groups.
type GroupQuery struct {
	Offset, Limit int      // Limit 0 means all
	Only          []string // names; nil means no limit
}

// Group returns the group with this id.
func (s *Store) Group(ctx context.Context, id int64) (*Group, error) {
	return first[Group](s.read(ctx), "find group", "id = ?", id)
}

// GroupByName returns the group with this name.
func (s *Store) GroupByName(ctx context.Context, name string) (*Group, error) {
	return first[Group](s.read(ctx), "find group by name", "name = ?", name)
}

// GroupsByName returns the groups that exist among names, by name.
func (s *Store) GroupsByName(ctx context.Context, names []string) (map[string]*Group, error) {
	return byKey(ctx, s, "find groups by name", "name", names, func(g *Group) string { return g.Name })
}

// ListGroups returns a page of groups by id, and how many match in all.
func (s *Store) ListGroups(ctx context.Context, q GroupQuery) (groups []Group, total int, err error) {
	err = s.view(ctx, "list groups", func(db *gorm.DB) error {
		filtered := func() *gorm.DB {
			if q.Only == nil {
				return db.Model(&Group{})
			}
			return db.Model(&Group{}).Where("name IN ?", pad(q.Only))
		}
		if total, err = count(filtered(), "count groups"); err != nil {
			return err
		}
		return page(filtered().Order("id"), q.Offset, q.Limit).Find(&groups).Error
	})
	return groups, total, err
}

// MemberNames returns the names of the members of each group, in the order in which the users were created.
func (s *Store) MemberNames(ctx context.Context, groupIDs []int64) (map[int64][]string, error) {
	return names(ctx, s, "find members of groups", groupIDs,
		`SELECT m.group_id AS id, u.name AS name FROM user_group_map m JOIN users u ON u.id = m.user_id WHERE m.group_id IN ? ORDER BY u.id`)
}

// RoleNamesOfGroups returns the sorted names of the roles of each group.
func (s *Store) RoleNamesOfGroups(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return s.roleNames(ctx, HolderGroup, ids)
}

// CreateGroups inserts groups and fills ID; ErrConflict when a name is taken, then none is created.
func (s *Store) CreateGroups(ctx context.Context, groups []*Group) error {
	for _, g := range groups {
		if g.Properties == nil {
			g.Properties = JSONDict{}
		}
	}
	return s.write(ctx, "create groups", func(db *gorm.DB) error { return insert(db, groups) })
}

// UpdateGroup writes the named columns of g, or all but id.
func (s *Store) UpdateGroup(ctx context.Context, g *Group, cols ...string) error {
	return update(ctx, s, "update group", g, cols)
}

// DeleteGroup deletes a group with its memberships, roles and shares; ErrNotFound when it is gone.
func (s *Store) DeleteGroup(ctx context.Context, id int64) error {
	return s.write(ctx, "delete group", func(db *gorm.DB) error {
		return run(db,
			stmt(`DELETE FROM shares WHERE group_id = ?`, id),
			stmt(`DELETE FROM group_role_map WHERE group_id = ?`, id),
			stmt(`DELETE FROM user_group_map WHERE group_id = ?`, id),
			must(`DELETE FROM "groups" WHERE id = ?`, id))
	})
}

type membership struct {
	UserID  int64 `gorm:"column:user_id;primaryKey;autoIncrement:false"`
	GroupID int64 `gorm:"column:group_id;primaryKey;autoIncrement:false"`
}

// TableName is JupyterHub's.
func (membership) TableName() string { return "user_group_map" }

// AddToGroup makes users members; those who are already stay so.
func (s *Store) AddToGroup(ctx context.Context, groupID int64, userIDs []int64) error {
	rows := make([]*membership, 0, len(userIDs))
	for _, id := range distinct(userIDs) {
		rows = append(rows, &membership{UserID: id, GroupID: groupID})
	}
	return s.write(ctx, "add to group", func(db *gorm.DB) error { return insertIgnore(db, rows) })
}

// RemoveFromGroup ends the membership of users.
func (s *Store) RemoveFromGroup(ctx context.Context, groupID int64, userIDs []int64) error {
	return s.write(ctx, "remove from group", func(db *gorm.DB) error {
		return chunked(userIDs, func(part []int64) error {
			return db.Exec(`DELETE FROM user_group_map WHERE group_id = ? AND user_id IN ?`, groupID, part).Error
		})
	})
}

// SetUserGroups makes the user a member of exactly these groups.
func (s *Store) SetUserGroups(ctx context.Context, userID int64, groupIDs []int64) error {
	rows := make([]*membership, 0, len(groupIDs))
	for _, id := range distinct(groupIDs) {
		rows = append(rows, &membership{UserID: userID, GroupID: id})
	}
	return s.write(ctx, "set groups of user", func(db *gorm.DB) error {
		if err := db.Exec(`DELETE FROM user_group_map WHERE user_id = ?`, userID).Error; err != nil {
			return err
		}
		return insertIgnore(db, rows)
	})
}
