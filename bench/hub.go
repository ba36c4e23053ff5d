package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// subject is a hub to be measured.
type subject struct {
	name    string
	command []string
	dir     string
	json    bool // can do without a configuration in Python
}

// token is the API token of the service that the load uses.
const token = "bench-token-0123456789abcdef"

// jsonConfig is the same as config, for a hub that needs no Python to read its configuration.
const jsonConfig = `{"JupyterHub": {"bind_url": "http://127.0.0.1:%d", "hub_port": %d, "authenticator_class": "dummy", "spawner_class": "simple",
"db_url": "sqlite:///bench.sqlite", "log_level": 40, "services": [{"name": "load", "api_token": "%s"}],
"load_roles": [{"name": "load", "scopes": ["admin:users", "tokens", "read:hub"], "services": ["load"]}]}}`

// config is the same for both hubs.
const config = `c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:%d"
c.JupyterHub.hub_port = %d
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:%d"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = "sqlite:///bench.sqlite"
c.JupyterHub.log_level = 40
c.JupyterHub.services = [{"name": "load", "api_token": "%s"}]
c.JupyterHub.load_roles = [{"name": "load", "scopes": ["admin:users", "tokens", "read:hub"], "services": ["load"]}]
`

// running is a hub process with its own process group.
type running struct {
	cmd  *exec.Cmd
	url  string
	took time.Duration // from start to the first answer
}

// start starts a hub in a fresh directory and waits for its first answer through the public port.
func (s subject) start(json bool) (*running, error) {
	_ = os.RemoveAll(s.dir)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	file, text := filepath.Join(s.dir, "jupyterhub_config.py"), fmt.Appendf(nil, config, ports[0], ports[1], ports[2], token)
	if json {
		file, text = filepath.Join(s.dir, "hub.json"), fmt.Appendf(nil, jsonConfig, ports[0], ports[1], token)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	r := &running{cmd: exec.Command(s.command[0], append(s.command[1:], "-f", file)...), url: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	r.cmd.Dir, r.cmd.Stderr = s.dir, os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begin := time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := begin.Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		answer, err := http.Get(r.url + "/hub/api/")
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			r.took = time.Since(begin)
			return r, nil
		}
	}
	r.stop()
	return nil, errors.New("no answer within a minute")
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (r *running) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = r.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-done
	}
}

// memory returns the resident memory in bytes of the hub and all processes below it.
func (r *running) memory() (int64, error) {
	below := map[int]bool{r.cmd.Process.Pid: true}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for changed := true; changed; {
		changed = false
		for _, path := range stats {
			pid, parent := parentOf(path)
			if below[parent] && !below[pid] {
				below[pid], changed = true, true
			}
		}
	}
	var sum int64
	for pid := range below {
		sum += resident(pid)
	}
	return sum, nil
}

func parentOf(stat string) (pid, parent int) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, -1
	}
	pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(stat)))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent
}

func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}
