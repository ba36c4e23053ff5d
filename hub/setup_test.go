package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// roleNames returns the names of all roles.
func (p *people) roleNames() []string {
	p.t.Helper()
	var out []string
	for _, r := range need(p.store.Roles(p.t.Context())) {
		out = append(out, r.Name)
	}
	return slices.Sorted(slices.Values(out))
}

// holders returns the members of a role by kind.
func (p *people) holders(role string, kind orm.RoleHolder) []string {
	p.t.Helper()
	r := need(p.store.RoleByName(p.t.Context(), role))
	return need(p.store.RoleHolders(p.t.Context(), r.ID, kind))
}

// mustSetup runs start-up again with other specs.
func (p *people) mustSetup(specs hub.SetupSpecs) *hub.SetupResult {
	p.t.Helper()
	res, err := p.setup(specs)
	noErr(p.t, err)
	return res
}

func TestSetupRoles(t *testing.T) {
	p := newPeople(t)
	if got := p.roleNames(); !slices.Equal(got, []string{"admin", "server", "token", "user"}) {
		t.Fatalf("default roles %v", got)
	}
	p.mustSetup(hub.SetupSpecs{LoadRoles: []rbac.Role{
		{Name: "viewer", Description: "views", Scopes: []string{"list:users"}},
		{Name: "server", Scopes: []string{"users:activity!user"}},
	}, ExtraUserScopes: []string{"read:hub"}})
	role := need(p.store.RoleByName(t.Context(), "user"))
	if !slices.Equal([]string(role.Scopes), []string{"self", "read:hub"}) {
		t.Errorf("extra_user_scopes: %v", role.Scopes)
	}
	if role = need(p.store.RoleByName(t.Context(), "server")); role.Description != "Post activity only" || len(role.Scopes) != 1 {
		t.Errorf("overridden default role %+v", role)
	}
	p.mustSetup(hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "viewer", Scopes: []string{"list:users", "read:hub"}}}})
	role = need(p.store.RoleByName(t.Context(), "viewer"))
	if role.Description != "" || !slices.Equal([]string(role.Scopes), []string{"list:users", "read:hub"}) {
		t.Errorf("a key that is gone is reset: %+v", role)
	}
	if p.log.count("role has gained scopes") == 0 {
		t.Error("no warning about gained scopes")
	}
	p.mustSetup(hub.SetupSpecs{})
	if got := p.roleNames(); slices.Contains(got, "viewer") {
		t.Errorf("roles %v: what is not configured goes", got)
	}
	if role = need(p.store.RoleByName(t.Context(), "user")); !slices.Equal([]string(role.Scopes), []string{"self"}) {
		t.Errorf("user role %v", role.Scopes)
	}
}

