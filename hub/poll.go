package hub

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/minihub/minihub/spawner"
)

type pollFunc func(context.Context) (*spawner.Exit, error)

func (s *Servers) timedPoll(ctx context.Context, poll pollFunc) (*spawner.Exit, error) {
	begin := time.Now()
	exit, err := poll(ctx)
	s.o.Observer.Polled(time.Since(begin), exit == nil)
	return exit, err
}

// startPolling watches a ready server until it stops or the hub does.
func (s *Servers) startPolling(l *liveServer) {
	interval := s.o.Traits.PollInterval
	if interval <= 0 {
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	l.mu.Lock()
	if l.stopPoll != nil {
		l.stopPoll()
	}
	l.stopPoll = cancel
	sp := l.sp
	l.mu.Unlock()
	s.run(func() {
		defer cancel()
		for {
			t := time.NewTimer(jitter(interval, s.o.Traits.PollJitter))
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			exit, err := s.timedPoll(ctx, sp.Poll)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				s.o.Logger.WarnContext(ctx, "server could not be polled", "user", l.userName, "server", l.name, "err", err)
			case exit != nil:
				s.died(ctx, l, sp, exit) // a stop that fails wants the polling to go on, others end it by ctx
			}
		}
	})
}

func jitter(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 + share*(2*rand.Float64()-1)))
}

// died cleans up after a server that stopped by itself; false when it is somebody else's to decide by now.
func (s *Servers) died(ctx context.Context, l *liveServer, sp spawner.Spawner, exit *spawner.Exit) bool {
	l.mu.Lock()
	if l.stage != ready || l.sp != sp {
		l.mu.Unlock()
		return false
	}
	out := l.claim(stopping)
	out.died = true
	l.mu.Unlock()
	s.o.Logger.WarnContext(ctx, "server stopped without being asked", "user", l.userName, "server", l.name, "reason", exitText(exit))
	s.cleanUp(context.WithoutCancel(ctx), l)
	l.settle(out, stopped, nil)
	s.observeRunning()
	return true
}

// Poll asks a ready server whether it still runs, and cleans up when it does not.
func (s *Servers) Poll(ctx context.Context, userID int64, name string) (running bool) {
	l := s.find(userID, name)
	if l == nil {
		return false
	}
	l.mu.Lock()
	st, sp := l.stage, l.sp
	l.mu.Unlock()
	if st != ready {
		return false
	}
	if exit, err := s.timedPoll(ctx, sp.Poll); err == nil && exit != nil {
		s.died(ctx, l, sp, exit)
		return false
	}
	return true
}
