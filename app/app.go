package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/metrics"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/services"
	"github.com/minihub/minihub/spawner"
)

// Options are what comes from outside of the configuration.
type Options struct {
	Logger    *slog.Logger
	LookupEnv func(string) (string, bool) // nil: os.LookupEnv
	Hostname  string                      // "": os.Hostname
	Began     time.Time                   // when the process started, for hub_startup_duration_seconds

	// For hubs inside of tests; nil changes nothing.
	Now     func() time.Time                                                         // what cookies are signed with and checked against
	Driver  func(spawner.Driver) spawner.Driver                                      // put around the spawner
	Handler func(http.Handler) http.Handler                                          // put around all that the hub answers itself
	Listen  func(ctx context.Context, network, address string) (net.Listener, error) // instead of net.ListenConfig
	Inspect *Inspect                                                                 // for minihub dev alone
}

// App is one hub.
type App struct {
	cfg   *config.Config
	o     Options
	urls  config.URLs
	torn  config.TornadoSettings
	parts parts

	py      *pythonPart // nil: nothing of the configuration lives in Python
	secrets *secrets
	store   *orm.Store
	unlock  func() error // of the database; nil before the start
	metrics *metrics.Metrics
	core    *core
	edge    *edge
	listen  *listeners

	profiling *profiling // nil without --pprof

	restoring chan error // result of the check of running servers

	quit     chan struct{} // closed when the hub must end
	quitOnce sync.Once
	mu       sync.Mutex
	why      error // of the end; nil: asked for
	cleanup  struct{ proxy, servers, done bool }
}

// core are the parts that know no HTTP.
type core struct {
	access   *hub.Access
	users    *hub.Users
	groups   *hub.Groups
	tokens   *hub.Tokens
	shares   *hub.Shares
	logins   *hub.Logins
	servers  *hub.Servers
	activity *hub.Activity
	services *services.Services
	rows     *hub.ServiceRows
	setup    *hub.Setup
	routes   *Routes
	driver   spawner.Driver
	rules    *auth.Rules
	who      string // who can log in, in words
}

// New builds a hub. Nothing listens and nothing is started yet, but the database is open. Errors name the trait that is wrong.
func New(ctx context.Context, cfg *config.Config, o Options) (*App, error) {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	if o.Listen == nil {
		o.Listen = new(net.ListenConfig).Listen
	}
	if o.Began.IsZero() {
		o.Began = time.Now()
	}
	a := &App{cfg: cfg, o: o, quit: make(chan struct{}), parts: parts{log: o.Logger}}
	a.cleanup.proxy, a.cleanup.servers = cfg.JupyterHub.CleanupProxy, cfg.JupyterHub.CleanupServers
	steps := []func(context.Context) error{a.prepare, a.openStore, a.startPython, a.buildCore, a.buildEdge, a.buildListeners}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if a.store != nil {
				err = errors.Join(err, a.store.Close(), a.py.close())
			}
			return nil, err
		}
	}
	a.arrange()
	return a, nil
}

// prepare works out addresses and loads secrets.
func (a *App) prepare(context.Context) (err error) {
	if a.urls, err = config.ComputeURLs(a.cfg, a.o.Hostname); err != nil {
		return err
	}
	if a.torn, err = a.cfg.JupyterHub.Tornado(); err != nil {
		return fmt.Errorf("JupyterHub.tornado_settings: %w", err)
	}
	prefix, _ := a.o.LookupEnv("JUPYTERHUB_METRICS_PREFIX")
	a.metrics = metrics.New(metrics.Options{Prefix: prefix, SpawnBuckets: a.buckets("JUPYTERHUB_SERVER_SPAWN_DURATION_SECONDS_BUCKETS"),
		StopBuckets: a.buckets("JUPYTERHUB_SERVER_STOP_DURATION_SECONDS_BUCKETS")})
	a.secrets, err = loadSecrets(a.cfg, a.o)
	return err
}

func (a *App) openStore(ctx context.Context) (err error) {
	h := &a.cfg.JupyterHub
	a.store, err = orm.Open(ctx, orm.Options{URL: h.DBURL, Upgrade: h.UpgradeDB, Reset: h.ResetDB, Kwargs: h.DBKwargs, LogSQL: h.DebugDB, Logger: a.o.Logger})
	return databaseError(err)
}

// lockDatabase keeps a second hub away: two would start, stop and clean up the same servers.
func (a *App) lockDatabase(ctx context.Context) (err error) {
	a.unlock, err = a.store.Lock(ctx)
	if err != nil {
		return fmt.Errorf("JupyterHub.db_url: %w", err)
	}
	return nil
}

