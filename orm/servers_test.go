package orm_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func TestServers(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		sp, token := addServer(t, s, u, "lab")
		ok(t, s.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: ""}))
		if err := s.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: "lab"}); !errors.Is(err, orm.ErrConflict) {
			t.Errorf("second lab: %v", err)
		}
		if diff := cmp.Diff(sp, must(s.SpawnerByName(ctx, u.ID, "lab"))); diff != "" {
			t.Error(diff)
		}
		running := must(s.RunningSpawners(ctx))
		if len(running) != 1 || running[0].User.Name != "ada" || running[0].Server.Port != 5000 || running[0].Extra == nil ||
			running[0].Extra.Marker != "m-lab" || running[0].Extra.TokenID != token.ID {
			t.Errorf("running: %+v", running)
		}
		if n, m := must(s.CountActive(ctx)), must(s.NamedServerCount(ctx, u.ID)); n != 1 || m != 1 {
			t.Errorf("active %d, named %d", n, m)
		}
		if diff := cmp.Diff([]string{"lab", ""}, must(s.ServerNames(ctx, u.ID))); diff != "" {
			t.Error(diff)
		}
		row := &running[0].Server
		row.Port = 6000
		ok(t, s.UpdateServer(ctx, row, "port"))
		if got := must(s.ServersByID(ctx, []int64{row.ID, 999})); len(got) != 1 || got[row.ID].Port != 6000 {
			t.Errorf("address: %v", got)
		}
		sp.State, sp.Started, sp.DisplayName = nil, ptr(at(3)), ptr("Lab")
		ok(t, s.UpdateSpawner(ctx, sp, "state", "started", "display_name"))
		if diff := cmp.Diff(sp, must(s.Spawner(ctx, sp.ID))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.DeleteServer(ctx, row.ID))
		ok(t, s.DeleteServer(ctx, row.ID))
		if got := must(s.Spawner(ctx, sp.ID)); got.ServerID != nil {
			t.Errorf("still running: %v", *got.ServerID)
		}
		ok(t, s.DeleteServerExtra(ctx, sp.ID))
		if _, err := s.ServerExtra(ctx, sp.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("extra: %v", err)
		}
		ok(t, s.DeleteSpawner(ctx, sp.ID))
		if err := s.DeleteSpawner(ctx, sp.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
	})
}

// JupyterHub's schema has no constraint on these; two requests at once must not get past the check.
func TestOneRowPerNameAndShare(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		sp, _ := addServer(t, s, u, "")
		var wg sync.WaitGroup
		var servers, shares atomic.Int32
		tally := func(n *atomic.Int32, err error) {
			if err == nil {
				n.Add(1)
			} else if !errors.Is(err, orm.ErrConflict) {
				t.Error(err)
			}
		}
		for range 8 {
			wg.Go(func() {
				tally(&servers, s.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: "x"}))
				tally(&shares, s.SaveShare(ctx, &orm.Share{OwnerID: u.ID, SpawnerID: sp.ID, UserID: &u.ID}))
				ok(t, s.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "same"}))
			})
		}
		wg.Wait()
		if servers.Load() != 1 || shares.Load() != 1 {
			t.Errorf("%d servers, %d shares, want one of each", servers.Load(), shares.Load())
		}
	})
}

func TestRunningServerWithoutAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	sp, _ := addServer(t, s, addUser(t, s, "ada"), "")
	raw := must(sql.Open("sqlite", path)) // foreign keys are off by default
	defer raw.Close()
	must(raw.Exec("DELETE FROM servers"))
	running := must(s.RunningSpawners(t.Context()))
	if len(running) != 1 || running[0].Server != (orm.Server{ID: *sp.ServerID}) {
		t.Fatalf("running: %+v", running)
	}
	ok(t, s.DeleteServer(t.Context(), *sp.ServerID))
	if n := must(s.CountActive(t.Context())); n != 0 {
		t.Errorf("%d active after the clean-up", n)
	}
}

