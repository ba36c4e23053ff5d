package app

import (
	"net/url"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
)

// hostOf returns the function that names the host of a user or a service (kind urlpath.KindUser or KindService), as scheme://host[:port];
// nil without JupyterHub.subdomain_host.
func (a *App) hostOf(kind string) func(name string) string {
	h := &a.cfg.JupyterHub
	base, err := url.Parse(h.SubdomainHost)
	if h.SubdomainHost == "" || err != nil {
		return nil
	}
	port := ""
	if p := base.Port(); p != "" {
		port = ":" + p
	}
	if a.py.hubHolds("subdomain_hook") {
		hook := a.py.subdomain(base.Hostname(), kind)
		return func(name string) string { return base.Scheme + "://" + hook(name) + port }
	}
	return func(name string) string {
		return base.Scheme + "://" + urlpath.Subdomain(name, base.Hostname(), kind, h.SubdomainHook) + port
	}
}

// serverURL is the address of a server as browsers use it.
func (a *App) serverURL(user, server string) string {
	path := hub.ServerPath(a.urls.BaseURL, user, server)
	if host := a.hostOf(urlpath.KindUser); host != nil {
		return host(user) + path
	}
	return path
}

// subdomainHost is host[:port] of JupyterHub.subdomain_host, "" without subdomains.
func (a *App) subdomainHost() string {
	u, err := url.Parse(a.cfg.JupyterHub.SubdomainHost)
	if err != nil {
		return ""
	}
	return u.Host
}
