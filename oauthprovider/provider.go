package oauthprovider

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/server"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Options configure a Provider. All from Store to SessionID are mandatory.
type Options struct {
	Store       *orm.Store
	Access      *hub.Access
	Catalog     *rbac.Catalog
	Consent     ConsentPage
	Identity    func(*http.Request) *hub.Identity // who makes the request, nil for nobody: httpmw.Identity
	SessionID   func(*http.Request) string        // of the browser, "" without one: httpmw.SessionID
	BaseURL     string                            // percent-encoded, slashes at both ends; "" is "/"
	PublicURL   string                            // public URL of BaseURL, slash at the end; "": what the request says
	Scheme      func(*http.Request) string        // http or https, as the browser sees it; nil: http
	RequirePKCE bool                              // JupyterHub.oauth_require_pkce
	TokenLife   time.Duration                     // JupyterHub.oauth_token_expires_in; 0: 14 days
	Logger      *slog.Logger
}

// ConsentPage asks the user whether a client may have what it asks for; web implements it. The form posts to the same
// address with one field "scopes" for each scope.
type ConsentPage interface {
	Render(w http.ResponseWriter, r *http.Request, c Consent) error
}

// Consent is what the page shows.
type Consent struct {
	ClientID, ClientDescription string
	RedirectURI                 string             // where the browser goes next, maybe only a path
	DenyURL                     string             // where it goes when the user does not agree; "" = nowhere
	Scopes                      []string           // raw scopes to be granted, one form field each
	Descriptions                []rbac.Description // of what the client gets beyond knowing who the user is
}

// codeLife is how long an authorization code is good for (JupyterHub; RFC 6749 section 4.1.2 allows ten minutes).
const codeLife = 5 * time.Minute

// defaultTokenLife is JupyterHub's default of oauth_token_expires_in.
const defaultTokenLife = 14 * 24 * time.Hour

// Provider is the authorization server. Safe for concurrent use.
type Provider struct {
	o      Options
	server *server.Server
}

// New returns a Provider.
func New(o Options) *Provider {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TokenLife <= 0 {
		o.TokenLife = defaultTokenLife
	}
	if o.BaseURL == "" {
		o.BaseURL = "/"
	}
	if o.Scheme == nil {
		o.Scheme = func(*http.Request) string { return "http" }
	}
	p := &Provider{o: o}
	m := manage.NewManager()
	m.SetAuthorizeCodeExp(codeLife)
	m.SetAuthorizeCodeTokenCfg(&manage.Config{AccessTokenExp: o.TokenLife})
	m.SetValidateURIHandler(exactURI)
	m.MapAuthorizeGenerate(codes{})
	m.MapAccessGenerate(randomText{})
	m.MapClientStorage(clients{p.o.Store})
	m.MapTokenStorage(&tokens{p: p})
	m.SetExtractExtensionHandler(p.rememberSession)
	p.server = server.NewServer(&server.Config{
		TokenType:            "Bearer",
		AllowedResponseTypes: []oauth2.ResponseType{oauth2.Code},
		AllowedGrantTypes:    []oauth2.GrantType{oauth2.AuthorizationCode},
		ForcePKCE:            o.RequirePKCE,
	}, m)
	return p
}

// target is what a client belongs to: a user's server or a service; the zero value is neither.
type target struct {
	user, server string
	service      string
}

// owner is a user as the owner of a token of this client: !server and !service resolve to what the client belongs to.
func (t target) owner(user string) rbac.Owner {
	o := rbac.Owner{User: user, ClientService: t.service}
	if t.service == "" && t.user != "" {
		o.ClientServer = t.user + "/" + t.server
	}
	return o
}

// targetOf finds out what a client belongs to.
func (p *Provider) targetOf(ctx context.Context, clientID string) (target, error) {
	user, srv, service, err := p.o.Store.OwnerOfClient(ctx, clientID)
	return target{user: user, server: srv, service: service}, err
}
