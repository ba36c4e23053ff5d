package orm_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func TestHashVectors(t *testing.T) {
	generated := "sha512:1:0011223344556677:de7bece185f50ab085909f685ae6b295b06375676f3ff7a6faad48717ff2251f987ecdd6f2f6aa82097a652d6c12bf145a8210dbc8402e2901e013c64cce0bbd"
	supplied := "sha512:16384:0011223344556677:a99b76c11172214ad3fbb8e2a145c8b613cbf223e6418af2534cd76707fbf26c682f016c64b4c53ad4cb81cd9137595cd3b04a61ccd321420c51777a2de5b48a"
	long := strings.Repeat("é", 64)
	tests := []struct {
		hashed, token string
		want          bool
	}{
		{generated, "0123456789abcdef0123456789abcdef", true},
		{supplied, "super-secret-token", true},
		{supplied, "super-secret-tokem", false},
		{generated, "", false},
		{strings.Replace(generated, "sha512:1:", "sha512:2:", 1), "0123456789abcdef0123456789abcdef", false},
		{strings.Replace(generated, "sha512", "md5", 1), "0123456789abcdef0123456789abcdef", false},
		{strings.ToUpper(generated), "0123456789abcdef0123456789abcdef", false},
		{orm.HashToken(long, 3), long, true},
		{orm.HashToken(long+"x", 3), long + "x", false}, // longer than any token may be
		{"sha512:2000000:00:00", "x", false},
		{"sha512:0:00:00", "x", false}, {"sha512:-1:00:00", "x", false}, {"", "", false}, {":::", "", false}, {"sha512:1:00", "x", false},
	}
	for _, tt := range tests {
		if got := orm.VerifyToken(tt.hashed, tt.token); got != tt.want {
			t.Errorf("VerifyToken(%.40q, %.20q) = %v", tt.hashed, tt.token, got)
		}
	}
	for _, rounds := range []int{1, 127, 128, 129, 16384} {
		if h := orm.HashToken("abc", rounds); !orm.VerifyToken(h, "abc") || orm.VerifyToken(h, "abd") {
			t.Errorf("%d rounds: %s", rounds, h)
		}
	}
	for token, want := range map[string]string{"": "", "abc": "abc", "abcd": "abcd", "abcde": "abcd", "äöüßx": "äöüß"} {
		if got := orm.TokenPrefix(token); got != want {
			t.Errorf("prefix of %q: %q", token, got)
		}
	}
	if a, b := orm.NewToken(), orm.NewToken(); len(a) != 32 || a == b {
		t.Errorf("new tokens: %q %q", a, b)
	}
}

func TestTokens(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		ok(t, s.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "app"}))
		token := func(client, session, hashed string, expires *time.Time) *orm.APIToken {
			row := &orm.APIToken{UserID: &u.ID, ClientID: &client, SessionID: &session, Hashed: hashed, Prefix: "abcd", ExpiresAt: expires,
				Scopes: orm.JSONList{hashed}}
			ok(t, s.CreateToken(ctx, row))
			return row
		}
		one, two := token("app", "s1", "1", nil), token("app", "s2", "2", ptr(time.Now().UTC().Add(time.Hour).Truncate(time.Microsecond)))
		old, hub := token("app", "s2", "3", ptr(time.Now().Add(-time.Hour))), token("jupyterhub", "s1", "4", nil)
		if err := s.CreateToken(ctx, &orm.APIToken{UserID: &u.ID, Hashed: "4"}); !errors.Is(err, orm.ErrConflict) {
			t.Errorf("same hash: %v", err)
		}
		if diff := cmp.Diff([]orm.APIToken{*one, *two, *hub}, must(s.TokensByPrefix(ctx, "abcd", time.Now()))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([][]string{{"1"}, {"2"}}, must(s.ClientTokenScopes(ctx, u.ID, "app"))); diff != "" {
			t.Error(diff)
		}
		if got := must(s.TokensOfUser(ctx, u.ID)); len(got) != 4 {
			t.Errorf("tokens of user: %d", len(got))
		}
		ok(t, s.DeleteSessionTokens(ctx, u.ID, "s1"))
		ok(t, s.DeleteTokens(ctx, []int64{old.ID, 999}))
		if got := must(s.TokensOfUser(ctx, u.ID)); len(got) != 1 || got[0].ID != two.ID {
			t.Errorf("left: %+v", got)
		}
		ok(t, s.DeleteClientTokens(ctx, u.ID, "app"))
		if _, err := s.Token(ctx, two.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("token of client: %v", err)
		}
	})
}

