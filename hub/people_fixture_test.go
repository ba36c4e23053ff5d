package hub_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// people is a hub without servers on a real SQLite file.
type people struct {
	t        testing.TB
	path     string
	store    *orm.Store
	catalog  *rbac.Catalog
	rules    *auth.Rules
	auth     *fakeAuth
	seen     *fakeSeen
	servers  *fakeServers
	access   *hub.Access
	users    *hub.Users
	logins   *hub.Logins
	groups   *hub.Groups
	tokens   *hub.Tokens
	shares   *hub.Shares
	services *hub.ServiceRows
	log      *logBuffer
	total    int // gauge
}

// peopleOptions change what newPeople makes; the zero value lets everybody in.
type peopleOptions struct {
	rules     auth.RulesOptions
	traits    hub.LoginTraits
	keys      []string
	throttle  *auth.Throttle
	custom    map[string]rbac.CustomScope
	maxExpiry time.Duration
	specs     hub.SetupSpecs
	noSetup   bool
	size      int
	path      string
}

func newPeople(t testing.TB, change ...func(*peopleOptions)) *people {
	t.Helper()
	yes := true
	o := peopleOptions{rules: auth.RulesOptions{AllowAll: &yes}}
	for _, f := range change {
		f(&o)
	}
	if o.path == "" {
		o.path = filepath.Join(t.TempDir(), "hub.sqlite")
	}
	p := &people{t: t, path: o.path, auth: newFakeAuth(), seen: newFakeSeen(), log: &logBuffer{}}
	p.store = openStore(t, o.path)
	p.catalog = need(rbac.NewCatalog(o.custom))
	p.rules = need(auth.NewRules(o.rules))
	logger := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.access = hub.NewAccess(hub.AccessOptions{Store: p.store, Catalog: p.catalog, Seen: p.seen, Logger: logger, Size: o.size})
	p.servers = &fakeServers{store: p.store}
	p.users = hub.NewUsers(hub.UsersOptions{Store: p.store, Rules: p.rules, Authenticator: p.auth, Servers: p.servers, Catalog: p.catalog,
		Logger: logger, TotalUsers: func(delta int) { p.total += delta }})
	var crypt *auth.CryptKeeper
	if len(o.keys) > 0 {
		crypt = need(auth.NewCryptKeeper(o.keys...))
	}
	p.logins = hub.NewLogins(hub.LoginsOptions{Store: p.store, Authenticator: p.auth, Rules: p.rules, Crypt: crypt, Users: p.users,
		Throttle: o.throttle, Traits: o.traits, Logger: logger})
	p.users.SetAuthStates(p.logins)
	p.groups = hub.NewGroups(hub.GroupsOptions{Store: p.store, Rules: p.rules, Logger: logger})
	p.tokens = hub.NewTokens(hub.TokensOptions{Store: p.store, Access: p.access, Catalog: p.catalog, MaxExpiry: o.maxExpiry, Logger: logger})
	p.shares = hub.NewShares(hub.SharesOptions{Store: p.store, Access: p.access, Catalog: p.catalog, Servers: p.servers, Logger: logger})
	p.services = hub.NewServiceRows(hub.ServiceRowsOptions{Store: p.store, Tokens: p.tokens, Catalog: p.catalog, Logger: logger})
	if !o.noSetup {
		_, err := p.setup(o.specs)
		noErr(t, err)
	}
	return p
}

// setup runs start-up with the specs on the open store.
func (p *people) setup(specs hub.SetupSpecs) (*hub.SetupResult, error) {
	p.total = 0
	return p.newSetup(specs).Run(p.t.Context())
}

func (p *people) newSetup(specs hub.SetupSpecs) *hub.Setup {
	return hub.NewSetup(hub.SetupOptions{Store: p.store, Catalog: p.catalog, Users: p.users, Rules: p.rules, Tokens: p.tokens,
		Services: p.services, Specs: specs, Logger: slog.New(slog.NewTextHandler(p.log, nil))})
}

