package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/orm"
)

// StartState tells how far a start came while the caller waited.
type StartState int

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
	row, err := s.rowForStart(ctx, user, name, o.DisplayName)
	if err != nil {
		return 0, err
	}
	l := s.get(user, row)
	joined, err := s.reserve(ctx, l)
	if err != nil || joined {
		return Starting, err
	}
	if err := s.beforeSpawn(ctx, user, row, o); err != nil {
		l.release(stopped)
		return 0, err
	}
	done := s.launch(l, user, row, o)
	return s.wait(ctx, l, done, o.Wait)
}

func (s *Servers) rowForStart(ctx context.Context, user *orm.User, name string, display *string) (*orm.Spawner, error) {
	displayName := name
	if display != nil && *display != "" {
		displayName = *display
	}
	if name != "" {
		_, err := s.o.Store.SpawnerByName(ctx, user.ID, name)
		if err != nil && !errors.Is(err, orm.ErrNotFound) {
			return nil, err
		}
		if err := s.checkNamed(ctx, user, name, displayName, err == nil, err != nil); err != nil {
			return nil, err
		}
	}
	return s.ensureRow(ctx, user, name, displayName)
}

// reserve makes the caller the owner of the server's next start. joined: a start is in progress already.
func (s *Servers) reserve(ctx context.Context, l *liveServer) (joined bool, err error) {
	l.mu.Lock()
	switch l.stage {
	case starting:
		l.mu.Unlock()
		return true, nil
	case stopped:
		l.begin()
		l.mu.Unlock()
		return false, nil
	case ready:
		sp := l.sp
		l.stage = checking // nobody else may decide while we ask
		l.mu.Unlock()
		return false, s.reserveRunning(ctx, l, sp.Poll)
	default:
		st, who := l.stage, logName(l.userName, l.name)
		l.mu.Unlock()
		return false, &Error{Kind: Invalid, Message: who + " is pending " + st.pending(), Hint: "wait until it is done, then try again"}
	}
}

// begin marks the start of a spawn; l.mu is held.
func (l *liveServer) begin() {
	l.stage, l.failed, l.diag = starting, nil, nil
	l.started = make(chan struct{})
	l.progress = newProgressLog()
	l.cancel = nil
}

// release gives up a reservation.
func (l *liveServer) release(to stage) {
	l.mu.Lock()
	l.stage = to
	if l.started != nil {
		close(l.started)
		l.started = nil
	}
	l.mu.Unlock()
}

// beforeSpawn does what may still refuse a reserved start without anything to undo.
func (s *Servers) beforeSpawn(ctx context.Context, user *orm.User, row *orm.Spawner, o StartOptions) error {
	if s.o.Hooks.RefreshPreSpawn != nil {
		if err := s.o.Hooks.RefreshPreSpawn(ctx, user); err != nil {
			return err
		}
	}
	if err := s.admit(); err != nil {
		return err
	}
	var cols []string
	if o.DisplayName != nil && *o.DisplayName != "" && (row.DisplayName == nil || *row.DisplayName != *o.DisplayName) {
		row.DisplayName = o.DisplayName
		cols = append(cols, "display_name")
	}
	if !o.KeepOptions {
		row.UserOptions = o.UserOptions
		cols = append(cols, "user_options")
	}
	if len(cols) == 0 {
		return nil
	}
	return s.o.Store.UpdateSpawner(ctx, row, cols...)
}

// launch runs the spawn on the hub's own context and returns a channel with its result.
func (s *Servers) launch(l *liveServer, user *orm.User, row *orm.Spawner, o StartOptions) <-chan error {
	ctx, cancel := context.WithCancelCause(s.ctx)
	l.mu.Lock()
	l.cancel = cancel
	l.mu.Unlock()
	done := make(chan error, 1)
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer cancel(nil)
		begin := time.Now()
		err := s.spawn(ctx, l, &spawnJob{user: user, row: row, options: o})
		s.finishSpawn(ctx, l, err, time.Since(begin))
		done <- err
	}()
	return done
}

