package hub

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
)

// Changes tells followers whose servers or account changed, for pages that show live state. It says who, not what: whoever may see more
// asks for it. Changes that arrive while a follower is busy are kept together, so a slow one costs a set of names and no more.
// The zero value is ready; safe for concurrent use.
type Changes struct {
	mu        sync.Mutex
	closed    bool
	followers map[*follower]struct{}
}

type follower struct {
	names map[string]struct{}
	wake  chan struct{} // has room for one
}

// Note tells that something about a user changed. It never waits.
func (c *Changes) Note(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.followers {
		f.names[user] = struct{}{}
		f.nudge()
	}
}

func (f *follower) nudge() {
	select {
	case f.wake <- struct{}{}:
	default: // is awake already
	}
}

// Close ends all sequences of Follow, also later ones.
func (c *Changes) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for f := range c.followers {
		f.nudge()
	}
}

// Follow subscribes at once and yields sorted names of users that changed since the last time, until ctx ends or Close. The caller must
// range over the result, which unsubscribes at its end.
func (c *Changes) Follow(ctx context.Context) iter.Seq[[]string] {
	f := &follower{names: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.followers == nil {
		c.followers = map[*follower]struct{}{}
	}
	c.followers[f] = struct{}{}
	c.mu.Unlock()
	return func(yield func([]string) bool) {
		defer func() {
			c.mu.Lock()
			delete(c.followers, f)
			c.mu.Unlock()
		}()
		for {
			names, closed := c.take(f)
			if closed || len(names) > 0 && !yield(names) {
				return
			}
			select {
			case <-f.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c *Changes) take(f *follower) (names []string, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	names = slices.Sorted(maps.Keys(f.names))
	clear(f.names)
	return names, c.closed
}
