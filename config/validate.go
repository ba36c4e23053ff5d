package config

import (
	"fmt"
	"regexp"
	"strings"
)

// validate runs the checks that look at more than one trait, or at more than the type.
func validate(c *Config, r *Report) {
	validateListen(c, r)
	validateURLs(c, r)
	validateLimits(c, r)
	validateSecrets(c, r)
	validateAuthenticator(c, r)
	validateRoles(c, r)
	validateGroups(c, r)
	validateScopes(c, r)
	validateServices(c, r)
	validateTokens(c, r)
}

func validateListen(c *Config, r *Report) {
	hub := &c.JupyterHub
	if (hub.SSLKey == "") != (hub.SSLCert == "") {
		given, missing := "ssl_key", "ssl_cert"
		if hub.SSLKey == "" {
			given, missing = missing, given
		}
		r.Errorf("JupyterHub."+given, "set JupyterHub."+missing+" too", "it is set without %s", missing)
	}
	ports := []struct {
		trait string
		value int
		zero  bool
	}{{"JupyterHub.port", hub.Port, false}, {"JupyterHub.hub_port", hub.HubPort, false},
		{"JupyterHub.hub_connect_port", hub.HubConnectPort, true}, {"Spawner.port", c.SpawnerTraits().Port, true}}
	for _, p := range ports {
		if p.value < 0 || p.value > 65535 || p.value == 0 && !p.zero {
			r.Errorf(p.trait, "use 1 to 65535", "%d is not a port", p.value)
		}
	}
	separate := c.Given("JupyterHub", "ip") || c.Given("JupyterHub", "port") || c.Given("JupyterHub", "base_url")
	if c.Given("JupyterHub", "bind_url") && separate {
		r.Warnf("JupyterHub.bind_url", "keep bind_url only", "ip, port or base_url is set too, and wins over the parts of bind_url")
	}
	if hub.HubSocketMode < 0 || hub.HubSocketMode > 0o777 {
		r.Errorf("JupyterHub.hub_socket_mode", "write it in octal: 0o600", "%d is not a file mode", hub.HubSocketMode)
	}
}

func validateURLs(c *Config, r *Report) {
	hub := &c.JupyterHub
	if _, err := ComputeURLs(c, "localhost"); err != nil {
		trait, reason, _ := strings.Cut(err.Error(), ": ")
		r.Errorf(trait, "write scheme://host:port", "%s", reason)
	}
	checkURL(r, "JupyterHub.bind_url", withScheme(hub.BindURL, hub.SSLCert != ""), "http", "https", "http+unix")
	checkURL(r, "JupyterHub.hub_bind_url", hub.HubBindURL, "http", "https", "http+unix")
	checkURL(r, "JupyterHub.hub_connect_url", hub.HubConnectURL, "http", "https", "http+unix")
	checkURL(r, "JupyterHub.public_url", hub.PublicURL, "http", "https")
	checkURL(r, "JupyterHub.subdomain_host", hub.SubdomainHost, "http", "https")
	checkURL(r, "ConfigurableHTTPProxy.api_url", c.ProxyTraits().APIURL, "http", "https", "http+unix")
	if url := c.SpawnerTraits().HubConnectURL; url != nil {
		checkURL(r, "Spawner.hub_connect_url", *url, "http", "https")
	}
	if strings.HasPrefix(hub.HubBindURL, "http+unix://") && hub.HubConnectURL == "" {
		r.Warnf("JupyterHub.hub_bind_url", "set JupyterHub.hub_connect_url",
			"it is a unix socket, and servers and services of other machines or containers cannot reach it")
	}
	for _, spec := range sortedKeys(c.ProxyTraits().ExtraRoutes) {
		where := fmt.Sprintf("Proxy.extra_routes[%q]", spec)
		checkURL(r, where, c.ProxyTraits().ExtraRoutes[spec], "http", "https")
		if !strings.HasSuffix(spec, "/") {
			r.Warnf(where, "", "a routespec ends with a slash; one is added")
		}
		if (hub.SubdomainHost == "") != strings.HasPrefix(spec, "/") && spec != "/" {
			r.Errorf(where, "", "a routespec starts with a slash without subdomain_host, and with a host name with it")
		}
	}
	if hook := hub.SubdomainHook; hook != "idna" && hook != "legacy" && !hasPython(c, "JupyterHub.subdomain_hook") {
		r.Errorf("JupyterHub.subdomain_hook", "use idna or legacy", "no hook of this name exists")
	}
}

