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

// sharing makes owner with servers "" and "lab", who may share; friend, friends (group with friend) and a stranger.
func sharing(t *testing.T) (p *people, owner *hub.Identity) {
	p = newPeople(t)
	p.user("friend")
	p.user("stranger")
	p.group("friends", "friend")
	owner = p.holding("owner", "shares!user", "read:users:name", "read:groups:name")
	p.server("owner", "")
	p.server("owner", "lab")
	return p, owner
}

func TestGrantShare(t *testing.T) {
	p, owner := sharing(t)
	nameless := p.holding("nameless", "shares!user=owner")
	partial := p.holding("partial", "shares!server=owner/lab", "read:users:name!user=friend")
	tests := []struct {
		name    string
		by      *hub.Identity
		server  string
		to      hub.Grantee
		scopes  []string
		want    []string
		kind    hub.Kind
		message string
	}{
		{"default", owner, "lab", hub.Grantee{User: "friend"}, nil, []string{"access:servers!server=owner/lab"}, 0, ""},
		{"more", owner, "lab", hub.Grantee{User: "friend"}, []string{"read:servers", "access:servers!server=owner/lab"},
			[]string{"access:servers!server=owner/lab", "read:servers!server=owner/lab"}, 0, ""},
		{"empty list is the default, scopes stay", owner, "lab", hub.Grantee{User: "friend"}, []string{},
			[]string{"access:servers!server=owner/lab", "read:servers!server=owner/lab"}, 0, ""},
		{"group", owner, "", hub.Grantee{Group: "friends"}, nil, []string{"access:servers!server=owner/"}, 0, ""},
		{"one server, one grantee", partial, "lab", hub.Grantee{User: "friend"}, nil,
			[]string{"access:servers!server=owner/lab", "read:servers!server=owner/lab"}, 0, ""},

		{"other server", partial, "", hub.Grantee{User: "friend"}, nil, nil, hub.Forbidden, "Do not have permission to grant share with scope access:servers!server=owner/"},
		{"scope not held", owner, "lab", hub.Grantee{User: "friend"}, []string{"admin:server_state"}, nil, hub.Forbidden,
			"Do not have permission to grant share with scope admin:server_state!server=owner/lab"},
		{"name not readable", nameless, "lab", hub.Grantee{User: "friend"}, nil, nil, hub.Forbidden, "Need scope 'read:users:name' to share with users by name"},
		{"group name not readable", nameless, "lab", hub.Grantee{Group: "friends"}, nil, nil, hub.Forbidden, "Need scope 'read:groups:name' to share with groups by name"},
		{"missing user looks the same", nameless, "lab", hub.Grantee{User: "nobody"}, nil, nil, hub.Forbidden, "Need scope 'read:users:name' to share with users by name"},
		{"no such user", owner, "lab", hub.Grantee{User: "nobody"}, nil, nil, hub.Invalid, "No such user: nobody"},
		{"no such group", owner, "lab", hub.Grantee{Group: "nobodies"}, nil, nil, hub.Invalid, "No such group: nobodies"},
		{"no such server", owner, "none", hub.Grantee{User: "friend"}, nil, nil, hub.NotFound, "No such server: owner/none"},
		{"both", owner, "lab", hub.Grantee{User: "friend", Group: "friends"}, nil, nil, hub.Invalid, ""},
		{"neither", owner, "lab", hub.Grantee{}, nil, nil, hub.Invalid, ""},
		{"unknown scope", owner, "lab", hub.Grantee{User: "friend"}, []string{"nonsense"}, nil, hub.Invalid, ""},
		{"empty scope", owner, "lab", hub.Grantee{User: "friend"}, []string{""}, nil, hub.Invalid, ""},
		{"filter of another server", owner, "lab", hub.Grantee{User: "friend"}, []string{"access:servers!server=owner/"}, nil, hub.Invalid,
			"!server=owner/ not allowed on sharing access:servers, only !server=owner/lab"},
		{"filter of a user", owner, "lab", hub.Grantee{User: "friend"}, []string{"access:servers!user=owner"}, nil, hub.Invalid, ""},
		{"metascope", owner, "lab", hub.Grantee{User: "friend"}, []string{"inherit"}, nil, hub.Forbidden, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			view, err := p.shares.Grant(t.Context(), tt.by, "owner", tt.server, tt.to, tt.scopes)
			if tt.kind != 0 {
				wantErr(t, err, tt.kind, tt.message)
				return
			}
			noErr(t, err)
			if !slices.Equal([]string(view.Scopes), tt.want) || view.UserName != tt.to.User || view.GroupName != tt.to.Group ||
				view.OwnerName != "owner" || view.ServerName != tt.server || view.Server.Name != tt.server || view.CreatedAt.IsZero() {
				t.Errorf("share %+v, want scopes %v", view, tt.want)
			}
		})
	}
	if _, total, _ := p.shares.OfOwner(t.Context(), "owner", 0, 0); total != 2 {
		t.Errorf("%d shares, want one for each grantee", total)
	}
}

