package hubtest

import (
	"context"
	"fmt"
	"time"

	"github.com/minihub/minihub/hubapi"
)

// Snapshot is a state of a hub to come back to: users, groups, tokens, shares, logins, and which servers run.
type Snapshot struct {
	name    string
	running map[server]time.Time // since when
}

type server struct{ user, name string }

// Snapshot remembers the state of the hub. It costs about a millisecond and some hundred kilobytes.
func (h *Hub) Snapshot(ctx context.Context) (*Snapshot, error) {
	running, err := h.running(ctx)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{name: fmt.Sprint(h.snapshots.Add(1)), running: running}
	if err := h.app.Snapshot(ctx, s.name); err != nil {
		return nil, fmt.Errorf("hubtest: take a snapshot (the database must be in memory): %w", err)
	}
	return s, nil
}

// Restore brings a hub back to a snapshot. Servers that were started since are stopped, servers that were stopped since are
// started again, and faults end. What processes outside of the hub keep, they keep.
func (h *Hub) Restore(ctx context.Context, s *Snapshot) error {
	h.ClearFaults()
	now, err := h.running(ctx)
	if err != nil {
		return err
	}
	for srv, since := range now {
		if since.Equal(s.running[srv]) {
			continue
		}
		if _, err := h.Admin.StopServer(ctx, srv.user, srv.name); err != nil {
			return fmt.Errorf("hubtest: stop a server that was started after the snapshot: %w", err)
		}
	}
	if err := h.app.Restore(ctx, s.name); err != nil {
		return fmt.Errorf("hubtest: restore: %w", err)
	}
	for srv, since := range s.running {
		if since.Equal(now[srv]) {
			continue
		}
		if _, err := h.Admin.StartServer(ctx, srv.user, srv.name, nil); err != nil {
			return fmt.Errorf("hubtest: start a server again that ran at the snapshot: %w", err)
		}
	}
	return nil
}

func (h *Hub) running(ctx context.Context) (map[server]time.Time, error) {
	out := map[server]time.Time{}
	for u, err := range h.Admin.Users(ctx, hubapi.UserQuery{State: "active"}) {
		if err != nil {
			return nil, fmt.Errorf("hubtest: list running servers: %w", err)
		}
		for _, s := range u.Servers {
			out[server{u.Name, s.Name}] = s.Started
		}
	}
	return out, nil
}

// Advance lets time go by for the hub: tokens, codes, shares and logins have so much less time left, and users and servers were
// active so much longer ago. The clock itself stays, so that programs which compare the hub's times with their own clock, as
// jupyterhub-idle-culler does, see it too. Time-outs of what is going on (a start, a request) do not move.
func (h *Hub) Advance(ctx context.Context, by time.Duration) error {
	if by < 0 {
		return fmt.Errorf("hubtest: advance by %s: time goes forward only; use Snapshot and Restore to go back", by)
	}
	if err := h.app.Age(ctx, by); err != nil {
		return fmt.Errorf("hubtest: advance (the database must be in memory): %w", err)
	}
	h.ahead.Add(int64(by))
	return nil
}

// now is the time that cookies are signed and checked with.
func (h *Hub) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }
