package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func (p *people) login(name string) (*hub.LoginResult, error) {
	return p.logins.Login(p.t.Context(), auth.Request{Username: name, Password: name, RemoteIP: "192.0.2.1"})
}

// says makes the authenticator return this model for everybody.
func (p *people) says(m *auth.Model) {
	p.auth.model = func(auth.Request) (*auth.Model, error) { return m, nil }
}

func (p *people) rolesOf(name string) []string {
	p.t.Helper()
	return need(p.users.Get(p.t.Context(), name)).Roles
}

func TestLogin(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.rules.BlockedUsers = []string{"mallory"}
		o.rules.AdminUsers = []string{"root"}
	})
	res, err := p.login("Alice")
	noErr(t, err)
	if !res.Created || res.User.Name != "alice" || res.User.Admin || !slices.Equal(p.rolesOf("alice"), []string{"user"}) {
		t.Fatalf("first login: %+v", res)
	}
	if again, err := p.login("ALICE"); err != nil || again.Created || again.User.ID != res.User.ID {
		t.Fatalf("second login: %+v, %v", again, err)
	}
	if res, err := p.login("root"); err != nil || !res.User.Admin || !slices.Equal(p.rolesOf("root"), []string{"admin", "user"}) {
		t.Fatalf("admin: %+v, %v", res, err)
	}
	total := p.total
	for _, tt := range []struct{ user, password, rule string }{
		{"alice", "wrong", "credentials"}, {"mallory", "mallory", "blocked"}, {"a/b", "a/b", "validate"}, {"", "", "validate"},
	} {
		_, err := p.logins.Login(t.Context(), auth.Request{Username: tt.user, Password: tt.password})
		wantErr(t, err, hub.Forbidden, "Invalid username or password")
		if hintOf(err) != "" {
			t.Errorf("%s: the answer tells which rule refused: %q", tt.user, hintOf(err))
		}
		if !strings.Contains(p.log.String(), "rule="+tt.rule) {
			t.Errorf("rule %s is not in the log", tt.rule)
		}
	}
	if p.total != total {
		t.Error("refused logins created users")
	}
	if strings.Contains(p.log.String(), "wrong") {
		t.Error("password in the log")
	}
}

func TestLoginErrorIsNoRefusal(t *testing.T) {
	p := newPeople(t)
	p.auth.failNext = errors.New("directory down")
	_, err := p.login("alice")
	if err == nil || hub.KindOf(err) != 0 {
		t.Fatalf("error %v, want an internal one", err)
	}
	p.auth.failNext = &auth.Refusal{Reason: "expired", Public: "Your password has expired"}
	_, err = p.login("alice")
	wantErr(t, err, hub.Forbidden, "Your password has expired")
	p.auth.failNext = &auth.Refusal{Reason: "no ticket", Public: "Come from the portal", Status: 400}
	_, err = p.login("alice")
	wantErr(t, err, hub.Forbidden, "Come from the portal")
	if e, ok := errors.AsType[*hub.Error](err); !ok || e.Status != 400 {
		t.Errorf("the authenticator's status: %+v", e)
	}
}

func TestLoginThrottle(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.throttle = auth.NewThrottle(auth.ThrottleOptions{PerUser: 3}) })
	bad := auth.Request{Username: "Alice", Password: "x", RemoteIP: "192.0.2.1"}
	for range 3 {
		_, err := p.logins.Login(t.Context(), bad)
		wantErr(t, err, hub.Forbidden, "")
	}
	_, err := p.login("alice")
	wantErr(t, err, hub.TooMany, "")
	var e *hub.Error
	if errors.As(err, &e); e.RetryAfter <= 0 {
		t.Errorf("no time to wait: %+v", e)
	}
	if _, err := p.login("bob"); err != nil {
		t.Errorf("another name is slowed down: %v", err)
	}
	bad.RemoteIP = "192.0.2.2"
	_, err = p.logins.Login(t.Context(), bad)
	wantErr(t, err, hub.Forbidden, "")
	// What is neither right nor wrong does not count.
	for range 10 {
		p.auth.failNext = errors.New("down")
		if _, err := p.login("carol"); hub.KindOf(err) != 0 {
			t.Fatalf("%v", err)
		}
	}
	if _, err := p.login("carol"); err != nil {
		t.Error(err)
	}
}

