//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubapi"
)

// hubLine is the part of test-server's line that these tests need.
type hubLine struct {
	URL     string            `json:"url"`
	API     string            `json:"api_url"`
	Control string            `json:"control_url"`
	Tokens  map[string]string `json:"tokens"`
	PID     int               `json:"pid"`
}

// readLine starts a command and reads the line that test-server prints on its standard output.
func readLine(t *testing.T, cmd *exec.Cmd) hubLine {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("test-server printed %q: %v", text, err)
	}
	var line hubLine
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return line
}

// servedBy are the process and its descendants, with the directories of their databases.
func servedBy(t *testing.T, pid int) (pids []int, dirs []string) {
	t.Helper()
	pids = []int{pid}
	for i := 0; i < len(pids); i++ {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i])) // each thread has those that it started
		if err != nil || len(lists) == 0 {
			t.Fatalf("children of process %d: %v", pids[i], err)
		}
		for _, list := range lists {
			text, _ := os.ReadFile(list) // a thread may have ended
			for _, child := range strings.Fields(string(text)) {
				n, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				pids = append(pids, n)
			}
		}
	}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && strings.Contains(file, "minihub-memory-") {
			dirs = append(dirs, strings.TrimSuffix(filepath.Dir(file), "/logs"))
		}
	}
	slices.Sort(dirs)
	if dirs = slices.Compact(dirs); len(dirs) != 1 {
		t.Fatalf("databases in memory: %q, want one", dirs)
	}
	return pids, dirs
}

// left tells what of a hub is still there.
func left(line hubLine, pids []int, dirs []string) (what []string) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			what = append(what, fmt.Sprintf("process %d", pid))
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err == nil {
			what = append(what, dir)
		}
	}
	for _, address := range []string{line.URL, line.Control} {
		u, err := url.Parse(address)
		if err != nil {
			return append(what, err.Error())
		}
		if c, err := net.DialTimeout("tcp", u.Host, 5*time.Second); err == nil {
			_ = c.Close()
			what = append(what, "port "+u.Host)
		}
	}
	return what
}

// TestStartsAndStopsInARow starts and stops test-server MINIHUB_STARTS times (default 200), one start in ten with a server that runs
// and a service, and looks after each stop for what is left.
func TestStartsAndStopsInARow(t *testing.T) {
	harness.MinihubOnly(t, "JupyterHub has no test-server")
	rounds := 200
	if n := os.Getenv("MINIHUB_STARTS"); n != "" {
		var err error
		if rounds, err = strconv.Atoi(n); err != nil || rounds < 1 {
			t.Fatalf("MINIHUB_STARTS is %q, want a number", n)
		}
	}
	temp := t.TempDir()
	spec := `{"users": ["ann"], "services": [{"name": "sleeper", "command": ["sleep", "600"]}], "config": {"JupyterHub": {"spawner_class": "simple"},
		"Spawner": {"cmd": ["python3", "` + harness.Testdata("lightserver.py") + `"]}}}`
	times := make([]time.Duration, 0, rounds)
	for round := range rounds {
		busy := round%10 == 9
		cmd := exec.CommandContext(t.Context(), filepath.Join(harness.Root(), "bin", "minihub"), "test-server", "--users", "ann")
		cmd.Env = append(os.Environ(), "TMPDIR="+temp)
		if busy {
			cmd.Args = []string{cmd.Path, "test-server", "--spec", "-"}
			cmd.Stdin = strings.NewReader(spec)
		}
		begin := time.Now()
		line := readLine(t, cmd)
		if !busy {
			times = append(times, time.Since(begin))
		}
		if busy {
			if _, err := hubapi.New(line.API, line.Tokens["ann"]).StartServer(t.Context(), "ann", "", nil); err != nil {
				t.Fatalf("start %d: %v", round, err)
			}
		} else if who, err := hubapi.New(line.API, line.Tokens["ann"]).Whoami(t.Context()); err != nil || who.Name != "ann" {
			t.Fatalf("start %d: %+v, %v", round, who, err)
		}
		pids, dirs := servedBy(t, line.PID)
		if busy && len(pids) < 3 {
			t.Fatalf("start %d: processes %v, want the hub, a server and a service", round, pids)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatalf("stop %d: %v", round, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("stop %d: %v", round, err)
		}
		if what := left(line, pids, dirs); len(what) > 0 {
			t.Fatalf("after stop %d there is still: %q", round, what)
		}
	}
	if files, err := os.ReadDir(temp); err != nil || len(files) > 0 {
		t.Errorf("in the folder for temporary files: %v, %v", files, err)
	}
	slices.Sort(times)
	n := len(times)
	t.Logf("%d starts; ready after min %s, median %s, p99 %s, max %s", rounds, times[0], times[n/2], times[n*99/100], times[n-1])
}

// TestKilledParentLeavesNothing kills whoever started test-server, and then a hub itself: the next one removes what that left.
func TestKilledParentLeavesNothing(t *testing.T) {
	harness.MinihubOnly(t, "JupyterHub has no test-server")
	binary := filepath.Join(harness.Root(), "bin", "minihub")
	parent := exec.CommandContext(t.Context(), "sh", "-c", `"$0" test-server --users ann --spec "$1" & wait`, binary, specFile(t))
	line := readLine(t, parent)
	if _, err := hubapi.New(line.API, line.Tokens["ann"]).StartServer(t.Context(), "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	pids, dirs := servedBy(t, line.PID)
	if len(pids) < 3 {
		t.Fatalf("processes %v, want the hub, a server and a service", pids)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	var what []string
	harness.Poll(t, 60*time.Second, "the hub to follow its parent", func() bool {
		what = left(line, pids, dirs)
		return len(what) == 0
	})

	hub := exec.CommandContext(t.Context(), binary, "test-server")
	line = readLine(t, hub)
	pids, dirs = servedBy(t, line.PID)
	if err := hub.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = hub.Wait() // it was killed
	next := exec.CommandContext(t.Context(), binary, "test-server")
	readLine(t, next)
	if what := left(line, pids, dirs); len(what) > 0 {
		t.Errorf("after a hub was killed and another one has started there is still: %q", what)
	}
	if err := next.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := next.Wait(); err != nil {
		t.Error(err)
	}
}

func specFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "spec.yaml")
	text := `services: [{name: sleeper, command: [sleep, "600"]}]
config:
  JupyterHub: {spawner_class: simple}
  Spawner: {cmd: [python3, ` + harness.Testdata("lightserver.py") + `]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
