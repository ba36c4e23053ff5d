package orm

import (
	"context"
	"time"

	"gorm.io/gorm"
)

type core struct {
	reader, writer *gorm.DB
	dialect        dialect
}

func (c *core) generation(ctx context.Context) (string, error) { return "", nil }
func (c *core) close() error                                   { return nil }

func Open(ctx context.Context, o Options) (*Store, error) { return nil, ErrUnsupportedURL }

func touchRows(db *gorm.DB, d dialect, table string, at map[int64]time.Time) error { return nil }
