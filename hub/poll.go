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
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer cancel()
		for {
			t := time.NewTimer(jitter(interval, s.o.Traits.PollJitter))
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			if exit, err := s.timedPoll(ctx, sp.Poll); err == nil && exit != nil {
				s.died(ctx, l, sp, exit)
				return
			}
		}
	}()
}

func jitter(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 + share*(2*rand.Float64()-1)))
}

// died cleans up after a server that stopped by itself.
func (s *Servers) died(ctx context.Context, l *liveServer, sp spawner.Spawner, exit *spawner.Exit) {
	l.mu.Lock()
	if l.stage != ready || l.sp != sp {
		l.mu.Unlock()
		return
	}
	l.stage = stopping
	l.stopDone = make(chan struct{})
	done := l.stopDone
	l.mu.Unlock()
	s.o.Logger.WarnContext(ctx, "server stopped without being asked", "user", l.userName, "server", l.name, "reason", exitText(exit))
	s.cleanUp(context.WithoutCancel(ctx), l)
	l.settle(stopped, done)
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
