//go:build unix

package services_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/freeport"
	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/services"
)

// The test binary is also the service that tests start: with the argument "serve" it answers HTTP at JUPYTERHUB_SERVICE_URL.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		serve(os.Args[2])
		syscall.Exit(0) // os.Exit of a race-enabled binary takes a second
	}
	goleak.VerifyTestMain(m)
}

func serve(address string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("serving", os.Getenv("JUPYTERHUB_SERVICE_PREFIX"))
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, os.Getenv("JUPYTERHUB_SERVICE_PREFIX")) {
				w.WriteHeader(http.StatusBadGateway) // the wrong address is as good as none
			}
		}))
	}()
	<-ctx.Done()
}

// world is a hub with services, and nothing else.
type world struct {
	t        *testing.T
	store    *orm.Store
	tokens   *hub.Tokens
	rows     *hub.ServiceRows
	setup    func([]hub.ServiceSpec) []hub.ConfiguredService
	services *services.Services
	router   *router
	log      *logBuffer
}

type options struct {
	env     services.EnvOptions
	backoff supervise.Backoff
	hostOf  func(string) string
	prober  prober
	stop    supervise.StopTimeouts
}

// newWorld loads services and does not start them; they are stopped when the test ends.
func newWorld(t *testing.T, specs []hub.ServiceSpec, change ...func(*options)) *world {
	t.Helper()
	o := options{env: services.EnvOptions{BaseURL: "/base/", HubAPIURL: "http://127.0.0.1:8081/base/hub/api", KeptEnv: map[string]string{"PATH": os.Getenv("PATH"), "LANG": "C.UTF-8"}},
		backoff: supervise.Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond},
		stop:    supervise.StopTimeouts{Interrupt: 5 * time.Second, Term: time.Second, Kill: time.Second}}
	for _, f := range change {
		f(&o)
	}
	w := &world{t: t, router: &router{routes: map[string]hub.WantedRoute{}}, log: &logBuffer{}}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	store, err := orm.Open(context.Background(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite")})
	noErr(t, err)
	t.Cleanup(func() { _ = store.Close() })
	catalog, err := rbac.NewCatalog(nil)
	noErr(t, err)
	yes := true
	rules, err := auth.NewRules(auth.RulesOptions{AllowAll: &yes})
	noErr(t, err)
	access := hub.NewAccess(hub.AccessOptions{Store: store, Catalog: catalog, Logger: logger})
	users := hub.NewUsers(hub.UsersOptions{Store: store, Rules: rules, Authenticator: auth.Null{}, Catalog: catalog, Logger: logger})
	w.store, w.tokens = store, hub.NewTokens(hub.TokensOptions{Store: store, Access: access, Catalog: catalog, Logger: logger})
	w.rows = hub.NewServiceRows(hub.ServiceRowsOptions{Store: store, Tokens: w.tokens, Catalog: catalog, BaseURL: o.env.BaseURL, HostOf: o.hostOf, Logger: logger})
	w.setup = func(specs []hub.ServiceSpec) []hub.ConfiguredService {
		t.Helper()
		result, err := hub.NewSetup(hub.SetupOptions{Store: store, Catalog: catalog, Users: users, Rules: rules, Tokens: w.tokens, Services: w.rows,
			Specs: hub.SetupSpecs{Services: specs}, Logger: logger}).Run(t.Context())
		noErr(t, err)
		return result.Services
	}
	w.services = services.New(services.Options{Store: store, Rows: w.rows, Router: w.router, Prober: o.prober, Env: o.env, Backoff: o.backoff,
		StopTimeouts: o.stop, Logger: logger})
	w.services.Load(w.setup(specs))
	t.Cleanup(func() { noErr(t, w.services.Stop(context.Background())) })
	return w
}

// running loads and starts services.
func running(t *testing.T, specs []hub.ServiceSpec, change ...func(*options)) *world {
	t.Helper()
	w := newWorld(t, specs, change...)
	if err := w.services.Start(t.Context()); err != nil {
		t.Fatalf("start: %v\n%s", err, w.log)
	}
	return w
}

func (w *world) view(name string) services.View {
	w.t.Helper()
	v, err := w.services.Get(w.t.Context(), name)
	noErr(w.t, err)
	return *v
}

// pid waits until a service runs.
func (w *world) pid(name string) int {
	w.t.Helper()
	pid := 0
	eventually(w.t, name+" runs", func() bool { pid = w.view(name).PID; return pid != 0 })
	return pid
}

// alive says whether a process runs; 0 is none.
func alive(pid int) bool {
	_, err := supervise.Identify(pid)
	return pid != 0 && err == nil
}

// environ is what the kernel says, without what Go or the machine cannot agree on.
func environ(t *testing.T, pid int) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	noErr(t, err)
	env := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\x00"), "\x00") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

func sleeper(name string) hub.ServiceSpec {
	return hub.ServiceSpec{Name: name, Command: []string{"sleep", "600"}}
}

// server is a service that answers at a free port.
func server(t *testing.T, name string) hub.ServiceSpec {
	t.Helper()
	self, err := os.Executable()
	noErr(t, err)
	address := freeAddress(t)
	return hub.ServiceSpec{Name: name, URL: "http://" + address, Command: []string{self, "serve", address}}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freeport.For(t))
}

// router records routes.
type router struct {
	mu     sync.Mutex
	routes map[string]hub.WantedRoute
	fail   error
}

func (r *router) AddRoute(_ context.Context, spec, target string, data map[string]any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail == nil {
		r.routes[spec] = hub.WantedRoute{Target: target, Data: data}
	}
	return r.fail
}

func (r *router) DeleteRoute(_ context.Context, spec string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail == nil {
		delete(r.routes, spec)
	}
	return r.fail
}

func (r *router) all() map[string]hub.WantedRoute {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.routes)
}

func (r *router) breaks(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// prober asks over HTTP, without the pauses of a real hub.
type prober struct{ patience *atomic.Int64 } // nanoseconds; nil and 0: as long as it may

func (p prober) WaitUp(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
	if p.patience != nil && p.patience.Load() > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(p.patience.Load()))
		defer cancel()
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode < 500 {
				return "", nil
			}
		}
		if err := alive(ctx); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", errors.New("no answer")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// logBuffer collects a log that is written by many goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) has(text string) bool { return strings.Contains(b.String(), text) }
