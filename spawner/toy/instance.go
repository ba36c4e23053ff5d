package toy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// instance is one run of a server: a listener, an HTTP server, and what belongs to them.
type instance struct {
	server *Server
	http   *http.Server
	url    string

	stop chan struct{} // closed by end
	once sync.Once
	exit spawner.Exit  // set before stop is closed
	done chan struct{} // closed when everything has ended
}

// launch listens, and serves until end.
func launch(ctx context.Context, d *Driver, req spawner.Request, f faults) (*instance, error) {
	server, err := NewServer(ServerOptions{Env: req.Env, Client: d.client, Logger: d.log})
	if err != nil {
		return nil, err
	}
	ip := req.IP
	if ip == "" {
		ip = "127.0.0.1" // a toy has nothing to say to other machines
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip, strconv.Itoa(req.Port)))
	if err != nil {
		return nil, fmt.Errorf("listen for a toy server: %w", err)
	}
	inst := &instance{server: server, stop: make(chan struct{}), done: make(chan struct{})}
	inst.url = "http://" + reachable(listener.Addr().String())
	inst.http = &http.Server{Handler: server, ReadHeaderTimeout: 30 * time.Second}
	if f.neverReady {
		inst.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			server.fail(w, r, http.StatusServiceUnavailable, "this toy was asked to be never ready")
		})
	}
	if !d.add(inst) {
		listener.Close()
		return nil, fmt.Errorf("start a toy server: the hub is ending")
	}
	go inst.run(d, listener, f)
	return inst, nil
}

// reachable replaces the addresses that mean "all".
func reachable(address string) string {
	address = strings.Replace(address, "0.0.0.0:", "127.0.0.1:", 1)
	return strings.Replace(address, "[::]:", "[::1]:", 1)
}

// run owns every goroutine of the instance.
func (i *instance) run(d *Driver, listener net.Listener, f faults) {
	defer close(i.done)
	defer d.remove(i)
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() {
		_ = i.http.Serve(listener)
		i.end(spawner.Exit{Code: 1, Reason: "the listener failed"}) // no-op after a stop
	})
	sockets := make(chan struct{})
	parts.Go(func() {
		defer close(sockets)
		i.server.Run(ctx)
	})
	var death <-chan time.Time
	if f.dieAfter > 0 {
		timer := time.NewTimer(f.dieAfter)
		defer timer.Stop()
		death = timer.C
	}
	select {
	case <-i.stop:
	case <-death:
		i.end(spawner.Exit{Code: 1, Reason: "exit code 1"})
	}
	_ = listener.Close()
	cancel()
	<-sockets // before Close, which would cut off a WebSocket whose handshake is just being answered
	_ = i.http.Close()
	parts.Wait()
}

// end begins the end; the first one says why.
func (i *instance) end(exit spawner.Exit) {
	i.once.Do(func() {
		i.exit = exit
		close(i.stop)
	})
}

// ended returns nil while the instance runs.
func (i *instance) ended() *spawner.Exit {
	select {
	case <-i.stop:
		exit := i.exit
		return &exit
	default:
		return nil
	}
}