// A row of ours must not be taken for that of a later server or token which got the same id after another program deleted the first.
func TestServerExtraSurvivesReusedIDs(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		sp, token := addServer(t, s, u, "lab")
		if e := must(s.ServerExtra(ctx, sp.ID)); e.TokenID != token.ID || e.Marker != "m-lab" {
			t.Errorf("extra: %+v", e)
		}
		ok(t, s.DeleteTokens(ctx, []int64{token.ID}))
		other := &orm.APIToken{ID: token.ID, UserID: &u.ID, Hashed: "other", Prefix: "othe", ClientID: ptr("jupyterhub")}
		ok(t, s.CreateToken(ctx, other))
		if e := must(s.ServerExtra(ctx, sp.ID)); e.TokenID != 0 || e.Marker != "m-lab" {
			t.Errorf("token was replaced, extra: %+v", e)
		}
		ok(t, s.DeleteSpawner(ctx, sp.ID))
		if _, err := s.Token(ctx, other.ID); err != nil {
			t.Errorf("a token that is not the server's went with it: %v", err)
		}
		again := &orm.Spawner{ID: sp.ID, UserID: u.ID, Name: "other"}
		ok(t, s.CreateSpawner(ctx, again))
		if _, err := s.ServerExtra(ctx, sp.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("extra of a new server: %v", err)
		}
	})
}

func TestMeta(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		if id := must(s.HubID(ctx)); len(id) != 32 {
			t.Errorf("hub id: %q", id)
		}
		if _, err := s.Meta(ctx, "k"); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("unset: %v", err)
		}
		ok(t, s.SetMeta(ctx, "k", "1"))
		ok(t, s.SetMeta(ctx, "k", "2"))
		if got := must(s.Meta(ctx, "k")); got != "2" {
			t.Errorf("got %q", got)
		}
	})
}

// rowCounts counts the rows of every table, to see what a deletion leaves.
func rowCounts(t *testing.T, s *orm.Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range []string{"users", "spawners", "servers", "oauth_clients", "oauth_codes", "api_tokens", "shares", "share_codes",
		"user_group_map", "user_role_map", "minihub_servers"} {
		out[table] = must(orm.CountRows(t.Context(), s, table))
	}
	return out
}

func populate(t *testing.T, s *orm.Store) (ada, bob *orm.User) {
	ctx := t.Context()
	bob = addUser(t, s, "bob")
	bobs, _ := addServer(t, s, bob, "b")
	ada = addUser(t, s, "ada")
	for i := range 3 {
		sp, _ := addServer(t, s, ada, fmt.Sprint("s", i))
		ok(t, s.CreateCode(ctx, &orm.OAuthCode{ClientID: *sp.OAuthClientID, Code: fmt.Sprint(i), UserID: bob.ID, ExpiresAt: 1}))
		visitor := addToken(t, s, bob, "visits")
		visitor.ClientID = sp.OAuthClientID
		ok(t, s.DeleteTokens(ctx, []int64{visitor.ID}))
		visitor.ID = 0
		ok(t, s.CreateToken(ctx, visitor))
		ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: ada.ID, SpawnerID: sp.ID, UserID: &bob.ID}))
		ok(t, s.CreateShareCode(ctx, &orm.ShareCode{OwnerID: ada.ID, SpawnerID: sp.ID, Hashed: fmt.Sprint("h", i)}))
	}
	ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: bob.ID, SpawnerID: bobs.ID, UserID: &ada.ID}))
	g, r := &orm.Group{Name: "g"}, &orm.Role{Name: "r"}
	ok(t, s.CreateGroups(ctx, []*orm.Group{g}))
	ok(t, s.CreateRole(ctx, r))
	ok(t, s.AddToGroup(ctx, g.ID, []int64{ada.ID, bob.ID}))
	ok(t, s.Grant(ctx, orm.HolderUser, []int64{ada.ID, bob.ID}, r.ID, false))
	return ada, bob
}

// what bob alone has
var bobOnly = map[string]int{"users": 1, "spawners": 1, "servers": 1, "oauth_clients": 2, "oauth_codes": 0, "api_tokens": 1, "shares": 0,
	"share_codes": 0, "user_group_map": 1, "user_role_map": 1, "minihub_servers": 1}

func TestDeleteUserLeavesNothing(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ada, _ := populate(t, s)
		ok(t, s.DeleteUser(t.Context(), ada.ID))
		if diff := cmp.Diff(bobOnly, rowCounts(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

// Databases written by programs that do not switch foreign keys on rely on the application's own cascade.
func TestDeleteUserWithoutForeignKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	ada, _ := populate(t, s)
	raw := must(sql.Open("sqlite", path))
	defer raw.Close()
	for _, query := range []string{"PRAGMA foreign_keys = OFF", "PRAGMA writable_schema = ON",
		"UPDATE sqlite_master SET sql = replace(replace(sql, 'ON DELETE CASCADE', ''), 'ON DELETE SET NULL', '') WHERE type = 'table'"} {
		must(raw.Exec(query))
	}
	ok(t, raw.Close())
	ok(t, s.Close())
	s = open(t, path)
	ok(t, s.DeleteUser(t.Context(), ada.ID))
	if diff := cmp.Diff(bobOnly, rowCounts(t, s)); diff != "" {
		t.Error(diff)
	}
}

// Two servers can have the same client id (their names collide); the client lives as long as one of them.
func TestSharedClientStays(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "a")
		one, _ := addServer(t, s, u, "x")
		two := &orm.Spawner{UserID: u.ID, Name: "y", OAuthClientID: one.OAuthClientID}
		ok(t, s.CreateSpawner(ctx, two))
		ok(t, s.DeleteSpawner(ctx, one.ID))
		if _, err := s.OAuthClient(ctx, *two.OAuthClientID); err != nil {
			t.Errorf("client of the other: %v", err)
		}
		ok(t, s.DeleteSpawner(ctx, two.ID))
		if _, err := s.OAuthClient(ctx, *two.OAuthClientID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("client of nobody: %v", err)
		}
	})
}

