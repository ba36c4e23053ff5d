package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func TestCreateToken(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.user("bob")
	svc := p.service("issuer", "tokens!user=alice")
	p.role("viewer", []string{"read:users!user", "list:users"}, orm.HolderUser)
	p.role("narrow", []string{"read:servers!user"}, orm.HolderUser)
	ids := map[string]*hub.Identity{
		"alice":   p.as("alice"),
		"root":    p.admin("root"),
		"labber":  p.holding("labber", "tokens!user=alice"),
		"service": p.byToken(first(p.tokens.Issue(t.Context(), orm.APIToken{ServiceID: &svc.ID}, []string{"inherit"}))),
		"limited": p.byToken(p.token("alice", "read:users!user")),
	}
	tests := []struct {
		name, by, user string
		in             hub.NewToken
		note           string
		scopes         []string // raw
		kind           hub.Kind
		message        string
	}{
		{"own, default", "alice", "alice", hub.NewToken{}, "Requested via api", []string{"inherit"}, 0, ""},
		{"by request body", "", "alice", hub.NewToken{}, "Requested via api", []string{"inherit"}, 0, ""},
		{"by admin", "root", "alice", hub.NewToken{}, "Requested via api by user root", []string{"inherit"}, 0, ""},
		{"by another user", "labber", "alice", hub.NewToken{}, "Requested via api by user labber", []string{"inherit"}, 0, ""},
		{"by service", "service", "alice", hub.NewToken{}, "Requested via api by service issuer", []string{"inherit"}, 0, ""},
		{"note", "alice", "alice", hub.NewToken{Note: "mine"}, "mine", []string{"inherit"}, 0, ""},
		{"scopes", "alice", "alice", hub.NewToken{Scopes: []string{"read:users!user"}}, "Requested via api", []string{"read:users!user"}, 0, ""},
		{"no scopes", "alice", "alice", hub.NewToken{Scopes: []string{}}, "Requested via api", []string{}, 0, ""},
		{"roles", "alice", "alice", hub.NewToken{Roles: []string{"narrow"}}, "Requested via api", []string{"read:servers!user"}, 0, ""},
		{"no roles", "alice", "alice", hub.NewToken{Roles: []string{}}, "Requested via api", []string{}, 0, ""},

		{"foreign", "alice", "bob", hub.NewToken{}, "", nil, hub.Forbidden, "User bob not found or no permissions to generate tokens"},
		{"missing user", "root", "nobody", hub.NewToken{}, "", nil, hub.Forbidden, "User nobody not found or no permissions to generate tokens"},
		{"token without the scope", "limited", "alice", hub.NewToken{}, "", nil, hub.Forbidden, "User alice not found or no permissions to generate tokens"},
		{"service elsewhere", "service", "bob", hub.NewToken{}, "", nil, hub.Forbidden, "Service bob not found or no permissions to generate tokens"},
		{"scopes and roles", "alice", "alice", hub.NewToken{Scopes: []string{"inherit"}, Roles: []string{"narrow"}}, "", nil, hub.Invalid,
			"Can only assign one of scopes or roles when creating tokens."},
		{"unknown role", "alice", "alice", hub.NewToken{Roles: []string{"nonsense"}}, "", nil, hub.Invalid, "No such role: nonsense"},
		{"unknown scope", "alice", "alice", hub.NewToken{Scopes: []string{"nonsense"}}, "", nil, hub.Invalid, ""},
		{"draft scope", "alice", "alice", hub.NewToken{Scopes: []string{"all"}}, "", nil, hub.Invalid, ""},
		{"bad filter", "alice", "alice", hub.NewToken{Scopes: []string{"read:users!x=y"}}, "", nil, hub.Invalid, ""},
		{"empty filter", "alice", "alice", hub.NewToken{Scopes: []string{"read:users!user="}}, "", nil, hub.Invalid, ""},
		{"not held", "alice", "alice", hub.NewToken{Scopes: []string{"admin-ui", "inherit"}}, "", nil, hub.Invalid,
			"Not assigning requested scopes admin-ui not held by User alice"},
		{"not held by the owner", "root", "alice", hub.NewToken{Scopes: []string{"admin-ui"}}, "", nil, hub.Invalid,
			"Not assigning requested scopes admin-ui not held by User alice"},
		{"filter too wide", "alice", "alice", hub.NewToken{Scopes: []string{"read:users:name"}}, "", nil, hub.Invalid,
			"Not assigning requested scopes read:users:name not held by User alice"},
		{"role not held", "alice", "alice", hub.NewToken{Roles: []string{"viewer"}}, "", nil, hub.Invalid, ""},
		{"NUL in the note", "alice", "alice", hub.NewToken{Note: "a\x00b"}, "", nil, hub.Invalid, "token note must be text without NUL characters"},
		{"long note", "alice", "alice", hub.NewToken{Note: strings.Repeat("n", 1024)}, "", nil, hub.Invalid, "token note must not be longer than 1023 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			view, token, err := p.tokens.Create(t.Context(), ids[tt.by], tt.user, tt.in)
			if tt.kind != 0 {
				wantErr(t, err, tt.kind, tt.message)
				return
			}
			noErr(t, err)
			if *view.Note != tt.note || !slices.Equal([]string(view.Scopes), tt.scopes) || view.OwnerName != tt.user || view.OwnerKind != "user" ||
				view.ClientDescription != "JupyterHub" || len(token) != 32 || view.ExpiresAt != nil {
				t.Errorf("token %+v", view)
			}
			id := p.byToken(token)
			if id == nil || id.Name() != tt.user || !slices.Equal(id.Expanded, view.Effective) {
				t.Errorf("token stands for %+v, view says %v", id, view.Effective)
			}
			if strings.Contains(p.log.String(), token) {
				t.Error("token in the log")
			}
		})
	}
}

