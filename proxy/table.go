package proxy

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
)

// hubMark is the key by which configurable-http-proxy's users tell a hub's routes from others.
const hubMark = "jupyterhub"

// Table is the routing table of the proxy in this process. All methods are safe for concurrent use; lookups take no lock,
// changes copy the table.
type Table struct {
	hostRouting bool
	mu          sync.Mutex // serialises changes
	current     atomic.Pointer[snapshot]
}

var _ Router = (*Table)(nil)

// snapshot is an immutable state of a Table.
type snapshot struct {
	routes map[string]*entry // by routeKey
	depth  int               // largest number of slashes in a key
}

// entry is one route. Only the activity changes after it has been published.
type entry struct {
	spec     string
	url      string
	target   *target
	handler  http.Handler
	data     map[string]any
	segments int // number of path segments, to strip the prefix
	activity atomic.Int64
}

// NewTable returns an empty table. With hostRouting, routespecs start with a host.
func NewTable(hostRouting bool) *Table {
	t := &Table{hostRouting: hostRouting}
	t.current.Store(&snapshot{routes: map[string]*entry{}})
	return t
}

// AddRoute implements Router: the route is marked as the hub's.
func (t *Table) AddRoute(_ context.Context, routespec, target string, data map[string]any) error {
	data = cloneData(data)
	data[hubMark] = true
	return t.Add(routespec, target, data)
}

// Add adds a route without marking it as the hub's, as an operator may do over the REST API. Routes does not list it.
func (t *Table) Add(routespec, target string, data map[string]any) error {
	parsed, err := parseTarget(target)
	if err != nil {
		err.(*RouteError).Routespec = routespec
		return err
	}
	return t.add(routespec, &entry{url: target, target: parsed, data: cloneData(data)})
}

// AddHandler routes routespec to a handler in this process, marked as the hub's. target is the URL that listings show
// for it, where the same handler is reachable from outside.
func (t *Table) AddHandler(routespec string, h http.Handler, target string, data map[string]any) error {
	data = cloneData(data)
	data[hubMark] = true
	return t.add(routespec, &entry{url: target, handler: h, data: data})
}

func (t *Table) add(routespec string, e *entry) error {
	spec, err := ParseRoutespec(routespec, t.hostRouting)
	if err != nil {
		return err
	}
	e.spec = spec
	key := routeKey(spec)
	_, path, _ := strings.Cut(spec, "/")
	e.segments = strings.Count(path, "/")
	e.activity.Store(time.Now().UnixMilli())
	t.mu.Lock()
	defer t.mu.Unlock()
	routes := maps.Clone(t.current.Load().routes)
	routes[key] = e
	t.publish(routes)
	return nil
}

// publish must be called with mu held.
func (t *Table) publish(routes map[string]*entry) {
	depth := 0
	for key := range routes {
		depth = max(depth, strings.Count(key, "/"))
	}
	t.current.Store(&snapshot{routes: routes, depth: depth})
}

// DeleteRoute implements Router.
func (t *Table) DeleteRoute(_ context.Context, routespec string) error {
	_, err := t.Delete(routespec)
	return err
}

// Delete removes a route and reports whether there was one.
func (t *Table) Delete(routespec string) (bool, error) {
	spec, err := ParseRoutespec(routespec, t.hostRouting)
	if err != nil {
		return false, err
	}
	key := routeKey(spec)
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.current.Load().routes
	if old[key] == nil {
		return false, nil
	}
	routes := maps.Clone(old)
	delete(routes, key)
	t.publish(routes)
	return true, nil
}

// Routes implements Router: the hub's routes only.
func (t *Table) Routes(context.Context) (map[string]Route, error) {
	all := t.All()
	maps.DeleteFunc(all, func(_ string, r Route) bool {
		_, marked := r.Data[hubMark]
		delete(r.Data, hubMark)
		return !marked
	})
	return all, nil
}

// All returns every route, whoever added it, by routespec; the hub's have "jupyterhub": true in their data.
func (t *Table) All() map[string]Route {
	routes := t.current.Load().routes
	all := make(map[string]Route, len(routes))
	for _, e := range routes {
		all[e.spec] = e.route()
	}
	return all
}

// Get returns the route with exactly this routespec. A malformed routespec has no route.
func (t *Table) Get(routespec string) (Route, bool) {
	spec, err := ParseRoutespec(routespec, t.hostRouting)
	if err != nil {
		return Route{}, false
	}
	if e := t.current.Load().routes[routeKey(spec)]; e != nil {
		return e.route(), true
	}
	return Route{}, false
}

// Lookup returns the route that a request for host (a Host header) and an escaped path takes: the one with the longest
// matching prefix of whole segments. A malformed percent escape is an *urlpath.EscapeError.
func (t *Table) Lookup(host, path string) (Route, bool, error) {
	e, err := t.lookup(host, path)
	if e == nil || err != nil {
		return Route{}, false, err
	}
	return e.route(), true, nil
}

func (t *Table) lookup(host, path string) (*entry, error) {
	path, err := urlpath.Canonical(path)
	if err != nil {
		return nil, err
	}
	s := t.current.Load()
	key := path
	if t.hostRouting {
		key = hostname(host) + path
	}
	for end := boundary(key, s.depth+1); end >= 0; end = strings.LastIndexByte(key[:end], '/') {
		if e := s.routes[key[:end]]; e != nil {
			return e, nil
		}
	}
	return s.routes[""], nil
}

// boundary returns the index of the n-th slash of s, or the length of s when it has fewer: no key is longer.
func boundary(s string, n int) int {
	for i := range len(s) {
		if s[i] == '/' {
			if n--; n == 0 {
				return i
			}
		}
	}
	return len(s)
}

// Touch records activity now on the route with exactly this routespec, if there is one.
func (t *Table) Touch(routespec string) {
	if spec, err := ParseRoutespec(routespec, t.hostRouting); err == nil {
		if e := t.current.Load().routes[routeKey(spec)]; e != nil {
			e.touch(time.Now())
		}
	}
}

// activityStep is how much newer activity must be to be written: listings are read every few minutes, and a
// busy connection would otherwise make the processors fight for one cache line.
const activityStep = 250 * time.Millisecond

func (e *entry) touch(now time.Time) {
	ms := now.UnixMilli()
	if last := e.activity.Load(); ms-last >= activityStep.Milliseconds() || ms < last {
		e.activity.Store(ms)
	}
}

func (e *entry) route() Route {
	return Route{Routespec: e.spec, Target: e.url, Data: cloneData(e.data), LastActivity: time.UnixMilli(e.activity.Load()).UTC()}
}
