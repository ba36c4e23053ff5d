package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
)

// LoginResult is a completed login.
type LoginResult struct {
	User    *orm.User
	Created bool
}

// LoginTraits are the Authenticator traits that decide what a login changes and when it is checked again.
type LoginTraits struct {
	EnableAuthState bool
	ManageGroups    bool
	ManageRoles     bool
	RefreshAge      time.Duration // auth_refresh_age; 0 = never refresh
	RefreshStrict   bool          // auth_refresh_strict
	RefreshPreSpawn bool
	RefreshPreStop  bool
}

// LoginsOptions configure Logins.
type LoginsOptions struct {
	Store         *orm.Store
	Authenticator auth.Authenticator
	Rules         *auth.Rules
	Crypt         *auth.CryptKeeper // nil: no keys, auth_state is not kept
	Users         *Users
	Throttle      *auth.Throttle // nil: no throttling
	Traits        LoginTraits
	Logger        *slog.Logger
}

// Logins checks credentials and applies what an authenticator says. Safe for concurrent use.
type Logins struct {
	o LoginsOptions
}

// NewLogins returns a Logins; every user counts as stale until the first login or refresh.
func NewLogins(o LoginsOptions) *Logins { return &Logins{o: o} }

// Login authenticates a person and applies the result.
func (l *Logins) Login(ctx context.Context, req auth.Request) (*LoginResult, error) { return nil, nil }

// Refresh re-validates a login when it is older than auth_refresh_age, or always with force.
func (l *Logins) Refresh(ctx context.Context, user *orm.User, force bool) (ok bool, err error) {
	return true, nil
}

// Stale reports whether Refresh would ask the authenticator.
func (l *Logins) Stale(user *orm.User) bool { return false }

// Traits returns the traits that httpmw and Servers need for their own decisions.
func (l *Logins) Traits() LoginTraits { return l.o.Traits }

// Logout deletes the tokens issued during one browser session.
func (l *Logins) Logout(ctx context.Context, user *orm.User, sessionID string) error { return nil }

// AuthState returns the decrypted auth_state of a user; nil when there is none.
func (l *Logins) AuthState(ctx context.Context, user *orm.User) (any, error) { return nil, nil }

// SetAuthState encrypts and saves auth_state.
func (l *Logins) SetAuthState(ctx context.Context, user *orm.User, state any) error { return nil }