func TestLoginAppliesTheModel(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.keys = []string{strings.Repeat("ab", 32)}
		o.traits = hub.LoginTraits{EnableAuthState: true, ManageGroups: true}
	})
	ctx := t.Context()
	p.group("old")
	p.user("alice")
	need(p.groups.AddUsers(ctx, "old", []string{"alice"}))
	p.says(&auth.Model{Name: "alice", Admin: ptr(true), Groups: &[]string{"new", "old2", "new"}, AuthState: map[string]any{"t": "1"},
		UserInfo: map[string]any{"mail": "a@b"}})
	res, err := p.login("alice")
	noErr(t, err)
	view := need(p.users.Get(ctx, "alice"))
	if !view.Admin || !slices.Equal(view.Groups, []string{"new", "old2"}) || view.UserInfo["mail"] != "a@b" || !slices.Equal(view.Roles, []string{"admin", "user"}) {
		t.Errorf("view %+v", view)
	}
	if got := need(p.logins.AuthState(ctx, res.User)); fmt.Sprint(got) != "map[t:1]" {
		t.Errorf("auth_state %v", got)
	}
	if _, err := p.groups.Get(ctx, "old"); err != nil {
		t.Error("an emptied group is gone")
	}
	// No opinion about admin and info leaves them; an empty list of groups and no auth_state clear.
	p.says(&auth.Model{Name: "alice", Groups: &[]string{}})
	res, err = p.login("alice")
	noErr(t, err)
	view = need(p.users.Get(ctx, "alice"))
	if !view.Admin || len(view.Groups) != 0 || view.UserInfo["mail"] != "a@b" || len(res.User.EncryptedAuthState) != 0 {
		t.Errorf("view %+v", view)
	}
	p.says(&auth.Model{Name: "alice", Admin: ptr(false), Groups: &[]string{}})
	need(p.login("alice"))
	if view = need(p.users.Get(ctx, "alice")); view.Admin || !slices.Equal(view.Roles, []string{"user"}) {
		t.Errorf("demoted %+v", view)
	}
	p.says(&auth.Model{Name: "alice"})
	_, err = p.login("alice")
	wantErr(t, err, hub.Failed, "")
	if !strings.Contains(hintOf(err), "manage_groups") {
		t.Errorf("hint %q", hintOf(err))
	}
}

func TestAuthStateIsClearedWhenNotEnabled(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.keys = []string{strings.Repeat("ab", 32)} })
	u := p.user("alice")
	noErr(t, p.logins.SetAuthState(t.Context(), u, "kept"))
	p.says(&auth.Model{Name: "alice", AuthState: "new"})
	res, err := p.login("alice")
	noErr(t, err)
	if len(res.User.EncryptedAuthState) != 0 {
		t.Error("auth_state is kept although it is not enabled")
	}
}

