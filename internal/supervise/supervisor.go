package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// SupervisorOptions describe one managed service.
type SupervisorOptions struct {
	Name string // for the log
	// Command is asked before each start, so that a changed environment takes effect. Its OnLine gets the output.
	Command func(ctx context.Context) (Command, error)
	Backoff Backoff
	Stop    StopTimeouts // zero: INT 30 s, TERM 30 s, KILL 5 s, as JupyterHub's
	Logger  *slog.Logger // nil: no log
	// OnExit is told about each end that nobody asked for, and how long until the restart. May be nil.
	OnExit func(status ExitStatus, tail []string, restartIn time.Duration)
}

// ServiceStatus is what a Supervisor knows about its service.
type ServiceStatus struct {
	Running  bool
	PID      int       // 0 when not running
	LastPID  int       // of the current or last run, 0 before the first
	Since    time.Time // start of the current run; zero when not running
	Restarts int       // restarts after the first start, asked for or not
	LastExit *ExitStatus
	LastErr  error    // why the last restart failed, nil when it worked
	LogTail  []string // of the current or last run
}

// ErrSupervised is returned by Start when the service is started already.
var ErrSupervised = errors.New("service is started already")

// Supervisor keeps one managed service running. Its methods may be called concurrently.
type Supervisor struct {
	opts SupervisorOptions

	turn   chan struct{} // holds one token: Start, Stop and Restart take turns
	mu     sync.Mutex
	status ServiceStatus
	proc   *Process
	cancel context.CancelFunc // nil when stopped
	ended  chan struct{}      // closed when the loop has ended
}

// NewSupervisor returns a supervisor of a service that is not started yet.
func NewSupervisor(opts SupervisorOptions) *Supervisor {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Stop == (StopTimeouts{}) {
		opts.Stop = StopTimeouts{Interrupt: 30 * time.Second, Term: 30 * time.Second, Kill: 5 * time.Second}
	}
	return &Supervisor{opts: opts, turn: make(chan struct{}, 1)}
}

func (s *Supervisor) take(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("control service %s: %w", s.opts.Name, context.Cause(ctx))
	}
}

// Start starts the service and keeps it running until Stop. When the first start fails, its error is returned and
// nothing is kept. The service does not end with ctx.
func (s *Supervisor) Start(ctx context.Context) error {
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.start(ctx)
}

func (s *Supervisor) start(ctx context.Context) error {
	s.mu.Lock()
	started := s.cancel != nil
	s.mu.Unlock()
	if started {
		return fmt.Errorf("start service %s: %w", s.opts.Name, ErrSupervised)
	}
	proc, err := s.launch(ctx)
	if err != nil {
		return err
	}
	loop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	s.mu.Lock()
	s.cancel, s.ended = cancel, ended
	s.mu.Unlock()
	go func() {
		defer close(ended)
		s.keep(loop, proc)
	}()
	return nil
}

// launch starts one run and records it.
func (s *Supervisor) launch(ctx context.Context) (*Process, error) {
	cmd, err := s.opts.Command(ctx)
	if err != nil {
		return nil, fmt.Errorf("start service %s: %w", s.opts.Name, err)
	}
	proc, err := Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start service %s: %w", s.opts.Name, err)
	}
	s.mu.Lock()
	s.proc = proc
	s.status.Running, s.status.PID, s.status.Since, s.status.LastErr = true, proc.Identity().PID, time.Now(), nil
	s.status.LastPID = s.status.PID
	s.mu.Unlock()
	s.opts.Logger.InfoContext(ctx, "service started", "service", s.opts.Name, "pid", proc.Identity().PID)
	return proc, nil
}

// keep owns the runs: it waits for each to end and starts the next one, until ctx ends.
func (s *Supervisor) keep(ctx context.Context, proc *Process) {
	backoff := s.opts.Backoff
	for {
		began := time.Now()
		if proc != nil {
			select {
			case <-proc.Done():
			case <-ctx.Done():
				return // Stop ends the process itself
			}
			s.recordEnd(proc)
		}
		wait := backoff.Next(time.Since(began))
		if proc != nil {
			s.tellExit(ctx, proc, wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		proc = s.relaunch(ctx)
	}
}

// relaunch returns nil when the start failed, which counts as a run of no length.
func (s *Supervisor) relaunch(ctx context.Context) *Process {
	proc, err := s.launch(ctx)
	s.mu.Lock()
	s.status.Restarts++
	s.status.LastErr = err
	s.mu.Unlock()
	if err != nil {
		s.opts.Logger.ErrorContext(ctx, "service restart failed", "service", s.opts.Name, "err", err)
	}
	return proc
}

func (s *Supervisor) recordEnd(proc *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Running, s.status.PID, s.status.Since = false, 0, time.Time{}
	s.status.LastExit = proc.Poll()
}

func (s *Supervisor) tellExit(ctx context.Context, proc *Process, wait time.Duration) {
	status := ExitStatus{}
	if exit := proc.Poll(); exit != nil {
		status = *exit
	}
	s.opts.Logger.WarnContext(ctx, "service ended, restarting it", "service", s.opts.Name, "exit", status.String(), "wait", wait)
	if s.opts.OnExit != nil {
		s.opts.OnExit(status, proc.Tail(), wait)
	}
}

// Stop ends the service with INT, TERM and KILL and restarts it no more. Stopping what does not run is no error. When
// ctx ends first, its error is returned, nothing is restarted, and Stop may be called again.
func (s *Supervisor) Stop(ctx context.Context) error {
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.stop(ctx)
}

func (s *Supervisor) stop(ctx context.Context) error {
	s.mu.Lock()
	cancel, ended := s.cancel, s.ended
	s.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	<-ended // a start in flight is done in milliseconds, and only now is proc the last one
	s.mu.Lock()
	proc := s.proc
	s.mu.Unlock()
	if err := proc.Stop(ctx, s.opts.Stop); err != nil {
		return fmt.Errorf("stop service %s: %w", s.opts.Name, err)
	}
	s.recordEnd(proc)
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	return nil
}

// Restart stops the service and starts it at once. It also starts a service that waits for its next restart.
func (s *Supervisor) Restart(ctx context.Context) error {
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.stop(ctx); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.status.Restarts++
	s.mu.Unlock()
	return nil
}

// Status returns a snapshot.
func (s *Supervisor) Status() ServiceStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	if s.proc != nil {
		status.LogTail = s.proc.Tail()
	}
	return status
}
