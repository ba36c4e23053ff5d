package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// StartState tells how far a start came while the caller waited.
type StartState int

// The two ways in which Start returns without an error.
const (
	Started  StartState = iota + 1 // ready
	Starting                       // goes on in the background
)

// StartOptions of one start.
type StartOptions struct {
	UserOptions map[string]any      // used and stored when KeepOptions is false
	KeepOptions bool                // reuse the stored options
	DisplayName *string             // nil: unchanged
	Wait        time.Duration       // how long Start waits; 0: slow_spawn_timeout, negative: not at all
	HandlerArgs map[string][]string // query of the page request, for hooks
}

// errCancelled is the cause of a start that a stop request ended.
var errCancelled = &Error{Kind: Failed, Message: "Spawn cancelled", Reason: "cancelled"}

// Start starts a server (behaviours.md section 4) and waits a while for it. A start that somebody else began counts as
// ours: Starting, nil. Errors: Invalid (running, pending something else, bad name), TooMany (limits), Failed and others (why it did not start).
func (s *Servers) Start(ctx context.Context, user *orm.User, name string, o StartOptions) (StartState, error) {
	begin := time.Now()
	row, err := s.rowForStart(ctx, user, name, o.DisplayName)
	if err != nil {
		return 0, err
	}
	l, spawnCtx, joined, err := s.reserve(ctx, user, row)
	if err != nil || joined {
		return Starting, err
	}
	l.mu.Lock()
	out := l.busy
	l.mu.Unlock()
	if row, err = s.beforeSpawn(ctx, l, user, row.ID, o); err != nil {
		s.release(l, out, err)
		return 0, err
	}
	if !s.run(func() { s.launch(spawnCtx, l, out, &spawnJob{user: user, row: row, begin: begin}) }) {
		s.release(l, out, hubStops())
		return 0, hubStops()
	}
	return s.wait(ctx, l, out, o.Wait)
}

func (s *Servers) rowForStart(ctx context.Context, user *orm.User, name string, display *string) (*orm.Spawner, error) {
	if name == "" {
		return s.ensureRow(ctx, user, "", text(display))
	}
	row, err := s.row(ctx, user, name)
	if err != nil && KindOf(err) != NotFound {
		return nil, err
	}
	if err := s.checkNamed(ctx, user, name, text(display), row != nil, row == nil); err != nil || row != nil {
		return row, err
	}
	return s.ensureRow(ctx, user, name, cmp.Or(text(display), name))
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// reserve makes the caller the owner of the server's next start, which gets the returned context. joined: a start is in progress already.
func (s *Servers) reserve(ctx context.Context, user *orm.User, row *orm.Spawner) (l *liveServer, spawnCtx context.Context, joined bool, err error) {
	for {
		l = s.get(user, row)
		l.mu.Lock()
		st, sp, busy := l.stage, l.sp, l.busy
		if st == stopped {
			spawnCtx, l.cancel = context.WithCancelCause(carrying{s.ctx, ctx})
			l.claim(starting)
			l.failed, l.diag, l.progress = nil, nil, newProgressLog()
		}
		l.mu.Unlock()
		switch st {
		case stopped:
			return l, spawnCtx, false, nil
		case starting:
			return l, nil, true, nil
		case gone:
		case ready:
			if err := s.checkDead(ctx, l, sp); err != nil {
				return nil, nil, false, err
			}
		default:
			if busy.died { // a start of what turned out dead just waits until that is cleaned up
				select {
				case <-busy.done:
					continue
				case <-ctx.Done():
					return nil, nil, false, ctx.Err()
				}
			}
			return nil, nil, false, &Error{Kind: Invalid, Message: logName(l.userName, l.name) + " is pending " + st.pending(), Reason: "already-pending",
				Hint: "wait until it is done, then try again"}
		}
	}
}

// carrying is a context that ends with the hub and has the values of the request that began a start, for hooks.
type carrying struct {
	context.Context
	request context.Context
}

// Value looks in the request's context too.
func (c carrying) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.request.Value(key)
}

// checkDead decides about a start of a server that looks ready: it may have died since the last poll, and is cleaned up then.
func (s *Servers) checkDead(ctx context.Context, l *liveServer, sp spawner.Spawner) error {
	exit, err := s.timedPoll(ctx, sp.Poll)
	if err != nil {
		return fmt.Errorf("poll server %s: %w", logName(l.userName, l.name), err)
	}
	if exit == nil {
		return &Error{Kind: Invalid, Message: logName(l.userName, l.name) + " is already running"}
	}
	s.died(ctx, l, sp, exit) // or somebody else noticed first
	return nil
}

