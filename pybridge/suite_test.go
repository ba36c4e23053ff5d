package pybridge_test

import (
	"encoding/json"
	"fmt"
	"os"
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
	r := newRig(t, withJupyterHub(t), fmt.Sprintf("c.Spawner.cmd = %s\nc.Spawner.ip = '127.0.0.1'\n", cmd),
		pybridge.SetupRequest{Authenticator: python("dummy"), Spawner: python("simple")})
	spawnertest.Run(t, func(*testing.T) spawner.Driver { return pybridge.NewDriver(r.Bridge, r.info.Spawner, r.dir) },
		spawnertest.Options{Adopts: true, Timeout: time.Minute})
}
