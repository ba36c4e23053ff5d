package orm

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// fewFound is up to how many users are fetched by id after a search.
const fewFound = 500

// everyRow is more than any table has.
const everyRow = 1 << 40

// ListUsers returns a page of users and how many match in all. Ties are ordered by id. CookieID, State and EncryptedAuthState are left
// out: no list shows them.
func (s *Store) ListUsers(ctx context.Context, q UserQuery) (users []User, total int, err error) {
	users, _, total, err = s.UserPage(ctx, q)
	return users, total, err
}

// UserPage is ListUsers, and tells how many matching users come before the page, which only the database knows when q.After is set.
func (s *Store) UserPage(ctx context.Context, q UserQuery) (users []User, offset, total int, err error) {
	err = s.view(ctx, "list users", func(db *gorm.DB) error {
		l := &userList{db: db, d: s.c.dialect, order: userOrder(s.c.dialect, q.Sort, q.Desc)}
		l.filter(q)
		limit := q.Limit
		if limit <= 0 {
			limit = everyRow
		}
		if offset, err = l.offset(q); err != nil {
			return err
		}
		if q.NameFilter != "" {
			// for the few that a search usually finds, looking once through the index of names does; rows are long
			ids, err := l.ids(fewFound + 1)
			if err != nil {
				return err
			}
			if total = len(ids); total <= fewFound {
				l.where, l.args = []string{"users.id IN ?"}, []any{pad(ids)}
				users, err = l.page(offset, limit, false)
				return err
			}
		}
		if total, err = l.count(); err != nil {
			return err
		}
		if back := total - offset - limit; back >= 0 && back < offset { // near the end: count from there
			users, err = l.page(back, limit, true)
			slices.Reverse(users)
			return err
		}
		if last := total - offset; last < offset { // the last page, or behind it
			if last > 0 {
				users, err = l.page(0, last, true)
				slices.Reverse(users)
			}
			return err
		}
		users, err = l.page(offset, limit, false)
		return err
	})
	return users, offset, total, err
}

// offset counts the users before the page where it is said by the last id of the page before.
func (l *userList) offset(q UserQuery) (int, error) {
	if q.After == 0 {
		return max(q.Offset, 0), nil
	}
	cond := "users.id <= ?"
	if q.Desc {
		cond = "users.id >= ?"
	}
	before := userList{db: l.db, d: l.d, where: append(slices.Clone(l.where), cond), args: append(slices.Clone(l.args), q.After)}
	return before.count()
}

// userList is one question for users.
type userList struct {
	db    *gorm.DB
	d     dialect
	where []string
	args  []any
	order []orderTerm
}

type orderTerm struct {
	expr string
	desc bool
}

// from is the part of the statement behind the columns, without an order.
func (l *userList) from() string {
	if len(l.where) == 0 {
		return " FROM users"
	}
	return " FROM users WHERE " + strings.Join(l.where, " AND ")
}

func (l *userList) ids(limit int) (ids []int64, err error) {
	err = each(l.db, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT users.id"+l.from()+" LIMIT ?", append(slices.Clone(l.args), limit)...)
	return ids, err
}

func (l *userList) count() (n int, err error) {
	err = each(l.db, func(rows *sql.Rows) error { return rows.Scan(&n) }, "SELECT COUNT(*)"+l.from(), l.args...)
	return n, err
}

// page reads rows in order, or from the end when it is backwards.
func (l *userList) page(offset, limit int, backwards bool) (users []User, err error) {
	var order strings.Builder
	for i, term := range l.order {
		if i > 0 {
			order.WriteString(", ")
		}
		order.WriteString(term.expr)
		if term.desc != backwards {
			order.WriteString(" DESC")
		}
	}
	query := "SELECT users.id, users.name, users.user_info, users.admin, " + l.d.rawTime("users.created") + ", " + l.d.rawTime("users.last_activity") +
		l.from() + " ORDER BY " + order.String() + " LIMIT ? OFFSET ?"
	users = make([]User, 0, min(limit, fewFound))
	err = each(l.db, func(rows *sql.Rows) error {
		var u User
		var name sql.NullString
		var admin sql.NullBool
		var created, active nullTime
		if err := rows.Scan(&u.ID, &name, &u.UserInfo, &admin, &created, &active); err != nil {
			return err
		}
		u.Name, u.Admin, u.Created, u.LastActivity = name.String, admin.Bool, created.at, active.at
		users = append(users, u)
		return nil
	}, query, append(slices.Clone(l.args), limit, offset)...)
	return users, err
}

func (l *userList) and(cond string, args ...any) {
	l.where, l.args = append(l.where, cond), append(l.args, args...)
}

func (l *userList) filter(q UserQuery) {
	// sets of users, found through the index of running servers: asking for the servers of each user would read along all users
	const running = "SELECT user_id FROM spawners WHERE server_id IS NOT NULL AND user_id IS NOT NULL"
	const active = "(" + running + " UNION SELECT user_id FROM spawners WHERE id IN ? AND user_id IS NOT NULL)"
	switch q.State {
	case "active":
		l.and("users.id IN "+active, pad(q.ActiveSpawners))
	case "inactive":
		l.and("users.id NOT IN "+active, pad(q.ActiveSpawners))
	case "ready": // NOT IN an empty list would be unknown, not true
		l.and("users.id IN ("+running+" AND id NOT IN ?)", append(pad(q.ActiveSpawners), noSpawner))
	}
	if q.NameFilter != "" {
		l.and(l.d.nameContains(), "%"+escapeLike(q.NameFilter)+"%")
	}
	if q.OnlyUsers != nil || q.OnlyGroups != nil {
		l.and(`(users.name IN ? OR EXISTS (SELECT 1 FROM user_group_map m JOIN "groups" g ON g.id = m.group_id
			WHERE m.user_id = users.id AND g.name IN ?))`, pad(q.OnlyUsers), pad(q.OnlyGroups))
	}
}

// noSpawner is the id of no spawner.
const noSpawner = -1

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// userOrder is the order of a list. Users without activity come first upwards, which is SQLite's own order of NULL, so that it can read
// along the index; PostgreSQL has to be told.
func userOrder(d dialect, sort string, desc bool) []orderTerm {
	id := orderTerm{"users.id", false}
	switch {
	case sort == "name":
		return []orderTerm{{"users.name", desc}, {"users.id", desc}}
	case sort != "last_activity":
		return []orderTerm{{"users.id", desc}}
	case d == sqliteDialect:
		return []orderTerm{{"users.last_activity", desc}, id}
	}
	return []orderTerm{{"users.last_activity IS NOT NULL", desc}, {"users.last_activity", desc}, id}
}
