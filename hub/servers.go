package hub

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
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
//
// Locks: mu (the registry) before a liveServer's mu before a progressLog's; none is held while a spawner, hook, proxy or the
// database is asked. What takes long claims the server first: its stage says what is going on, and its outcome tells when that ended.
type Servers struct {
	o         ServersOptions
	ctx       context.Context // the hub's own context: a start outlives the request that asked for it
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	changes   Changes
	admission sync.Mutex // counting and admitting a start is one step; taken before mu

	mu       sync.Mutex
	closed   bool
	live     map[serverKey]*liveServer
	byUser   map[int64]map[string]*liveServer
	failures int           // consecutive failed starts
	orphans  chan struct{} // closed when left-over processes are gone; nil: nobody looks for any
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

// Changes tells whose servers or account changed. Closing it ends what follows it.
func (s *Servers) Changes() *Changes { return &s.changes }

// Changed tells followers of Changes that a user was made, changed or deleted.
func (s *Servers) Changed(user string) { s.changes.Note(user) }

// Close ends starts in progress and all watching, and waits for both or for ctx. Running servers go on.
func (s *Servers) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
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

// run calls f in a goroutine that Close waits for; false when the hub stops already.
func (s *Servers) run(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Go(f)
	return true
}

func hubStops() *Error {
	return &Error{Kind: Unavailable, Message: "The hub is stopping", Hint: "try again when it is back"}
}

// get returns the live object of a server, making one when there is none.
func (s *Servers) get(user *orm.User, row *orm.Spawner) *liveServer {
	s.mu.Lock()
	key := serverKey{user.ID, row.Name}
	l := s.live[key]
	if l != nil && l.spawnID == row.ID && (l.userName == user.Name || !l.retire()) {
		s.mu.Unlock()
		return l // a running server of a renamed user keeps the name that its process knows
	}
	old := l
	l = &liveServer{userID: user.ID, userName: user.Name, spawnID: row.ID, name: row.Name}
	l.changed = func() { s.changes.Note(l.userName) }
	s.live[key] = l
	if s.byUser[user.ID] == nil {
		s.byUser[user.ID] = map[string]*liveServer{}
	}
	s.byUser[user.ID][row.Name] = l
	s.mu.Unlock()
	if old != nil {
		s.abandon(old) // its row was deleted and made again by somebody else
	}
	return l
}

// forget drops a live object from the registry.
func (s *Servers) forget(l *liveServer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := serverKey{l.userID, l.name}
	if s.live[key] != l {
		return
	}
	delete(s.live, key)
	if m := s.byUser[key.userID]; m != nil {
		delete(m, key.name)
		if len(m) == 0 {
			delete(s.byUser, key.userID)
		}
	}
}

// abandon ends whatever a server without a row does.
func (s *Servers) abandon(l *liveServer) {
	if l.retire() {
		return
	}
	s.run(func() {
		if err := s.stopLive(l, StopOptions{Quiet: true}); err != nil {
			s.o.Logger.ErrorContext(s.ctx, "server of a deleted row could not be stopped", "user", l.userName, "server", l.name, "err", err)
		}
	})
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
	return slices.Collect(maps.Values(s.live))
}

func (s *Servers) ofUser(userID int64) []*liveServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.byUser[userID]))
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
		return nil, &Error{Kind: NotFound, Message: "No such server: " + logName(user.Name, clip(name, 64))}
	}
	return row, storeErr(err, "look up server %s", logName(user.Name, name))
}

// ensureRow finds or makes the row of a server.
func (s *Servers) ensureRow(ctx context.Context, user *orm.User, name, displayName string) (*orm.Spawner, error) {
	row, err := s.row(ctx, user, name)
	if KindOf(err) != NotFound {
		return row, err
	}
	row = &orm.Spawner{UserID: user.ID, Name: name, DisplayName: &displayName}
	err = s.createRow(ctx, user, row)
	if errors.Is(err, orm.ErrConflict) {
		return s.row(ctx, user, name) // somebody else was quicker
	}
	return row, err
}

// createRow inserts a server's row, within named_server_limit_per_user even when several requests come at once.
func (s *Servers) createRow(ctx context.Context, user *orm.User, row *orm.Spawner) error {
	limit, err := s.namedLimit(ctx, user, row.Name)
	if err != nil {
		return err
	}
	err = s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		if err := tx.CreateSpawner(ctx, row); err != nil {
			return err
		}
		if row.Name == "" {
			return nil
		}
		return s.checkLimit(ctx, tx, user, limit, 1)
	})
	if KindOf(err) != 0 || errors.Is(err, orm.ErrConflict) {
		return err
	}
	return storeErr(err, "create server %s", logName(user.Name, row.Name))
}
