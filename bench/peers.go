package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peers are the processes around the hubs.
type peers struct {
	program string // bench/peer, built
	backend *peer
	bar     *peer
	nginx   *nginx // nil when not installed
}

// peer is a process of bench/peer that listens.
type peer struct {
	cmd  *exec.Cmd
	addr string
}

// startPeers builds bench/peer below dir, which must not be on a path that servers cannot read, and starts what both hubs need.
func startPeers(o options, dir string) (*peers, error) {
	p := &peers{program: filepath.Join(dir, "peer")}
	build := exec.Command("go", "build", "-o", p.program, "github.com/minihub/minihub/bench/peer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build bench/peer: %w: %s", err, text)
	}
	var err error
	if p.backend, err = p.start("backend"); err != nil {
		return p, err
	}
	if p.bar, err = p.start("bar"); err != nil {
		return p, err
	}
	p.nginx, err = startNginx(o.nginx, filepath.Join(dir, "nginx"), p.backend.addr)
	return p, err
}

func (p *peers) start(role string) (*peer, error) {
	cmd := exec.Command(p.program, role)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // its end ends the peer
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start peer %s: %w", role, err)
	}
	return &peer{cmd: cmd, addr: strings.TrimSpace(line)}, nil
}

func (p *peers) stop() {
	for _, one := range []*peer{p.backend, p.bar} {
		if one != nil {
			_ = one.cmd.Process.Kill()
			_ = one.cmd.Wait()
		}
	}
	if p.nginx != nil {
		p.nginx.stop()
	}
}

// within polls a condition.
func within(d time.Duration, what string, ok func() (bool, error)) error {
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		done, err := ok()
		if done || err != nil {
			return err
		}
		if time.Since(begin) > d {
			return fmt.Errorf("%s: not within %s", what, d)
		}
	}
}
