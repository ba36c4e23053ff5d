package hub_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

func nobody(string) bool { return false }

func TestRestore(t *testing.T) {
	r := newRig(t)
	alice, bob, eve := r.user("alice"), r.user("bob"), r.user("eve")
	r.mustStart(alice, "")
	token := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
	r.mustStart(alice, "work")
	r.mustStart(bob, "")
	r.mustStart(eve, "")
	r.crash()
	r.driver.kill("bob")
	r.events.take()
	noErr(t, r.live.Restore(t.Context(), func(name string) bool { return name == "eve" }))
	for _, name := range []string{"", "work"} {
		if v := r.view(alice, name); !v.Ready || v.Pending != "" || v.Addr == nil {
			t.Errorf("view %+v", v)
		}
	}
	for _, u := range []*orm.User{bob, eve} {
		if v := r.view(u, ""); v.Active || v.Failed != nil {
			t.Errorf("view %+v", v)
		}
		if n := len(need(r.store.TokensOfUser(t.Context(), u.ID))); n != 0 {
			t.Errorf("%s has %d tokens", u.Name, n)
		}
	}
	if got := r.router.specs(); !slices.Equal(got, []string{"/user/alice/", "/user/alice/work/"}) {
		t.Errorf("routes %v", got)
	}
	if slices.Contains(r.events.take(), "add /user/eve/") {
		t.Error("a blocked user's server was reachable for a moment")
	}
	if r.byToken(token) == nil || r.driver.starts() != 4 || !slices.Equal(r.driver.running(), []string{"alice", "alice/work"}) {
		t.Error("adopted servers keep process and token")
	}
	// And they can be stopped as any other, which leaves no token.
	r.mustStop(alice, "", hub.StopOptions{})
	r.mustStop(alice, "work", hub.StopOptions{})
	if r.byToken(token) != nil {
		t.Error("the token of a server that was stopped after a restart still works")
	}
	r.wantNothingLeft(alice, "")
}

// JupyterHub leaks the token of a server that is stopped after a restart (security.md 4.2); rows that it wrote get the same care as ours.
func TestRestoreRowsOfJupyterHub(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "work")
	token := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
	row := r.row(u, "work")
	noErr(t, r.store.DeleteServerExtra(t.Context(), row.ID))
	other := r.token("alice", "self")
	r.crash()
	noErr(t, r.live.Restore(t.Context(), nobody))
	if !r.view(u, "work").Ready || r.byToken(token) == nil {
		t.Fatal("not adopted")
	}
	r.mustStop(u, "work", hub.StopOptions{})
	if r.byToken(token) != nil || r.byToken(other) == nil {
		t.Error("the server's token must go, the user's must stay")
	}
}

func TestRestoreUnusable(t *testing.T) {
	for name, prepare := range map[string]func(r *rig, row *orm.Spawner){
		"state": func(r *rig, _ *orm.Spawner) {
			r.driver.onLoad = func(context.Context, spawner.Identity) error { return errors.New("bad") }
		},
		"poll":    func(r *rig, _ *orm.Spawner) { r.driver.onPoll = func() error { return errors.New("bad") } },
		"silent":  func(r *rig, _ *orm.Spawner) { r.prober.wait = neverUp },
		"address": func(r *rig, row *orm.Spawner) { r.forgetAddress(row) },
		"interrupted": func(r *rig, row *orm.Spawner) {
			row.State = orm.JSONDict{"marker": row.State["proc"]}
			noErr(r.t, r.store.UpdateSpawner(r.t.Context(), row, "state"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *rigOptions) {
				o.traits.Spawn.HTTPTimeout = 300 * time.Millisecond
				o.traits.InitSpawnersTimeout = -1
			})
			u := r.user("alice")
			r.mustStart(u, "")
			r.crash()
			prepare(r, r.row(u, ""))
			noErr(t, r.live.Restore(t.Context(), nobody))
			if name == "state" || name == "interrupted" {
				clear(r.driver.procs) // nobody knows this process: the orphans' scan is for that
			}
			r.wantNothingLeft(u, "")
			if v := r.view(u, ""); v.Active {
				t.Errorf("view %+v", v)
			}
			r.driver.onLoad, r.driver.onPoll, r.prober.wait = nil, nil, nil
			r.mustStart(u, "")
		})
	}
}

// forgetAddress empties a server's address, as other programs leave it.
func (r *rig) forgetAddress(row *orm.Spawner) {
	noErr(r.t, r.store.UpdateServer(r.t.Context(), &orm.Server{ID: *row.ServerID, BaseURL: "/user/alice/"}, "proto", "ip", "port"))
}

// A proxy that is away is no reason to stop what runs.
func TestRestoreWithoutProxy(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	r.crash()
	r.router.addErr = errors.New("connection refused")
	noErr(t, r.live.Restore(t.Context(), nobody))
	want, _ := r.live.Routes()
	if !r.view(u, "").Ready || len(want) != 1 || len(r.driver.running()) != 1 {
		t.Errorf("routes wanted %v", want)
	}
}

