package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func names(views []hub.UserView) []string {
	var out []string
	for _, v := range views {
		out = append(out, v.Name)
	}
	return out
}

func TestCreateUsers(t *testing.T) {
	tests := []struct {
		name    string
		in      []string
		want    []string
		kind    hub.Kind
		message string
	}{
		{"two", []string{"carol", "dave"}, []string{"carol", "dave"}, 0, ""},
		{"normalised", []string{"Carol"}, []string{"carol"}, 0, ""},
		{"repeated", []string{"carol", "CAROL", "carol"}, []string{"carol"}, 0, ""},
		{"some exist", []string{"alice", "carol"}, []string{"carol"}, 0, ""},
		{"all exist", []string{"alice", "ALICE"}, nil, hub.Conflict, "All 2 users already exist"},
		{"none", nil, nil, hub.Invalid, "Must specify at least one user to create"},
		{"one invalid", []string{"carol", "a/b"}, nil, hub.Invalid, "Invalid username: a/b"},
		{"two invalid", []string{"..", "carol", "a/b"}, nil, hub.Invalid, "Invalid usernames: .., a/b"},
		{"refused by the authenticator", []string{"carol", "dne"}, nil, hub.Invalid, "Failed to create user dne: no such system user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeople(t)
			p.user("alice")
			p.auth.refuse["dne"] = true
			before := p.total
			views, err := p.users.Create(t.Context(), nil, tt.in, false)
			if tt.kind != 0 {
				wantErr(t, err, tt.kind, tt.message)
			} else {
				noErr(t, err)
			}
			if !slices.Equal(names(views), tt.want) {
				t.Errorf("created %v, want %v", names(views), tt.want)
			}
			for _, v := range views {
				if !slices.Equal(v.Roles, []string{"user"}) || v.Admin || v.Created == nil {
					t.Errorf("user %+v", v)
				}
			}
			if n := need(p.store.CountUsers(t.Context())); n != 1+len(tt.want) || p.total-before != len(tt.want) {
				t.Errorf("%d users, gauge moved by %d", n, p.total-before)
			}
		})
	}
}

// When the authenticator refuses one of several, it is told to forget those that it had accepted.
func TestCreateUsersIsUndone(t *testing.T) {
	p := newPeople(t)
	p.auth.refuse["dne"] = true
	_, err := p.users.Create(t.Context(), nil, []string{"carol", "dne", "erin"}, false)
	wantErr(t, err, hub.Invalid, "")
	if !slices.Equal(p.auth.deleted, []string{"carol"}) {
		t.Errorf("authenticator forgot %v", p.auth.deleted)
	}
	_, err = p.users.Find(t.Context(), "carol")
	wantErr(t, err, hub.NotFound, "No such user: carol")
}

func TestCreateOneUser(t *testing.T) {
	p := newPeople(t)
	root := p.admin("root")
	ctx := t.Context()
	view, err := p.users.CreateOne(ctx, root, "UPPER", hub.UserPatch{})
	noErr(t, err)
	if view.Name != "upper" {
		t.Errorf("name %q: such a user could never log in", view.Name)
	}
	if _, err := p.logins.Login(ctx, auth.Request{Username: "UPPER", Password: "UPPER"}); err != nil {
		t.Errorf("the user cannot log in: %v", err)
	}
	for _, name := range []string{"upper", "Upper"} {
		_, err = p.users.CreateOne(ctx, root, name, hub.UserPatch{})
		wantErr(t, err, hub.Conflict, "User upper already exists")
	}
	view, err = p.users.CreateOne(ctx, root, "boss", hub.UserPatch{Admin: ptr(true)})
	noErr(t, err)
	if !view.Admin || !slices.Equal(view.Roles, []string{"admin", "user"}) {
		t.Errorf("admin %+v", view)
	}
	// The filter must hold for the user that is made, not for the spelling in the URL.
	narrow := p.holding("narrow", "admin:users!user=Eve", "admin:users!user=fay")
	_, err = p.users.CreateOne(ctx, narrow, "Eve", hub.UserPatch{})
	wantErr(t, err, hub.NotFound, "")
	_, err = p.users.CreateOne(ctx, narrow, "FAY", hub.UserPatch{})
	noErr(t, err)
	p.auth.refuse["dne"] = true
	_, err = p.users.CreateOne(ctx, root, "dne", hub.UserPatch{})
	wantErr(t, err, hub.Invalid, "Failed to create user dne: no such system user")
}

