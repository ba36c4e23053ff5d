package config

// Authenticator holds the traits that every authenticator has: who may log in and what the hub keeps about it.
type Authenticator struct {
	AdminUsers                 []string          `trait:"admin_users" default:"[]" tier:"core" kind:"set" help:"names granted admin at startup/login; removal does not revoke"`
	AllowAll                   bool              `trait:"allow_all" default:"False" tier:"core" help:"allow anyone who authenticates"`
	AllowExistingUsers         bool              `trait:"allow_existing_users" default:"False" tier:"core" help:"DB users count as allowed (added to allowed_users)"`
	AllowedUsers               []string          `trait:"allowed_users" default:"[]" tier:"core" kind:"set" help:"allowed names (normalised)"`
	AnyAllowConfig             bool              `trait:"any_allow_config" default:"False" tier:"rare" help:"suppresses the nobody-can-login warning"`
	AuthRefreshAge             int               `trait:"auth_refresh_age" default:"300" tier:"core" help:"s before refresh_user is called again; 0 disables refresh entirely incl. pre-spawn/pre-stop forcing"`
	AuthRefreshStrict          bool              `trait:"auth_refresh_strict" default:"False" tier:"common" help:"stale auth also blocks token and admin-initiated requests (6.1)"`
	AutoLogin                  bool              `trait:"auto_login" default:"False" tier:"core" help:"skip login page"`
	AutoLoginOAuth2Authorize   bool              `trait:"auto_login_oauth2_authorize" default:"False" tier:"common" help:"same, only for oauth2/authorize"`
	BlockedUsers               []string          `trait:"blocked_users" default:"[]" tier:"core" kind:"set" help:"denied names; at startup lose admin, roles, groups and servers"`
	DeleteInvalidUsers         bool              `trait:"delete_invalid_users" default:"False" tier:"rare" help:"delete DB users failing add_user at startup"`
	EnableAuthState            bool              `trait:"enable_auth_state" default:"False" tier:"core" help:"persist encrypted auth_state; needs keys or startup fails"`
	ManageGroups               bool              `trait:"manage_groups" default:"False" tier:"core" help:"groups come from auth model; login without groups key then errors"`
	ManageRoles                bool              `trait:"manage_roles" default:"False" tier:"common" help:"roles come from auth model / load_managed_roles"`
	OTPPrompt                  *string           `trait:"otp_prompt" default:"OTP:" tier:"rare" help:"OTP label"`
	PostAuthHook               *Python           `trait:"post_auth_hook" default:"None" tier:"common" py:"only" help:"edit auth model before login completes (async ok)"`
	ReconcileAuthStateHook     *Python           `trait:"reconcile_auth_state_hook" default:"None" tier:"rare" py:"only" help:"merge auth_state (6.1, async ok)"`
	RefreshPreSpawn            bool              `trait:"refresh_pre_spawn" default:"False" tier:"common" help:"force refresh before spawn"`
	RefreshPreStop             bool              `trait:"refresh_pre_stop" default:"False" tier:"rare" help:"force refresh before stop (5.4)"`
	RequestOTP                 bool              `trait:"request_otp" default:"False" tier:"rare" help:"OTP field on login form"`
	ResetManagedRolesOnStartup bool              `trait:"reset_managed_roles_on_startup" default:"False" tier:"rare" help:"drop stale managed roles/assignments at startup"`
	UsernameMap                map[string]string `trait:"username_map" default:"{}" tier:"common" help:"rename after lowercasing"`
	UsernamePattern            string            `trait:"username_pattern" default:"" tier:"common" help:"names must match (prefix-anchored match)"`
	Whitelist                  []string          `trait:"whitelist" default:"[]" tier:"rare" kind:"set" deprecated:"Authenticator.allowed_users" help:"deprecated alias of allowed_users"`
}

// LocalAuthenticator adds the traits of authenticators whose users are accounts of this machine.
type LocalAuthenticator struct {
	Authenticator
	AddUserCmd        Command        `trait:"add_user_cmd" default:"[]" tier:"rare" help:"create system user; USERNAME replaced, name appended"`
	AllowedGroups     []string       `trait:"allowed_groups" default:"[]" tier:"common" kind:"set" help:"UNIX groups allowed (OR with allowed_users)"`
	CreateSystemUsers bool           `trait:"create_system_users" default:"False" tier:"common" help:"create missing system users; otherwise add_user fails"`
	GroupWhitelist    []string       `trait:"group_whitelist" default:"[]" tier:"rare" kind:"set" deprecated:"LocalAuthenticator.allowed_groups" help:"deprecated alias"`
	UIDs              map[string]int `trait:"uids" default:"{}" tier:"rare" help:"fixed uids at creation (--uid N)"`
}

// PAMAuthenticator adds the traits of the login through PAM.
type PAMAuthenticator struct {
	LocalAuthenticator
	AdminGroups          []string `trait:"admin_groups" default:"[]" tier:"common" kind:"set" help:"UNIX groups deciding admin authoritatively (true/false) unless in admin_users"`
	CheckAccount         bool     `trait:"check_account" default:"True" tier:"common" help:"run PAM account phase"`
	Encoding             string   `trait:"encoding" default:"utf8" tier:"rare" help:"PAM encoding"`
	ExecutorThreads      int      `trait:"executor_threads" default:"4" tier:"rare" help:"PAM threads"`
	OpenSessions         bool     `trait:"open_sessions" default:"False" tier:"rare" help:"open/close PAM session around server; self-disables on error"`
	PamNormalizeUsername bool     `trait:"pam_normalize_username" default:"False" tier:"rare" help:"name via uid round trip (then no lowercasing)"`
	Service              string   `trait:"service" default:"login" tier:"common" help:"PAM service name"`
}

// DummyAuthenticator adds the password of the authenticator for tests; allow_all is true while allowed_users is empty.
type DummyAuthenticator struct {
	Authenticator
	Password Secret `trait:"password" default:"" tier:"common" secret:"true" deprecated:"SharedPasswordAuthenticator.user_password" help:"deprecated 5.3 shared password; empty = any password"`
}

// SharedPasswordAuthenticator adds the two passwords that all users, or all admins, share.
type SharedPasswordAuthenticator struct {
	Authenticator
	AdminPassword  *Secret      `trait:"admin_password" default:"None" tier:"common" secret:"true" help:"password for admin_users only; >= 32 chars, differs from user_password"`
	PasswordGroups SecretGroups `trait:"password_groups" default:"{}" tier:"rare" secret:"true" help:"extra passwords assigning groups; needs manage_groups"`
	UserPassword   *Secret      `trait:"user_password" default:"None" tier:"common" secret:"true" help:"password for non-admins; >= 8 chars"`
}

// NullAuthenticator has no login at all; auto_login is true.
type NullAuthenticator struct {
	Authenticator
}