// Every problem of a step is in one error, and nothing of the step is done.
func TestSetupProblems(t *testing.T) {
	managed := hub.SetupSpecs{ManageRoles: true, LoadRoles: []rbac.Role{{Name: "viewer", Scopes: []string{"read:hub"}, Users: &[]string{"a"}}}}
	tests := []struct {
		name  string
		specs hub.SetupSpecs
		want  []string // parts of the error
	}{
		{"roles", hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "Bad"}, {Name: "viewer", Scopes: []string{"red:users"}}, {Name: "admin", Scopes: []string{"read:hub"}}}},
			[]string{"Bad", "red:users", "read:users", "admin"}},
		{"role twice", hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "viewer"}, {Name: "viewer"}}}, []string{"viewer", "2 times"}},
		{"managed roles with members", managed, []string{"viewer", "manage_roles"}},
		{"no keys", hub.SetupSpecs{EnableAuthState: true}, []string{"enable_auth_state", auth.CryptKeyEnv}},
		{"managed groups", hub.SetupSpecs{ManageGroups: true, LoadGroups: map[string]hub.GroupSpec{"lab": {}}}, []string{"load_groups", "manage_groups"}},
		{"groups", hub.SetupSpecs{LoadGroups: map[string]hub.GroupSpec{"": {}, "lab": {Users: []string{"a/b", "fine", ".."}}}},
			[]string{`load_groups[""]`, `load_groups["lab"]`, "a/b", `".."`}},
		{"missing service", hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "viewer", Scopes: []string{"read:hub"}, Services: &[]string{"none"}, Users: &[]string{"bob"}}}},
			[]string{"viewer", "none", "JupyterHub.services"}},
		{"members", hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "viewer", Scopes: []string{"read:hub"}, Users: &[]string{"bob", "a/b"}, Groups: &[]string{""}}}},
			[]string{`load_roles["viewer"].users`, "a/b", `load_roles["viewer"].groups`}},
		{"everything at once", hub.SetupSpecs{EnableAuthState: true, LoadRoles: []rbac.Role{{Name: "Bad"}}, Services: []hub.ServiceSpec{{Name: "a/b", APIToken: "short"}},
			LoadGroups: map[string]hub.GroupSpec{"lab": {Users: []string{".."}}}, ServiceTokens: map[string]string{"tiny": ".."}},
			[]string{"enable_auth_state", "Bad", "a/b", "api_token", `load_groups["lab"]`, "service_tokens"}},
		{"services", hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "a/b"}, {Name: "one", URL: "ftp://x"}, {Name: "two"}, {Name: "two"},
			{Name: "three", OAuthNoConfirm: true}, {Name: "four", OAuthClientID: "x", OAuthRedirectURI: "/cb"}, {Name: "five", Managed: ptr(true)},
			{Name: "six", Managed: ptr(false), Command: []string{"x"}}, {Name: "seven", OAuthClientAllowedScopes: []string{"nonsense"}}}},
			[]string{"a/b", "ftp", "used twice", "oauth_redirect_uri", `"service-"`, "managed is true, but command is not given", "managed is false, but command is given", "nonsense"}},
		{"tokens", hub.SetupSpecs{ServiceTokens: map[string]string{"short": "svc"}, APITokens: map[string]string{"long-enough-token": "a/b", strings.Repeat("x", 65): "alice"}},
			[]string{"svc", "8 to 64", "a/b", "alice"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeople(t)
			users, roles := need(p.store.CountUsers(t.Context())), len(p.roleNames())
			_, err := p.setup(tt.specs)
			if err == nil {
				t.Fatal("no error")
			}
			if got := need(p.store.CountUsers(t.Context())); got != users && tt.name != "missing service" {
				t.Errorf("%d users were created", got-users)
			}
			if len(p.roleNames()) != roles && tt.name != "missing service" {
				t.Error("roles were created")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error does not mention %s:\n%v", part, err)
				}
			}
			if strings.Contains(err.Error(), "long-enough-token") || strings.Contains(err.Error(), strings.Repeat("x", 65)) {
				t.Error("token in the error")
			}
			for _, name := range []string{"svc", "alice"} {
				if _, err := p.users.Find(t.Context(), name); hub.KindOf(err) != hub.NotFound {
					t.Errorf("a bad entry left user %s behind", name)
				}
				if _, err := p.store.ServiceByName(t.Context(), name); !errors.Is(err, orm.ErrNotFound) {
					t.Errorf("a bad entry left service %s behind", name)
				}
			}
		})
	}
}

func TestSetupUsers(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.rules = auth.RulesOptions{AdminUsers: []string{"Root", "boss"}, AllowedUsers: []string{"Alice", "boss"}}
	})
	ctx := t.Context()
	page := need(p.users.List(ctx, orm.UserQuery{Sort: "name"}))
	if !slices.Equal(names(page.Users), []string{"alice", "boss", "root"}) {
		t.Fatalf("users %v", names(page.Users))
	}
	for _, u := range page.Users {
		want := []string{"admin", "user"}
		if u.Name == "alice" {
			want = []string{"user"}
		}
		if u.Admin != (u.Name != "alice") || !slices.Equal(u.Roles, want) || need(p.store.UserByName(ctx, u.Name)).CookieID == "" {
			t.Errorf("user %+v", u)
		}
	}
	if p.total != 3 || !slices.Equal(p.auth.added, []string{"boss", "root", "alice"}) {
		t.Errorf("gauge %d, authenticator heard of %v", p.total, p.auth.added)
	}
	// An admin of the configuration is one again after the next start; users of the database stay.
	_, err := p.users.Update(ctx, nil, "boss", hub.UserPatch{Admin: ptr(false)})
	noErr(t, err)
	p.user("later")
	if res := p.mustSetup(hub.SetupSpecs{}); res.TotalUsers != 4 || p.total != 4 {
		t.Errorf("%d users, gauge %d", res.TotalUsers, p.total)
	}
	if boss := p.as("boss"); !boss.IsAdmin() || !boss.Scopes.Has("admin:users") {
		t.Error("admin_users does not count")
	}
	if _, err := p.login("later"); err != nil {
		t.Errorf("a user of the database is not allowed with allowed_users: %v", err)
	}
}

func TestSetupInvalidUsers(t *testing.T) {
	for _, remove := range []bool{false, true} {
		p := newPeople(t)
		ctx := t.Context()
		noErr(t, p.store.CreateUsers(ctx, []*orm.User{{Name: "a/b"}, {Name: "refused"}, {Name: "fine"}}))
		p.auth.refuse["refused"] = true
		p.mustSetup(hub.SetupSpecs{DeleteInvalidUsers: remove})
		want := []string{"a/b", "fine", "refused"}
		if remove {
			want = []string{"fine"}
		}
		if page := need(p.users.List(ctx, orm.UserQuery{Sort: "name"})); !slices.Equal(names(page.Users), want) {
			t.Errorf("users %v, want %v", names(page.Users), want)
		}
		if p.log.count("authenticator refuses a user of the database") != 2 {
			t.Error("refused users are not logged")
		}
	}
}

// Where only the log depends on it, a start does not go through all users: that is done while the hub serves.
func TestSetupChecksNamesLater(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	users := hub.NewUsers(hub.UsersOptions{Store: p.store, Rules: p.rules})
	noErr(t, p.store.CreateUsers(ctx, []*orm.User{{Name: "a/b"}, {Name: "fine"}}))
	setup := hub.NewSetup(hub.SetupOptions{Store: p.store, Catalog: p.catalog, Users: users, Rules: p.rules, Tokens: p.tokens,
		Services: p.services, Logger: slog.New(slog.NewTextHandler(p.log, nil))})
	need(setup.Run(ctx))
	const text = "authenticator refuses a user of the database"
	if p.log.count(text) != 0 {
		t.Error("the start waited for the check of names")
	}
	noErr(t, setup.Cleanup(ctx))
	if p.log.count(text) != 1 || p.log.count("user=a/b") != 1 {
		t.Error("the user whose name is refused is not logged")
	}
}

func TestSetupFillsCreationTimes(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	seen := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	a, b := p.user("alice"), p.user("bob")
	for _, u := range []*orm.User{a, b} {
		u.Created = nil
		if u == a {
			u.LastActivity = &seen
		}
		noErr(t, p.store.UpdateUser(ctx, u, "created", "last_activity"))
	}
	p.mustSetup(hub.SetupSpecs{})
	if u := need(p.users.Find(ctx, "alice")); u.Created == nil || !u.Created.Equal(seen) {
		t.Errorf("created %v, want the last activity", u.Created)
	}
	if u := need(p.users.Find(ctx, "bob")); u.Created == nil || time.Since(*u.Created) > time.Minute {
		t.Errorf("created %v, want now", u.Created)
	}
}

func TestSetupGroups(t *testing.T) {
	p := newPeople(t)
	p.user("old")
	p.group("lab", "old")
	ctx := t.Context()
	specs := hub.SetupSpecs{LoadGroups: map[string]hub.GroupSpec{
		"lab":   {Users: []string{"Alice", "alice", "old"}, Properties: map[string]any{"quota": "1"}},
		"empty": {},
	}}
	for range 2 {
		p.mustSetup(specs)
		lab := need(p.groups.Get(ctx, "lab"))
		if !slices.Equal(lab.Users, []string{"old", "alice"}) || lab.Properties["quota"] != "1" {
			t.Errorf("group %+v", lab)
		}
	}
	p.mustSetup(hub.SetupSpecs{LoadGroups: map[string]hub.GroupSpec{"lab": {}}})
	if lab := need(p.groups.Get(ctx, "lab")); len(lab.Users) != 2 || lab.Properties["quota"] != "1" {
		t.Errorf("group %+v: nothing is taken away", lab)
	}
	if _, err := p.groups.Get(ctx, "empty"); err != nil {
		t.Error(err)
	}
	if !slices.Equal(p.rolesOf("alice"), []string{"user"}) || !slices.Contains(p.auth.added, "alice") {
		t.Error("a user of load_groups is not a complete user")
	}
}

// Members of a role are exactly those that the specification lists; a missing key clears, with two exceptions.
func TestSetupAssignments(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	p.user("alice")
	p.user("bob")
	p.group("lab")
	list := func(names ...string) *[]string { return &names }
	viewer := func(r rbac.Role) hub.SetupSpecs {
		r.Name, r.Scopes = "viewer", []string{"list:users"}
		return hub.SetupSpecs{LoadRoles: []rbac.Role{r}, Services: []hub.ServiceSpec{{Name: "svc"}}}
	}
	steps := []struct {
		name                    string
		specs                   hub.SetupSpecs
		users, groups, services []string
	}{
		{"all kinds", viewer(rbac.Role{Users: list("Alice", "New", "new"), Groups: list("lab", "made"), Services: list("svc")}), []string{"alice", "new"}, []string{"lab", "made"}, []string{"svc"}},
		{"exact", viewer(rbac.Role{Users: list("bob"), Groups: list(), Services: list("svc")}), []string{"bob"}, nil, []string{"svc"}},
		{"missing keys clear", viewer(rbac.Role{Groups: list("lab")}), nil, []string{"lab"}, nil},
	}
	for _, step := range steps {
		p.mustSetup(step.specs)
		for kind, want := range map[orm.RoleHolder][]string{orm.HolderUser: step.users, orm.HolderGroup: step.groups, orm.HolderService: step.services} {
			if got := p.holders("viewer", kind); !slices.Equal(got, want) {
				t.Errorf("%s: %s %v, want %v", step.name, kind, got, want)
			}
		}
	}
	if !slices.Equal(p.rolesOf("new"), []string{"user"}) {
		t.Errorf("created user has roles %v", p.rolesOf("new"))
	}
	// The role "user" keeps its members unless they are listed.
	p.mustSetup(hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "user", Scopes: []string{"self", "read:hub"}}}})
	if got := p.holders("user", orm.HolderUser); !slices.Equal(got, []string{"alice", "bob", "new"}) {
		t.Errorf("members of user: %v", got)
	}
	p.mustSetup(hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "user", Users: list("alice")}}})
	if got := p.holders("user", orm.HolderUser); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("members of user: %v", got)
	}
	// A user without any role gets it, for example a row that another program wrote.
	noErr(t, p.store.CreateUsers(ctx, []*orm.User{{Name: "foreign"}}))
	p.mustSetup(hub.SetupSpecs{})
	if got := p.holders("user", orm.HolderUser); !slices.Contains(got, "foreign") {
		t.Errorf("members of user: %v", got)
	}
}

