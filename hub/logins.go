package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
	RefreshAge      time.Duration // auth_refresh_age; 0 = never refresh, refresh_pre_spawn and refresh_pre_stop included
	RefreshStrict   bool          // auth_refresh_strict
	RefreshPreSpawn bool
	RefreshPreStop  bool
	KeepRoles       []string // roles of load_roles and load_managed_roles: they stay when nobody holds them any more
	// ReconcileAuthState is reconcile_auth_state_hook; nil keeps what the login brought.
	ReconcileAuthState func(ctx context.Context, m *auth.Model, existing any) (any, error)
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
	o   LoginsOptions
	log *slog.Logger

	mu        sync.Mutex
	refreshed map[string]time.Time // by cookie id, which unlike the row id is never given out again
}

// NewLogins returns a Logins; every user counts as stale until the first login or refresh after this.
func NewLogins(o LoginsOptions) *Logins {
	return &Logins{o: o, log: logger(o.Logger), refreshed: map[string]time.Time{}}
}

// Traits returns the traits that httpmw and Servers need for their own decisions.
func (l *Logins) Traits() LoginTraits { return l.o.Traits }

// Authenticator returns the authenticator, for the login page and GET /info.
func (l *Logins) Authenticator() auth.Authenticator { return l.o.Authenticator }

// Login authenticates a person and applies the result: the user exists afterwards, with admin flag, groups, roles and auth_state as
// the authenticator says. Refused is Forbidden, without a word about which rule refused: that is in the log. Too many failed
// attempts are TooMany with RetryAfter.
func (l *Logins) Login(ctx context.Context, req auth.Request) (*LoginResult, error) {
	model, err := l.Authenticate(ctx, req)
	if err != nil {
		return nil, err
	}
	user, created, err := l.o.Users.Ensure(ctx, model.Name)
	if err != nil {
		return nil, err
	}
	if err := l.apply(ctx, user, model, false); err != nil {
		return nil, err
	}
	l.markFresh(user)
	l.log.InfoContext(ctx, "user logged in", "user", user.Name, "created", created)
	return &LoginResult{User: user, Created: created}, nil
}

// Authenticate checks credentials without logging anybody in: what POST /users/{user}/tokens does with credentials in its body.
// Errors are Login's.
func (l *Logins) Authenticate(ctx context.Context, req auth.Request) (*auth.Model, error) {
	if wait := l.begin(req); wait > 0 {
		l.log.WarnContext(ctx, "login throttled", "user", auth.ShortName(l.throttleName(req)), "remote_ip", req.RemoteIP, "wait", wait)
		return nil, &Error{Kind: TooMany, Message: "Too many failed logins, wait a moment before you try again", RetryAfter: wait}
	}
	model, refusal, err := l.o.Rules.Login(ctx, l.o.Authenticator, req)
	switch {
	case err != nil:
		if l.throttles(req) {
			l.o.Throttle.Undo(req.RemoteIP, l.throttleName(req))
		}
		return nil, fmt.Errorf("log in: %w", err)
	case refusal != nil:
		l.log.WarnContext(ctx, "login refused", "user", refusal.Name, "remote_ip", req.RemoteIP, "rule", string(refusal.Rule),
			"trait", refusal.Trait, "reason", refusal.Reason, "way_out", refusal.Hint)
		message := refusal.Public
		if message == "" {
			message = "Invalid username or password"
		}
		return nil, &Error{Kind: Forbidden, Message: message, Status: refusal.Status, Err: refusal}
	}
	if l.throttles(req) {
		l.o.Throttle.Succeeded(req.RemoteIP, l.throttleName(req))
	}
	return model, nil
}

// begin asks the throttle; zero lets the request pass.
func (l *Logins) begin(req auth.Request) time.Duration {
	if !l.throttles(req) {
		return 0
	}
	return l.o.Throttle.Begin(req.RemoteIP, l.throttleName(req))
}

// throttles tells whether a request can be a guess. With auto_login every page that somebody opens without being known is a request that
// says nothing: nothing is guessed, and counting it would lock out all people behind one address. A form is a guess, and so is an
// Authorization header.
func (l *Logins) throttles(req auth.Request) bool {
	return l.o.Throttle != nil && (len(req.Form) > 0 || req.Username != "" || req.Password != "" || req.OTP != "" || len(req.Header["Authorization"]) > 0)
}

// throttleName bounds what an attacker can make us normalise.
func (l *Logins) throttleName(req auth.Request) string {
	if len(req.Username) > 4*auth.MaxNameLength {
		return auth.ShortName(req.Username)
	}
	return l.o.Rules.Normalize(req.Username)
}

func (l *Logins) markFresh(user *orm.User) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshed[user.CookieID] = time.Now()
}

