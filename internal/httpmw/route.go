package httpmw

import (
	"net/http"
	"slices"
	"strings"

	"github.com/minihub/minihub/rbac"
)

// Handler is an HTTP handler that returns its error instead of writing it.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one line of a route table.
type Route struct {
	Method  string
	Path    string // chi pattern below the table's mount point: {user}, {server}, {group}, {service}, {token_id}
	Access  Access
	Handler Handler
	Name    string // JupyterHub's dotted handler class, label "handler" of request_duration_seconds; "" = derived from the path
}

// AccessKind tells how a route decides who may call it.
type AccessKind int

// The kinds of access; the zero value is none of them and refused at start.
const (
	KindPublic     AccessKind = iota + 1 // anybody
	KindIdentified                       // any valid credential
	KindNeeds                            // the unfiltered scope
	KindList                             // any holder; items are filtered
	KindOnUser                           // the scope for {user}
	KindOnServer                         // the scope for {user}/{server}
	KindOnServers                        // the scope for all servers of {user}
	KindOnGroup                          // the scope for {group}
	KindOnService                        // the scope for {service}
	KindLoggedIn                         // a browser session; anonymous visitors are sent to the login page
	KindInHandler                        // the handler decides
	KindClientAuth                       // OAuth client credentials, checked by the OAuth provider
)

// Access tells who may call a route; the zero value panics at start.
type Access struct {
	kind   AccessKind
	scopes []string
	kinds  []rbac.Kind
	reason string
	token  bool // a page that accepts an Authorization header
	noXSRF bool // the handler checks XSRF itself
	login  bool // anonymous visitors are sent to the login page before the scopes are looked at
}

// Public lets anybody in.
func Public() Access { return Access{kind: KindPublic} }

// Identified lets any valid credential in.
func Identified() Access { return Access{kind: KindIdentified} }

// Needs demands one of the scopes without filter.
func Needs(scopes ...string) Access { return Access{kind: KindNeeds, scopes: scopes} }

// List lets holders of the scope in whose filters are of the given kinds; the handler filters the items.
func List(scope string, kinds ...rbac.Kind) Access {
	return Access{kind: KindList, scopes: []string{scope}, kinds: kinds}
}

// OnUser demands one of the scopes for the user {user}.
func OnUser(scopes ...string) Access { return Access{kind: KindOnUser, scopes: scopes} }

// OnServer demands one of the scopes for the server {server} of {user}; without {server}, the default server.
func OnServer(scopes ...string) Access { return Access{kind: KindOnServer, scopes: scopes} }

// OnServers demands one of the scopes for all servers of {user}.
func OnServers(scopes ...string) Access { return Access{kind: KindOnServers, scopes: scopes} }

// OnGroup demands one of the scopes for {group}.
func OnGroup(scopes ...string) Access { return Access{kind: KindOnGroup, scopes: scopes} }

// OnService demands one of the scopes for {service}.
func OnService(scopes ...string) Access { return Access{kind: KindOnService, scopes: scopes} }

// LoggedIn demands a browser session, or, [Access.WithToken], the token of a user or service.
func LoggedIn() Access { return Access{kind: KindLoggedIn} }

// ClientAuth leaves the check of OAuth client credentials to the OAuth provider.
func ClientAuth() Access { return Access{kind: KindClientAuth, noXSRF: true} }

// InHandler leaves the decision to the handler; reason says why, for readers and the documentation.
func InHandler(reason string) Access { return Access{kind: KindInHandler, reason: reason} }

// WithToken lets a page accept an Authorization header, as JSON routes always do.
func (a Access) WithToken() Access { a.token = true; return a }

// LoginFirst makes a page that demands scopes send anonymous visitors to the login page.
func (a Access) LoginFirst() Access { a.login = true; return a }

// OwnXSRF leaves the XSRF check to the handler.
func (a Access) OwnXSRF() Access { a.noXSRF = true; return a }

// Kind returns how the route decides.
func (a Access) Kind() AccessKind { return a.kind }

// Scopes returns the scopes, any one of which is enough.
func (a Access) Scopes() []string { return slices.Clone(a.scopes) }

// String describes the access for documentation and tests.
func (a Access) String() string {
	names := [...]string{"none", "public", "identified", "needs", "list", "on user", "on server", "on servers of", "on group", "on service",
		"logged in", "in handler", "client credentials"}
	s := names[a.kind]
	if len(a.scopes) > 0 {
		s += " " + strings.Join(a.scopes, "|")
	}
	if a.reason != "" {
		s += ": " + a.reason
	}
	return s
}
