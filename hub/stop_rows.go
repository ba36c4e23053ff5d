package hub

import (
	"context"
	"errors"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

func dropRowsIn(ctx context.Context, tx *orm.Store, l *liveServer, base string, now time.Time) error {
	row, err := tx.Spawner(ctx, l.spawnID)
	if errors.Is(err, orm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := dropToken(ctx, tx, row, base); err != nil {
		return err
	}
	serverID, client := row.ServerID, row.OAuthClientID
	row.ServerID, row.OAuthClientID, row.Started, row.LastActivity, row.State = nil, nil, nil, &now, orm.JSONDict{}
	if err := tx.UpdateSpawner(ctx, row, "server_id", "oauth_client_id", "started", "last_activity", "state"); err != nil {
		return err
	}
	if err := tx.TouchUsers(ctx, map[int64]time.Time{row.UserID: now}); err != nil {
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
}

// dropToken deletes the server's own token: the one tied to the row, and those that JupyterHub made for the same server,
// which it can no longer find itself after a restart (security.md, "leak, measured").
func dropToken(ctx context.Context, tx *orm.Store, row *orm.Spawner, base string) error {
	tokens, err := tx.TokensOfUser(ctx, row.UserID)
	if err != nil {
		return err
	}
	var ids []int64
	extra, err := tx.ServerExtra(ctx, row.ID)
	switch {
	case err == nil:
		ids = append(ids, extra.TokenID)
	case !errors.Is(err, orm.ErrNotFound):
		return err
	}
	for _, t := range tokens {
		if text(t.Note) == serverTokenNote+base && text(t.ClientID) == "jupyterhub" {
			ids = append(ids, t.ID)
		}
	}
	if err := tx.DeleteTokens(ctx, ids); err != nil {
		return err
	}
	return tx.DeleteServerExtra(ctx, row.ID)
}

// cleanLeftover ends a server that the database says runs but nobody watches: a clean-up that failed, or another program's.
func (s *Servers) cleanLeftover(ctx context.Context, l *liveServer) error {
	row, err := s.o.Store.Spawner(ctx, l.spawnID)
	if errors.Is(err, orm.ErrNotFound) || err == nil && row.ServerID == nil {
		return nil
	}
	if err != nil {
		return storeErr(err, "look up server %s", logName(l.userName, l.name))
	}
	base := s.URLPath(l.userName, l.name)
	if addrs, err := s.o.Store.ServersByID(ctx, []int64{*row.ServerID}); err == nil && addrs[*row.ServerID] != nil {
		base = addrs[*row.ServerID].BaseURL
	}
	sp := s.o.Driver.New(l.identity())
	if err := sp.LoadState(ctx, spawner.State(row.State)); err != nil {
		s.o.Logger.WarnContext(ctx, "state of a left-over server could not be loaded", "user", l.userName, "server", l.name, "err", err)
	}
	s.endProcess(l, sp)
	return s.dropRows(ctx, l, base, time.Now().UTC())
}

// afterStop does what is left to do for a stopped server: a clean-up that failed before, and the removal when it is asked for.
func (s *Servers) afterStop(l *liveServer, o StopOptions) error {
	var out *outcome
	for out == nil {
		l.mu.Lock()
		st, busy := l.stage, l.busy
		if st == stopped {
			out = l.claim(stopping)
		}
		l.mu.Unlock()
		switch {
		case st == gone:
			return nil
		case st == stopping: // somebody else's removal or clean-up
			<-busy.done
		case st != stopped && o.Remove:
			return &Error{Kind: Conflict, Message: logName(l.userName, l.name) + " was started again before it could be deleted"}
		case st != stopped:
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTimeout)
	defer cancel()
	err := s.cleanLeftover(ctx, l)
	if err != nil || !o.Remove {
		l.settle(out, stopped, err)
		return err
	}
	if err := s.remove(ctx, l); err != nil {
		l.settle(out, stopped, err)
		return err
	}
	s.forget(l)
	l.settle(out, gone, nil)
	return nil
}

// remove deletes a stopped server for good. What the spawner cannot remove is logged and stays.
func (s *Servers) remove(ctx context.Context, l *liveServer) error {
	s.deleteForever(ctx, l.identity())
	err := s.o.Store.DeleteSpawner(ctx, l.spawnID)
	if errors.Is(err, orm.ErrNotFound) {
		return nil
	}
	return storeErr(err, "delete server %s", logName(l.userName, l.name))
}

func (s *Servers) deleteForever(ctx context.Context, id spawner.Identity) {
	d, ok := s.o.Driver.New(id).(spawner.ForeverDeleter)
	if !ok {
		return
	}
	if err := d.DeleteForever(ctx); err != nil {
		s.o.Logger.ErrorContext(ctx, "what a deleted server leaves behind could not be removed", "user", id.UserName, "server", id.ServerName, "err", err)
	}
}
