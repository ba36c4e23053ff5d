package orm

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"gorm.io/gorm"
)

// Options tells Open which database to use and how.
type Options struct {
	// URL is a database URL as SQLAlchemy writes it: sqlite:///relative, sqlite:////absolute, sqlite:// (memory),
	// postgresql://user:password@host/name (also postgresql+psycopg2://). A value without :// is the path of a SQLite file.
	URL string
	// Upgrade migrates an older schema (the SQLite file is copied first) instead of returning *RevisionError.
	Upgrade bool
	// Reset drops all tables first (JupyterHub.reset_db).
	Reset bool
	// Logger gets start-up, upgrade and, with LogSQL, statement lines; nil discards them.
	Logger *slog.Logger
	// Kwargs is JupyterHub.db_kwargs; echo, pool_size, pool_timeout, pool_recycle and connect_args.timeout are understood.
	Kwargs map[string]any
	// LogSQL logs every statement at debug level, without its values.
	LogSQL bool
	// NoWAL keeps SQLite's rollback journal, for files on network file systems, where the write-ahead log does not work.
	NoWAL bool
	// OnQuery, when set, is told the duration of every statement. It is called concurrently and must not block.
	OnQuery func(d time.Duration)
}

// Store is the database. All methods may be called concurrently; the Store given to a Tx function belongs to that function.
type Store struct {
	c  *core
	tx *gorm.DB // inside Tx
}

// Tx runs fn in one write transaction (BEGIN IMMEDIATE on SQLite, shared with others who write at the same time) and commits when fn
// returns nil. The end of ctx prevents it from beginning; on SQLite it does not interrupt it. A Tx of the Store given to fn
// joins the transaction. Inside fn use only that Store: a write through the outer one would wait for this transaction for ever.
func (s *Store) Tx(ctx context.Context, fn func(tx *Store) error) error {
	if s.tx != nil {
		return fn(s)
	}
	var inner error
	err := s.c.transact(ctx, func(db *gorm.DB) error {
		inner = fn(&Store{c: s.c, tx: db})
		return inner
	})
	if err == nil || inner != nil {
		return err
	}
	return fail("commit", err)
}

// write runs fn in the surrounding transaction or in one of its own.
func (s *Store) write(ctx context.Context, what string, fn func(db *gorm.DB) error) error {
	if s.tx != nil {
		return fail(what, fn(s.tx.WithContext(ctx)))
	}
	return fail(what, s.c.transact(ctx, fn))
}

// exec runs a single statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) (changed int64, err error) {
	err = s.write(ctx, what, func(db *gorm.DB) error {
		res := db.Exec(query, args...)
		changed = res.RowsAffected
		return res.Error
	})
	return changed, err
}

// read is for one statement.
func (s *Store) read(ctx context.Context) *gorm.DB {
	if s.tx != nil {
		return s.tx.WithContext(ctx)
	}
	return s.c.reader.WithContext(ctx)
}

// view runs several reading statements that see one state of the database.
func (s *Store) view(ctx context.Context, what string, fn func(db *gorm.DB) error) error {
	if s.tx != nil {
		return fail(what, fn(s.tx.WithContext(ctx)))
	}
	return fail(what, s.c.reader.WithContext(ctx).Transaction(fn, &sql.TxOptions{ReadOnly: true, Isolation: s.c.dialect.snapshot()}))
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return fail("ping", s.read(ctx).Raw("SELECT 1").Scan(&one).Error)
}

// Generation returns a text that differs from every earlier one when anybody, this process or another, has committed anything in
// between, but for what Touch of this process wrote, which Touched tells. What is derived from the database may be kept as long as both
// stay the same, unless the generation is not Settled. It costs some microseconds on SQLite.
func (s *Store) Generation(ctx context.Context) (string, error) {
	return s.c.generation(ctx)
}

// Close waits for running statements and closes all connections. It may be called twice.
func (s *Store) Close() error {
	return s.c.close()
}
