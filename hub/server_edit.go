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

// ServerPatch changes a stopped server; nil fields stay.
type ServerPatch struct {
	Name        *string
	DisplayName *string
	UserOptions *map[string]any
}

// Create makes a named server without starting it. Conflict when it exists; the default server always does.
func (s *Servers) Create(ctx context.Context, user *orm.User, name, displayName string, options map[string]any) (*ServerView, error) {
	if name == "" {
		return nil, &Error{Kind: Conflict, Message: "User " + user.Name + " already has a default server"}
	}
	exists := &Error{Kind: Conflict, Message: fmt.Sprintf("User %s already has server %s", user.Name, clip(name, 64))}
	_, err := s.row(ctx, user, name)
	if err == nil {
		return nil, exists
	}
	if KindOf(err) != NotFound {
		return nil, err
	}
	if err := s.checkNamed(ctx, user, name, displayName, false, true); err != nil {
		return nil, err
	}
	displayName = cmp.Or(displayName, name)
	row := &orm.Spawner{UserID: user.ID, Name: name, DisplayName: &displayName, UserOptions: options}
	if err := s.createRow(ctx, user, row); err != nil {
		if errors.Is(err, orm.ErrConflict) {
			return nil, exists
		}
		return nil, err
	}
	s.Changed(user.Name)
	v := s.view(user, *row)
	return &v, nil
}

// Update renames a stopped server or changes its display name or options. Errors: NotFound, Invalid (it is active, a name is not
// allowed), Conflict (the new name is taken).
func (s *Servers) Update(ctx context.Context, user *orm.User, name string, p ServerPatch) (*ServerView, error) {
	if err := s.checkPatch(ctx, user, name, p); err != nil {
		return nil, err
	}
	row, err := s.row(ctx, user, name)
	if KindOf(err) == NotFound {
		return nil, &Error{Kind: NotFound, Message: fmt.Sprintf("User %s has no such server %s", user.Name, clip(name, 64))}
	}
	if err != nil {
		return nil, err
	}
	l := s.get(user, row)
	l.mu.Lock()
	if l.stage != stopped {
		l.mu.Unlock()
		return nil, &Error{Kind: Invalid, Message: logName(user.Name, name) + " is active. Please stop it before modifying it."}
	}
	out := l.claim(renaming)
	l.mu.Unlock()
	if err := s.applyPatch(ctx, user, row, p); err != nil {
		l.settle(out, stopped, err)
		return nil, err
	}
	if row.Name == name {
		l.settle(out, stopped, nil)
	} else {
		s.forget(l) // this object knows the old name
		l.settle(out, gone, nil)
	}
	v := s.view(user, *row)
	return &v, nil
}

func (s *Servers) checkPatch(ctx context.Context, user *orm.User, name string, p ServerPatch) error {
	display := text(p.DisplayName)
	switch {
	case p.Name != nil && *p.Name == "" && s.o.Traits.AllowNamedServers:
		return nil // applyPatch refuses: everybody has a default server, with or without a row
	case p.Name != nil:
		// A renamed default server is a new named one; other renames do not change how many there are.
		return s.checkNamed(ctx, user, *p.Name, display, false, name == "")
	case display != "":
		return s.checkNamed(ctx, user, name, display, true, false)
	}
	return nil
}

func (s *Servers) applyPatch(ctx context.Context, user *orm.User, row *orm.Spawner, p ServerPatch) error {
	var cols []string
	if p.Name != nil {
		if err := s.rename(ctx, user, row.Name, *p.Name); err != nil {
			return err
		}
		row.Name = *p.Name
		cols = append(cols, "name")
	}
	if p.UserOptions != nil {
		row.UserOptions = *p.UserOptions
		cols = append(cols, "user_options")
	}
	if text(p.DisplayName) != "" {
		row.DisplayName = p.DisplayName
		cols = append(cols, "display_name")
	}
	if len(cols) == 0 {
		return nil
	}
	err := s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		if p.Name != nil {
			if err := checkFree(ctx, tx, user, *p.Name); err != nil {
				return err
			}
		}
		return tx.UpdateSpawner(ctx, row, cols...)
	})
	if KindOf(err) != 0 {
		return err
	}
	return storeErr(err, "change server %s", logName(user.Name, row.Name))
}

