package hub_test

import (
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
	"github.com/minihub/minihub/rbac"
)

func TestCheck(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.user("bob")
	p.group("lab", "bob")
	ctx := t.Context()
	ids := map[string]*hub.Identity{
		"admin":  p.admin("root"),
		"alice":  p.as("alice"),
		"lister": p.holding("lister", "list:users"),
		"labber": p.holding("labber", "read:users!group=lab", "delete:servers!group=lab", "groups!group=lab"),
		"one":    p.holding("one", "start:servers!server=alice/x"),
		"narrow": p.holding("narrow", "admin:users!group=lab", "admin:groups!group=lab"),
	}
	a := p.access
	tests := []struct {
		name   string
		as     string
		target rbac.Target
		anyOf  []string
		want   hub.Kind // 0: granted
	}{
		{"nobody", "", a.OnUser(ctx, "alice"), []string{"read:users"}, hub.Forbidden},
		{"admin, no target", "admin", rbac.Target{}, []string{"admin:users"}, 0},
		{"own model", "alice", a.OnUser(ctx, "alice"), []string{"read:users"}, 0},
		{"foreign model is hidden", "alice", a.OnUser(ctx, "bob"), []string{"read:users"}, hub.NotFound},
		{"missing user looks the same", "alice", a.OnUser(ctx, "nobody"), []string{"read:users"}, hub.NotFound},
		{"scope not held", "alice", a.OnUser(ctx, "bob"), []string{"admin:users"}, hub.Forbidden},
		{"one of two", "alice", a.OnUser(ctx, "alice"), []string{"admin:users", "read:users:name"}, 0},
		{"unfiltered scope", "lister", rbac.Target{}, []string{"list:users"}, 0},
		{"unfiltered name", "lister", a.OnUser(ctx, "bob"), []string{"read:users:name"}, 0},
		{"group member", "labber", a.OnUser(ctx, "bob"), []string{"read:users"}, 0},
		{"not a group member", "labber", a.OnUser(ctx, "alice"), []string{"read:users"}, hub.NotFound},
		{"server of a group member", "labber", a.OnServer(ctx, "bob", "x"), []string{"delete:servers"}, 0},
		{"the group itself", "labber", a.OnGroup("lab"), []string{"groups"}, 0},
		{"another group", "labber", a.OnGroup("other"), []string{"groups"}, hub.NotFound},
		{"one server", "one", a.OnServer(ctx, "alice", "x"), []string{"start:servers"}, 0},
		{"another server", "one", a.OnServer(ctx, "alice", ""), []string{"start:servers"}, hub.NotFound},
		{"one server is not all servers", "one", a.OnServers(ctx, "alice"), []string{"start:servers"}, hub.NotFound},
		{"all own servers", "alice", a.OnServers(ctx, "alice"), []string{"read:shares"}, 0},
		{"service", "alice", a.OnService("x"), []string{"access:services"}, hub.Forbidden},
		{"filtered scope, unfiltered endpoint", "narrow", rbac.Target{}, []string{"admin:users"}, hub.Forbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := a.Check(ctx, ids[tt.as], tt.target, tt.anyOf...)
			if tt.want == 0 {
				noErr(t, err)
				return
			}
			wantErr(t, err, tt.want, "")
			if hintOf(err) == "" {
				t.Fatal("refusal does not explain itself")
			}
		})
	}
}

func TestCheckWords(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	ctx := t.Context()
	wantErr(t, p.access.Check(ctx, nil, rbac.Target{}, "list:users"), hub.Forbidden, "Missing or invalid credentials.")
	err := p.access.Check(ctx, p.as("alice"), rbac.Target{}, "list:users")
	wantErr(t, err, hub.Forbidden, "Action is not authorized with current scopes; requires any of [list:users]")
	for _, part := range []string{"list:users", "read:users", "load_roles", "'alice'"} {
		if !strings.Contains(hintOf(err), part) {
			t.Errorf("hint %q does not mention %s", hintOf(err), part)
		}
	}
	err = p.access.Check(ctx, p.as("alice"), p.access.OnUser(ctx, "bob"), "read:users")
	wantErr(t, err, hub.NotFound, "No access to resources or resources not found")
	if n := p.log.count("access refused"); n != 2 {
		t.Errorf("%d refusals logged, want 2", n)
	}
}

