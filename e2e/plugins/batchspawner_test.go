//go:build e2e

package plugins

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestSlurmSpawner starts servers as jobs of a real Slurm with one node. The server tells its port through the handler that
// batchspawner adds to the hub's API.
func TestSlurmSpawner(t *testing.T) {
	t.Parallel()
	slurm := harness.StartSlurm(t)
	home := t.TempDir()
	t.Cleanup(func() {
		logs, _ := filepath.Glob(filepath.Join(home, "*.log"))
		for _, log := range logs {
			if data, err := os.ReadFile(log); t.Failed() && err == nil {
				t.Logf("%s:\n%s", filepath.Base(log), data)
			}
		}
	})
	if err := os.WriteFile(filepath.Join(home, "note.txt"), []byte("on the node"), 0o644); err != nil {
		t.Fatal(err)
	}
	hub := harness.Start(t, harness.Options{Venv: harness.PluginsVenv(t), Env: []string{"SLURM_CONF=" + slurm.Conf, "LAB_HOME=" + home}, Config: `
import os
import sys
import batchspawner  # as its documentation asks for
c.JupyterHub.spawner_class = "batchspawner.SlurmSpawner"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.load_groups = {"lost": {"users": ["daemon"]}}
c.Spawner.poll_interval = 2
c.Spawner.environment = {"SLURM_CONF": os.environ["SLURM_CONF"]}
c.Spawner.http_timeout = 120
c.SlurmSpawner.req_partition = "lab"
c.SlurmSpawner.req_runtime = "1:00:00"
c.SlurmSpawner.batchspawner_singleuser_cmd = sys.prefix + "/bin/batchspawner-singleuser"
c.Spawner.cmd = [sys.prefix + "/bin/jupyterhub-singleuser"]

def partition(spawner):
    spawner.req_homedir = os.environ["LAB_HOME"]
    if "lost" in [group.name for group in spawner.user.groups]:
        spawner.req_partition = "nowhere"

c.Spawner.pre_spawn_hook = partition
`})
	admin := hub.Admin(t)
	job := func() string {
		state, _ := admin.Server("root", "")["state"].(map[string]any)
		id, _ := state["job_id"].(string)
		return id
	}
	admin.StartServer("root", "")
	first := job()
	if out, err := slurm.Try("squeue", "-h", "-j", first, "-o", "%T %P %j %l %u"); err != nil || out != "RUNNING lab spawner-jupyterhub 1:00:00 root" {
		t.Errorf("job %s: %q %v", first, out, err)
	}
	browser := hub.Browse(t)
	if page := browser.Visit("/user/root/files/note.txt", "root"); page.Status != http.StatusOK || page.Body != "on the node" {
		t.Errorf("a file through the server: status %d at %s: %s", page.Status, page.URL, page.Text())
	}
	// others cannot change a server through batchspawner's handler
	hub.API(t, "").Post("/batchspawner", map[string]any{"port": 1}).Want(http.StatusForbidden)

	hub.Stop(t)
	hub.Run(t)
	if got := job(); got != first || admin.Server("root", "")["ready"] != true {
		t.Fatalf("after a restart of the hub: job %q, want %q: %v", got, first, admin.Server("root", ""))
	}
	if page := browser.Get("/user/root/files/note.txt"); page.Status != http.StatusOK {
		t.Errorf("after a restart of the hub: status %d at %s", page.Status, page.URL)
	}
	if out, err := slurm.Try("scancel", first); err != nil {
		t.Fatalf("scancel: %v %s", err, out)
	}
	harness.Poll(t, time.Minute, "the hub to see the cancelled job", func() bool { return admin.Server("root", "") == nil })

	admin.StartServer("root", "")
	second := job()
	if second == first {
		t.Errorf("the second start has the first one's job %s", first)
	}
	admin.Delete("/users/root/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the job", func() bool {
		out, _ := slurm.Try("squeue", "-h", "-t", "RUNNING")
		return admin.Server("root", "") == nil && out == ""
	})

	// what sbatch refuses
	admin.Post("/users/daemon/server", nil).Want(http.StatusInternalServerError)
	if !strings.Contains(hub.Log(), "invalid partition specified: nowhere") {
		t.Error("the log lacks sbatch's words")
	}
}
