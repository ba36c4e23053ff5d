package hub_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

func TestUpdateServer(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	ctx := t.Context()
	need(r.live.Create(ctx, u, "one", "First", nil))
	need(r.live.Create(ctx, u, "two", "", nil))
	patch := func(name string, p hub.ServerPatch) (*hub.ServerView, error) { return r.live.Update(ctx, u, name, p) }
	_, err := patch("no", hub.ServerPatch{DisplayName: ptr("x")})
	wantErr(t, err, hub.NotFound, "User alice has no such server no")
	_, err = patch("one", hub.ServerPatch{Name: ptr("two")})
	wantErr(t, err, hub.Conflict, "User alice already has server 'two'")
	_, err = patch("one", hub.ServerPatch{Name: ptr("Bad Name")})
	wantErr(t, err, hub.Invalid, "")
	_, err = patch("one", hub.ServerPatch{DisplayName: ptr("a\nb")})
	wantErr(t, err, hub.Invalid, "")

	r.mustStart(u, "one")
	r.mustStop(u, "one", hub.StopOptions{})
	v := need(patch("one", hub.ServerPatch{Name: ptr("uno"), UserOptions: &map[string]any{"k": "v"}}))
	if v.Name != "uno" || *v.DisplayName != "First" || v.UserOptions["k"] != "v" || v.URLPath != "/user/alice/uno/" {
		t.Errorf("view %+v", v)
	}
	if !slices.Equal(r.driver.renamed, []string{"alice/one>uno"}) {
		t.Errorf("spawner was told %v", r.driver.renamed)
	}
	if _, err := r.live.View(ctx, u, "one"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("old name: %v", err)
	}
	r.mustStart(u, "uno")
	if got := r.driver.lastRequest(); got.BaseURL != "/user/alice/uno/" || got.UserOptions["k"] != "v" {
		t.Errorf("request %+v", got)
	}
	_, err = patch("uno", hub.ServerPatch{DisplayName: ptr("x")})
	wantErr(t, err, hub.Invalid, "alice:uno is active. Please stop it before modifying it.")
	r.mustStop(u, "uno", hub.StopOptions{})
	r.wantNothingLeft(u, "uno")

	// A spawner may refuse; then nothing has changed and the server can be used.
	r.driver.renameErr = errors.New("volume is busy")
	if _, err := patch("uno", hub.ServerPatch{Name: ptr("dos"), DisplayName: ptr("x")}); err == nil {
		t.Error("renamed")
	}
	if row := r.row(u, "uno"); *row.DisplayName != "First" {
		t.Errorf("row %+v", row)
	}
	r.driver.renameErr = nil
	if v := need(patch("uno", hub.ServerPatch{DisplayName: ptr("Uno")})); *v.DisplayName != "Uno" || v.Name != "uno" {
		t.Errorf("view %+v", v)
	}
	need(patch("uno", hub.ServerPatch{}))
	// The default server becomes a named one, and there is a new default server.
	r.mustStart(u, "")
	r.mustStop(u, "", hub.StopOptions{})
	need(patch("", hub.ServerPatch{Name: ptr("was-default")}))
	r.mustStart(u, "")
	r.mustStart(u, "was-default")
}

// Shares belong to the row: they follow a new name, and go with the server.
func TestSharesFollowServers(t *testing.T) {
	r := newRig(t)
	u, friend := r.user("alice"), r.user("bob")
	ctx := t.Context()
	need(r.live.Create(ctx, u, "one", "", nil))
	row := r.row(u, "one")
	noErr(t, r.store.SaveShare(ctx, &orm.Share{OwnerID: u.ID, SpawnerID: row.ID, UserID: &friend.ID, Scopes: []string{"access:servers!server=alice/one"}}))
	need(r.live.Update(ctx, u, "one", hub.ServerPatch{Name: ptr("uno")}))
	if !slices.Contains(r.as("bob").Scopes.List(), "access:servers!server=alice/uno") {
		t.Errorf("scopes %v", r.as("bob").Scopes.List())
	}
	r.mustStop(u, "uno", hub.StopOptions{Remove: true})
	if slices.Contains(r.as("bob").Scopes.List(), "access:servers!server=alice/uno") {
		t.Error("the share outlived the server")
	}
}

// Lists of servers cost one query, however many users there are.
func TestViewsOfMany(t *testing.T) {
	var statements atomic.Int64
	store := need(orm.Open(t.Context(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite"), OnQuery: func(time.Duration) { statements.Add(1) }}))
	defer store.Close()
	s := hub.NewServers(hub.ServersOptions{Store: store, Driver: &fakeDriver{}, Catalog: need(rbac.NewCatalog(nil)), Traits: hub.ServerTraits{URLs: hub.ServerURLs{BaseURL: "/"}}})
	defer s.Close(t.Context())
	all := make([]*orm.User, 200)
	for i := range all {
		all[i] = &orm.User{Name: fmt.Sprintf("u%03d", i), CookieID: fmt.Sprintf("c%d", i)}
	}
	noErr(t, store.CreateUsers(t.Context(), all))
	users := make([]orm.User, len(all))
	for i, u := range all {
		users[i] = *u
		if i%2 == 0 {
			noErr(t, store.CreateSpawner(t.Context(), &orm.Spawner{UserID: u.ID, Name: "work"}))
		}
	}
	statements.Store(0)
	views := need(s.Views(t.Context(), users))
	if n := statements.Load(); n > 2 {
		t.Errorf("%d statements", n)
	}
	for i, u := range users {
		names := []string{}
		for _, v := range views[u.ID] {
			names = append(names, v.Name)
		}
		want := []string{""}
		if i%2 == 0 {
			want = append(want, "work")
		}
		if !slices.Equal(names, want) {
			t.Fatalf("%s has %q", u.Name, names)
		}
	}
}
