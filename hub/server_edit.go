package hub

import (
	"context"
	"errors"
	"fmt"

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
	_, err := s.o.Store.SpawnerByName(ctx, user.ID, name)
	if err == nil {
		return nil, &Error{Kind: Conflict, Message: fmt.Sprintf("User %s already has server %s", user.Name, name)}
	}
	if !errors.Is(err, orm.ErrNotFound) {
		return nil, err
	}
	if displayName == "" {
		displayName = name
	}
	if err := s.checkNamed(ctx, user, name, displayName, false, true); err != nil {
		return nil, err
	}
	row := &orm.Spawner{UserID: user.ID, Name: name, DisplayName: &displayName, UserOptions: options}
	if err := s.o.Store.CreateSpawner(ctx, row); err != nil {
		return nil, err
	}
	v := s.view(user, *row)
	return &v, nil
}

// Update renames a stopped server or changes its display name or options.
func (s *Servers) Update(ctx context.Context, user *orm.User, name string, p ServerPatch) (*ServerView, error) {
	if err := s.checkPatch(ctx, user, name, p); err != nil {
		return nil, err
	}
	row, err := s.o.Store.SpawnerByName(ctx, user.ID, name)
	if errors.Is(err, orm.ErrNotFound) {
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
	l.stage = renaming
	l.mu.Unlock()
	err = s.applyPatch(ctx, user, row, p)
	l.mu.Lock()
	l.stage = stopped
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if row.Name != name {
		s.mu.Lock()
		s.forget(serverKey{user.ID, name}) // the old object knows the old name
		s.mu.Unlock()
	}
	v := s.view(user, *row)
	return &v, nil
}

func (s *Servers) checkPatch(ctx context.Context, user *orm.User, name string, p ServerPatch) error {
	display := ""
	if p.DisplayName != nil {
		display = *p.DisplayName
	}
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
		if p.DisplayName == nil {
			row.DisplayName = p.Name
			cols = append(cols, "display_name")
		}
	}
	if p.UserOptions != nil {
		row.UserOptions = *p.UserOptions
		cols = append(cols, "user_options")
	}
	if p.DisplayName != nil && *p.DisplayName != "" {
		row.DisplayName = p.DisplayName
		cols = append(cols, "display_name")
	}
	if len(cols) == 0 {
		return nil
	}
	return s.o.Store.UpdateSpawner(ctx, row, cols...)
}

func (s *Servers) rename(ctx context.Context, user *orm.User, from, to string) error {
	_, err := s.o.Store.SpawnerByName(ctx, user.ID, to)
	if err == nil || to == "" {
		return &Error{Kind: Conflict, Message: fmt.Sprintf("User %s already has server '%s'", user.Name, to)}
	}
	if !errors.Is(err, orm.ErrNotFound) {
		return err
	}
	sp := s.o.Driver.New(spawner.Identity{UserName: user.Name, ServerName: from})
	if r, ok := sp.(spawner.Renamer); ok {
		if err := r.Rename(ctx, to); err != nil {
			return fmt.Errorf("rename server: %w", err)
		}
	}
	return nil
}

// StopForDelete stops everything a user runs before the user is deleted. Invalid while something is stopping already.
func (s *Servers) StopForDelete(ctx context.Context, user *orm.User) error {
	for _, l := range s.ofUser(user.ID) {
		l.mu.Lock()
		st := l.stage
		l.mu.Unlock()
		if st == stopping {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("%s's server is in the process of stopping, please wait.", user.Name)}
		}
	}
	for _, l := range s.ofUser(user.ID) {
		ch, err := s.beginStop(ctx, l, StopOptions{})
		if err != nil {
			return err
		}
		select {
		case err := <-ch:
			if err != nil {
				return &Error{Kind: Failed, Message: fmt.Sprintf("%s's server could not be stopped, the user was not deleted", user.Name), Err: err}
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.deleteForever(ctx, user)
}

func (s *Servers) deleteForever(ctx context.Context, user *orm.User) error {
	rows, err := s.o.Store.SpawnersOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return err
	}
	for _, row := range rows[user.ID] {
		sp := s.o.Driver.New(spawner.Identity{UserName: user.Name, ServerName: row.Name})
		d, ok := sp.(spawner.ForeverDeleter)
		if !ok {
			return nil
		}
		if err := d.DeleteForever(ctx); err != nil {
			return fmt.Errorf("delete server %s for good: %w", logName(user.Name, row.Name), err)
		}
	}
	return nil
}

func (s *Servers) ofUser(userID int64) []*liveServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*liveServer
	for _, l := range s.byUser[userID] {
		out = append(out, l)
	}
	return out
}

// ForgetUser drops the live objects of a deleted user.
func (s *Servers) ForgetUser(userID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.byUser[userID] {
		s.forget(serverKey{userID, name})
	}
}

// Renamed makes stopped servers use the user's new name at once; Conflict-free because names are not keys here. Running ones keep
// their old address until they stop, since their process knows no other.
func (s *Servers) Renamed(_ context.Context, user *orm.User, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.byUser[user.ID] {
		l.mu.Lock()
		idle := l.stage == stopped
		l.mu.Unlock()
		if idle {
			s.forget(serverKey{user.ID, name})
		}
	}
	return nil
}