func hasPython(c *Config, where string) bool {
	for _, py := range c.Python {
		if py.Where == where {
			return true
		}
	}
	return false
}

func checkURL(r *Report, where, raw string, schemes ...string) {
	if raw == "" {
		return
	}
	u, err := splitURL(raw)
	if err != nil {
		r.Errorf(where, "write "+schemes[0]+"://host:port", "%v", err)
		return
	}
	for _, scheme := range schemes {
		if u.scheme == scheme {
			if scheme == "http+unix" {
				return
			}
			if _, _, err := u.hostPort(); err != nil {
				r.Errorf(where, "", "%v", err)
			}
			return
		}
	}
	r.Errorf(where, "use "+strings.Join(schemes, " or "), "%s is not a scheme that works here", u.scheme)
}

func validateLimits(c *Config, r *Report) {
	hub, sp := &c.JupyterHub, c.SpawnerTraits()
	for _, l := range []struct {
		trait string
		value float64
	}{
		{"JupyterHub.concurrent_spawn_limit", float64(hub.ConcurrentSpawnLimit)},
		{"JupyterHub.active_server_limit", float64(hub.ActiveServerLimit)},
		{"JupyterHub.named_server_limit_per_user", float64(hub.NamedServerLimitPerUser)},
		{"JupyterHub.activity_resolution", float64(hub.ActivityResolution)},
		{"JupyterHub.last_activity_interval", float64(hub.LastActivityInterval)},
		{"JupyterHub.service_check_interval", float64(hub.ServiceCheckInterval)},
		{"JupyterHub.token_expires_in_max_seconds", float64(hub.TokenExpiresInMaxSeconds)},
		{"JupyterHub.cookie_max_age_days", hub.CookieMaxAgeDays},
		{"Authenticator.auth_refresh_age", float64(c.AuthenticatorTraits().AuthRefreshAge)},
		{"Spawner.start_timeout", float64(sp.StartTimeout)},
		{"Spawner.http_timeout", float64(sp.HTTPTimeout)},
		{"Spawner.consecutive_failure_limit", float64(sp.ConsecutiveFailureLimit)},
	} {
		if l.value < 0 {
			r.Errorf(l.trait, "use 0 or a positive number", "it must not be negative")
		}
	}
	if hub.APIPageDefaultLimit < 1 || hub.APIPageMaxLimit < 1 {
		r.Errorf("JupyterHub.api_page_default_limit", "use positive numbers", "api_page_default_limit and api_page_max_limit must be at least 1")
	}
	if sp.PollJitter < 0 || sp.PollJitter >= 1 {
		r.Errorf("Spawner.poll_jitter", "use 0.1", "it must be at least 0 and less than 1")
	}
	for trait, size := range map[string]*ByteSize{"Spawner.mem_limit": sp.MemLimit, "Spawner.mem_guarantee": sp.MemGuarantee} {
		if size != nil && *size < 0 {
			r.Errorf(trait, "", "a size must not be negative")
		}
	}
	if _, err := hub.Tornado(); err != nil {
		r.Errorf("JupyterHub.tornado_settings", "", "%v", err)
	}
}

