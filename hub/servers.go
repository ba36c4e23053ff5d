package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
)

// ServersOptions are what Servers needs. Store, Driver, Router, Prober and Catalog are mandatory.
type ServersOptions struct {
	Store    *orm.Store
	Driver   spawner.Driver
	Router   Router
	Prober   Prober
	Catalog  *rbac.Catalog
	Activity *Activity
	Traits   ServerTraits
	Hooks    Hooks
	Observer Observer    // nil: nobody is told
	Abort    func(error) // consecutive_failure_limit was reached; nil: only logged
	Logger   *slog.Logger
}

// Servers starts, watches, stops and edits single-user servers. It owns the live state of every server; rows of the
// database say what exists, this object says what is happening. Safe for concurrent use.
type Servers struct {
	o      ServersOptions
	ctx    context.Context // the hub's own context: a start outlives the request that asked for it
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	live     map[serverKey]*liveServer
	byUser   map[int64]map[string]*liveServer
	failures int // consecutive failed starts
}

type serverKey struct {
	userID int64
	name   string
}

// NewServers returns a Servers; Close ends its goroutines.
func NewServers(o ServersOptions) *Servers {
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Servers{o: o, ctx: ctx, cancel: cancel, live: map[serverKey]*liveServer{}, byUser: map[int64]map[string]*liveServer{}}
}

// Close ends starts in progress and all watching, and waits for both or for ctx. Running servers go on.
func (s *Servers) Close(ctx context.Context) error {
	s.cancel()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stage is where a live server is; exactly one owner changes it, under liveServer.mu.
type stage int

const (
	stopped  stage = iota
	starting       // pending "spawn"
	ready
	stopping // pending "stop"
	checking // pending "check": after a hub restart
	renaming // pending "rename"
)

func (st stage) pending() string {
	return [...]string{"", "spawn", "", "stop", "check", "rename"}[st]
}

// liveServer is the in-memory side of one server. mu guards the fields below it and is never held across I/O.
type liveServer struct {
	userID   int64
	userName string
	spawnID  int64 // spawners.id

	mu       sync.Mutex
	name     string
	stage    stage
	sp       spawner.Spawner
	addr     *orm.Server
	waiting  bool // the process runs, its HTTP answer is awaited
	routed   bool
	failed   *Error
	diag     *spawner.Diagnosis
	cancel   context.CancelCauseFunc // ends the start in progress
	started  chan struct{}           // closed when the start in progress ended
	stopDone chan struct{}           // closed when the stop in progress ended
	stopPoll context.CancelFunc
	progress *progressLog
}

func (l *liveServer) identity() spawner.Identity {
	return spawner.Identity{UserName: l.userName, ServerName: l.name}
}

// logName is how JupyterHub's messages name a server: user, or user:server.
func logName(user, server string) string {
	if server == "" {
		return user
	}
	return user + ":" + server
}

// get returns the live object of a server, making one when there is none.
func (s *Servers) get(user *orm.User, row *orm.Spawner) *liveServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := serverKey{user.ID, row.Name}
	if l := s.live[key]; l != nil {
		if l.spawnID == row.ID {
			return l
		}
		s.forget(key) // the row was deleted and made again by somebody else
	}
	l := &liveServer{userID: user.ID, userName: user.Name, spawnID: row.ID, name: row.Name}
	s.live[key] = l
	if s.byUser[user.ID] == nil {
		s.byUser[user.ID] = map[string]*liveServer{}
	}
	s.byUser[user.ID][row.Name] = l
	return l
}

// forget drops a live object; s.mu is held.
func (s *Servers) forget(key serverKey) {
	delete(s.live, key)
	if m := s.byUser[key.userID]; m != nil {
		delete(m, key.name)
		if len(m) == 0 {
			delete(s.byUser, key.userID)
		}
	}
}

// find returns the live object of a server, nil when there is none.
func (s *Servers) find(userID int64, name string) *liveServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[serverKey{userID, name}]
}

func (s *Servers) all() []*liveServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*liveServer, 0, len(s.live))
	for _, l := range s.live {
		out = append(out, l)
	}
	return out
}

// URLPath is the path of a server: base_url, "user", name and server name, percent-encoded, with a trailing slash.
func (s *Servers) URLPath(user, server string) string {
	return ServerPath(s.o.Traits.URLs.BaseURL, user, server)
}

// ServerPath is URLPath for a given base_url.
func ServerPath(baseURL, user, server string) string {
	if server == "" {
		return urlpath.Join(baseURL, "user", urlpath.Escape(user), "/")
	}
	return urlpath.Join(baseURL, "user", urlpath.Escape(user), urlpath.Escape(server), "/")
}

// row finds the row of a server; NotFound when there is none.
func (s *Servers) row(ctx context.Context, user *orm.User, name string) (*orm.Spawner, error) {
	row, err := s.o.Store.SpawnerByName(ctx, user.ID, name)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, &Error{Kind: NotFound, Message: "No such server: " + logName(user.Name, name)}
	}
	return row, err
}

// ensureRow finds or makes the row of a server.
func (s *Servers) ensureRow(ctx context.Context, user *orm.User, name, displayName string) (*orm.Spawner, error) {
	row, err := s.o.Store.SpawnerByName(ctx, user.ID, name)
	if err == nil || !errors.Is(err, orm.ErrNotFound) {
		return row, err
	}
	row = &orm.Spawner{UserID: user.ID, Name: name, DisplayName: &displayName}
	if err := s.o.Store.CreateSpawner(ctx, row); err != nil {
		if again, err2 := s.o.Store.SpawnerByName(ctx, user.ID, name); err2 == nil {
			return again, nil // somebody else was quicker
		}
		return nil, err
	}
	return row, nil
}
