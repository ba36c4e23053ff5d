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
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
)

// ---- errors.go (people) ----

// Kind classifies an Error; httpmw turns it into a status.
type Kind int

const (
	Invalid     Kind = iota + 1 // 400
	Forbidden                   // 403
	NotFound                    // 404
	Conflict                    // 409
	TooMany                     // 429
	Unavailable                 // 503
	Failed                      // a spawn or login failed: Status decides, 500 by default
)

// Error is what hub returns when a request cannot be done; anything else is internal.
type Error struct {
	Kind        Kind
	Message     string // wire message, JupyterHub's words' meaning; "" = null message
	Hint        string // why and what to do, for the log and the extra "hint" key
	HTMLMessage string // optional, for pages
	Reason      string // SpawnException's reason label
	Status      int    // overrides the kind's status when not 0
	RetryAfter  time.Duration
	Err         error
}

// ---- identity.go, access.go (people) ----

// Identity is who makes a request and what they may do. Immutable; shared between requests through the cache.
type Identity struct {
	User    *orm.User    // exactly one of User and Service is set
	Service *orm.Service
	Token   *orm.APIToken // nil for a browser session (cookie)
	SessionID string
	Groups  []string    // of the user
	Scopes  rbac.Scopes // effective, parsed
	Expanded []string   // effective, sorted, unparsed; without the identify scopes added for GET /user
}

// func (i *Identity) Name() string ; Kind() string ("user"|"service") ; IsAdmin() bool ; Owner() rbac.Owner

// func NewAccess(o AccessOptions) *Access            // Store, Catalog *rbac.Catalog, Seen (activity recorder interface), Logger
// func (a *Access) ByToken(ctx, token string) (*Identity, error)                    // nil,nil: not a valid token. Cached by token digest, valid for one orm Generation; a cached answer is never stale
// func (a *Access) BySession(ctx, cookieID, sessionID string) (*Identity, error)    // nil,nil: nobody
// func (a *Access) UserScopes(ctx, userID int64) (rbac.Scopes, []string, error)     // effective scopes of a user
// func (a *Access) Check(ctx, id *Identity, t rbac.Target, anyOf ...string) error   // nil | *Error{Forbidden|NotFound} with needed/held Hint; id nil -> Forbidden "Missing or invalid credentials."
// func (a *Access) OnUser(ctx, name) rbac.Target ; OnServer(ctx, user, server) ; OnGroup(name) ; OnService(name)   // targets with lazy GroupsOf
// func (a *Access) Identify(id *Identity) []string                                  // Expanded + identify scopes, as GET /user shows

// ---- logins.go (people) ----

// LoginResult is a completed login.
type LoginResult struct {
	User    *orm.User
	Created bool
}

// func NewLogins(o LoginsOptions) *Logins
//   LoginsOptions{Store, Authenticator auth.Authenticator, Rules *auth.Rules, Crypt *auth.CryptKeeper, Traits LoginTraits{EnableAuthState, ManageGroups, ManageRoles bool, RefreshAge time.Duration, RefreshStrict, RefreshPreSpawn, RefreshPreStop bool}, Users *Users, Throttle *auth.Throttle, Logger}
// func (l *Logins) Login(ctx, req auth.Request) (*LoginResult, error)  // refused: *Error{Forbidden}; throttled: TooMany with RetryAfter; behaviours.md section 3
// func (l *Logins) Refresh(ctx, user *orm.User, force bool) (ok bool, err error)   // at most once per user per request (httpmw memoises)
// func (l *Logins) Stale(user) bool ; func (l *Logins) Logout(ctx, user *orm.User, sessionID string) error   // deletes the session's tokens
// func (l *Logins) AuthState(ctx, user *orm.User) (any, error) ; SetAuthState(ctx, user, state any) error

// ---- users.go, groups.go (people) ----

// UserPatch changes a user; nil fields stay.
type UserPatch struct {
	Name      *string
	Admin     *bool
	AuthState *any
}

// UserView is a user with what the models need, loaded without a query per row.
type UserView struct {
	orm.User
	Groups  []string
	Roles   []string // own roles
	Servers []ServerView // all rows and in-memory state, default server first, then by name
}

// UserPage is one page of users.
type UserPage struct {
	Users []UserView
	Total int
}

