package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// subject is a hub to be measured.
type subject struct {
	name    string
	command []string
	json    bool // needs no Python to read its configuration
	spawns  int  // servers started at once
}

// startWithin is how long a hub may take to its first answer.
const startWithin = 5 * time.Minute

// running is a hub process with its own process group.
type running struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
	dir   string
	addr  string // of the public port
	begin time.Time
	took  time.Duration // from start to the first answer
}

// errEnded is wrapped when a hub ends instead of answering.
var errEnded = errors.New("the hub ended at its start")

// start starts a hub in a fresh directory, with a copy of the database when one is given, and waits for its first answer through the
// public port. It tries again with other ports when the hub ends at once: somebody may have taken one of them.
func (s subject) start(dir, database, peer string, asJSON bool) (r *running, err error) {
	for range 3 {
		if r, err = s.startOnce(dir, database, peer, asJSON); !errors.Is(err, errEnded) {
			return r, err
		}
		fmt.Fprintf(os.Stderr, "bench: %s: once more, with other ports: %v\n", s.name, err)
	}
	return nil, err
}

func (s subject) startOnce(dir, database, peer string, asJSON bool) (*running, error) {
	if err := prepare(dir, database); err != nil {
		return nil, err
	}
	free, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	file, err := writeConfig(dir, configuration(ports{free[0], free[1], free[2]}, dir, peer), asJSON)
	if err != nil {
		return nil, err
	}
	r := &running{cmd: exec.Command(s.command[0], append(s.command[1:len(s.command):len(s.command)], "-f", file)...), dir: dir,
		addr: fmt.Sprintf("127.0.0.1:%d", free[0]), ended: make(chan struct{})}
	r.cmd.Dir, r.cmd.Stderr = dir, os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.begin = time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		if err := r.cmd.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: the hub ended:", err)
		}
		close(r.ended)
	}()
	if err := r.await(); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

// await waits for the first answer.
func (r *running) await() error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	for time.Since(r.begin) < startWithin {
		answer, err := client.Get("http://" + r.addr + "/hub/api/")
		at := time.Since(r.begin)
		if err == nil {
			_ = answer.Body.Close()
		}
		select {
		case <-r.ended: // whoever answered, it was not this hub
			return errEnded
		case <-time.After(time.Millisecond):
		}
		if err == nil && answer.StatusCode == http.StatusOK {
			r.took = at
			return nil
		}
	}
	return fmt.Errorf("no answer within %s", startWithin)
}

// prepare makes an empty directory with a copy of the database in it.
func prepare(dir, database string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if database == "" {
		return nil
	}
	text, err := os.ReadFile(database)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bench.sqlite"), text, 0o600)
}

// freePorts finds ports that nobody listens on, below those that the system gives to connections: with thousands of connections around,
// one of them would soon have a port that a hub wants to listen on.
func freePorts(n int) ([]int, error) {
	var out []int
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		if out = append(out, port); len(out) == n {
			return out, nil
		}
	}
	return nil, errors.New("no free ports")
}

func (r *running) stop() {
	below := r.pids()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
	}
	for _, pid := range below { // what is left: a proxy, which has a session of its own, when its hub was too slow to stop it
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-r.ended
}

// pids are the processes of the hub: itself, its proxy, its Python. Call it before servers are started.
func (r *running) pids() []int { return family(r.cmd.Process.Pid) }

// errOdd is wrapped by errors about answers that are not as expected.
var errOdd = errors.New("unexpected answer")
