package config

// JupyterHub holds the traits of the hub itself.
type JupyterHub struct {
	ActiveServerLimit                int                    `trait:"active_server_limit" default:"0" tier:"common" help:"Most servers that may be pending or running at once over all users; more starts are answered with 429, and 0 means no limit."`
	ActiveUserWindow                 int                    `trait:"active_user_window" default:"1800" tier:"rare" help:"Seconds after which a user no longer counts as active."`
	ActivityResolution               int                    `trait:"activity_resolution" default:"30" tier:"common" help:"Activity is written to the database only when it is at least this many seconds newer than what is stored; 0 always writes."`
	AdminAccess                      bool                   `trait:"admin_access" default:"False" tier:"rare" deprecated:"scopes of roles (access:servers)" help:"Lets admins open servers of users; roles with access:servers replace it."`
	AdminUsers                       []string               `trait:"admin_users" default:"[]" tier:"rare" kind:"set" deprecated:"Authenticator.admin_users" help:"Names of admins, used only while Authenticator.admin_users is empty."`
	AllowExistingInvalidNamedServers string                 `trait:"allow_existing_invalid_named_servers" default:"allow-start" tier:"common" enum:"allow-start|allow-delete|autorename" help:"What happens to named servers from before 6.0 whose name is not a slug: allow-start, allow-delete or autorename."`
	AllowNamedServers                bool                   `trait:"allow_named_servers" default:"False" tier:"core" help:"Lets each user have several servers with names."`
	AnswerYes                        bool                   `trait:"answer_yes" default:"False" tier:"rare" help:"Answers yes to every question of the command line (-y)."`
	APIPageDefaultLimit              int                    `trait:"api_page_default_limit" default:"50" tier:"common" help:"Entries per page of the REST API for clients that ask for pages, and of the admin page."`
	APIPageMaxLimit                  int                    `trait:"api_page_max_limit" default:"200" tier:"common" help:"Most entries in one answer of the REST API, whatever the client asks for."`
	APITokens                        SecretKeys             `trait:"api_tokens" default:"{}" tier:"rare" secret:"true" deprecated:"JupyterHub.services with api_token" help:"API tokens and the user each one belongs to."`
	AuthenticatePrometheus           bool                   `trait:"authenticate_prometheus" default:"True" tier:"common" help:"Asks for the scope read:metrics at /hub/metrics."`
	AuthenticatorClass               ClassRef               `trait:"authenticator_class" default:"pam" tier:"core" help:"Who checks logins: pam (default), dummy, null, shared-password, or a dotted class name."`
	BaseURL                          URLPrefix              `trait:"base_url" default:"/" tier:"core" help:"Path in front of every URL; slashes are added at both ends."`
	BindURL                          string                 `trait:"bind_url" default:"http://:8000" tier:"core" help:"Public address of the proxy with scheme, host, port and path, or http+unix:// with a quoted socket path."`
	CleanupProxy                     bool                   `trait:"cleanup_proxy" default:"True" tier:"core" help:"Stops the proxy when the hub stops, if the hub started it."`
	CleanupServers                   bool                   `trait:"cleanup_servers" default:"True" tier:"core" help:"Stops the users' servers when the hub stops; False leaves them running for the next start."`
	ConcurrentSpawnLimit             int                    `trait:"concurrent_spawn_limit" default:"100" tier:"core" help:"Most servers that may be starting at once; more are asked to come back later, and 0 means no limit."`
	ConfigFile                       string                 `trait:"config_file" default:"jupyterhub_config.py" tier:"core" help:"File that is read for configuration; it must exist when it is given on the command line."`
	ConfirmNoSSL                     bool                   `trait:"confirm_no_ssl" default:"False" tier:"rare" deprecated:"nothing: it has no effect" help:"Has no effect."`
	CookieHostPrefixEnabled          bool                   `trait:"cookie_host_prefix_enabled" default:"False" tier:"common" help:"Gives login and OAuth cookies the __Host- prefix, which needs HTTPS."`
	CookieMaxAgeDays                 float64                `trait:"cookie_max_age_days" default:"14" tier:"core" help:"Days that a login cookie is good for."`
	CookieSecret                     SecretBytes            `trait:"cookie_secret" default:"" tier:"core" secret:"true" env:"JPY_COOKIE_SECRET" help:"Key that signs cookies: 32 bytes, or their hex digits; without one, the environment, then cookie_secret_file is used."`
	CookieSecretFile                 string                 `trait:"cookie_secret_file" default:"jupyterhub_cookie_secret" tier:"core" help:"File with the cookie key in hex; it is made when missing, and refused when everybody may read it."`
	CustomScopes                     map[string]CustomScope `trait:"custom_scopes" default:"{}" tier:"common" help:"Own scopes that start with custom: and their description and subscopes."`
	DataFilesPath                    string                 `trait:"data_files_path" default:"" tier:"common" help:"Folder with other templates and static files than the built-in ones."`
	DBKwargs                         map[string]any         `trait:"db_kwargs" default:"{}" tier:"common" secret:"true" help:"Extra arguments for the database driver."`
	DBURL                            string                 `trait:"db_url" default:"sqlite:///jupyterhub.sqlite" tier:"core" help:"URL of the database; a value without :// is the path of an SQLite file."`
	DebugDB                          bool                   `trait:"debug_db" default:"False" tier:"rare" help:"Logs every database statement."`
	DebugProxy                       bool                   `trait:"debug_proxy" default:"False" tier:"rare" deprecated:"ConfigurableHTTPProxy.debug" help:"Raises the proxy's log level."`
	DefaultServerName                string                 `trait:"default_server_name" default:"" tier:"common" help:"Named server that /hub/user-redirect goes to; it needs allow_named_servers."`
	DefaultURL                       string                 `trait:"default_url" default:"" tier:"core" py:"or" help:"Where users land after login and at the root URL; empty means their server or the home page."`
	ExternalSSLAuthorities           map[string]any         `trait:"external_ssl_authorities" default:"{}" tier:"rare" help:"Certificate authorities from elsewhere for internal_ssl."`
	ExtraHandlers                    []any                  `trait:"extra_handlers" default:"[]" tier:"rare" py:"or" deprecated:"a service" help:"More pages of the hub: pairs of a path and a class of Python, run beside the hub."`
	ExtraLogFile                     string                 `trait:"extra_log_file" default:"" tier:"rare" deprecated:"redirect standard error instead" help:"File that gets a copy of the log."`
	ExtraLogHandlers                 []any                  `trait:"extra_log_handlers" default:"[]" tier:"rare" py:"or" deprecated:"JupyterHub.logging_config" help:"Python log handlers, which minihub cannot run."`
	ExtraUserScopes                  []string               `trait:"extra_user_scopes" default:"[]" tier:"common" kind:"set" help:"Scopes that every user gets in addition to those of the default role user."`
	ForwardedHostHeader              string                 `trait:"forwarded_host_header" default:"" tier:"rare" deprecated:"nothing: it has no effect" help:"Has no effect."`
	GenerateCerts                    bool                   `trait:"generate_certs" default:"False" tier:"rare" help:"Writes the certificates of internal_ssl and ends."`
	GenerateConfig                   bool                   `trait:"generate_config" default:"False" tier:"common" help:"Writes a configuration file with all defaults as comments and ends."`
	HubBindURL                       string                 `trait:"hub_bind_url" default:"" tier:"core" help:"Private URL on which the hub listens, in place of hub_ip and hub_port; http+unix:// works."`
	HubConnectIP                     string                 `trait:"hub_connect_ip" default:"" tier:"core" help:"Host name or address at which proxy, servers and services reach the hub."`
	HubConnectPort                   int                    `trait:"hub_connect_port" default:"0" tier:"rare" deprecated:"JupyterHub.hub_connect_url" help:"Port at which others reach the hub."`
	HubConnectURL                    string                 `trait:"hub_connect_url" default:"" tier:"core" help:"Full URL at which proxy, servers and services reach the hub."`
	HubIP                            string                 `trait:"hub_ip" default:"127.0.0.1" tier:"core" help:"Private address on which the hub listens; empty, 0.0.0.0 or :: is all interfaces."`
	HubPort                          int                    `trait:"hub_port" default:"8081" tier:"core" help:"Private port on which the hub listens."`
	HubRoutespec                     string                 `trait:"hub_routespec" default:"/" tier:"common" help:"Route of the hub in the proxy, by default base_url (or / with subdomains)."`
	HubSocketMode                    int                    `trait:"hub_socket_mode" default:"0o600" tier:"rare" help:"File mode of the hub's unix socket."`
	ImplicitSpawnSeconds             float64                `trait:"implicit_spawn_seconds" default:"0" tier:"common" help:"Seconds after which the page of a stopped server starts it by itself; 0 waits for a click."`
	InitSpawnersTimeout              int                    `trait:"init_spawners_timeout" default:"10" tier:"common" help:"Seconds that the start waits for the check of servers left running; -1 waits without end."`
	InternalCertsLocation            string                 `trait:"internal_certs_location" default:"internal-ssl" tier:"common" help:"Folder for the certificates of internal_ssl."`
	InternalSSL                      bool                   `trait:"internal_ssl" default:"False" tier:"common" help:"Encrypts the traffic among hub, proxy, servers and services with certificates on both sides."`
	IP                               string                 `trait:"ip" default:"" tier:"core" help:"Public address of the proxy, a part of bind_url."`
	JinjaEnvironmentOptions          map[string]any         `trait:"jinja_environment_options" default:"{}" tier:"rare" help:"Extra options of the template engine."`
	LastActivityInterval             int                    `trait:"last_activity_interval" default:"300" tier:"core" help:"Seconds between two looks at the proxy's activity and routes; 0 never looks."`
	LoadGroups                       map[string]GroupSpec   `trait:"load_groups" default:"{}" tier:"core" help:"Groups and their users and properties; users are added at each start, and never removed."`
	LoadRoles                        []RoleSpec             `trait:"load_roles" default:"[]" tier:"core" help:"Roles with name, description, scopes, users, services and groups."`
	LogDatefmt                       string                 `trait:"log_datefmt" default:"%Y-%m-%d %H:%M:%S" tier:"common" help:"Format of the date in log lines."`
	LogFormat                        string                 `trait:"log_format" default:"" tier:"common" help:"Format of log lines; empty is JupyterHub's own."`
	LogLevel                         LogLevel               `trait:"log_level" default:"INFO" tier:"core" help:"Least important level that is logged, by name or number."`
	LoggingConfig                    map[string]any         `trait:"logging_config" default:"{}" tier:"rare" help:"Python's logging configuration, which minihub ignores."`
	LogoFile                         string                 `trait:"logo_file" default:"" tier:"common" help:"Image file of the banner."`
	NamedServerLimitPerUser          int                    `trait:"named_server_limit_per_user" default:"0" tier:"core" py:"or" help:"Most named servers per user; 0 means no limit."`
	OAuthRequirePKCE                 bool                   `trait:"oauth_require_pkce" default:"False" tier:"common" help:"Refuses OAuth requests without PKCE."`
	OAuthTokenExpiresIn              int                    `trait:"oauth_token_expires_in" default:"0" tier:"common" help:"Seconds that tokens issued by OAuth live; by default as long as the login cookie."`
	PIDFile                          string                 `trait:"pid_file" default:"" tier:"common" help:"File for the hub's process id."`
	Port                             int                    `trait:"port" default:"8000" tier:"core" help:"Public port of the proxy, a part of bind_url."`
	ProxyAPIIP                       string                 `trait:"proxy_api_ip" default:"" tier:"rare" deprecated:"ConfigurableHTTPProxy.api_url" help:"Address of the proxy's REST API."`
	ProxyAPIPort                     int                    `trait:"proxy_api_port" default:"0" tier:"rare" deprecated:"ConfigurableHTTPProxy.api_url" help:"Port of the proxy's REST API."`
	ProxyAuthToken                   Secret                 `trait:"proxy_auth_token" default:"" tier:"rare" secret:"true" deprecated:"ConfigurableHTTPProxy.auth_token" help:"Token of the proxy's REST API."`
	ProxyCheckInterval               int                    `trait:"proxy_check_interval" default:"5" tier:"rare" deprecated:"ConfigurableHTTPProxy.check_running_interval" help:"Seconds between two checks that the proxy runs."`
	ProxyClass                       ClassRef               `trait:"proxy_class" default:"minihub" tier:"core" help:"Which proxy is used: minihub (built in), or configurable-http-proxy as a program of its own."`
	ProxyCmd                         Command                `trait:"proxy_cmd" default:"[]" tier:"rare" deprecated:"ConfigurableHTTPProxy.command" help:"Command that starts the proxy."`
	PublicURL                        string                 `trait:"public_url" default:"" tier:"core" help:"Public URL with base_url, for links in the API, secure cookies and checks of redirects."`
	RecreateInternalCerts            bool                   `trait:"recreate_internal_certs" default:"False" tier:"rare" help:"Makes the certificates of internal_ssl anew at each start."`
	RedirectToServer                 bool                   `trait:"redirect_to_server" default:"True" tier:"core" help:"Sends users to their own server after login, instead of the home page."`
	ResetDB                          bool                   `trait:"reset_db" default:"False" tier:"rare" help:"Deletes all tables at start."`
	ServiceCheckInterval             int                    `trait:"service_check_interval" default:"60" tier:"common" help:"Seconds between two checks that services answer, which are only logged; 0 never checks."`
	ServiceTokens                    SecretKeys             `trait:"service_tokens" default:"{}" tier:"common" secret:"true" help:"API tokens and the service each one belongs to."`
	Services                         []Service              `trait:"services" default:"[]" tier:"core" help:"Services with name, url, command, api_token and so on; managed and capabilities are keys of minihub."`
	ShowConfig                       bool                   `trait:"show_config" default:"False" tier:"rare" help:"Prints the configuration and ends."`
	ShowConfigJSON                   bool                   `trait:"show_config_json" default:"False" tier:"rare" help:"Prints the configuration as JSON and ends."`
	ShutdownOnLogout                 bool                   `trait:"shutdown_on_logout" default:"False" tier:"common" help:"Stops a user's servers at logout."`
	SpawnerClass                     ClassRef               `trait:"spawner_class" default:"localprocess" tier:"core" help:"What starts servers: localprocess (default), simple, toy, or a dotted class name."`
	SSLCert                          string                 `trait:"ssl_cert" default:"" tier:"core" help:"File with the public TLS certificate."`
	SSLKey                           string                 `trait:"ssl_key" default:"" tier:"core" help:"File with the key of ssl_cert."`
	SubdomainHook                    string                 `trait:"subdomain_hook" default:"idna" tier:"common" py:"or" help:"How names of users and services become host names: idna or legacy."`
	SubdomainHost                    string                 `trait:"subdomain_host" default:"" tier:"core" help:"Gives every user a subdomain of this host, for example https://hub.example.org."`
	TemplatePaths                    []string               `trait:"template_paths" default:"[]" tier:"core" help:"Folders with templates that win over the built-in ones."`
	TemplateVars                     map[string]any         `trait:"template_vars" default:"{}" tier:"core" help:"Extra variables for templates."`
	TokenExpiresInMaxSeconds         int                    `trait:"token_expires_in_max_seconds" default:"0" tier:"common" help:"Longest life of tokens made through the API; 0 means no limit."`
	TornadoSettings                  map[string]any         `trait:"tornado_settings" default:"{}" tier:"core" secret:"true" help:"Overrides of single settings: headers, cookie_options, xsrf_cookie_kwargs, slow_spawn_timeout, slow_stop_timeout, user_redirect_limit, csp_report_uri, no_cache_static, spawn_throttle_retry_range."`
	TrustUserProvidedTokens          bool                   `trait:"trust_user_provided_tokens" default:"False" tier:"rare" help:"Stores configured tokens with a fast hash; only for long random tokens."`
	TrustedAltNames                  []string               `trait:"trusted_alt_names" default:"[]" tier:"rare" help:"Extra names in internal certificates, as DNS:name or IP:address."`
	TrustedDownstreamIPs             []string               `trait:"trusted_downstream_ips" default:"[]" tier:"common" help:"Addresses of proxies that are skipped in X-Forwarded-For."`
	UpgradeDB                        bool                   `trait:"upgrade_db" default:"False" tier:"common" help:"Upgrades an older database at start."`
	UseLegacyStoppedServerStatusCode bool                   `trait:"use_legacy_stopped_server_status_code" default:"False" tier:"common" help:"Answers requests to stopped servers with 503 instead of 424."`
	UserRedirectHook                 *Python                `trait:"user_redirect_hook" default:"None" tier:"common" py:"only" help:"Python function that decides where /hub/user-redirect goes."`
}