// The hint of a hidden target must not tell whether the target exists, not even through its groups.
func TestHintsDoNotTellWhatExists(t *testing.T) {
	p := newPeople(t)
	p.user("real")
	p.group("other", "real")
	by := p.holding("labber", "read:users!group=lab")
	ctx := t.Context()
	real := p.access.Check(ctx, by, p.access.OnUser(ctx, "real"), "read:users")
	fake := p.access.Check(ctx, by, p.access.OnUser(ctx, "fake"), "read:users")
	if a, b := strings.ReplaceAll(real.Error(), "real", "X"), strings.ReplaceAll(fake.Error(), "fake", "X"); a != b {
		t.Fatalf("answers differ:\n%s\n%s", a, b)
	}
}

func TestByToken(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.service("reader", "read:users")
	svc := need(p.store.ServiceByName(t.Context(), "reader"))
	serviceToken, _, err := p.tokens.Issue(t.Context(), orm.APIToken{ServiceID: &svc.ID}, []string{"inherit"})
	noErr(t, err)

	tests := []struct {
		name, token, owner, kind string
		has, hasNot              []string
	}{
		{"inherit", p.token("alice", "inherit"), "alice", "user",
			[]string{"servers!user=alice", "tokens!user=alice", "access:servers!user=alice"}, []string{"inherit", "self", "admin:users"}},
		{"no scopes", p.token("alice"), "alice", "user", []string{"read:users:name!user=alice"}, []string{"servers!user=alice"}},
		{"limited", p.token("alice", "read:servers!user"), "alice", "user", []string{"read:servers!user=alice"}, []string{"start:servers!user=alice"}},
		{"beyond the owner", p.token("alice", "admin:users", "list:users"), "alice", "user", []string{"read:users!user=alice"},
			[]string{"admin:users", "list:users", "read:users"}},
		{"one server of self", p.token("alice", "access:servers!server=alice/x"), "alice", "user",
			[]string{"access:servers!server=alice/x"}, []string{"access:servers!user=alice"}},
		{"service", serviceToken, "reader", "service", []string{"read:users", "read:users:name"}, []string{"admin:users"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // uncached and cached
				id := p.byToken(tt.token)
				if id == nil {
					t.Fatal("token not valid")
				}
				if id.Name() != tt.owner || id.Kind() != tt.kind || id.Token == nil {
					t.Fatalf("identity %s %s, token %v", id.Kind(), id.Name(), id.Token)
				}
				for _, s := range tt.has {
					if !slices.Contains(id.Expanded, s) {
						t.Errorf("scope %s is missing in %v", s, id.Expanded)
					}
				}
				for _, s := range tt.hasNot {
					if slices.Contains(id.Expanded, s) {
						t.Errorf("scope %s must not be in %v", s, id.Expanded)
					}
				}
				if !slices.Equal(id.Expanded, id.Scopes.List()) {
					t.Error("parsed and unparsed scopes differ")
				}
			}
		})
	}
	if p.log.count("token has scopes that its owner does not hold") != 1 {
		t.Error("discarded scopes are not logged exactly once per token")
	}
}

func TestByTokenUnknown(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	valid := p.token("alice", "inherit")
	for _, token := range []string{"", "x", "abc", valid[:31], valid + "0", strings.ToUpper(valid) + "Z", strings.Repeat("a", 65), strings.Repeat("a", 1<<20),
		valid[:4] + strings.Repeat("0", 28), "\x00\xff", "' OR 1=1 --"} {
		if id := p.byToken(token); id != nil {
			t.Errorf("token %.40q is valid", token)
		}
	}
}

// Exactly 64 characters work, 65 do not: upstream broke the first when it introduced the second.
func TestTokenLengths(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	ctx := t.Context()
	for n, valid := range map[int]bool{7: false, 8: true, 64: true, 65: false} {
		token := strings.Repeat("ä", n)
		_, err := p.tokens.Register(ctx, orm.APIToken{UserID: &u.ID}, token, false, []string{"inherit"})
		if valid != (err == nil) {
			t.Errorf("%d characters: %v", n, err)
		}
		if got := p.byToken(token) != nil; got != valid {
			t.Errorf("%d characters: valid %t, want %t", n, got, valid)
		}
	}
}

