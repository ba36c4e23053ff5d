package config

// JupyterHub holds the traits of the hub itself.
type JupyterHub struct {
	ActiveServerLimit                int                    `trait:"active_server_limit" default:"0" tier:"common" help:"max servers in any active state; 0 = none; exceeding -> 429"`
	ActiveUserWindow                 int                    `trait:"active_user_window" default:"1800" tier:"rare" help:"seconds counted as recently active in a periodic tally"`
	ActivityResolution               int                    `trait:"activity_resolution" default:"30" tier:"common" help:"ignore activity newer than stored by less than this many s; 0 = always write"`
	AdminAccess                      bool                   `trait:"admin_access" default:"False" tier:"rare" deprecated:"scopes of roles (access:servers)" help:"deprecated 2.0; sets JUPYTERHUB_ADMIN_ACCESS and the no-op admin-access API"`
	AdminUsers                       []string               `trait:"admin_users" default:"[]" tier:"rare" kind:"set" deprecated:"Authenticator.admin_users" help:"deprecated; used only when Authenticator.admin_users is empty"`
	AllowExistingInvalidNamedServers string                 `trait:"allow_existing_invalid_named_servers" default:"allow-start" tier:"common" enum:"allow-start|allow-delete|autorename" help:"treatment of pre-6.0 named servers with non-slug names"`
	AllowNamedServers                bool                   `trait:"allow_named_servers" default:"False" tier:"core" help:"enable named servers"`
	AnswerYes                        bool                   `trait:"answer_yes" default:"False" tier:"rare" help:"assume yes at prompts (-y)"`
	APIPageDefaultLimit              int                    `trait:"api_page_default_limit" default:"50" tier:"common" help:"page size when the pagination media type is accepted; also admin UI"`
	APIPageMaxLimit                  int                    `trait:"api_page_max_limit" default:"200" tier:"common" help:"hard page cap; default size without the media type"`
	APITokens                        SecretKeys             `trait:"api_tokens" default:"{}" tier:"rare" secret:"true" deprecated:"JupyterHub.services with api_token" help:"preloaded user tokens (pending deprecation)"`
	AuthenticatePrometheus           bool                   `trait:"authenticate_prometheus" default:"True" tier:"common" help:"require read:metrics for metrics"`
	AuthenticatorClass               ClassRef               `trait:"authenticator_class" default:"pam" tier:"core" help:"authenticator; names: default, pam, dummy, null, shared-password, plus plugins"`
	BaseURL                          URLPrefix              `trait:"base_url" default:"/" tier:"core" help:"prefix of all URLs; slashes added both ends"`
	BindURL                          string                 `trait:"bind_url" default:"http://:8000" tier:"core" help:"public bind address of the proxy; http+unix://<quoted path> ok; scheme forced to match ssl_cert"`
	CleanupProxy                     bool                   `trait:"cleanup_proxy" default:"True" tier:"core" help:"stop the proxy at shutdown (only if hub started it)"`
	CleanupServers                   bool                   `trait:"cleanup_servers" default:"True" tier:"core" help:"stop user servers at shutdown"`
	ConcurrentSpawnLimit             int                    `trait:"concurrent_spawn_limit" default:"100" tier:"core" help:"max pending spawns; exceeding -> 429 + Retry-After; 0 = none"`
	ConfigFile                       string                 `trait:"config_file" default:"jupyterhub_config.py" tier:"core" help:"config path; explicit missing path is fatal"`
	ConfirmNoSSL                     bool                   `trait:"confirm_no_ssl" default:"False" tier:"rare" deprecated:"nothing: it has no effect" help:"no effect"`
	CookieHostPrefixEnabled          bool                   `trait:"cookie_host_prefix_enabled" default:"False" tier:"common" help:"__Host- prefix on login/oauth cookies (path /, secure)"`
	CookieMaxAgeDays                 float64                `trait:"cookie_max_age_days" default:"14" tier:"core" help:"accepted age of the login cookie signature"`
	CookieSecret                     SecretBytes            `trait:"cookie_secret" default:"" tier:"core" secret:"true" env:"JPY_COOKIE_SECRET" help:"cookie signing key, 32 bytes; priority config > env > file > generated"`
	CookieSecretFile                 string                 `trait:"cookie_secret_file" default:"jupyterhub_cookie_secret" tier:"core" help:"hex (or legacy base64) secret file; refused if world accessible; written 0600 when generated"`
	CustomScopes                     map[string]CustomScope `trait:"custom_scopes" default:"{}" tier:"common" help:"extra custom: scopes {name:{description,subscopes?}}"`
	DataFilesPath                    string                 `trait:"data_files_path" default:"" tier:"common" help:"root of templates/ and static/"`
	DBKwargs                         map[string]any         `trait:"db_kwargs" default:"{}" tier:"common" secret:"true" help:"engine keyword args"`
	DBURL                            string                 `trait:"db_url" default:"sqlite:///jupyterhub.sqlite" tier:"core" help:"database URL; value without :// is a sqlite path"`
	DebugDB                          bool                   `trait:"debug_db" default:"False" tier:"rare" help:"log SQL"`
	DebugProxy                       bool                   `trait:"debug_proxy" default:"False" tier:"rare" deprecated:"ConfigurableHTTPProxy.debug" help:"deprecated -> ConfigurableHTTPProxy.debug"`
	DefaultServerName                string                 `trait:"default_server_name" default:"" tier:"common" help:"named server used by user-redirect; ignored without allow_named_servers"`
	DefaultURL                       string                 `trait:"default_url" default:"" tier:"core" py:"or" help:"landing URL for / and after login; falsy callable result = normal logic"`
	ExternalSSLAuthorities           map[string]any         `trait:"external_ssl_authorities" default:"{}" tier:"rare" help:"externally provided CAs for internal_ssl"`
	ExtraHandlers                    []any                  `trait:"extra_handlers" default:"[]" tier:"rare" py:"or" deprecated:"a service" help:"deprecated extra web handlers (python)"`
	ExtraLogFile                     string                 `trait:"extra_log_file" default:"" tier:"rare" deprecated:"redirect standard error instead" help:"deprecated extra log file"`
	ExtraLogHandlers                 []any                  `trait:"extra_log_handlers" default:"[]" tier:"rare" py:"or" deprecated:"JupyterHub.logging_config" help:"python logging handlers"`
	ExtraUserScopes                  []string               `trait:"extra_user_scopes" default:"[]" tier:"common" kind:"set" help:"scopes appended to the default user role (6.0)"`
	ForwardedHostHeader              string                 `trait:"forwarded_host_header" default:"" tier:"rare" deprecated:"nothing: it has no effect" help:"accepted but unused in 6.x"`
	GenerateCerts                    bool                   `trait:"generate_certs" default:"False" tier:"rare" help:"write internal ssl certs and exit"`
	GenerateConfig                   bool                   `trait:"generate_config" default:"False" tier:"common" help:"write commented default config and exit"`
	HubBindURL                       string                 `trait:"hub_bind_url" default:"" tier:"core" help:"full private bind URL; overrides hub_ip/hub_port; path forced to hub prefix; http+unix ok"`
	HubConnectIP                     string                 `trait:"hub_connect_ip" default:"" tier:"core" help:"host others use to reach the hub (z2jh, docker)"`
	HubConnectPort                   int                    `trait:"hub_connect_port" default:"0" tier:"rare" deprecated:"JupyterHub.hub_connect_url" help:"deprecated connect port"`
	HubConnectURL                    string                 `trait:"hub_connect_url" default:"" tier:"core" help:"full URL others use to reach the hub"`
	HubIP                            string                 `trait:"hub_ip" default:"127.0.0.1" tier:"core" help:"private bind ip; empty/0.0.0.0/:: = all, then connect host = hostname"`
	HubPort                          int                    `trait:"hub_port" default:"8081" tier:"core" help:"private port"`
	HubRoutespec                     string                 `trait:"hub_routespec" default:"/" tier:"common" help:"proxy route owned by the hub"`
	HubSocketMode                    int                    `trait:"hub_socket_mode" default:"0o600" tier:"rare" help:"mode of hub unix socket"`
	ImplicitSpawnSeconds             float64                `trait:"implicit_spawn_seconds" default:"0" tier:"common" help:"auto click on the not-running page after N s"`
	InitSpawnersTimeout              int                    `trait:"init_spawners_timeout" default:"10" tier:"common" help:"wait for server checks at startup; -1 = forever; min effective 1"`
	InternalCertsLocation            string                 `trait:"internal_certs_location" default:"internal-ssl" tier:"common" help:"cert store dir"`
	InternalSSL                      bool                   `trait:"internal_ssl" default:"False" tier:"common" help:"mutual TLS among components"`
	IP                               string                 `trait:"ip" default:"" tier:"core" help:"public ip part of bind_url"`
	JinjaEnvironmentOptions          map[string]any         `trait:"jinja_environment_options" default:"{}" tier:"rare" help:"extra template engine options"`
	LastActivityInterval             int                    `trait:"last_activity_interval" default:"300" tier:"core" help:"s between pulls of proxy activity + check_routes; 0 off"`
	LoadGroups                       map[string]GroupSpec   `trait:"load_groups" default:"{}" tier:"core" help:"groups created/extended at startup; additive, properties replaced; forbidden with manage_groups"`
	LoadRoles                        []RoleSpec             `trait:"load_roles" default:"[]" tier:"core" help:"role specs {name, description?, scopes?, users?, services?, groups?}"`
	LogDatefmt                       string                 `trait:"log_datefmt" default:"%Y-%m-%d %H:%M:%S" tier:"common" help:"log date format"`
	LogFormat                        string                 `trait:"log_format" default:"" tier:"common" help:"log line format"`
	LogLevel                         LogLevel               `trait:"log_level" default:"INFO" tier:"core" help:"log level"`
	LoggingConfig                    map[string]any         `trait:"logging_config" default:"{}" tier:"rare" help:"python logging dictConfig"`
	LogoFile                         string                 `trait:"logo_file" default:"" tier:"common" help:"banner logo path"`
	NamedServerLimitPerUser          int                    `trait:"named_server_limit_per_user" default:"0" tier:"core" py:"or" help:"max named servers per user, counted on creation; 0 none"`
	OAuthRequirePKCE                 bool                   `trait:"oauth_require_pkce" default:"False" tier:"common" help:"reject OAuth without PKCE"`
	OAuthTokenExpiresIn              int                    `trait:"oauth_token_expires_in" default:"0" tier:"common" help:"OAuth token lifetime s"`
	PIDFile                          string                 `trait:"pid_file" default:"" tier:"common" help:"hub pid file"`
	Port                             int                    `trait:"port" default:"8000" tier:"core" help:"public port part of bind_url"`
	ProxyAPIIP                       string                 `trait:"proxy_api_ip" default:"" tier:"rare" deprecated:"ConfigurableHTTPProxy.api_url" help:"deprecated -> ConfigurableHTTPProxy.api_url"`
	ProxyAPIPort                     int                    `trait:"proxy_api_port" default:"0" tier:"rare" deprecated:"ConfigurableHTTPProxy.api_url" help:"deprecated -> ConfigurableHTTPProxy.api_url"`
	ProxyAuthToken                   Secret                 `trait:"proxy_auth_token" default:"" tier:"rare" secret:"true" deprecated:"ConfigurableHTTPProxy.auth_token" help:"deprecated -> ConfigurableHTTPProxy.auth_token"`
	ProxyCheckInterval               int                    `trait:"proxy_check_interval" default:"5" tier:"rare" deprecated:"ConfigurableHTTPProxy.check_running_interval" help:"deprecated -> ConfigurableHTTPProxy.check_running_interval"`
	ProxyClass                       ClassRef               `trait:"proxy_class" default:"minihub" tier:"core" help:"proxy implementation (TLJH uses traefik plugin)"`
	ProxyCmd                         Command                `trait:"proxy_cmd" default:"[]" tier:"rare" deprecated:"ConfigurableHTTPProxy.command" help:"deprecated -> ConfigurableHTTPProxy.command"`
	PublicURL                        string                 `trait:"public_url" default:"" tier:"core" help:"fixed public URL incl. base_url; drives full_* fields, secure cookies, next checks"`
	RecreateInternalCerts            bool                   `trait:"recreate_internal_certs" default:"False" tier:"rare" help:"regenerate certs on start"`
	RedirectToServer                 bool                   `trait:"redirect_to_server" default:"True" tier:"core" help:"after login go to own server rather than home"`
	ResetDB                          bool                   `trait:"reset_db" default:"False" tier:"rare" help:"drop all tables at start"`
	ServiceCheckInterval             int                    `trait:"service_check_interval" default:"60" tier:"common" help:"s between service reachability log checks; 0 off"`
	ServiceTokens                    SecretKeys             `trait:"service_tokens" default:"{}" tier:"common" secret:"true" help:"preloaded service tokens"`
	Services                         []Service              `trait:"services" default:"[]" tier:"core" secret:"true" help:"service specs (see Service rows)"`
	ShowConfig                       bool                   `trait:"show_config" default:"False" tier:"rare" help:"print config and exit"`
	ShowConfigJSON                   bool                   `trait:"show_config_json" default:"False" tier:"rare" help:"print config as JSON and exit"`
	ShutdownOnLogout                 bool                   `trait:"shutdown_on_logout" default:"False" tier:"common" help:"stop own servers at logout"`
	SpawnerClass                     ClassRef               `trait:"spawner_class" default:"localprocess" tier:"core" help:"spawner; names: default, localprocess, simple, plus plugins"`
	SSLCert                          string                 `trait:"ssl_cert" default:"" tier:"core" help:"public TLS cert for proxy"`
	SSLKey                           string                 `trait:"ssl_key" default:"" tier:"core" help:"public TLS key for proxy"`
	SubdomainHook                    string                 `trait:"subdomain_hook" default:"idna" tier:"common" py:"or" help:"per-user/service domain naming"`
	SubdomainHost                    string                 `trait:"subdomain_host" default:"" tier:"core" help:"enable user subdomains; https:// added if no scheme"`
	TemplatePaths                    []string               `trait:"template_paths" default:"[]" tier:"core" help:"template dirs searched first; stock dir appended"`
	TemplateVars                     map[string]any         `trait:"template_vars" default:"{}" tier:"core" help:"extra template variables; callables get the user"`
	TokenExpiresInMaxSeconds         int                    `trait:"token_expires_in_max_seconds" default:"0" tier:"common" help:"cap for API-created tokens; forbids never-expiring"`
	TornadoSettings                  map[string]any         `trait:"tornado_settings" default:"{}" tier:"core" secret:"true" help:"raw settings overrides: headers, cookie_options, xsrf_cookie_kwargs, slow_spawn_timeout(10), slow_stop_timeout(10), user_redirect_limit(4), csp_report_uri, no_cache_static, spawn_throttle_retry_range"`
	TrustUserProvidedTokens          bool                   `trait:"trust_user_provided_tokens" default:"False" tier:"rare" help:"hash config tokens with 1 round instead of 16384"`
	TrustedAltNames                  []string               `trait:"trusted_alt_names" default:"[]" tier:"rare" help:"SANs for internal certs (DNS:, IP:)"`
	TrustedDownstreamIPs             []string               `trait:"trusted_downstream_ips" default:"[]" tier:"common" help:"proxy IPs skipped in X-Forwarded-For"`
	UpgradeDB                        bool                   `trait:"upgrade_db" default:"False" tier:"common" help:"run migrations at start"`
	UseLegacyStoppedServerStatusCode bool                   `trait:"use_legacy_stopped_server_status_code" default:"False" tier:"common" help:"503 rather than 424 for stopped servers"`
	UserRedirectHook                 *Python                `trait:"user_redirect_hook" default:"None" tier:"common" py:"only" help:"custom target for user-redirect (nbgitpuller style)"`
}