func TestAuthStateKeys(t *testing.T) {
	oldKey, newKey := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	p := newPeople(t, func(o *peopleOptions) { o.keys = []string{oldKey} })
	ctx := t.Context()
	u := p.user("alice")
	noErr(t, p.logins.SetAuthState(ctx, u, map[string]any{"n": "v"}))
	u = need(p.users.Find(ctx, "alice"))
	logins := func(keys ...string) *hub.Logins {
		return hub.NewLogins(hub.LoginsOptions{Store: p.store, Authenticator: p.auth, Rules: p.rules, Users: p.users, Crypt: need(auth.NewCryptKeeper(keys...))})
	}
	if got := need(logins(newKey, oldKey).AuthState(ctx, u)); fmt.Sprint(got) != "map[n:v]" {
		t.Fatalf("auth_state %v", got)
	}
	rotated := need(p.users.Find(ctx, "alice"))
	if string(rotated.EncryptedAuthState) == string(u.EncryptedAuthState) {
		t.Error("not encrypted anew with the first key")
	}
	if got := need(logins(newKey).AuthState(ctx, rotated)); fmt.Sprint(got) != "map[n:v]" {
		t.Errorf("auth_state after rotation %v", got)
	}
	for name, l := range map[string]*hub.Logins{"wrong key": logins(oldKey), "no key": hub.NewLogins(hub.LoginsOptions{Store: p.store, Users: p.users})} {
		if got, err := l.AuthState(ctx, rotated); got != nil || err != nil {
			t.Errorf("%s: %v, %v, want none", name, got, err)
		}
	}
}

func TestReconcileAuthState(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.keys = []string{strings.Repeat("ab", 32)}
		o.traits = hub.LoginTraits{EnableAuthState: true, ReconcileAuthState: func(_ context.Context, m *auth.Model, existing any) (any, error) {
			if m.AuthState == "bad" {
				return nil, errors.New("hook failed")
			}
			return []any{existing, m.AuthState}, nil
		}}
	})
	for _, state := range []string{"a", "b"} {
		p.says(&auth.Model{Name: "alice", AuthState: state})
		need(p.login("alice"))
	}
	u := need(p.users.Find(t.Context(), "alice"))
	if got := need(p.logins.AuthState(t.Context(), u)); fmt.Sprint(got) != "[[<nil> a] b]" {
		t.Errorf("auth_state %v", got)
	}
	p.says(&auth.Model{Name: "alice", AuthState: "bad"})
	if _, err := p.login("alice"); err == nil || hub.KindOf(err) != 0 {
		t.Errorf("%v", err)
	}
}

func TestManagedRoles(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.traits = hub.LoginTraits{ManageRoles: true, KeepRoles: []string{"kept"}} })
	ctx := t.Context()
	p.user("bob")
	p.group("lab", "bob")
	p.service("svc")
	roles := func(m ...auth.ManagedRole) error {
		p.says(&auth.Model{Name: "alice", Roles: &m})
		_, err := p.login("alice")
		return err
	}
	noErr(t, roles(auth.ManagedRole{Name: "viewer", Scopes: []string{"list:users"}, Groups: &[]string{"lab", "none"}, Services: &[]string{"svc"}},
		auth.ManagedRole{Name: "kept", Scopes: []string{"read:hub"}}, auth.ManagedRole{Name: "gone", Scopes: []string{"proxy"}}))
	if got := p.rolesOf("alice"); !slices.Equal(got, []string{"gone", "kept", "viewer"}) {
		t.Errorf("roles %v: the list is exact, user included", got)
	}
	if !p.as("bob").Scopes.Has("list:users") || !p.as("alice").Scopes.Has("proxy") {
		t.Error("roles do not count")
	}
	noErr(t, roles(auth.ManagedRole{Name: "viewer", Description: "new"}))
	for name, exists := range map[string]bool{"viewer": true, "kept": true, "gone": false, "user": true} {
		if _, err := p.store.RoleByName(ctx, name); (err == nil) != exists {
			t.Errorf("role %s: %v", name, err)
		}
	}
	role := need(p.store.RoleByName(ctx, "viewer"))
	if role.Description != "new" || !slices.Equal([]string(role.Scopes), []string{"list:users"}) || !role.ManagedByAuth {
		t.Errorf("role %+v: what is not mentioned stays", role)
	}
	for name, bad := range map[string]auth.ManagedRole{"name": {Name: "X"}, "scope": {Name: "fine", Scopes: []string{"nonsense"}},
		"admin": {Name: "admin", Scopes: []string{"read:hub"}}} {
		wantErr(t, roles(auth.ManagedRole{Name: "extra", Scopes: []string{"proxy"}}, bad), hub.Conflict, "")
		if got := p.rolesOf("alice"); !slices.Equal(got, []string{"viewer"}) {
			t.Errorf("bad %s: roles %v, the login must not be half applied", name, got)
		}
	}
	p.says(&auth.Model{Name: "alice"})
	need(p.login("alice"))
	if got := p.rolesOf("alice"); !slices.Contains(got, "viewer") {
		t.Errorf("roles %v: no list is no change", got)
	}
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Only the authenticator and the clock matter here: a refresh without model does not touch the database.
		l := hub.NewLogins(hub.LoginsOptions{Authenticator: newFakeAuth(), Traits: hub.LoginTraits{RefreshAge: time.Minute}})
		u := &orm.User{ID: 1, Name: "alice", CookieID: "c"}
		if !l.Stale(u) {
			t.Error("after a start everybody is stale")
		}
		off := hub.NewLogins(hub.LoginsOptions{Authenticator: newFakeAuth()})
		if ok, err := off.Refresh(t.Context(), u, true); !ok || err != nil || off.Stale(u) {
			t.Error("auth_refresh_age = 0 switches everything off")
		}
		plain := hub.NewLogins(hub.LoginsOptions{Authenticator: plainAuth{}, Traits: hub.LoginTraits{RefreshAge: time.Minute}})
		if ok, err := plain.Refresh(t.Context(), u, false); !ok || err != nil || plain.Stale(u) {
			t.Error("an authenticator that cannot refresh keeps logins valid")
		}
		time.Sleep(time.Minute)
		if !plain.Stale(u) {
			t.Error("not stale after auth_refresh_age")
		}
		plain.Forget(u)
		if !plain.Stale(u) {
			t.Error("a forgotten user is fresh")
		}
	})
}