// Whatever another process writes counts from the next request.
func TestCacheIsNeverStale(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	token := p.token("alice", "inherit")
	other := openStore(t, p.path)
	ctx := t.Context()
	has := func(scope string) bool {
		id := p.byToken(token)
		return id != nil && slices.Contains(id.Expanded, scope)
	}
	if has("list:users") {
		t.Fatal("too many scopes")
	}
	role := &orm.Role{Name: "lister", Scopes: []string{"list:users"}}
	noErr(t, other.CreateRole(ctx, role))
	noErr(t, other.Grant(ctx, orm.HolderUser, []int64{u.ID}, role.ID, false))
	if !has("list:users") {
		t.Error("granted role does not count")
	}
	role.Scopes = []string{"read:hub"}
	noErr(t, other.UpdateRole(ctx, role, "scopes"))
	if has("list:users") || !has("read:hub") {
		t.Error("changed role does not count")
	}
	noErr(t, other.Strip(ctx, orm.HolderUser, []int64{u.ID}, role.ID))
	if has("read:hub") {
		t.Error("stripped role still counts")
	}
	row := p.byToken(token).Token
	past := time.Now().UTC().Add(-time.Minute)
	expiring := *row
	expiring.ExpiresAt = &past
	noErr(t, other.DeleteTokens(ctx, []int64{row.ID}))
	if p.byToken(token) != nil {
		t.Error("deleted token still counts")
	}
	noErr(t, other.CreateToken(ctx, &expiring))
	if p.byToken(token) != nil {
		t.Error("expired token counts")
	}
	second := p.token("alice", "inherit")
	if p.byToken(second) == nil {
		t.Fatal("second token is not valid")
	}
	noErr(t, other.DeleteUser(ctx, u.ID))
	if p.byToken(second) != nil {
		t.Error("token of a deleted user counts")
	}
}

// Expiry is judged at each use, also while nobody commits anything.
func TestCachedTokenExpires(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	token, soon := "", time.Time{}
	for life := 300 * time.Millisecond; ; life *= 2 { // a slow machine needs longer for the first use
		soon = time.Now().UTC().Add(life)
		text, _, err := p.tokens.Issue(t.Context(), orm.APIToken{UserID: &u.ID, ExpiresAt: &soon}, []string{"inherit"})
		noErr(t, err)
		if p.byToken(text) != nil {
			token = text
			break
		}
		if life > 10*time.Second {
			t.Fatal("a token with ten seconds to live is not valid")
		}
	}
	for deadline := time.Now().Add(30 * time.Second); p.byToken(token) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("token does not expire")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if time.Now().Before(soon) {
		t.Fatal("token expired too early")
	}
}

func TestStaleTokenWithoutClientIsDeleted(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	token := orm.NewToken()
	row := &orm.APIToken{UserID: &u.ID, Hashed: orm.HashToken(token, 1), Prefix: orm.TokenPrefix(token), Scopes: []string{"inherit"}}
	noErr(t, p.store.CreateToken(t.Context(), row))
	if p.byToken(token) != nil {
		t.Fatal("a token without client is valid")
	}
	if _, err := p.store.Token(t.Context(), row.ID); !errors.Is(err, orm.ErrNotFound) {
		t.Fatalf("stale token is still there: %v", err)
	}
}

// Tokens of an OAuth client reach what the client belongs to, if their owner may, and nothing else.
func TestOAuthTokenScopes(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.user("bob")
	ctx := t.Context()
	server := p.server("alice", "lab")
	noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "jupyterhub-user-alice-lab", Secret: "x"}))
	server.OAuthClientID = ptr("jupyterhub-user-alice-lab")
	noErr(t, p.store.UpdateSpawner(ctx, server, "oauth_client_id"))
	service := p.service("board")
	noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "service-board", Secret: "x"}))
	service.OAuthClientID = ptr("service-board")
	noErr(t, p.store.SaveService(ctx, service))
	p.holding("carol", "access:services!service=board")

	issue := func(user, client string, scopes ...string) []string {
		u := need(p.users.Find(ctx, user))
		token, _, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &u.ID, ClientID: &client, SessionID: ptr("s1")}, scopes)
		noErr(t, err)
		id := p.byToken(token)
		if id.SessionID != "s1" {
			t.Errorf("session %q", id.SessionID)
		}
		return id.Expanded
	}
	tests := []struct {
		user, client string
		scopes       []string
		scope        string
		want         bool
	}{
		{"alice", "jupyterhub-user-alice-lab", nil, "access:servers!server=alice/lab", true},
		{"alice", "jupyterhub-user-alice-lab", nil, "access:servers!user=alice", false},
		{"alice", "jupyterhub-user-alice-lab", []string{"read:servers!server"}, "read:servers!server=alice/lab", true},
		{"bob", "jupyterhub-user-alice-lab", nil, "access:servers!server=alice/lab", false},
		{"carol", "service-board", nil, "access:services!service=board", true},
		{"alice", "service-board", nil, "access:services!service=board", false},
		{"alice", "service-board", []string{"access:services!service"}, "access:services!service=board", false},
	}
	for _, tt := range tests {
		if got := slices.Contains(issue(tt.user, tt.client, tt.scopes...), tt.scope); got != tt.want {
			t.Errorf("%s by %s with %v: holds %s is %t, want %t", tt.user, tt.client, tt.scopes, tt.scope, got, tt.want)
		}
	}
}

