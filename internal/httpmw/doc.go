// Package httpmw is what every HTTP route of the hub goes through: request id and log line, panics, security headers,
// who is asking (token or login cookie), the XSRF rules, the access of the route, and the one place that turns an error
// into an answer.
//
// A route is a [Route]: method, path, [Access], [Handler]. The tables are in api/routes.go and web/routes.go. A handler
// decodes, calls hub and renders; it returns its error instead of writing it. [Middleware.Mount] refuses at start a
// route without access.
//
// The package also has the primitives that must be byte-compatible with JupyterHub: signed values, cookies, `_xsrf`.
package httpmw