// arrange lists the parts in the order in which they start.
func (a *App) arrange() {
	p := &a.parts
	p.add("profiles", a.startProfiling, a.stopProfiling)
	p.add("python", nil, func(context.Context) error { return a.py.close() })
	p.add("store", nil, func(context.Context) error { return a.store.Close() })
	p.add("lock of the database", a.lockDatabase, func(context.Context) error { return a.unlock() })
	p.add("activity", nil, func(context.Context) error { a.core.activity.Close(); return nil })
	p.add("pid file", a.writePID, a.removePID)
	p.add("roles, users, groups and services", a.runSetup, nil)
	p.add("servers", nil, func(ctx context.Context) error { return a.core.servers.Close(ctx) })
	p.add("running servers", a.restore, nil)
	p.add("listeners", a.listen.start, a.listen.stop)
	p.add("checks of running servers", a.restored, a.stopServers)
	p.add("services", a.core.services.Start, a.stopProcesses)
	p.add("proxy routes", func(ctx context.Context) error { return a.core.routes.Check(ctx) }, nil)
	p.add("oauth clients", func(ctx context.Context) error { return a.core.setup.Cleanup(ctx) }, nil)
	timers := newTimers()
	p.add("timers", func(ctx context.Context) error { a.startTimers(timers); return nil }, timers.stop)
}

func (a *App) runSetup(ctx context.Context) error {
	result, err := a.core.setup.Run(ctx)
	if err != nil {
		return err
	}
	a.metrics.SetUsers(result.TotalUsers)
	a.core.services.Load(result.Services)
	return a.core.servers.CheckNames(ctx)
}

// The ports stay closed for the check of running servers, so that nobody sees "check" who waits for a few of them: at most a second,
// and less when there are many. Those take longer; the hub answers meanwhile.
const (
	restoreHead     = time.Second
	restoreHeadMany = 100 * time.Millisecond
	fewServers      = 50
)

// restore begins to take over the servers of an earlier hub. Their state is known when it returns, so that requests see "check".
func (a *App) restore(ctx context.Context) error {
	begin := time.Now()
	done := make(chan error, 1)
	a.restoring = done
	go func() {
		err := a.core.servers.Restore(context.WithoutCancel(ctx), a.core.rules.Blocked)
		a.metrics.RestoredServers(time.Since(begin))
		done <- err
	}()
	wait := restoreHead
	if n, err := a.store.CountActive(ctx); err != nil || n > fewServers {
		wait = restoreHeadMany
	}
	head := time.NewTimer(wait)
	defer head.Stop()
	select {
	case err := <-done:
		done <- nil // for restored
		return err
	case <-head.C:
		return nil
	}
}

// restored waits until the check is done, or init_spawners_timeout is over.
func (a *App) restored(ctx context.Context) error {
	select {
	case err := <-a.restoring:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopProcesses stops services and servers side by side, because each of them may take its time-outs.
func (a *App) stopProcesses(ctx context.Context) error {
	servers := make(chan error, 1)
	go func() { servers <- a.stopServers(ctx) }()
	err := a.core.services.Stop(ctx)
	return errors.Join(err, <-servers)
}

// stopServers stops all servers when the hub ends, unless they are to go on. The second call does nothing.
func (a *App) stopServers(ctx context.Context) error {
	a.mu.Lock()
	clean, done := a.cleanup.servers, a.cleanup.done
	a.cleanup.done = true
	a.mu.Unlock()
	if done {
		return nil
	}
	if !clean {
		a.o.Logger.InfoContext(ctx, "leaving servers running (cleanup_servers = False)")
		return nil
	}
	return a.core.servers.StopAll(ctx)
}

// Start starts the hub and returns when it serves requests.
func (a *App) Start(ctx context.Context) error {
	if err := a.parts.start(ctx); err != nil {
		return err
	}
	a.metrics.StartedUp(time.Since(a.o.Began))
	return nil
}

// Stop stops the hub. It may be called once, after Start.
func (a *App) Stop(ctx context.Context) error { return a.parts.stop(ctx) }

// Done is closed when the hub wants to end: somebody asked for it, or it cannot go on.
func (a *App) Done() <-chan struct{} { return a.quit }

// Err is why the hub wants to end; nil when somebody asked for it.
func (a *App) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.why
}

func (a *App) end(why error) {
	a.quitOnce.Do(func() {
		a.mu.Lock()
		a.why = why
		a.mu.Unlock()
		close(a.quit)
	})
}

// shutdown is POST /hub/api/shutdown.
func (a *App) shutdown(proxy, servers *bool) {
	a.mu.Lock()
	if proxy != nil {
		a.cleanup.proxy = *proxy
	}
	if servers != nil {
		a.cleanup.servers = *servers
	}
	a.mu.Unlock()
	a.end(nil)
}

// Summary tells a person where the hub is and who can log in.
func (a *App) Summary() (url, who string) { return a.listen.publicURL(), a.core.who }

// PublicURL is the address of the hub with base_url, after Start.
func (a *App) PublicURL() string {
	u, err := url.Parse(a.listen.publicURL())
	if err != nil {
		return a.listen.publicURL()
	}
	u.Path = a.urls.BaseURL
	return u.String()
}

// HubID identifies this database's hub.
func (a *App) HubID(ctx context.Context) (string, error) { return a.store.HubID(ctx) }
