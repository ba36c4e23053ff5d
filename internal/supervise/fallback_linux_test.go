package supervise

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// These tests are inside the package, because a kernel without pidfds, or without group signals through them, cannot be
// had otherwise.

func oldKernel(t *testing.T, script string, pidfd bool) *Process {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	proc, err := os.StartProcess("/bin/sh", []string{"sh", "-c", script},
		&os.ProcAttr{Files: []*os.File{null, null, null}, Env: []string{"PATH=" + os.Getenv("PATH")}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		t.Fatal(err)
	}
	id, sys := adoptChild(proc, "")
	sys.groupFD = false
	if !pidfd && sys.pidfd != nil {
		_ = sys.pidfd.Close()
		sys.pidfd = nil
	}
	p := newProcess(id, true, 300*time.Millisecond)
	p.sys = sys
	go p.watch()
	t.Cleanup(func() { _ = p.Stop(context.Background(), StopTimeouts{}) })
	return p
}

func TestOldKernels(t *testing.T) {
	for name, pidfd := range map[string]bool{"no pidfd": false, "no group signals": true} {
		t.Run(name, func(t *testing.T) {
			t.Run("stop ends the group", func(t *testing.T) {
				p := oldKernel(t, "sleep 300 & sleep 300 & wait", pidfd)
				if err := p.Stop(context.Background(), StopTimeouts{Term: 10 * time.Second}); err != nil {
					t.Fatal(err)
				}
				if groupMembers(p.id.PID) {
					t.Error("the group has living members")
				}
				if exit := p.Poll(); exit == nil || exit.Signal != syscall.SIGTERM {
					t.Errorf("exit %+v", exit)
				}
			})
			t.Run("the leader leaves a stubborn child", func(t *testing.T) {
				p := oldKernel(t, `sh -c 'trap "" TERM; while :; do sleep 0.01; done' & sleep 0.1; exit 5`, pidfd)
				<-p.Done()
				if groupMembers(p.id.PID) {
					t.Error("the group has living members")
				}
				if exit := p.Poll(); exit == nil || exit.Code != 5 {
					t.Errorf("exit %+v", exit)
				}
				if err := syscall.Kill(p.id.PID, 0); !errors.Is(err, syscall.ESRCH) {
					t.Errorf("the leader was not reaped: %v", err)
				}
			})
			t.Run("close and adopt", func(t *testing.T) {
				p := oldKernel(t, "exec sleep 300", pidfd)
				// A shell that gets INT while it starts may forget it; wait until it has become the other program.
				for comm := ""; comm != "sleep\n"; time.Sleep(time.Millisecond) {
					data, err := os.ReadFile("/proc/" + strconv.Itoa(p.id.PID) + "/comm")
					if err != nil {
						t.Fatal(err)
					}
					comm = string(data)
				}
				p.Close()
				sys := openSys(p.id.PID)
				sys.groupFD = false
				if !pidfd {
					sys.release()
					sys.pidfd = nil
				}
				again := newProcess(p.id, false, 0)
				again.sys = sys
				go again.watch()
				if again.Poll() != nil {
					t.Error("does not run")
				}
				if err := again.Stop(context.Background(), StopTimeouts{Interrupt: 10 * time.Second}); err != nil {
					t.Fatal(err)
				}
				if _, err := Identify(p.id.PID); !errors.Is(err, ErrGone) {
					t.Errorf("after stop: %v", err)
				}
			})
			t.Run("a reused pid is not signalled", func(t *testing.T) {
				innocent := oldKernel(t, "sleep 300", pidfd)
				wrong := innocent.id
				wrong.StartTime--
				stale := newProcess(wrong, false, 0)
				stale.sys = &sysProcess{group: true, reaped: true}
				if err := stale.sys.signal(stale, syscall.SIGKILL); !errors.Is(err, ErrGone) {
					t.Errorf("signal: %v, want ErrGone", err)
				}
				if innocent.Poll() != nil {
					t.Error("the innocent process ended")
				}
			})
		})
	}
}

// TestSomebodyElseReapsTheChild: a process which somebody else reaped has ended, too.
func TestSomebodyElseReapsTheChild(t *testing.T) {
	p := oldKernel(t, "exit 0", true)
	_, _ = syscall.Wait4(p.id.PID, nil, 0, nil) // may win or lose against the watcher
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the end was not noticed")
	}
}

func TestParseStat(t *testing.T) {
	stat, err := parseStat([]byte("42 (a) b (c)) Z 1 40 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2\n"))
	want := procStat{state: 'Z', group: 40, leader: 41, start: 98765}
	if err != nil || stat != want || !stat.dead() {
		t.Errorf("parseStat = %+v, %v; want %+v", stat, err, want)
	}
	for _, bad := range []string{"", "42", "42 (x) S", "42 (x) S 1 a 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1"} {
		if stat, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) = %+v", bad, stat)
		}
	}
}

func TestParseEnviron(t *testing.T) {
	env := parseEnviron("A=1\x00B=x=y\x00A=2\x00novalue\x00=bad\x00E=\x00")
	want := Environ{"A": "1", "B": "x=y", "E": ""}
	if len(env) != len(want) || env["A"] != "1" || env["B"] != "x=y" {
		t.Errorf("parseEnviron = %v, want %v", env, want)
	}
}

func TestNameServiceAccounts(t *testing.T) {
	for _, tool := range []string{"/usr/bin/getent", "/usr/bin/id"} {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	acc, err := lookupNameService(context.Background(), "root")
	if err != nil || acc.UID != 0 || acc.Home == "" || len(acc.Groups) == 0 {
		t.Errorf("root is %+v, %v", acc, err)
	}
	for _, name := range []string{"0", "no-such-user-here"} { // getent takes "0" for the user id
		if acc, err := lookupNameService(context.Background(), name); !errors.Is(err, ErrNoAccount) {
			t.Errorf("%q is %+v, %v; want ErrNoAccount", name, acc, err)
		}
	}
}
