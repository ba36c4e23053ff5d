package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// StopOptions of one stop.
type StopOptions struct {
	Remove bool          // delete the row afterwards; named servers only
	Now    bool          // no grace period
	Wait   time.Duration // how long Stop waits; 0: slow_stop_timeout, negative: not at all
	Quiet  bool          // not a requested stop: no "stop" event
}

// Stop stops a server and waits a while (behaviours.md section 5). done is false when it goes on in the background. Stopping what
// does not run is done at once. A start in progress is cancelled. Errors: Invalid (named servers are off, the default server cannot
// be removed, it is being renamed), NotFound, Conflict (it was started again before it could be removed), others when the spawner cannot stop it.
func (s *Servers) Stop(ctx context.Context, user *orm.User, name string, o StopOptions) (done bool, err error) {
	row, err := s.rowForStop(ctx, user, name, o)
	if err != nil || row == nil {
		return err == nil, err
	}
	l := s.get(user, row)
	l.mu.Lock()
	st := l.stage
	l.mu.Unlock()
	switch {
	case st == renaming:
		return false, &Error{Kind: Invalid, Message: "Cannot stop a server while it is being renamed"}
	case st == stopped && row.ServerID == nil && !o.Remove:
		return true, nil
	}
	if st != stopped && s.o.Hooks.RefreshPreStop != nil {
		if err := s.o.Hooks.RefreshPreStop(ctx, user); err != nil {
			return false, err
		}
	}
	finished := make(chan error, 1)
	if !s.run(func() { finished <- s.stopLive(l, o) }) {
		return false, hubStops()
	}
	wait := o.Wait
	if wait == 0 {
		wait = s.o.Traits.SlowStopTimeout
	}
	t := time.NewTimer(max(wait, 0))
	defer t.Stop()
	select {
	case err := <-finished:
		return err == nil, err
	case <-ctx.Done():
	case <-t.C:
	}
	return false, nil
}

// rowForStop is nil for a default server that was never started.
func (s *Servers) rowForStop(ctx context.Context, user *orm.User, name string, o StopOptions) (*orm.Spawner, error) {
	if name == "" && o.Remove {
		return nil, &Error{Kind: Invalid, Message: "Cannot delete the default server", Hint: "only named servers can be deleted; leave out remove to stop it"}
	}
	if name != "" && !s.o.Traits.AllowNamedServers {
		return nil, namedDisabled()
	}
	row, err := s.row(ctx, user, name)
	if KindOf(err) != NotFound {
		return row, err
	}
	if name == "" {
		return nil, nil
	}
	return nil, &Error{Kind: NotFound, Message: fmt.Sprintf("%s has no server named '%s'", user.Name, clip(name, 64))}
}

// stopLive stops a server, whatever it is doing, and returns when that is done. A start or check in progress is called off; another
// stop in progress is joined.
func (s *Servers) stopLive(l *liveServer, o StopOptions) error {
	for {
		l.mu.Lock()
		st, out, cancel := l.stage, l.busy, l.cancel
		if st == ready {
			out = l.claim(stopping)
		}
		l.mu.Unlock()
		switch st {
		case gone:
			return nil
		case stopped:
			return s.afterStop(l, o)
		case starting, checking:
			s.o.Logger.WarnContext(s.ctx, "cancelling what is pending", "user", l.userName, "server", l.name, "pending", st.pending())
			cancel(errCancelled)
			<-out.done
			if out.err == nil {
				continue // it was ready just before
			}
		case ready:
			if s.stop(l, out, o); out.err != nil {
				return out.err
			}
		case renaming:
			<-out.done
			continue
		default:
			if <-out.done; out.err != nil {
				return out.err
			}
		}
		if !o.Remove {
			return nil
		}
		return s.afterStop(l, o)
	}
}