// wait waits for a start as long as the caller wants to (slow_spawn_timeout).
func (s *Servers) wait(ctx context.Context, l *liveServer, done <-chan error, wait time.Duration) (StartState, error) {
	if wait == 0 {
		wait = s.o.Traits.SlowSpawnTimeout
	}
	t := time.NewTimer(max(wait, 0))
	defer t.Stop()
	select {
	case err := <-done:
		if err != nil {
			return 0, err
		}
		return Started, nil
	case <-ctx.Done():
		return Starting, nil
	case <-t.C:
	}
	// a start that just finished is not slow
	select {
	case err := <-done:
		if err != nil {
			return 0, err
		}
		return Started, nil
	default:
	}
	if wait > 0 {
		s.o.Logger.WarnContext(ctx, fmt.Sprintf("server is slow to start (timeout=%s)", wait), "user", l.userName, "server", l.name)
	}
	return Starting, nil
}

// finishSpawn settles the state after a start and counts failures.
func (s *Servers) finishSpawn(ctx context.Context, l *liveServer, err error, took time.Duration) {
	l.mu.Lock()
	started, log := l.started, l.progress
	l.started, l.cancel, l.waiting = nil, nil, false
	if err == nil {
		l.stage = ready
	} else {
		l.stage = stopped
		if !errors.As(err, &l.failed) {
			l.failed = &Error{Kind: Failed, Message: "Unhandled error starting server", Reason: "error", Err: err}
		}
	}
	failed := l.failed
	l.mu.Unlock()
	close(started)
	log.finish(s.finalEvent(l, failed))
	if err == nil {
		s.mu.Lock()
		s.failures = 0
		s.mu.Unlock()
		s.o.Logger.InfoContext(ctx, "server started", "user", l.userName, "server", l.name, "duration", took)
		return
	}
	s.countFailure(ctx, l, failed, took)
}

// countFailure applies consecutive_failure_limit: only errors that are not the user's own count.
func (s *Servers) countFailure(ctx context.Context, l *liveServer, e *Error, took time.Duration) {
	status := "error"
	if e.Kind != Failed || (e.Status != 0 && e.Status < 500) || errors.Is(e, errCancelled) {
		status = "failure"
	}
	s.o.Observer.Spawned(took, status, e.Reason)
	s.o.Logger.ErrorContext(ctx, "server failed to start: "+e.Message, "user", l.userName, "server", l.name, "duration", took, "hint", e.Hint, "err", e.Err)
	limit := s.o.Traits.ConsecutiveFailureLimit
	if status != "error" || limit <= 0 {
		return
	}
	s.mu.Lock()
	s.failures++
	n := s.failures
	s.mu.Unlock()
	if n < limit {
		s.o.Logger.WarnContext(ctx, fmt.Sprintf("%d consecutive spawns failed; the hub exits when %d do (Spawner.consecutive_failure_limit)", n, limit))
		return
	}
	if s.o.Abort != nil {
		s.o.Abort(fmt.Errorf("%d consecutive spawns failed (Spawner.consecutive_failure_limit)", n))
	}
}

// reserveRunning decides about a start of a server that looks ready: it may have died since the last poll.
func (s *Servers) reserveRunning(ctx context.Context, l *liveServer, poll pollFunc) error {
	exit, err := s.timedPoll(ctx, poll)
	if err == nil && exit != nil {
		s.o.Logger.WarnContext(ctx, "server stopped without being asked", "user", l.userName, "server", l.name, "reason", exit.Reason)
		s.cleanUp(ctx, l)
		l.mu.Lock()
		l.begin()
		l.mu.Unlock()
		return nil
	}
	l.mu.Lock()
	l.stage = ready
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("poll server %s: %w", logName(l.userName, l.name), err)
	}
	return &Error{Kind: Invalid, Message: logName(l.userName, l.name) + " is already running"}
}
