// Package urlpath joins, escapes and checks URL paths, names and slugs exactly as JupyterHub 6.1.1 does.
//
// A user or server name travels through many hands: a route of the proxy, a cookie path, an OAuth client id, a
// DNS label, a redirect. Each of them has its own escaping, and two packages that escape differently make a
// server unreachable or, worse, reachable as somebody else's. So the rules live here once:
//
//   - path.go: joining, escaping of one segment, base URLs, and the canonical form that routes are compared in;
//   - slug.go: names of named servers, display names, slugs made from them, OAuth client ids;
//   - next.go: which `next` parameter may become a redirect;
//   - subdomain.go: DNS names of users and services (the "idna" and "legacy" hooks).
//
// Everything is a pure function of its arguments and safe for concurrent use. The tests compare the answers with a
// corpus recorded from the real jupyterhub package (testdata/record.py); the few deliberate differences are
// listed next to the functions that make them.
package urlpath
