package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// Version is the version of JupyterHub whose behaviour this API has; clients compare it with their own.
const Version = "6.1.1"

// Options are what the API needs. All fields but Info and Logger are mandatory.
type Options struct {
	Hub      Hub
	OAuth    OAuth
	Services Services
	Proxy    Proxy
	Requests Requests
	Info     Info
	URLs     URLs
	Pages    PageLimits
	Logger   *slog.Logger
}

// Requests are questions about a request that only the middleware can answer; *httpmw.Middleware implements it.
type Requests interface {
	CheckXSRF(r *http.Request) error
	Scheme(r *http.Request) string
	// SessionOwner returns who is logged in by a cookie of that name in a Cookie header; nil for nobody.
	SessionOwner(ctx context.Context, name string, h http.Header) (*hub.Identity, error)
}

// Hub are the use cases that the handlers call.
type Hub struct {
	Access  *hub.Access
	Users   *hub.Users
	Groups  *hub.Groups
	Tokens  *hub.Tokens
	Shares  *hub.Shares
	Servers *hub.Servers
	Logins  *hub.Logins
	Acts    *hub.Activity
}

// OAuth are the OAuth endpoints under /oauth2, written by oauthprovider.
type OAuth interface {
	Authorize(w http.ResponseWriter, r *http.Request) error // GET and POST
	Token(w http.ResponseWriter, r *http.Request) error
	UserInfo(w http.ResponseWriter, r *http.Request) error
	Revoke(w http.ResponseWriter, r *http.Request) error
	Introspect(w http.ResponseWriter, r *http.Request) error
	Metadata(w http.ResponseWriter, r *http.Request) error
}

// Proxy is what /proxy needs; app implements it.
type Proxy interface {
	// Routes returns the proxy's routes by routespec, with last_activity in data.
	Routes(ctx context.Context) (map[string]ProxyRoute, error)
	// Check compares the proxy's routes with the wanted ones and repairs them.
	Check(ctx context.Context) error
	// Repoint makes the hub use another proxy API; empty strings stay as they are.
	Repoint(ctx context.Context, apiURL, authToken string) error
}

// ProxyRoute is one route of the proxy, in the shape of GET /proxy.
type ProxyRoute struct {
	RouteSpec string         `json:"routespec" doc:"The path, with subdomains after a host name, that requests begin with."`
	Target    string         `json:"target" doc:"Where they are sent."`
	Data      map[string]any `json:"data" doc:"To whom the route belongs, and when it was last used."`
}

// Info is what GET /info tells and POST /shutdown does.
type Info struct {
	Python               string        // sys.version of the interpreter that servers run with, "" when there is none
	PythonVersion        func() string // instead of Python, asked at the first request; may be nil
	SysExecutable        string
	SpawnerClass         string // dotted path
	AuthenticatorClass   string
	SpawnerVersion       string // "unknown" when undetectable
	AuthenticatorVersion string
	AdminAccess          bool
	Shutdown             func(proxy, servers *bool) // nil fields keep the configured clean-up
}

// URLs are what models need to name addresses.
type URLs struct {
	BaseURL   string // percent-encoded, slashes at both ends
	PublicURL string // public URL of base_url, with trailing slash; "" when unknown
}

// PageLimits are JupyterHub.api_page_default_limit and api_page_max_limit.
type PageLimits struct{ Default, Max int }

// API has the handlers.
type API struct {
	o         Options
	described func() ([]byte, error) // the document of openapi.json
}

// New returns the API.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{o: o}
	a.described = sync.OnceValues(a.encodeDocument)
	return a
}

// bare makes the message of a NotFound null, as JupyterHub answers for users and servers that do not exist; what it said becomes
// the hint.
func bare(err error) error {
	var e *hub.Error
	if !errors.As(err, &e) || e.Kind != hub.NotFound || e.Message == "" {
		return err
	}
	b := *e
	if b.Hint == "" {
		b.Hint = b.Message
	}
	b.Message = ""
	return &b
}

// scheme is http or https, as clients see this hub.
func (a *API) scheme(r *http.Request) string { return a.o.Requests.Scheme(r) }

// apiPrefix is where the API is mounted, below base_url.
const apiPrefix = "/hub/api"

// Tables returns the route tables with their mount points.
func (a *API) Tables() []httpmw.Table {
	return []httpmw.Table{{Prefix: apiPrefix, API: true, Routes: a.routes()}, {Prefix: apiPrefix, Routes: a.pages()}, {Prefix: "/.well-known", API: true, Routes: a.wellKnown()}}
}