func TestClients(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		sp, _ := addServer(t, s, u, "lab")
		c := &orm.OAuthClient{Identifier: "app", Description: "App", Secret: "h", RedirectURI: "/cb"}
		ok(t, s.SaveOAuthClient(ctx, c))
		first := c.ID
		c.ID, c.AllowedScopes = 0, orm.JSONList{"self"}
		ok(t, s.SaveOAuthClient(ctx, c))
		if c.ID != first {
			t.Errorf("saved as a new row %d, want %d", c.ID, first)
		}
		if diff := cmp.Diff(c, must(s.OAuthClient(ctx, "app"))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"jupyterhub", "jupyterhub-user-ada-lab", "app"}, must(s.OAuthClientIDs(ctx))); diff != "" {
			t.Error(diff)
		}
		if got := must(s.OAuthClients(ctx, []string{"app", "nix"})); len(got) != 1 {
			t.Errorf("clients: %v", got)
		}
		user, server, service, err := s.OwnerOfClient(ctx, *sp.OAuthClientID)
		if user != "ada" || server != "lab" || service != "" || err != nil {
			t.Errorf("owner: %q %q %q %v", user, server, service, err)
		}
		if user, server, service, err := s.OwnerOfClient(ctx, "app"); user+server+service != "" || err != nil {
			t.Errorf("owner of nobody's: %q %q %q %v", user, server, service, err)
		}
		ok(t, s.CreateCode(ctx, &orm.OAuthCode{ClientID: "app", Code: "c", UserID: u.ID}))
		ok(t, s.DeleteOAuthClient(ctx, "app"))
		ok(t, s.DeleteOAuthClient(ctx, "app"))
		if _, err := s.CodeByValue(ctx, "c"); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("code of a deleted client: %v", err)
		}
		ok(t, s.DeleteOAuthClient(ctx, *sp.OAuthClientID))
		if got := must(s.Spawner(ctx, sp.ID)); got.OAuthClientID != nil {
			t.Error("server keeps a deleted client")
		}
	})
}

func TestTakeCodeHasOneWinner(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		for range 5 {
			code := &orm.OAuthCode{ClientID: "jupyterhub", Code: orm.NewToken(), UserID: u.ID}
			ok(t, s.CreateCode(ctx, code))
			if got := must(s.CodeByValue(ctx, code.Code)); got.ID != code.ID {
				t.Fatalf("found %+v", got)
			}
			var winners atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					won, err := s.TakeCode(ctx, code)
					if err != nil {
						t.Error(err)
					}
					if won {
						winners.Add(1)
					}
				})
			}
			wg.Wait()
			if winners.Load() != 1 {
				t.Errorf("%d winners", winners.Load())
			}
		}
	})
}

