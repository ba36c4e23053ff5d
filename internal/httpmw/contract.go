package httpmw

// CONTRACT (the owner, "edge helper", dissolves this file).

import (
	"net/http"

	"github.com/minihub/minihub/hub"
)

// Handler is an HTTP handler that returns its error instead of writing it.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one line of a route table.
type Route struct {
	Method  string
	Path    string // chi pattern below the table's mount point: {user}, {server}, {group}, {service}, {token_id}
	Access  Access
	Handler Handler
}

// Access tells who may call a route; the zero value panics at start.
// Constructors: Public(), Identified() (any credential), Needs(scopes...) (unfiltered), List(scope, kinds...) (post-filter), OnUser(scopes...), OnServer(scopes...), OnGroup(scopes...),
// OnService(scopes...), LoggedIn() (browser session, pages: redirect to login), InHandler(reason), ClientAuth().
// func (a Access) String() string; Scopes() []string; Kind() for documentation and routes_test.

// func Param(r *http.Request, name string) string         // decoded exactly once; invalid escape -> "" and 400 before the handler runs
// func Identity(r *http.Request) *hub.Identity            // nil: nobody
// func RequestID(r) string ; func RemoteIP(r) string
// type Middleware struct / New(o Options): Options{Access *hub.Access, Logins, Signer, Cookies, XSRF, Headers (security headers, tornado_settings.headers), TrustedDownstream, Logger, Metrics, ErrorPage func(w, r, status int, e *hub.Error), Version}
//   order: request id + log line in JupyterHub's shape (`200 GET /hub/home (alice@127.0.0.1) 3.21ms`, masked query args) → recover → security headers → identity (lazily when the access needs it) → XSRF → access → handler → WriteError
// func (m *Middleware) Mount(r chi.Router, prefix string, kind Kind /* API or Page */, routes []Route)   // wires access checks; HEAD/OPTIONS/405 rules as JupyterHub; 404 JSON vs HTML; add-slash; empty {server} rule
// func (m *Middleware) WriteError(w, r, err)                // the only place that turns a kind into a status; API: {"status","message"[,"hint"]}; pages: ErrorPage
// func WriteJSON(w, status, v) error ; func ReadJSON(r, &v) error   // 400 naming the field and the reason; unknown keys policy per handler; body limit

var _ = (*hub.Identity)(nil)
