package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// Options are what the pages need. Hub, Sessions and URLs are mandatory.
type Options struct {
	Hub      Hub
	Sessions Sessions
	URLs     URLs
	Look     Look
	Traits   Traits
	Services Services // nil: none
	Metrics  Metrics
	Logger   *slog.Logger
}

// Hub are the use cases that the pages call.
type Hub struct {
	Access  *hub.Access
	Users   *hub.Users
	Groups  *hub.Groups
	Tokens  *hub.Tokens
	Shares  *hub.Shares
	Servers *hub.Servers
	Logins  *hub.Logins
	Hooks   hub.Hooks // OptionsForm, OptionsFromForm
}

// Sessions write the browser's cookies.
type Sessions struct {
	Cookies *httpmw.Cookies
	XSRF    *httpmw.XSRF
}

// URLs are the addresses that pages name.
type URLs struct {
	BaseURL       string // JupyterHub.base_url, percent-encoded, slashes at both ends
	PublicURL     string // JupyterHub.public_url; "" = the request's own scheme and host
	SubdomainHost string // host[:port] of JupyterHub.subdomain_host, "" without subdomains
	// ServerURL is the address of a server as browsers use it; nil: hub.ServerPath, which is right without subdomains.
	ServerURL func(user, server string) string
}

// Look is what administrators change about the appearance.
type Look struct {
	TemplatePaths []string          // JupyterHub.template_paths
	DataFiles     string            // JupyterHub.data_files_path: its templates and static come before the built-in ones; "": none
	TemplateVars  map[string]any    // JupyterHub.template_vars; values may be a TemplateFunc
	Announcements map[string]string // "" for JupyterHub.services' announcement, "login", "spawn", "home", "logout"; raw HTML
	LogoFile      string            // JupyterHub.logo_file; "" = the built-in one
	Version       string            // shown at the foot of the admin page
	NoCacheStatic bool              // tornado_settings.no_cache_static
}

// TemplateFunc is a callable in template_vars: it is called for each page with the user, nil for nobody.
type TemplateFunc func(ctx context.Context, user *orm.User) (any, error)

// Traits are the settings that decide what pages do.
type Traits struct {
	Redirects Redirects
	Servers   ServerTraits
	Logins    LoginTraits
	Tokens    TokenTraits
	PageLimit int // JupyterHub.api_page_default_limit, for the admin page; 0 is 50
}

// Redirects are the settings that decide where people are sent.
type Redirects struct {
	DefaultURL       func(r *http.Request, user *orm.User) string // JupyterHub.default_url; nil or "": none
	RedirectToServer bool                                         // JupyterHub.redirect_to_server
	// UserRedirect is JupyterHub.user_redirect_hook: the target of /hub/user-redirect/PATH, or "" for the usual one.
	UserRedirect      func(r *http.Request, path string, user *orm.User) (string, error)
	UserRedirectLimit int    // tornado_settings.user_redirect_limit; 0 is 4
	DefaultServerName string // JupyterHub.default_server_name
}

// ServerTraits are the settings about servers.
type ServerTraits struct {
	AllowNamed          bool                                                   // JupyterHub.allow_named_servers
	NamedLimit          func(ctx context.Context, user *orm.User) (int, error) // JupyterHub.named_server_limit_per_user; nil: none
	ImplicitSpawn       float64                                                // JupyterHub.implicit_spawn_seconds; 0: people must click
	LegacyStoppedStatus bool                                                   // JupyterHub.use_legacy_stopped_server_status_code
	OptionsForm         string                                                 // Spawner.options_form when it is plain HTML
	SimpleForm          bool                                                   // Spawner.options_from_form = "simple": single values instead of lists
}

// LoginTraits are the settings about logging in and out.
type LoginTraits struct {
	AutoLogin        bool   // Authenticator.auto_login
	AutoLoginOAuth2  bool   // Authenticator.auto_login_oauth2_authorize
	RequestOTP       bool   // Authenticator.request_otp: the form has a field for a one-time password, whatever the authenticator does with it
	OTPPrompt        string // Authenticator.otp_prompt: its label
	ShutdownOnLogout bool   // JupyterHub.shutdown_on_logout
	// Observed is told how long a login took, for metrics; nil: nobody.
	Observed  func(d time.Duration, ok bool)
	LoggedOut func(d time.Duration) // likewise for logouts
}

