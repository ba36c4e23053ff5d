package hub_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// One test for each published advisory of JupyterHub whose cause lies in what this package decides.

// Logging out ends what was issued during that browser session, and nothing else.
func TestGHSA_cw7p_q79f_m2v7_LogoutEndsTheSession(t *testing.T) {
	p := newPeople(t)
	u, other := p.user("alice"), p.user("bob")
	ctx := t.Context()
	issue := func(owner *orm.User, session *string) string {
		token, _, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &owner.ID, SessionID: session}, []string{"inherit"})
		noErr(t, err)
		return token
	}
	ended, kept, without, foreign := issue(u, ptr("s1")), issue(u, ptr("s2")), issue(u, nil), issue(other, ptr("s1"))
	noErr(t, p.logins.Logout(ctx, u, ""))
	if p.byToken(without) == nil || p.byToken(ended) == nil {
		t.Fatal("logout without session revoked tokens")
	}
	noErr(t, p.logins.Logout(ctx, u, "s1"))
	if p.byToken(ended) != nil {
		t.Error("token of the session survives the logout")
	}
	for name, token := range map[string]string{"other session": kept, "no session": without, "other user": foreign} {
		if p.byToken(token) == nil {
			t.Errorf("token of %s was revoked", name)
		}
	}
}

// Holding admin:users makes nobody an admin, in no way.
func TestGHSA_9x4q_3gxw_849f_AdminUsersIsNotAdmin(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.keys = []string{strings.Repeat("ab", 32)} })
	root := p.admin("root")
	manager := p.holding("manager", "admin:users")
	svc := p.service("manager-service", "admin:users")
	service := &hub.Identity{Service: svc, Scopes: manager.Scopes}
	p.user("plain")
	ctx := t.Context()
	state := any(map[string]any{"a": 1})
	for _, by := range []*hub.Identity{manager, service} {
		tests := map[string]func() error{
			"create many": func() error { _, err := p.users.Create(ctx, by, []string{"x"}, true); return err },
			"create one":  func() error { _, err := p.users.CreateOne(ctx, by, "x", hub.UserPatch{Admin: ptr(true)}); return err },
			"promote":     func() error { _, err := p.users.Update(ctx, by, "plain", hub.UserPatch{Admin: ptr(true)}); return err },
			"promote self": func() error {
				_, err := p.users.Update(ctx, by, "manager", hub.UserPatch{Admin: ptr(true)})
				return err
			},
			"demote admin": func() error { _, err := p.users.Update(ctx, by, "root", hub.UserPatch{Admin: ptr(false)}); return err },
			"rename admin": func() error { _, err := p.users.Update(ctx, by, "root", hub.UserPatch{Name: ptr("x")}); return err },
			"auth_state":   func() error { _, err := p.users.Update(ctx, by, "root", hub.UserPatch{AuthState: &state}); return err },
			"empty patch":  func() error { _, err := p.users.Update(ctx, by, "root", hub.UserPatch{}); return err },
		}
		for name, do := range tests {
			t.Run(by.Kind()+" "+name, func(t *testing.T) { wantErr(t, do(), hub.Forbidden, "") })
		}
	}
	if got := need(p.users.List(ctx, orm.UserQuery{})).Total; got != 3 {
		t.Fatalf("%d users, want 3: a refused creation left one behind", got)
	}
	_, err := p.users.Create(ctx, root, []string{"y"}, true)
	noErr(t, err)
	_, err = p.users.Update(ctx, root, "y", hub.UserPatch{Admin: ptr(false)})
	noErr(t, err)
	if y := p.as("y"); y.IsAdmin() || y.Scopes.Has("admin:users") {
		t.Error("a demoted admin keeps the role")
	}
}

// A stranger's half megabyte reaches neither log nor answer.
func TestGHSA_p43p_whwx_q52h_LongNamesAreNotLogged(t *testing.T) {
	p := newPeople(t)
	long := strings.Repeat("x", 500_000)
	_, err := p.logins.Login(t.Context(), auth.Request{Username: long, Password: "wrong"})
	wantErr(t, err, hub.Forbidden, "")
	if len(err.Error()) > 500 {
		t.Errorf("error has %d bytes", len(err.Error()))
	}
	_, err = p.users.Create(t.Context(), nil, []string{long}, false)
	wantErr(t, err, hub.Invalid, "")
	if len(err.Error()) > 500 {
		t.Errorf("error has %d bytes", len(err.Error()))
	}
	if strings.Contains(p.log.String(), strings.Repeat("x", 33)) {
		t.Error("the name is in the log")
	}
}