func TestRestorePending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		alice, bob := r.user("alice"), r.user("bob")
		r.mustStart(alice, "")
		r.mustStart(bob, "")
		r.crash()
		r.prober.wait = func(ctx context.Context, _ string, _ func(context.Context) error) (string, error) {
			return "", pause(ctx, 20*time.Second)
		}
		begin := time.Now()
		noErr(t, r.live.Restore(t.Context(), nobody))
		if time.Since(begin) != 10*time.Second {
			t.Errorf("Restore waited %v, not init_spawners_timeout", time.Since(begin))
		}
		if v := r.view(alice, ""); v.Pending != "check" || v.Ready {
			t.Errorf("view %+v", v)
		}
		_, err := r.start(alice, "")
		wantErr(t, err, hub.Invalid, "alice is pending check")
		if _, keep := r.live.Routes(); !keep["/user/alice/"] {
			t.Error("routes of servers being checked are left alone")
		}
		// A stop calls the check off.
		r.mustStop(bob, "", hub.StopOptions{})
		if time.Since(begin) != 10*time.Second || slices.Contains(r.driver.running(), "bob") || r.view(bob, "").Active {
			t.Errorf("running %v", r.driver.running())
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if !r.view(alice, "").Ready {
			t.Error("the check went on in the background")
		}
		r.mustStop(alice, "", hub.StopOptions{})
		r.wantNothingLeft(alice, "")
		r.wantNothingLeft(bob, "")
	})
}

// The end of the hub during the check leaves everything as it is.
func TestCloseDuringRestore(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	r.crash()
	reached := make(chan struct{})
	r.prober.wait = func(ctx context.Context, _ string, _ func(context.Context) error) (string, error) {
		close(reached)
		<-ctx.Done()
		return "", ctx.Err()
	}
	go func() { <-reached; _ = r.live.Close(context.Background()) }()
	noErr(t, r.live.Restore(t.Context(), nobody))
	if len(r.driver.running()) != 1 || r.row(u, "").ServerID == nil {
		t.Error("the server was touched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.newHub()
	if err := r.live.Restore(ctx, nobody); err == nil {
		t.Error("a database that cannot be asked is no reason to go on")
	}
}

// R02: a crash between the commit of the intent and that of the state, and processes without any row.
func TestOrphans(t *testing.T) {
	var mu sync.Mutex
	var known map[string]bool
	gate := make(chan struct{})
	r := newRig(t, func(o *rigOptions) {
		o.traits.HubID = "hub-7"
		o.wrap = func(d *fakeDriver) spawner.Driver {
			return orphanDriver{d, func(_ context.Context, hubID string, k map[string]bool) ([]string, error) {
				mu.Lock()
				known = maps.Clone(k)
				mu.Unlock()
				<-gate
				return []string{hubID + " pid 1"}, errors.New("some could not be read")
			}}
		}
	})
	alice, bob := r.user("alice"), r.user("bob")
	r.mustStart(alice, "")
	marker := r.driver.lastRequest().Marker
	r.mustStart(bob, "")
	row := r.row(bob, "")
	row.State = orm.JSONDict{"marker": r.driver.lastRequest().Marker}
	noErr(t, r.store.UpdateSpawner(t.Context(), row, "state"))
	r.crash()
	noErr(t, r.live.Restore(t.Context(), nobody))
	until(t, "the scan", func() bool { mu.Lock(); defer mu.Unlock(); return known != nil })
	if !maps.Equal(known, map[string]bool{marker: true}) {
		t.Errorf("known %v, want %s alone: the other start was never committed", known, marker)
	}
	// Whoever starts a server meanwhile waits for the scan, which could not tell their process from an orphan.
	n := r.driver.starts()
	if st, err := r.live.Start(t.Context(), bob, "", hub.StartOptions{Wait: 20 * time.Millisecond}); st != hub.Starting || err != nil || r.driver.starts() != n {
		t.Errorf("%v, %v", st, err)
	}
	close(gate)
	until(t, "the start", func() bool { return r.view(bob, "").Ready })
	if r.log.count("stopped a server process that no database row knows") != 1 || r.log.count("hub-7 pid 1") != 1 || r.log.count("looking for left-over servers failed") != 1 {
		t.Errorf("log %s", r.log)
	}
}

func TestRestoreMany(t *testing.T) {
	r := newRig(t)
	var users []*orm.User
	for i := range 60 {
		users = append(users, r.user(fmt.Sprintf("u%02d", i)))
		r.mustStart(users[i], "")
	}
	r.crash()
	noErr(t, r.live.Restore(t.Context(), nobody))
	if _, active := r.live.Counts(); active != 60 || len(r.router.specs()) != 60 {
		t.Errorf("%d active, %d routes", active, len(r.router.specs()))
	}
	noErr(t, r.live.StopAll(t.Context()))
	for _, u := range users[:1] {
		r.wantNothingLeft(u, "")
	}
	if strings.Contains(r.log.String(), "level=ERROR") {
		t.Error("errors in the log")
	}
}