func TestEnsureConcurrently(t *testing.T) {
	p := newPeople(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	created, ids := 0, map[int64]bool{}
	for range 8 {
		wg.Go(func() {
			u, made, err := p.users.Ensure(t.Context(), "alice")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[u.ID] = true
			if made {
				created++
			}
		})
	}
	wg.Wait()
	if created != 1 || len(ids) != 1 || p.total != 1 {
		t.Errorf("created %d times, %d rows, gauge %d", created, len(ids), p.total)
	}
}

func TestUpdateUser(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.keys = []string{strings.Repeat("ab", 32)} })
	root := p.admin("root")
	ctx := t.Context()
	alice := p.user("alice")
	state := any(map[string]any{"secret": "x"})
	view, err := p.users.Update(ctx, root, "alice", hub.UserPatch{Admin: ptr(true), AuthState: &state})
	noErr(t, err)
	if !view.Admin || !slices.Equal(view.Roles, []string{"admin", "user"}) || strings.Contains(string(view.EncryptedAuthState), "secret") {
		t.Errorf("updated %+v", view)
	}
	if got := need(p.logins.AuthState(ctx, &view.User)); fmt.Sprint(got) != "map[secret:x]" {
		t.Errorf("auth_state %v", got)
	}
	var none any
	view, err = p.users.Update(ctx, root, "alice", hub.UserPatch{Admin: ptr(false), AuthState: &none})
	noErr(t, err)
	if view.Admin || !slices.Equal(view.Roles, []string{"user"}) || view.EncryptedAuthState != nil {
		t.Errorf("updated %+v", view)
	}
	view, err = p.users.Update(ctx, root, "alice", hub.UserPatch{Name: ptr("alice")})
	noErr(t, err)
	if view.Name != "alice" || len(p.servers.renamed) != 0 {
		t.Error("renaming to the same name is no change")
	}
	view, err = p.users.Update(ctx, root, "alice", hub.UserPatch{Name: ptr("alicia")})
	noErr(t, err)
	if view.ID != alice.ID || view.Name != "alicia" || view.CookieID != alice.CookieID {
		t.Errorf("renamed %+v", view)
	}
	for _, tt := range []struct {
		name, to string
		kind     hub.Kind
		message  string
	}{
		{"nobody", "x", hub.NotFound, "No such user: nobody"},
		{"alicia", "root", hub.Invalid, "User root already exists, username must be unique"},
		{"alicia", "Alicia", hub.Invalid, "User alicia already exists, username must be unique"},
		{"alicia", "a/b", hub.Invalid, "Invalid username: a/b"},
	} {
		_, err := p.users.Update(ctx, root, tt.name, hub.UserPatch{Name: &tt.to})
		wantErr(t, err, tt.kind, tt.message)
	}
}

// A patch that cannot be done completely changes nothing.
func TestUpdateUserIsAllOrNothing(t *testing.T) {
	p := newPeople(t) // no keys
	root := p.admin("root")
	p.user("alice")
	state := any("x")
	_, err := p.users.Update(t.Context(), root, "alice", hub.UserPatch{Name: ptr("new"), Admin: ptr(true), AuthState: &state})
	wantErr(t, err, hub.Invalid, "auth_state cannot be stored")
	if !strings.Contains(hintOf(err), auth.CryptKeyEnv) {
		t.Errorf("hint %q does not name the way out", hintOf(err))
	}
	if u := p.as("alice"); u.IsAdmin() {
		t.Error("admin flag was set all the same")
	}
}

func TestDeleteUser(t *testing.T) {
	p := newPeople(t)
	root := p.admin("root")
	u := p.user("alice")
	p.user("bob")
	p.group("lab", "alice", "bob")
	p.server("alice", "x")
	token := p.token("alice", "inherit")
	ctx := t.Context()
	before := p.total

	wantErr(t, p.users.Delete(ctx, root, "root"), hub.Invalid, "Cannot delete yourself!")
	wantErr(t, p.users.Delete(ctx, root, "nobody"), hub.NotFound, "No such user: nobody")
	p.servers.stopErr = &hub.Error{Kind: hub.Invalid, Message: "stopping"}
	wantErr(t, p.users.Delete(ctx, root, "alice"), hub.Invalid, "stopping")
	if p.byToken(token) == nil {
		t.Fatal("a user who could not be deleted lost their token")
	}
	p.servers.stopErr = nil
	noErr(t, p.users.Delete(ctx, root, "alice"))
	if p.byToken(token) != nil {
		t.Error("token survives its owner")
	}
	if !slices.Equal(p.auth.deleted, []string{"alice"}) || !slices.Equal(p.servers.forgotten, []int64{u.ID}) || p.total != before-1 {
		t.Errorf("authenticator %v, servers %v, gauge %d", p.auth.deleted, p.servers.forgotten, p.total)
	}
	if g := need(p.groups.Get(ctx, "lab")); !slices.Equal(g.Users, []string{"bob"}) {
		t.Errorf("members %v", g.Users)
	}
	// A service of the same name is not the user.
	svc := p.service("bob", "delete:users")
	by := &hub.Identity{Service: svc}
	noErr(t, p.users.Delete(ctx, by, "bob"))
}

