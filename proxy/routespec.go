package proxy

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
)

// Router is what a hub needs of a proxy. Implementations are safe for concurrent use. Adding a route that exists replaces
// it; deleting one that does not exist is no error.
type Router interface {
	// AddRoute routes routespec ([host]/path/, percent-encoded) to target, scheme://host[:port]. data comes back
	// from Routes. A routespec that is malformed, or has a host although (or no host because) host routing is off
	// (on), and a target that is no URL are a *RouteError.
	AddRoute(ctx context.Context, routespec, target string, data map[string]any) error
	// DeleteRoute removes a route.
	DeleteRoute(ctx context.Context, routespec string) error
	// Routes returns the routes that were added through AddRoute (by this or an earlier hub), keyed by routespec.
	Routes(ctx context.Context) (map[string]Route, error)
}

// Route is one line of a routing table. It is a copy; changing it changes nothing.
type Route struct {
	Routespec    string         // [host]/path/, percent-encoded, with a trailing slash
	Target       string         // URL of the backend
	Data         map[string]any // as given to AddRoute
	LastActivity time.Time      // UTC, milliseconds
}

// RouteError says which routespec or target was refused and why.
type RouteError struct {
	Routespec, Target, Reason string
}

// Error names the route and the reason.
func (e *RouteError) Error() string {
	if e.Target != "" {
		return fmt.Sprintf("route %q to %q: %s", e.Routespec, e.Target, e.Reason)
	}
	return fmt.Sprintf("route %q: %s", e.Routespec, e.Reason)
}

// ParseRoutespec returns the canonical form of a routespec: percent-encoded with "@" and "~" literal, trailing slash, host
// in lower case. "/" is the default route with and without host routing.
func ParseRoutespec(routespec string, hostRouting bool) (string, error) {
	if routespec == "/" {
		return "/", nil
	}
	refuse := func(reason string) (string, error) { return "", &RouteError{Routespec: routespec, Reason: reason} }
	host, path := "", routespec
	if i := strings.IndexByte(routespec, '/'); i != 0 {
		host, path, _ = strings.Cut(routespec, "/")
		path = "/" + path
	}
	switch {
	case routespec == "":
		return refuse("is empty, it must be [host]/path/")
	case host != "" && !hostRouting:
		return refuse("starts with a host, but host routing is off: it must start with /")
	case host == "" && hostRouting:
		return refuse("has no host, but host routing is on: it must be host/path/")
	case strings.ContainsAny(routespec, "?#"):
		return refuse("is a URL prefix, without query and fragment")
	}
	canonical, err := urlpath.Canonical(path)
	if err != nil {
		return refuse(err.Error())
	}
	if canonical = "/" + strings.Trim(canonical, "/"); canonical != "/" {
		canonical += "/"
	}
	return strings.ToLower(host) + canonical, nil
}

// routeKey is how a Table stores a canonical routespec: without the trailing slash; "" is the default route.
func routeKey(spec string) string { return strings.TrimSuffix(spec, "/") }

// target is a parsed backend URL in the form the transport wants.
type target struct {
	scheme string // "http" or "https"
	host   string // host:port, or the disguised path of a unix socket
	prefix string // escaped path in front of the request's path, without trailing slash
	query  string // query of the target, put in front of the request's
	header string // value of Host when the origin is changed
}

func parseTarget(text string) (*target, error) {
	refuse := func(reason string) (*target, error) { return nil, &RouteError{Target: text, Reason: reason} }
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return refuse("target must be a URL such as http://127.0.0.1:8888")
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "http+unix", "unix+http":
		socket, path, _ := strings.Cut(rest, "/")
		name, err := url.PathUnescape(socket)
		if err != nil || name == "" {
			return refuse("target must name a socket as http+unix://%2Fpath%2Fto%2Fsocket")
		}
		prefix, query, _ := strings.Cut("/"+path, "?")
		return &target{scheme: "http", host: disguiseSocket(name), prefix: strings.TrimSuffix(prefix, "/"), query: query, header: "localhost"}, nil
	case "http", "https":
	default:
		return refuse("target has an unknown scheme: http, https and http+unix are supported")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return refuse("target must be scheme://host[:port]")
	}
	return &target{scheme: scheme, host: u.Host, prefix: strings.TrimSuffix(u.EscapedPath(), "/"), query: u.RawQuery, header: u.Host}, nil
}

// chpPath is the path under /api/routes by which configurable-http-proxy knows a canonical routespec.
func chpPath(spec string) string {
	if spec == "/" {
		return "/"
	}
	return "/" + strings.Trim(spec, "/")
}

// chpKey is the key of a route in configurable-http-proxy's listing: its path, percent-decoded.
func chpKey(spec string) string {
	p := chpPath(spec)
	if name, err := url.PathUnescape(p); err == nil {
		return name
	}
	return p
}

// routespecOfCHP turns a key of configurable-http-proxy's listing, which is decoded, back into a routespec.
func routespecOfCHP(key string, hostRouting bool) string {
	segments := strings.Split(strings.Trim(key, "/"), "/")
	for i, s := range segments {
		segments[i] = urlpath.Escape(s)
	}
	spec := "/" + strings.Join(segments, "/")
	if spec != "/" {
		spec += "/"
		if hostRouting {
			spec = spec[1:]
		}
	}
	return spec
}

// hostname returns the lower-case host of a Host header, without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(host)
}

// trusts reports whether the peer of a connection is one of the prefixes.
func trusts(prefixes []netip.Prefix, peer netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

func cloneData(data map[string]any) map[string]any {
	if data == nil {
		return map[string]any{}
	}
	return maps.Clone(data)
}