func validateSecrets(c *Config, r *Report) {
	hub, a := &c.JupyterHub, c.AuthenticatorTraits()
	if n := len(hub.CookieSecret); n > 0 && n != 32 {
		r.Warnf("JupyterHub.cookie_secret", "openssl rand -hex 32 makes one", "it has %d bytes; 32 are recommended", n)
	}
	if a.EnableAuthState && len(c.CryptKeeper.Keys) == 0 {
		r.Errorf("Authenticator.enable_auth_state", "set JUPYTERHUB_CRYPT_KEY (openssl rand -hex 32) or CryptKeeper.keys",
			"it needs a key that encrypts auth_state, and none is configured")
	}
	p := c.ProxyTraits()
	if !p.ShouldStart && p.AuthToken == "" && hub.ProxyClass.Native == "configurable-http-proxy" {
		r.Errorf("ConfigurableHTTPProxy.auth_token", "set CONFIGPROXY_AUTH_TOKEN to the proxy's token",
			"it is required when should_start is False")
	}
}

func validateAuthenticator(c *Config, r *Report) {
	a, hub := c.AuthenticatorTraits(), &c.JupyterHub
	if pattern := a.UsernamePattern; pattern != "" {
		if _, err := regexp.Compile(pattern); err != nil {
			r.Errorf("Authenticator.username_pattern", "lookahead and back references are not supported", "it is not a regular expression: %v", err)
		}
	}
	for name, users := range map[string][]string{"allowed_users": a.AllowedUsers, "blocked_users": a.BlockedUsers, "admin_users": a.AdminUsers} {
		for _, user := range users {
			if strings.TrimSpace(user) == "" || strings.ContainsAny(user, "/") {
				r.Errorf("Authenticator."+name, "", "a user name must not be empty or hold a slash")
			}
		}
	}
	if a.AllowAll && len(a.AllowedUsers) > 0 {
		r.Warnf("Authenticator.allow_all", "remove allow_all to let in only allowed_users", "everybody who can log in is allowed, whatever allowed_users says")
	}
	if a.ManageGroups && len(hub.LoadGroups) > 0 {
		r.Errorf("JupyterHub.load_groups", "remove one of the two", "Authenticator.manage_groups is set, so groups come from the authenticator only")
	}
	if hub.AuthenticatorClass.Native == "shared-password" {
		validateSharedPassword(&c.SharedPasswordAuthenticator, r)
	}
	if hub.AuthenticatorClass.Native != "" && hub.AuthenticatorClass.Native != "null" && !a.AnyAllowConfig && len(a.AdminUsers) == 0 {
		r.Warnf("Authenticator.allow_all", "set Authenticator.allowed_users, or Authenticator.allow_all = True for everybody who can log in",
			"nobody is allowed to log in")
	}
}

// The lengths are JupyterHub's.
const (
	minUserPassword  = 8
	minAdminPassword = 32
)

func validateSharedPassword(s *SharedPasswordAuthenticator, r *Report) {
	const class = "SharedPasswordAuthenticator."
	if s.UserPassword != nil && len([]rune(string(*s.UserPassword))) < minUserPassword {
		r.Errorf(class+"user_password", "", "it must have at least %d characters", minUserPassword)
	}
	if s.AdminPassword != nil && len([]rune(string(*s.AdminPassword))) < minAdminPassword {
		r.Errorf(class+"admin_password", "openssl rand -hex 16 makes one", "it must have at least %d characters", minAdminPassword)
	}
	if s.UserPassword != nil && s.AdminPassword != nil && *s.UserPassword == *s.AdminPassword {
		r.Errorf(class+"admin_password", "choose another one", "it must differ from user_password")
	}
	if len(s.PasswordGroups) > 0 && !s.ManageGroups {
		r.Errorf(class+"password_groups", "set "+class+"manage_groups = True", "it is set, but manage_groups is not")
	}
	switch {
	case s.UserPassword == nil && s.AdminPassword == nil && len(s.PasswordGroups) == 0:
		r.Warnf(class+"user_password", "set user_password, admin_password or both", "no password is set, so nobody can log in")
	case s.AdminPassword != nil && len(s.AdminUsers) == 0:
		r.Warnf(class+"admin_password", "set Authenticator.admin_users", "only names in admin_users may use it, and there are none")
	case s.AdminPassword == nil && len(s.AdminUsers) > 0:
		r.Warnf(class+"admin_users", "set "+class+"admin_password", "admins need admin_password, which is not set")
	}
}