// plainAuth implements no optional interface.
type plainAuth struct{}

func (plainAuth) Name() string                                                    { return "plain" }
func (plainAuth) Authenticate(context.Context, auth.Request) (*auth.Model, error) { return nil, nil }

func TestRefreshOutcomes(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.keys = []string{strings.Repeat("ab", 32)}
		o.traits = hub.LoginTraits{EnableAuthState: true, ManageGroups: true, RefreshAge: time.Hour}
	})
	ctx := t.Context()
	p.says(&auth.Model{Name: "alice", Groups: &[]string{"lab"}, AuthState: "first"})
	u := need(p.login("alice")).User
	refresh := func(force bool) (bool, error) { return p.logins.Refresh(ctx, u, force) }
	if ok, err := refresh(false); !ok || err != nil || p.auth.calls != 0 {
		t.Fatalf("a fresh login was refreshed: %t %v, %d calls", ok, err, p.auth.calls)
	}
	p.auth.refresh = func(got auth.User) (bool, *auth.Model, error) {
		if got.Name != "alice" || !slices.Equal(got.Groups, []string{"lab"}) || got.AuthState != "first" {
			t.Errorf("the authenticator sees %+v", got)
		}
		return true, &auth.Model{Name: "somebody else", Admin: ptr(true)}, nil
	}
	if ok, err := refresh(true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	view := need(p.users.Get(ctx, "alice"))
	if !view.Admin || !slices.Equal(view.Groups, []string{"lab"}) {
		t.Errorf("refreshed %+v", view)
	}
	if got := need(p.logins.AuthState(ctx, &view.User)); got != "first" {
		t.Errorf("auth_state %v: not mentioned is kept", got)
	}
	p.auth.refresh = func(auth.User) (bool, *auth.Model, error) { return false, nil, nil }
	if ok, err := refresh(true); ok || err != nil {
		t.Error("an expired login is refreshed")
	}
	p.auth.refresh = func(auth.User) (bool, *auth.Model, error) { return false, nil, errors.New("down") }
	if ok, err := refresh(true); ok || err == nil {
		t.Error("an error is a verdict")
	}
}