func TestBySession(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	p.group("lab", "alice")
	ctx := t.Context()
	for _, session := range []string{"one", "two", ""} {
		id, err := p.access.BySession(ctx, u.CookieID, session)
		noErr(t, err)
		if id == nil || id.Name() != "alice" || id.SessionID != session || id.Token != nil || !slices.Equal(id.Groups, []string{"lab"}) {
			t.Fatalf("session %q: %+v", session, id)
		}
	}
	for _, cookie := range []string{"", "unknown", u.CookieID + "x", strings.Repeat("y", 10_000)} {
		id, err := p.access.BySession(ctx, cookie, "one")
		noErr(t, err)
		if id != nil {
			t.Errorf("cookie id %.20q is somebody's", cookie)
		}
	}
	u.CookieID = "changed"
	noErr(t, p.store.UpdateUser(ctx, u, "cookie_id"))
	if id := need(p.access.BySession(ctx, "changed", "")); id == nil {
		t.Error("new cookie id is not known")
	}
	// A token is no cookie id and a cookie id is no token.
	if p.byToken("changed") != nil || need(p.access.BySession(ctx, p.token("alice", "inherit"), "")) != nil {
		t.Error("credentials of one kind work as the other")
	}
}

func TestSeen(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	ctx := t.Context()
	plain := p.token("alice", "inherit")
	note := "Server at /user/alice/"
	server, row, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &u.ID, Note: &note}, []string{"inherit"})
	noErr(t, err)
	steps := []struct {
		name string
		do   func() (*hub.Identity, error)
		want int
	}{
		{"token", func() (*hub.Identity, error) { return p.access.ByToken(ctx, plain) }, 1},
		{"cached token", func() (*hub.Identity, error) { return p.access.ByToken(ctx, plain) }, 2},
		{"token of a server", func() (*hub.Identity, error) { return p.access.ByToken(ctx, server) }, 2},
		{"cookie", func() (*hub.Identity, error) { return p.access.BySession(ctx, u.CookieID, "s") }, 3},
		{"no activity", func() (*hub.Identity, error) { return p.access.ByToken(hub.WithoutActivity(ctx), plain) }, 3},
		{"cookie without activity", func() (*hub.Identity, error) { return p.access.BySession(hub.WithoutActivity(ctx), u.CookieID, "s") }, 3},
		{"unknown token", func() (*hub.Identity, error) { return p.access.ByToken(ctx, "unknown-token") }, 3},
	}
	for _, step := range steps {
		_, err := step.do()
		noErr(t, err)
		if got := p.seen.ofUser(u.ID); got != step.want {
			t.Fatalf("after %s: user seen %d times, want %d", step.name, got, step.want)
		}
	}
	if p.seen.tokens[row.ID] != 1 {
		t.Errorf("token of the server seen %d times", p.seen.tokens[row.ID])
	}
}

// A database that does not answer says nothing about authority (security.md, invariant I6).
func TestClosedDatabaseIsNoRefusal(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	token := p.token("alice", "inherit")
	by := p.holding("labber", "read:users!group=lab")
	p.byToken(token)
	noErr(t, p.store.Close())
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"token":   func() error { _, err := p.access.ByToken(ctx, token); return err },
		"session": func() error { _, err := p.access.BySession(ctx, u.CookieID, ""); return err },
		"check":   func() error { return p.access.Check(ctx, by, p.access.OnUser(ctx, "alice"), "read:users") },
		"find":    func() error { _, err := p.users.Find(ctx, "alice"); return err },
		"token of": func() error {
			_, _, err := p.tokens.Create(ctx, nil, "alice", hub.NewToken{})
			return err
		},
	} {
		if err := do(); err == nil || hub.KindOf(err) != hub.Unavailable {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.size = 32 })
	p.user("alice")
	tokens := make([]string, 200)
	for i := range tokens {
		tokens[i] = p.token("alice", "inherit")
	}
	for range 2 {
		for _, token := range tokens {
			if p.byToken(token) == nil {
				t.Fatal("token lost")
			}
		}
	}
	if n := p.access.CacheLen(); n > 64 {
		t.Fatalf("%d entries cached, want about 32", n)
	}
	for i := range 500 {
		p.byToken(fmt.Sprintf("unknown-token-%d", i))
	}
	if n := p.access.CacheLen(); n > 64 {
		t.Fatalf("%d entries cached after unknown tokens", n)
	}
}