// Plain users share nothing: nothing in the default roles gives the scope.
func TestPlainUsersCannotShare(t *testing.T) {
	p := newPeople(t)
	p.user("alice")
	p.user("bob")
	p.server("alice", "")
	_, err := p.shares.Grant(t.Context(), p.as("alice"), "alice", "", hub.Grantee{User: "bob"}, nil)
	wantErr(t, err, hub.Forbidden, "")
}

func TestSharesCount(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	reaches := func(user string) bool {
		return p.access.Check(ctx, p.byToken(p.token(user, "inherit")), p.access.OnServer(ctx, "owner", "lab"), "access:servers") == nil
	}
	if reaches("friend") {
		t.Fatal("reached before it was shared")
	}
	need(p.shares.Grant(ctx, owner, "owner", "lab", hub.Grantee{Group: "friends"}, nil))
	if !reaches("friend") || reaches("stranger") {
		t.Error("share with a group does not count for tokens of its members")
	}
	if id := need(p.access.BySession(ctx, need(p.users.Find(ctx, "friend")).CookieID, "")); !slices.Contains(id.Expanded, "access:servers!server=owner/lab") {
		t.Error("share with a group does not count for sessions")
	}
	noErr(t, p.shares.RevokeAll(ctx, "owner", "lab"))
	need(p.shares.Grant(ctx, owner, "owner", "lab", hub.Grantee{User: "stranger"}, nil))
	if reaches("friend") || !reaches("stranger") {
		t.Error("share with a user")
	}
	noErr(t, p.users.Delete(ctx, nil, "owner"))
	if reaches("stranger") {
		t.Error("share outlives the owner")
	}
}

func TestRevokeShare(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	friend := hub.Grantee{User: "friend"}
	grant := func() {
		need(p.shares.Grant(ctx, owner, "owner", "lab", friend, []string{"access:servers", "read:servers"}))
	}
	tests := []struct {
		name   string
		to     hub.Grantee
		scopes []string
		left   []string
	}{
		{"one", friend, []string{"read:servers"}, []string{"access:servers!server=owner/lab"}},
		{"one, with filter", friend, []string{"access:servers!server=owner/lab"}, []string{"read:servers!server=owner/lab"}},
		{"not granted", friend, []string{"start:servers"}, []string{"access:servers!server=owner/lab", "read:servers!server=owner/lab"}},
		{"both", friend, []string{"read:servers", "access:servers"}, nil},
		{"all", friend, nil, nil},
		{"empty list is all", friend, []string{}, nil},
		{"nothing shared", hub.Grantee{User: "stranger"}, nil, nil},
		{"unknown grantee", hub.Grantee{User: "nobody"}, nil, nil},
		{"unknown group", hub.Grantee{Group: "nobodies"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			grant()
			view, err := p.shares.Revoke(ctx, owner, "owner", "lab", tt.to, tt.scopes)
			noErr(t, err)
			if (view == nil) != (tt.left == nil) || view != nil && !slices.Equal([]string(view.Scopes), tt.left) {
				t.Errorf("left %+v, want %v", view, tt.left)
			}
			_, err = p.shares.GetWithUser(ctx, "friend", "owner", "lab")
			if gone := tt.to == friend && tt.left == nil; gone != (hub.KindOf(err) == hub.NotFound) {
				t.Errorf("share afterwards: %v", err)
			}
		})
	}
	_, err := p.shares.Revoke(ctx, owner, "owner", "none", friend, nil)
	wantErr(t, err, hub.NotFound, "No such server: owner/none")
	_, err = p.shares.Revoke(ctx, owner, "owner", "lab", hub.Grantee{}, nil)
	wantErr(t, err, hub.Invalid, "")
	_, err = p.shares.Revoke(ctx, owner, "owner", "lab", friend, []string{"nonsense"})
	wantErr(t, err, hub.Invalid, "")
}