// A filtered scope does not open routes that are about no particular user or group.
func TestGHSA_69wv_m5fw_2fhp_FilteredScopesNeedATarget(t *testing.T) {
	p := newPeople(t)
	p.user("bob")
	p.group("g", "bob")
	by := p.holding("narrow", "admin:users!group=g", "admin:groups!group=g", "admin:users!user=bob", "admin:services!service=s")
	for _, scope := range []string{"admin:users", "admin:groups", "admin:services", "list:users"} {
		err := p.access.Check(t.Context(), by, rbac.Target{}, scope)
		wantErr(t, err, hub.Forbidden, "Action is not authorized with current scopes; requires any of ["+scope+"]")
	}
	f, outcome := by.Scopes.ListFilter("list:users", rbac.KindUser, rbac.KindGroup)
	if outcome != rbac.Granted || f.All {
		t.Errorf("listing: %v %+v, want a filtered one", outcome, f)
	}
}

// The filter of a share follows the owner's name; a new owner of the old name shares nothing.
func TestGHSA_mj6q_mp44_53v8_SharesFollowRenames(t *testing.T) {
	p := newPeople(t)
	root := p.admin("root")
	p.user("owner")
	p.user("friend")
	p.group("lab", "friend")
	p.server("owner", "")
	ctx := t.Context()
	for _, to := range []hub.Grantee{{User: "friend"}, {Group: "lab"}} {
		_, err := p.shares.Grant(ctx, root, "owner", "", to, nil)
		noErr(t, err)
	}
	token := p.token("friend", "inherit")
	holds := func(scope string) bool { return slices.Contains(p.byToken(token).Expanded, scope) }
	if !holds("access:servers!server=owner/") {
		t.Fatal("share does not count")
	}
	_, err := p.users.Update(ctx, root, "owner", hub.UserPatch{Name: ptr("renamed")})
	noErr(t, err)
	p.user("owner")
	p.server("owner", "")
	if holds("access:servers!server=owner/") {
		t.Error("the friend reaches the server of somebody else who took the name")
	}
	if !holds("access:servers!server=renamed/") {
		t.Error("the share is lost")
	}
	for _, list := range [][]hub.ShareView{first(p.shares.OfServer(ctx, "renamed", "", 0, 0)), first(p.shares.WithUser(ctx, "friend", 0, 0))} {
		for _, share := range list {
			if !slices.Equal([]string(share.Scopes), []string{"access:servers!server=renamed/"}) {
				t.Errorf("share shows scopes %v", share.Scopes)
			}
		}
	}
}

func first[A, B any](a A, _ B, err error) A {
	if err != nil {
		panic(err)
	}
	return a
}

// Options that JupyterHub cannot read back break neither lists nor the row's owner.
func TestGHSA_hx46_2cv3_mh6g_HostileUserOptions(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	row := p.server("alice", "x")
	db := need(sql.Open("sqlite", p.path))
	defer db.Close()
	for _, value := range []string{`{"__jupyterhub_bytes__": true}`, `{"__jupyterhub_bytes__": true, "data": 7}`, `{"a": {"__jupyterhub_bytes__": true, "data": "%"}}`,
		`[1]`, `"x"`, `7`, `{`, `null`, ``, `{"a": NaN}`, strings.Repeat("[", 10_000)} {
		need(db.Exec("UPDATE spawners SET user_options = ?, state = ? WHERE id = ?", value, value, row.ID))
		page, err := p.users.List(t.Context(), orm.UserQuery{})
		if err != nil || len(page.Users) != 1 || len(page.Users[0].Servers) != 1 {
			t.Errorf("user_options %.30s: %+v, %v", value, page, err)
		}
	}
}

var hostileNames = []string{"", ".", "..", "...", "%2e%2e", "%2E", "a/b", "/", " x", "x ", "\tx", "a\x00b", "a\nb", "a\x7f", "\xff", "e\u0301",
	strings.Repeat("n", 256)}

