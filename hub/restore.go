package hub

import (
	"context"
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
// stopped. It returns after init_spawners_timeout at the latest; checks go on in the background then, pending "check".
func (s *Servers) Restore(ctx context.Context, blocked func(name string) bool) error {
	rows, err := s.o.Store.RunningSpawners(ctx)
	if err != nil {
		return fmt.Errorf("look up running servers: %w", err)
	}
	known := map[string]bool{}
	for i := range rows {
		s.prepareRestore(&rows[i], known)
	}
	slots := make(chan struct{}, restoreParallel)
	var all sync.WaitGroup
	for i := range rows {
		r := &rows[i]
		all.Add(1)
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			defer all.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			s.restore(s.ctx, r, blocked(r.User.Name))
		}()
	}
	finished := make(chan struct{})
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		all.Wait()
		s.stopOrphans(s.ctx, known)
		close(finished)
	}()
	return waitAtMost(ctx, finished, s.o.Traits.InitSpawnersTimeout)
}

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

// prepareRestore makes the live object, so that requests see pending "check" from the first moment.
func (s *Servers) prepareRestore(r *orm.RunningSpawner, known map[string]bool) {
	l := s.get(&r.User, &r.Spawner)
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := r.Server
	l.stage, l.addr, l.sp = checking, &addr, s.o.Driver.New(l.identity())
	if r.Extra != nil && r.Spawner.State["pid"] != nil {
		known[r.Extra.Marker] = true
	}
}

func (s *Servers) restore(ctx context.Context, r *orm.RunningSpawner, blocked bool) {
	l := s.find(r.User.ID, r.Spawner.Name)
	if l == nil {
		return
	}
	l.mu.Lock()
	sp := l.sp
	l.mu.Unlock()
	err := s.adopt(ctx, l, sp, r)
	if ctx.Err() != nil {
		return // the hub stops: leave everything as it is
	}
	if err == nil && blocked {
		err = fmt.Errorf("user %s is in Authenticator.blocked_users", r.User.Name)
	}
	if err == nil {
		s.o.Logger.InfoContext(ctx, "server is still running", "user", l.userName, "server", l.name)
		return
	}
	s.o.Logger.WarnContext(ctx, "server of an earlier hub is gone or unusable, cleaning up", "user", l.userName, "server", l.name, "err", err)
	s.cleanUp(ctx, l)
	l.mu.Lock()
	l.stage = stopped
	l.mu.Unlock()
}

// adopt checks that the server runs and answers, and gives it its route back.
func (s *Servers) adopt(ctx context.Context, l *liveServer, sp spawner.Spawner, r *orm.RunningSpawner) error {
	if err := sp.LoadState(ctx, spawner.State(r.Spawner.State)); err != nil {
		return fmt.Errorf("load state: %w", err)
	}
	exit, err := s.timedPoll(ctx, sp.Poll)
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	if exit != nil {
		return fmt.Errorf("not running: %s", exitText(exit))
	}
	if err := s.waitUp(ctx, l, s.o.Traits.Spawn.HTTPTimeout); err != nil {
		return err
	}
	l.mu.Lock()
	if l.stage != checking { // somebody stopped it meanwhile
		l.mu.Unlock()
		return nil
	}
	l.stage = ready
	l.mu.Unlock()
	if err := s.addRoute(ctx, l); err != nil {
		return fmt.Errorf("add proxy route: %w", err)
	}
	s.startPolling(l)
	return nil
}

// stopOrphans ends processes of this hub that no row knows: those a crash left between start and commit.
func (s *Servers) stopOrphans(ctx context.Context, known map[string]bool) {
	o, ok := s.o.Driver.(spawner.Orphans)
	if !ok || ctx.Err() != nil {
		return
	}
	gone, err := o.StopOrphans(ctx, s.o.Traits.HubID, s.markersInUse(known))
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "looking for left-over servers failed", "err", err)
	}
	for _, m := range gone {
		s.o.Logger.WarnContext(ctx, "stopped a server process that no database row knows", "marker", m)
	}
}

// markersInUse adds the markers of servers started since to those found at start-up.
func (s *Servers) markersInUse(known map[string]bool) map[string]bool {
	rows, err := s.o.Store.RunningSpawners(s.ctx)
	if err != nil {
		return known
	}
	for i := range rows {
		if e := rows[i].Extra; e != nil {
			known[e.Marker] = true
		}
	}
	return known
}

// StopAll stops every server and waits for all of them or for ctx (cleanup_servers at shutdown).
func (s *Servers) StopAll(ctx context.Context) error {
	var waits []<-chan error
	for _, l := range s.all() {
		if ch, err := s.beginStop(ctx, l, StopOptions{Quiet: true}); err == nil {
			waits = append(waits, ch)
		}
	}
	var first error
	for _, ch := range waits {
		select {
		case err := <-ch:
			if err != nil && first == nil {
				first = err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return first
}
