package toy

import (
	"context"
	"math/rand/v2"
	"time"
)

func (s *Server) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
}

func (s *Server) lastActivity() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// reportActivity tells the hub every interval, ten percent more or less, when there was some. Of the start itself the hub knows: a
// report of that could arrive after a test has let time go by.
func (s *Server) reportActivity(ctx context.Context) {
	told := s.lastActivity()
	timer := time.NewTimer(s.set.activityInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait := time.Duration(float64(s.set.activityInterval) * (0.9 + 0.2*rand.Float64()))
		if s.set.activityURL == "" || s.set.activityInterval == 0 {
			wait = time.Hour
		} else if last := s.lastActivity(); last.After(told) {
			if err := s.hub.reportActivity(ctx, last); err == nil {
				told = last
			} else if ctx.Err() == nil {
				s.log.WarnContext(ctx, "activity not reported", "err", err)
				wait = min(wait, 15*time.Second)
			}
		}
		timer.Reset(wait)
	}
}
