//go:build e2e

package plugins

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// start starts a hub in the environment of the plug-ins, with servers that are there at once (testdata/lightserver.py).
func start(t *testing.T, config string, env ...string) *harness.Hub {
	t.Helper()
	light := fmt.Sprintf("c.Spawner.cmd = [\"python3\", %q]\nc.Spawner.args = []\n", harness.Testdata("lightserver.py"))
	return harness.Start(t, harness.Options{Config: light + config, Env: env, Venv: harness.PluginsVenv(t)})
}

// variable gives a variable of a process's environment, "" when it has none.
func variable(pid int, name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	for _, line := range strings.Split(string(data), "\x00") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}
