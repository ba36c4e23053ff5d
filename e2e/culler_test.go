//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// lightServers is configuration for servers that start in no time (testdata/lightserver.py).
func lightServers() string {
	return "c.Spawner.cmd = [\"python3\", \"" + harness.Testdata("lightserver.py") + "\"]\nc.Spawner.args = []\n"
}

// TestIdleCuller runs jupyterhub-idle-culler as its README shows, with the role it needs, and short times.
func TestIdleCuller(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers() + `
import sys
c.JupyterHub.activity_resolution = 0
c.JupyterHub.last_activity_interval = 1
c.JupyterHub.load_roles += [
    {
        "name": "jupyterhub-idle-culler-role",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["jupyterhub-idle-culler-service"],
    }
]
c.JupyterHub.services += [
    {
        "name": "jupyterhub-idle-culler-service",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=4", "--cull-every=1"],
    }
]
`})
	admin := hub.Admin(t)
	admin.StartServer("idle", "")
	admin.StartServer("busy", "")
	admin.StartServer("busy", "spare")
	const spare = "spare"
	beBusy := func() {
		now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
		admin.Post("/users/busy/activity", map[string]any{
			"servers": map[string]any{"": map[string]any{"last_activity": now}},
		}).Want(http.StatusOK)
	}
	harness.Poll(t, 40*time.Second, "the idle servers to be culled", func() bool {
		beBusy()
		server := admin.Server("busy", spare)
		return admin.Server("idle", "") == nil && (server == nil || server["ready"] == false)
	})
	if server := admin.Server("busy", ""); server == nil || server["ready"] != true {
		t.Errorf("the busy server was culled too: %v", server)
	}
	if log := hub.Log(); !strings.Contains(log, "Culling server idle") {
		t.Error("the culler's own lines are not in the hub's log")
	}
}