func openStore(t testing.TB, path string) *orm.Store {
	t.Helper()
	s, err := orm.Open(context.Background(), orm.Options{URL: path})
	noErr(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// user makes a user with the default roles.
func (p *people) user(name string) *orm.User {
	p.t.Helper()
	u, _, err := p.users.Ensure(p.t.Context(), name)
	noErr(p.t, err)
	return u
}

// admin makes a user with the admin flag.
func (p *people) admin(name string) *hub.Identity {
	p.t.Helper()
	_, err := p.users.Create(p.t.Context(), nil, []string{name}, true)
	noErr(p.t, err)
	return p.as(name)
}

// as returns what a user is right now.
func (p *people) as(name string) *hub.Identity {
	p.t.Helper()
	u, err := p.users.Find(p.t.Context(), name)
	noErr(p.t, err)
	id, err := p.access.OfUser(p.t.Context(), u.ID)
	noErr(p.t, err)
	return id
}

// holding makes a user who has exactly these scopes beside those of the role "user", through a role of their own.
func (p *people) holding(name string, scopes ...string) *hub.Identity {
	p.t.Helper()
	u := p.user(name)
	p.role("role-of-"+name, scopes, orm.HolderUser, u.ID)
	return p.as(name)
}

func (p *people) role(name string, scopes []string, kind orm.RoleHolder, ids ...int64) *orm.Role {
	p.t.Helper()
	role := &orm.Role{Name: name, Scopes: scopes}
	noErr(p.t, p.store.CreateRole(p.t.Context(), role))
	noErr(p.t, p.store.Grant(p.t.Context(), kind, ids, role.ID, false))
	return role
}

// group makes a group with members.
func (p *people) group(name string, members ...string) *orm.Group {
	p.t.Helper()
	_, err := p.groups.CreateOne(p.t.Context(), name, members)
	noErr(p.t, err)
	g, err := p.store.GroupByName(p.t.Context(), name)
	noErr(p.t, err)
	return g
}

// service makes a service row with a role of these scopes.
func (p *people) service(name string, scopes ...string) *orm.Service {
	p.t.Helper()
	row := &orm.Service{Name: name, FromConfig: true, Timeout: 30}
	noErr(p.t, p.store.SaveService(p.t.Context(), row))
	if len(scopes) > 0 {
		p.role("role-of-service-"+name, scopes, orm.HolderService, row.ID)
	}
	return row
}

// server makes the row of a server.
func (p *people) server(owner, name string) *orm.Spawner {
	p.t.Helper()
	u, err := p.users.Find(p.t.Context(), owner)
	noErr(p.t, err)
	row := &orm.Spawner{UserID: u.ID, Name: name}
	noErr(p.t, p.store.CreateSpawner(p.t.Context(), row))
	return row
}

// token issues a token with raw scopes.
func (p *people) token(user string, scopes ...string) string {
	p.t.Helper()
	u, err := p.users.Find(p.t.Context(), user)
	noErr(p.t, err)
	token, _, err := p.tokens.Issue(p.t.Context(), orm.APIToken{UserID: &u.ID}, scopes)
	noErr(p.t, err)
	return token
}

// byToken returns the identity behind a token, nil when there is none.
func (p *people) byToken(token string) *hub.Identity {
	p.t.Helper()
	id, err := p.access.ByToken(p.t.Context(), token)
	noErr(p.t, err)
	return id
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// wantErr compares the kind and, when given, the message of an error.
func wantErr(t testing.TB, err error, kind hub.Kind, message string) {
	t.Helper()
	var e *hub.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v, want kind %v", err, kind)
	}
	if message != "" && e.Message != message {
		t.Fatalf("message %q, want %q", e.Message, message)
	}
}

func hintOf(err error) string {
	var e *hub.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

func ptr[T any](v T) *T { return &v }

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }

// fakeAuth accepts a password that equals the name, and does what its fields say.
type fakeAuth struct {
	mu       sync.Mutex
	model    func(req auth.Request) (*auth.Model, error)
	refresh  func(u auth.User) (bool, *auth.Model, error)
	refuse   map[string]bool // names that AddUser refuses
	added    []string
	deleted  []string
	calls    int // of Refresh
	failNext error
}

func newFakeAuth() *fakeAuth { return &fakeAuth{refuse: map[string]bool{}} }

func (a *fakeAuth) Name() string { return "hub_test.FakeAuthenticator" }

func (a *fakeAuth) Authenticate(_ context.Context, req auth.Request) (*auth.Model, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failNext != nil {
		err := a.failNext
		a.failNext = nil
		return nil, err
	}
	if a.model != nil {
		return a.model(req)
	}
	if req.Password != req.Username {
		return nil, nil
	}
	return &auth.Model{Name: req.Username}, nil
}

func (a *fakeAuth) Refresh(_ context.Context, u auth.User) (bool, *auth.Model, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if a.refresh == nil {
		return true, nil, nil
	}
	return a.refresh(u)
}

func (a *fakeAuth) AddUser(_ context.Context, u auth.User) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuse[u.Name] {
		return errors.New("no such system user")
	}
	a.added = append(a.added, u.Name)
	return nil
}

func (a *fakeAuth) DeleteUser(_ context.Context, u auth.User) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deleted = append(a.deleted, u.Name)
	return nil
}

