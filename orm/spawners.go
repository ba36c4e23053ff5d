package orm

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// RunningSpawner is a running server with what is needed to adopt it.
type RunningSpawner struct {
	Spawner Spawner
	User    User
	Server  Server
	Extra   *ServerExtra // nil when minihub did not start it
}

// Spawner returns the server with this id.
func (s *Store) Spawner(ctx context.Context, id int64) (*Spawner, error) {
	return first[Spawner](s.read(ctx), "find server", "id = ?", id)
}

// SpawnerByName returns the user's server with this name ("" is the default server), the oldest row if there are several.
func (s *Store) SpawnerByName(ctx context.Context, userID int64, name string) (*Spawner, error) {
	return first[Spawner](s.read(ctx), "find server by name", "user_id = ? AND name = ?", userID, name)
}

// RunningSpawners returns all running servers by id. When another program left one without its address, Server has nothing but the
// ID: such a server cannot be reached and wants the clean-up of a dead one.
func (s *Store) RunningSpawners(ctx context.Context) ([]RunningSpawner, error) {
	out := []RunningSpawner{}
	err := s.view(ctx, "list running servers", func(db *gorm.DB) error {
		tx := &Store{c: s.c, tx: db}
		spawners, err := find[Spawner](db.Where("server_id IS NOT NULL").Order("id"), "spawners")
		if err != nil {
			return err
		}
		var ids, userIDs, serverIDs []int64
		for _, sp := range spawners {
			ids, userIDs, serverIDs = append(ids, sp.ID), append(userIDs, sp.UserID), append(serverIDs, *sp.ServerID)
		}
		users, err := tx.UsersByID(ctx, userIDs)
		if err != nil {
			return err
		}
		servers, err := tx.ServersByID(ctx, serverIDs)
		if err != nil {
			return err
		}
		extras, err := tx.serverExtras(ctx, ids)
		if err != nil {
			return err
		}
		for _, sp := range spawners {
			user, server := users[sp.UserID], servers[*sp.ServerID]
			if user == nil { // foreign keys were not enforced when this was written
				continue
			}
			if server == nil {
				server = &Server{ID: *sp.ServerID}
			}
			out = append(out, RunningSpawner{Spawner: sp, User: *user, Server: *server, Extra: extras[sp.ID]})
		}
		return nil
	})
	return out, err
}

// NamedSpawners calls fn with the user and the name of every named server until it returns an error.
func (s *Store) NamedSpawners(ctx context.Context, fn func(userID int64, name string) error) error {
	err := each(s.read(ctx), func(rows *sql.Rows) error {
		var user sql.NullInt64
		var name sql.NullString
		if err := rows.Scan(&user, &name); err != nil {
			return err
		}
		return fn(user.Int64, name.String)
	}, `SELECT user_id, name FROM spawners WHERE name <> '' AND user_id IS NOT NULL`)
	return fail("list named servers", err)
}

// CreateSpawner inserts a server's row and fills ID; ErrConflict when the user has a server with this name.
func (s *Store) CreateSpawner(ctx context.Context, sp *Spawner) error {
	return s.write(ctx, "create server", func(db *gorm.DB) error {
		if err := s.c.dialect.lockRow(db, "users", sp.UserID); err != nil {
			return err
		}
		n, err := count(db.Model(&Spawner{}).Where("user_id = ? AND name = ?", sp.UserID, sp.Name), "check name")
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrConflict // JupyterHub's schema has no unique constraint here
		}
		if err := insert(db, []*Spawner{sp}); err != nil {
			return err
		}
		return db.Exec(`DELETE FROM minihub_servers WHERE spawner_id = ?`, sp.ID).Error // SQLite reuses ids
	})
}

// UpdateSpawner writes the named columns of sp, or all but id.
func (s *Store) UpdateSpawner(ctx context.Context, sp *Spawner, cols ...string) error {
	return update(ctx, s, "update server", sp, cols)
}

// CreateServer inserts the address of a running server or service and fills ID.
func (s *Store) CreateServer(ctx context.Context, row *Server) error {
	return s.write(ctx, "create server row", func(db *gorm.DB) error { return insert(db, []*Server{row}) })
}

// UpdateServer writes the named columns of row, or all but id.
func (s *Store) UpdateServer(ctx context.Context, row *Server, cols ...string) error {
	return update(ctx, s, "update server row", row, cols)
}

// DeleteServer deletes an address and takes it from its server or service; no error when it is gone.
func (s *Store) DeleteServer(ctx context.Context, id int64) error {
	return s.write(ctx, "delete server row", func(db *gorm.DB) error {
		return run(db,
			stmt(`UPDATE spawners SET server_id = NULL WHERE server_id = ?`, id),
			stmt(`UPDATE services SET _server_id = NULL WHERE _server_id = ?`, id),
			stmt(`DELETE FROM servers WHERE id = ?`, id))
	})
}

// TouchSpawners moves last_activity of servers forward, never back.
func (s *Store) TouchSpawners(ctx context.Context, at map[int64]time.Time) error {
	return s.touch(ctx, "spawners", at)
}

// CountActive counts the running servers of all users.
func (s *Store) CountActive(ctx context.Context) (int, error) {
	return count(s.read(ctx).Model(&Spawner{}).Where("server_id IS NOT NULL"), "count running servers")
}

// NamedServerCount counts a user's servers other than the default one, running or not.
func (s *Store) NamedServerCount(ctx context.Context, userID int64) (int, error) {
	return count(s.read(ctx).Model(&Spawner{}).Where("user_id = ? AND name <> ''", userID), "count named servers")
}

// ServerNames returns the names of a user's servers, "" for the default one, in order of creation.
func (s *Store) ServerNames(ctx context.Context, userID int64) ([]string, error) {
	out := []string{}
	err := s.read(ctx).Raw(`SELECT name FROM spawners WHERE user_id = ? AND name IS NOT NULL ORDER BY id`, userID).Scan(&out).Error
	return out, fail("find names of servers", err)
}