func TestSetupAdmins(t *testing.T) {
	list := func(names ...string) *[]string { return &names }
	type state struct{ flags, role []string }
	tests := []struct {
		name   string
		admins []string // admin_users
		role   *rbac.Role
		want   state
	}{
		{"flags fill the role", nil, nil, state{[]string{"flagged", "member"}, []string{"flagged", "member"}}},
		{"specification without users clears the role first", nil, &rbac.Role{Name: "admin"}, state{[]string{"flagged"}, []string{"flagged"}}},
		{"explicit users are exact", nil, &rbac.Role{Name: "admin", Users: list("chosen")}, state{[]string{"chosen"}, []string{"chosen"}}},
		{"admin_users are merged", []string{"conf"}, &rbac.Role{Name: "admin", Users: list("chosen")}, state{[]string{"chosen", "conf"}, []string{"chosen", "conf"}}},
		{"admin_users make the list explicit", []string{"conf"}, &rbac.Role{Name: "admin"}, state{[]string{"conf"}, []string{"conf"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeople(t, func(o *peopleOptions) { o.rules.AdminUsers = tt.admins })
			ctx := t.Context()
			flagged, member := p.user("flagged"), p.user("member")
			flagged.Admin = true // flag without role
			noErr(t, p.store.UpdateUser(ctx, flagged, "admin"))
			admin := need(p.store.RoleByName(ctx, "admin"))
			noErr(t, p.store.Grant(ctx, orm.HolderUser, []int64{member.ID}, admin.ID, false)) // role without flag
			specs := hub.SetupSpecs{}
			if tt.role != nil {
				specs.LoadRoles = []rbac.Role{*tt.role}
			}
			p.mustSetup(specs)
			var flags []string
			for _, u := range need(p.users.List(ctx, orm.UserQuery{Sort: "name"})).Users {
				if u.Admin {
					flags = append(flags, u.Name)
				}
			}
			// "member" has lost the role in the second case, but nobody takes a flag that was never set.
			if got := (state{flags, p.holders("admin", orm.HolderUser)}); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("flags and role %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSetupBlockedUsers(t *testing.T) {
	path := t.TempDir() + "/hub.sqlite"
	p := newPeople(t, func(o *peopleOptions) { o.path = path })
	p.admin("mallory")
	p.group("lab", "mallory")
	token := p.token("mallory", "inherit")
	noErr(t, p.store.Close())
	p = newPeople(t, func(o *peopleOptions) { o.path = path; o.rules.BlockedUsers = []string{"Mallory", "nobody"} })
	view := need(p.users.Get(t.Context(), "mallory"))
	if view.Admin || len(view.Roles) != 0 || len(view.Groups) != 0 {
		t.Errorf("blocked user %+v", view)
	}
	if slices.Contains(p.auth.added, "mallory") {
		t.Error("the authenticator was told of a blocked user")
	}
	if id := p.byToken(token); id == nil || len(id.Expanded) != 0 {
		t.Errorf("the token of a blocked user can do %v", id)
	}
}

func TestSetupManagedRoles(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.traits.ManageRoles = true })
	ctx := t.Context()
	list := func(names ...string) *[]string { return &names }
	p.says(&auth.Model{Name: "alice", Roles: &[]auth.ManagedRole{{Name: "fromlogin", Scopes: []string{"read:hub"}}, {Name: "declared", Scopes: []string{"proxy"}}, {Name: "user"}}})
	need(p.login("alice"))
	specs := hub.SetupSpecs{ManageRoles: true, ManagedRoles: []rbac.Role{
		{Name: "declared", Scopes: []string{"proxy"}},
		{Name: "listed", Scopes: []string{"list:users"}, Users: list("bob")},
	}}
	p.mustSetup(specs)
	if got := p.roleNames(); !slices.Equal(got, []string{"admin", "declared", "fromlogin", "listed", "server", "token", "user"}) {
		t.Errorf("roles %v", got)
	}
	if got := p.rolesOf("alice"); !slices.Equal(got, []string{"declared", "fromlogin", "user"}) {
		t.Errorf("alice %v: undeclared members of managed roles stay", got)
	}
	if got := p.rolesOf("bob"); !slices.Contains(got, "listed") {
		t.Errorf("bob %v", got)
	}
	specs.ResetManagedRoles = true
	specs.ManagedRoles = specs.ManagedRoles[:1]
	p.mustSetup(specs)
	if got := p.roleNames(); slices.Contains(got, "fromlogin") || slices.Contains(got, "listed") {
		t.Errorf("roles %v after a reset", got)
	}
	if got := p.rolesOf("alice"); !slices.Contains(got, "declared") {
		t.Errorf("alice %v", got)
	}
	if grants := need(p.store.ManagedGrants(ctx, orm.HolderUser)); len(grants) == 0 {
		t.Error("grants of the authenticator lost their mark")
	}
	specs.ManagedRoles = nil
	p.mustSetup(specs)
	if got := p.rolesOf("alice"); slices.Contains(got, "declared") {
		t.Errorf("alice %v", got)
	}
}

func TestSetupOldDatabase(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.noSetup = true })
	ctx := t.Context()
	noErr(t, p.store.CreateUsers(ctx, []*orm.User{{Name: "boss", Admin: true}, {Name: "alice"}}))
	p.mustSetup(hub.SetupSpecs{ManageRoles: true})
	if got := p.rolesOf("boss"); !slices.Equal(got, []string{"admin", "user"}) {
		t.Errorf("boss %v", got)
	}
	if got := p.rolesOf("alice"); !slices.Equal(got, []string{"user"}) {
		t.Errorf("alice %v", got)
	}
}

func TestSetupTokens(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	specs := hub.SetupSpecs{
		Services:      []hub.ServiceSpec{{Name: "svc", APIToken: "token-of-the-service"}},
		ServiceTokens: map[string]string{"token-of-implicit": "implicit"},
		APITokens:     map[string]string{"token-of-a-person": "Alice"},
		LoadRoles:     []rbac.Role{{Name: "viewer", Scopes: []string{"list:users"}, Services: &[]string{"svc", "implicit"}}},
	}
	for range 3 { // every start finds its tokens again
		p.mustSetup(specs)
		for token, owner := range map[string]string{"token-of-the-service": "svc", "token-of-implicit": "implicit", "token-of-a-person": "alice"} {
			id := p.byToken(token)
			if id == nil || id.Name() != owner || *id.Token.Note != "from config" || !strings.HasPrefix(id.Token.Hashed, "sha512:16384:") {
				t.Fatalf("token of %s: %+v", owner, id)
			}
			if (id.Service != nil) != id.Scopes.Has("list:users") || id.Service != nil && id.Scopes.Has("servers") {
				t.Errorf("%s can do %v", owner, id.Expanded)
			}
		}
	}
	if n := len(need(p.store.TokensOfService(ctx, p.byToken("token-of-the-service").Service.ID))); n != 1 {
		t.Errorf("%d tokens after three starts", n)
	}
	// An existing token keeps its owner, and leaving the configuration does not revoke it.
	p.mustSetup(hub.SetupSpecs{APITokens: map[string]string{"token-of-a-person": "bob"}})
	if id := p.byToken("token-of-a-person"); id == nil || id.Name() != "alice" {
		t.Errorf("token belongs to %+v", id)
	}
	// Services that left the configuration take their tokens with them.
	if p.byToken("token-of-the-service") != nil || p.byToken("token-of-implicit") != nil {
		t.Error("tokens of deleted services are valid")
	}
	past := time.Now().Add(-time.Hour)
	u := p.user("carol")
	_, row, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &u.ID, ExpiresAt: &past}, nil)
	noErr(t, err)
	p.mustSetup(hub.SetupSpecs{TrustUserProvidedTokens: true, APITokens: map[string]string{"trusted-and-long": "carol"}})
	if _, err := p.store.Token(ctx, row.ID); !errors.Is(err, orm.ErrNotFound) {
		t.Error("start-up does not purge expired tokens")
	}
	if id := p.byToken("trusted-and-long"); !strings.HasPrefix(id.Token.Hashed, "sha512:1:") {
		t.Errorf("hash %.12s", id.Token.Hashed)
	}
}

