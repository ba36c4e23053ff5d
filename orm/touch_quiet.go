package orm

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// Touches are times of activity by id.
type Touches struct{ Users, Tokens, Spawners map[int64]time.Time }

// Settled reports whether a generation may be remembered. One that is not is given out for the moment in which a commit of Touch cannot
// be told from other people's yet, and equals no other.
func Settled(generation string) bool { return !strings.HasPrefix(generation, unsettled) }

// touchBuckets is how many counters of touches there are for users and for tokens. Ids that share one are read anew together.
const touchBuckets = 1 << 15

// touchCounts count touches, so that those who remember a row know when its last_activity has moved.
type touchCounts struct {
	all           atomic.Uint64
	users, tokens [touchBuckets]atomic.Uint32
}

func (t *touchCounts) add(counts *[touchBuckets]atomic.Uint32, at map[int64]time.Time) {
	for id := range at {
		counts[uint64(id)%touchBuckets].Add(1)
	}
}

// Touched returns a number that changes when Touch has moved last_activity of the user, of one of the user's servers, or of the token. The
// id 0 stands for none. Rows may be remembered with it when AnyTouched was the same before they were read and after Touched was asked.
func (s *Store) Touched(userID, tokenID int64) uint64 {
	t := &s.c.touched
	return uint64(t.users[uint64(userID)%touchBuckets].Load())<<32 | uint64(t.tokens[uint64(tokenID)%touchBuckets].Load())
}

// AnyTouched returns a number that changes with every Touch.
func (s *Store) AnyTouched() uint64 { return s.c.touched.all.Load() }

// Seen is when a user and a token were last active, nil for never.
type Seen struct{ User, Token *time.Time }

// LastActivity reads the activity of a user and a token, 0 for none, in one statement. ErrNotFound when a row that is asked for is gone.
func (s *Store) LastActivity(ctx context.Context, userID, tokenID int64) (seen Seen, err error) {
	d, found, wanted := s.c.dialect, 0, 0
	for _, id := range []int64{userID, tokenID} {
		if id != 0 {
			wanted++
		}
	}
	err = each(s.read(ctx), func(rows *sql.Rows) error {
		var kind int
		var at nullTime
		if err := rows.Scan(&kind, &at); err != nil {
			return err
		}
		found++
		if kind == 0 {
			seen.User = at.at
		} else {
			seen.Token = at.at
		}
		return nil
	}, `SELECT 0, `+d.rawTime("last_activity")+` FROM users WHERE id = ? UNION ALL SELECT 1, `+d.rawTime("last_activity")+
		` FROM api_tokens WHERE id = ?`, userID, tokenID)
	if err == nil && found < wanted {
		err = ErrNotFound
	}
	return seen, fail("read last activity", err)
}

// Touch moves last_activity forward, never back, in one transaction. Activity is written all the time and decides nothing, so it makes
// no new Generation on SQLite with a write-ahead log; elsewhere it is a commit like others.
func (s *Store) Touch(ctx context.Context, t Touches) error {
	if len(t.Users)+len(t.Tokens)+len(t.Spawners) == 0 {
		return nil
	}
	const what = "store activity"
	if s.tx != nil {
		return fail(what, s.touchAll(s.tx.WithContext(ctx), t))
	}
	if !s.c.wal {
		return s.write(ctx, what, func(db *gorm.DB) error { return s.touchAll(db, t) })
	}
	conn, err := s.c.pools[0].db.Conn(ctx) // the only one that writes
	if err != nil {
		return fail(what, err)
	}
	defer conn.Close()
	return fail(what, s.touchQuietly(context.WithoutCancel(ctx), conn, t))
}

func (s *Store) touchAll(db *gorm.DB, t Touches) error {
	for _, table := range [...]struct {
		name string
		at   map[int64]time.Time
	}{{"users", t.Users}, {"api_tokens", t.Tokens}, {"spawners", t.Spawners}} {
		if err := touchRows(db, s.c.dialect, table.name, table.at); err != nil {
			return err
		}
	}
	return nil
}

// touchQuietly is touchAll on a connection of SQLite. A generation is made by whoever else commits: that nobody did in between is what
// this connection's own data_version tells, which its own commits do not move.
func (s *Store) touchQuietly(ctx context.Context, conn *sql.Conn, t Touches) (err error) {
	begin := time.Now()
	defer func() { s.c.pools[0].measure(ctx, "UPDATE last_activity", begin, err) }()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	before, err := dataVersion(ctx, conn)
	if err == nil {
		err = s.c.counter.beginQuiet(ctx)
	}
	if err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	defer s.c.counter.endQuiet(ctx, func() bool {
		after, failed := dataVersion(ctx, conn)
		return err == nil && failed == nil && after == before
	})
	owners, err := s.touchTables(ctx, conn, t)
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	counts := &s.c.touched
	counts.all.Add(1) // first: see Touched
	counts.add(&counts.users, t.Users)
	counts.add(&counts.users, owners)
	counts.add(&counts.tokens, t.Tokens)
	return nil
}

// touchTables runs the statements and returns the users whose servers were touched.
func (s *Store) touchTables(ctx context.Context, conn *sql.Conn, t Touches) (owners map[int64]time.Time, err error) {
	exec := func(query string, args ...any) error {
		_, err := conn.ExecContext(ctx, query, s.c.pools[0].args(args)...)
		return err
	}
	for _, table := range [...]struct {
		name string
		at   map[int64]time.Time
	}{{"users", t.Users}, {"api_tokens", t.Tokens}, {"spawners", t.Spawners}} {
		if err := touchWith(exec, s.c.dialect, table.name, table.at); err != nil {
			return nil, err
		}
	}
	owners = map[int64]time.Time{}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(t.Spawners)), insertRows) {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(part)), ", ")
		if err := queryIDs(ctx, conn, owners, `SELECT user_id FROM spawners WHERE id IN (`+marks+`)`, anys(part)); err != nil {
			return nil, err
		}
	}
	return owners, nil
}

func queryIDs(ctx context.Context, conn *sql.Conn, into map[int64]time.Time, query string, args []any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id sql.NullInt64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		into[id.Int64] = time.Time{}
	}
	return rows.Err()
}

func dataVersion(ctx context.Context, conn *sql.Conn) (v int64, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, err
}
