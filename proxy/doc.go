// Package proxy routes all public traffic of a hub: to the hub itself, to single-user servers and to services.
// It carries no compatibility promise.
//
// The story of one request: a listener made by NewServer accepts it; Proxy looks up its route in a Table by host and
// escaped path; the route is either a Go handler in this process (the hub) or the URL of a backend. For a backend
// the request goes through httputil.ReverseProxy, streamed both ways and never buffered, with its path byte by byte
// as the client sent it; upgraded connections (WebSockets) are tracked so that Shutdown can end them. What cannot
// be answered (no route, backend gone) is rendered by the caller's Options.Error.
//
// Routes are written by the hub through Router, which two types implement: *Table, for the proxy in this process,
// and *CHPClient, for a configurable-http-proxy (or `minihub proxy`) elsewhere. API serves configurable-http-proxy's
// REST API over a Table, and RunStandalone is all of it together behind configurable-http-proxy's command line.
//
// Invariants:
//   - looking up a route takes no lock: a Table publishes immutable snapshots;
//   - routes match whole segments of the escaped path, so /user/a never catches /user/ab, and %2F is not a slash;
//   - the proxy does not authenticate, and it never believes an X-Forwarded-* header unless the peer is trusted;
//   - a client cannot use "Connection:" to strip headers that backends rely on.
//
// It leaves to others: what the routes should be (hub, app), error pages (web), and the persistence of activity (app).
package proxy
