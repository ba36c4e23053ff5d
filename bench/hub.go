package main

import (
	"errors"
	"fmt"
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
	dir   string
	addr  string // of the public port
	begin time.Time
	took  time.Duration // from start to the first answer
}

// start starts a hub in a fresh directory, with a copy of the database when one is given, and waits for its first answer through the
// public port.
func (s subject) start(dir, database, peer string, asJSON bool) (*running, error) {
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
	r := &running{cmd: exec.Command(s.command[0], append(s.command[1:len(s.command):len(s.command)], "-f", file)...), dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", free[0])}
	r.cmd.Dir, r.cmd.Stderr = dir, os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.begin = time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	for time.Since(r.begin) < startWithin {
		answer, err := client.Get("http://" + r.addr + "/hub/api/")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				r.took = time.Since(r.begin)
				return r, nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	r.stop()
	return nil, fmt.Errorf("no answer within %s", startWithin)
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

func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}

func (r *running) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = r.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // what is left of the group: a proxy whose hub was too slow
	<-done
}

// pids are the processes of the hub: itself, its proxy, its Python. Call it before servers are started.
func (r *running) pids() []int { return family(r.cmd.Process.Pid) }

// errOdd is wrapped by errors about answers that are not as expected.
var errOdd = errors.New("unexpected answer")