func TestSetupCleansUpClients(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	u := p.user("alice")
	var stale []string
	for i := range 150 {
		id := fmt.Sprintf("jupyterhub-user-gone-%d", i)
		stale = append(stale, id)
		noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: id}))
	}
	// the client of a server that goes on running, and of one that was stopped
	for name, running := range map[string]bool{"jupyterhub-user-alice": true, "jupyterhub-user-alice-old": false} {
		noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: name}))
		row := &orm.Spawner{UserID: u.ID, Name: strings.TrimPrefix(strings.TrimPrefix(name, "jupyterhub-user-alice"), "-"), OAuthClientID: &name}
		if running {
			addr := &orm.Server{Proto: "http", IP: "127.0.0.1", Port: 9, BaseURL: "/user/alice/"}
			noErr(t, p.store.CreateServer(ctx, addr))
			row.ServerID = &addr.ID
		}
		noErr(t, p.store.CreateSpawner(ctx, row))
	}
	token, _, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &u.ID, ClientID: &stale[0]}, []string{"inherit"})
	noErr(t, err)
	p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "svc", URL: "http://127.0.0.1:9"}}})
	noErr(t, p.newSetup(hub.SetupSpecs{}).Cleanup(ctx))
	if ids := need(p.store.OAuthClientIDs(ctx)); !slices.Equal(slices.Sorted(slices.Values(ids)), []string{"jupyterhub", "jupyterhub-user-alice", "service-svc"}) {
		t.Errorf("clients %v", ids)
	}
	if p.byToken(token) != nil {
		t.Error("token outlives its client")
	}
}

