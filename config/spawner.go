package config

// Spawner holds the traits that every spawner has; timeouts and intervals are seconds.
type Spawner struct {
	ApplyUserOptions         map[string]string `trait:"apply_user_options" default:"{}" tier:"common" py:"or" null:"empty" help:"Which options of the start form become which traits."`
	Args                     []string          `trait:"args" default:"[]" tier:"core" help:"Arguments after the command."`
	AuthStateHook            *Python           `trait:"auth_state_hook" default:"None" tier:"common" py:"only" help:"Python function that gets auth_state before a start."`
	Cmd                      Command           `trait:"cmd" default:"[jupyterhub-singleuser]" tier:"core" null:"empty" help:"Command of the single-user server."`
	ConsecutiveFailureLimit  int               `trait:"consecutive_failure_limit" default:"0" tier:"common" help:"Failed starts in a row after which the hub ends; 0 goes on for ever."`
	CPUGuarantee             *float64          `trait:"cpu_guarantee" default:"None" tier:"common" help:"CPUs that the server is promised, passed on as CPU_GUARANTEE."`
	CPULimit                 *float64          `trait:"cpu_limit" default:"None" tier:"common" help:"CPUs that the server may use, passed on as CPU_LIMIT."`
	Debug                    bool              `trait:"debug" default:"False" tier:"common" help:"Makes servers log more."`
	DefaultURL               string            `trait:"default_url" default:"" tier:"core" help:"Page that the server opens first; {username} is replaced."`
	DisableUserConfig        bool              `trait:"disable_user_config" default:"False" tier:"common" help:"Makes servers ignore configuration in the user's home folder."`
	EnvKeep                  []string          `trait:"env_keep" default:"[JUPYTERHUB_SINGLEUSER_APP]" tier:"core" help:"Variables of the hub's environment that servers get."`
	Environment              map[string]string `trait:"environment" default:"{}" tier:"core" secret:"true" help:"Variables for servers, which win over all others."`
	GroupOverrides           map[string]any    `trait:"group_overrides" default:"{}" tier:"common" py:"or" help:"Other traits for members of groups."`
	HTTPTimeout              int               `trait:"http_timeout" default:"30" tier:"core" help:"Seconds that a started server may take to answer."`
	HubConnectURL            *string           `trait:"hub_connect_url" default:"None" tier:"common" help:"URL at which servers reach the hub, when it is another one than elsewhere."`
	IP                       string            `trait:"ip" default:"127.0.0.1" tier:"core" help:"Address on which servers listen; empty is all interfaces."`
	MemGuarantee             *ByteSize         `trait:"mem_guarantee" default:"None" tier:"common" help:"Memory that the server is promised, passed on as MEM_GUARANTEE."`
	MemLimit                 *ByteSize         `trait:"mem_limit" default:"None" tier:"core" help:"Memory that the server may use, passed on as MEM_LIMIT."`
	NotebookDir              string            `trait:"notebook_dir" default:"" tier:"core" help:"Folder that servers start in; ~ and {username} are replaced."`
	OAuthClientAllowedScopes []string          `trait:"oauth_client_allowed_scopes" default:"[]" tier:"common" py:"or" help:"Scopes that tokens of the server's visitors may have, beside access to it."`
	OAuthRoles               []string          `trait:"oauth_roles" default:"[]" tier:"rare" py:"or" deprecated:"Spawner.oauth_client_allowed_scopes" help:"Roles whose scopes tokens of the server's visitors may have."`
	OptionsForm              string            `trait:"options_form" default:"" tier:"core" py:"or" help:"HTML of the form that is shown before each start."`
	OptionsFromForm          string            `trait:"options_from_form" default:"passthrough" tier:"core" py:"or" help:"How form fields become options: passthrough, or simple for single values."`
	PollInterval             int               `trait:"poll_interval" default:"30" tier:"core" help:"Seconds between two looks whether a server still runs; 0 never looks."`
	PollJitter               float64           `trait:"poll_jitter" default:"0.1" tier:"rare" help:"Random part of poll_interval, from 0 to 1."`
	Port                     int               `trait:"port" default:"0" tier:"common" help:"Port on which servers listen; 0 is a free one."`
	PostStopHook             *Python           `trait:"post_stop_hook" default:"None" tier:"common" py:"only" help:"Python function that runs after a stop."`
	PreSpawnHook             *Python           `trait:"pre_spawn_hook" default:"None" tier:"core" py:"only" help:"Python function that runs before a start."`
	ProfileList              Profiles          `trait:"profile_list" default:"[]" tier:"common" py:"or" null:"empty" help:"Profiles to choose from before a start: dicts with display_name, slug, description, default, spawner_override and profile_options."`
	ProgressReadyHook        *Python           `trait:"progress_ready_hook" default:"None" tier:"rare" py:"only" help:"Python function that may change the last progress event."`
	ServerTokenScopes        []string          `trait:"server_token_scopes" default:"[]" tier:"common" py:"or" help:"Scopes of the token that the server itself gets; empty is the role server."`
	SSLAltNames              []string          `trait:"ssl_alt_names" default:"[]" tier:"rare" py:"or" help:"Extra names in the server's internal certificate."`
	SSLAltNamesIncludeLocal  bool              `trait:"ssl_alt_names_include_local" default:"True" tier:"rare" help:"Adds localhost to the names in the server's internal certificate."`
	StartTimeout             int               `trait:"start_timeout" default:"60" tier:"core" help:"Seconds that a server may take to start."`
}

// LocalProcessSpawner adds the traits of servers that are processes of their own system user; timeouts are seconds.
type LocalProcessSpawner struct {
	Spawner
	InterruptTimeout int            `trait:"interrupt_timeout" default:"30" tier:"common" help:"Seconds that a server gets after SIGINT."`
	KillTimeout      int            `trait:"kill_timeout" default:"5" tier:"common" help:"Seconds that a server gets after SIGKILL."`
	PopenKwargs      map[string]any `trait:"popen_kwargs" default:"{}" tier:"rare" help:"Extra process options of Python, which minihub ignores."`
	ShellCmd         Command        `trait:"shell_cmd" default:"[]" tier:"common" help:"Shell that runs the command, for example bash -l -c."`
	TermTimeout      int            `trait:"term_timeout" default:"30" tier:"common" help:"Seconds that a server gets after SIGTERM."`
}

// SimpleLocalProcessSpawner adds the home folder of servers that all run as the hub's user.
type SimpleLocalProcessSpawner struct {
	LocalProcessSpawner
	HomeDirTemplate string `trait:"home_dir_template" default:"/tmp/{username}" tier:"common" help:"Home folder of each user, made when missing; {username} is replaced."`
}
