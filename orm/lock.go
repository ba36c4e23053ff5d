package orm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errLocked says that another process has the lock of a file.
var errLocked = errors.New("locked by another process")

// InUseError says that another hub runs on the database.
type InUseError struct {
	Where  string // Where is the lock: a file, or the database server.
	Holder string // Holder is who has it: "process 123", or what the database server tells; never empty.
}

// Error names the holder and the way out.
func (e *InUseError) Error() string {
	return fmt.Sprintf("another minihub (%s) runs on this database (lock: %s); stop it first, or give this hub a database of its own", e.Holder, e.Where)
}

// Lock makes sure that no other hub runs on the database until unlock is called or the process ends; *InUseError when one does. Other
// programs (JupyterHub's tools, minihub token) are not kept out. A file system without locks gives a warning in the log, and no lock.
func (s *Store) Lock(ctx context.Context) (unlock func() error, err error) {
	switch {
	case s.c.dialect == postgresDialect:
		return s.c.lockServer(ctx)
	case s.c.path == "":
		return func() error { return nil }, nil
	}
	return s.c.lockFile(ctx, s.c.path+".minihub-lock")
}

// lockFile locks a file beside the database: SQLite's own locks are for single transactions.
func (c *core) lockFile(ctx context.Context, path string) (func() error, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock the database: %w", err)
		}
		err = lockNow(f)
		switch {
		case errors.Is(err, errLocked):
			holder, _ := io.ReadAll(io.LimitReader(f, 40))
			_ = f.Close()
			return nil, &InUseError{Where: path, Holder: strings.TrimSpace("process " + string(holder))}
		case err != nil:
			_ = f.Close()
			c.log.WarnContext(ctx, "another hub on the same database would not be noticed: the file system has no locks", "file", path, "err", err)
			return func() error { return nil }, nil
		}
		if !sameFile(f, path) { // the last hub removed it just now
			_ = f.Close()
			continue
		}
		if err := errors.Join(f.Truncate(0), writeAt(f, fmt.Sprintf("%d\n", os.Getpid()))); err != nil {
			return nil, errors.Join(fmt.Errorf("lock the database: write %s: %w", path, err), f.Close())
		}
		return func() error { return removeLocked(f, path) }, nil
	}
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func sameFile(f *os.File, path string) bool {
	mine, err1 := f.Stat()
	there, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(mine, there)
}

// hubLock is the first key of the advisory lock that a running hub holds; the second is the schema, since locks are the database's.
const hubLock = 0x6d687562 // "mhub"

// lockServer holds an advisory lock of PostgreSQL on a connection of its own.
func (c *core) lockServer(ctx context.Context) (func() error, error) {
	conn, err := c.pools[0].db.Conn(ctx)
	if err != nil {
		return nil, fail("lock the database", err)
	}
	host, _ := os.Hostname() // for people to read
	var got bool
	name := strings.ReplaceAll(fmt.Sprintf("minihub process %d on %s", os.Getpid(), host), "'", "")
	_, err = conn.ExecContext(ctx, `SET application_name = '`+name+`'`)
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`, hubLock).Scan(&got)
	}
	if err == nil && got {
		return func() error {
			_, err := conn.ExecContext(context.Background(), `SELECT pg_advisory_unlock($1, hashtext(current_schema()))`, hubLock)
			_, err2 := conn.ExecContext(context.Background(), `RESET application_name`)
			return errors.Join(err, err2, conn.Close())
		}, nil
	}
	if err != nil {
		return nil, errors.Join(fail("lock the database", err), conn.Close())
	}
	holder := "its process id is not known"
	_ = conn.QueryRowContext(ctx, `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = hashtext(current_schema())::bigint & 4294967295
		AND a.datname = current_database()`, hubLock).Scan(&holder) // only for the message
	return nil, errors.Join(&InUseError{Where: "advisory lock of the database server", Holder: strings.TrimPrefix(holder, "minihub ")}, conn.Close())
}
