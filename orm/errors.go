package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"gorm.io/gorm"
	"modernc.org/sqlite"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("no such row")

// ErrConflict says that a row with the same unique value exists already.
var ErrConflict = errors.New("a row with this value exists already")

// ErrReference says that a row refers to another one which is gone.
var ErrReference = errors.New("refers to a row that does not exist")

// ErrUnavailable says that the database is busy, full, unreachable or broken. It never means "no such row".
var ErrUnavailable = errors.New("database unavailable")

// ErrUnsupportedURL says that a database URL names an engine that minihub cannot use.
var ErrUnsupportedURL = errors.New("unsupported database URL")

// RevisionError is returned by Open when the schema is not the one of this version and Options.Upgrade is off.
// The database has not been touched.
type RevisionError struct {
	Found string // revision in alembic_version
	Want  string // revision this version works with
	Hint  string // what to run
}

// Error names both revisions and the way out.
func (e *RevisionError) Error() string {
	return fmt.Sprintf("database schema revision is %.64q, this version needs %q: %s", e.Found, e.Want, e.Hint)
}

// SQLite's primary result codes that mean "not now" or "not on this disk" (sqlite3.h).
const (
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadOnly = 8
	sqliteIOErr    = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26

	sqliteUnique     = 2067 // extended codes of SQLITE_CONSTRAINT
	sqlitePrimaryKey = 1555
	sqliteRowID      = 2579
	sqliteForeignKey = 787
)

// fail wraps err with what was attempted and with the sentinel that callers tell apart; nil stays nil.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	if kind := classify(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("%s: %w: %w", what, kind, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func classify(err error) error {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict), errors.Is(err, ErrReference), errors.Is(err, ErrUnavailable),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, net.ErrClosed):
		return ErrUnavailable
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return classifySQLite(lite.Code())
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return classifySQLState(state.SQLState())
	}
	var network net.Error
	if errors.As(err, &network) || strings.Contains(err.Error(), "database is closed") {
		return ErrUnavailable
	}
	return nil
}

func classifySQLite(code int) error {
	switch code {
	case sqliteUnique, sqlitePrimaryKey, sqliteRowID:
		return ErrConflict
	case sqliteForeignKey:
		return ErrReference
	}
	switch code & 0xff {
	case sqliteBusy, sqliteLocked, sqliteReadOnly, sqliteIOErr, sqliteCorrupt, sqliteFull, sqliteCantOpen, sqliteNotADB:
		return ErrUnavailable
	}
	return nil
}

// classifySQLState maps PostgreSQL's error classes (appendix A of its manual).
func classifySQLState(state string) error {
	switch {
	case state == "23505":
		return ErrConflict
	case state == "23503":
		return ErrReference
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "53"), strings.HasPrefix(state, "57P"),
		strings.HasPrefix(state, "58"), strings.HasPrefix(state, "40"), state == "55P03", state == "25006":
		return ErrUnavailable
	}
	return nil
}
