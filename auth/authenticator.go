package auth

import "context"

// Request is what an authenticator sees of a login.
type Request struct {
	Username, Password, OTP string
	// Form holds all form fields but _xsrf; for API body auth the JSON object's string fields.
	Form map[string][]string
	// RemoteIP is the client's address as the hub's edge sees it. It may be used for logs, never to authorise.
	RemoteIP string
	// Header holds the request's headers, for authenticators that trust a proxy in front of the hub.
	Header map[string][]string
}

// Model is the result of a login: JupyterHub's auth model.
type Model struct {
	Name      string
	Admin     *bool          // nil: leave the database as it is
	Groups    *[]string      // nil: not managed
	Roles     *[]ManagedRole // nil: not managed
	AuthState any            // JSON value, nil: none
	UserInfo  map[string]any
}

// ManagedRole is a role that an authenticator manages (manage_roles). A nil member list leaves those members alone.
type ManagedRole struct {
	Name, Description       string
	Scopes                  []string
	Users, Groups, Services *[]string
}

// Authenticator checks credentials. Implementations are called by many requests at once.
type Authenticator interface {
	// Name is JupyterHub's dotted class path, reported by GET /info.
	Name() string
	// Authenticate tells who the credentials belong to. A nil Model with a nil error means: refused. An error that is a
	// *Refusal means refused too, and says why. Any other error means that the check could not be made.
	Authenticate(ctx context.Context, req Request) (*Model, error)
}

// Refresher (optional) re-validates a login older than auth_refresh_age.
type Refresher interface {
	// Refresh reports ok=false when the login is no longer valid. A non-nil model is applied like a login's.
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
	// AddUser must be idempotent. An error refuses the user: at start-up delete_invalid_users may delete them.
	AddUser(ctx context.Context, u User) error
	DeleteUser(ctx context.Context, u User) error
}

// ServerHooks (optional) runs around servers, for example to open PAM sessions.
type ServerHooks interface {
	PreSpawnStart(ctx context.Context, user, server string) error
	PostSpawnStop(ctx context.Context, user, server string) error
}

// LoginPage (optional) describes how a person logs in. Authenticators without it use the built-in form at /hub/login.
type LoginPage interface {
	LoginPage() Page
}

// Warner (optional) lists what in an authenticator's configuration is probably a mistake, each with its trait, for the
// start-up log and `minihub check`. Rules has the same method for the rules.
type Warner interface {
	Warnings() []string
}

// Decider (optional) marks authenticators that apply every rule of a login themselves, because the code behind them may replace each:
// normalise, validate, block, allow, admin and post_auth_hook. Rules.Login only checks then that the name can exist.
type Decider interface {
	// Decides reports whether what Authenticate returns has passed all rules.
	Decides() bool
}

// Page describes the login page. The zero value is the built-in form with user name and password.
type Page struct {
	LoginURL   string // "" = /hub/login; else an absolute path below the hub or a URL
	LogoutURL  string
	Service    string // login_service: label of a "Sign in with X" button
	CustomHTML string
	RequestOTP bool
	OTPPrompt  string
	NoForm     bool // null authenticator: no way to log in
}
