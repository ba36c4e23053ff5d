package orm

import (
	"context"
	"database/sql"
)

// UserQuery selects a page of users.
type UserQuery struct {
	State          string   // "", "inactive", "active" (any server that runs or is pending) or "ready" (any that runs and is not pending)
	NameFilter     string   // part of the name, in any case
	Sort           string   // id (default), name or last_activity
	Desc           bool     // downwards; users without activity come first upwards and last downwards
	Offset, Limit  int      // Limit 0 means all
	After          int64    // not 0: Offset is how many matching users come up to this id in the order by id, whatever was deleted meanwhile
	OnlyUsers      []string // with OnlyGroups: only users named here or members of groups named there; both nil means no limit
	OnlyGroups     []string
	ActiveSpawners []int64 // spawners that are pending in memory: they count as active without a server row, and not as ready with one
}

// GroupNamesOfUsers returns the sorted names of the groups of each user.
func (s *Store) GroupNamesOfUsers(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return names(ctx, s, "find groups of users", ids,
		`SELECT m.user_id AS id, g.name AS name FROM user_group_map m JOIN "groups" g ON g.id = m.group_id WHERE m.user_id %s ORDER BY g.name`)
}

// RoleNamesOfUsers returns the sorted names of the roles of each user, those of its groups not included.
func (s *Store) RoleNamesOfUsers(ctx context.Context, ids []int64) (map[int64][]string, error) {
	return s.roleNames(ctx, HolderUser, ids)
}

// SpawnersOfUsers returns the servers of each user, running or not, by id.
func (s *Store) SpawnersOfUsers(ctx context.Context, ids []int64) (map[int64][]Spawner, error) {
	out := make(map[int64][]Spawner, len(ids))
	raw := s.c.dialect.rawTime
	query := `SELECT id, user_id, server_id, state, name, display_name, ` + raw("started") + `, ` + raw("last_activity") +
		`, user_options, oauth_client_id FROM spawners WHERE user_id `
	err := chunkedIDs(ids, func(within string, args []any, wanted func(int64) bool) error {
		return each(s.read(ctx), func(rows *sql.Rows) error {
			var row Spawner
			var name sql.NullString
			var started, active nullTime
			if err := rows.Scan(&row.ID, &row.UserID, &row.ServerID, &row.State, &name, &row.DisplayName, &started, &active, &row.UserOptions,
				&row.OAuthClientID); err != nil {
				return err
			}
			row.Name, row.Started, row.LastActivity = name.String, started.at, active.at
			if wanted(row.UserID) {
				out[row.UserID] = append(out[row.UserID], row)
			}
			return nil
		}, query+within+` ORDER BY id`, args...)
	})
	return out, fail("find servers of users", err)
}

// ServersByID returns the server rows that exist among ids, by id.
func (s *Store) ServersByID(ctx context.Context, ids []int64) (map[int64]*Server, error) {
	return byKey(ctx, s, "find server rows", "id", ids, func(r *Server) int64 { return r.ID })
}
