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
	Wait   time.Duration // how long Stop waits; 0: slow_stop_timeout
	Quiet  bool          // not a requested stop: no "stop" event
}

// Stop stops a server and waits a while (behaviours.md section 5). done is false when it goes on in the background. Stopping what
// does not run is done at once. A start in progress is cancelled.
func (s *Servers) Stop(ctx context.Context, user *orm.User, name string, o StopOptions) (done bool, err error) {
	if err := s.mayStop(ctx, user, name, o); err != nil {
		return false, err
	}
	l := s.find(user.ID, name)
	if l == nil {
		if o.Remove {
			return true, s.removeByName(ctx, user, name)
		}
		return true, nil
	}
	finished, err := s.beginStop(ctx, l, o)
	if err != nil {
		return false, err
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

func (s *Servers) mayStop(ctx context.Context, user *orm.User, name string, o StopOptions) error {
	if name == "" {
		if o.Remove {
			return &Error{Kind: Invalid, Message: "Cannot delete the default server", Hint: "only named servers can be deleted; leave out remove to stop it"}
		}
		return nil
	}
	if !s.o.Traits.AllowNamedServers {
		return &Error{Kind: Invalid, Message: "Named servers are not enabled.", Hint: "set JupyterHub.allow_named_servers = True to enable them"}
	}
	if _, err := s.o.Store.SpawnerByName(ctx, user.ID, name); err != nil {
		if errors.Is(err, orm.ErrNotFound) {
			return &Error{Kind: NotFound, Message: fmt.Sprintf("%s has no server named '%s'", user.Name, clip(name, 64))}
		}
		return err
	}
	return nil
}

// beginStop starts what is needed and returns a channel with the result.
func (s *Servers) beginStop(ctx context.Context, l *liveServer, o StopOptions) (<-chan error, error) {
	finished := make(chan error, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.stage {
	case renaming:
		return nil, &Error{Kind: Invalid, Message: "Cannot stop a server while it is being renamed"}
	case stopping:
		s.after(finished, l.stopDone, l, o)
		return finished, nil
	case starting:
		s.o.Logger.WarnContext(ctx, "cancelling a start in progress", "user", l.userName, "server", l.name)
		if l.cancel != nil {
			l.cancel(errCancelled)
		}
		s.after(finished, l.started, l, o)
		return finished, nil
	case stopped:
		s.after(finished, nil, l, o)
		return finished, nil
	}
	l.stage = stopping
	l.stopDone = make(chan struct{})
	s.goStop(l, o, finished)
	return finished, nil
}

// after reports done once ch is closed, and removes the row then when asked to.
func (s *Servers) after(finished chan<- error, ch <-chan struct{}, l *liveServer, o StopOptions) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		if ch != nil {
			<-ch
		}
		finished <- s.maybeRemove(l, o)
	}()
}

func (s *Servers) goStop(l *liveServer, o StopOptions, finished chan<- error) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		ctx := context.WithoutCancel(s.ctx)
		begin := time.Now()
		err := s.stop(ctx, l, o)
		s.o.Observer.Stopped(time.Since(begin), err == nil)
		if err == nil {
			if !o.Quiet {
				s.o.Observer.ServerAction(ctx, "stop", l.userName, l.name)
			}
			s.o.Logger.InfoContext(ctx, "server stopped", "user", l.userName, "server", l.name, "duration", time.Since(begin))
			err = s.maybeRemove(l, o)
		}
		finished <- err
	}()
}

// stop takes the route away first, then ends the process, then cleans the rows. When the spawner cannot stop the server, it stays what it was.
func (s *Servers) stop(ctx context.Context, l *liveServer, o StopOptions) error {
	l.mu.Lock()
	sp, done := l.sp, l.stopDone
	l.mu.Unlock()
	s.deleteRoute(ctx, l)
	exit, err := s.timedPoll(ctx, sp.Poll)
	if err != nil || exit == nil {
		err = sp.Stop(ctx, o.Now)
	}
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "server could not be stopped", "user", l.userName, "server", l.name, "err", err)
		if rerr := s.addRoute(ctx, l); rerr != nil {
			s.o.Logger.ErrorContext(ctx, "proxy route could not be restored", "user", l.userName, "server", l.name, "err", rerr)
		}
		l.settle(ready, done)
		return fmt.Errorf("stop server %s: %w", logName(l.userName, l.name), err)
	}
	s.cleanUpRows(ctx, l)
	l.settle(stopped, done)
	return nil
}

func (l *liveServer) settle(to stage, done chan struct{}) {
	l.mu.Lock()
	l.stage = to
	if l.stopDone == done {
		l.stopDone = nil
	}
	l.mu.Unlock()
	close(done)
}

// cleanUp is a stop without ceremony: for starts that failed and servers that died. The process may or may not be there.
func (s *Servers) cleanUp(ctx context.Context, l *liveServer) {
	l.mu.Lock()
	sp := l.sp
	l.mu.Unlock()
	s.deleteRoute(ctx, l)
	if sp != nil {
		if err := sp.Stop(ctx, false); err != nil {
			s.o.Logger.ErrorContext(ctx, "clean-up could not stop the server", "user", l.userName, "server", l.name, "err", err)
		}
	}
	s.cleanUpRows(ctx, l)
}

