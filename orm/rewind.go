package orm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrNotVolatile is that a database is not one in memory: only those, which tests use, can be put back and aged.
var ErrNotVolatile = errors.New("only a database in memory (sqlite://) can do this")

// Snapshot keeps the whole content of a database in memory under a name, for Restore. It lasts until Close.
func (s *Store) Snapshot(ctx context.Context, name string) error {
	path, err := s.snapshotPath(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replace snapshot %s: %w", name, err)
	}
	_, err = s.c.pools[0].db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return fail("take snapshot", err)
}

// Restore makes the content what it was when Snapshot was called with this name.
func (s *Store) Restore(ctx context.Context, name string) error {
	path, err := s.snapshotPath(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w: there is no snapshot %q", ErrNotFound, name)
	}
	conn, err := s.c.pools[0].db.Conn(ctx)
	if err != nil {
		return fail("restore snapshot", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `ATTACH DATABASE ? AS snapshot`, path); err != nil {
		return fail("open snapshot", err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `DETACH DATABASE snapshot`)
	tables, err := texts(ctx, conn, `SELECT name FROM snapshot.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return fail("read snapshot", err)
	}
	script := []string{`BEGIN IMMEDIATE`, `PRAGMA defer_foreign_keys = ON`}
	for _, t := range tables {
		script = append(script, fmt.Sprintf(`DELETE FROM main.%q`, t))
	}
	for _, t := range tables {
		script = append(script, fmt.Sprintf(`INSERT INTO main.%q SELECT * FROM snapshot.%q`, t, t))
	}
	if _, err := conn.ExecContext(ctx, strings.Join(append(script, `COMMIT`), ";\n")); err != nil {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return fail("restore snapshot", errors.Join(err, rollback))
	}
	return nil
}

func (s *Store) snapshotPath(name string) (string, error) {
	if s.c.memory == nil {
		return "", ErrNotVolatile
	}
	return filepath.Join(s.c.memory.dir, fmt.Sprintf("snapshot-%x.sqlite", name)), nil
}

// Age moves every time in a database in memory back, as if so much time had gone by: what expires has less time left, and what was
// seen was seen longer ago. Times keep milliseconds only.
func (s *Store) Age(ctx context.Context, by time.Duration) error {
	if s.c.memory == nil {
		return ErrNotVolatile
	}
	return s.Tx(ctx, func(tx *Store) error {
		var columns []struct{ Table, Column, Type string }
		err := tx.read(ctx).Raw(`SELECT m.name AS "table", c.name AS "column", c.type AS type FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND (upper(c.type) = 'DATETIME' OR m.name = 'oauth_codes' AND c.name = 'expires_at')`).Scan(&columns).Error
		if err != nil {
			return fail("find the columns with times", err)
		}
		for _, c := range columns {
			set := fmt.Sprintf(`UPDATE %q SET %[2]q = strftime('%%Y-%%m-%%d %%H:%%M:%%f', %[2]q, '-%.3[3]f seconds') || '000' WHERE %[2]q IS NOT NULL`, c.Table, c.Column, by.Seconds())
			if !strings.EqualFold(c.Type, "DATETIME") { // seconds since 1970
				set = fmt.Sprintf(`UPDATE %q SET %[2]q = %[2]q - %d WHERE %[2]q IS NOT NULL`, c.Table, c.Column, int64(by/time.Second))
			}
			if _, err := tx.exec(ctx, "age "+c.Table+"."+c.Column, set); err != nil {
				return err
			}
		}
		return nil
	})
}

// texts are the rows of a query with one column.
func texts(ctx context.Context, conn *sql.Conn, query string) (out []string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}
