//go:build unix

package supervise_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minihub/minihub/internal/supervise"
)

// The test binary is also the program that tests start: with the argument "helper" it is that, and no test runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "helper" {
		helper(os.Args[2:])
		syscall.Exit(0) // os.Exit of a race-enabled binary takes a second
	}
	// Adopted processes become nobody's zombies where pid 1 does not reap; that is not looked at here.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.loop"), goleak.IgnoreTopFunction("os/signal.signal_recv"))
}

// dump is what the helper tells about itself.
type dump struct {
	Env     []string
	FDs     []string
	Args    []string
	Dir     string
	Session int
	Group   int
	PID     int
	Status  string
}

func helper(args []string) {
	switch args[0] {
	case "dump":
		_ = json.NewEncoder(os.Stdout).Encode(describe())
	case "serve": // runs until a signal ends it
		fmt.Println("serving")
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		<-ctx.Done()
	case "become":
		own := &supervise.Account{Name: "own", UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
		p, err := supervise.Start(supervise.Command{Argv: []string{"/bin/true"}, Account: own})
		if err != nil {
			panic(err)
		}
		<-p.Done()
		fmt.Println("own user: ok")
		_, err = supervise.Start(supervise.Command{Argv: []string{"/bin/true"}, Account: &supervise.Account{Name: "other", UID: 12345, GID: 12345}})
		fmt.Printf("other user: %s: %v\n", kindOf(err), err)
	case "hub": // starts a server with a log file, says who it is, and waits to be killed
		p, err := supervise.Start(supervise.Command{
			Argv: []string{"sh", "-c", `i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.02; done`},
			Env:  map[string]string{"PATH": os.Getenv("PATH"), supervise.EnvMarker: "m1", supervise.EnvHubID: args[2]}, LogPath: args[1],
		})
		if err != nil {
			panic(err)
		}
		_ = json.NewEncoder(os.Stdout).Encode(p.Identity())
		select {}
	}
}

func kindOf(err error) supervise.StartKind {
	var failed *supervise.StartError
	if errors.As(err, &failed) {
		return failed.Kind
	}
	return "none"
}

func describe() dump {
	d := dump{Env: os.Environ(), Args: os.Args[1:], PID: os.Getpid()}
	d.Dir, _ = os.Getwd()
	d.Group = syscall.Getpgrp()
	sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	d.Session = int(sid)
	status, _ := os.ReadFile("/proc/self/status")
	d.Status = string(status)
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		// what the Go runtime opened itself is an anonymous inode, or gone by now
		if target, err := os.Readlink(link); err == nil && !strings.HasPrefix(target, "anon_inode:") &&
			!strings.HasPrefix(target, "/sys/fs/cgroup/") {
			d.FDs = append(d.FDs, filepath.Base(link)+" "+strings.TrimRight(target, "0123456789[]"))
		}
	}
	sort.Strings(d.Env)
	return d
}

// self is the command of a helper.
func self(t *testing.T, args ...string) []string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{path, "helper"}, args...)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func start(t *testing.T, cmd supervise.Command) *supervise.Process {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = map[string]string{"PATH": os.Getenv("PATH")}
	}
	p, err := supervise.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background(), supervise.StopTimeouts{}); err != nil && p.Poll() == nil {
			_ = syscall.Kill(-p.Identity().PID, syscall.SIGKILL)
		}
	})
	return p
}

func shell(t *testing.T, script string) *supervise.Process {
	t.Helper()
	return start(t, supervise.Command{Argv: []string{"sh", "-c", script}, GroupGrace: 300 * time.Millisecond})
}

func waitDone(t *testing.T, p *supervise.Process) supervise.ExitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(time.Minute):
		t.Fatalf("pid %d did not end", p.Identity().PID)
	}
	exit := p.Poll()
	if exit == nil {
		t.Fatal("done without an exit status")
	}
	return *exit
}

// running says whether a pid is alive, zombies excluded.
func running(pid int) bool {
	_, err := supervise.Identify(pid)
	return err == nil
}