// release gives up a reserved start that never began; followers of its progress learn why.
func (s *Servers) release(l *liveServer, out *outcome, err error) {
	l.mu.Lock()
	log, cancel := l.progress, l.cancel
	l.mu.Unlock()
	cancel(nil)
	message := "the request failed"
	if e, ok := errors.AsType[*Error](err); ok {
		message = e.Message
	}
	l.settle(out, stopped, err)
	log.finish(ProgressEvent{Progress: 100, Failed: true, Message: "Spawn failed: " + message})
}

// beforeSpawn does what may still refuse a reserved start without anything to undo, and returns the row as it is now.
func (s *Servers) beforeSpawn(ctx context.Context, l *liveServer, user *orm.User, rowID int64, o StartOptions) (*orm.Spawner, error) {
	if s.o.Hooks.RefreshPreSpawn != nil {
		if err := s.o.Hooks.RefreshPreSpawn(ctx, user); err != nil {
			return nil, err
		}
	}
	if err := s.admit(ctx, l); err != nil {
		return nil, err
	}
	row, err := s.o.Store.Spawner(ctx, rowID)
	if errors.Is(err, orm.ErrNotFound) || err == nil && row.Name != l.name {
		return nil, &Error{Kind: NotFound, Message: logName(l.userName, l.name) + " was renamed or deleted meanwhile"}
	}
	if err != nil {
		return nil, storeErr(err, "look up server %s", logName(l.userName, l.name))
	}
	var cols []string
	if d := text(o.DisplayName); d != "" && text(row.DisplayName) != d {
		row.DisplayName = o.DisplayName
		cols = append(cols, "display_name")
	}
	if !o.KeepOptions {
		row.UserOptions = o.UserOptions
		cols = append(cols, "user_options")
	}
	if len(cols) == 0 {
		return row, nil
	}
	return row, storeErr(s.o.Store.UpdateSpawner(ctx, row, cols...), "store options of %s", logName(l.userName, l.name))
}

// wait waits for a start as long as the caller wants to (slow_spawn_timeout).
func (s *Servers) wait(ctx context.Context, l *liveServer, out *outcome, wait time.Duration) (StartState, error) {
	if wait == 0 {
		wait = s.o.Traits.SlowSpawnTimeout
	}
	t := time.NewTimer(max(wait, 0))
	defer t.Stop()
	select {
	case <-out.done:
	case <-ctx.Done():
		return Starting, nil
	case <-t.C:
		select {
		case <-out.done: // a start that just finished is not slow
		default:
			if wait > 0 {
				s.o.Logger.WarnContext(ctx, "server is slow to start", "user", l.userName, "server", l.name, "timeout", wait)
			}
			return Starting, nil
		}
	}
	if out.err != nil {
		return 0, out.err
	}
	return Started, nil
}

// launch runs a reserved start to its end.
func (s *Servers) launch(ctx context.Context, l *liveServer, out *outcome, j *spawnJob) {
	err := s.spawn(ctx, l, j)
	l.mu.Lock()
	log, cancel := l.progress, l.cancel
	l.mu.Unlock()
	defer cancel(nil)
	took := time.Since(j.begin)
	if err == nil {
		s.startPolling(l)
		l.settle(out, ready, nil)
		s.mu.Lock()
		s.failures = 0
		s.mu.Unlock()
		s.o.Logger.InfoContext(ctx, "server started", "user", l.userName, "server", l.name, "duration", took)
		_, active := s.Counts()
		s.o.Observer.Running(active)
		log.finish(s.readyEvent(s.ctx, l))
		return
	}
	if err != errCancelled { // a start that was called off has not failed
		l.mu.Lock()
		l.failed = err
		l.mu.Unlock()
	}
	l.settle(out, stopped, err)
	log.finish(failedEvent(err))
	s.countFailure(ctx, l, err, j)
}

// countFailure applies consecutive_failure_limit: only errors that are not the user's own count.
func (s *Servers) countFailure(ctx context.Context, l *liveServer, e *Error, j *spawnJob) {
	status := "error"
	if e.Kind != Failed || (e.Status != 0 && e.Status < 500) || e == errCancelled || s.ctx.Err() != nil {
		status = "failure"
	}
	took := time.Since(j.begin)
	if !j.observed {
		s.o.Observer.Spawned(took, status, e.Reason)
	}
	s.o.Logger.ErrorContext(ctx, "server failed to start", "user", l.userName, "server", l.name, "duration", took, "reason", e.Message, "hint", e.Hint, "err", e.Err)
	limit := s.o.Traits.ConsecutiveFailureLimit
	if status != "error" || limit <= 0 {
		return
	}
	s.mu.Lock()
	s.failures++
	n := s.failures
	s.mu.Unlock()
	if n < limit {
		s.o.Logger.WarnContext(ctx, "consecutive spawns failed; the hub exits at Spawner.consecutive_failure_limit", "failures", n, "limit", limit)
		return
	}
	if s.o.Abort != nil {
		s.o.Abort(fmt.Errorf("%d consecutive spawns failed (Spawner.consecutive_failure_limit)", n))
	}
}