// A second start with the same configuration changes nothing that anybody could see.
func TestSetupIsRepeatable(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.rules.AdminUsers = []string{"root"} })
	specs := hub.SetupSpecs{
		LoadRoles:  []rbac.Role{{Name: "viewer", Scopes: []string{"list:users"}, Users: &[]string{"alice"}, Groups: &[]string{"lab"}, Services: &[]string{"svc"}}},
		LoadGroups: map[string]hub.GroupSpec{"lab": {Users: []string{"bob"}}},
		Services:   []hub.ServiceSpec{{Name: "svc", URL: "http://127.0.0.1:9", APIToken: "a-long-enough-token", Info: map[string]any{"a": "b"}}},
	}
	snapshot := func() string {
		var b strings.Builder
		for _, u := range need(p.users.List(context.Background(), orm.UserQuery{})).Users {
			fmt.Fprintln(&b, u.ID, u.Name, u.Admin, u.Groups, u.Roles)
		}
		for _, r := range need(p.store.Roles(context.Background())) {
			fmt.Fprintln(&b, r)
		}
		for _, s := range need(p.store.Services(context.Background())) {
			fmt.Fprintln(&b, s.ID, s.Name, *s.ServerID, *s.OAuthClientID, s.Info)
			c := need(p.store.OAuthClient(context.Background(), *s.OAuthClientID))
			fmt.Fprintln(&b, *c)
		}
		return b.String()
	}
	p.mustSetup(specs)
	before := snapshot()
	p.mustSetup(specs)
	if after := snapshot(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func TestSetupForTokenCommand(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.noSetup = true; o.rules.AdminUsers = []string{"root"} })
	noErr(t, p.newSetup(hub.SetupSpecs{}).RunUsersAndRoles(t.Context()))
	if id := p.as("root"); !id.Scopes.Has("admin:users") {
		t.Errorf("root can do %v", id.Expanded)
	}
}

func TestCustomScopes(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) {
		o.custom = map[string]rbac.CustomScope{"custom:jobs:run": {Description: "run jobs", SubScopes: []string{"custom:jobs:read"}}, "custom:jobs:read": {Description: "read jobs"}}
		o.specs = hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "jobs", Scopes: []string{"custom:jobs:run!service=board"}, Users: &[]string{"alice"}}}}
	})
	if got := p.as("alice").Expanded; !slices.Contains(got, "custom:jobs:read!service=board") {
		t.Errorf("scopes %v", got)
	}
	if _, err := p.setup(hub.SetupSpecs{LoadRoles: []rbac.Role{{Name: "jobs", Scopes: []string{"custom:jobs:write"}}}}); err == nil {
		t.Error("undefined custom scope accepted")
	}
}
