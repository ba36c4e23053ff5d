package config

// Spawner holds the traits that every spawner has; timeouts and intervals are seconds.
type Spawner struct {
	ApplyUserOptions         map[string]string `trait:"apply_user_options" default:"{}" tier:"common" py:"or" null:"empty" help:"apply user_options before start; errors -> 400"`
	Args                     []string          `trait:"args" default:"[]" tier:"core" help:"args after cmd"`
	AuthStateHook            *Python           `trait:"auth_state_hook" default:"None" tier:"common" py:"only" help:"before start and before rendering the form"`
	Cmd                      Command           `trait:"cmd" default:"[jupyterhub-singleuser]" tier:"core" null:"empty" help:"server command"`
	ConsecutiveFailureLimit  int               `trait:"consecutive_failure_limit" default:"0" tier:"common" help:"abort hub after N consecutive spawn errors (z2jh 5)"`
	CPUGuarantee             *float64          `trait:"cpu_guarantee" default:"None" tier:"common" help:"passed as CPU_GUARANTEE; enforcement up to spawner"`
	CPULimit                 *float64          `trait:"cpu_limit" default:"None" tier:"common" help:"passed as CPU_LIMIT"`
	Debug                    bool              `trait:"debug" default:"False" tier:"common" help:"JUPYTERHUB_DEBUG=1"`
	DefaultURL               string            `trait:"default_url" default:"" tier:"core" help:"JUPYTERHUB_DEFAULT_URL; {username} format"`
	DisableUserConfig        bool              `trait:"disable_user_config" default:"False" tier:"common" help:"JUPYTERHUB_DISABLE_USER_CONFIG=1"`
	EnvKeep                  []string          `trait:"env_keep" default:"[JUPYTERHUB_SINGLEUSER_APP]" tier:"core" help:"hub env vars inherited"`
	Environment              map[string]string `trait:"environment" default:"{}" tier:"core" secret:"true" help:"highest-priority env"`
	GroupOverrides           map[string]any    `trait:"group_overrides" default:"{}" tier:"common" py:"or" help:"{key:{groups:[..],spawner_override:{trait:val|callable}}} applied in key order; dict traits merged recursively, None deletes"`
	HTTPTimeout              int               `trait:"http_timeout" default:"30" tier:"core" help:"s to answer HTTP after start"`
	HubConnectURL            *string           `trait:"hub_connect_url" default:"None" tier:"common" help:"replaces scheme/host of API URL for this server"`
	IP                       string            `trait:"ip" default:"127.0.0.1" tier:"core" help:"bind ip for server; [v6] brackets stripped; '' = all"`
	MemGuarantee             *ByteSize         `trait:"mem_guarantee" default:"None" tier:"common" help:"MEM_GUARANTEE in bytes"`
	MemLimit                 *ByteSize         `trait:"mem_limit" default:"None" tier:"core" help:"MEM_LIMIT in bytes"`
	NotebookDir              string            `trait:"notebook_dir" default:"" tier:"core" help:"JUPYTERHUB_ROOT_DIR; {username} format; ~ expanded by server"`
	OAuthClientAllowedScopes []string          `trait:"oauth_client_allowed_scopes" default:"[]" tier:"common" py:"or" help:"extra scopes of browser tokens for this server"`
	OAuthRoles               []string          `trait:"oauth_roles" default:"[]" tier:"rare" py:"or" deprecated:"Spawner.oauth_client_allowed_scopes" help:"deprecated role form of the above"`
	OptionsForm              string            `trait:"options_form" default:"" tier:"core" py:"or" help:"HTML snippet; non-empty forces the form"`
	OptionsFromForm          string            `trait:"options_from_form" default:"passthrough" tier:"core" py:"or" help:"form -> user_options; simple: unwrap single values, 'on' -> true"`
	PollInterval             int               `trait:"poll_interval" default:"30" tier:"core" help:"s between polls; <=0 off"`
	PollJitter               float64           `trait:"poll_jitter" default:"0.1" tier:"rare" help:"jitter of poll interval"`
	Port                     int               `trait:"port" default:"0" tier:"common" help:"0 = random"`
	PostStopHook             *Python           `trait:"post_stop_hook" default:"None" tier:"common" py:"only" help:"after stop; errors logged only"`
	PreSpawnHook             *Python           `trait:"pre_spawn_hook" default:"None" tier:"core" py:"only" help:"before start (async ok)"`
	ProgressReadyHook        *Python           `trait:"progress_ready_hook" default:"None" tier:"rare" py:"only" help:"alter ready event"`
	ServerTokenScopes        []string          `trait:"server_token_scopes" default:"[]" tier:"common" py:"or" help:"scopes of the server API token; empty = role server"`
	SSLAltNames              []string          `trait:"ssl_alt_names" default:"[]" tier:"rare" py:"or" help:"SANs of server cert"`
	SSLAltNamesIncludeLocal  bool              `trait:"ssl_alt_names_include_local" default:"True" tier:"rare" help:"add localhost/127.0.0.1"`
	StartTimeout             int               `trait:"start_timeout" default:"60" tier:"core" help:"s for start()"`
}

// LocalProcessSpawner adds the traits of servers that are processes of their own system user; timeouts are seconds.
type LocalProcessSpawner struct {
	Spawner
	InterruptTimeout int            `trait:"interrupt_timeout" default:"30" tier:"common" help:"s after SIGINT"`
	KillTimeout      int            `trait:"kill_timeout" default:"5" tier:"common" help:"s after SIGKILL"`
	PopenKwargs      map[string]any `trait:"popen_kwargs" default:"{}" tier:"rare" help:"extra process options (env not overridable)"`
	ShellCmd         Command        `trait:"shell_cmd" default:"[]" tier:"common" help:"wrapper e.g. [bash,-l,-c]; full command passed as one quoted arg"`
	TermTimeout      int            `trait:"term_timeout" default:"30" tier:"common" help:"s after SIGTERM"`
}

// SimpleLocalProcessSpawner adds the home folder of servers that all run as the hub's user.
type SimpleLocalProcessSpawner struct {
	LocalProcessSpawner
	HomeDirTemplate string `trait:"home_dir_template" default:"/tmp/{username}" tier:"common" help:"home dir, created 0755, cwd"`
}
