package orm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"gorm.io/driver/sqlite"
)

// SchemaState says what Open would do with a database.
type SchemaState string

// The states of a schema.
const (
	SchemaNone       SchemaState = "none"       // There is no database, or an empty one: Open makes the tables.
	SchemaCurrent    SchemaState = "current"    // Open takes it as it is.
	SchemaUpgradable SchemaState = "upgradable" // Open refuses it unless Options.Upgrade is set.
	SchemaUnknown    SchemaState = "unknown"    // Open refuses it; probably a newer JupyterHub wrote it.
)

// Inspection is what a database holds.
type Inspection struct {
	File     string // File is the SQLite file; "" for PostgreSQL and for a database in memory.
	State    SchemaState
	Revision string // Revision is Alembic's stamp, or a guess where there is none.
	Want     string // Want is the revision that Open takes.
	Hint     string // Hint is the way out of a revision that Open refuses; "" when it takes it.

	Users, Admins, Groups, Tokens, Services, Running int // Running counts servers of users that are running. All are 0 unless State is current or upgradable.
}

// ErrUnfinished says that a SQLite file was left in the middle of a change, which SQLite undoes when somebody opens the file for writing.
var ErrUnfinished = errors.New("its last writer was killed in the middle of a change, which must be undone first")

// Inspect looks at a database without changing anything: SQLite files are opened read-only, and are not made when they are missing.
// ErrUnfinished when a file cannot be read without writing to it.
func Inspect(ctx context.Context, o Options) (Inspection, error) {
	in := Inspection{State: SchemaNone, Want: Head}
	t, err := parseTarget(o.URL, o.Kwargs)
	if err != nil {
		return in, fail("inspect database", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &core{dialect: t.dialect, log: o.Logger}
	switch {
	case t.dialect == postgresDialect:
		err = c.openPostgres(t, o)
	case t.path == "":
		return in, nil
	default:
		in.File = t.path
		if _, err := os.Stat(t.path); errors.Is(err, fs.ErrNotExist) {
			return in, nil
		}
		err = c.openReadOnly(t, o)
	}
	if err == nil {
		err = c.inspect(ctx, &in)
	}
	err = errors.Join(err, c.close())
	if info, no := os.Stat(t.path + "-journal"); err != nil && t.path != "" && no == nil && info.Size() > 0 {
		err = fmt.Errorf("%w (%w)", ErrUnfinished, err)
	}
	return in, fail("inspect database", err)
}

// openReadOnly opens a SQLite file so that nothing is written, not even the files that a write-ahead log has beside it.
func (c *core) openReadOnly(t target, o Options) error {
	t.mode = "ro"
	extra := url.Values{}
	if quiet, err := withoutLog(t.path); err != nil {
		return err
	} else if quiet {
		extra.Set("immutable", "1")
	}
	read, err := c.openPool("sqlite", t.liteDSN(extra), 1, o)
	if err != nil {
		return err
	}
	c.reader, err = openGORM(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: read}))
	return err
}

// withoutLog reports whether a file says that it has a write-ahead log (bytes 18 and 19 of SQLite's file header) and none lies beside it.
func withoutLog(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	header := make([]byte, 20)
	if _, err := io.ReadFull(f, header); err != nil {
		return false, nil // empty, or no database: SQLite says so itself
	}
	_, err = os.Stat(path + "-wal")
	return header[18] == 2 && errors.Is(err, fs.ErrNotExist), nil
}

func (c *core) inspect(ctx context.Context, in *Inspection) error {
	revision, empty, err := c.revision(ctx)
	if err != nil || empty {
		return err
	}
	in.Revision = revision
	switch {
	case revision == Head:
		in.State = SchemaCurrent
	case upgradable(revision):
		in.State = SchemaUpgradable
	default:
		in.State = SchemaUnknown
		if e := new(RevisionError); errors.As(revisionError(revision), &e) {
			in.Hint = e.Hint
		}
		return nil
	}
	if in.State == SchemaUpgradable {
		in.Hint = "minihub upgrade-db copies the file and upgrades it"
	}
	return c.countAll(ctx, in)
}

// countAll counts in one statement what an old schema has.
func (c *core) countAll(ctx context.Context, in *Inspection) error {
	tables, err := c.dialect.tables(c.reader.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	parts := make([]string, 0, 6)
	for _, p := range [][3]string{{"users", "users", ""}, {"admins", "users", " WHERE admin"}, {"groups", "groups", ""}, {"tokens", "api_tokens", ""},
		{"services", "services", ""}, {"running", "spawners", " WHERE server_id IS NOT NULL"}} {
		if tables[p[1]] == nil {
			parts = append(parts, `0 AS "`+p[0]+`"`)
			continue
		}
		parts = append(parts, `(SELECT count(*) FROM "`+p[1]+`"`+p[2]+`) AS "`+p[0]+`"`)
	}
	var row struct{ Users, Admins, Groups, Tokens, Services, Running int }
	if err := c.reader.WithContext(ctx).Raw(`SELECT ` + strings.Join(parts, ", ")).Scan(&row).Error; err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	in.Users, in.Admins, in.Groups, in.Tokens, in.Services, in.Running = row.Users, row.Admins, row.Groups, row.Tokens, row.Services, row.Running
	return nil
}
