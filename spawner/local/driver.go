package local

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// JupyterHub's class paths of the two drivers.
const (
	LocalProcessName = "jupyterhub.spawner.LocalProcessSpawner"
	SimpleName       = "jupyterhub.spawner.SimpleLocalProcessSpawner"
)

// Driver makes the spawners of one hub.
type Driver struct {
	name  string
	opts  Options
	owner owner

	mu      sync.Mutex
	running map[*Spawner]*supervise.Process // what Close gives up watching
	closed  bool
}

// NewLocalProcess returns the driver whose servers run as the system user with the user's name. A hub that is not root
// can only start servers of its own user; every other start fails.
func NewLocalProcess(opts Options) *Driver {
	opts = opts.withDefaults()
	return newDriver(LocalProcessName, opts, systemUser{allowRoot: opts.AllowRoot})
}

// NewSimple returns the driver whose servers run as the hub's user, without any isolation between users: for tests,
// demos, and a single person.
func NewSimple(opts Options) *Driver {
	opts = opts.withDefaults()
	return newDriver(SimpleName, opts, hubUser{template: opts.HomeDirTemplate, logger: opts.Logger})
}

func newDriver(name string, opts Options, owner owner) *Driver {
	return &Driver{name: name, opts: opts, owner: owner, running: map[*Spawner]*supervise.Process{}}
}

// Name returns JupyterHub's class path.
func (d *Driver) Name() string { return d.name }

// EnvKeep returns JupyterHub's default of env_keep for local spawners.
func (d *Driver) EnvKeep() []string {
	return []string{
		"CONDA_DEFAULT_ENV", "CONDA_ROOT", "JUPYTERHUB_SINGLEUSER_APP", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH",
		"PYTHONPATH", "VIRTUAL_ENV",
	}
}

// New returns the spawner of one server.
func (d *Driver) New(id spawner.Identity) spawner.Spawner { return &Spawner{driver: d, id: id} }

// PickPort returns a port that is free on ip now.
func (d *Driver) PickPort(ctx context.Context, ip string) (int, error) { return FreePort(ctx, ip) }

// FreePort returns a port that is free on ip now; "" means all addresses.
func FreePort(ctx context.Context, ip string) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port on %q: %w", ip, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Close gives up watching. Servers go on running; the next hub adopts them. Nothing can be started afterwards.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	running := d.running
	d.running = map[*Spawner]*supervise.Process{}
	d.mu.Unlock()
	for _, proc := range running {
		proc.Close()
	}
	return nil
}

// watch notes a process for Close. It returns false when the driver is closed already.
func (d *Driver) watch(s *Spawner, proc *supervise.Process) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running[s] = proc
	return true
}

func (d *Driver) forget(s *Spawner, proc *supervise.Process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[s] == proc {
		delete(d.running, s)
	}
}

// StopOrphans ends every process that carries hubID and a marker which is not known: servers of a hub that died between
// starting them and writing that down, and what they started.
func (d *Driver) StopOrphans(ctx context.Context, hubID string, known map[string]bool) ([]string, error) {
	stopped, err := supervise.StopMarked(ctx, hubID, min(max(d.opts.TermTimeout, time.Second), 10*time.Second), func(m supervise.Marked) bool {
		return m.Marker != "" && !known[m.Marker]
	})
	words := make([]string, 0, len(stopped))
	for _, m := range stopped {
		id := spawner.Identity{UserName: m.Env["JUPYTERHUB_USER"], ServerName: m.Env["JUPYTERHUB_SERVER_NAME"]}
		words = append(words, fmt.Sprintf("pid %d of server %s", m.PID, id))
	}
	slices.Sort(words)
	if err != nil {
		return words, fmt.Errorf("stop orphaned servers: %w", err)
	}
	return words, nil
}

var (
	_ spawner.Driver     = (*Driver)(nil)
	_ spawner.Orphans    = (*Driver)(nil)
	_ spawner.PortPicker = (*Driver)(nil)
	_ io.Closer          = (*Driver)(nil)
)
