//go:build unix

package supervise_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/supervise"
)

var quickStop = supervise.StopTimeouts{Interrupt: 5 * time.Second, Term: 5 * time.Second}

// TestServersOutliveTheHub kills a hub with SIGKILL: its server neither ends nor blocks when it writes, and the next hub
// takes it over.
func TestServersOutliveTheHub(t *testing.T) {
	log := filepath.Join(t.TempDir(), "server.log")
	argv := self(t, "hub", log, "hub-"+t.Name())
	hub := exec.Command(argv[0], argv[1:]...)
	out, err := hub.StdoutPipe()
	if err == nil {
		err = hub.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var id supervise.Identity
	if err := json.Unmarshal(line, &id); err != nil {
		t.Fatal(err)
	}
	if err := hub.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = hub.Wait()

	size := func() int64 {
		info, err := os.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	orphaned := size()
	eventually(t, "the server writes on without a hub", func() bool { return size() > orphaned })

	var lines = make(chan string, 1000)
	p, err := supervise.Adopt(id, supervise.AdoptOptions{LogPath: log, OnLine: func(line string) {
		select {
		case lines <- line:
		default:
		}
	}})
	if err != nil {
		t.Fatalf("adopt %+v: %v", id, err)
	}
	if tail := p.Tail(); len(tail) == 0 || tail[0] != "line 1" {
		t.Errorf("tail after adoption: %q, want what was written before", tail)
	}
	eventually(t, "a new line", func() bool { return len(lines) > 0 })
	if line := <-lines; line == "line 1" {
		t.Error("old lines were told again")
	}
	if p.Poll() != nil {
		t.Error("adopted server does not run")
	}
	if p.Identity() != id {
		t.Errorf("identity changed to %+v", p.Identity())
	}
	if err := p.Stop(context.Background(), quickStop); err != nil {
		t.Fatal(err)
	}
	if exit := p.Poll(); exit == nil || exit.Known {
		t.Errorf("exit of an adopted process is %+v, want ended and not known", exit)
	}
	if running(id.PID) {
		t.Error("the server still runs")
	}
}

func TestCloseLeavesItRunningForTheNextHub(t *testing.T) {
	p := start(t, supervise.Command{
		Argv: []string{"sh", "-c", `sleep 300 & echo $!; wait`}, Env: map[string]string{"PATH": os.Getenv("PATH"), supervise.EnvMarker: "abc"},
		LogPath: filepath.Join(t.TempDir(), "log"),
	})
	grandchild := pidFrom(t, p)
	p.Close()
	p.Close()
	id := p.Identity()
	if id.StartTime == 0 || id.BootID == "" || id.Marker != "abc" {
		t.Fatalf("identity %+v is not complete", id)
	}
	again, err := supervise.Adopt(id, supervise.AdoptOptions{LogPath: "/no/such/log"})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Stop(context.Background(), quickStop); err != nil {
		t.Fatal(err)
	}
	if running(id.PID) || running(grandchild) {
		t.Error("the group survived the stop of its adopted leader")
	}
	if _, err := supervise.Adopt(id, supervise.AdoptOptions{}); !errors.Is(err, supervise.ErrGone) {
		t.Errorf("adopt after the end: %v, want ErrGone", err)
	}
	if err := p.Stop(context.Background(), quickStop); err != nil {
		t.Errorf("stop of a closed process which has ended: %v", err)
	}
}

func TestStopWorksAfterClose(t *testing.T) {
	p := start(t, supervise.Command{Argv: []string{"sleep", "300"}})
	p.Close()
	if err := p.Stop(context.Background(), quickStop); err != nil {
		t.Fatal(err)
	}
	if running(p.Identity().PID) {
		t.Error("it still runs")
	}
}

func TestAdoptedProcessEndsByItself(t *testing.T) {
	p := shell(t, "read x < "+fifo(t)+"; exit 0")
	p.Close()
	again, err := supervise.Adopt(p.Identity(), supervise.AdoptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(p.Identity().PID, syscall.SIGKILL)
	<-again.Exited()
	waitDone(t, again)
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStrangersAreNotAdopted(t *testing.T) {
	p := start(t, supervise.Command{Argv: []string{"/bin/sleep", "300"}, Env: map[string]string{supervise.EnvMarker: "mine"}})
	id := p.Identity()
	change := func(f func(*supervise.Identity)) supervise.Identity {
		other := id
		f(&other)
		return other
	}
	for name, other := range map[string]supervise.Identity{
		"pid reused":          change(func(id *supervise.Identity) { id.StartTime-- }),
		"machine restarted":   change(func(id *supervise.Identity) { id.BootID = "another" }),
		"another server":      change(func(id *supervise.Identity) { id.Marker = "other" }),
		"start not recorded":  change(func(id *supervise.Identity) { id.StartTime = 0 }),
		"boot not recorded":   change(func(id *supervise.Identity) { id.BootID = "" }),
		"pid of another":      change(func(id *supervise.Identity) { id.PID = os.Getpid() }),
		"no such pid":         change(func(id *supervise.Identity) { id.PID = 1 << 29 }),
		"pid 0 is our group":  change(func(id *supervise.Identity) { id.PID = 0 }),
		"pid -1 is everybody": change(func(id *supervise.Identity) { id.PID = -1 }),
	} {
		if got, err := supervise.Adopt(other, supervise.AdoptOptions{}); !errors.Is(err, supervise.ErrGone) {
			t.Errorf("%s: adopted %+v, %v", name, got, err)
		}
	}
	if p.Poll() != nil {
		t.Error("the innocent process ended")
	}
}

func TestMarkedProcessesAreFoundAndStopped(t *testing.T) {
	hub := "hub-" + t.Name()
	env := func(hub, marker string) map[string]string {
		return map[string]string{"PATH": os.Getenv("PATH"), supervise.EnvHubID: hub, supervise.EnvMarker: marker}
	}
	keep := start(t, supervise.Command{Argv: []string{"sleep", "300"}, Env: env(hub, "keep")})
	foreign := start(t, supervise.Command{Argv: []string{"sleep", "300"}, Env: env("other-hub", "x")})
	// An orphan with a kernel in a session of its own, both deaf to TERM.
	orphan := start(t, supervise.Command{
		Argv: []string{"sh", "-c", `trap "" TERM; setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 0.01; done' & while :; do sleep 0.01; done`},
		Env:  env(hub, "orphan"),
	})
	kernel := pidFrom(t, orphan)

	stopped, err := supervise.StopMarked(context.Background(), hub, 200*time.Millisecond, func(m supervise.Marked) bool { return m.Marker != "keep" })
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{}
	for _, m := range stopped {
		found[m.PID] = true
	}
	if !found[orphan.Identity().PID] || !found[kernel] || found[keep.Identity().PID] {
		t.Errorf("stopped %+v", stopped)
	}
	if running(kernel) || running(orphan.Identity().PID) {
		t.Error("orphans still run")
	}
	if keep.Poll() != nil || foreign.Poll() != nil {
		t.Error("a process that was not asked for was ended")
	}
	if _, err := supervise.FindMarked(context.Background(), ""); err == nil || !strings.Contains(err.Error(), "hub id is empty") {
		t.Errorf("empty hub id: %v", err)
	}
}
