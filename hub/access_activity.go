package hub

import (
	"context"
	"errors"
	"time"

	"github.com/minihub/minihub/orm"
)

// activeAt returns a copy of the identity with activity of its user and its token moved forward (nil: left as it is).
func (i *Identity) activeAt(user, token *time.Time) *Identity {
	c := *i
	if user != nil && c.User != nil {
		row := *c.User
		row.LastActivity = forward(row.LastActivity, *user)
		c.User = &row
	}
	if token != nil && c.Token != nil {
		row := *c.Token
		row.LastActivity = forward(row.LastActivity, *token)
		c.Token = &row
	}
	if c.memo != nil {
		c.memo = &memo{} // answers show the activity
	}
	return &c
}

// forward returns the later time as the database will have it.
func forward(old *time.Time, at time.Time) *time.Time {
	at = at.UTC().Truncate(time.Microsecond)
	if old != nil && old.After(at) {
		return old
	}
	return &at
}

// shown makes id, which has activity that waits to be written, what the cache gives out. It is as old as e in all else, so it holds just
// as long: the write itself makes it be read again.
func (a *Access) shown(key *cacheKey, e *cached, id *Identity) *Identity {
	if id == e.id {
		return id
	}
	if a.cache.get(key) == e {
		c := *e
		c.id = id
		a.cache.put(key, &c)
	}
	return id
}

// onlyTouched reports whether nothing but activity can have changed since e was read: Touch alone commits without a new generation.
func (e *cached) onlyTouched(generation string) bool { return e != nil && e.generation == generation }

// freshen reads the activity of an identity again; nil, nil when a row is gone.
func (a *Access) freshen(ctx context.Context, e *cached) (*cached, error) {
	user, token := e.ids()
	activity, err := a.store.LastActivity(ctx, user, token)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, storeErr(err, "read the activity of a credential")
	}
	id := *e.id
	if id.User != nil {
		row := *id.User
		row.LastActivity = activity.User
		id.User = &row
	}
	if id.Token != nil {
		row := *id.Token
		row.LastActivity = activity.Token
		id.Token = &row
	}
	if id.memo != nil {
		id.memo = &memo{}
	}
	c := *e
	c.id = &id
	return &c, nil
}
