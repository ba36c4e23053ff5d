package hub

import (
	"context"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// Router is the part of the proxy that hub needs. An implementation must be safe for concurrent use; adding a route
// that exists replaces it, deleting one that does not exist is no error.
type Router interface {
	AddRoute(ctx context.Context, routespec, target string, data map[string]any) error
	DeleteRoute(ctx context.Context, routespec string) error
}

// Prober waits until a started server answers HTTP on url (any status below 500 counts, redirects are not followed) and
// returns its X-JupyterHub-Version, "" when it sends none. ctx carries http_timeout. alive is asked between tries; an error
// from it ends the wait early, because a dead process never answers.
type Prober interface {
	WaitUp(ctx context.Context, url string, alive func(context.Context) error) (version string, err error)
}

// Observer is told what happens to servers, for metrics and the event log. Implementations must not block.
type Observer interface {
	Spawned(d time.Duration, status, reason string) // status success, failure or error
	Stopped(d time.Duration, ok bool)
	Polled(d time.Duration, running bool)
	RouteAdded(d time.Duration, ok bool)
	RouteDeleted(d time.Duration, ok bool)
	Running(n int)
	ServerAction(ctx context.Context, action, user, server string) // "start" or "stop" (requested ones)
}

// Hooks are the places of JupyterHub's hooks in the spawn flow (behaviours.md sections 4 and 19); nil fields do nothing.
// Changes a hook makes to *spawner.Request take effect.
type Hooks struct {
	// Prepare comes first in a start, before any row is written, and may change its traits: functions of the configuration that give
	// group_overrides and scopes.
	Prepare         func(ctx context.Context, user *orm.User, row *orm.Spawner, t *SpawnTraits) error
	RefreshPreSpawn func(ctx context.Context, user *orm.User) error                       // refresh_pre_spawn; an error refuses the start
	RefreshPreStop  func(ctx context.Context, user *orm.User) error                       // refresh_pre_stop; an error refuses the stop
	PreSpawnStart   func(ctx context.Context, user, server string) error                  // Authenticator.pre_spawn_start
	PostSpawnStop   func(ctx context.Context, user, server string) error                  // Authenticator.post_spawn_stop
	AuthState       func(ctx context.Context, user *orm.User, req *spawner.Request) error // auth_state_hook
	// Profiles is a profile_list that only Python can tell. Override makes the chosen profile known to objects in Python.
	Profiles         func(ctx context.Context, id spawner.Identity) ([]Profile, error)
	Override         func(ctx context.Context, req *spawner.Request, traits []map[string]any) error
	ApplyUserOptions func(ctx context.Context, req *spawner.Request, options map[string]any) error // failure: 400
	PreSpawn         func(ctx context.Context, req *spawner.Request) error
	PostStop         func(ctx context.Context, id spawner.Identity) error
	ProgressReady    func(ctx context.Context, id spawner.Identity, e ProgressEvent) (ProgressEvent, error)
	OptionsForm      func(ctx context.Context, id spawner.Identity) (html string, err error)
	// OptionsFromForm turns form fields, or with query the arguments of a link to /spawn (options_from_query), into user_options.
	OptionsFromForm func(ctx context.Context, id spawner.Identity, form map[string][]string, files map[string][]FormFile, query bool) (map[string]any, error)
}

// FormFile is an uploaded file of a spawn form.
type FormFile struct {
	Filename    string
	ContentType string
	Body        []byte
}

type noObserver struct{}

func (noObserver) Spawned(time.Duration, string, string)                         {}
func (noObserver) Stopped(time.Duration, bool)                                   {}
func (noObserver) Polled(time.Duration, bool)                                    {}
func (noObserver) RouteAdded(time.Duration, bool)                                {}
func (noObserver) RouteDeleted(time.Duration, bool)                              {}
func (noObserver) Running(int)                                                   {}
func (noObserver) ServerAction(ctx context.Context, action, user, server string) {}
