package hub

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/minihub/minihub/orm"
)

// storable reports whether a text from outside can be in the database at all. PostgreSQL answers a question about another one with an
// error, where "no such row" is the truth.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

func userByName(ctx context.Context, store *orm.Store, name string) (*orm.User, error) {
	if !storable(name) {
		return nil, orm.ErrNotFound
	}
	return store.UserByName(ctx, name)
}

func groupByName(ctx context.Context, store *orm.Store, name string) (*orm.Group, error) {
	if !storable(name) {
		return nil, orm.ErrNotFound
	}
	return store.GroupByName(ctx, name)
}

func spawnerByName(ctx context.Context, store *orm.Store, userID int64, name string) (*orm.Spawner, error) {
	if !storable(name) {
		return nil, orm.ErrNotFound
	}
	return store.SpawnerByName(ctx, userID, name)
}

func shareCodeByValue(ctx context.Context, store *orm.Store, code string) (*orm.ShareCodeRow, error) {
	if !storable(code) {
		return nil, orm.ErrNotFound
	}
	return store.ShareCodeByValue(ctx, code, time.Now())
}
