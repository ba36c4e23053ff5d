//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// sudoUser makes an account of the machine for one test. When ordinary accounts cannot run the Python of the plug-ins, because it
// lies below root's home, the account is another name of root: sudo works all the same.
func sudoUser(t *testing.T, python string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("accounts are made for this test: run it as root")
	}
	name := fmt.Sprintf("minihub-sudo-%d", os.Getpid()%10000)
	args := []string{"-m", name}
	if exec.Command("sudo", "-n", "-u", "nobody", python, "-c", "").Run() != nil {
		args = append([]string{"-o", "-u", "0", "-g", "0"}, args...)
	}
	if out, err := exec.Command("useradd", args...).CombinedOutput(); err != nil {
		t.Fatalf("useradd: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		// not "userdel -r", which looks for processes of the account's number, and that may be root's
		_ = os.RemoveAll("/home/" + name)
		if out, err := exec.Command("userdel", "--force", name).CombinedOutput(); err != nil {
			t.Errorf("userdel: %v\n%s", err, out)
		}
	})
	return name
}

// TestSudoSpawner starts servers through a real sudo.
func TestSudoSpawner(t *testing.T) {
	t.Parallel()
	venv := harness.PluginsVenv(t)
	user := sudoUser(t, filepath.Join(venv, "bin", "python"))
	if err := os.WriteFile("/home/"+user+"/note.txt", []byte("of "+user), 0o644); err != nil {
		t.Fatal(err)
	}
	hub := start(t, `
c.JupyterHub.spawner_class = "sudospawner.SudoSpawner"
c.JupyterHub.cleanup_servers = False
c.Spawner.args = ["--allow-root"]
c.Spawner.poll_interval = 2
c.Spawner.environment = {"SITE": "bodmin"}
`)
	admin := hub.Admin(t)
	pid := func() int {
		state, _ := admin.Server(user, "")["state"].(map[string]any)
		number, _ := state["pid"].(float64)
		return int(number)
	}
	admin.StartServer(user, "")
	first := pid()
	t.Cleanup(func() { _ = syscall.Kill(first, syscall.SIGKILL) })
	if got := []string{variable(first, "JUPYTERHUB_USER"), variable(first, "HOME"), variable(first, "SITE")}; got[0] != user ||
		got[1] != "/home/"+user || got[2] != "bodmin" {
		t.Errorf("user, home, environment: %q", got)
	}
	browser := hub.Browse(t)
	if page := browser.Visit("/user/"+user+"/files/note.txt", user); page.Status != http.StatusOK || page.Body != "of "+user {
		t.Errorf("a file through the server: status %d at %s: %s", page.Status, page.URL, page.Text())
	}

	hub.Stop(t)
	hub.Run(t)
	if got := pid(); got != first {
		t.Fatalf("after a restart of the hub: pid %d, want %d", got, first)
	}
	if page := browser.Get("/user/" + user + "/files/note.txt"); page.Status != http.StatusOK {
		t.Errorf("after a restart of the hub: status %d at %s", page.Status, page.URL)
	}
	_ = syscall.Kill(first, syscall.SIGKILL)
	harness.Poll(t, 30*time.Second, "the hub to see the killed server", func() bool { return admin.Server(user, "") == nil })

	admin.StartServer(user, "")
	running := pid()
	t.Cleanup(func() { _ = syscall.Kill(running, syscall.SIGKILL) })
	admin.Delete("/users/"+user+"/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the server", func() bool { return admin.Server(user, "") == nil && !harness.Alive(running) })

	// somebody whom the machine does not know
	admin.Post("/users/nobody-knows", nil).Want(http.StatusCreated)
	if answer := admin.Post("/users/nobody-knows/server", nil); answer.Status != http.StatusInternalServerError {
		t.Errorf("an unknown account: status %d\n%s", answer.Status, answer.Body)
	}
	if !strings.Contains(hub.Log(), "getpwnam(): name not found: 'nobody-knows'") {
		t.Error("the log does not name the unknown account")
	}
}
