package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that a test started: the hub, or a service beside it.
type Process struct {
	Name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	once sync.Once
}

// StartProcess starts a program in its own process group with the given environment added to a bare one. Its output
// goes to NAME.log in dir. It is stopped when the test ends.
func StartProcess(t testing.TB, name, dir string, env []string, argv ...string) *Process {
	t.Helper()
	p := &Process{Name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{
		"PATH=" + searchPath(Venv()), "HOME=" + dir, "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "MINIHUB_E2E_DIR=" + dir,
	}, env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() { p.Stop(t) })
	return p
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Log is what the process has printed so far.
func (p *Process) Log() string {
	data, _ := os.ReadFile(p.log)
	return string(data)
}

// Exited tells whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ExitCode waits for the end of the process and gives its code.
func (p *Process) ExitCode(t testing.TB, timeout time.Duration) int {
	t.Helper()
	Poll(t, timeout, "the end of "+p.Name, p.Exited)
	return p.cmd.ProcessState.ExitCode()
}

// Stop sends SIGTERM and waits; a process that stays for 40 s is killed and fails the test. It may be called again.
func (p *Process) Stop(t testing.TB) {
	p.once.Do(func() {
		if p.Exited() {
			return
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(40 * time.Second):
			t.Errorf("%s did not stop within 40 s of SIGTERM", p.Name)
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	})
}

// Kill ends the process at once, as a crash does, and leaves its children alone.
func (p *Process) Kill() {
	p.once.Do(func() {})
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ProcessesIn lists the pids of the live processes that belong to dir: their working directory is below it, or their
// environment names it. That covers servers and services, which are in sessions of their own.
func ProcessesIn(dir string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if strings.Contains(string(stat), ") Z ") {
			continue
		}
		if cwd == dir || strings.HasPrefix(cwd, dir+"/") || strings.Contains(string(environ), dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Alive tells whether a process with this id exists and is not a zombie.
func Alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
