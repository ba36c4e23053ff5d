package orm

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// chunkSize bounds the values of one IN list; SQLite takes 32766 of them, PostgreSQL 65535.
const chunkSize = 1024

// insertRows bounds the rows of one INSERT.
const insertRows = 200

// chunked calls fn with distinct parts of keys, each padded to one of a few lengths so that few different statements exist.
func chunked[K comparable](keys []K, fn func(part []K) error) error {
	keys = distinct(keys)
	for part := range slices.Chunk(keys, chunkSize) {
		if err := fn(pad(part)); err != nil {
			return err
		}
	}
	return nil
}

func distinct[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	out := make([]K, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// pad repeats the last value up to the next power of four, which does not change what IN matches.
// An empty list stays empty: GORM writes it as (NULL), which matches nothing.
func pad[K any](keys []K) []K {
	if len(keys) == 0 {
		return nil
	}
	size := 1
	for size < len(keys) {
		size *= 4
	}
	out := make([]K, size)
	for i := range out {
		out[i] = keys[min(i, len(keys)-1)]
	}
	return out
}

func first[T any](db *gorm.DB, what, cond string, args ...any) (*T, error) {
	rows := make([]T, 0, 1)
	if err := db.Where(cond, args...).Order("id").Limit(1).Find(&rows).Error; err != nil {
		return nil, fail(what, err)
	}
	if len(rows) == 0 {
		return nil, fail(what, ErrNotFound)
	}
	return &rows[0], nil
}

func find[T any](db *gorm.DB, what string) ([]T, error) {
	rows := []T{}
	return rows, fail(what, db.Find(&rows).Error)
}

func byKey[T any, K comparable](ctx context.Context, s *Store, what, col string, keys []K, key func(*T) K) (map[K]*T, error) {
	out := make(map[K]*T, len(keys))
	err := chunked(keys, func(part []K) error {
		var rows []T
		if err := s.read(ctx).Where(clause.IN{Column: clause.Column{Name: col}, Values: anys(part)}).Find(&rows).Error; err != nil {
			return err
		}
		for i := range rows {
			out[key(&rows[i])] = &rows[i]
		}
		return nil
	})
	return out, fail(what, err)
}

func anys[K any](keys []K) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

// chunkedIDs is chunked for ids: within is the condition that follows the column, "IN ?" or, for ids that lie close together, which those
// of a page do, "BETWEEN ? AND ?": reading a stretch of an index costs less than looking up each. wanted tells which rows count then.
func chunkedIDs(ids []int64, fn func(within string, args []any, wanted func(int64) bool) error) error {
	if len(ids) == 0 {
		return nil
	}
	low, high := slices.Min(ids), slices.Max(ids)
	if high-low >= int64(2*min(len(ids), chunkSize)) {
		return chunkedIn(ids, fn)
	}
	set := make(map[int64]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return fn("BETWEEN ? AND ?", []any{low, high}, func(id int64) bool { _, ok := set[id]; return ok })
}

func chunkedIn(ids []int64, fn func(within string, args []any, wanted func(int64) bool) error) error {
	return chunked(ids, func(part []int64) error {
		return fn("IN ?", []any{part}, func(int64) bool { return true })
	})
}

// fewNames bounds the names that names keeps to give them out again.
const fewNames = 256

// names runs a query of ids and names. %s in it is where chunkedIDs' condition belongs; a query without takes them by IN, for ids that may
// have very many rows each.
func names(ctx context.Context, s *Store, what string, ids []int64, query string) (map[int64][]string, error) {
	out := make(map[int64][]string, len(ids))
	known := map[string]string{} // mostly few names and many rows
	split := chunkedIDs
	if !strings.Contains(query, "%s") {
		split = chunkedIn
	}
	err := split(ids, func(within string, args []any, wanted func(int64) bool) error {
		return each(s.read(ctx), func(rows *sql.Rows) error {
			var id int64
			var text sql.RawBytes
			if err := rows.Scan(&id, &text); err != nil {
				return err
			}
			if !wanted(id) {
				return nil
			}
			name, ok := known[string(text)]
			if !ok {
				name = string(text)
				if len(known) < fewNames {
					known[name] = name
				}
			}
			out[id] = append(out[id], name)
			return nil
		}, strings.Replace(query, "%s", within, 1), args...)
	})
	return out, fail(what, err)
}

func count(db *gorm.DB, what string) (int, error) {
	var n int64
	err := db.Count(&n).Error
	return int(n), fail(what, err)
}

func page(db *gorm.DB, offset, limit int) *gorm.DB {
	if limit <= 0 {
		limit = -1
		if offset > 0 {
			limit = 1 << 31
		}
	}
	return db.Offset(max(offset, 0)).Limit(limit)
}

func insert[T any](db *gorm.DB, rows []*T) error {
	if len(rows) == 0 {
		return nil
	}
	return db.Omit(clause.Associations).CreateInBatches(rows, insertRows).Error
}

// update writes cols of row (all but id when none is named); zero values are written too.
func update[T any](ctx context.Context, s *Store, what string, row *T, cols []string) error {
	return s.write(ctx, what, func(db *gorm.DB) error {
		selected := any("*")
		rest := []any{}
		if len(cols) > 0 {
			selected = cols[0]
			for _, col := range cols[1:] {
				rest = append(rest, col)
			}
		}
		res := db.Model(row).Select(selected, rest...).Omit("id").Updates(row)
		if res.Error == nil && res.RowsAffected == 0 {
			return ErrNotFound
		}
		return res.Error
	})
}

// stamp is what the database can hold of t: UTC, microseconds.
func stamp(t time.Time) time.Time {
	return t.UTC().Truncate(time.Microsecond)
}
