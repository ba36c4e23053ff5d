package spawnertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// FakeSpawner is one server of a Fake.
type FakeSpawner struct {
	fake *Fake
	id   spawner.Identity

	mu       sync.Mutex
	cancel   context.CancelFunc // of the Start that runs
	finished chan struct{}
	server   *fakeServer
	failure  error
	stopSlow time.Duration
}

// Start behaves as the Fake was told.
func (s *FakeSpawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	b := s.fake.behaviour(s.id)
	s.fake.mu.Lock()
	s.fake.requests = append(s.fake.requests, req)
	s.fake.mu.Unlock()
	s.mu.Lock()
	if s.cancel != nil || s.server != nil && s.server.poll() == nil {
		s.mu.Unlock()
		return "", fmt.Errorf("start fake server %s: it runs already", s.id)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan struct{})
	s.cancel, s.finished, s.server, s.failure, s.stopSlow = cancel, finished, nil, nil, b.StopDelay
	s.mu.Unlock()

	req.Identity = s.id
	server, err := s.launch(ctx, req, b)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel, s.server, s.failure = nil, server, err
	close(finished)
	if err != nil {
		return "", fmt.Errorf("start fake server %s: %w", s.id, err)
	}
	return server.url, nil
}

func (s *FakeSpawner) launch(ctx context.Context, req spawner.Request, b Behaviour) (*fakeServer, error) {
	if b.StartDelay > 0 {
		if err := sleep(ctx, b.StartDelay, nil); err != nil {
			return nil, err
		}
	}
	if b.StartGate != nil {
		select {
		case <-b.StartGate:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if b.StartErr != nil {
		return nil, b.StartErr
	}
	return s.fake.launch(req, b)
}

// sleep ends early without an error when done is closed.
func sleep(ctx context.Context, d time.Duration, done <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Poll returns nil while the server runs or is being started.
func (s *FakeSpawner) Poll(context.Context) (*spawner.Exit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancel != nil:
		return nil, nil
	case s.server == nil:
		return &spawner.Exit{}, nil
	}
	return s.server.poll(), nil
}

// Stop ends the server.
func (s *FakeSpawner) Stop(ctx context.Context, now bool) error {
	s.fake.mu.Lock()
	s.fake.stops++
	s.fake.mu.Unlock()
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel()
	}
	finished, delay := s.finished, s.stopSlow
	s.mu.Unlock()
	if finished != nil {
		select {
		case <-finished:
		case <-ctx.Done():
			return fmt.Errorf("stop fake server %s: %w", s.id, context.Cause(ctx))
		}
	}
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	if delay > 0 && !now {
		if err := sleep(ctx, delay, server.ended); err != nil {
			return fmt.Errorf("stop fake server %s: %w", s.id, err)
		}
	}
	server.end(spawner.Exit{Reason: "exit code 0"})
	return nil
}

// State names the server within its Fake.
func (s *FakeSpawner) State() spawner.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil || s.server.poll() != nil {
		return nil
	}
	return spawner.State{"url": s.server.url}
}

// LoadState adopts a server of the same Fake and the same identity.
func (s *FakeSpawner) LoadState(_ context.Context, state spawner.State) error {
	s.fake.mu.Lock()
	server := s.fake.servers[state.Text("url")]
	s.fake.mu.Unlock()
	if server == nil || server.id != s.id {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server, s.stopSlow = server, s.fake.behaviour(s.id).StopDelay
	return nil
}

// Diagnose tells the failure that was asked for.
func (s *FakeSpawner) Diagnose(context.Context) spawner.Diagnosis {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := spawner.Diagnosis{LogTail: []string{"fake server " + s.id.String()}}
	if s.server != nil {
		d.Exit = s.server.poll()
	}
	if s.failure != nil {
		d.Cause, d.WayOut = s.failure.Error(), "change the behaviour of the fake"
	}
	return d
}

var (
	_ spawner.Spawner   = (*FakeSpawner)(nil)
	_ spawner.Diagnoser = (*FakeSpawner)(nil)
)
