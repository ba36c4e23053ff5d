package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// restoreParallel is how many servers are checked at once at start-up.
const restoreParallel = 32

// Restore takes over what an earlier hub left: servers that still run are adopted with their tokens and routes, rows of those that do not
// are cleaned, and processes that have no row are stopped (behaviours.md section 2 step 18). blocked names users whose servers are
// stopped. It returns after init_spawners_timeout at the latest; checks go on in the background then, pending "check". Call it once,
// before the first Start.
func (s *Servers) Restore(ctx context.Context, blocked func(name string) bool) error {
	rows, err := s.o.Store.RunningSpawners(ctx)
	if err != nil {
		return fmt.Errorf("look up running servers: %w", err)
	}
	s.stopOrphans(knownMarkers(rows))
	slots := make(chan struct{}, restoreParallel)
	var all sync.WaitGroup
	for i := range rows {
		r := &rows[i]
		checkCtx, cancel := context.WithCancelCause(s.ctx)
		l, out := s.prepareRestore(r, cancel)
		all.Add(1)
		ok := s.run(func() {
			defer all.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			defer cancel(nil)
			s.restore(checkCtx, l, out, r, blocked(r.User.Name))
		})
		if !ok {
			all.Done()
			cancel(nil)
			l.settle(out, stopped, hubStops())
		}
	}
	finished := make(chan struct{})
	if !s.run(func() { all.Wait(); close(finished) }) {
		return hubStops()
	}
	return waitAtMost(ctx, finished, s.o.Traits.InitSpawnersTimeout)
}

// waitAtMost waits for done, at least one second as JupyterHub does, for ever when d is negative.
func waitAtMost(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	var timeout <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(max(d, time.Second))
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-done:
		return nil
	case <-timeout:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// knownMarkers are those of servers whose process was committed. A row with a marker alone is a start that a crash interrupted:
// nobody was told that it is ready, so its process, if there is one, is an orphan.
func knownMarkers(rows []orm.RunningSpawner) map[string]bool {
	known := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		interrupted := len(r.Spawner.State) == 1 && r.Spawner.State["marker"] != nil
		if r.Extra != nil && !interrupted {
			known[r.Extra.Marker] = true
		}
	}
	return known
}

// prepareRestore makes the live object, so that requests see pending "check" from the first moment.
func (s *Servers) prepareRestore(r *orm.RunningSpawner, cancel context.CancelCauseFunc) (*liveServer, *outcome) {
	l := s.get(&r.User, &r.Spawner)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel = cancel
	l.addr, l.sp, l.hooked = &r.Server, s.o.Driver.New(l.identity()), true
	return l, l.claim(checking)
}

func (s *Servers) restore(ctx context.Context, l *liveServer, out *outcome, r *orm.RunningSpawner, blocked bool) {
	err := s.adopt(ctx, l, r, blocked)
	if s.ctx.Err() != nil { // the hub stops: leave everything as it is
		l.settle(out, stopped, s.ctx.Err())
		return
	}
	if err == nil {
		s.o.Logger.InfoContext(s.ctx, "server is still running", "user", l.userName, "server", l.name)
		s.startPolling(l)
		l.settle(out, ready, nil)
		s.observeRunning()
		return
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	s.o.Logger.WarnContext(s.ctx, "server of an earlier hub is gone or unusable, cleaning up", "user", l.userName, "server", l.name, "err", err)
	s.cleanUp(context.WithoutCancel(s.ctx), l)
	l.settle(out, stopped, err)
	s.observeRunning()
}

// adopt checks that the server runs and answers, and gives it its route back.
func (s *Servers) adopt(ctx context.Context, l *liveServer, r *orm.RunningSpawner, blocked bool) error {
	sp := l.spawner()
	// Not called off with the check: what runs must be known before it can be stopped.
	loadCtx, cancel := context.WithTimeout(s.ctx, cleanupTimeout)
	defer cancel()
	if err := sp.LoadState(loadCtx, spawner.State(r.Spawner.State)); err != nil {
		return fmt.Errorf("load state: %w", err)
	}
	if blocked {
		return fmt.Errorf("user %s is in Authenticator.blocked_users", r.User.Name)
	}
	exit, err := s.timedPoll(ctx, sp.Poll)
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	if exit != nil {
		return fmt.Errorf("not running: %s", exitText(exit))
	}
	if r.Server.Proto == "" {
		return errors.New("the database does not know its address")
	}
	if err := s.waitUp(ctx, l, s.o.Traits.Spawn.HTTPTimeout); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.addRoute(ctx, l); err != nil { // no reason to stop a server: the next check of all routes adds it
		s.o.Logger.ErrorContext(ctx, "proxy route could not be added", "user", l.userName, "server", l.name, "err", err)
	}
	return nil
}

// stopOrphans ends processes of this hub that no row knows: those a crash left between start and commit. Starts wait for it, because
// the driver could not tell theirs from those.
func (s *Servers) stopOrphans(known map[string]bool) {
	o, ok := s.o.Driver.(spawner.Orphans)
	if !ok || s.o.Traits.FirstRun {
		return
	}
	done := make(chan struct{})
	s.mu.Lock()
	s.orphans = done
	s.mu.Unlock()
	ok = s.run(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(s.ctx, cleanupTimeout)
		defer cancel()
		stopped, err := o.StopOrphans(ctx, s.o.Traits.HubID, known)
		if err != nil && s.ctx.Err() == nil {
			s.o.Logger.ErrorContext(ctx, "looking for left-over servers failed", "err", err)
		}
		for _, what := range stopped {
			s.o.Logger.WarnContext(ctx, "stopped a server process that no database row knows", "process", what)
		}
	})
	if !ok {
		close(done)
	}
}

// awaitOrphans waits until left-over processes are gone.
func (s *Servers) awaitOrphans(ctx context.Context) error {
	s.mu.Lock()
	done := s.orphans
	s.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// StopAll stops every server and waits for all of them or for ctx (cleanup_servers at shutdown).
func (s *Servers) StopAll(ctx context.Context) error {
	return s.stopEach(ctx, s.all(), StopOptions{Quiet: true})
}
