package hubtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/hubapi"
)

// stopTime is how long a hub may take to end; toy servers end at once, processes get their own time-outs.
const stopTime = 30 * time.Second

// Hub is a running hub.
type Hub struct {
	// URL is the hub's public address with base_url: http://127.0.0.1:port/.
	URL string
	// APIURL is the address of the REST API, as JUPYTERHUB_API_URL has it.
	APIURL string
	// Admin may do everything. Its token belongs to a service that the menu does not show.
	Admin *hubapi.Client
	// AdminToken is Admin's token, for programs that the test starts.
	AdminToken string

	app  *app.App
	once sync.Once
	err  error
}

// TB is what New needs of *testing.T, *testing.B and *testing.F.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// New starts a hub that ends with the test. The hub's log goes to the test's when Options.Log is nil.
func New(t TB, o Options) *Hub {
	t.Helper()
	if o.Log == nil {
		out := &testLog{t: t}
		t.Cleanup(out.end)
		o.Log = app.NewLogger(out, app.LogOptions{Level: slog.LevelInfo})
	}
	h, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("hubtest: end the hub: %v", err)
		}
	})
	return h
}

// Start starts a hub; the caller ends it with Close. It answers on URL when Start returns.
func Start(ctx context.Context, o Options) (*Hub, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	ports, err := openPorts(ctx)
	if err != nil {
		return nil, fmt.Errorf("hubtest: open two ports: %w", err)
	}
	h := &Hub{AdminToken: newSecret()}
	if h.app, err = build(ctx, o, ports, h.AdminToken); err != nil {
		ports.close()
		return nil, fmt.Errorf("hubtest: %w", err)
	}
	if err := h.app.Start(ctx); err != nil {
		ports.close()
		return nil, fmt.Errorf("hubtest: %w", err)
	}
	h.URL = h.app.PublicURL()
	h.APIURL = h.URL + "hub/api"
	h.Admin = hubapi.New(h.APIURL, h.AdminToken)
	return h, nil
}

func build(ctx context.Context, o Options, ports *ports, adminToken string) (*app.App, error) {
	cfg, report, err := app.LoadSections(ctx, o.sections(ports.public, ports.private, newSecret(), adminToken), o.Output)
	if err != nil {
		var text strings.Builder
		if report != nil {
			_, _ = report.WriteTo(&text) // a strings.Builder takes everything
		}
		return nil, fmt.Errorf("%w\n%s", err, text.String())
	}
	if o.Log != nil {
		for _, p := range report.Warnings() {
			o.Log.WarnContext(ctx, strings.TrimPrefix(p.String(), "warning: "))
		}
	}
	return app.New(ctx, cfg, app.Options{Logger: o.Log, Listen: ports.listen})
}

// Close ends the hub and its servers and services. More calls do nothing.
func (h *Hub) Close() error {
	h.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		h.err = errors.Join(h.app.Stop(ctx), h.app.Err())
	})
	return h.err
}

// newSecret is 32 random bytes in hexadecimal digits.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// ports are two ports of 127.0.0.1 that are open before the hub is made, because addresses are part of its configuration.
type ports struct {
	public, private string
	mu              sync.Mutex
	open            map[string]net.Listener // not yet taken
}

func openPorts(ctx context.Context) (*ports, error) {
	p := &ports{open: map[string]net.Listener{}}
	for _, address := range []*string{&p.public, &p.private} {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			p.close()
			return nil, err
		}
		*address = l.Addr().String()
		p.open[*address] = l
	}
	return p, nil
}

// listen hands out what is open, and opens what the configuration adds.
func (p *ports) listen(ctx context.Context, network, address string) (net.Listener, error) {
	p.mu.Lock()
	l, ok := p.open[address]
	delete(p.open, address)
	p.mu.Unlock()
	if ok {
		return l, nil
	}
	return new(net.ListenConfig).Listen(ctx, network, address)
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.open {
		_ = l.Close()
	}
}

// testLog gives log lines to a test, until the test is over: logging later would be a panic.
type testLog struct {
	t    TB
	mu   sync.Mutex
	over bool
}

// Write implements io.Writer.
func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Logf("%s", strings.TrimRight(string(p), "\n"))
	}
	return len(p), nil
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