// A used code leads to the token that it gave, for the client that used it, until it was used twice.
func TestUsedCodes(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		take := func() string {
			t.Helper()
			code := &orm.OAuthCode{ClientID: "jupyterhub", Code: orm.NewToken(), UserID: u.ID, ExpiresAt: time.Now().Unix() - 1}
			ok(t, s.CreateCode(ctx, code))
			if won := must(s.TakeCode(ctx, code)); !won {
				t.Fatal("not taken")
			}
			return code.Code
		}
		client := "jupyterhub"
		give := func(code string) *orm.APIToken {
			t.Helper()
			raw := orm.NewToken()
			row := &orm.APIToken{UserID: &u.ID, ClientID: &client, Hashed: orm.HashToken(raw, orm.GeneratedRounds), Prefix: orm.TokenPrefix(raw)}
			ok(t, s.CreateCodeToken(ctx, row, code))
			return row
		}
		first, second := take(), take()
		one, two := give(first), give(second)
		if must(s.ReplayCode(ctx, first, "other")) || must(s.ReplayCode(ctx, "unknown", client)) {
			t.Error("revoked for a stranger, or an unknown code")
		}
		if !must(s.ReplayCode(ctx, first, client)) || must(s.ReplayCode(ctx, first, client)) {
			t.Error("a replay revokes, once")
		}
		if _, err := s.Token(ctx, one.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("the token is there: %v", err)
		}
		must(s.Token(ctx, two.ID))
		early := take() // used again before there is a token: there will be none
		if must(s.ReplayCode(ctx, early, client)) {
			t.Error("revoked what does not exist")
		}
		if row := give(early); row.ID != 0 {
			t.Error("a replayed code gave a token")
		}
		if rows := must(s.TokensOfUser(ctx, u.ID)); len(rows) != 1 {
			t.Errorf("%d tokens", len(rows))
		}
		// What is over is forgotten by the next one.
		ok(t, orm.RawExec(ctx, s, `UPDATE minihub_used_codes SET expires_at = 1`))
		take()
		if n := must(orm.CountRows(ctx, s, "minihub_used_codes")); n != 1 {
			t.Errorf("%d used codes are remembered, want 1", n)
		}
	})
}

func TestShares(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		owner, u := addUser(t, s, "owner"), addUser(t, s, "u")
		sp, _ := addServer(t, s, owner, "lab")
		off := &orm.Spawner{UserID: owner.ID, Name: "off"}
		ok(t, s.CreateSpawner(ctx, off))
		g := &orm.Group{Name: "g"}
		ok(t, s.CreateGroups(ctx, []*orm.Group{g}))
		ok(t, s.SetUserGroups(ctx, u.ID, []int64{g.ID}))
		one := &orm.Share{OwnerID: owner.ID, SpawnerID: sp.ID, UserID: &u.ID, Scopes: orm.JSONList{"b!server=owner/old", "a"}}
		two := &orm.Share{OwnerID: owner.ID, SpawnerID: off.ID, GroupID: &g.ID, Scopes: orm.JSONList{"c"}}
		ok(t, s.SaveShare(ctx, one))
		ok(t, s.SaveShare(ctx, two))
		again := &orm.Share{OwnerID: owner.ID, SpawnerID: off.ID, GroupID: &g.ID}
		if err := s.SaveShare(ctx, again); !errors.Is(err, orm.ErrConflict) {
			t.Errorf("second share with the group: %v", err)
		}
		one.Scopes = orm.JSONList{"a!server=owner/lab", "b!server=owner/lab"}
		rows, total, err := s.SharesWithUser(ctx, u.ID, orm.ShareQuery{})
		ok(t, err)
		address := must(s.ServersByID(ctx, []int64{*sp.ServerID}))[*sp.ServerID]
		withTwo := *two
		withTwo.Scopes = orm.JSONList{"c!server=owner/off"}
		want := []orm.ShareRow{{Share: *one, OwnerName: "owner", ServerName: "lab", ServerRow: address, UserName: "u"},
			{Share: withTwo, OwnerName: "owner", ServerName: "off", GroupName: "g"}}
		if diff := cmp.Diff(want, rows); diff != "" || total != 2 {
			t.Errorf("total %d\n%s", total, diff)
		}
		for what, get := range map[string]func() ([]orm.ShareRow, int, error){
			"server": func() ([]orm.ShareRow, int, error) { return s.SharesOfServer(ctx, off.ID, orm.ShareQuery{}) },
			"group":  func() ([]orm.ShareRow, int, error) { return s.SharesWithGroup(ctx, g.ID, orm.ShareQuery{}) },
			"page": func() ([]orm.ShareRow, int, error) {
				return s.SharesOfOwner(ctx, owner.ID, orm.ShareQuery{Offset: 1, Limit: 1})
			},
		} {
			if rows, _, err := get(); err != nil || len(rows) != 1 || rows[0].ID != two.ID {
				t.Errorf("%s: %+v %v", what, rows, err)
			}
		}
		found := must(s.FindShare(ctx, sp.ID, &u.ID, nil))
		if diff := cmp.Diff(one, found); diff != "" {
			t.Error(diff)
		}
		found.Scopes = orm.JSONList{"z"}
		ok(t, s.SaveShare(ctx, found))
		if got := must(s.FindShare(ctx, sp.ID, &u.ID, nil)); got.Scopes[0] != "z!server=owner/lab" {
			t.Errorf("saved: %v", got.Scopes)
		}
		if _, err := s.FindShare(ctx, sp.ID, nil, &g.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("no such share: %v", err)
		}
		if _, err := s.FindShare(ctx, sp.ID, nil, nil); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("share with nobody: %v", err)
		}
		ok(t, s.DeleteShares(ctx, []int64{one.ID, two.ID}))
		if _, total, err := s.SharesOfOwner(ctx, owner.ID, orm.ShareQuery{}); total != 0 || err != nil {
			t.Errorf("left %d %v", total, err)
		}
	})
}