// cleanUpRows removes what a running server has in the database: server row, token, OAuth client with its tokens. Then the hooks run.
func (s *Servers) cleanUpRows(ctx context.Context, l *liveServer) {
	l.mu.Lock()
	if l.stopPoll != nil {
		l.stopPoll()
		l.stopPoll = nil
	}
	l.addr, l.sp = nil, nil
	id := l.identity()
	l.mu.Unlock()
	now := time.Now().UTC()
	if err := s.dropRows(ctx, l.spawnID, l.userID, id, now); err != nil {
		s.o.Logger.ErrorContext(ctx, "rows of the stopped server could not be cleaned", "user", id.UserName, "server", id.ServerName, "err", err)
	}
	s.o.Activity.SeenUser(l.userID, now)
	if s.o.Hooks.PostStop != nil {
		if err := s.o.Hooks.PostStop(ctx, id); err != nil {
			s.o.Logger.ErrorContext(ctx, "post_stop_hook failed", "user", id.UserName, "server", id.ServerName, "err", err)
		}
	}
	if s.o.Hooks.PostSpawnStop != nil {
		if err := s.o.Hooks.PostSpawnStop(ctx, id.UserName, id.ServerName); err != nil {
			s.o.Logger.ErrorContext(ctx, "post_spawn_stop failed", "user", id.UserName, "server", id.ServerName, "err", err)
		}
	}
	_, active := s.Counts()
	s.o.Observer.Running(active)
}

func (s *Servers) dropRows(ctx context.Context, spawnID, userID int64, id spawner.Identity, now time.Time) error {
	return s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		row, err := tx.Spawner(ctx, spawnID)
		if errors.Is(err, orm.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.dropToken(ctx, tx, row, userID, id); err != nil {
			return err
		}
		serverID, client := row.ServerID, row.OAuthClientID
		row.ServerID, row.OAuthClientID, row.Started, row.LastActivity, row.State = nil, nil, nil, &now, orm.JSONDict{}
		if err := tx.UpdateSpawner(ctx, row, "server_id", "oauth_client_id", "started", "last_activity", "state"); err != nil {
			return err
		}
		if serverID != nil {
			if err := tx.DeleteServer(ctx, *serverID); err != nil {
				return err
			}
		}
		if client != nil {
			return tx.DeleteOAuthClient(ctx, *client)
		}
		return nil
	})
}

// dropToken deletes the server's own token: the one tied to the row, and those that JupyterHub made for the same server,
// which it can no longer find itself after a restart (security.md, "leak, measured").
func (s *Servers) dropToken(ctx context.Context, tx *orm.Store, row *orm.Spawner, userID int64, id spawner.Identity) error {
	tokens, err := tx.TokensOfUser(ctx, userID)
	if err != nil {
		return err
	}
	note := serverTokenNote + s.URLPath(id.UserName, id.ServerName)
	var ids []int64
	if extra, err := tx.ServerExtra(ctx, row.ID); err == nil {
		ids = append(ids, extra.TokenID)
	}
	for _, t := range tokens {
		if t.Note != nil && *t.Note == note && t.ClientID != nil && *t.ClientID == "jupyterhub" {
			ids = append(ids, t.ID)
		}
	}
	if err := tx.DeleteTokens(ctx, ids); err != nil {
		return err
	}
	return tx.DeleteServerExtra(ctx, row.ID)
}

func (s *Servers) maybeRemove(l *liveServer, o StopOptions) error {
	if !o.Remove {
		return nil
	}
	ctx := context.WithoutCancel(s.ctx)
	l.mu.Lock()
	busy, id := l.stage != stopped, l.identity()
	l.mu.Unlock()
	if busy {
		return &Error{Kind: Conflict, Message: logName(id.UserName, id.ServerName) + " was started again before it could be deleted"}
	}
	return s.remove(ctx, l.userID, l.spawnID, id)
}

func (s *Servers) removeByName(ctx context.Context, user *orm.User, name string) error {
	row, err := s.row(ctx, user, name)
	if err != nil {
		return err
	}
	return s.remove(ctx, user.ID, row.ID, spawner.Identity{UserName: user.Name, ServerName: name})
}

// remove deletes a stopped server for good.
func (s *Servers) remove(ctx context.Context, userID, spawnID int64, id spawner.Identity) error {
	if d, ok := s.o.Driver.New(id).(spawner.ForeverDeleter); ok {
		if err := d.DeleteForever(ctx); err != nil {
			return fmt.Errorf("delete server %s for good: %w", logName(id.UserName, id.ServerName), err)
		}
	}
	if err := s.o.Store.DeleteSpawner(ctx, spawnID); err != nil && !errors.Is(err, orm.ErrNotFound) {
		return err
	}
	s.mu.Lock()
	s.forget(serverKey{userID, id.ServerName})
	s.mu.Unlock()
	return nil
}