func TestAccessConcurrently(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	role := p.role("lister", []string{"list:users"}, orm.HolderUser)
	token := p.token("alice", "inherit")
	ctx := t.Context()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if id, err := p.access.ByToken(ctx, token); err != nil || id == nil {
					t.Errorf("identity %v, %v", id, err)
					return
				}
				if _, err := p.access.BySession(ctx, u.CookieID, "s"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		noErr(t, p.store.Grant(ctx, orm.HolderUser, []int64{u.ID}, role.ID, false))
		if !slices.Contains(p.byToken(token).Expanded, "list:users") {
			t.Error("own grant does not count at once")
		}
		noErr(t, p.store.Strip(ctx, orm.HolderUser, []int64{u.ID}, role.ID))
		if slices.Contains(p.byToken(token).Expanded, "list:users") {
			t.Error("own strip does not count at once")
		}
	}
	wg.Wait()
}

func TestIdentify(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.service("quiet")
	svc := need(p.store.ServiceByName(t.Context(), "quiet"))
	serviceToken, _, err := p.tokens.Issue(t.Context(), orm.APIToken{ServiceID: &svc.ID}, nil)
	noErr(t, err)
	id := p.byToken(serviceToken)
	if !slices.Equal(p.access.Identify(id), []string{"read:services:name!service=quiet"}) || len(id.Expanded) != 0 {
		t.Errorf("identify scopes %v, own %v", p.access.Identify(id), id.Expanded)
	}
	id = p.admin("root")
	if !slices.Equal(p.access.Identify(id), id.Expanded) {
		t.Error("an admin gains identify scopes that are covered already")
	}
	if id.IdentifyScopes().Check(p.access.OnUser(t.Context(), "root"), "read:users:name") != rbac.Granted {
		t.Error("own name cannot be read")
	}
}

func TestReload(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	p.user("bob")
	token := p.byToken(p.token("alice", "inherit"))
	session := need(p.access.BySession(t.Context(), u.CookieID, "s1"))
	role := p.role("lister", []string{"list:users"}, orm.HolderUser, u.ID)
	before := p.seen.ofUser(u.ID)
	for name, id := range map[string]*hub.Identity{"token": token, "session": session} {
		fresh := need(p.access.Reload(t.Context(), id))
		if id.Scopes.Has("list:users") || !fresh.Scopes.Has("list:users") || fresh.SessionID != id.SessionID || (fresh.Token == nil) != (id.Token == nil) {
			t.Errorf("%s: %+v", name, fresh)
		}
	}
	if p.seen.ofUser(u.ID) != before {
		t.Error("reloading counts as activity")
	}
	noErr(t, p.store.DeleteRole(t.Context(), role.ID))
	noErr(t, p.store.DeleteTokens(t.Context(), []int64{token.Token.ID}))
	u.CookieID = "changed"
	noErr(t, p.store.UpdateUser(t.Context(), u, "cookie_id"))
	for name, id := range map[string]*hub.Identity{"token": token, "session": session, "nobody": nil} {
		if fresh := need(p.access.Reload(t.Context(), id)); fresh != nil {
			t.Errorf("%s that is gone is %+v", name, fresh)
		}
	}
}

// What a refresh writes must not reach the rows that other requests share.
func TestRefreshDoesNotWriteSharedRows(t *testing.T) {
	p := newPeople(t, func(o *peopleOptions) { o.traits = hub.LoginTraits{RefreshAge: time.Hour} })
	p.user("alice")
	token := p.token("alice", "inherit")
	id := p.byToken(token)
	p.auth.refresh = func(auth.User) (bool, *auth.Model, error) { return true, &auth.Model{Admin: ptr(true)}, nil }
	if ok, err := p.logins.Refresh(t.Context(), id.User, true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if id.IsAdmin() {
		t.Error("the shared identity was written")
	}
	if fresh := need(p.access.Reload(t.Context(), id)); !fresh.IsAdmin() || !fresh.Scopes.Has("admin:users") {
		t.Error("the refresh is not visible")
	}
}
