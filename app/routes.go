package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/minihub/minihub/api"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/metrics"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/proxy"
	"github.com/minihub/minihub/services"
)

// Routes keeps the proxy's routes what they should be (JupyterHub's check_routes) and carries activity from the proxy to the database.
type Routes struct {
	log      *slog.Logger
	metrics  *metrics.Metrics
	servers  *hub.Servers
	services *services.Services
	activity *hub.Activity
	store    *orm.Store
	fixed    map[string]hub.WantedRoute // hub (outside proxy only) and extra_routes
	dial     func(apiURL, token string) (proxy.Router, error)

	check sync.Mutex // one check at a time
	mu    sync.Mutex
	proxy proxy.Router
	seen  map[string]time.Time // last activity already carried, by routespec
}

var (
	_ hub.Router = (*Routes)(nil)
	_ api.Proxy  = (*Routes)(nil)
)

func (r *Routes) router() proxy.Router {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proxy
}

// AddRoute implements hub.Router.
func (r *Routes) AddRoute(ctx context.Context, spec, target string, data map[string]any) error {
	return r.router().AddRoute(ctx, spec, target, data)
}

// DeleteRoute implements hub.Router.
func (r *Routes) DeleteRoute(ctx context.Context, spec string) error {
	return r.router().DeleteRoute(ctx, spec)
}

// Routes implements api.Proxy.
func (r *Routes) Routes(ctx context.Context) (map[string]api.ProxyRoute, error) {
	routes, err := r.router().Routes(ctx)
	if err != nil {
		return nil, proxyError(err)
	}
	out := make(map[string]api.ProxyRoute, len(routes))
	for spec, route := range routes {
		data := maps.Clone(route.Data)
		if data == nil {
			data = map[string]any{}
		}
		data["last_activity"] = route.LastActivity.UTC().Format("2006-01-02T15:04:05.000Z")
		out[spec] = api.ProxyRoute{RouteSpec: spec, Target: route.Target, Data: data}
	}
	return out, nil
}

func proxyError(err error) error {
	return &hub.Error{Kind: hub.Unavailable, Message: "The proxy does not answer", Err: err,
		Hint: "see ConfigurableHTTPProxy.api_url and auth_token, and the proxy's log"}
}

// Check implements api.Proxy: add what is missing, change what differs, delete what nobody wants. Routes of pending servers are left alone.
func (r *Routes) Check(ctx context.Context) error {
	r.check.Lock()
	defer r.check.Unlock()
	begin := time.Now()
	router := r.router()
	have, err := router.Routes(ctx)
	if err != nil {
		return proxyError(err)
	}
	r.metrics.PolledProxy(time.Since(begin))
	want, keep := r.servers.Routes()
	maps.Copy(want, r.services.Routes())
	maps.Copy(want, r.fixed)
	var errs []error
	for spec, w := range want {
		if h, ok := have[spec]; ok && h.Target == w.Target {
			continue
		}
		r.log.InfoContext(ctx, "adding proxy route", "route", spec, "target", w.Target)
		errs = append(errs, router.AddRoute(ctx, spec, w.Target, w.Data))
	}
	for spec, h := range have {
		_, wanted := want[spec]
		if wanted || keep[spec] || h.Data["hub"] == true {
			continue
		}
		r.log.WarnContext(ctx, "deleting stale proxy route", "route", spec)
		errs = append(errs, router.DeleteRoute(ctx, spec))
	}
	r.metrics.CheckedRoutes(time.Since(begin))
	if err := errors.Join(errs...); err != nil {
		return proxyError(err)
	}
	return nil
}

// Repoint implements api.Proxy.
func (r *Routes) Repoint(ctx context.Context, apiURL, token string) error {
	if apiURL == "" && token == "" {
		return r.Check(ctx) // nothing moved
	}
	if r.dial == nil {
		return &hub.Error{Kind: hub.Invalid, Message: "The proxy is part of this hub and cannot be moved",
			Hint: "an outside proxy is used with ConfigurableHTTPProxy.should_start = False"}
	}
	next, err := r.dial(apiURL, token)
	if err != nil {
		return &hub.Error{Kind: hub.Invalid, Message: "api_url cannot be used", Hint: err.Error(), Err: err}
	}
	r.mu.Lock()
	r.proxy = next
	r.mu.Unlock()
	return r.Check(ctx)
}

// carryActivity brings what the proxy saw since the last time to users and servers.
func (r *Routes) carryActivity(ctx context.Context) error {
	routes, err := r.router().Routes(ctx)
	if err != nil {
		return proxyError(err)
	}
	names := map[string]bool{}
	var changed []proxy.Route
	for spec, route := range routes {
		if user, ok := route.Data["user"].(string); ok && route.LastActivity.After(r.seen[spec]) {
			names[user] = true
			r.seen[spec] = route.LastActivity
			changed = append(changed, route)
		}
	}
	maps.DeleteFunc(r.seen, func(spec string, _ time.Time) bool { _, ok := routes[spec]; return !ok })
	if len(changed) == 0 {
		return nil
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	return r.record(ctx, list, changed)
}

func (r *Routes) record(ctx context.Context, names []string, changed []proxy.Route) error {
	users, err := r.store.UsersByName(ctx, names)
	if err != nil {
		return fmt.Errorf("look up users of routes: %w", err)
	}
	ids := make([]int64, 0, len(users))
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	spawners, err := r.store.SpawnersOfUsers(ctx, ids)
	if err != nil {
		return fmt.Errorf("look up servers of routes: %w", err)
	}
	for _, route := range changed {
		u := users[route.Data["user"].(string)]
		if u == nil {
			continue
		}
		name, _ := route.Data["server_name"].(string)
		for _, sp := range spawners[u.ID] {
			if sp.Name == name {
				r.activity.SeenServer(sp.ID, u.ID, route.LastActivity)
			}
		}
	}
	return nil
}

// run does both at every interval until ctx ends.
func (r *Routes) run(ctx context.Context, interval time.Duration) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := r.carryActivity(ctx); err != nil {
			r.log.ErrorContext(ctx, "activity could not be read from the proxy", "err", err)
			continue
		}
		if err := r.Check(ctx); err != nil {
			r.log.ErrorContext(ctx, "proxy routes could not be checked", "err", err)
		}
	}
}
