package app

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/api"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/metrics"
	"github.com/minihub/minihub/oauthprovider"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/services"
	"github.com/minihub/minihub/web"
)

// edge are the parts that speak HTTP.
type edge struct {
	site    *web.Site
	mw      *httpmw.Middleware
	handler http.Handler // everything under base_url
}

func (a *App) buildEdge(context.Context) error {
	cookies, xsrf, err := a.sessions()
	if err != nil {
		return err
	}
	site, err := web.New(a.webOptions(cookies, xsrf))
	if err != nil {
		return err
	}
	from, err := trusted(a.cfg.JupyterHub.TrustedDownstreamIPs)
	if err != nil {
		return err
	}
	if a.outsideProxy() {
		from = append(from, loopback()...) // the proxy tells who the client is
	}
	c := a.core
	mw := httpmw.New(httpmw.Options{Access: c.access, Logins: c.logins, Cookies: cookies, XSRF: xsrf, BaseURL: a.urls.BaseURL, PublicURL: a.urls.PublicURL,
		Headers: a.torn.Headers, TrustedDownstream: from, Logger: a.o.Logger, Observe: a.metrics.Request, Decided: a.decided(), Pages: site.Pages()})
	site.SetMiddleware(mw)
	provider := oauthprovider.New(oauthprovider.Options{Store: a.store, Access: c.access, Catalog: c.access.Catalog(), Consent: consentPage{site},
		Identity: httpmw.Identity, SessionID: httpmw.SessionID,
		BaseURL: a.urls.BaseURL, PublicURL: a.urls.PublicURL, Scheme: mw.Scheme, RequirePKCE: a.cfg.JupyterHub.OAuthRequirePKCE, TokenLife: a.tokenLife(), Logger: a.o.Logger})
	rest := api.New(a.apiOptions(provider, mw))
	tables := append(append(rest.Tables(), site.Table()), a.inspector(site)...)
	a.edge = &edge{site: site, mw: mw, handler: a.py.wrap(a.urls.HubPrefix, tables, mw.Handler(append(tables, a.py.pageTables(site)...)...))}
	if a.o.Handler != nil {
		a.edge.handler = a.o.Handler(a.edge.handler)
	}
	return nil
}

func (a *App) sessions() (*httpmw.Cookies, *httpmw.XSRF, error) {
	h := &a.cfg.JupyterHub
	o := httpmw.CookieOptions{BaseURL: a.urls.BaseURL, HubPrefix: a.urls.HubPrefix, PublicURL: a.urls.PublicURL, HostPrefix: h.CookieHostPrefixEnabled,
		MaxAge: time.Duration(h.CookieMaxAgeDays * float64(24*time.Hour)), Attributes: a.torn.CookieOptions, XSRFAttributes: a.torn.XSRFCookieKwargs}
	if h.SubdomainHost != "" {
		o.Domain = a.urls.Domain
	}
	cookies, err := httpmw.NewCookies(a.secrets.signer, o)
	if err != nil {
		return nil, nil, err
	}
	xsrf, err := httpmw.NewXSRF(a.secrets.signer, a.o.LookupEnv)
	return cookies, xsrf, err
}

// tokenLife is oauth_token_expires_in; its default follows cookie_max_age_days.
func (a *App) tokenLife() time.Duration {
	if n := a.cfg.JupyterHub.OAuthTokenExpiresIn; n > 0 {
		return seconds(n)
	}
	return time.Duration(a.cfg.JupyterHub.CookieMaxAgeDays * float64(24*time.Hour))
}

func (a *App) webOptions(cookies *httpmw.Cookies, xsrf *httpmw.XSRF) web.Options {
	h, s, au, c := &a.cfg.JupyterHub, a.cfg.SpawnerTraits(), a.cfg.AuthenticatorTraits(), a.core
	o := web.Options{
		Hub:      web.Hub{Access: c.access, Users: c.users, Groups: c.groups, Tokens: c.tokens, Shares: c.shares, Servers: c.servers, Logins: c.logins},
		Sessions: web.Sessions{Cookies: cookies, XSRF: xsrf},
		URLs:     web.URLs{BaseURL: a.urls.BaseURL, PublicURL: a.urls.PublicURL, SubdomainHost: a.subdomainHost(), ServerURL: a.serverURL},
		Look: web.Look{TemplatePaths: h.TemplatePaths, DataFiles: h.DataFilesPath, TemplateVars: h.TemplateVars, LogoFile: h.LogoFile, Version: api.Version, NoCacheStatic: a.torn.NoCacheStatic,
			Announcements: announcements(h.TemplateVars)},
		Traits: web.Traits{
			Redirects: web.Redirects{RedirectToServer: h.RedirectToServer, UserRedirectLimit: a.torn.UserRedirectLimit, DefaultServerName: h.DefaultServerName},
			Servers: web.ServerTraits{AllowNamed: h.AllowNamedServers, ImplicitSpawn: h.ImplicitSpawnSeconds, LegacyStoppedStatus: h.UseLegacyStoppedServerStatusCode,
				OptionsForm: s.OptionsForm, SimpleForm: s.OptionsFromForm == "simple"},
			Logins:    web.LoginTraits{AutoLogin: au.AutoLogin, AutoLoginOAuth2: au.AutoLoginOAuth2Authorize, RequestOTP: au.RequestOTP, OTPPrompt: deref(au.OTPPrompt), ShutdownOnLogout: h.ShutdownOnLogout, Observed: a.metrics.LoggedIn, LoggedOut: a.metrics.LoggedOut},
			Tokens:    web.TokenTraits{MaxExpiry: seconds(h.TokenExpiresInMaxSeconds)},
			PageLimit: h.APIPageDefaultLimit,
		},
		Services: menu{c.services},
		Metrics:  web.Metrics{Handler: a.metrics.Handler(), Open: !h.AuthenticatePrometheus, CSPReport: a.metrics.CSPReport},
		Logger:   a.o.Logger,
	}
	if h.DefaultURL != "" {
		o.Traits.Redirects.DefaultURL = func(*http.Request, *orm.User) string { return h.DefaultURL }
	}
	if n := h.NamedServerLimitPerUser; n > 0 {
		o.Traits.Servers.NamedLimit = func(context.Context, *orm.User) (int, error) { return n, nil }
	}
	a.py.addPages(&o)
	return o
}