// Forget drops what is remembered about a user who is deleted.
func (l *Logins) Forget(user *orm.User) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.refreshed, user.CookieID)
}

// Stale reports whether Refresh without force would ask the authenticator.
func (l *Logins) Stale(user *orm.User) bool {
	if l.o.Traits.RefreshAge <= 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.refreshed[user.CookieID]
	return !ok || time.Since(at) >= l.o.Traits.RefreshAge // monotonic: a changed clock makes nobody stale
}

// Refresh re-validates a login when it is older than auth_refresh_age, or always with force (refresh_pre_spawn, refresh_pre_stop).
// ok false: the login is no longer valid; what follows from that depends on the credential and on auth_refresh_strict and is the
// caller's decision, as is asking at most once per request. An error means that the check could not be made. What the authenticator said
// is in the database afterwards, not in user: an identity loaded before has to be loaded again (Access.Reload).
func (l *Logins) Refresh(ctx context.Context, user *orm.User, force bool) (ok bool, err error) {
	if l.o.Traits.RefreshAge <= 0 || !force && !l.Stale(user) {
		return true, nil
	}
	refresher, can := l.o.Authenticator.(auth.Refresher)
	if !can {
		l.markFresh(user)
		return true, nil
	}
	known, err := l.known(ctx, user)
	if err != nil {
		return false, err
	}
	ok, model, err := refresher.Refresh(ctx, known)
	if err != nil {
		return false, fmt.Errorf("refresh login of user %q: %w", user.Name, err)
	}
	if !ok {
		l.log.WarnContext(ctx, "login is stale and could not be refreshed", "user", user.Name, "authenticator", l.o.Authenticator.Name())
		return false, nil
	}
	if model != nil {
		m := *model
		m.Name = user.Name // a refresh cannot rename
		if m.AuthState == nil {
			m.AuthState = known.AuthState // not mentioned is not cleared
		}
		row := *user // identities share the row that they carry: never written
		if err := l.apply(ctx, &row, &m, true); err != nil {
			return false, err
		}
	}
	l.markFresh(user)
	return true, nil
}

func (l *Logins) known(ctx context.Context, user *orm.User) (auth.User, error) {
	groups, err := l.o.Store.GroupNamesOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return auth.User{}, storeErr(err, "load groups of user")
	}
	state, err := l.AuthState(ctx, user)
	if err != nil {
		return auth.User{}, err
	}
	return auth.User{Name: user.Name, Admin: user.Admin, Groups: groups[user.ID], AuthState: state}, nil
}

// Logout deletes the tokens that were issued during one browser session (GHSA-cw7p-q79f-m2v7), so that servers and services are
// logged out too. Tokens of other sessions stay.
func (l *Logins) Logout(ctx context.Context, user *orm.User, sessionID string) error {
	if sessionID == "" {
		return nil
	}
	l.log.InfoContext(ctx, "user logged out", "user", user.Name)
	return storeErr(l.o.Store.DeleteSessionTokens(ctx, user.ID, sessionID), "delete tokens of session")
}

// AuthState returns the decrypted auth_state of a user; nil when there is none or when no key fits any more. What an older key
// encrypted is encrypted anew.
func (l *Logins) AuthState(ctx context.Context, user *orm.User) (any, error) {
	if len(user.EncryptedAuthState) == 0 {
		return nil, nil
	}
	value, stale, err := l.o.Crypt.Decrypt(user.EncryptedAuthState)
	if errors.Is(err, auth.ErrUndecryptable) || errors.Is(err, auth.ErrNoKeys) {
		l.log.WarnContext(ctx, "auth_state cannot be read and counts as empty", "user", user.Name, "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("decrypt auth_state of user %q: %w", user.Name, err)
	}
	if stale {
		err = l.SetAuthState(ctx, user, value)
	}
	return value, err
}

// SetAuthState encrypts and saves auth_state; nil deletes it. Without a key it is Invalid.
func (l *Logins) SetAuthState(ctx context.Context, user *orm.User, state any) error {
	sealed, err := l.Seal(state)
	if err != nil {
		return err
	}
	row := *user // identities share the row that they carry: never written
	row.EncryptedAuthState = sealed
	return storeErr(l.o.Store.UpdateUser(ctx, &row, "encrypted_auth_state"), "save auth_state")
}

// Seal encrypts auth_state for the database.
func (l *Logins) Seal(state any) ([]byte, error) {
	sealed, err := l.o.Crypt.Encrypt(state)
	if errors.Is(err, auth.ErrNoKeys) && state == nil {
		return nil, nil
	}
	if err != nil {
		return nil, (&Error{Kind: Invalid, Message: "auth_state cannot be stored", Hint: err.Error()}).because(err)
	}
	return sealed, nil
}