func TestServices(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		ok(t, s.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "service-x", Secret: "one"}))
		row := &orm.Server{Port: 1, CookieName: "service-x"}
		ok(t, s.CreateServer(ctx, row))
		svc := &orm.Service{Name: "x", Timeout: 30, ServerID: &row.ID, OAuthClientID: ptr("service-x"), Command: orm.JSONList{"a"},
			Environment: orm.JSONDict{"K": "V"}, Display: ptr(true), SystemUser: ptr("root"), FromConfig: true}
		ok(t, s.SaveService(ctx, svc))
		if diff := cmp.Diff(svc, must(s.ServiceByName(ctx, "x"))); diff != "" {
			t.Error(diff)
		}
		svc.FromConfig, svc.Display = false, nil
		ok(t, s.SaveService(ctx, svc))
		if diff := cmp.Diff([]orm.Service{*svc}, must(s.Services(ctx))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.CreateToken(ctx, &orm.APIToken{ServiceID: &svc.ID, Hashed: "h", Prefix: "p", ClientID: ptr("jupyterhub")}))
		if got := must(s.TokensOfService(ctx, svc.ID)); len(got) != 1 || got[0].Created == nil {
			t.Errorf("tokens: %+v", got)
		}
		_, _, name, err := s.OwnerOfClient(ctx, "service-x")
		if err != nil || name != "x" {
			t.Errorf("owner of client: %q %v", name, err)
		}
		ok(t, s.DeleteService(ctx, svc.ID))
		if diff := cmp.Diff(map[string]int{"oauth_clients": 1, "servers": 0, "api_tokens": 0, "services": 0}, map[string]int{
			"oauth_clients": must(orm.CountRows(ctx, s, "oauth_clients")), "servers": must(orm.CountRows(ctx, s, "servers")),
			"api_tokens": must(orm.CountRows(ctx, s, "api_tokens")), "services": must(orm.CountRows(ctx, s, "services"))}); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Service(ctx, svc.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("gone: %v", err)
		}
		if err := s.DeleteService(ctx, svc.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
	})
}

func TestPurgeExpired(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		now := at(12)
		u := addUser(t, s, "a")
		sp, _ := addServer(t, s, u, "")
		b := addUser(t, s, "b")
		for i, when := range []*time.Time{ptr(now.Add(-time.Microsecond)), ptr(now), nil} {
			ok(t, s.CreateToken(ctx, &orm.APIToken{UserID: &u.ID, Hashed: fmt.Sprint(i), Prefix: "pp", ExpiresAt: when, ClientID: ptr("jupyterhub")}))
			ok(t, s.CreateShareCode(ctx, &orm.ShareCode{OwnerID: u.ID, SpawnerID: sp.ID, Hashed: fmt.Sprint(i), ExpiresAt: when}))
		}
		ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: u.ID, SpawnerID: sp.ID, UserID: &b.ID, ExpiresAt: ptr(now.Add(-time.Hour))}))
		ok(t, s.CreateCode(ctx, &orm.OAuthCode{ClientID: "jupyterhub", Code: "old", UserID: u.ID, ExpiresAt: now.Unix() - 1}))
		ok(t, s.CreateCode(ctx, &orm.OAuthCode{ClientID: "jupyterhub", Code: "new", UserID: u.ID, ExpiresAt: now.Unix()}))
		if got := must(s.TokensByPrefix(ctx, "pp", now)); len(got) != 2 {
			t.Errorf("valid tokens: %d", len(got))
		}
		tokens, codes, shares, shareCodes, err := s.PurgeExpired(ctx, now)
		ok(t, err)
		if tokens != 1 || codes != 1 || shares != 1 || shareCodes != 1 {
			t.Errorf("purged %d %d %d %d", tokens, codes, shares, shareCodes)
		}
	})
}
