package hub

// CONTRACT. Two helpers build hub: "people" (errors.go, identity.go, access.go, logins.go, users.go, groups.go, tokens.go, shares.go, sharecodes.go, roles.go (load_roles
// at start), setup_*.go) and "servers" (servers*.go, spawn*.go, stop*.go, progress.go, activity.go, restore.go, limits.go, hooks.go, views.go).
// Each dissolves its part of this file into well-named files; names and signatures stay, more may be added. api, web, oauthprovider, services, app compile against it.
// No net/http, no JSON on the wire, no cookies here. Every type has an Options struct and New function with at most eight dependencies.

import (
	"context"
	"iter"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// ---- servers.go ... (servers) ----

// ServerView is one server: its row and its live state.
type ServerView struct {
	orm.Spawner
	UserName string
	Addr     *orm.Server // nil when not running
	Pending  string      // "", "spawn", "stop", "check", "rename"
	Ready    bool
	Active   bool   // pending or ready
	Loaded   bool   // has an in-memory object
	Failed   *Error // last spawn failure, cleared by the next explicit start
	FailedDiagnosis *spawner.Diagnosis
	URLPath  string // "/user/name/server/" with base_url, percent-encoded
}

// StartOptions of one start.
type StartOptions struct {
	UserOptions  map[string]any // nil with KeepOptions: reuse stored options
	KeepOptions  bool
	DisplayName  *string
	By           *Identity
	Wait         time.Duration // how long Start waits (slow_spawn_timeout); 0 = the default
	HandlerArgs  map[string][]string
}

// func NewServers(o ServersOptions) *Servers    // Store, Driver spawner.Driver, Router, Clients (oauth clients live in orm), Tokens, Progress, Activity, Options ServerTraits, Hooks, Logger ...
// func (s *Servers) Start(ctx, user *orm.User, server string, o StartOptions) (state StartState /* Started | Starting | Running(400) */, err error)
// func (s *Servers) Stop(ctx, user *orm.User, server string, o StopOptions{Remove, Now bool, Wait}) (done bool, err error)
// func (s *Servers) Create(ctx, user, server, displayName, options) (*ServerView, error)   // PUT ; Update(ctx, user, server, ServerPatch{Name, DisplayName *string; UserOptions *map[string]any}) (*ServerView, error)
// func (s *Servers) View(ctx, user *orm.User, server string) (*ServerView, error)  // NotFound "No such server" ; Views(ctx, users []orm.User) (map[int64][]ServerView, error)
// func (s *Servers) Restore(ctx) error           // start-up: adopt, clean up, orphans (behaviours.md 2 step 18) ; StopAll(ctx) ; Close(ctx)
// func (s *Servers) Routes(ctx) (map[string]WantedRoute, error)   // what the proxy should have for servers ; PendingIDs() []int64
// func (s *Servers) Active(ctx, user) , Counts() (pending, active int)
// func (p *Progress) Events(ctx, user, server) (iter.Seq[ProgressEvent], error)
// func (a *Activity) SeenUser(id), SeenToken(id), SeenServer(id) at time.Time ; Post(ctx, user, body ActivityReport) error ; Flush(ctx) ; batched once a second in one transaction, forward only, resolution as behaviours.md 6

// ProgressEvent is one event of a starting server; exactly one Ready or Failed event ends a stream.
type ProgressEvent struct {
	Progress    int
	Message     string
	HTMLMessage string
	Ready       bool
	Failed      bool
	URL         string
}

// Router is the part of the proxy that hub needs; proxy.Table and proxy.CHPClient implement it through app.
type Router interface {
	AddRoute(ctx context.Context, routespec, target string, data map[string]any) error
	DeleteRoute(ctx context.Context, routespec string) error
}

// Hooks are the places of JupyterHub's hooks in the spawn flow; nil fields do nothing. Changes to *spawner.Request take effect.
type Hooks struct {
	AuthState        func(ctx context.Context, req *spawner.Request, authState any) error
	ApplyUserOptions func(ctx context.Context, req *spawner.Request, options map[string]any) error // failure: 400
	PreSpawn         func(ctx context.Context, req *spawner.Request) error
	PostStop         func(ctx context.Context, id spawner.Identity) // errors are logged by the hook's owner
	ProgressReady    func(ctx context.Context, id spawner.Identity, e ProgressEvent) ProgressEvent
	OptionsForm      func(ctx context.Context, id spawner.Identity) (html string, err error)
	OptionsFromForm  func(ctx context.Context, id spawner.Identity, form map[string][]string, files map[string][]FormFile) (map[string]any, error)
}

// FormFile is an uploaded file of a spawn form.
type FormFile struct {
	Filename, ContentType string
	Body                  []byte
}

var (
	_ iter.Seq[ProgressEvent]
	_ auth.Authenticator
)
