package hub

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/minihub/minihub/orm"
)

// ActivityOptions configure Activity.
type ActivityOptions struct {
	Store      *orm.Store
	Resolution time.Duration // activity_resolution: request-driven updates closer together than this are dropped; 0: none is
	Delay      time.Duration // how long request-driven updates may wait to be written together; 0: 100 ms
	Logger     *slog.Logger
}

// Activity records who was active when. Updates are collected and written together, in one transaction for
// everything that came in meanwhile; activity only moves forward (behaviours.md section 6).
type Activity struct {
	o    ActivityOptions
	kick chan struct{}
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	seen    map[seenKey]time.Time // last request-driven update by subject
	pending batch
	waiters []chan error
	firsts  int // first uses that are not stored yet
	closed  bool
}

type seenKey struct {
	kind byte // 'u'ser or 't'oken
	id   int64
}

type batch struct{ users, tokens, servers map[int64]time.Time }

func newBatch() batch {
	return batch{map[int64]time.Time{}, map[int64]time.Time{}, map[int64]time.Time{}}
}

func (b batch) empty() bool { return len(b.users)+len(b.tokens)+len(b.servers) == 0 }

func (b batch) add(more batch) {
	addLater(b.users, more.users)
	addLater(b.tokens, more.tokens)
	addLater(b.servers, more.servers)
}

func addLater(dst, src map[int64]time.Time) {
	for id, at := range src {
		later(dst, id, at)
	}
}

func later(m map[int64]time.Time, id int64, at time.Time) {
	if old, ok := m[id]; !ok || at.After(old) {
		m[id] = at
	}
}

