// Package api is the REST API under /hub/api. The whole of it is in routes.go, a line per operation; the other files
// hold the handlers of one subject each.
//
// A handler decodes, calls hub and renders. Models are built in models*.go: only the keys that the caller's scopes allow
// are put in (rbac.KeysFor), so nothing has to be taken out again. Lists page as pagination.go tells.
//
// No compatibility promise: other Go programs use hubapi.
package api
