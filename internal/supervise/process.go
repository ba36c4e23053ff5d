package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// Process is a running or ended process: a child, or an adopted one. Its methods may be called concurrently. It must be
// given up with Stop, Close, or by waiting for Done.
type Process struct {
	id     Identity
	child  bool
	grace  time.Duration
	sys    *sysProcess
	tail   tail
	output outputReader // nil for none

	closing   chan struct{}
	closeOnce sync.Once
	exited    chan struct{} // closed when status is set
	done      chan struct{} // closed when the watcher has ended
	status    ExitStatus
}

func newProcess(id Identity, child bool, grace time.Duration) *Process {
	if grace <= 0 {
		grace = 2 * time.Second
	}
	return &Process{
		id: id, child: child, grace: grace,
		closing: make(chan struct{}), exited: make(chan struct{}), done: make(chan struct{}),
	}
}

// Identity returns what Adopt needs after a hub restart.
func (p *Process) Identity() Identity { return p.id }

// Exited is closed when the first process of the group has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Done is closed when the rest of the group has ended too and all output was read, or after Close.
func (p *Process) Done() <-chan struct{} { return p.done }

// Poll returns nil while the process runs.
func (p *Process) Poll() *ExitStatus {
	select {
	case <-p.exited:
		status := p.status
		return &status
	default:
		return nil
	}
}

// Tail returns the last lines of output, at most 40. All of them are there once Done is closed.
func (p *Process) Tail() []string { return p.tail.snapshot() }

// Close gives up watching and leaves the process running; for a hub that ends without stopping its servers. Nothing
// reads a pipe any more then, while a log file goes on growing.
func (p *Process) Close() {
	p.closeOnce.Do(func() {
		close(p.closing)
		p.sys.wake()
	})
	<-p.done
}

// watch owns everything below p until the process ends or Close is called.
func (p *Process) watch() {
	defer close(p.done)
	defer p.sys.release()
	ended := p.sys.waitExit(p)
	if ended {
		p.status = p.sys.exitStatus(p)
		close(p.exited)
		p.sys.sweep(p)
	}
	if p.output != nil {
		p.output.close()
	}
}

// StopTimeouts are the waiting times after each signal. Zero skips the signal, except for KILL, where it is 5 s.
type StopTimeouts struct {
	Interrupt, Term, Kill time.Duration
}

// ErrStillRunning is returned, wrapped, by Stop when a process survives KILL (it hangs in the kernel).
var ErrStillRunning = errors.New("process did not end")

// Stop sends INT, TERM and KILL to the process' group, each after the waiting time of the one before, and returns when
// the group is gone. Stopping what has ended is no error; it also works after Close. When ctx ends first, its error is
// returned.
func (p *Process) Stop(ctx context.Context, timeouts StopTimeouts) error {
	if timeouts.Kill <= 0 {
		timeouts.Kill = 5 * time.Second
	}
	if p.given() {
		return p.stopUnwatched(ctx, timeouts)
	}
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{syscall.SIGINT, timeouts.Interrupt}, {syscall.SIGTERM, timeouts.Term}, {syscall.SIGKILL, timeouts.Kill}} {
		if step.wait <= 0 {
			continue
		}
		gone, err := p.stopStep(ctx, step.sig, step.wait)
		if gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("stop pid %d: %w %s after signal 9", p.id.PID, ErrStillRunning, timeouts.Kill)
}

// given says whether Close gave the process up while it ran.
func (p *Process) given() bool {
	select {
	case <-p.done:
		return p.Poll() == nil
	default:
		return false
	}
}

// stopUnwatched takes the process over again, if it is still the same.
func (p *Process) stopUnwatched(ctx context.Context, timeouts StopTimeouts) error {
	again, err := Adopt(p.id, AdoptOptions{GroupGrace: p.grace})
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop pid %d: %w", p.id.PID, err)
	}
	defer again.Close()
	return again.Stop(ctx, timeouts)
}

func (p *Process) stopStep(ctx context.Context, sig syscall.Signal, wait time.Duration) (gone bool, err error) {
	if err := p.Signal(sig); err != nil && !errors.Is(err, ErrGone) {
		return false, fmt.Errorf("stop pid %d: %w", p.id.PID, err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-p.done:
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, fmt.Errorf("stop pid %d: %w", p.id.PID, context.Cause(ctx))
	}
	// The first process ended; its watcher ends the rest in bounded time.
	select {
	case <-p.done:
		if p.Poll() == nil {
			return false, fmt.Errorf("stop pid %d: it is not watched any more", p.id.PID)
		}
		return true, nil
	case <-ctx.Done():
		return false, fmt.Errorf("stop pid %d: %w", p.id.PID, context.Cause(ctx))
	}
}

// Signal sends a signal to the whole group. It returns ErrGone when the process has ended.
func (p *Process) Signal(sig syscall.Signal) error {
	if p.Poll() != nil {
		return fmt.Errorf("signal pid %d: %w", p.id.PID, ErrGone)
	}
	return p.sys.signal(p, sig)
}
