package app

import (
	"context"
	"time"
)

// Snapshot keeps the content of a database in memory under a name; see orm.Store.Snapshot. Activity that was seen is written first.
func (a *App) Snapshot(ctx context.Context, name string) error {
	if err := a.core.activity.Flush(ctx); err != nil {
		return err
	}
	return a.store.Snapshot(ctx, name)
}

// Restore makes the content of a database in memory what it was at Snapshot. It does not start or stop servers.
func (a *App) Restore(ctx context.Context, name string) error {
	if err := a.core.activity.Flush(ctx); err != nil { // so that nothing of before is written afterwards
		return err
	}
	return a.store.Restore(ctx, name)
}

// Age makes everything in a database in memory so much older; see orm.Store.Age.
func (a *App) Age(ctx context.Context, by time.Duration) error {
	if err := a.core.activity.Flush(ctx); err != nil {
		return err
	}
	return a.store.Age(ctx, by)
}