// Names that mean something else in a path never get into the database, on no way.
func TestGHSA_93gc_h923_mp36_NamesThatArePaths(t *testing.T) {
	p := newPeople(t)
	root := p.admin("root")
	p.user("plain")
	ctx := t.Context()
	for _, name := range hostileNames {
		_, err := p.users.CreateOne(ctx, root, name, hub.UserPatch{})
		wantErr(t, err, hub.Invalid, "")
		_, err = p.users.Create(ctx, root, []string{"fine", name}, false)
		wantErr(t, err, hub.Invalid, "")
		_, err = p.users.Update(ctx, root, "plain", hub.UserPatch{Name: &name})
		wantErr(t, err, hub.Invalid, "")
		if _, _, err := p.users.Ensure(ctx, name); err == nil {
			t.Errorf("user %q can be ensured", name)
		}
		p.auth.model = func(auth.Request) (*auth.Model, error) { return &auth.Model{Name: name}, nil }
		_, err = p.logins.Login(ctx, auth.Request{Username: "x"})
		wantErr(t, err, hub.Forbidden, "")
		_, err = p.services.Create(ctx, root, hub.ServiceSpec{Name: name})
		wantErr(t, err, hub.Invalid, "")
	}
	for _, name := range []string{"a%2Fb", "%41"} {
		_, err := p.services.Create(ctx, root, hub.ServiceSpec{Name: name})
		wantErr(t, err, hub.Invalid, "")
	}
	if n := need(p.store.CountUsers(ctx)); n != 2 {
		t.Fatalf("%d users, want 2", n)
	}
}

// No lifetime, however odd, is a token without end when there is a maximum; zero is no synonym of "not given".
func TestGHSA_pvm9_48cg_w76j_ExpiryIsNeverNone(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Hour} {
		p := newPeople(t, func(o *peopleOptions) { o.maxExpiry = limit })
		by := p.admin("root")
		for _, d := range []time.Duration{0, -time.Second, -1 << 62, 500 * time.Millisecond, time.Nanosecond} {
			_, _, err := p.tokens.Create(t.Context(), by, "root", hub.NewToken{ExpiresIn: &d})
			wantErr(t, err, hub.Invalid, fmt.Sprintf("token expires_in must be a positive integer or null, not %v", d.Seconds()))
		}
		if list := need(p.tokens.List(t.Context(), "root")); len(list) != 0 {
			t.Fatalf("%d tokens were made", len(list))
		}
		view, _, err := p.tokens.Create(t.Context(), by, "root", hub.NewToken{})
		noErr(t, err)
		if (limit > 0) != (view.ExpiresAt != nil) {
			t.Errorf("limit %v: default expiry %v", limit, view.ExpiresAt)
		}
		huge := time.Duration(1<<63 - 1)
		view, _, err = p.tokens.Create(t.Context(), by, "root", hub.NewToken{ExpiresIn: &huge})
		if limit > 0 {
			wantErr(t, err, hub.Invalid, "")
			over := limit + time.Second
			_, _, err = p.tokens.Create(t.Context(), by, "root", hub.NewToken{ExpiresIn: &over})
			wantErr(t, err, hub.Invalid, "token expires_in: 3601 must not exceed 3600")
		} else if err != nil || view.ExpiresAt == nil || view.ExpiresAt.Before(time.Now()) {
			t.Errorf("very long expiry: %+v, %v", view, err)
		}
	}
}

// A rename goes through the same gate as every other way to a name.
func TestGHSA_x7xh_7hc7_9436_RenamesAreNormalised(t *testing.T) {
	p := newPeople(t)
	root := p.admin("root")
	p.user("alice")
	p.user("bob")
	ctx := t.Context()
	_, err := p.users.Update(ctx, root, "alice", hub.UserPatch{Name: ptr("BOB")})
	wantErr(t, err, hub.Invalid, "User bob already exists, username must be unique")
	view, err := p.users.Update(ctx, root, "alice", hub.UserPatch{Name: ptr("CaRol<b>")})
	noErr(t, err)
	if view.Name != "carol<b>" {
		t.Errorf("stored name %q", view.Name)
	}
	if !slices.Equal(p.servers.renamed, []string{"alice>carol<b>"}) {
		t.Errorf("servers were told %v", p.servers.renamed)
	}
	_, err = p.users.Get(ctx, "alice")
	wantErr(t, err, hub.NotFound, "")
}

// PR 5554: whether somebody may make tokens for a user is a question about that user, also when a service asks.
func TestServiceTokensAreFilteredByUser(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.user("bob")
	svc := p.service("bob", "tokens!user=alice") // named like a user on purpose
	by := need(p.access.ByToken(t.Context(), first(p.tokens.Issue(t.Context(), orm.APIToken{ServiceID: &svc.ID}, []string{"inherit"}))))
	_, _, err := p.tokens.Create(t.Context(), by, "alice", hub.NewToken{})
	noErr(t, err)
	for _, name := range []string{"bob", "nobody"} {
		_, _, err = p.tokens.Create(t.Context(), by, name, hub.NewToken{})
		wantErr(t, err, hub.Forbidden, "Service "+name+" not found or no permissions to generate tokens")
	}
}
