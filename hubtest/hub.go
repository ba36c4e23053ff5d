package hubtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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

	app       *app.App
	ports     *ports
	faults    *faults
	ahead     atomic.Int64 // nanoseconds that Advance let go by
	snapshots atomic.Int64
	once      sync.Once
	err       error
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
	h := &Hub{AdminToken: newSecret(), faults: &faults{}}
	var err error
	if h.ports, err = openPorts(ctx, o.Address, h.faults.down); err != nil {
		return nil, fmt.Errorf("hubtest: open two ports: %w", err)
	}
	if h.app, err = h.build(ctx, o); err == nil {
		err = h.app.Start(ctx)
	}
	if err != nil {
		h.ports.close()
		return nil, fmt.Errorf("hubtest: %w", err)
	}
	h.URL = h.app.PublicURL()
	h.APIURL = h.URL + "hub/api"
	h.Admin = hubapi.New(h.APIURL, h.AdminToken)
	if err := h.populate(ctx, o); err != nil {
		return nil, fmt.Errorf("hubtest: %w", errors.Join(err, h.Close()))
	}
	return h, nil
}

// populate creates users and groups.
func (h *Hub) populate(ctx context.Context, o Options) error {
	var names []string
	for _, u := range o.Users {
		names = append(names, u.Name)
	}
	if len(names) > 0 { // roles may have created some of them
		if _, err := h.Admin.CreateUsers(ctx, hubapi.NewUsers{Names: names}); err != nil && !errors.Is(err, hubapi.ErrConflict) {
			return fmt.Errorf("create users: %w", err)
		}
	}
	for _, u := range o.Users {
		if u.Admin {
			if _, err := h.Admin.UpdateUser(ctx, u.Name, hubapi.UserChange{Admin: &u.Admin}); err != nil {
				return fmt.Errorf("make an administrator: %w", err)
			}
		}
	}
	for name, members := range o.Groups {
		_, err := h.Admin.CreateGroup(ctx, name, members...)
		if errors.Is(err, hubapi.ErrConflict) { // a role names it
			_, err = h.Admin.AddToGroup(ctx, name, members...)
		}
		if err != nil {
			return fmt.Errorf("create group: %w", err)
		}
	}
	return nil
}

func (h *Hub) build(ctx context.Context, o Options) (*app.App, error) {
	cfg, report, err := app.LoadSections(ctx, o.sections(h.ports.public, h.ports.private, newSecret(), h.AdminToken), o.Output)
	if err != nil {
		var text strings.Builder
		if report != nil {
			_, _ = report.WriteTo(&text) // a strings.Builder takes everything
		}
		return nil, fmt.Errorf("%w\n%s", err, text.String())
	}
	if o.Log != nil {
		for _, p := range report.Warnings() {
			if strings.Contains(p.String(), "("+adminService+")") {
				continue // about our own service
			}
			o.Log.WarnContext(ctx, strings.TrimPrefix(p.String(), "warning: "))
		}
	}
	built := app.Options{Logger: o.Log, Listen: h.ports.listen, Now: h.now, Driver: h.faults.driver, Handler: h.faults.wrap}
	if o.Tune != nil {
		o.Tune(&built)
	}
	return app.New(ctx, cfg, built)
}

// ServiceEnvironment is what the hub would give a service of Options.Services as its environment, for programs that are started here.
func (h *Hub) ServiceEnvironment(name string) (map[string]string, error) {
	return h.app.ServiceEnvironment(name)
}

// Done is closed when somebody asked the hub to end by its API.
func (h *Hub) Done() <-chan struct{} { return h.app.Done() }

// Close ends the hub and its servers and services. More calls do nothing.
func (h *Hub) Close() error {
	h.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		h.err = errors.Join(h.app.Stop(ctx), h.app.Err())
	})
	return h.err
}

// origin is scheme, host and port of the public address.
func (h *Hub) origin() string { return "http://" + h.ports.public }

// newSecret is 32 random bytes in hexadecimal digits.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
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
