package orm

import (
	"context"
	"strings"

	"gorm.io/gorm"
)

// UserQuery selects a page of users.
type UserQuery struct {
	State          string   // "", "inactive", "active" (any server that runs or is pending) or "ready" (any that runs and is not pending)
	NameFilter     string   // part of the name, in any case
	Sort           string   // id (default), name or last_activity
	Desc           bool     // downwards; users without activity come first upwards and last downwards
	Offset, Limit  int      // Limit 0 means all
	OnlyUsers      []string // with OnlyGroups: only users named here or members of groups named there; both nil means no limit
	OnlyGroups     []string
	ActiveSpawners []int64 // spawners that are pending in memory: they count as active without a server row, and not as ready with one
}

// fewFound is up to how many users are fetched by id after a search.
const fewFound = 500

// ListUsers returns a page of users and how many match in all. Ties are ordered by id.
func (s *Store) ListUsers(ctx context.Context, q UserQuery) (users []User, total int, err error) {
	err = s.view(ctx, "list users", func(db *gorm.DB) error {
		filtered := func() *gorm.DB { return s.filterUsers(db.Model(&User{}), q) }
		if q.NameFilter != "" {
			// for the few that a search usually finds, looking once through the index of names does; rows are long
			var ids []int64
			if err := filtered().Limit(fewFound+1).Pluck("users.id", &ids).Error; err != nil {
				return err
			}
			if total = len(ids); total <= fewFound {
				few := db.Model(&User{}).Where("users.id IN ?", pad(ids))
				return page(few.Order(userOrder(q.Sort, q.Desc)), q.Offset, q.Limit).Find(&users).Error
			}
		}
		if total, err = count(filtered(), "count users"); err != nil {
			return err
		}
		return page(filtered().Order(userOrder(q.Sort, q.Desc)), q.Offset, q.Limit).Find(&users).Error
	})
	return users, total, err
}

func (s *Store) filterUsers(db *gorm.DB, q UserQuery) *gorm.DB {
	if q.State != "" {
		const active = "EXISTS (SELECT 1 FROM spawners WHERE spawners.user_id = users.id AND (spawners.server_id IS NOT NULL OR spawners.id IN ?))"
		cond, pending := active, pad(q.ActiveSpawners)
		switch q.State {
		case "inactive":
			cond = "NOT " + active
		case "ready":
			cond = "EXISTS (SELECT 1 FROM spawners WHERE spawners.user_id = users.id AND spawners.server_id IS NOT NULL AND spawners.id NOT IN ?)"
			pending = append(pending, noSpawner) // NOT IN an empty list would be unknown, not true
		}
		db = db.Where(cond, pending)
	}
	if q.NameFilter != "" {
		db = db.Where(s.c.dialect.nameContains(), "%"+escapeLike(q.NameFilter)+"%")
	}
	if q.OnlyUsers != nil || q.OnlyGroups != nil {
		db = db.Where(`(users.name IN ? OR EXISTS (SELECT 1 FROM user_group_map m JOIN "groups" g ON g.id = m.group_id
			WHERE m.user_id = users.id AND g.name IN ?))`, pad(q.OnlyUsers), pad(q.OnlyGroups))
	}
	return db
}

// noSpawner is the id of no spawner.
const noSpawner = -1

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// userOrder spells out where NULL goes, because the engines disagree.
func userOrder(sort string, desc bool) string {
	switch {
	case sort == "name" && desc:
		return "users.name DESC, users.id DESC"
	case sort == "name":
		return "users.name, users.id"
	case sort == "last_activity" && desc:
		return "users.last_activity IS NULL, users.last_activity DESC, users.id"
	case sort == "last_activity":
		return "users.last_activity IS NOT NULL, users.last_activity, users.id"
	case desc:
		return "users.id DESC"
	}
	return "users.id"
}

// GroupNamesOfUsers returns the sorted names of the groups of each user.
func (s *Store) GroupNamesOfUsers(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return names(ctx, s, "find groups of users", ids,
		`SELECT m.user_id AS id, g.name AS name FROM user_group_map m JOIN "groups" g ON g.id = m.group_id WHERE m.user_id IN ? ORDER BY g.name`)
}

// RoleNamesOfUsers returns the sorted names of the roles of each user, those of its groups not included.
func (s *Store) RoleNamesOfUsers(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return s.roleNames(ctx, HolderUser, ids)
}

// SpawnersOfUsers returns the servers of each user, running or not, by id.
func (s *Store) SpawnersOfUsers(ctx context.Context, ids []int64) (map[int64][]Spawner, error) {
	out := make(map[int64][]Spawner, len(ids))
	err := chunked(ids, func(part []int64) error {
		var rows []Spawner
		if err := s.read(ctx).Where("user_id IN ?", part).Order("id").Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			out[row.UserID] = append(out[row.UserID], row)
		}
		return nil
	})
	return out, fail("find servers of users", err)
}

// ServersByID returns the server rows that exist among ids, by id.
func (s *Store) ServersByID(ctx context.Context, ids []int64) (map[int64]*Server, error) {
	return byKey(ctx, s, "find server rows", "id", ids, func(r *Server) int64 { return r.ID })
}
