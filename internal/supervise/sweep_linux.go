package supervise

import (
	"syscall"
	"time"
)

// sweep ends what is left of the group after its leader, and reaps everything that is our child. It takes at most the
// group's grace and a second.
func (s *sysProcess) sweep(p *Process) {
	if s.groupFD {
		s.reap(p) // the pidfd still means this very group afterwards
	}
	defer s.reap(p)
	if !s.group || !s.groupAlive(p) {
		return
	}
	_ = s.groupSignal(p, syscall.SIGTERM)
	if s.awaitGroup(p, p.grace) {
		return
	}
	_ = s.groupSignal(p, syscall.SIGKILL)
	s.awaitGroup(p, time.Second)
}

func (s *sysProcess) awaitGroup(p *Process, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for wait := 5 * time.Millisecond; s.groupAlive(p); wait = min(wait*2, 100*time.Millisecond) {
		if !time.Now().Before(deadline) {
			return false
		}
		time.Sleep(wait)
	}
	return true
}

// groupAlive asks the kernel first, which is cheap, and looks for living members only when somebody is there: zombies
// whose parent does not reap them count as members for ever.
func (s *sysProcess) groupAlive(p *Process) bool {
	if s.groupFD && s.pidfdSignal(0, true) != nil {
		return false
	}
	if s.groupFD {
		s.reap(p)
	}
	return groupMembers(p.id.PID)
}

// groupSignal reaches members after the leader has ended. Without group pidfds the leader of a child's group is held as
// a zombie; an adopted group is not signalled then, because its number may be somebody else's.
func (s *sysProcess) groupSignal(p *Process, sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groupFD {
		return s.pidfdSignal(sig, true)
	}
	if p.child && !s.reaped {
		return syscall.Kill(-p.id.PID, sig)
	}
	return nil
}

// reap collects the leader and members of its group that became our children (the hub is often pid 1 of a container).
func (s *sysProcess) reap(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reaped {
		s.reaped = true
		_, _ = syscall.Wait4(p.id.PID, nil, syscall.WNOHANG, nil)
	}
	for p.child {
		pid, err := syscall.Wait4(-p.id.PID, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
