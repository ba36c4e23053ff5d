package config

// Proxy holds the traits that every proxy has.
type Proxy struct {
	ExtraRoutes map[string]string `trait:"extra_routes" default:"{}" tier:"common" help:"More routes of the proxy and the URL that each one goes to."`
	ShouldStart bool              `trait:"should_start" default:"True" tier:"core" help:"Makes the hub start and stop the proxy; False means that it runs elsewhere."`
}

// ConfigurableHTTPProxy adds the traits of the REST API and, when it is a process of its own, of that process.
type ConfigurableHTTPProxy struct {
	Proxy
	APIURL               string  `trait:"api_url" default:"http://127.0.0.1:8001" tier:"core" help:"URL of the proxy's REST API."`
	AuthToken            Secret  `trait:"auth_token" default:"" tier:"core" secret:"true" env:"CONFIGPROXY_AUTH_TOKEN" help:"Token of the proxy's REST API; required when should_start is False."`
	CheckRunningInterval int     `trait:"check_running_interval" default:"5" tier:"common" help:"Seconds between two checks that the proxy runs."`
	Command              Command `trait:"command" default:"[configurable-http-proxy]" tier:"core" help:"Command that starts configurable-http-proxy."`
	CommandUmask         int     `trait:"command_umask" default:"0o007" tier:"rare" help:"File mode mask of the proxy's process."`
	Concurrency          int     `trait:"concurrency" default:"10" tier:"rare" help:"Requests to the REST API at once."`
	Debug                bool    `trait:"debug" default:"False" tier:"rare" help:"Sets log_level to debug."`
	LogLevel             string  `trait:"log_level" default:"info" tier:"common" enum:"debug|info|warn|error" help:"Log level of the proxy."`
	PIDFile              string  `trait:"pid_file" default:"jupyterhub-proxy.pid" tier:"common" help:"File for the proxy's process id; a proxy left over from earlier is stopped at start."`
}
