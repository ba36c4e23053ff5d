package orm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

var errHolder = errors.New(`unknown kind of role holder, want "user", "group" or "service"`)

// statement is one line of a deletion; one that must hit a row is ErrNotFound when it does not.
type statement struct {
	query string
	args  []any
	must  bool
}

func stmt(query string, args ...any) statement { return statement{query: query, args: args} }
func must(query string, args ...any) statement {
	return statement{query: query, args: args, must: true}
}

func run(db *gorm.DB, list ...statement) error {
	for _, st := range list {
		res := db.Exec(st.query, st.args...)
		if res.Error != nil {
			return res.Error
		}
		if st.must && res.RowsAffected == 0 {
			return ErrNotFound
		}
	}
	return nil
}

func insertIgnore[T any](db *gorm.DB, rows []*T) error {
	return insert(db.Clauses(clause.OnConflict{DoNothing: true}), rows)
}

func notNone(ids []int64) []int64 {
	if len(ids) == 0 {
		return []int64{-1} // NOT IN (NULL) would match nothing
	}
	return ids
}

func (s *Store) deleteIDs(ctx context.Context, what, table string, ids []int64) error {
	return s.write(ctx, what, func(db *gorm.DB) error {
		return chunked(ids, func(part []int64) error {
			return db.Exec(`DELETE FROM `+table+` WHERE id IN ?`, part).Error
		})
	})
}

// DeleteUser deletes a user with everything of theirs: servers, tokens, codes, shares given and received, memberships, roles.
func (s *Store) DeleteUser(ctx context.Context, id int64) error {
	return s.write(ctx, "delete user", func(db *gorm.DB) error {
		if err := deleteSpawners(db, "user_id = ?", id); err != nil {
			return err
		}
		return run(db,
			stmt(`DELETE FROM api_tokens WHERE user_id = ?`, id),
			stmt(`DELETE FROM oauth_codes WHERE user_id = ?`, id),
			stmt(`DELETE FROM shares WHERE owner_id = ? OR user_id = ?`, id, id),
			stmt(`DELETE FROM share_codes WHERE owner_id = ?`, id),
			stmt(`DELETE FROM user_group_map WHERE user_id = ?`, id),
			stmt(`DELETE FROM user_role_map WHERE user_id = ?`, id),
			must(`DELETE FROM users WHERE id = ?`, id))
	})
}

