package pybridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minihub/minihub/auth"
)

// Model is JupyterHub's auth model on the wire.
type Model struct {
	Name      string         `json:"name"`
	Admin     *bool          `json:"admin,omitempty"`
	Groups    *[]string      `json:"groups,omitempty"`
	Roles     *[]Role        `json:"roles,omitempty"`
	AuthState any            `json:"auth_state,omitempty"`
	UserInfo  map[string]any `json:"user_info,omitempty"`
}

// Role is a role that an authenticator manages.
type Role struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Scopes      []string  `json:"scopes,omitempty"`
	Users       *[]string `json:"users,omitempty"`
	Groups      *[]string `json:"groups,omitempty"`
	Services    *[]string `json:"services,omitempty"`
}

func (m *Model) auth() *auth.Model {
	out := &auth.Model{Name: m.Name, Admin: m.Admin, Groups: m.Groups, AuthState: m.AuthState, UserInfo: m.UserInfo}
	if m.Roles != nil {
		roles := make([]auth.ManagedRole, len(*m.Roles))
		for i, r := range *m.Roles {
			roles[i] = auth.ManagedRole{Name: r.Name, Description: r.Description, Scopes: r.Scopes, Users: r.Users, Groups: r.Groups, Services: r.Services}
		}
		out.Roles = &roles
	}
	return out
}

func modelOf(m *auth.Model) Model {
	out := Model{Name: m.Name, Admin: m.Admin, Groups: m.Groups, AuthState: m.AuthState, UserInfo: m.UserInfo}
	if m.Roles != nil {
		roles := make([]Role, len(*m.Roles))
		for i, r := range *m.Roles {
			roles[i] = Role{Name: r.Name, Description: r.Description, Scopes: r.Scopes, Users: r.Users, Groups: r.Groups, Services: r.Services}
		}
		out.Roles = &roles
	}
	return out
}

// Authenticator is an authenticator that lives in the child. All rules of a login (normalize_username, validate_username,
// check_blocked_users, check_allowed, is_admin, post_auth_hook) are applied there, because a class may override each of them.
type Authenticator struct {
	b    *Bridge
	info *ClassInfo

	mu   sync.Mutex
	page auth.Page
}

// NewAuthenticator returns the authenticator that Setup made.
func NewAuthenticator(b *Bridge, info *ClassInfo) *Authenticator {
	return &Authenticator{b: b, info: info, page: info.Page.auth()}
}

// Name is the class's dotted path.
func (a *Authenticator) Name() string { return a.info.Name }

// Decides implements auth.Decider: what Authenticate returns has passed all rules.
func (a *Authenticator) Decides() bool { return true }

// Authenticate asks the child. HTTP errors below 500 are refusals with the exception's text.
func (a *Authenticator) Authenticate(ctx context.Context, req auth.Request) (*auth.Model, error) {
	if m := modelFrom(ctx); m != nil {
		return m.auth(), nil
	}
	data := map[string]any{}
	for key, values := range req.Form {
		if len(values) > 0 {
			data[key] = values[len(values)-1]
		}
	}
	for key, value := range map[string]string{"username": req.Username, "password": req.Password, "otp": req.OTP} {
		if _, given := data[key]; given || value != "" {
			data[key] = value
		}
	}
	ctx, cancel := limited(ctx, time.Minute)
	defer cancel()
	var m *Model
	if err := a.b.Call(ctx, "auth.authenticate", map[string]any{"data": data, "request": withForm(ctx, req.Form)}, &m); err != nil {
		return nil, refusal(err)
	}
	if m == nil {
		return nil, nil
	}
	return m.auth(), nil
}

// Log in with an outcome that a page of the authenticator produced.

// WithLogin makes Authenticate accept m without asking: a page of the authenticator checked the person already.
func WithLogin(ctx context.Context, m Model) context.Context { return withModel(ctx, &m) }

// refusal makes an expected exception a refusal of the login.
func refusal(err error) error {
	var e *Error
	if asError(err, &e) && e.Expected() {
		return &auth.Refusal{Reason: e.Error(), Public: e.Say(), Status: e.Status}
	}
	return err
}

