package hub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// rig is a hub with servers: a real SQLite file, and processes, proxy and HTTP answers that are made up and obey the test.
type rig struct {
	*people
	driver   *fakeDriver
	router   *fakeRouter
	prober   *fakeProber
	watch    *fakeObserver
	activity *hub.Activity
	live     *hub.Servers
	options  hub.ServersOptions
	events   *eventLog
	aborted  atomic.Int64
}

type rigOptions struct {
	traits hub.ServerTraits
	hooks  hub.Hooks
	wrap   func(*fakeDriver) spawner.Driver
}

func newRig(t testing.TB, change ...func(*rigOptions)) *rig {
	t.Helper()
	o := rigOptions{traits: hub.ServerTraits{
		AllowNamedServers: true, SlowSpawnTimeout: 10 * time.Second, SlowStopTimeout: 10 * time.Second, InitSpawnersTimeout: 10 * time.Second,
		ThrottleRetry: [2]time.Duration{30 * time.Second, 60 * time.Second}, ListText: jsonText,
		URLs:  hub.ServerURLs{BaseURL: "/", HubAPIURL: "http://127.0.0.1:8081/hub/api"},
		Spawn: hub.SpawnTraits{Cmd: []string{"jupyterhub-singleuser"}, IP: "127.0.0.1", Port: 34567, StartTimeout: time.Minute, HTTPTimeout: 30 * time.Second},
	}}
	for _, f := range change {
		f(&o)
	}
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // the first to be registered is the last to run
	events := &eventLog{}
	r := &rig{people: newPeople(t), events: events, router: &fakeRouter{events: events, routes: map[string]string{}}, prober: &fakeProber{},
		watch: &fakeObserver{}, driver: &fakeDriver{events: events, procs: map[string]*fakeProc{}, deleteErr: map[string]error{}}}
	r.activity = hub.NewActivity(hub.ActivityOptions{Store: r.store})
	t.Cleanup(r.activity.Close)
	var d spawner.Driver = r.driver
	if o.wrap != nil {
		d = o.wrap(r.driver)
	}
	r.options = hub.ServersOptions{Store: r.store, Driver: d, Router: r.router, Prober: r.prober, Catalog: r.catalog, Activity: r.activity, Traits: o.traits,
		Hooks: o.hooks, Observer: r.watch, Abort: func(error) { r.aborted.Add(1) },
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	r.newHub()
	return r
}

// newHub makes Servers as a hub process has them; called again, it is the process after a restart.
func (r *rig) newHub() {
	s := hub.NewServers(r.options)
	r.live = s
	r.people.users.SetServers(s)
	r.t.Cleanup(func() { noErr(r.t, s.Close(context.Background())) })
}

// crash ends the hub process; what runs goes on.
func (r *rig) crash() {
	noErr(r.t, r.live.Close(context.Background()))
	r.router.clear()
	r.newHub()
}

func (r *rig) aborts() int { return int(r.aborted.Load()) }

func (r *rig) start(u *orm.User, name string) (hub.StartState, error) {
	return r.live.Start(r.t.Context(), u, name, hub.StartOptions{KeepOptions: true})
}

func (r *rig) mustStart(u *orm.User, name string) {
	r.t.Helper()
	st, err := r.start(u, name)
	noErr(r.t, err)
	if st != hub.Started {
		r.t.Fatalf("start of %s/%s: %v", u.Name, name, st)
	}
}

func (r *rig) mustStop(u *orm.User, name string, o hub.StopOptions) {
	r.t.Helper()
	done, err := r.live.Stop(r.t.Context(), u, name, o)
	noErr(r.t, err)
	if !done {
		r.t.Fatal("stop goes on in the background")
	}
}

func (r *rig) view(u *orm.User, name string) *hub.ServerView {
	r.t.Helper()
	v, err := r.live.View(r.t.Context(), u, name)
	noErr(r.t, err)
	return v
}

func (r *rig) row(u *orm.User, name string) *orm.Spawner {
	r.t.Helper()
	row, err := r.store.SpawnerByName(r.t.Context(), u.ID, name)
	noErr(r.t, err)
	return row
}

// wantNothingLeft checks that a server left neither rows nor routes nor processes.
func (r *rig) wantNothingLeft(u *orm.User, name string) {
	r.t.Helper()
	ctx := r.t.Context()
	if row, err := r.store.SpawnerByName(ctx, u.ID, name); err == nil {
		if row.ServerID != nil || row.OAuthClientID != nil || row.Started != nil || len(row.State) != 0 {
			r.t.Errorf("row %+v", row)
		}
		if extra, err := r.store.ServerExtra(ctx, row.ID); !errors.Is(err, orm.ErrNotFound) {
			r.t.Errorf("extra %+v, %v", extra, err)
		}
	}
	if tokens := need(r.store.TokensOfUser(ctx, u.ID)); len(tokens) != 0 {
		r.t.Errorf("%d tokens are left, first: %v", len(tokens), *tokens[0].Note)
	}
	if clients := need(r.store.OAuthClientIDs(ctx)); !slices.Equal(clients, []string{"jupyterhub"}) {
		r.t.Errorf("clients %v", clients)
	}
	ids := make([]int64, 100)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	if servers := need(r.store.ServersByID(ctx, ids)); len(servers) != 0 {
		r.t.Errorf("%d addresses are left", len(servers))
	}
	if routes := r.router.specs(); len(routes) != 0 {
		r.t.Errorf("routes %v", routes)
	}
	if procs := r.driver.running(); len(procs) != 0 {
		r.t.Errorf("processes %v", procs)
	}
}

// until polls a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func jsonText(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return `["` + strings.Join(list, `", "`) + `"]`
}