func TestTokenExpiry(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	in := 90*time.Second + 500*time.Millisecond
	before := time.Now()
	view, _, err := p.tokens.Create(t.Context(), nil, "alice", hub.NewToken{ExpiresIn: &in})
	noErr(t, err)
	after := time.Now()
	if earliest, latest := before.Add(in-time.Second), after.Add(in+time.Second); view.ExpiresAt.Before(earliest) || view.ExpiresAt.After(latest) {
		t.Errorf("expires at %v, want between %v and %v", view.ExpiresAt, earliest, latest)
	}
}

// A user without the right to make tokens gets none by giving a password in the body either.
func TestBodyAuthNeedsTheScopeToo(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	noErr(t, p.store.SetRoles(t.Context(), orm.HolderUser, u.ID, nil, false))
	_, _, err := p.tokens.Create(t.Context(), nil, "alice", hub.NewToken{})
	wantErr(t, err, hub.Forbidden, "")
}

func TestDefaultTokenRole(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	ctx := t.Context()
	role := need(p.store.RoleByName(ctx, "token"))
	role.Scopes = []string{"read:users!user"}
	noErr(t, p.store.UpdateRole(ctx, role, "scopes"))
	view, _, err := p.tokens.Create(ctx, nil, "alice", hub.NewToken{})
	noErr(t, err)
	if !slices.Equal([]string(view.Scopes), []string{"read:users!user"}) {
		t.Errorf("scopes %v", view.Scopes)
	}
	noErr(t, p.store.DeleteRole(ctx, role.ID))
	if scopes := need(p.tokens.DefaultScopes(ctx)); !slices.Equal(scopes, []string{"inherit"}) {
		t.Errorf("scopes %v", scopes)
	}
}

func TestListTokens(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	p.user("bob")
	p.token("bob", "inherit")
	ctx := t.Context()
	noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "service-a", Description: "A service"}))
	noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "service-b"}))
	past, old := time.Now().UTC().Add(-time.Hour), time.Now().UTC().Add(-48*time.Hour)
	make := func(row orm.APIToken) int64 {
		row.UserID = &u.ID
		_, made, err := p.tokens.Issue(ctx, row, []string{"inherit"})
		noErr(t, err)
		return made.ID
	}
	young := make(orm.APIToken{ClientID: ptr("service-a")})
	used := make(orm.APIToken{ClientID: ptr("service-b"), LastActivity: &past})
	aged := make(orm.APIToken{Created: &old})
	gone := make(orm.APIToken{ExpiresAt: &past})
	list := need(p.tokens.List(ctx, "alice"))
	var ids []int64
	var clients []string
	for _, v := range list {
		ids, clients = append(ids, v.ID), append(clients, v.ClientDescription)
	}
	if !slices.Equal(ids, []int64{aged, used, young}) || !slices.Equal(clients, []string{"JupyterHub", "service-b", "A service"}) {
		t.Errorf("tokens %v of %v, want %v", ids, clients, []int64{aged, used, young})
	}
	if _, err := p.store.Token(ctx, gone); !errors.Is(err, orm.ErrNotFound) {
		t.Error("the expired token is still there")
	}
	_, err := p.tokens.List(ctx, "nobody")
	wantErr(t, err, hub.NotFound, "No such user: nobody")
}

