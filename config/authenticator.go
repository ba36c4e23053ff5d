package config

// Authenticator holds the traits that every authenticator has: who may log in and what the hub keeps about it.
type Authenticator struct {
	AdminUsers                 []string          `trait:"admin_users" default:"[]" tier:"core" kind:"set" help:"Names of users who are made admins; taking a name out does not take the right away."`
	AllowAll                   bool              `trait:"allow_all" default:"False" tier:"core" help:"Lets everybody in who can log in."`
	AllowExistingUsers         bool              `trait:"allow_existing_users" default:"False" tier:"core" help:"Lets users in who are already in the database; by default when allowed_users is set."`
	AllowedUsers               []string          `trait:"allowed_users" default:"[]" tier:"core" kind:"set" help:"Names of users who may log in."`
	AnyAllowConfig             bool              `trait:"any_allow_config" default:"False" tier:"rare" help:"Silences the warning that nobody may log in."`
	AuthRefreshAge             int               `trait:"auth_refresh_age" default:"300" tier:"core" help:"Seconds after which the login is checked again with the authenticator; 0 never checks."`
	AuthRefreshStrict          bool              `trait:"auth_refresh_strict" default:"False" tier:"common" help:"Refuses tokens and requests of admins too while a user's login is out of date."`
	AutoLogin                  bool              `trait:"auto_login" default:"False" tier:"core" help:"Skips the login page and goes straight to the provider."`
	AutoLoginOAuth2Authorize   bool              `trait:"auto_login_oauth2_authorize" default:"False" tier:"common" help:"Skips the login page for OAuth requests of servers and services."`
	BlockedUsers               []string          `trait:"blocked_users" default:"[]" tier:"core" kind:"set" help:"Names of users who may not log in, and lose roles, groups and servers at start."`
	DeleteInvalidUsers         bool              `trait:"delete_invalid_users" default:"False" tier:"rare" help:"Deletes users at start whom the authenticator no longer knows."`
	EnableAuthState            bool              `trait:"enable_auth_state" default:"False" tier:"core" help:"Keeps what the authenticator knows about a login, encrypted; it needs keys."`
	ManageGroups               bool              `trait:"manage_groups" default:"False" tier:"core" help:"Takes groups from the authenticator only."`
	ManageRoles                bool              `trait:"manage_roles" default:"False" tier:"common" help:"Takes roles of users from the authenticator only."`
	OTPPrompt                  *string           `trait:"otp_prompt" default:"OTP:" tier:"rare" help:"Label of the field for a one-time password."`
	PostAuthHook               *Python           `trait:"post_auth_hook" default:"None" tier:"common" py:"only" help:"Python function that may change the result of a login."`
	ReconcileAuthStateHook     *Python           `trait:"reconcile_auth_state_hook" default:"None" tier:"rare" py:"only" help:"Python function that merges old and new auth_state."`
	RefreshPreSpawn            bool              `trait:"refresh_pre_spawn" default:"False" tier:"common" help:"Checks the login again before each start of a server."`
	RefreshPreStop             bool              `trait:"refresh_pre_stop" default:"False" tier:"rare" help:"Checks the login again before each stop of a server."`
	RequestOTP                 bool              `trait:"request_otp" default:"False" tier:"rare" help:"Shows a field for a one-time password."`
	ResetManagedRolesOnStartup bool              `trait:"reset_managed_roles_on_startup" default:"False" tier:"rare" help:"Removes roles at start that the authenticator gave earlier and no longer names."`
	UsernameMap                map[string]string `trait:"username_map" default:"{}" tier:"common" help:"Other names for users, looked up after lower-casing."`
	UsernamePattern            string            `trait:"username_pattern" default:"" tier:"common" help:"Regular expression that user names must match from their start."`
	Whitelist                  []string          `trait:"whitelist" default:"[]" tier:"rare" kind:"set" deprecated:"Authenticator.allowed_users" help:"Names of users who may log in."`
}

// LocalAuthenticator adds the traits of authenticators whose users are accounts of this machine.
type LocalAuthenticator struct {
	Authenticator
	AddUserCmd        Command        `trait:"add_user_cmd" default:"[]" tier:"rare" help:"Command that adds a system user; USERNAME in it is replaced, and the name comes last."`
	AllowedGroups     []string       `trait:"allowed_groups" default:"[]" tier:"common" kind:"set" help:"System groups whose members may log in."`
	CreateSystemUsers bool           `trait:"create_system_users" default:"False" tier:"common" help:"Adds missing system users at login."`
	GroupWhitelist    []string       `trait:"group_whitelist" default:"[]" tier:"rare" kind:"set" deprecated:"LocalAuthenticator.allowed_groups" help:"System groups whose members may log in."`
	UIDs              map[string]int `trait:"uids" default:"{}" tier:"rare" help:"User ids for new system users, by name."`
}

// PAMAuthenticator adds the traits of the login through PAM.
type PAMAuthenticator struct {
	LocalAuthenticator
	AdminGroups          []string `trait:"admin_groups" default:"[]" tier:"common" kind:"set" help:"System groups whose members are admins, and nobody else except admin_users."`
	CheckAccount         bool     `trait:"check_account" default:"True" tier:"common" help:"Asks PAM whether the account is valid, beside the password."`
	Encoding             string   `trait:"encoding" default:"utf8" tier:"rare" help:"Character encoding for PAM."`
	ExecutorThreads      int      `trait:"executor_threads" default:"4" tier:"rare" help:"Logins that PAM may check at once."`
	OpenSessions         bool     `trait:"open_sessions" default:"False" tier:"rare" help:"Opens a PAM session while a server runs."`
	PamNormalizeUsername bool     `trait:"pam_normalize_username" default:"False" tier:"rare" help:"Takes the user's name from the system instead of lower-casing it."`
	Service              string   `trait:"service" default:"login" tier:"common" help:"Name of the PAM service."`
}

// DummyAuthenticator adds the password of the authenticator for tests; allow_all is true while allowed_users is empty.
type DummyAuthenticator struct {
	Authenticator
	Password Secret `trait:"password" default:"" tier:"common" secret:"true" deprecated:"SharedPasswordAuthenticator.user_password" help:"Password of everybody; empty accepts every password."`
}

// SharedPasswordAuthenticator adds the two passwords that all users, or all admins, share.
type SharedPasswordAuthenticator struct {
	Authenticator
	AdminPassword  *Secret      `trait:"admin_password" default:"None" tier:"common" secret:"true" help:"Password of the users in admin_users, at least 32 characters."`
	PasswordGroups SecretGroups `trait:"password_groups" default:"{}" tier:"rare" secret:"true" help:"More passwords, and the groups that each one gives."`
	UserPassword   *Secret      `trait:"user_password" default:"None" tier:"common" secret:"true" help:"Password of all other users, at least 8 characters."`
}

// NullAuthenticator has no login at all; auto_login is true.
type NullAuthenticator struct {
	Authenticator
}