func TestShareCodes(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		owner := addUser(t, s, "owner")
		sp, _ := addServer(t, s, owner, "lab")
		now := at(12)
		plain := strings.Repeat("x", 43)
		code := &orm.ShareCode{OwnerID: owner.ID, SpawnerID: sp.ID, Hashed: orm.HashToken(plain, 1), Prefix: orm.TokenPrefix(plain),
			Scopes: orm.JSONList{"access:servers"}, ExpiresAt: ptr(now)}
		ok(t, s.CreateShareCode(ctx, code))
		row := must(s.ShareCodeByValue(ctx, plain, now))
		if row.ID != code.ID || row.OwnerName != "owner" || row.ServerName != "lab" || row.ServerRow == nil || row.Scopes[0] != "access:servers!server=owner/lab" {
			t.Errorf("code: %+v", row)
		}
		for _, tt := range []struct {
			value string
			when  time.Time
		}{{plain + "y", now}, {"x", now}, {"", now}, {plain, now.Add(time.Second)}} {
			if _, err := s.ShareCodeByValue(ctx, tt.value, tt.when); !errors.Is(err, orm.ErrNotFound) {
				t.Errorf("%q at %v: %v", tt.value, tt.when, err)
			}
		}
		row.ExchangeCount, row.LastExchangedAt = 3, ptr(at(5))
		ok(t, s.SaveShareCode(ctx, &row.ShareCode))
		rows, total, err := s.ShareCodesOfServer(ctx, sp.ID, orm.ShareQuery{Limit: 9})
		if err != nil || total != 1 || rows[0].ExchangeCount != 3 || !rows[0].LastExchangedAt.Equal(at(5)) {
			t.Errorf("codes: %+v %v", rows, err)
		}
		if _, total, err := s.ShareCodesOfOwner(ctx, owner.ID, orm.ShareQuery{}); err != nil || total != 1 {
			t.Errorf("of owner: %d %v", total, err)
		}
		ok(t, s.DeleteShareCodes(ctx, []int64{code.ID}))
		if _, total, err := s.ShareCodesOfOwner(ctx, owner.ID, orm.ShareQuery{}); err != nil || total != 0 {
			t.Errorf("left: %d %v", total, err)
		}
	})
}
