//go:build unix

package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/supervise"
)

func TestExitStatus(t *testing.T) {
	for script, want := range map[string]string{
		"exit 0":      "exit code 0",
		"exit 3":      "exit code 3",
		"exit 255":    "exit code 255",
		"kill -9 $$":  "killed by signal 9 (killed)",
		"kill -15 $$": "killed by signal 15 (terminated)",
	} {
		p := shell(t, script)
		if got := waitDone(t, p).String(); got != want {
			t.Errorf("%q: %q, want %q", script, got, want)
		}
	}
	if got := (supervise.ExitStatus{}).String(); got != "" {
		t.Errorf("unknown status is %q", got)
	}
	if exit := waitDone(t, shell(t, "kill -9 $$")); exit.Code != 137 || exit.Signal != syscall.SIGKILL || !exit.Known {
		t.Errorf("killed: %+v", exit)
	}
}

func TestStopEscalates(t *testing.T) {
	short := supervise.StopTimeouts{Interrupt: 150 * time.Millisecond, Term: 150 * time.Millisecond, Kill: 5 * time.Second}
	patient := supervise.StopTimeouts{Interrupt: 20 * time.Second, Term: time.Second}
	for name, c := range map[string]struct {
		script string
		want   string
		limits supervise.StopTimeouts
	}{
		"INT is enough": {`trap "exit 7" INT; echo ready; while :; do sleep 0.01; done`, "exit code 7", patient},
		"ignores INT":   {`trap "" INT; trap "exit 8" TERM; echo ready; while :; do sleep 0.01; done`, "exit code 8", supervise.StopTimeouts{Interrupt: 100 * time.Millisecond, Term: 20 * time.Second}},
		"ignores both":  {`trap "" INT TERM; echo ready; while :; do sleep 0.01; done`, "killed by signal 9 (killed)", short},
		"frozen":        {`echo ready; kill -STOP $$`, "killed by signal 9 (killed)", short},
	} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, c.script)
			eventually(t, "ready", func() bool { return len(p.Tail()) == 1 })
			if err := p.Stop(context.Background(), c.limits); err != nil {
				t.Fatal(err)
			}
			got := waitDone(t, p).String()
			if name == "frozen" && strings.HasPrefix(got, "killed by signal") {
				return // the pending INT may come first
			}
			if got != c.want {
				t.Errorf("ended by %q, want %q", got, c.want)
			}
			if err := p.Stop(context.Background(), short); err != nil {
				t.Errorf("second stop: %v", err)
			}
			if err := p.Signal(syscall.SIGTERM); !errors.Is(err, supervise.ErrGone) {
				t.Errorf("signal after the end: %v, want ErrGone", err)
			}
		})
	}
}

func pidFrom(t *testing.T, p *supervise.Process) int {
	t.Helper()
	eventually(t, "a line with a pid", func() bool { return len(p.Tail()) > 0 })
	pid, err := strconv.Atoi(p.Tail()[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestStopReachesStubbornGrandchildren(t *testing.T) {
	p := shell(t, `(trap "" INT TERM; while :; do sleep 0.01; done) & echo $!; trap "exit 0" INT; wait`)
	grandchild := pidFrom(t, p)
	if !running(grandchild) {
		t.Fatal("grandchild does not run")
	}
	if err := p.Stop(context.Background(), supervise.StopTimeouts{Interrupt: 5 * time.Second, Term: time.Second}); err != nil {
		t.Fatal(err)
	}
	if running(grandchild) {
		t.Error("grandchild survived the stop of its group")
	}
}

func TestWhatTheLeaderLeavesBehindIsEnded(t *testing.T) {
	p := shell(t, `sleep 300 & echo $!; exit 4`)
	grandchild := pidFrom(t, p)
	if exit := waitDone(t, p); exit.Code != 4 {
		t.Errorf("ended with %v", exit)
	}
	if running(grandchild) {
		t.Error("what the leader left in its group still runs")
	}
	if syscall.Kill(p.Identity().PID, 0) == nil {
		t.Error("the leader was not reaped")
	}
}

func TestADaemonThatKeepsThePipeDoesNotHoldUpTheEnd(t *testing.T) {
	told := fifo(t) // the leader does not end before the daemon has left its group
	p := shell(t, `setsid sh -c 'echo $$; echo >`+told+`; exec sleep 300' & read x <`+told+`; exit 0`)
	daemon := pidFrom(t, p)
	waitDone(t, p) // which is far less patient than the daemon sleeps
	if !running(daemon) {
		t.Error("a process that left the group was ended")
	}
	_ = syscall.Kill(daemon, syscall.SIGKILL)
}

func TestStopEndsWithItsContext(t *testing.T) {
	p := shell(t, `trap "" INT TERM; echo ready; while :; do sleep 0.01; done`)
	eventually(t, "ready", func() bool { return len(p.Tail()) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := p.Stop(ctx, supervise.StopTimeouts{Interrupt: time.Minute})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v, want the context's error", err)
	}
	if p.Poll() != nil {
		t.Error("ended without being killed")
	}
}

func TestManyAtOnceLeaveNothing(t *testing.T) {
	before := openFiles(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			p, err := supervise.Start(supervise.Command{
				Argv: []string{"/bin/sh", "-c", "sleep 300"}, Env: map[string]string{"I": strconv.Itoa(i)},
				LogPath: filepath.Join(t.TempDir(), fmt.Sprint(i)),
			})
			if err != nil {
				t.Error(err)
				return
			}
			if err := p.Stop(context.Background(), supervise.StopTimeouts{Term: 10 * time.Second}); err != nil {
				t.Error(err)
			}
			if syscall.Kill(p.Identity().PID, 0) == nil {
				t.Errorf("pid %d is a zombie", p.Identity().PID)
			}
		})
	}
	all.Wait()
	if after := openFiles(t); after > before+5 {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	return len(entries)
}