// DeleteSpawner deletes a server with its address, token, OAuth client, the client's tokens and codes, shares and share codes.
func (s *Store) DeleteSpawner(ctx context.Context, id int64) error {
	return s.write(ctx, "delete server", func(db *gorm.DB) error {
		found, err := spawnerRefs(db, "id = ?", id)
		if err == nil && len(found) == 0 {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		return deleteSpawners(db, "id = ?", id)
	})
}

// DeleteService deletes a service with its tokens, roles, address and OAuth client (with that client's tokens and codes).
func (s *Store) DeleteService(ctx context.Context, id int64) error {
	return s.write(ctx, "delete service", func(db *gorm.DB) error {
		var svc []Service
		if err := db.Select("id", "_server_id", "oauth_client_id").Where("id = ?", id).Find(&svc).Error; err != nil {
			return err
		}
		if len(svc) == 0 {
			return ErrNotFound
		}
		err := run(db,
			stmt(`DELETE FROM api_tokens WHERE service_id = ?`, id),
			stmt(`DELETE FROM service_role_map WHERE service_id = ?`, id),
			must(`DELETE FROM services WHERE id = ?`, id))
		if err != nil {
			return err
		}
		return deleteLeft(db, some(svc[0].ServerID), some(svc[0].OAuthClientID))
	})
}

func some[T any](p *T) []T {
	if p == nil {
		return nil
	}
	return []T{*p}
}

func spawnerRefs(db *gorm.DB, cond string, arg any) ([]Spawner, error) {
	return find[Spawner](db.Select("id", "server_id", "oauth_client_id").Where(cond, arg), "find servers")
}

func deleteSpawners(db *gorm.DB, cond string, arg any) error {
	found, err := spawnerRefs(db, cond, arg)
	if err != nil || len(found) == 0 {
		return err
	}
	var ids, servers, tokens []int64
	var clients []string
	for _, sp := range found {
		ids = append(ids, sp.ID)
		servers = append(servers, some(sp.ServerID)...)
		clients = append(clients, some(sp.OAuthClientID)...)
	}
	extras, err := checkedExtras(db, ids)
	if err != nil {
		return err
	}
	for _, e := range extras {
		if e.TokenID != 0 {
			tokens = append(tokens, e.TokenID)
		}
	}
	err = chunked(ids, func(part []int64) error {
		return run(db,
			stmt(`DELETE FROM shares WHERE spawner_id IN ?`, part),
			stmt(`DELETE FROM share_codes WHERE spawner_id IN ?`, part),
			stmt(`DELETE FROM minihub_servers WHERE spawner_id IN ?`, part),
			stmt(`DELETE FROM spawners WHERE id IN ?`, part))
	})
	if err != nil {
		return err
	}
	if err := chunked(tokens, func(part []int64) error { return run(db, stmt(`DELETE FROM api_tokens WHERE id IN ?`, part)) }); err != nil {
		return err
	}
	return deleteLeft(db, servers, clients)
}

// deleteLeft deletes addresses and OAuth clients that nothing uses any more. Client ids can collide (two servers with one id): the
// client stays while the other needs it.
func deleteLeft(db *gorm.DB, servers []int64, clients []string) error {
	err := chunked(servers, func(part []int64) error {
		return run(db, stmt(`DELETE FROM servers WHERE id IN ? AND id NOT IN (SELECT server_id FROM spawners WHERE server_id IS NOT NULL)
			AND id NOT IN (SELECT _server_id FROM services WHERE _server_id IS NOT NULL)`, part))
	})
	if err != nil {
		return err
	}
	return chunked(clients, func(part []string) error {
		const unused = `(SELECT identifier FROM oauth_clients WHERE identifier IN ?
			AND identifier NOT IN (SELECT oauth_client_id FROM spawners WHERE oauth_client_id IS NOT NULL)
			AND identifier NOT IN (SELECT oauth_client_id FROM services WHERE oauth_client_id IS NOT NULL))`
		return run(db,
			stmt(`DELETE FROM api_tokens WHERE client_id IN `+unused, part),
			stmt(`DELETE FROM oauth_codes WHERE client_id IN `+unused, part),
			stmt(`DELETE FROM oauth_clients WHERE identifier IN `+unused, part))
	})
}

// touch moves last_activity forward with one statement for many rows.
func (s *Store) touch(ctx context.Context, table string, at map[int64]time.Time) error {
	if len(at) == 0 {
		return nil
	}
	return s.write(ctx, "update activity of "+table, func(db *gorm.DB) error { return touchRows(db, s.c.dialect, table, at) })
}

// PurgeExpired deletes what has expired before now and says how much.
func (s *Store) PurgeExpired(ctx context.Context, now time.Time) (tokens, codes, shares, shareCodes int, err error) {
	var n [4]int
	err = s.write(ctx, "purge expired rows", func(db *gorm.DB) error {
		for i, table := range []string{"api_tokens", "oauth_codes", "shares", "share_codes"} {
			limit := any(now)
			if table == "oauth_codes" {
				limit = now.Unix()
			}
			res := db.Exec(fmt.Sprintf(`DELETE FROM %s WHERE expires_at IS NOT NULL AND expires_at < ?`, table), limit)
			if res.Error != nil {
				return res.Error
			}
			n[i] = int(res.RowsAffected)
		}
		return nil
	})
	return n[0], n[1], n[2], n[3], err
}