// rename asks the spawner whether the name may change.
func (s *Servers) rename(ctx context.Context, user *orm.User, from, to string) error {
	if err := checkFree(ctx, s.o.Store, user, to); err != nil {
		return err
	}
	r, ok := s.o.Driver.New(spawner.Identity{UserName: user.Name, ServerName: from}).(spawner.Renamer)
	if !ok {
		return nil
	}
	if err := r.Rename(ctx, to); err != nil {
		return fmt.Errorf("rename server %s: %w", logName(user.Name, from), err)
	}
	return nil
}

func checkFree(ctx context.Context, store *orm.Store, user *orm.User, name string) error {
	_, err := store.SpawnerByName(ctx, user.ID, name)
	switch {
	case err == nil || name == "": // everybody has a default server, with or without a row
		return &Error{Kind: Conflict, Message: fmt.Sprintf("User %s already has server '%s'", user.Name, clip(name, 64))}
	case errors.Is(err, orm.ErrNotFound):
		return nil
	}
	return storeErr(err, "look up server %s", logName(user.Name, name))
}

// StopForDelete stops everything a user runs before the user is deleted. Invalid while something is stopping already.
func (s *Servers) StopForDelete(ctx context.Context, user *orm.User) error {
	servers := s.ofUser(user.ID)
	for _, l := range servers {
		l.mu.Lock()
		st := l.stage
		l.mu.Unlock()
		if st == stopping {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("%s's server is in the process of stopping, please wait.", user.Name)}
		}
	}
	if err := s.stopEach(ctx, servers, StopOptions{}); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return &Error{Kind: Failed, Message: fmt.Sprintf("%s's server could not be stopped, the user was not deleted", user.Name), Err: err}
	}
	rows, err := s.o.Store.SpawnersOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return storeErr(err, "look up the servers of %s", user.Name)
	}
	for _, row := range rows[user.ID] {
		s.deleteForever(ctx, spawner.Identity{UserName: user.Name, ServerName: row.Name})
	}
	return nil
}

// stopEach stops servers side by side and waits for all of them or for ctx; it returns the first error.
func (s *Servers) stopEach(ctx context.Context, servers []*liveServer, o StopOptions) error {
	results := make(chan error, len(servers))
	for _, l := range servers {
		if !s.run(func() { results <- s.stopLive(l, o) }) {
			results <- hubStops()
		}
	}
	var first error
	for range servers {
		select {
		case err := <-results:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return first
}

// ForgetUser drops the live objects of a deleted user. What was started since StopForDelete is stopped.
func (s *Servers) ForgetUser(userID int64) {
	for _, l := range s.ofUser(userID) {
		s.forget(l)
		s.abandon(l)
	}
}

// Renamed makes servers use the user's new name. What runs knows only the old one, which somebody else may take: it would keep an address
// that is no longer its user's, and open to the wrong person. So it is stopped, with its route, token and OAuth client, and started again
// under the new name. Renamed waits for the stops, at most slow_stop_timeout; what goes wrong later is in the log.
func (s *Servers) Renamed(ctx context.Context, user *orm.User, oldName string) error {
	stopped := make(chan struct{}, len(s.ofUser(user.ID)))
	n := 0
	for _, l := range s.ofUser(user.ID) {
		if l.retire() {
			s.forget(l)
			continue
		}
		owner := *user
		if !s.run(func() { s.move(&owner, l, oldName, stopped) }) {
			return hubStops()
		}
		n++
	}
	timeout := time.NewTimer(max(s.o.Traits.SlowStopTimeout, time.Second))
	defer timeout.Stop()
	for range n {
		select {
		case <-stopped:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return nil // the name is changed, and the rest goes on
		}
	}
	return nil
}

// move stops a server of a renamed user and starts it again.
func (s *Servers) move(user *orm.User, l *liveServer, oldName string, stopped chan<- struct{}) {
	l.mu.Lock()
	ran := l.stage == ready || l.stage == starting
	l.mu.Unlock()
	err := s.stopLive(l, StopOptions{})
	stopped <- struct{}{}
	log := s.o.Logger.With("user", user.Name, "was", oldName, "server", l.name)
	if err != nil {
		log.ErrorContext(s.ctx, "server of a renamed user cannot be stopped, it keeps its old address", "err", err)
		return
	}
	if l.retire() {
		s.forget(l)
	}
	if !ran {
		return
	}
	if _, err := s.Start(s.ctx, user, l.name, StartOptions{KeepOptions: true, Wait: -1}); err != nil {
		log.WarnContext(s.ctx, "server of a renamed user could not be started again", "err", err)
	}
}