func TestListShares(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	for _, to := range []hub.Grantee{{User: "friend"}, {User: "stranger"}, {Group: "friends"}} {
		need(p.shares.Grant(ctx, owner, "owner", "lab", to, nil))
	}
	need(p.shares.Grant(ctx, owner, "owner", "", hub.Grantee{User: "stranger"}, nil))
	lists := map[string]struct {
		do   func(offset, limit int) ([]hub.ShareView, int, error)
		want int
	}{
		"server":  {func(o, l int) ([]hub.ShareView, int, error) { return p.shares.OfServer(ctx, "owner", "lab", o, l) }, 3},
		"default": {func(o, l int) ([]hub.ShareView, int, error) { return p.shares.OfServer(ctx, "owner", "", o, l) }, 1},
		"owner":   {func(o, l int) ([]hub.ShareView, int, error) { return p.shares.OfOwner(ctx, "owner", o, l) }, 4},
		"user":    {func(o, l int) ([]hub.ShareView, int, error) { return p.shares.WithUser(ctx, "friend", o, l) }, 2},
		"group":   {func(o, l int) ([]hub.ShareView, int, error) { return p.shares.WithGroup(ctx, "friends", o, l) }, 1},
	}
	for name, list := range lists {
		views, total, err := list.do(0, 0)
		noErr(t, err)
		if total != list.want || len(views) != list.want {
			t.Errorf("%s: %d of %d, want %d", name, len(views), total, list.want)
		}
		views, total, err = list.do(1, 1)
		noErr(t, err)
		if total != list.want || len(views) != min(1, list.want-1) {
			t.Errorf("%s, second page: %d of %d", name, len(views), total)
		}
	}
	for name, do := range map[string]func() error{
		"No such server: owner/none": func() error { _, _, err := p.shares.OfServer(ctx, "owner", "none", 0, 0); return err },
		"No such server: nobody/lab": func() error { _, _, err := p.shares.OfServer(ctx, "nobody", "lab", 0, 0); return err },
		"No such user: nobody":       func() error { _, _, err := p.shares.OfOwner(ctx, "nobody", 0, 0); return err },
		"No such group: nobodies":    func() error { _, _, err := p.shares.WithGroup(ctx, "nobodies", 0, 0); return err },
		"No such share for user friend on owner/": func() error {
			_, err := p.shares.GetWithUser(ctx, "friend", "owner", "")
			return err
		},
		"No such share for user nobody on owner/lab":    func() error { _, err := p.shares.GetWithUser(ctx, "nobody", "owner", "lab"); return err },
		"No such share for group friends on owner/none": func() error { _, err := p.shares.GetWithGroup(ctx, "friends", "owner", "none"); return err },
	} {
		wantErr(t, do(), hub.NotFound, name)
	}
	if v := need(p.shares.GetWithGroup(ctx, "friends", "owner", "lab")); v.GroupName != "friends" {
		t.Errorf("%+v", v)
	}
}

