package auth

// CONTRACT (the owner of auth splits this into well-named files; names and signatures stay).

import "context"

// Request is what an authenticator sees of a login.
type Request struct {
	Username, Password, OTP string
	Form                    map[string][]string // all form fields but _xsrf; for API body auth: the JSON object's string fields
	RemoteIP                string
	Header                  map[string][]string // request headers, for request-based authenticators
}

// Model is the result of a login (JupyterHub's auth model).
type Model struct {
	Name      string
	Admin     *bool          // nil: leave the database as it is
	Groups    *[]string      // nil: not managed
	Roles     *[]ManagedRole // nil: not managed
	AuthState any            // JSON value, nil: none
	UserInfo  map[string]any
}

// ManagedRole is a role that an authenticator manages (manage_roles).
type ManagedRole struct {
	Name, Description       string
	Scopes                  []string
	Users, Groups, Services *[]string
}

// Authenticator checks credentials. A nil Model with a nil error means: refused.
type Authenticator interface {
	// Name is JupyterHub's dotted class path, reported by GET /info.
	Name() string
	Authenticate(ctx context.Context, req Request) (*Model, error)
}

// Refresher (optional) re-validates a login older than auth_refresh_age. ok=false: no longer valid. A non-nil model is applied like a login.
type Refresher interface {
	Refresh(ctx context.Context, user User) (ok bool, m *Model, err error)
}

// User is what an authenticator sees of a database user.
type User struct {
	Name      string
	Admin     bool
	Groups    []string
	AuthState any
}

// UserHooks (optional) is told about user creation (also for every user at start-up) and deletion.
type UserHooks interface {
	AddUser(ctx context.Context, u User) error
	DeleteUser(ctx context.Context, u User) error
}

// ServerHooks (optional) runs around servers (PAM sessions).
type ServerHooks interface {
	PreSpawnStart(ctx context.Context, user, server string) error
	PostSpawnStop(ctx context.Context, user, server string) error
}

// LoginPage (optional) describes how a person logs in. Authenticators without it use the built-in form at /hub/login.
type LoginPage interface {
	LoginPage() Page
}

// Page describes the login page.
type Page struct {
	LoginURL   string // "" = /hub/login; else an absolute path below the hub or a URL
	LogoutURL  string
	Service    string // login_service: label of a "Sign in with X" button
	CustomHTML string
	RequestOTP bool
	OTPPrompt  string
	NoForm     bool // null authenticator: no way to log in
}

// Rules are JupyterHub's Authenticator traits that decide who gets in; safe for concurrent use after New.
// Rules wraps any Authenticator: normalise, validate, block, allow, admin, post_auth_hook (behaviours.md section 3).
type Rules struct{ /* unexported */ }

// RulesOptions configure Rules; the names are the traits'.
type RulesOptions struct {
	AdminUsers, AllowedUsers, BlockedUsers []string
	AllowAll                               *bool // nil: JupyterHub's computed default
	AllowExistingUsers                     *bool // nil: bool(allowed_users)
	UsernameMap                            map[string]string
	UsernamePattern                        string // start-anchored as re.match; the owner documents it
	AllowedGroups, AdminGroups             []string // UNIX groups of LocalAuthenticator / PAMAuthenticator
	AnyAllowConfig                         *bool
	PostAuth                               func(ctx context.Context, req Request, m *Model) (*Model, error) // post_auth_hook
}

// func NewRules(o RulesOptions) (*Rules, error)                       // every bad name or pattern is in the error, with its trait
// func (r *Rules) Normalize(name string) string                       // lower case, username_map
// func (r *Rules) Validate(name string) error                        // reason, without the word "username" capitalised
// func (r *Rules) Login(ctx, a Authenticator, req Request) (*Model, *Refusal, error)  // whole get_authenticated_user; Refusal says which rule refused (for log and why-login), nil when let in
// func (r *Rules) Allowed(name string, groups []string) (bool, string) ; Blocked(name) bool ; IsAdmin(name) bool
// func (r *Rules) UserCreated(name string)  // add_user default: extends allowed_users when allow_existing_users and not allow_all
// func (r *Rules) UserDeleted(name string)  // removes from allowed_users
// func (r *Rules) WhoCanLogIn() string      // one sentence for the start-up log ("nobody: set Authenticator.allowed_users or allow_all")
// Validators for every kind of name live here too, one each: ValidateUserName, ValidateServiceName, ValidateGroupName (security.md 2.4).
