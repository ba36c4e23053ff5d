package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// Spawner is one server. Its methods may be called concurrently.
type Spawner struct {
	driver *Driver
	id     spawner.Identity

	mu       sync.Mutex
	starting *starting           // nil unless Start runs
	proc     *supervise.Process  // the current or last process; nil before the first
	lost     *supervise.Identity // what LoadState did not find any more
	last     spawner.Request     // of the last start, for Diagnose
	failure  error               // why the last start failed
}

// starting is a Start in progress, which Stop ends.
type starting struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// ErrRunning is returned, wrapped, by Start when the server runs.
var ErrRunning = errors.New("server runs already")

// Start starts the process and returns its URL at once; whether it answers is for the caller to find out. The error is
// a *supervise.StartError, ErrOwner or ErrRunning, wrapped.
func (s *Spawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	ctx, end, err := s.begin(ctx, req)
	if err != nil {
		return "", err
	}
	url, err := s.launch(ctx, req)
	end(err)
	return url, err
}

// begin claims the spawner for one Start; end gives it back.
func (s *Spawner) begin(ctx context.Context, req spawner.Request) (context.Context, func(error), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.starting != nil || s.proc != nil && s.proc.Poll() == nil {
		return nil, nil, fmt.Errorf("start server %s: %w", s.id, ErrRunning)
	}
	ctx, cancel := context.WithCancel(ctx)
	this := &starting{cancel: cancel, done: make(chan struct{})}
	s.starting, s.proc, s.lost, s.failure, s.last = this, nil, nil, nil, req
	return ctx, func(err error) {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.starting, s.failure = nil, err
		close(this.done)
	}, nil
}

func (s *Spawner) launch(ctx context.Context, req spawner.Request) (string, error) {
	if req.Port == 0 {
		port, err := FreePort(ctx, req.IP)
		if err != nil {
			return "", fmt.Errorf("start server %s: %w", s.id, err)
		}
		req = withPort(req, port)
	}
	own, err := s.driver.owner.of(ctx, s.id.UserName)
	if err != nil {
		return "", err
	}
	logDir, err := s.driver.opts.logDir()
	if err != nil {
		return "", fmt.Errorf("start server %s: %w", s.id, err)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("start server %s: %w", s.id, context.Cause(ctx))
	}
	proc, err := supervise.Start(s.command(req, own, logDir))
	if err != nil {
		return "", fmt.Errorf("start server %s: %w", s.id, err)
	}
	s.driver.opts.Logger.InfoContext(ctx, "server process started", "user", s.id.UserName, "server", s.id.ServerName, "pid", proc.Identity().PID)
	if !s.keep(proc, req) {
		_ = proc.Stop(context.WithoutCancel(ctx), s.driver.opts.stopTimeouts(true))
		return "", fmt.Errorf("start server %s: the hub is ending", s.id)
	}
	return serverURL(req), nil
}

// keep records a new process before anybody can ask for its state.
func (s *Spawner) keep(proc *supervise.Process, req spawner.Request) bool {
	s.mu.Lock()
	s.proc, s.last = proc, req
	s.mu.Unlock()
	return s.driver.watch(s, proc)
}

// Poll returns nil while the process runs or is being started. The exit of an adopted process has no code.
func (s *Spawner) Poll(context.Context) (*spawner.Exit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.starting != nil {
		return nil, nil
	}
	return s.exit(), nil
}

// exit is called with the lock held.
func (s *Spawner) exit() *spawner.Exit {
	if s.proc == nil {
		return &spawner.Exit{}
	}
	status := s.proc.Poll()
	if status == nil {
		return nil
	}
	s.driver.forget(s, s.proc)
	return &spawner.Exit{Code: status.Code, Reason: status.String()}
}

// Stop ends the process and its group: INT, TERM, KILL. now: TERM with one second, then KILL. A Start in progress is
// ended first.
func (s *Spawner) Stop(ctx context.Context, now bool) error {
	s.mu.Lock()
	current := s.starting
	s.mu.Unlock()
	if current != nil {
		current.cancel()
		select {
		case <-current.done:
		case <-ctx.Done():
			return fmt.Errorf("stop server %s: %w", s.id, context.Cause(ctx))
		}
	}
	s.mu.Lock()
	proc, lost := s.proc, s.lost
	s.mu.Unlock()
	if proc == nil {
		return s.stopRest(ctx, lost)
	}
	if err := proc.Stop(ctx, s.driver.opts.stopTimeouts(now)); err != nil {
		return fmt.Errorf("stop server %s: %w", s.id, err)
	}
	s.driver.forget(s, proc)
	return nil
}

// stopRest ends what a server that died while no hub ran left in its group. Its number may be another group's now, so
// only processes with the server's own marker count.
func (s *Spawner) stopRest(ctx context.Context, lost *supervise.Identity) error {
	hubID := s.driver.opts.HubID
	if lost == nil || lost.Marker == "" || hubID == "" {
		return nil
	}
	_, err := supervise.StopMarked(ctx, hubID, time.Second, func(m supervise.Marked) bool {
		return m.Marker == lost.Marker && m.Group == lost.PID
	})
	if err != nil {
		return fmt.Errorf("stop what is left of server %s: %w", s.id, err)
	}
	s.mu.Lock()
	s.lost = nil
	s.mu.Unlock()
	return nil
}

var (
	_ spawner.Spawner   = (*Spawner)(nil)
	_ spawner.Diagnoser = (*Spawner)(nil)
)