// announcements are the texts that administrators put into template_vars.
func announcements(vars map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range vars {
		text, ok := v.(string)
		if rest, is := strings.CutPrefix(k, "announcement"); ok && is {
			out[strings.TrimPrefix(rest, "_")] = text
		}
	}
	return out
}

func (a *App) apiOptions(provider *oauthprovider.Provider, mw *httpmw.Middleware) api.Options {
	c, h := a.core, &a.cfg.JupyterHub
	executable := python(a.o.LookupEnv)
	return api.Options{
		Hub:   api.Hub{Access: c.access, Users: c.users, Groups: c.groups, Tokens: c.tokens, Shares: c.shares, Servers: c.servers, Logins: c.logins, Acts: c.activity},
		OAuth: provider, Services: c.services, Proxy: c.routes, Requests: mw,
		Info: api.Info{PythonVersion: pythonVersion(executable), SysExecutable: executable, SpawnerClass: c.driver.Name(), AuthenticatorClass: c.logins.Authenticator().Name(),
			SpawnerVersion: api.Version, AuthenticatorVersion: api.Version, AdminAccess: h.AdminAccess, Shutdown: a.shutdown},
		URLs:   api.URLs{BaseURL: a.urls.BaseURL, PublicURL: a.urls.PublicURL},
		Pages:  api.PageLimits{Default: h.APIPageDefaultLimit, Max: h.APIPageMaxLimit},
		Logger: a.o.Logger,
	}
}

// python tells which interpreter servers will find; GET /info reports it as JupyterHub reports its own. "" when there is none.
func python(lookup func(string) (string, bool)) (executable string) {
	name, ok := lookup("MINIHUB_PYTHON")
	if !ok {
		name = "python3"
	}
	executable, _ = exec.LookPath(name)
	return executable
}

// pythonVersion asks the interpreter for its sys.version, once and not before somebody wants to know.
func pythonVersion(executable string) func() string {
	return sync.OnceValue(func() string {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, executable, "-I", "-S", "-c", "import sys; print(sys.version)").Output()
		if executable == "" || err != nil {
			return "none (minihub is no Python program)"
		}
		return strings.TrimRight(string(out), "\r\n")
	})
}

// consentPage lets web show what oauthprovider asks.
type consentPage struct{ site *web.Site }

// Render implements oauthprovider.ConsentPage.
func (c consentPage) Render(w http.ResponseWriter, r *http.Request, d oauthprovider.Consent) error {
	return c.site.Consent().Render(w, r, web.ConsentData{Identifier: d.ClientID, ClientDescription: d.ClientDescription, RedirectURI: d.RedirectURI,
		DenyURL: d.DenyURL, Scopes: d.Scopes, Descriptions: d.Descriptions})
}

// menu is the services menu.
type menu struct{ services *services.Services }

// Displayed implements web.Services.
func (m menu) Displayed(ctx context.Context) ([]web.Service, error) {
	all, err := m.services.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []web.Service
	for _, s := range all {
		if s.Prefix == "" || s.Display != nil && !*s.Display {
			continue
		}
		entry := web.Service{Name: s.Name, Href: s.Href, Prefix: s.Prefix, Info: s.Info, Admin: s.Admin}
		if s.URL != nil {
			entry.URL = *s.URL
		}
		out = append(out, entry)
	}
	return out, nil
}

// observer is metrics as hub.Observer; events of servers have no handlers without Python.
type observer struct{ *metrics.Metrics }

// ServerAction implements hub.Observer.
func (observer) ServerAction(context.Context, string, string, string) {}

var _ hub.Observer = observer{}
