//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestLittlestConfiguration looks at a configuration like those of The Littlest JupyterHub before it is used.
func TestLittlestConfiguration(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it has neither check nor adopt")
	out, ok := minihub(t, harness.Testdata("tljh"), nil, "adopt")
	if ok {
		t.Error("traefik is a proxy in Python and must be refused")
	}
	for _, want := range []string{
		"Not supported, to be changed first: 4 settings\n", "TraefikProxy.should_start (line",
		"traefik_file is a Python class, and proxies in Python are not supported", "use minihub (built in)",
		"): class LabSpawner", "): class firstuseauthenticator.FirstUseAuthenticator", "): function motd", "LabSpawner: user_groups:",
		"Authenticator: admin_users:", "Spawner: cpu_limit:", "JupyterHub.services[0] (cull-idle)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("adopt does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
	if out, ok := minihub(t, harness.Testdata("tljh"), nil, "check", "--JupyterHub.proxy_class=minihub"); !ok || !strings.Contains(out, "0 errors") {
		t.Errorf("check with minihub's own proxy: %v\n%s", ok, out)
	}
}

// TestSystemdSpawner runs that hub below a real systemd: servers are transient units of accounts that the spawner makes.
func TestSystemdSpawner(t *testing.T) {
	t.Parallel()
	manager := harness.StartSystemd(t)
	hub := harness.Prepare(t, harness.Options{Venv: harness.PluginsVenv(t), Wrap: manager.Wrap, Env: []string{"CULLER_PYTHON=" + harness.Python(),
		"PYTHONDONTWRITEBYTECODE=1"}})
	// a Python that every account can run: that of the environment may lie below root's home
	light := filepath.Join(hub.Dir, "lightserver.py")
	if out, err := exec.Command("cp", harness.Testdata("lightserver.py"), light).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hub.WriteConfig(t, fmt.Sprintf(`
services, roles = c.JupyterHub.services, c.JupyterHub.load_roles
c.JupyterHub.services = []
load_subconfig(%q)
c.JupyterHub.services = services + c.JupyterHub.services
del c.JupyterHub.bind_url, c.JupyterHub.proxy_class
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = False
c.Spawner.cmd = ["/usr/bin/python3", %q]
c.Spawner.args = []
c.Spawner.poll_interval = 2
`, harness.Testdata("tljh/jupyterhub_config.py"), light))
	hub.Run(t)
	admin := hub.Admin(t)
	page := hub.Browse(t).Visit("/user/bob/", "bob")
	if !strings.Contains(page.Text(), "bob") {
		t.Errorf("bob's page: status %d\n%s", page.Status, page.Text())
	}
	admin.StartServerOf("bob", "")
	if got := manager.Run(t, "systemctl", "show", "jupyter-bob.service", "-p", "User,MemoryMax,CPUQuotaPerSecUSec,NoNewPrivileges,ActiveState,WorkingDirectory"); !units(got,
		"ActiveState=active", "MemoryMax=268435456", "CPUQuotaPerSecUSec=500ms", "NoNewPrivileges=yes", "WorkingDirectory=/home/jupyter-bob") {
		t.Errorf("the unit:\n%s", got)
	}
	if got := manager.Run(t, "id", "-nG", "jupyter-bob"); !strings.Contains(got, "surveyors") {
		t.Errorf("groups of bob's account: %s", got)
	}
	pid := manager.Run(t, "systemctl", "show", "jupyter-bob.service", "-p", "MainPID", "--value")
	if got := manager.Run(t, "ps", "-o", "user:32=", "-p", pid); got != "jupyter-bob" {
		t.Errorf("the server runs as %s", got)
	}
	if got := manager.Run(t, "cat", "/proc/"+pid+"/environ"); !strings.Contains(got, "MOTD=welcome, bob") || !strings.Contains(got, "/opt/lab/user/bin:") {
		t.Errorf("the environment lacks what hook and extra_paths give")
	}
	browser := hub.Browse(t)
	browser.Login("bob")
	if page := browser.Get("/user/bob/"); page.Status != http.StatusOK || !strings.Contains(page.Body, `"user": "bob"`) {
		t.Errorf("the server: status %d\n%s", page.Status, page.Body)
	}
	if page := hub.Browse(t).TryLogin("mallory", harness.Password); page.Status != http.StatusForbidden {
		t.Errorf("somebody who is banned: status %d", page.Status)
	}

	hub.Stop(t)
	hub.Run(t)
	if admin.Server("bob", "")["ready"] != true || manager.Run(t, "systemctl", "show", "jupyter-bob.service", "-p", "MainPID", "--value") != pid {
		t.Errorf("after a restart of the hub: %v", admin.Server("bob", ""))
	}
	manager.Run(t, "systemctl", "kill", "-s", "KILL", "jupyter-bob.service")
	harness.Poll(t, 30*time.Second, "the hub to see the killed unit", func() bool { return admin.Server("bob", "") == nil })
	admin.StartServerOf("bob", "")
	admin.Delete("/users/bob/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the unit", func() bool {
		state, _ := manager.Try("systemctl", "is-active", "jupyter-bob.service")
		return admin.Server("bob", "") == nil && state != "active"
	})
	if _, err := os.Stat("/home/jupyter-bob"); err == nil {
		t.Error("an account was made on the machine itself")
	}
}

// units tells whether the properties of a unit have all these lines.
func units(text string, lines ...string) bool {
	for _, line := range lines {
		if !strings.Contains(text+"\n", line+"\n") {
			return false
		}
	}
	return true
}
