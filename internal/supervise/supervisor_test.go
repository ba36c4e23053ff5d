//go:build unix

package supervise_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/internal/supervise"
)

func TestBackoff(t *testing.T) {
	s := time.Second
	var b supervise.Backoff
	var got []time.Duration
	for _, ran := range []time.Duration{0, 0, s, 59 * s, 0, 0, 0, 0, 60 * s, 0} {
		got = append(got, b.Next(ran))
	}
	want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, s, 2 * s}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func supervisor(t *testing.T, opts supervise.SupervisorOptions, script string) *supervise.Supervisor {
	t.Helper()
	if opts.Command == nil {
		opts.Command = func(context.Context) (supervise.Command, error) {
			return supervise.Command{
				Argv: []string{"sh", "-c", script}, Env: map[string]string{"PATH": os.Getenv("PATH")}, GroupGrace: 100 * time.Millisecond,
			}, nil
		}
	}
	opts.Name = "svc"
	if opts.Backoff == (supervise.Backoff{}) {
		opts.Backoff = supervise.Backoff{Min: 5 * time.Millisecond, Max: 20 * time.Millisecond}
	}
	opts.Stop = supervise.StopTimeouts{Interrupt: 200 * time.Millisecond, Term: 5 * time.Second}
	s := supervise.NewSupervisor(opts)
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSupervisorRestartsWhatEnds(t *testing.T) {
	var exits atomic.Int64
	s := supervisor(t, supervise.SupervisorOptions{OnExit: func(status supervise.ExitStatus, tail []string, wait time.Duration) {
		if status.Code != 3 || len(tail) != 1 || tail[0] != "up" || wait <= 0 {
			t.Errorf("OnExit(%v, %q, %v)", status, tail, wait)
		}
		exits.Add(1)
	}}, "echo up; exit 3")
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); !errors.Is(err, supervise.ErrSupervised) {
		t.Errorf("second start: %v", err)
	}
	eventually(t, "three restarts", func() bool { return s.Status().Restarts >= 3 && exits.Load() >= 3 })
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	stopped := s.Status()
	if stopped.Running || stopped.PID != 0 || stopped.LastExit == nil || !stopped.LastExit.Known {
		t.Errorf("status after stop: %+v", stopped)
	}
	if again := s.Status(); again.Restarts != stopped.Restarts {
		t.Error("restarted after stop")
	}
}

func TestSupervisorStopsAndRestartsOnRequest(t *testing.T) {
	s := supervisor(t, supervise.SupervisorOptions{}, `trap "" INT; echo "$$"; while :; do sleep 0.01; done`)
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel() // a request's context: the service goes on
	eventually(t, "output", func() bool { return len(s.Status().LogTail) == 1 })
	first := s.Status()
	if !first.Running || first.LogTail[0] != strconv.Itoa(first.PID) || first.Since.IsZero() {
		t.Errorf("status %+v", first)
	}
	if err := s.Restart(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := s.Status()
	if !second.Running || second.PID == first.PID || second.Restarts != 1 || running(first.PID) {
		t.Errorf("status after restart %+v", second)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if running(second.PID) {
		t.Error("runs after stop")
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Errorf("start after stop: %v", err)
	}
}

func TestSupervisorStopDoesNotWaitForTheBackoff(t *testing.T) {
	ended := make(chan struct{})
	s := supervisor(t, supervise.SupervisorOptions{
		Backoff: supervise.Backoff{Min: time.Hour, Max: time.Hour},
		OnExit:  func(supervise.ExitStatus, []string, time.Duration) { close(ended) },
	}, "exit 0")
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-ended
	if status := s.Status(); status.Running || status.PID != 0 || status.LastPID == 0 {
		t.Errorf("status while waiting: %+v", status)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestSupervisorFirstStartMustWork(t *testing.T) {
	s := supervisor(t, supervise.SupervisorOptions{Command: func(context.Context) (supervise.Command, error) {
		return supervise.Command{Argv: []string{"no-such-service"}}, nil
	}}, "")
	err := s.Start(context.Background())
	var start *supervise.StartError
	if !errors.As(err, &start) || start.Kind != supervise.StartNotFound || !strings.Contains(err.Error(), "svc") {
		t.Errorf("start: %v, want not found and the service's name", err)
	}
	if status := s.Status(); status.Running {
		t.Errorf("status %+v", status)
	}
}

func TestSupervisorGoesOnWhenARestartFails(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "broken")
	s := supervisor(t, supervise.SupervisorOptions{Command: func(context.Context) (supervise.Command, error) {
		if _, err := os.Stat(flag); err == nil {
			return supervise.Command{}, errors.New("no such user")
		}
		return supervise.Command{Argv: []string{"/bin/sleep", "300"}}, nil
	}}, "")
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(s.Status().PID, syscall.SIGKILL)
	eventually(t, "failed restarts", func() bool { return s.Status().LastErr != nil && s.Status().Restarts > 1 })
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	eventually(t, "running again", func() bool { return s.Status().Running && s.Status().LastErr == nil })
}