func TestDeletedUserIsNotAllowedAnyMore(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.rules = auth.RulesOptions{AllowedUsers: []string{"alice"}} })
	ctx := t.Context()
	login := func() error {
		_, err := p.logins.Login(ctx, auth.Request{Username: "alice", Password: "alice"})
		return err
	}
	noErr(t, login())
	noErr(t, p.users.Delete(ctx, nil, "alice"))
	wantErr(t, login(), hub.Forbidden, "")
	_, err := p.users.Create(ctx, nil, []string{"alice"}, false) // allow_existing_users follows allowed_users
	noErr(t, err)
	noErr(t, login())
}

func TestListUsers(t *testing.T) {
	p := newPeople(t)
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		p.user(name)
	}
	p.group("lab", "bob", "carol")
	on := p.server("alice", "")
	slow := p.server("bob", "x")
	p.server("carol", "off")
	ctx := t.Context()
	for _, row := range []*orm.Spawner{on, slow} {
		addr := &orm.Server{Proto: "http", IP: "127.0.0.1", Port: 1}
		noErr(t, p.store.CreateServer(ctx, addr))
		row.ServerID = &addr.ID
		noErr(t, p.store.UpdateSpawner(ctx, row, "server_id"))
	}
	p.servers.ready = map[int64]bool{on.ID: true}
	noErr(t, p.store.TouchUsers(ctx, map[int64]time.Time{on.UserID: time.Now()}))
	tests := []struct {
		name  string
		q     orm.UserQuery
		want  []string
		total int
	}{
		{"all", orm.UserQuery{}, []string{"alice", "bob", "carol", "dave"}, 4},
		{"page", orm.UserQuery{Offset: 1, Limit: 2}, []string{"bob", "carol"}, 4},
		{"name", orm.UserQuery{Sort: "name", Desc: true}, []string{"dave", "carol", "bob", "alice"}, 4},
		{"activity, nulls last", orm.UserQuery{Sort: "last_activity", Desc: true, Limit: 1}, []string{"alice"}, 4},
		{"active", orm.UserQuery{State: "active"}, []string{"alice", "bob"}, 2},
		{"ready: total counts the active", orm.UserQuery{State: "ready"}, []string{"alice"}, 2},
		{"inactive", orm.UserQuery{State: "inactive"}, []string{"carol", "dave"}, 2},
		{"filter", orm.UserQuery{NameFilter: "A"}, []string{"alice", "carol", "dave"}, 3},
		{"only", orm.UserQuery{OnlyUsers: []string{"dave"}, OnlyGroups: []string{"lab"}}, []string{"bob", "carol", "dave"}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := p.users.List(ctx, tt.q)
			noErr(t, err)
			if !slices.Equal(names(page.Users), tt.want) || page.Total != tt.total {
				t.Errorf("%v of %d, want %v of %d", names(page.Users), page.Total, tt.want, tt.total)
			}
		})
	}
	_, err := p.users.List(ctx, orm.UserQuery{State: "odd"})
	wantErr(t, err, hub.Invalid, `Unrecognized state filter: "odd"`)
	_, err = p.users.List(ctx, orm.UserQuery{Sort: "admin; DROP TABLE users"})
	wantErr(t, err, hub.Invalid, "")
	bob := need(p.users.Get(ctx, "bob"))
	if !slices.Equal(bob.Groups, []string{"lab"}) || len(bob.Servers) != 1 || bob.Servers[0].Name != "x" {
		t.Errorf("view %+v", bob)
	}
}

