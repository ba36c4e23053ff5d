package toy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// Name is the driver's class path, in JupyterHub's form.
const Name = "minihub.spawner.ToySpawner"

// Options configure a driver.
type Options struct {
	Logger *slog.Logger // may be nil
}

// Driver runs toy servers in this process.
type Driver struct {
	log    *slog.Logger
	client *http.Client

	mu      sync.Mutex
	running map[*instance]struct{}
	closed  bool
}

// New returns a driver. Close it when the hub ends.
func New(opts Options) *Driver {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Driver{
		log: opts.Logger, running: map[*instance]struct{}{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}, Timeout: 20 * time.Second},
	}
}

// Name returns the class path.
func (d *Driver) Name() string { return Name }

// EnvKeep is empty: a toy needs nothing of the hub's environment.
func (d *Driver) EnvKeep() []string { return nil }

// New returns the spawner of one server.
func (d *Driver) New(id spawner.Identity) spawner.Spawner {
	return &Spawner{driver: d, id: id, changed: make(chan struct{})}
}

// PickPort returns a port that is free on ip now; "" means all addresses.
func (d *Driver) PickPort(ctx context.Context, ip string) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port on %q: %w", ip, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Close ends all servers: they live in this process. Nothing can be started afterwards.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	var all []*instance
	for inst := range d.running {
		all = append(all, inst)
	}
	d.mu.Unlock()
	for _, inst := range all {
		inst.end(spawner.Exit{Reason: "the hub ended"})
	}
	for _, inst := range all {
		<-inst.done
	}
	d.client.CloseIdleConnections()
	return nil
}

func (d *Driver) add(inst *instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.running[inst] = struct{}{}
	}
	return !d.closed
}

func (d *Driver) remove(inst *instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, inst)
}

var (
	_ spawner.Driver     = (*Driver)(nil)
	_ spawner.PortPicker = (*Driver)(nil)
	_ io.Closer          = (*Driver)(nil)
)