// func NewUsers(o UsersOptions) *Users          // Store, Rules, Authenticator (UserHooks), Servers (interface: stop, delete, views), Catalog, Logger, TotalUsers gauge callback
// func (u *Users) Get(ctx, name string) (*UserView, error) ; List(ctx, q orm.UserQuery) (UserPage, error) ; Find(ctx, name) (*orm.User, error)
// func (u *Users) Create(ctx, by *Identity, names []string, admin bool) (created []UserView, err error)   // POST /users: 409 when all exist, 400 "Invalid usernames: ..."
// func (u *Users) CreateOne(ctx, by *Identity, name string, p UserPatch) (*UserView, error)
// func (u *Users) Ensure(ctx, name string) (*orm.User, created bool, err error)     // login, config; default roles
// func (u *Users) Update(ctx, by *Identity, name string, p UserPatch) (*UserView, error) ; Delete(ctx, by *Identity, name string) error
// func NewGroups(o GroupsOptions) *Groups

// GroupView is a group with members and roles.
type GroupView struct {
	orm.Group
	Users []string
	Roles []string
}

// func (g *Groups) Get(ctx, name) (*GroupView, error) ; List(ctx, q orm.GroupQuery) ([]GroupView, int, error) ; Create(ctx, names []string, users []string) ([]GroupView, error) ; CreateOne(ctx, name, users []string) (*GroupView, error)
// func (g *Groups) Delete(ctx, name) error ; AddUsers(ctx, name, users []string) (*GroupView, error) ; RemoveUsers(...) ; SetProperties(ctx, name, props map[string]any) (*GroupView, error)

// ---- tokens.go (people) ----

// NewToken asks for a token.
type NewToken struct {
	Note      string
	ExpiresIn *time.Duration // nil: the default (maximum when configured, else never)
	Scopes    []string
	Roles     []string
}

// TokenView is a token with what its model needs.
type TokenView struct {
	orm.APIToken
	OwnerKind, OwnerName string
	Effective            []string // effective scopes
	ClientDescription    string   // "JupyterHub" for the hub's own
}

// func NewTokens(o TokensOptions) *Tokens       // Store, Access, Catalog, MaxExpiry time.Duration, Logger
// func (t *Tokens) List(ctx, userName string) ([]TokenView, error) ; Get(ctx, userName, id string) (*TokenView, error) ; Create(ctx, by *Identity /* nil: body auth as the owner */, userName string, n NewToken) (view *TokenView, token string, err error) ; Revoke(ctx, userName, id string) error
// func (t *Tokens) Issue(ctx, orm.APIToken template, scopes []string) (token string, err error)   // servers, oauth ; PurgeExpired(ctx)

// ---- shares.go, sharecodes.go (people) ----
// func NewShares(o SharesOptions) *Shares       // Store, Access, Catalog, Servers views, Logger
// type ShareView struct { orm.ShareRow; Server ServerView } ; type ShareCodeView ; type Page struct{ Offset, Limit, Total int }
// OfServer(ctx, owner, server, offset, limit) ([]ShareView, total, error) ; OfOwner(ctx, owner, ...) ; WithUser(ctx, user, ...) ; WithGroup(ctx, group, ...) ; GetWithUser(ctx, user, owner, server) (*ShareView, error) ; GetWithGroup
// Grant(ctx, by *Identity, owner, server string, to Grantee{User, Group string}, scopes []string) (*ShareView, error) ; Revoke(ctx, by, owner, server, to, scopes []string) (*ShareView /* nil when nothing is left */, error) ; RevokeAll(ctx, owner, server) error ; LeaveUser(ctx, user, owner, server) ; LeaveGroup
// CodesOfServer/CodesOfOwner ; CreateCode(ctx, by, owner, server, scopes []string, expiresIn time.Duration) (*ShareCodeView, code string, error) ; DeleteCodes(ctx, owner, server, code, id string) error ; LookupCode(ctx, code) ; Accept(ctx, by *Identity, code string) (*ShareView, error)

// ---- roles.go, setup*.go (people): behaviours.md section 2, steps 9-15 and 19, in that order, called by app through one Setup type ----
// type SetupOptions struct { Store; Catalog; Users; Rules; LoadRoles []rbac.Role; LoadGroups map[string]GroupSpec{Users []string; Properties map[string]any}; Services []ServiceSpec; ServiceTokens, APITokens map[string]string; AdminUsers...; ... }
// func NewSetup(o) *Setup ; func (s *Setup) Run(ctx) (*SetupResult, error)     // errors name the config entry, the reason and the way out; all problems of one step at once

// ServiceSpec is one entry of JupyterHub.services.
type ServiceSpec struct {
	Name, URL, APIToken, Cwd, User            string
	Admin                                     bool
	Command                                   []string
	Environment                               map[string]string
	Info                                      map[string]any
	Display                                   bool
	Timeout                                   time.Duration
	OAuthClientID, OAuthRedirectURI           string
	OAuthNoConfirm                            bool
	OAuthClientAllowedScopes, OAuthRoles      []string
	Capabilities                              []string // minihub's own; kept in info-independent column minihub_services or in Info["capabilities"]: stored in memory for config services
}

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