func TestGetAndRevokeToken(t *testing.T) {
	p := newPeople(t)
	u, other := p.user("alice"), p.user("bob")
	ctx := t.Context()
	noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "service-a"}))
	issue := func(owner *orm.User, client string) (string, string) {
		token, row, err := p.tokens.Issue(ctx, orm.APIToken{UserID: &owner.ID, ClientID: &client}, []string{"inherit"})
		noErr(t, err)
		return token, fmt.Sprintf("a%d", row.ID)
	}
	plain, plainID := issue(u, "jupyterhub")
	second, _ := issue(u, "jupyterhub")
	oauth1, oauthID := issue(u, "service-a")
	oauth2, _ := issue(u, "service-a")
	foreign, foreignID := issue(other, "service-a")
	if v := need(p.tokens.Get(ctx, "alice", plainID)); v.OwnerName != "alice" || fmt.Sprintf("a%d", v.ID) != plainID {
		t.Errorf("%+v", v)
	}
	for _, id := range []string{"", "a", "1", foreignID, "a0", "a-1", "a1x", "b1", "a99999999", "a" + strings.Repeat("9", 40), "a1 ", strings.Repeat("x", 1<<16)} {
		_, err := p.tokens.Get(ctx, "alice", id)
		wantErr(t, err, hub.NotFound, "")
		err = p.tokens.Revoke(ctx, "alice", id)
		wantErr(t, err, hub.NotFound, "")
		if len(err.Error()) > 300 {
			t.Errorf("the answer repeats %d bytes", len(err.Error()))
		}
	}
	_, err := p.tokens.Get(ctx, "alice", "a77")
	wantErr(t, err, hub.NotFound, "No such token a77 for user alice")
	_, err = p.tokens.Get(ctx, "nobody", plainID)
	wantErr(t, err, hub.NotFound, "No such user: nobody")

	noErr(t, p.tokens.Revoke(ctx, "alice", plainID))
	noErr(t, p.tokens.Revoke(ctx, "alice", oauthID))
	for name, c := range map[string]struct {
		token string
		valid bool
	}{"revoked": {plain, false}, "other": {second, true}, "of the client": {oauth1, false}, "of the same client": {oauth2, false}, "of another user": {foreign, true}} {
		if got := p.byToken(c.token) != nil; got != c.valid {
			t.Errorf("token %s: valid %t", name, got)
		}
	}
}

func TestRegisterToken(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	ctx := t.Context()
	row, err := p.tokens.Register(ctx, orm.APIToken{UserID: &u.ID}, "super-secret-token", false, []string{"inherit"})
	noErr(t, err)
	if !strings.HasPrefix(row.Hashed, "sha512:16384:") || p.byToken("super-secret-token") == nil {
		t.Errorf("row %+v", row)
	}
	_, err = p.tokens.Register(ctx, orm.APIToken{UserID: &u.ID}, "super-secret-token", false, nil)
	wantErr(t, err, hub.Conflict, "")
	row, err = p.tokens.Register(ctx, orm.APIToken{UserID: &u.ID}, "trusted-secret-token", true, nil)
	noErr(t, err)
	if !strings.HasPrefix(row.Hashed, "sha512:1:") {
		t.Errorf("row %+v", row)
	}
}

func TestPurgeExpired(t *testing.T) {
	p := newPeople(t)
	u := p.user("alice")
	past := time.Now().UTC().Add(-time.Minute)
	_, _, err := p.tokens.Issue(t.Context(), orm.APIToken{UserID: &u.ID, ExpiresAt: &past}, nil)
	noErr(t, err)
	kept := p.token("alice", "inherit")
	noErr(t, p.tokens.PurgeExpired(t.Context()))
	if rows := need(p.store.TokensOfUser(t.Context(), u.ID)); len(rows) != 1 || p.byToken(kept) == nil {
		t.Errorf("%d tokens left", len(rows))
	}
}
