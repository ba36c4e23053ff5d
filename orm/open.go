package orm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// core is what all Stores of one Open share.
type core struct {
	dialect        dialect
	reader, writer *gorm.DB
	pools          []*pool
	writers        writers
	counter        *counter
	first          bool // the hub's id was made by this Open
	touched        touchCounts
	log            *slog.Logger
	wal            bool    // we switched the file to WAL and switch it back
	path           string  // SQLite file, "" for one in memory and for PostgreSQL
	memory         *memory // nil: the database is not in memory
	closed         sync.Once
	closeErr       error
}

// Open opens a database, creates JupyterHub's tables in an empty one, and checks (or with Upgrade migrates) the schema of any other.
// It returns *RevisionError when the schema is of another version, and leaves the database as it was then.
func Open(ctx context.Context, o Options) (*Store, error) {
	t, err := parseTarget(o.URL, o.Kwargs)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if echo, ok := o.Kwargs["echo"].(bool); ok && echo {
		o.LogSQL = true
	}
	c := &core{dialect: t.dialect, log: o.Logger}
	if t.dialect == postgresDialect {
		err = c.openPostgres(t, o)
	} else {
		c.path = t.path
		if err = c.inMemory(&t); err == nil {
			err = c.openSQLite(t, o)
		}
	}
	if err == nil {
		err = c.prepare(ctx, t, o)
	}
	if err == nil && t.dialect == sqliteDialect && !o.NoWAL {
		c.useWAL(ctx)
	}
	if err == nil {
		err = c.counter.open()
	}
	if err != nil {
		_ = c.close()
		return nil, fail("open database", err)
	}
	return &Store{c: c}, nil
}

func (c *core) openSQLite(t target, o Options) error {
	if err := createPrivate(t); err != nil {
		return err
	}
	write, err := c.openPool("sqlite", t.liteDSN(url.Values{"_txlock": {"immediate"}}), 1, o)
	if err != nil {
		return err
	}
	write.firm = true
	read, err := c.openPool("sqlite", t.liteDSN(url.Values{"_pragma": {"query_only(1)"}}), t.readers, o)
	if err != nil {
		return err
	}
	c.counter = newCounter(read.db, t.liteDSN(nil), `PRAGMA data_version`)
	if c.writer, err = openGORM(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: write})); err != nil {
		return err
	}
	c.reader, err = openGORM(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: read}))
	return err
}

// inMemory gives a database in memory its place.
func (c *core) inMemory(t *target) (err error) {
	if t.path != "" {
		return nil
	}
	if c.memory, err = newMemory(); err != nil {
		return err
	}
	t.volatile, t.path = true, filepath.Join(c.memory.dir, "jupyterhub.sqlite")
	return nil
}

// createPrivate makes a new database file that only the hub's user can read: it will hold hashes of tokens and sessions.
func createPrivate(t target) error {
	if t.mode != "" {
		return nil
	}
	f, err := os.OpenFile(t.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: create the file of db_url: %w", ErrUnavailable, err)
	}
	return f.Close()
}

func (c *core) openPostgres(t target, o Options) error {
	if _, err := pgx.ParseConfig(t.dsn); err != nil { // its text could quote a part of the password
		return fmt.Errorf("%w: db_url cannot be read as PostgreSQL settings, look at host, port and the query part", ErrUnsupportedURL)
	}
	both, err := c.openPool("pgx", t.dsn, t.readers+4, o)
	if err != nil {
		return err
	}
	c.counter = newCounter(both.db, t.dsn, `SELECT CAST(pg_current_snapshot() AS TEXT)`)
	both.db.SetConnMaxLifetime(t.recycle)
	c.writer, err = openGORM(postgres.New(postgres.Config{Conn: both}))
	c.reader = c.writer
	return err
}

func (c *core) openPool(driver, dsn string, size int, o Options) (*pool, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	p := newPool(db, c.dialect, o, c.log)
	c.pools = append(c.pools, p)
	return p, nil
}

func openGORM(d gorm.Dialector) (*gorm.DB, error) {
	return gorm.Open(d, &gorm.Config{
		SkipDefaultTransaction:   true, // transactions are ours
		DisableNestedTransaction: true,
		DisableAutomaticPing:     true,
		Logger:                   logger.Discard,
		NowFunc:                  func() time.Time { return stamp(time.Now()) },
	})
}

// useWAL lets readers go on while somebody writes. When another process holds the file just now, or the file system cannot do it, the
// rollback journal stays, which is correct too.
func (c *core) useWAL(ctx context.Context) {
	mode, err := c.journalMode(ctx, "WAL", 2*time.Second)
	switch {
	case err != nil || !strings.EqualFold(mode, "wal"):
		c.log.WarnContext(ctx, "database stays without write-ahead log", "mode", mode, "err", err)
	default:
		c.wal = true
	}
}

// journalMode asks SQLite for a journal mode on the writer's connection, waiting at most wait for other processes.
func (c *core) journalMode(ctx context.Context, mode string, wait time.Duration) (string, error) {
	conn, err := c.pools[0].db.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var busy int
	if err := conn.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&busy); err != nil {
		return "", err
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, wait.Milliseconds())); err != nil {
		return "", err
	}
	var got string
	err = conn.QueryRowContext(ctx, `PRAGMA journal_mode = `+mode).Scan(&got)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, busy)); err != nil {
		return "", err
	}
	return got, err
}

// close ends in the order that lets the last connection fold the log back into the file, so that the file alone is the database
// again and can be copied.
func (c *core) close() error {
	c.closed.Do(func() {
		var errs []error
		if c.counter != nil {
			errs = append(errs, c.counter.close())
		}
		for i := len(c.pools) - 1; i >= 0; i-- {
			if i == 0 && c.wal && c.memory == nil {
				if _, err := c.journalMode(context.Background(), "DELETE", 0); err != nil {
					c.log.DebugContext(context.Background(), "database keeps its write-ahead log, it is open elsewhere", "err", err)
				}
			}
			errs = append(errs, c.pools[i].close())
		}
		if c.memory != nil {
			errs = append(errs, c.memory.close())
		}
		c.closeErr = errors.Join(errs...)
	})
	return c.closeErr
}