// TokenTraits are the settings about tokens.
type TokenTraits struct {
	MaxExpiry time.Duration // JupyterHub.token_expires_in_max_seconds; 0 = no maximum
}

// Service is an entry of the services menu.
type Service struct {
	Name, Href, URL, Prefix string
	Info                    map[string]any
	Admin                   bool
}

// Services lists what the menu shows.
type Services interface {
	// Displayed returns the services with an address that are to be displayed, whoever may use them.
	Displayed(ctx context.Context) ([]Service, error)
}

// Metrics is the page /hub/metrics.
type Metrics struct {
	Handler   http.Handler // nil: no such page
	Open      bool         // JupyterHub.authenticate_prometheus = False
	CSPReport func()       // counts a report; nil: nobody
}

// Site has the pages. Safe for concurrent use after SetMiddleware.
type Site struct {
	o      Options
	hub    string // prefix of the hub, like "/hub/"
	engine *engine
	static *assets
	log    *slog.Logger
	mw     *httpmw.Middleware

	languages *languages
	stencils  stencils
}

// New checks the options and returns a Site.
func New(o Options) (*Site, error) {
	if o.Hub.Access == nil || o.Hub.Logins == nil || o.Hub.Servers == nil || o.Hub.Users == nil || o.Sessions.Cookies == nil || o.Sessions.XSRF == nil {
		return nil, errors.New("pages need Hub.Access, Logins, Servers and Users, and Sessions")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.URLs.BaseURL == "" {
		o.URLs.BaseURL = "/"
	}
	if o.URLs.ServerURL == nil {
		base := o.URLs.BaseURL
		o.URLs.ServerURL = func(user, server string) string { return hub.ServerPath(base, user, server) }
	}
	if o.Traits.Redirects.UserRedirectLimit == 0 {
		o.Traits.Redirects.UserRedirectLimit = 4
	}
	if o.Traits.PageLimit <= 0 {
		o.Traits.PageLimit = 50
	}
	prefix := o.URLs.BaseURL + "hub/"
	spoken, err := newLanguages()
	if err != nil {
		return nil, err
	}
	static, err := newAssets(prefix, o.Look, spoken)
	if err != nil {
		return nil, err
	}
	return &Site{o: o, hub: prefix, engine: newEngine(o.Look.TemplatePaths, o.Look.DataFiles), static: static, languages: spoken, log: o.Logger}, nil
}

// Pages is what httpmw needs from the pages.
func (s *Site) Pages() httpmw.Pages {
	return httpmw.Pages{ErrorPage: s.errorPage, NotFound: s.notFound, Outside: s.outside,
		LoginURL: s.loginURLFor}
}

// SetMiddleware completes the wiring: httpmw needs Pages, and pages ask httpmw about schemes. Call it before the first request.
func (s *Site) SetMiddleware(m *httpmw.Middleware) { s.mw = m }

// loginPage describes how people log in.
func (s *Site) loginPage() auth.Page {
	if p, ok := s.o.Hub.Logins.Authenticator().(auth.LoginPage); ok {
		return p.LoginPage()
	}
	return auth.Page{}
}

// loginURL is where people without a login are sent: always the hub's own page, which shows a form, or a button that leads to the page of
// the authenticator, or with auto_login goes there at once. Going there directly would log people in again the moment they log out.
func (s *Site) loginURL() string { return s.hub + "login" }

// loginURLFor is where an anonymous visitor goes: the login page, or straight to the authenticator's own page when an application asks
// for a login and Authenticator.auto_login_oauth2_authorize is on.
func (s *Site) loginURLFor(r *http.Request) string {
	if s.o.Traits.Logins.AutoLoginOAuth2 && r.URL.EscapedPath() == s.hub+"api/oauth2/authorize" {
		return s.authenticatorURL()
	}
	return s.loginURL()
}

// authenticatorURL is Authenticator.login_url: where the form or the button of the login page leads.
func (s *Site) authenticatorURL() string {
	if p := s.loginPage(); p.LoginURL != "" {
		return p.LoginURL
	}
	return s.loginURL()
}

func (s *Site) logoutURL() string {
	if p := s.loginPage(); p.LogoutURL != "" {
		return p.LogoutURL
	}
	return s.hub + "logout"
}