type eventLog struct {
	mu   sync.Mutex
	list []string
}

func (e *eventLog) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, fmt.Sprintf(format, args...))
}

func (e *eventLog) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.list
	e.list = nil
	return out
}

// fakeProc is a process; it lives on when the hub ends.
type fakeProc struct {
	id     string
	marker string
	token  string
	exit   *spawner.Exit
}

// fakeDriver starts processes that are entries in a map. Its functions, when set, are called instead of succeeding at once.
type fakeDriver struct {
	events    *eventLog
	onStart   func(ctx context.Context, req spawner.Request) error
	onStop    func(ctx context.Context, id spawner.Identity, now bool) error
	onLoad    func(ctx context.Context, id spawner.Identity) error
	onPoll    func() error
	diagnosis spawner.Diagnosis
	badURL    string
	renameErr error
	deleteErr map[string]error

	mu       sync.Mutex
	procs    map[string]*fakeProc
	requests []spawner.Request
	deleted  []string
	renamed  []string
	stops    int
}

func (d *fakeDriver) Name() string                            { return "hub_test.FakeSpawner" }
func (d *fakeDriver) EnvKeep() []string                       { return nil }
func (d *fakeDriver) New(id spawner.Identity) spawner.Spawner { return &fakeSpawner{d: d, id: id} }

func (d *fakeDriver) running() (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, p := range d.procs {
		if p.exit == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// kill ends a process as a crash would.
func (d *fakeDriver) kill(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.procs[id].exit = &spawner.Exit{Code: 3, Reason: "exit code 3"}
}

func (d *fakeDriver) lastRequest() spawner.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests[len(d.requests)-1]
}

// requestFor is the latest request for the server at that base URL; empty when there was none. Unlike lastRequest it does not
// depend on what another server does meanwhile.
func (d *fakeDriver) requestFor(baseURL string) spawner.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, req := range slices.Backward(d.requests) {
		if req.BaseURL == baseURL {
			return req
		}
	}
	return spawner.Request{}
}

func (d *fakeDriver) starts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.requests)
}

type fakeSpawner struct {
	d    *fakeDriver
	id   spawner.Identity
	mu   sync.Mutex
	proc *fakeProc
}

func (s *fakeSpawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	s.d.events.add("start %s", s.id)
	s.d.mu.Lock()
	s.d.requests = append(s.d.requests, req)
	s.d.mu.Unlock()
	p := &fakeProc{id: s.id.String(), marker: req.Marker, token: req.Env["JUPYTERHUB_API_TOKEN"]}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	s.d.mu.Lock()
	s.d.procs[p.id] = p
	s.d.mu.Unlock()
	if s.d.onStart != nil {
		if err := s.d.onStart(ctx, req); err != nil {
			return "", err
		}
	}
	if s.d.badURL != "" {
		return s.d.badURL, nil
	}
	return fmt.Sprintf("http://127.0.0.1:%d", req.Port), nil
}