// Refresh implements auth.Refresher.
func (a *Authenticator) Refresh(ctx context.Context, user auth.User) (bool, *auth.Model, error) {
	ctx, cancel := limited(ctx, time.Minute)
	defer cancel()
	var out struct {
		OK    bool   `json:"ok"`
		Model *Model `json:"model"`
	}
	if err := a.b.Call(ctx, "auth.refresh", map[string]any{"user": userOf(user), "request": RequestFrom(ctx)}, &out); err != nil {
		return false, nil, err
	}
	if out.Model == nil {
		return out.OK, nil, nil
	}
	return out.OK, out.Model.auth(), nil
}

// AddUser implements auth.UserHooks.
func (a *Authenticator) AddUser(ctx context.Context, u auth.User) error {
	if err := a.b.Call(ctx, "auth.add_user", map[string]any{"user": userOf(u)}, nil); err != nil {
		return fmt.Errorf("add_user of %s: %w", a.info.Name, err)
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	a.b.known[u.Name] = true
	return nil
}

// DeleteUser implements auth.UserHooks.
func (a *Authenticator) DeleteUser(ctx context.Context, u auth.User) error {
	a.b.mu.Lock()
	delete(a.b.known, u.Name)
	a.b.mu.Unlock()
	if err := a.b.Call(ctx, "auth.delete_user", map[string]any{"user": userOf(u)}, nil); err != nil {
		return fmt.Errorf("delete_user of %s: %w", a.info.Name, err)
	}
	return nil
}

// Normalize runs normalize_username of a class that has its own.
func (a *Authenticator) Normalize(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var out string
	err := a.b.Call(ctx, "auth.normalize", map[string]any{"name": name}, &out)
	return out, err
}

// ManagedRoles runs load_managed_roles.
func (a *Authenticator) ManagedRoles(ctx context.Context) ([]auth.ManagedRole, error) {
	m := Model{Roles: &[]Role{}}
	if err := a.b.Call(ctx, "auth.managed_roles", nil, m.Roles); err != nil {
		return nil, fmt.Errorf("load_managed_roles of %s: %w", a.info.Name, err)
	}
	return *m.auth().Roles, nil
}

type pageInfo struct {
	LoginURL     string `json:"login_url"`
	LogoutURL    string `json:"logout_url"`
	CustomHTML   string `json:"custom_html"`
	LoginService string `json:"login_service"`
	RequestOTP   bool   `json:"request_otp"`
	OTPPrompt    string `json:"otp_prompt"`
	AutoLogin    bool   `json:"auto_login"`
}

func (p pageInfo) auth() auth.Page {
	return auth.Page{LoginURL: p.LoginURL, LogoutURL: p.LogoutURL, Service: p.LoginService, CustomHTML: p.CustomHTML, RequestOTP: p.RequestOTP,
		OTPPrompt: p.OTPPrompt}
}

// LoginPage implements auth.LoginPage. A class with methods of its own for it is asked each time; when it does not answer, the last
// answer serves.
func (a *Authenticator) LoginPage() auth.Page {
	a.mu.Lock()
	page := a.page
	a.mu.Unlock()
	if !a.info.Has("get_custom_html") && !a.info.Has("login_url") && !a.info.Has("logout_url") {
		return page
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var now pageInfo
	if err := a.b.Call(ctx, "auth.page", nil, &now); err != nil {
		return page
	}
	page = now.auth()
	a.mu.Lock()
	a.page = page
	a.mu.Unlock()
	return page
}

func userOf(u auth.User) User {
	return User{Name: u.Name, Admin: u.Admin, Groups: u.Groups, HasAuthState: u.AuthState != nil}
}

// limited gives a call a deadline unless it has one.
func limited(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

func asError(err error, target **Error) bool { return errors.As(err, target) }

var (
	_ auth.Authenticator = (*Authenticator)(nil)
	_ auth.Refresher     = (*Authenticator)(nil)
	_ auth.UserHooks     = (*Authenticator)(nil)
	_ auth.LoginPage     = (*Authenticator)(nil)
)