// fakeSeen remembers who was seen.
type fakeSeen struct {
	mu            sync.Mutex
	users, tokens map[int64]int
}

func newFakeSeen() *fakeSeen { return &fakeSeen{users: map[int64]int{}, tokens: map[int64]int{}} }

func (s *fakeSeen) SeenUser(id int64, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[id]++
}

func (s *fakeSeen) SeenToken(id int64, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[id]++
}

func (s *fakeSeen) First(userID, tokenID int64, at time.Time) {
	if userID != 0 {
		s.SeenUser(userID, at)
	}
	if tokenID != 0 {
		s.SeenToken(tokenID, at)
	}
}

func (s *fakeSeen) Settle(context.Context) {}

func (s *fakeSeen) ofUser(id int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[id]
}

// fakeServers shows the rows of servers; those in ready are ready.
type fakeServers struct {
	store     *orm.Store
	mu        sync.Mutex
	ready     map[int64]bool
	stopErr   error
	stopped   []string
	forgotten []int64
	renamed   []string
}

func (f *fakeServers) Views(ctx context.Context, users []orm.User) (map[int64][]hub.ServerView, error) {
	ids := make([]int64, len(users))
	names := map[int64]string{}
	for i, u := range users {
		ids[i], names[u.ID] = u.ID, u.Name
	}
	rows, err := f.store.SpawnersOfUsers(ctx, ids)
	out := map[int64][]hub.ServerView{}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, list := range rows {
		for _, row := range list {
			out[id] = append(out[id], hub.ServerView{Spawner: row, UserName: names[id], Ready: f.ready[row.ID], Active: f.ready[row.ID]})
		}
	}
	return out, err
}

func (f *fakeServers) StopForDelete(_ context.Context, u *orm.User) error {
	f.stopped = append(f.stopped, u.Name)
	return f.stopErr
}

func (f *fakeServers) Changed(string)      {}
func (f *fakeServers) ForgetUser(id int64) { f.forgotten = append(f.forgotten, id) }

func (f *fakeServers) Renamed(_ context.Context, u *orm.User, old string) error {
	f.renamed = append(f.renamed, old+">"+u.Name)
	return nil
}

var (
	_ auth.Authenticator = (*fakeAuth)(nil)
	_ auth.Refresher     = (*fakeAuth)(nil)
	_ auth.UserHooks     = (*fakeAuth)(nil)
	_ hub.Seen           = (*fakeSeen)(nil)
	_ hub.ServerViews    = (*fakeServers)(nil)
	_ hub.AuthStates     = (*hub.Logins)(nil)
	_ hub.ServerViews    = (*hub.Servers)(nil)
)