func (s *fakeSpawner) Poll(context.Context) (*spawner.Exit, error) {
	if s.d.onPoll != nil {
		if err := s.d.onPoll(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return &spawner.Exit{}, nil
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.proc.exit, nil
}

func (s *fakeSpawner) Stop(ctx context.Context, now bool) error {
	s.d.mu.Lock()
	s.d.stops++
	s.d.mu.Unlock()
	s.d.events.add("stop %s", s.id)
	if s.d.onStop != nil {
		if err := s.d.onStop(ctx, s.id, now); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.proc.exit = &spawner.Exit{Reason: "stopped"}
	if s.d.procs[s.proc.id] == s.proc {
		delete(s.d.procs, s.proc.id)
	}
	return nil
}

func (s *fakeSpawner) State() spawner.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	return spawner.State{"pid": 4711, "proc": s.proc.marker}
}

func (s *fakeSpawner) LoadState(ctx context.Context, state spawner.State) error {
	if s.d.onLoad != nil {
		if err := s.d.onLoad(ctx, s.id); err != nil {
			return err
		}
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	for p := range maps.Values(s.d.procs) {
		if p.id == s.id.String() && p.marker == state.Text("proc") {
			s.mu.Lock()
			s.proc = p
			s.mu.Unlock()
		}
	}
	return nil
}

func (s *fakeSpawner) Diagnose(context.Context) spawner.Diagnosis { return s.d.diagnosis }

func (s *fakeSpawner) DeleteForever(context.Context) error {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.d.deleted = append(s.d.deleted, s.id.String())
	return s.d.deleteErr[s.id.String()]
}

func (s *fakeSpawner) Rename(_ context.Context, to string) error {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.d.renamed = append(s.d.renamed, s.id.String()+">"+to)
	return s.d.renameErr
}

// orphanDriver finds processes without a row.
type orphanDriver struct {
	*fakeDriver
	scan func(ctx context.Context, hubID string, known map[string]bool) ([]string, error)
}

func (d orphanDriver) StopOrphans(ctx context.Context, hubID string, known map[string]bool) ([]string, error) {
	return d.scan(ctx, hubID, known)
}

// portDriver picks ports.
type portDriver struct {
	*fakeDriver
	err error
}

func (d portDriver) PickPort(context.Context, string) (int, error) { return 40123, d.err }

// progressDriver has spawners that tell their progress.
type progressDriver struct {
	*fakeDriver
	events []spawner.Event
}

func (d progressDriver) New(id spawner.Identity) spawner.Spawner {
	return progressSpawner{d.fakeDriver.New(id).(*fakeSpawner), d.events}
}

type progressSpawner struct {
	*fakeSpawner
	list []spawner.Event
}

func (s progressSpawner) Progress(ctx context.Context) iter.Seq[spawner.Event] {
	return func(yield func(spawner.Event) bool) {
		for _, e := range s.list {
			if !yield(e) {
				return
			}
		}
		<-ctx.Done()
	}
}

// fakeRouter is the proxy.
type fakeRouter struct {
	events *eventLog
	mu     sync.Mutex
	routes map[string]string
	data   map[string]any
	addErr error
}

func (r *fakeRouter) AddRoute(_ context.Context, spec, target string, data map[string]any) error {
	r.events.add("add %s", spec)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.addErr != nil {
		return r.addErr
	}
	r.routes[spec], r.data = target, data
	return nil
}

func (r *fakeRouter) DeleteRoute(_ context.Context, spec string) error {
	r.events.add("delete %s", spec)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routes, spec)
	return nil
}

func (r *fakeRouter) specs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.routes))
}

func (r *fakeRouter) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.routes)
}

// fakeProber answers at once unless wait says otherwise.
type fakeProber struct {
	mu   sync.Mutex
	wait func(ctx context.Context, url string, alive func(context.Context) error) (string, error)
	urls []string
}

func (p *fakeProber) WaitUp(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
	p.mu.Lock()
	p.urls = append(p.urls, url)
	wait := p.wait
	p.mu.Unlock()
	if wait == nil {
		return "6.1.1", nil
	}
	return wait(ctx, url, alive)
}

// neverUp waits for the end of ctx or of the process.
func neverUp(ctx context.Context, _ string, alive func(context.Context) error) (string, error) {
	for {
		if err := alive(ctx); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// fakeObserver counts what it is told.
type fakeObserver struct {
	mu      sync.Mutex
	spawned []string
	actions []string
	stopped []bool
	running int
}

func (o *fakeObserver) Spawned(_ time.Duration, status, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spawned = append(o.spawned, status+":"+reason)
}

func (o *fakeObserver) Stopped(_ time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = append(o.stopped, ok)
}

func (o *fakeObserver) Running(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = n
}

func (o *fakeObserver) ServerAction(_ context.Context, action, user, server string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.actions = append(o.actions, action+" "+user+"/"+server)
}

func (o *fakeObserver) Polled(time.Duration, bool)       {}
func (o *fakeObserver) RouteAdded(time.Duration, bool)   {}
func (o *fakeObserver) RouteDeleted(time.Duration, bool) {}

var (
	_ hub.Router             = (*fakeRouter)(nil)
	_ hub.Prober             = (*fakeProber)(nil)
	_ hub.Observer           = (*fakeObserver)(nil)
	_ spawner.Spawner        = (*fakeSpawner)(nil)
	_ spawner.Renamer        = (*fakeSpawner)(nil)
	_ spawner.ForeverDeleter = (*fakeSpawner)(nil)
	_ spawner.Orphans        = orphanDriver{}
	_ spawner.PortPicker     = portDriver{}
	_ spawner.Progresser     = progressSpawner{}
)
