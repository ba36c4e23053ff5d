package orm

import (
	"context"
	"slices"
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

// named is a row of a query for names by id.
type named struct {
	ID   int64
	Name string
}

func names(ctx context.Context, s *Store, what string, ids []int64, query string) (map[int64][]string, error) {
	out := make(map[int64][]string, len(ids))
	err := chunked(ids, func(part []int64) error {
		var rows []named
		if err := s.read(ctx).Raw(query, part).Scan(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			out[row.ID] = append(out[row.ID], row.Name)
		}
		return nil
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