func TestLeaveShare(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	need(p.shares.Grant(ctx, owner, "owner", "lab", hub.Grantee{User: "friend"}, nil))
	need(p.shares.Grant(ctx, owner, "owner", "lab", hub.Grantee{Group: "friends"}, nil))
	noErr(t, p.shares.LeaveUser(ctx, "friend", "owner", "lab"))
	wantErr(t, p.shares.LeaveUser(ctx, "friend", "owner", "lab"), hub.NotFound, "No such share for user friend on owner/lab")
	noErr(t, p.shares.LeaveGroup(ctx, "friends", "owner", "lab"))
	wantErr(t, p.shares.LeaveGroup(ctx, "friends", "owner", "lab"), hub.NotFound, "")
}

func TestShareCodes(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	view, code, err := p.shares.CreateCode(ctx, owner, "owner", "lab", nil, 0)
	noErr(t, err)
	if len(code) != 43 || !slices.Equal([]string(view.Scopes), []string{"access:servers!server=owner/lab"}) || view.Server.Name != "lab" {
		t.Errorf("code of %d characters, %+v", len(code), view)
	}
	if d := time.Until(*view.ExpiresAt); d < 23*time.Hour || d > 24*time.Hour {
		t.Errorf("expires in %v", d)
	}
	if strings.Contains(p.log.String(), code) {
		t.Error("code in the log")
	}
	for _, tt := range []struct {
		name    string
		by      *hub.Identity
		server  string
		scopes  []string
		life    time.Duration
		kind    hub.Kind
		message string
	}{
		{"too short", owner, "lab", nil, 59 * time.Second, hub.Invalid, "expires_in must be 60 to 31536000 seconds"},
		{"negative", owner, "lab", nil, -time.Hour, hub.Invalid, ""},
		{"too long", owner, "lab", nil, 366 * 24 * time.Hour, hub.Invalid, ""},
		{"foreign filter", owner, "lab", []string{"access:servers!server=x/y"}, 0, hub.Invalid, ""},
		{"unknown scope", owner, "lab", []string{"nonsense"}, 0, hub.Invalid, ""},
		{"not held", owner, "lab", []string{"delete:users"}, 0, hub.Forbidden, "Do not have permission to grant share with scope delete:users!server=owner/lab"},
		{"not by others", p.as("friend"), "lab", nil, 0, hub.Forbidden, ""},
		{"no server", owner, "none", nil, 0, hub.NotFound, "No such server: owner/none"},
	} {
		_, _, err := p.shares.CreateCode(ctx, tt.by, "owner", tt.server, tt.scopes, tt.life)
		if hub.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.name, err)
		}
		wantErr(t, err, tt.kind, tt.message)
	}

	for range 2 { // reusable, counted
		share, err := p.shares.Accept(ctx, p.as("stranger"), code)
		noErr(t, err)
		if share.UserName != "stranger" || share.ServerName != "lab" || share.Server.Name != "lab" {
			t.Errorf("share %+v", share)
		}
	}
	found := need(p.shares.LookupCode(ctx, code))
	if found.ExchangeCount != 2 || found.LastExchangedAt == nil || found.OwnerName != "owner" {
		t.Errorf("code %+v", found)
	}
	if _, total, _ := p.shares.WithUser(ctx, "stranger", 0, 0); total != 1 {
		t.Errorf("%d shares after two exchanges", total)
	}
	_, err = p.shares.Accept(ctx, owner, code)
	wantErr(t, err, hub.Invalid, "You can't share with yourself!")
	for _, bad := range []string{"", "x", code[:42], code + "x", strings.Repeat("x", 100_000)} {
		_, err = p.shares.Accept(ctx, p.as("friend"), bad)
		wantErr(t, err, hub.Invalid, "Invalid share code")
		_, err = p.shares.LookupCode(ctx, bad)
		wantErr(t, err, hub.NotFound, "Share not found or expired")
	}
	for _, by := range []*hub.Identity{nil, {Service: p.service("svc")}} {
		_, err = p.shares.Accept(ctx, by, code)
		wantErr(t, err, hub.Forbidden, "")
	}
}