// stop takes the route away first, then ends the process, then cleans the rows. When the spawner cannot stop the server, it stays what it was.
func (s *Servers) stop(l *liveServer, out *outcome, o StopOptions) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTimeout)
	defer cancel()
	begin := time.Now()
	sp := l.spawner()
	s.deleteRoute(ctx, l)
	exit, err := s.timedPoll(ctx, sp.Poll)
	if err != nil || exit == nil {
		err = sp.Stop(ctx, o.Now)
	}
	if err != nil {
		s.o.Observer.Stopped(time.Since(begin), false)
		s.o.Logger.ErrorContext(ctx, "server could not be stopped", "user", l.userName, "server", l.name, "err", err)
		if rerr := s.addRoute(context.WithoutCancel(s.ctx), l); rerr != nil {
			s.o.Logger.ErrorContext(ctx, "proxy route could not be restored", "user", l.userName, "server", l.name, "err", rerr)
		}
		l.settle(out, ready, &Error{Kind: Failed, Message: logName(l.userName, l.name) + " could not be stopped, it still runs", Err: err,
			Hint: "try again; the log of the hub tells what the spawner said"})
		return
	}
	err = s.cleanUpRows(ctx, l)
	s.o.Observer.Stopped(time.Since(begin), true)
	if !o.Quiet {
		s.o.Observer.ServerAction(ctx, "stop", l.userName, l.name)
	}
	s.o.Logger.InfoContext(ctx, "server stopped", "user", l.userName, "server", l.name, "duration", time.Since(begin))
	l.settle(out, stopped, err)
	s.observeRunning()
}

func (s *Servers) observeRunning() {
	_, active := s.Counts()
	s.o.Observer.Running(active)
}

// endProcess stops what a spawner may have running, the hard way when the soft one fails.
func (s *Servers) endProcess(l *liveServer, sp spawner.Spawner) {
	for _, now := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTimeout/2)
		err := sp.Stop(ctx, now)
		cancel()
		if err == nil {
			return
		}
		s.o.Logger.ErrorContext(ctx, "clean-up could not stop the server", "user", l.userName, "server", l.name, "now", now, "err", err)
	}
}

// cleanUp is a stop without ceremony: for starts that failed and servers that died. The process may or may not be there.
func (s *Servers) cleanUp(ctx context.Context, l *liveServer) {
	s.deleteRoute(ctx, l)
	if sp := l.spawner(); sp != nil {
		s.endProcess(l, sp)
	}
	// The process may have used up the time of ctx; the rows, tokens among them, must go all the same.
	_ = s.cleanUpRows(context.WithoutCancel(ctx), l) // is logged, and the next stop or start tries again
}

// cleanUpRows removes what a running server has in the database: server row, token, OAuth client with its tokens. Then the hooks run.
func (s *Servers) cleanUpRows(ctx context.Context, l *liveServer) error {
	l.mu.Lock()
	if l.stopPoll != nil {
		l.stopPoll()
		l.stopPoll = nil
	}
	base := s.URLPath(l.userName, l.name)
	if l.addr != nil {
		base = l.addr.BaseURL
	}
	hooked := l.hooked
	l.addr, l.sp, l.hooked = nil, nil, false
	l.mu.Unlock()
	now := time.Now().UTC()
	err := s.dropRows(ctx, l, base, now)
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "rows of the stopped server could not be cleaned", "user", l.userName, "server", l.name, "err", err)
	}
	if hooked {
		s.runStopHooks(ctx, l)
	}
	return err
}

func (s *Servers) runStopHooks(ctx context.Context, l *liveServer) {
	if s.o.Hooks.PostStop != nil {
		if err := s.o.Hooks.PostStop(ctx, l.identity()); err != nil {
			s.o.Logger.ErrorContext(ctx, "post_stop_hook failed", "user", l.userName, "server", l.name, "err", err)
		}
	}
	if s.o.Hooks.PostSpawnStop != nil {
		if err := s.o.Hooks.PostSpawnStop(ctx, l.userName, l.name); err != nil {
			s.o.Logger.ErrorContext(ctx, "post_spawn_stop failed", "user", l.userName, "server", l.name, "err", err)
		}
	}
}

// dropTries is how often the rows of a stopped server are tried to be dropped while the database is busy: a token must not outlive its server.
const dropTries = 3

func (s *Servers) dropRows(ctx context.Context, l *liveServer, base string, now time.Time) error {
	var err error
	for try := range dropTries {
		if try > 0 {
			t := time.NewTimer(time.Duration(try) * time.Second)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return storeErr(err, "clean up after server %s", logName(l.userName, l.name))
			}
		}
		err = s.o.Store.Tx(ctx, func(tx *orm.Store) error { return dropRowsIn(ctx, tx, l, base, now) })
		if err == nil || !errors.Is(err, orm.ErrUnavailable) {
			break
		}
	}
	return storeErr(err, "clean up after server %s", logName(l.userName, l.name))
}
