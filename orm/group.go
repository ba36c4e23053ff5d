package orm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gorm.io/gorm"
)

// Group commit. What a write on SQLite costs is mostly the wait for the disk at its COMMIT, and there is one writer at a time. So writes
// that came while another one was waiting for the disk run one after the other in one transaction, each within a savepoint, and are
// committed together. Each still succeeds or fails by itself, and none returns before its rows are on the disk.

// maxGroup bounds how many writes share a commit, so that the first of them does not wait for long.
const maxGroup = 64

// errLeft is what a write whose function panicked, or ended its goroutine, reports to the one who commits.
var errLeft = errors.New("the function did not return")

// writers are those who want to write. The first one leads: it begins the transaction and commits.
type writers struct {
	mu    sync.Mutex
	busy  bool
	queue []*member
}

// member is a write that waits for its turn in another one's transaction. Every channel has room for its one value.
type member struct {
	turn chan *gorm.DB // the transaction; nil: there is none, lead
	ran  chan error    // what the function returned
	done chan error    // how the commit went
	lost bool          // set before the turn when the transaction is gone
}

// enter returns nil when the caller leads.
func (w *writers) enter() *member {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.busy {
		w.busy = true
		return nil
	}
	m := &member{turn: make(chan *gorm.DB, 1), ran: make(chan error, 1), done: make(chan error, 1)}
	w.queue = append(w.queue, m)
	return m
}

// next takes the one who has waited longest; nil when nobody waits.
func (w *writers) next() *member {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return nil
	}
	m := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return m
}

// leave takes m out of the queue; false when its turn has come already.
func (w *writers) leave(m *member) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.queue {
		if other == m {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			return true
		}
	}
	return false
}

// handOver ends the lead: the next one who waits has it, or nobody.
func (w *writers) handOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.busy = false
		return
	}
	m := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	m.turn <- nil
}

// transact runs fn in a write transaction and returns what fn returned, or why there was no commit. fn runs in the goroutine of its caller.
func (c *core) transact(ctx context.Context, fn func(db *gorm.DB) error) error {
	if c.dialect == postgresDialect { // has many writers, and commits in groups by itself
		return c.writer.WithContext(ctx).Transaction(fn)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m := c.writers.enter()
	if m == nil {
		return c.lead(ctx, fn)
	}
	select {
	case db := <-m.turn:
		if db == nil {
			return c.lead(ctx, fn)
		}
		return m.follow(ctx, db, fn)
	case <-ctx.Done():
	}
	if c.writers.leave(m) {
		return ctx.Err()
	}
	if db := <-m.turn; db == nil {
		c.writers.handOver()
	} else {
		m.ran <- ctx.Err()
	}
	return ctx.Err()
}

// follow runs fn in the transaction of the one who leads.
func (m *member) follow(ctx context.Context, db *gorm.DB, fn func(db *gorm.DB) error) error {
	if m.lost {
		return <-m.done
	}
	err := errLeft
	func() {
		defer func() { m.ran <- err }()
		err = fn(db.WithContext(ctx))
	}()
	// A refusal waits, too: the row that was in the way may be one that is about to be committed.
	if failed := <-m.done; failed != nil {
		return failed
	}
	return err
}

// lead begins a transaction, runs fn in it, then the functions of all who wait meanwhile, and commits.
func (c *core) lead(ctx context.Context, fn func(db *gorm.DB) error) (err error) {
	defer c.writers.handOver()
	db, cancel, err := c.begin(ctx)
	defer cancel()
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			db.Rollback()
		}
	}()
	if err := fn(db.WithContext(ctx)); err != nil {
		return err
	}
	var group []*member
	defer func() {
		for _, m := range group {
			m.done <- err
		}
	}()
	for len(group) < maxGroup {
		m := c.writers.next()
		if m == nil {
			break
		}
		group = append(group, m)
		if broken := join(db, m); broken != nil {
			return fmt.Errorf("%w: the transaction ended: %w", ErrUnavailable, broken)
		}
	}
	committed = true
	return db.Commit().Error
}

// begin begins a transaction that the end of ctx prevents, but does not end: it is not the caller's alone.
func (c *core) begin(ctx context.Context) (*gorm.DB, context.CancelFunc, error) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	db := c.writer.WithContext(own).Begin()
	if err := db.Error; err != nil {
		stop()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, cancel, err
	}
	if !stop() {
		db.Rollback()
		return nil, cancel, ctx.Err()
	}
	return db, cancel, nil
}

// join runs one more function in the transaction. An error says that the transaction is lost.
func join(db *gorm.DB, m *member) error {
	if err := db.Exec("SAVEPOINT member").Error; err != nil {
		m.lost = true
		m.turn <- db
		return err
	}
	m.turn <- db
	if err := <-m.ran; err != nil {
		if err := db.Exec("ROLLBACK TO member").Error; err != nil {
			return err
		}
	}
	return db.Exec("RELEASE member").Error
}