// The number of statements must not grow with the number of rows.
func TestListsCostAConstantNumberOfQueries(t *testing.T) {
	var mu sync.Mutex
	queries := 0
	store, err := orm.Open(t.Context(), orm.Options{URL: t.TempDir() + "/hub.sqlite", OnQuery: func(time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		queries++
	}})
	noErr(t, err)
	defer store.Close()
	p := newPeople(t, func(o *peopleOptions) { o.noSetup = true })
	_, err = hub.NewSetup(hub.SetupOptions{Store: store, Catalog: p.catalog, Rules: p.rules, Users: p.users,
		Tokens: hub.NewTokens(hub.TokensOptions{Store: store, Catalog: p.catalog}), Services: hub.NewServiceRows(hub.ServiceRowsOptions{Store: store, Catalog: p.catalog})}).Run(t.Context())
	noErr(t, err)
	users := hub.NewUsers(hub.UsersOptions{Store: store, Rules: p.rules, Servers: &fakeServers{store: store}, Catalog: p.catalog})
	groups := hub.NewGroups(hub.GroupsOptions{Store: store, Rules: p.rules})
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("user-%d", i))
	}
	_, err = users.Create(t.Context(), nil, many, false)
	noErr(t, err)
	_, err = groups.Create(t.Context(), []string{"a", "b", "c"}, many)
	noErr(t, err)
	cost := func(do func() error) int {
		mu.Lock()
		queries = 0
		mu.Unlock()
		noErr(t, do())
		mu.Lock()
		defer mu.Unlock()
		return queries
	}
	list := func(limit int) func() error {
		return func() error { _, err := users.List(t.Context(), orm.UserQuery{Limit: limit}); return err }
	}
	if few, all := cost(list(2)), cost(list(200)); few != all || all > 8 {
		t.Errorf("2 users cost %d statements, 200 users %d", few, all)
	}
	groupList := func(limit int) func() error {
		return func() error {
			_, _, err := groups.List(t.Context(), orm.GroupQuery{Limit: limit})
			return err
		}
	}
	if few, all := cost(groupList(1)), cost(groupList(3)); few != all || all > 6 {
		t.Errorf("1 group costs %d statements, 3 groups %d", few, all)
	}

	access := hub.NewAccess(hub.AccessOptions{Store: store, Catalog: p.catalog})
	tokens := hub.NewTokens(hub.TokensOptions{Store: store, Access: access, Catalog: p.catalog})
	u := need(users.Find(t.Context(), many[0]))
	tokenList := func() error { _, err := tokens.List(t.Context(), u.Name); return err }
	add := func(n int) {
		for i := range n {
			client := fmt.Sprintf("client-%d-%d", n, i)
			noErr(t, store.SaveOAuthClient(t.Context(), &orm.OAuthClient{Identifier: client}))
			_, _, err := tokens.Issue(t.Context(), orm.APIToken{UserID: &u.ID, ClientID: &client}, []string{"inherit"})
			noErr(t, err)
		}
	}
	add(1)
	few := cost(tokenList)
	add(30)
	if all := cost(tokenList); few != all || all > 12 {
		t.Errorf("1 token costs %d statements, 31 tokens %d", few, all)
	}
}

// Text that no database can hold is nobody's name, and no error of the database.
func TestTextThatCannotBeStored(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	for _, text := range []string{"a\x00b", "\xff\xfe", "\x00"} {
		for name, do := range map[string]func() error{
			"user":       func() error { _, err := p.users.Get(ctx, text); return err },
			"update":     func() error { _, err := p.users.Update(ctx, nil, text, hub.UserPatch{}); return err },
			"delete":     func() error { return p.users.Delete(ctx, nil, text) },
			"group":      func() error { _, err := p.groups.Get(ctx, text); return err },
			"tokens":     func() error { _, err := p.tokens.List(ctx, text); return err },
			"share":      func() error { _, err := p.shares.GetWithUser(ctx, text, "owner", "lab"); return err },
			"server":     func() error { _, _, err := p.shares.OfServer(ctx, "owner", text, 0, 0); return err },
			"share code": func() error { _, err := p.shares.LookupCode(ctx, text); return err },
			"access":     func() error { return p.access.Check(ctx, owner, p.access.OnUser(ctx, text), "read:users") },
		} {
			if err := do(); hub.KindOf(err) != hub.NotFound {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
		if p.byToken(text) != nil {
			t.Errorf("token %q is valid", text)
		}
	}
}

func TestErrorsTellKindAndCause(t *testing.T) {
	cause := errors.New("cause")
	e := &hub.Error{Kind: hub.Conflict, Message: "m", Hint: "h", Err: cause}
	if e.Error() != "conflict: m (h): cause" || !errors.Is(e, cause) {
		t.Errorf("%v", e)
	}
	if hub.KindOf(fmt.Errorf("wrapped: %w", e)) != hub.Conflict || hub.KindOf(cause) != 0 || hub.KindOf(nil) != 0 {
		t.Error("kinds are not found")
	}
	if hub.Kind(99).String() != "Kind(99)" || hub.Failed.String() != "failed" {
		t.Error("names of kinds")
	}
}

func TestUsersWithoutParts(t *testing.T) {
	p := newPeople(t)
	u := hub.NewUsers(hub.UsersOptions{Store: p.store, Rules: p.rules, Catalog: p.catalog})
	ctx := context.Background()
	_, err := u.CreateOne(ctx, nil, "alice", hub.UserPatch{})
	noErr(t, err)
	state := any("x")
	_, err = u.Update(ctx, nil, "alice", hub.UserPatch{AuthState: &state})
	wantErr(t, err, hub.Invalid, "")
	var none any
	_, err = u.Update(ctx, nil, "alice", hub.UserPatch{AuthState: &none, Name: ptr("bob")})
	noErr(t, err)
	noErr(t, u.Delete(ctx, nil, "bob"))
}
