package pybridge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
)

func TestMain(m *testing.M) {
	spawnertest.Main()
	os.Exit(m.Run())
}

// TestPythonSpawnersKeepThePromises runs the suite of all spawners with a Python class.
func TestPythonSpawnersKeepThePromises(t *testing.T) {
	cmd, err := json.Marshal(spawnertest.ServerCmd(t))
	if err != nil {
		t.Fatal(err)
	}
	fails := filepath.Join(t.TempDir(), "the next server fails")
	r := newRig(t, withJupyterHub(t), fmt.Sprintf(`
import os
from jupyterhub.spawner import SimpleLocalProcessSpawner
class MayFail(SimpleLocalProcessSpawner):
    def get_args(self):
        if not os.path.exists(%q):
            return []
        os.remove(%[1]q)
        return ["fail"]
c.JupyterHub.spawner_class = MayFail
c.Spawner.cmd = %[2]s
c.Spawner.ip = "127.0.0.1"
`, fails, cmd), pybridge.SetupRequest{Authenticator: python("dummy"), Spawner: python("MayFail")})
	spawnertest.Run(t, func(*testing.T) spawner.Driver { return pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir) },
		spawnertest.Options{Adopts: true, Timeout: time.Minute, Failing: func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
			if err := os.WriteFile(fails, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return spawnertest.Request(t, driver, id)
		}})
}
