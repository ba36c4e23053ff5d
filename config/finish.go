package config

import (
	"os/exec"
	"runtime"
	"strings"
)

// finish fills the defaults that depend on other traits, once everything is decoded.
func (l *loader) finish() {
	hub := &l.cfg.JupyterHub
	l.finishURLs()
	if !strings.Contains(hub.DBURL, "://") {
		hub.DBURL = "sqlite:///" + hub.DBURL
	}
	if !l.cfg.Given("JupyterHub", "oauth_token_expires_in") {
		hub.OAuthTokenExpiresIn = int(hub.CookieMaxAgeDays * 24 * 3600)
	}
	if l.cfg.CryptKeeper.NThreads == 0 {
		l.cfg.CryptKeeper.NThreads = runtime.NumCPU()
	}
	for _, class := range []string{"Authenticator", "LocalAuthenticator", "PAMAuthenticator", "DummyAuthenticator",
		"SharedPasswordAuthenticator", "NullAuthenticator"} {
		l.finishAuthenticator(class)
	}
	for _, local := range []*LocalAuthenticator{&l.cfg.LocalAuthenticator, &l.cfg.PAMAuthenticator.LocalAuthenticator} {
		if len(local.AddUserCmd) == 0 {
			local.AddUserCmd = defaultAddUser()
		}
	}
	for _, p := range []**Secret{&l.cfg.SharedPasswordAuthenticator.UserPassword, &l.cfg.SharedPasswordAuthenticator.AdminPassword} {
		if *p != nil && **p == "" {
			*p = nil
		}
	}
	for _, class := range []string{"Spawner", "LocalProcessSpawner", "SimpleLocalProcessSpawner", "ToySpawner"} {
		if !l.cfg.GivenFor(class, "ssl_alt_names") {
			l.cfg.spawner(class).SSLAltNames = append([]string{}, hub.TrustedAltNames...)
		}
	}
	l.finishProxy()
}

// finishURLs normalises the parts that other defaults look at.
func (l *loader) finishURLs() {
	hub := &l.cfg.JupyterHub
	if !l.cfg.Given("JupyterHub", "base_url") {
		if u, err := splitURL(hub.BindURL); err == nil {
			hub.BaseURL = URLPrefix(normalPrefix(u.path))
		}
	}
	if hub.SubdomainHost != "" && !strings.Contains(hub.SubdomainHost, "://") {
		l.report.Warnf("JupyterHub.subdomain_host", "write the scheme", "no scheme is given; https:// is assumed")
		hub.SubdomainHost = "https://" + hub.SubdomainHost
	}
	l.finishPublicURL()
	if !l.cfg.Given("JupyterHub", "hub_routespec") {
		hub.HubRoutespec = string(hub.BaseURL)
		if hub.SubdomainHost != "" {
			hub.HubRoutespec = "/"
		}
	}
	if !strings.HasSuffix(hub.HubRoutespec, "/") {
		hub.HubRoutespec += "/"
	}
	if hub.SubdomainHost == "" && !strings.HasPrefix(hub.HubRoutespec, "/") {
		hub.HubRoutespec = "/" + hub.HubRoutespec
	}
}

func (l *loader) finishPublicURL() {
	hub := &l.cfg.JupyterHub
	base := string(hub.BaseURL)
	if hub.PublicURL == "" {
		if hub.SubdomainHost != "" && !l.cfg.Given("JupyterHub", "public_url") {
			hub.PublicURL = hub.SubdomainHost + base
		}
		return
	}
	if !strings.Contains(hub.PublicURL, "://") {
		l.report.Warnf("JupyterHub.public_url", "write the scheme", "no scheme is given; https:// is assumed")
		hub.PublicURL = "https://" + hub.PublicURL
	}
	if !strings.HasSuffix(hub.PublicURL, "/") {
		hub.PublicURL += "/"
	}
	if strings.HasSuffix(hub.PublicURL, base) {
		return
	}
	if u, err := splitURL(hub.PublicURL); err == nil && strings.Trim(u.path, "/") == "" {
		l.report.Warnf("JupyterHub.public_url", "write the full URL", "base_url %s is missing at its end and was added", base)
		hub.PublicURL = strings.TrimRight(hub.PublicURL, "/") + base
		return
	}
	l.report.Errorf("JupyterHub.public_url", "end it with base_url", "its path must end with base_url %s", base)
}

// finishAuthenticator computes allow_existing_users, Dummy's allow_all and any_allow_config of one class.
func (l *loader) finishAuthenticator(class string) {
	a := l.cfg.authenticator(class)
	if !l.cfg.GivenFor(class, "allow_existing_users") {
		a.AllowExistingUsers = len(a.AllowedUsers) > 0
	}
	if class == "DummyAuthenticator" && !l.cfg.GivenFor(class, "allow_all") {
		a.AllowAll = len(a.AllowedUsers) == 0
	}
	if l.cfg.GivenFor(class, "any_allow_config") {
		return
	}
	a.AnyAllowConfig = a.AllowAll || a.AllowExistingUsers || len(a.AllowedUsers) > 0
	switch class {
	case "LocalAuthenticator":
		a.AnyAllowConfig = a.AnyAllowConfig || len(l.cfg.LocalAuthenticator.AllowedGroups) > 0
	case "PAMAuthenticator":
		a.AnyAllowConfig = a.AnyAllowConfig || len(l.cfg.PAMAuthenticator.AllowedGroups) > 0
	}
}

// finishProxy also chooses configurable-http-proxy when the configuration says that somebody else starts the proxy: in
// JupyterHub that is what should_start = False means, and such files do not set proxy_class.
func (l *loader) finishProxy() {
	hub := &l.cfg.JupyterHub
	if !l.cfg.Given("JupyterHub", "proxy_class") && !l.cfg.ConfigurableHTTPProxy.ShouldStart {
		hub.ProxyClass = ClassRef{Native: "configurable-http-proxy", Class: "ConfigurableHTTPProxy", Given: "configurable-http-proxy"}
	}
	for class, p := range map[string]*ConfigurableHTTPProxy{
		"ConfigurableHTTPProxy": &l.cfg.ConfigurableHTTPProxy, "MinihubProxy": &l.cfg.MinihubProxy.ConfigurableHTTPProxy} {
		if !l.cfg.GivenFor(class, "api_url") && l.cfg.JupyterHub.InternalSSL {
			p.APIURL = strings.Replace(p.APIURL, "http://", "https://", 1)
		}
		if p.Debug {
			p.LogLevel = "debug"
		}
	}
}

// defaultAddUser is FreeBSD's pw where it exists, else Debian's adduser.
func defaultAddUser() Command {
	if _, err := exec.LookPath("pw"); err == nil {
		return Command{"pw", "useradd", "-m", "-n"}
	}
	return Command{"adduser", "-q", "--gecos", "", "--disabled-password"}
}
