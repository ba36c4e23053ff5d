//go:build unix && !linux

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const pollEvery = 100 * time.Millisecond

// sysProcess waits by polling and signals by number; only children are supported here.
type sysProcess struct {
	mu     sync.Mutex
	ended  bool
	status ExitStatus
}

func adoptChild(proc *os.Process, marker string) (Identity, *sysProcess) {
	id := Identity{PID: proc.Pid, Marker: marker}
	_ = proc.Release()
	return id, &sysProcess{}
}

func openSys(int) *sysProcess { return &sysProcess{ended: true} }

func (s *sysProcess) waitExit(p *Process) bool {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !s.wait(p.id.PID) {
		select {
		case <-p.closing:
			return false
		case <-ticker.C:
		}
	}
	return true
}

// wait reaps, and records in one step that the pid is not ours any more.
func (s *sysProcess) wait(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var status syscall.WaitStatus
	got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
	switch {
	case errors.Is(err, syscall.ECHILD):
		s.ended = true
	case err != nil || got != pid:
		return false
	case status.Exited():
		s.ended, s.status = true, exitedWith(status.ExitStatus())
	case status.Signaled():
		s.ended, s.status = true, killedBy(status.Signal(), status.CoreDump())
	}
	return s.ended
}

func (s *sysProcess) exitStatus(*Process) ExitStatus { return s.status }
func (s *sysProcess) wake()                          {}
func (s *sysProcess) release()                       {}

// sweep cannot tell a group's members here: it ends them at once. A group's number is not reused while it has members.
func (s *sysProcess) sweep(p *Process) { _ = syscall.Kill(-p.id.PID, syscall.SIGKILL) }

func (s *sysProcess) signal(p *Process, sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return fmt.Errorf("signal pid %d: %w", p.id.PID, ErrGone)
	}
	if err := syscall.Kill(-p.id.PID, sig); err != nil {
		return fmt.Errorf("send signal %d to process group %d: %w", int(sig), p.id.PID, err)
	}
	return nil
}

// closeInherited has nothing to ask here: Go's own descriptors are close-on-exec.
func closeInherited() {}

// alone has no meaning for children.
func (*sysProcess) alone() {}

func ignoredSignals(among []syscall.Signal) []syscall.Signal {
	var ignored []syscall.Signal
	for _, sig := range among {
		if signal.Ignored(sig) {
			ignored = append(ignored, sig)
		}
	}
	return ignored
}
