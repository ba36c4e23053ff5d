package toy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// Spawner is one toy server. Its methods may be called concurrently.
type Spawner struct {
	driver *Driver
	id     spawner.Identity

	mu       sync.Mutex
	cancel   context.CancelFunc // of the Start that runs, else nil
	finished chan struct{}      // closed when that Start has returned
	inst     *instance          // the current or last run
	faults   faults
	failure  error
	events   []spawner.Event
	changed  chan struct{} // closed and replaced when events grow
}

// ErrRunning is returned, wrapped, by Start when the server runs.
var ErrRunning = errors.New("toy server runs already")

// Start listens on Request.Port, or on any port when it is 0.
func (s *Spawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	f, err := readFaults(req.UserOptions)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	if s.cancel != nil || s.inst != nil && s.inst.ended() == nil {
		s.mu.Unlock()
		return "", fmt.Errorf("start server %s: %w", s.id, ErrRunning)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan struct{})
	s.cancel, s.finished, s.inst, s.faults, s.failure, s.events = cancel, finished, nil, f, nil, nil
	s.mu.Unlock()

	inst, err := s.launch(ctx, req, f)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel, s.inst, s.failure = nil, inst, err
	close(finished)
	if err != nil {
		return "", fmt.Errorf("start server %s: %w", s.id, err)
	}
	return inst.url, nil
}

func (s *Spawner) launch(ctx context.Context, req spawner.Request, f faults) (*instance, error) {
	s.tell(10, "The toy server is starting")
	if f.startDelay > 0 {
		timer := time.NewTimer(f.startDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if f.fail != "" {
		return nil, errors.New(f.fail)
	}
	inst, err := launch(ctx, s.driver, req, f)
	if err != nil {
		return nil, err
	}
	s.tell(50, "The toy server listens at "+inst.url)
	return inst, nil
}

func (s *Spawner) tell(progress int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, spawner.Event{Progress: progress, Message: message})
	close(s.changed)
	s.changed = make(chan struct{})
}

// Progress yields what happened in this start so far, and what happens until ctx ends.
func (s *Spawner) Progress(ctx context.Context) iter.Seq[spawner.Event] {
	return func(yield func(spawner.Event) bool) {
		for seen := 0; ; {
			s.mu.Lock()
			events, changed := s.events, s.changed
			s.mu.Unlock()
			for ; seen < len(events); seen++ {
				if !yield(events[seen]) {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Poll returns nil while the server runs or is being started.
func (s *Spawner) Poll(context.Context) (*spawner.Exit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancel != nil:
		return nil, nil
	case s.inst == nil:
		return &spawner.Exit{}, nil
	}
	return s.inst.ended(), nil
}

// Stop ends the server; now skips the stop_delay that was asked for.
func (s *Spawner) Stop(ctx context.Context, now bool) error {
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel()
	}
	finished := s.finished
	s.mu.Unlock()
	if finished == nil {
		return nil
	}
	if err := wait(ctx, finished); err != nil {
		return fmt.Errorf("stop server %s: %w", s.id, err)
	}
	s.mu.Lock()
	inst, delay := s.inst, s.faults.stopDelay
	s.events = nil // the next start's listeners see no old ones
	s.mu.Unlock()
	if inst == nil {
		return nil
	}
	if delay > 0 && !now && inst.ended() == nil {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-inst.stop:
		case <-ctx.Done():
			return fmt.Errorf("stop server %s: %w", s.id, context.Cause(ctx))
		}
	}
	inst.end(spawner.Exit{Reason: "exit code 0"})
	if err := wait(ctx, inst.done); err != nil {
		return fmt.Errorf("stop server %s: %w", s.id, err)
	}
	return nil
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// State holds the URL, for people who look into the database; LoadState cannot use it.
func (s *Spawner) State() spawner.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inst == nil || s.inst.ended() != nil {
		return nil
	}
	return spawner.State{"url": s.inst.url}
}

// LoadState finds nothing: the server ended with the hub it lived in.
func (s *Spawner) LoadState(context.Context, spawner.State) error { return nil }

// Diagnose repeats the failure that was asked for.
func (s *Spawner) Diagnose(context.Context) spawner.Diagnosis {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := spawner.Diagnosis{}
	switch {
	case s.failure != nil:
		d.Cause = s.failure.Error()
	case s.inst != nil && s.faults.neverReady:
		d.Cause = "the toy was asked to be never ready"
	case s.inst != nil && s.inst.ended() != nil && s.faults.dieAfter > 0:
		d.Cause = fmt.Sprintf("the toy was asked to die after %v", s.faults.dieAfter)
	}
	if s.inst != nil {
		d.Exit = s.inst.ended()
	}
	if d.Cause != "" {
		d.WayOut = "change \"toy\" in the server's user_options"
	}
	return d
}

var (
	_ spawner.Spawner    = (*Spawner)(nil)
	_ spawner.Progresser = (*Spawner)(nil)
	_ spawner.Diagnoser  = (*Spawner)(nil)
)
