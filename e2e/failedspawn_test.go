//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestFailedSpawn starts servers that cannot work. Whoever asked is told why: in the answer, in the progress events
// and in the hub's log. Nothing is left behind, and the user can try again.
func TestFailedSpawn(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it knows no more than that the spawn failed")
	for name, row := range map[string]struct {
		cmd  string
		says []string // in answer or progress
	}{
		"command not found": {`["no-such-command"]`, []string{"no-such-command", "not found"}},
		"import error":      {`["python3", "-c", "import nothing_like_this"]`, []string{"nothing_like_this", "exit code 1"}},
		"exit code":         {`["python3", "-c", "import sys; print('the disk is full', file=sys.stderr); sys.exit(7)"]`, []string{"the disk is full", "7"}},
		"never answers":     {`["python3", "-c", "import time; time.sleep(600)"]`, []string{"answer", "127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := harness.Start(t, harness.Options{Config: "c.Spawner.cmd = " + row.cmd +
				"\nc.Spawner.args = []\nc.Spawner.http_timeout = 3\nc.Spawner.start_timeout = 6\n"})
			admin := hub.Admin(t)
			admin.Post("/users/ann", nil)
			said := admin.Post("/users/ann/server", map[string]any{}).Body
			said += admin.Get("/users/ann/server/progress").Body
			for _, part := range row.says {
				if !strings.Contains(said, part) {
					t.Errorf("the user is not told %q: %s", part, said)
				}
				if !strings.Contains(hub.Log(), part) {
					t.Errorf("the log does not say %q", part)
				}
			}
			harness.Poll(t, 20*time.Second, "the failed server to be gone", func() bool {
				server := admin.Server("ann", "")
				return server == nil || (server["pending"] == nil && server["ready"] == false)
			})
			harness.Poll(t, 20*time.Second, "no process to be left", func() bool {
				return len(harness.ProcessesIn(fmt.Sprintf("%s/home/ann", hub.Dir))) == 0
			})
			admin.Post("/users/ann/server", map[string]any{}) // trying again is not a conflict
			if log := hub.Log(); strings.Contains(log, "already pending") {
				t.Error("the second start was refused as pending")
			}
		})
	}
}
