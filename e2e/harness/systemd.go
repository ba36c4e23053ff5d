package harness

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

//go:embed systemd-inner.sh
var systemdInner string

// Systemd is a system manager of a test's own: systemd as process 1 of new namespaces, over an overlay of the machine's
// files, so that units and accounts made inside leave nothing behind. The network and /tmp are the machine's.
type Systemd struct {
	pid   int // of process 1, as the machine has it
	group string
}

// StartSystemd starts a system manager and waits until it runs. It needs root and is skipped without.
func StartSystemd(t testing.TB) *Systemd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a system manager of its own needs root: run the tests as root")
	}
	dir := tempDir(t)
	script, log := filepath.Join(dir, "inner.sh"), filepath.Join(dir, "systemd.log")
	if err := os.WriteFile(script, []byte(systemdInner), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s := &Systemd{group: fmt.Sprintf("minihub-systemd-%d", os.Getpid())}
	outer := exec.Command("bash", script, "outer", dir, s.group)
	outer.Stdout, outer.Stderr = out, out
	outer.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := outer.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = outer.Wait(); close(ended) }()
	t.Cleanup(func() { s.stop(t, outer.Process, ended) })
	Poll(t, 60*time.Second, "the system manager", func() bool {
		select {
		case <-ended:
			data, _ := os.ReadFile(log)
			t.Fatalf("the system manager ended:\n%s", data)
		default:
		}
		s.pid = child(outer.Process.Pid)
		state, _ := s.Try("systemctl", "is-system-running")
		return state == "running" || state == "degraded"
	})
	return s
}

// child is the first child of a process, 0 when it has none.
func child(pid int) int {
	out, _ := exec.Command("pgrep", "-P", fmt.Sprint(pid)).Output()
	var found int
	_, _ = fmt.Sscan(string(out), &found)
	return found
}

func (s *Systemd) stop(t testing.TB, outer *os.Process, ended chan struct{}) {
	_, _ = s.Try("systemctl", "poweroff", "--force")
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the system manager did not end within 30 s")
		_ = syscall.Kill(s.pid, syscall.SIGKILL)
		_ = outer.Kill()
		<-ended
	}
	// innermost first
	_ = exec.Command("bash", "-c", `for c in /sys/fs/cgroup/*/"$1" /sys/fs/cgroup/"$1"; do [ -d "$c" ] && find "$c" -depth -type d -exec rmdir {} \;; done`,
		"cleanup", s.group).Run()
}

// Try runs a command inside and gives what it printed, without white space at the ends.
func (s *Systemd) Try(argv ...string) (string, error) {
	out, err := exec.Command("nsenter", append([]string{"-t", fmt.Sprint(s.pid), "-a"}, argv...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Run runs a command inside, which must succeed.
func (s *Systemd) Run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := s.Try(argv...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return out
}

// Wrap is the prefix of a command that shall run inside, in the working directory dir, for [Options].Wrap. It passes
// SIGTERM on and ends with the command's exit code.
func (s *Systemd) Wrap(dir string) []string {
	return []string{"bash", "-c", `
nsenter -t "$1" -a --wdns="$2" -- "${@:3}" & outside=$!
trap 'inside=$(pgrep -P $outside); kill -TERM $inside' TERM
wait $outside; code=$?
while kill -0 $outside 2>/dev/null; do wait $outside; code=$?; done
exit $code`, "wrap", fmt.Sprint(s.pid), dir}
}
