package httpmw

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/minihub/minihub/hub"
)

// Table is a route table with the place where it is mounted.
type Table struct {
	Prefix string // below base_url, e.g. "/hub/api"; the routes' paths are appended
	API    bool   // JSON errors, XSRF also on GET, Authorization accepted
	Routes []Route
}

// Handler builds the hub's router from the route tables. It panics when a route has no access or no handler: that is a
// programming error, found at the first start.
func (m *Middleware) Handler(tables ...Table) http.Handler {
	router := chi.NewRouter()
	for _, t := range tables {
		allowed := map[string][]string{}
		for _, route := range t.Routes {
			m.add(router, t, route)
			allowed[route.Path] = append(allowed[route.Path], route.Method)
		}
		m.addOptions(router, t, allowed)
	}
	router.NotFound(m.serve(m.notFound))
	router.MethodNotAllowed(m.serve(m.methodNotAllowed))
	return m.underBase(router)
}

func (m *Middleware) add(router chi.Router, t Table, route Route) {
	if route.Access.kind == 0 || route.Handler == nil {
		panic(fmt.Sprintf("route %s %s%s has no access or no handler", route.Method, t.Prefix, route.Path))
	}
	if route.Name == "" {
		route.Name = "minihub" + strings.NewReplacer("/", ".", "{", "", "}", "").Replace(t.Prefix+route.Path)
	}
	router.Method(route.Method, t.Prefix+route.Path, m.serveRoute(t.Prefix, t.API, route))
}

// addOptions answers OPTIONS for every JSON route, as JupyterHub does; pages have none.
func (m *Middleware) addOptions(router chi.Router, t Table, allowed map[string][]string) {
	if !t.API {
		return
	}
	for path, methods := range allowed {
		if slices.Contains(methods, http.MethodOptions) {
			continue
		}
		allow := strings.Join(methods, ", ") + ", OPTIONS"
		router.Method(http.MethodOptions, t.Prefix+path, m.serve(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", allow)
			w.Header().Set("Access-Control-Allow-Methods", allow)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusOK)
			return nil
		}))
	}
}

// underBase makes chi match the escaped path below base_url, so that a raw parameter may hold anything but "/".
func (m *Middleware) underBase(router chi.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := trimBase(wellKnown(r.URL.EscapedPath()), m.o.BaseURL)
		s, r := m.begin(w, r, router, rest)
		if !ok {
			m.run(r, s, false, "", m.o.Outside)
			return
		}
		router.ServeHTTP(&s.rec, r)
	})
}

// wellKnown turns /.well-known/NAME/BASE around, into BASE/.well-known/NAME: RFC 8414 section 3.1 puts the path of a server that shares
// its host with others behind the name.
func wellKnown(path string) string {
	const prefix = "/.well-known/"
	rest, is := strings.CutPrefix(path, prefix)
	name, base, has := strings.Cut(rest, "/")
	if !is || !has {
		return path
	}
	return "/" + strings.TrimSuffix(base, "/") + prefix + name
}

// trimBase takes base (percent-encoded, slashes at both ends) off an escaped path; other spellings of the same base are accepted.
func trimBase(path, base string) (rest string, ok bool) {
	if strings.HasPrefix(path, base) {
		return path[len(base)-1:], true
	}
	if base == "/" {
		return "", false
	}
	n := strings.Count(base, "/") // base "/a/b/" covers the first n-1 segments
	parts := strings.SplitN(path, "/", n+1)
	if len(parts) < n+1 {
		return "", false
	}
	have, err1 := url.PathUnescape(strings.Join(parts[:n], "/"))
	want, err2 := url.PathUnescape(strings.TrimSuffix(base, "/"))
	if err1 != nil || err2 != nil || have != want {
		return "", false
	}
	return "/" + parts[n], true
}

func (m *Middleware) notFound(w http.ResponseWriter, r *http.Request) error {
	if !stateOf(r.Context()).api && m.o.NotFound != nil {
		if err := m.identify(w, r, false); err != nil { // the page shows who is logged in
			return err
		}
		return m.o.NotFound(w, r)
	}
	return &hub.Error{Kind: hub.NotFound, Hint: "there is no such route; see /hub/api for the version and the documentation for the list"}
}

// methods are those that a route may have.
var methods = [...]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// methodNotAllowed tells which methods the path has (RFC 9110 section 15.5.6).
func (m *Middleware) methodNotAllowed(w http.ResponseWriter, r *http.Request) error {
	s := stateOf(r.Context())
	var allow []string
	for _, method := range methods {
		if s.route.Routes.Match(chi.NewRouteContext(), method, s.route.RoutePath) {
			allow = append(allow, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return &hub.Error{Kind: hub.Invalid, Status: http.StatusMethodNotAllowed, Hint: r.Method + " is not possible at this address"}
}
