package orm

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"gorm.io/gorm"
)

// User returns the user with this id.
func (s *Store) User(ctx context.Context, id int64) (*User, error) {
	return first[User](s.read(ctx), "find user", "id = ?", id)
}

// UserByName returns the user with exactly this name.
func (s *Store) UserByName(ctx context.Context, name string) (*User, error) {
	return first[User](s.read(ctx), "find user by name", "name = ?", name)
}

// UserByCookieID returns the user whose login cookie carries this id. The empty id belongs to nobody.
func (s *Store) UserByCookieID(ctx context.Context, cookieID string) (*User, error) {
	if cookieID == "" {
		return nil, fail("find user by cookie", ErrNotFound)
	}
	return first[User](s.read(ctx), "find user by cookie", "cookie_id = ?", cookieID)
}

// UsersByName returns the users that exist among names, by name.
func (s *Store) UsersByName(ctx context.Context, names []string) (map[string]*User, error) {
	return byKey(ctx, s, "find users by name", "name", names, func(u *User) string { return u.Name })
}

// UsersByID returns the users that exist among ids, by id.
func (s *Store) UsersByID(ctx context.Context, ids []int64) (map[int64]*User, error) {
	return byKey(ctx, s, "find users", "id", ids, func(u *User) int64 { return u.ID })
}

// streamPage is how many rows AllUsers holds at a time.
const streamPage = 500

// AllUsers streams all users by id, a page at a time, so that no cursor stays open while the caller works.
// An error is the last element.
func (s *Store) AllUsers(ctx context.Context) iter.Seq2[*User, error] {
	return func(yield func(*User, error) bool) {
		last := int64(0)
		for {
			var page []User
			err := s.read(ctx).Where("id > ?", last).Order("id").Limit(streamPage).Find(&page).Error
			if err != nil {
				yield(nil, fail("list users", err))
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < streamPage {
				return
			}
			last = page[len(page)-1].ID
		}
	}
}

// UndatedUsers returns the users without a creation time, by id; old databases have them.
func (s *Store) UndatedUsers(ctx context.Context) ([]User, error) {
	return find[User](s.read(ctx).Where("created IS NULL").Order("id"), "find users without creation time")
}

// UserNames calls fn with the id, the name and the admin flag of every user, by id, until it returns an error.
func (s *Store) UserNames(ctx context.Context, fn func(id int64, name string, admin bool) error) error {
	err := each(s.read(ctx), func(rows *sql.Rows) error {
		var id int64
		var name sql.NullString
		var admin sql.NullBool
		if err := rows.Scan(&id, &name, &admin); err != nil {
			return err
		}
		return fn(id, name.String, admin.Bool)
	}, `SELECT id, name, admin FROM users ORDER BY id`)
	return fail("list names of users", err)
}

// CountUsers counts all users.
func (s *Store) CountUsers(ctx context.Context) (int, error) {
	return count(s.read(ctx).Model(&User{}), "count users")
}

// CountActiveUsers counts the users with activity at or after since.
func (s *Store) CountActiveUsers(ctx context.Context, since time.Time) (int, error) {
	return count(s.read(ctx).Model(&User{}).Where("last_activity >= ?", since), "count active users")
}

// CreateUsers inserts users and fills ID, CookieID and Created where unset. ErrConflict when a name is taken; then none is created.
func (s *Store) CreateUsers(ctx context.Context, users []*User) error {
	now := stamp(time.Now())
	for _, u := range users {
		if u.CookieID == "" {
			u.CookieID = NewToken()
		}
		if u.Created == nil {
			u.Created = &now
		}
	}
	return s.write(ctx, "create users", func(db *gorm.DB) error { return insert(db, users) })
}

// UpdateUser writes the named columns of u, or all but id; ErrNotFound when the row is gone.
func (s *Store) UpdateUser(ctx context.Context, u *User, cols ...string) error {
	return update(ctx, s, "update user", u, cols)
}

// TouchUsers moves last_activity forward, never back.
func (s *Store) TouchUsers(ctx context.Context, at map[int64]time.Time) error {
	return s.touch(ctx, "users", at)
}