// NewActivity starts an Activity; Close writes what is left and ends it.
func NewActivity(o ActivityOptions) *Activity {
	if o.Delay <= 0 {
		o.Delay = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Activity{o: o, kick: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		seen: map[seenKey]time.Time{}, pending: newBatch()}
	go a.run()
	return a
}

// SeenUser records that a user made a request at that time.
func (a *Activity) SeenUser(id int64, at time.Time) { a.note(seenKey{'u', id}, at) }

// SeenToken records that a token was used at that time.
func (a *Activity) SeenToken(id int64, at time.Time) { a.note(seenKey{'t', id}, at) }

func (a *Activity) note(k seenKey, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, ok := a.seen[k]; ok && at.Sub(last) < a.o.Resolution {
		return
	}
	a.seen[k] = at
	if k.kind == 'u' {
		later(a.pending.users, k.id, at)
	} else {
		later(a.pending.tokens, k.id, at)
	}
	a.wake()
}

// First records the first use of a user or token (0: none), to be stored with the next batch. It does not ask when the id was seen last:
// the row is new, and ids of deleted rows are given again.
func (a *Activity) First(userID, tokenID int64, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if userID != 0 {
		a.seen[seenKey{'u', userID}] = at
		later(a.pending.users, userID, at)
	}
	if tokenID != 0 {
		a.seen[seenKey{'t', tokenID}] = at
		later(a.pending.tokens, tokenID, at)
	}
	a.firsts++
	a.wake()
}

// Settle returns when the first uses noted so far are stored, at once when there are none: for answers that show the activity of rows, so
// that none says "never" of a credential that was used.
func (a *Activity) Settle(ctx context.Context) {
	a.mu.Lock()
	waiting := a.firsts > 0
	a.mu.Unlock()
	if waiting {
		_ = a.Flush(ctx) // what the database says is logged there; the request goes on without
	}
}

// SeenServer records activity of a server's row and its user, as the proxy reports it.
func (a *Activity) SeenServer(spawnerID, userID int64, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	later(a.pending.servers, spawnerID, at)
	later(a.pending.users, userID, at)
	a.wake()
}

// ActivityReport is what a server posts about itself.
type ActivityReport struct {
	LastActivity time.Time            // of the user; zero: not reported
	Servers      map[string]time.Time // by server name
}

// maxAhead is how far in the future reported activity may lie.
const maxAhead = 59 * time.Minute

// Post records a report and returns when it is stored. Invalid: unknown server, or a time in the future; nothing is stored then.
func (a *Activity) Post(ctx context.Context, user *orm.User, r ActivityReport) error {
	limit := time.Now().Add(maxAhead)
	for name, at := range r.Servers {
		if at.After(limit) {
			return tooFar(at).withHint("field servers[%q].last_activity", name)
		}
	}
	if r.LastActivity.After(limit) {
		return tooFar(r.LastActivity).withHint("field last_activity")
	}
	rows, err := a.o.Store.SpawnersOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return storeErr(err, "look up the servers of %s", user.Name)
	}
	ids := map[string]int64{}
	for _, row := range rows[user.ID] {
		ids[row.Name] = row.ID
	}
	for name := range r.Servers {
		if _, ok := ids[name]; !ok && name != "" {
			return errorf(Invalid, "No such server '%s' for user %s", clip(name, 64), user.Name)
		}
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return hubStops()
	}
	done := make(chan error, 1)
	if !r.LastActivity.IsZero() {
		later(a.pending.users, user.ID, r.LastActivity)
	}
	for name, at := range r.Servers {
		if id, ok := ids[name]; ok {
			later(a.pending.servers, id, at)
		}
	}
	a.waiters = append(a.waiters, done)
	a.wake()
	a.mu.Unlock()
	select {
	case err := <-done:
		return storeErr(err, "store activity of %s", user.Name)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func tooFar(at time.Time) *Error {
	return errorf(Invalid, "Rejecting activity from more than an hour in the future: %s", at.UTC().Format(time.RFC3339))
}

func (a *Activity) wake() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// run writes batches: at once when somebody waits, else after a short delay, so that many small updates cost one transaction.
func (a *Activity) run() {
	defer close(a.done)
	for {
		select {
		case <-a.quit:
			a.flush(context.Background())
			return
		case <-a.kick:
		}
		a.mu.Lock()
		urgent := len(a.waiters) > 0
		a.mu.Unlock()
		if !urgent {
			a.pause()
		}
		a.flush(context.Background())
	}
}

func (a *Activity) pause() {
	t := time.NewTimer(a.o.Delay)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return
		case <-a.quit:
			return
		case <-a.kick:
			a.mu.Lock()
			urgent := len(a.waiters) > 0
			a.mu.Unlock()
			if urgent {
				return
			}
		}
	}
}

// Flush writes everything collected so far and waits for it.
func (a *Activity) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return errors.New("flush activity: it is closed")
	}
	a.waiters = append(a.waiters, done)
	a.wake()
	a.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Activity) flush(ctx context.Context) {
	a.mu.Lock()
	b, waiters := a.pending, a.waiters
	a.pending, a.waiters = newBatch(), nil
	firsts := a.firsts
	old := time.Now().Add(-max(a.o.Resolution, time.Minute))
	maps.DeleteFunc(a.seen, func(_ seenKey, at time.Time) bool { return at.Before(old) })
	a.mu.Unlock()
	err := a.write(ctx, b)
	if err != nil {
		a.o.Logger.ErrorContext(ctx, "activity could not be stored", "err", err)
	}
	a.mu.Lock()
	a.firsts -= firsts
	if errors.Is(err, orm.ErrUnavailable) {
		a.pending.add(b) // the next batch takes it along
	}
	a.mu.Unlock()
	for _, w := range waiters {
		w <- err
	}
}

func (a *Activity) write(ctx context.Context, b batch) error {
	if b.empty() {
		return nil
	}
	return a.o.Store.Touch(ctx, orm.Touches{Users: b.users, Tokens: b.tokens, Spawners: b.servers})
}

// Close writes what is left and ends the writer. Closing twice is no error.
func (a *Activity) Close() {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.quit)
	}
	a.mu.Unlock()
	<-a.done
}
