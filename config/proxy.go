package config

// Proxy holds the traits that every proxy has.
type Proxy struct {
	ExtraRoutes map[string]string `trait:"extra_routes" default:"{}" tier:"common" help:"routes kept in proxy; host rule depends on subdomains"`
	ShouldStart bool              `trait:"should_start" default:"True" tier:"core" help:"hub starts/stops the proxy"`
}

// ConfigurableHTTPProxy adds the traits of the REST API and, when it is a process of its own, of that process.
type ConfigurableHTTPProxy struct {
	Proxy
	APIURL               string  `trait:"api_url" default:"http://127.0.0.1:8001" tier:"core" help:"proxy REST API; http+unix ok"`
	AuthToken            Secret  `trait:"auth_token" default:"" tier:"core" secret:"true" env:"CONFIGPROXY_AUTH_TOKEN" help:"proxy API token; required when should_start=False"`
	CheckRunningInterval int     `trait:"check_running_interval" default:"5" tier:"common" help:"s between proxy process checks"`
	Command              Command `trait:"command" default:"[configurable-http-proxy]" tier:"core" help:"proxy command"`
	CommandUmask         int     `trait:"command_umask" default:"0o007" tier:"rare" help:"umask of proxy process"`
	Concurrency          int     `trait:"concurrency" default:"10" tier:"rare" help:"parallel API requests to proxy"`
	Debug                bool    `trait:"debug" default:"False" tier:"rare" help:"log_level=debug"`
	LogLevel             string  `trait:"log_level" default:"info" tier:"common" enum:"debug|info|warn|error" help:"--log-level"`
	PIDFile              string  `trait:"pid_file" default:"jupyterhub-proxy.pid" tier:"common" help:"proxy pid file; leftover proxy is killed at start"`
}