func TestShareCodeExpires(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	view, code, err := p.shares.CreateCode(ctx, owner, "owner", "lab", nil, time.Minute)
	noErr(t, err)
	past := time.Now().UTC().Add(-time.Second)
	row := view.ShareCode
	row.ExpiresAt = &past
	noErr(t, p.store.SaveShareCode(ctx, &row))
	_, err = p.shares.Accept(ctx, p.as("friend"), code)
	wantErr(t, err, hub.Invalid, "Invalid share code")
	_, err = p.shares.LookupCode(ctx, code)
	wantErr(t, err, hub.NotFound, "")
	wantErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", code, ""), hub.NotFound, "No matching code found")
}

func TestDeleteShareCodes(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	var codes, ids []string
	for range 4 {
		view, code, err := p.shares.CreateCode(ctx, owner, "owner", "lab", nil, 0)
		noErr(t, err)
		codes, ids = append(codes, code), append(ids, fmt.Sprintf("sc_%d", view.ID))
	}
	_, other, err := p.shares.CreateCode(ctx, owner, "owner", "", nil, 0)
	noErr(t, err)
	left := func() int {
		_, total, err := p.shares.CodesOfServer(ctx, "owner", "lab", 0, 0)
		noErr(t, err)
		return total
	}
	wantErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", other, ""), hub.NotFound, "No matching code found")
	for _, id := range []string{"sc_99999", "sc_", "1", "sc_x", "sc_" + strings.Repeat("9", 30)} {
		wantErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", "", id), hub.NotFound, "")
	}
	wantErr(t, p.shares.DeleteCodes(ctx, "owner", "", "", ids[0]), hub.NotFound, "No code found matching id="+ids[0])
	noErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", codes[0], ""))
	noErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", "", ids[1]))
	if n := left(); n != 2 {
		t.Fatalf("%d codes left, want 2", n)
	}
	noErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", "", ""))
	noErr(t, p.shares.DeleteCodes(ctx, "owner", "lab", "", ""))
	if n := left(); n != 0 {
		t.Fatalf("%d codes left", n)
	}
	if views, total, err := p.shares.CodesOfOwner(ctx, "owner", 0, 0); err != nil || total != 1 || views[0].Server.Name != "" {
		t.Errorf("%+v of %d, %v", views, total, err)
	}
	wantErr(t, p.shares.DeleteCodes(ctx, "owner", "none", "", ""), hub.NotFound, "")
	_, _, err = p.shares.CodesOfOwner(ctx, "nobody", 0, 0)
	wantErr(t, err, hub.NotFound, "")
	_, _, err = p.shares.CodesOfServer(ctx, "owner", "none", 0, 0)
	wantErr(t, err, hub.NotFound, "")
}

func TestSharesGoWithTheServer(t *testing.T) {
	p, owner := sharing(t)
	ctx := t.Context()
	need(p.shares.Grant(ctx, owner, "owner", "lab", hub.Grantee{User: "friend"}, nil))
	_, code, err := p.shares.CreateCode(ctx, owner, "owner", "lab", nil, 0)
	noErr(t, err)
	row := need(p.store.SpawnerByName(ctx, owner.User.ID, "lab"))
	noErr(t, p.store.DeleteSpawner(ctx, row.ID))
	if _, total, _ := p.shares.WithUser(ctx, "friend", 0, 0); total != 0 {
		t.Error("share outlives the server")
	}
	if _, err := p.store.ShareCodeByValue(ctx, code, time.Now()); !errors.Is(err, orm.ErrNotFound) {
		t.Error("code outlives the server")
	}
}
