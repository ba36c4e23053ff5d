package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

func TestSlowStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		u := r.user("alice")
		r.mustStart(u, "work")
		r.driver.onStop = func(ctx context.Context, _ spawner.Identity, now bool) error {
			if now {
				return nil
			}
			return pause(ctx, 20*time.Second)
		}
		begin := time.Now()
		done, err := r.live.Stop(t.Context(), u, "work", hub.StopOptions{})
		if done || err != nil || time.Since(begin) != 10*time.Second {
			t.Fatalf("%v, %v after %v", done, err, time.Since(begin))
		}
		if v := r.view(u, "work"); v.Pending != "stop" || v.Ready || !v.Active {
			t.Errorf("view %+v", v)
		}
		_, err = r.start(u, "work")
		wantErr(t, err, hub.Invalid, "alice:work is pending stop")
		_, err = r.live.Progress(t.Context(), u, "work")
		wantErr(t, err, hub.Invalid, "")
		wantErr(t, r.live.StopForDelete(t.Context(), u), hub.Invalid, "alice's server is in the process of stopping, please wait.")
		// A second request joins the stop, and schedules the removal.
		if done, err := r.live.Stop(t.Context(), u, "work", hub.StopOptions{Remove: true, Wait: time.Second}); done || err != nil {
			t.Errorf("%v, %v", done, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := r.live.View(t.Context(), u, "work"); hub.KindOf(err) != hub.NotFound {
			t.Errorf("the server is still there: %v", err)
		}
		if r.driver.stops != 1 || !slices.Equal(r.driver.deleted, []string{"alice/work"}) {
			t.Errorf("%d stops, deleted %v", r.driver.stops, r.driver.deleted)
		}
		r.wantNothingLeft(u, "work")
		// In a hurry there is no grace period.
		r.mustStart(u, "work")
		begin = time.Now()
		r.mustStop(u, "work", hub.StopOptions{Now: true})
		if time.Since(begin) != 0 {
			t.Errorf("took %v", time.Since(begin))
		}
	})
}

func TestStopFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *rigOptions) { o.traits.PollInterval = 30 * time.Second })
		u := r.user("alice")
		r.mustStart(u, "work")
		token := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
		r.driver.onStop = func(context.Context, spawner.Identity, bool) error { return errors.New("permission denied") }
		r.events.take()
		_, err := r.live.Stop(t.Context(), u, "work", hub.StopOptions{Remove: true})
		wantErr(t, err, hub.Failed, "alice:work could not be stopped, it still runs")
		if v := r.view(u, "work"); !v.Ready || r.byToken(token) == nil {
			t.Errorf("a server that cannot be stopped goes on: %+v", v)
		}
		want := []string{"delete /user/alice/work/", "stop alice/work", "add /user/alice/work/"}
		if got := r.events.take(); !slices.Equal(got, want) {
			t.Errorf("events %v", got)
		}
		err = r.users.Delete(t.Context(), nil, "alice")
		wantErr(t, err, hub.Failed, "alice's server could not be stopped, the user was not deleted")
		if err := r.live.StopAll(t.Context()); err == nil {
			t.Error("StopAll hides that a server runs on")
		}
		// It is still watched.
		r.driver.onStop = nil
		r.driver.kill("alice/work")
		time.Sleep(time.Minute)
		synctest.Wait()
		r.wantNothingLeft(u, "work")
	})
}

// A stop never takes for ever: a spawner that hangs has two minutes.
func TestStopHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		u := r.user("alice")
		r.mustStart(u, "")
		r.driver.onStop = func(ctx context.Context, _ spawner.Identity, _ bool) error { return pause(ctx, time.Hour) }
		begin := time.Now()
		_, err := r.live.Stop(t.Context(), u, "", hub.StopOptions{Wait: time.Hour})
		if hub.KindOf(err) != hub.Failed || time.Since(begin) != 2*time.Minute || !r.view(u, "").Ready {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		r.driver.onStop = nil
	})
}

func TestStopRefusals(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	ctx := t.Context()
	_, err := r.live.Stop(ctx, u, "", hub.StopOptions{Remove: true})
	wantErr(t, err, hub.Invalid, "Cannot delete the default server")
	_, err = r.live.Stop(ctx, u, "no", hub.StopOptions{})
	wantErr(t, err, hub.NotFound, "alice has no server named 'no'")
	off := newRig(t, func(o *rigOptions) { o.traits.AllowNamedServers = false })
	_, err = off.live.Stop(ctx, off.user("bob"), "x", hub.StopOptions{})
	wantErr(t, err, hub.Invalid, "Named servers are not enabled.")
	r.mustStop(u, "", hub.StopOptions{}) // never started, not even a row
}

func TestRemove(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	ctx := t.Context()
	r.mustStart(u, "run")
	need(r.live.Create(ctx, u, "idle", "", nil))
	r.driver.deleteErr["alice/idle"] = errors.New("volume is busy")
	for _, name := range []string{"run", "idle"} {
		r.mustStop(u, name, hub.StopOptions{Remove: true})
		if _, err := r.live.View(ctx, u, name); hub.KindOf(err) != hub.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Equal(r.driver.deleted, []string{"alice/run", "alice/idle"}) || r.log.count("volume is busy") != 1 {
		t.Errorf("deleted %v", r.driver.deleted)
	}
	r.wantNothingLeft(u, "run")
	r.mustStart(u, "run") // the name is free again
}

// Starts, stops and removals of one server at once: whatever wins, nothing is left in between.
func TestEverythingAtOnce(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	done := make(chan struct{})
	for i := range 6 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 15 {
				switch i % 3 {
				case 0:
					_, _ = r.start(u, "work")
				case 1:
					_, _ = r.live.Stop(t.Context(), u, "work", hub.StopOptions{})
				case 2:
					_, _ = r.live.Stop(t.Context(), u, "work", hub.StopOptions{Remove: true})
				}
				r.view2(u)
			}
		}()
	}
	for range 6 {
		<-done
	}
	until(t, "rest", func() bool { return len(r.live.PendingIDs()) == 0 })
	if _, err := r.live.Stop(t.Context(), u, "work", hub.StopOptions{}); err != nil && hub.KindOf(err) != hub.NotFound {
		t.Fatal(err)
	}
	r.wantNothingLeft(u, "work")
}

func (r *rig) view2(u *orm.User) {
	if v, err := r.live.View(r.t.Context(), u, "work"); err == nil && v.Ready && v.Addr == nil {
		r.t.Error("ready without an address")
	}
}

func TestStopAll(t *testing.T) {
	r := newRig(t)
	a, b := r.user("alice"), r.user("bob")
	r.mustStart(a, "")
	r.mustStart(b, "x")
	reached := make(chan struct{})
	r.driver.onStart = func(ctx context.Context, _ spawner.Request) error { close(reached); return pause(ctx, time.Hour) }
	go func() { _, _ = r.start(a, "slow") }()
	<-reached
	noErr(t, r.live.StopAll(t.Context()))
	r.wantNothingLeft(a, "")
	r.wantNothingLeft(b, "x")
	if slices.Contains(r.watch.actions, "stop alice/") {
		t.Error("the end of the hub is not a requested stop")
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.driver.onStart = nil
	r.mustStart(a, "")
	r.driver.onStop = func(context.Context, spawner.Identity, bool) error {
		cancel()
		time.Sleep(20 * time.Millisecond)
		return nil
	}
	if err := r.live.StopAll(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("StopAll: %v", err)
	}
}

// What a user runs ends with the user, also when it was started in the last moment.
func TestDeleteUserWithServers(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	r.mustStart(u, "work")
	noErr(t, r.users.Delete(t.Context(), nil, "alice"))
	if got := r.driver.running(); len(got) != 0 || len(r.router.specs()) != 0 {
		t.Errorf("running %v, routes %v", got, r.router.specs())
	}
	if !slices.Equal(slices.Sorted(slices.Values(r.driver.deleted)), []string{"alice", "alice/work"}) {
		t.Errorf("deleted for good: %v", r.driver.deleted)
	}
	bob := r.user("bob")
	r.mustStart(bob, "")
	noErr(t, r.store.DeleteUser(t.Context(), bob.ID))
	r.live.ForgetUser(bob.ID)
	until(t, "the stop", func() bool { return len(r.driver.running()) == 0 && len(r.router.specs()) == 0 })
}

func TestRenameUser(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "idle")
	r.mustStop(u, "idle", hub.StopOptions{})
	r.mustStart(u, "run")
	u.Name = "ann"
	noErr(t, r.store.UpdateUser(t.Context(), u, "name"))
	noErr(t, r.live.Renamed(t.Context(), u, "alice"))
	r.mustStart(u, "idle")
	if got := r.driver.requestFor("/user/ann/idle/"); got.Env["JUPYTERHUB_USER"] != "ann" || got.UserName != "ann" {
		t.Errorf("request %+v", got)
	}
	// The running one has been started again: nothing is left under the old name, which somebody else may take.
	until(t, "the start under the new name", func() bool { v := r.view(u, "run"); return v.Ready && v.URLPath == "/user/ann/run/" })
	if got := r.router.specs(); !slices.Equal(got, []string{"/user/ann/idle/", "/user/ann/run/"}) {
		t.Errorf("routes %v", got)
	}
	if clients := need(r.store.OAuthClientIDs(t.Context())); slices.ContainsFunc(clients, func(id string) bool { return strings.Contains(id, "alice") }) {
		t.Errorf("OAuth clients %v", clients)
	}
	r.mustStop(u, "run", hub.StopOptions{})
	r.mustStop(u, "idle", hub.StopOptions{})
	r.wantNothingLeft(u, "run")
}

// While the database is busy the process is ended all the same, and the next request cleans what was left.
func TestLeftoverIsCleanedLater(t *testing.T) {
	for _, next := range []string{"stop", "start", "remove"} {
		t.Run(next, func(t *testing.T) {
			r := newRig(t)
			u := r.user("alice")
			r.mustStart(u, "work")
			// The hub forgets the server without cleaning: what a clean-up that failed leaves behind.
			noErr(t, r.live.Close(t.Context()))
			r.newHub()
			r.router.clear()
			old := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
			switch next {
			case "stop":
				r.mustStop(u, "work", hub.StopOptions{})
			case "remove":
				r.mustStop(u, "work", hub.StopOptions{Remove: true})
			case "start":
				r.mustStart(u, "work")
				if r.byToken(old) != nil {
					t.Error("the old token works")
				}
				if got := r.driver.running(); len(got) != 1 {
					t.Errorf("running %v", got)
				}
				r.mustStop(u, "work", hub.StopOptions{})
			}
			r.wantNothingLeft(u, "work")
		})
	}
}

func TestHooksGetTheirTurn(t *testing.T) {
	var order []string
	var stops atomic.Int64
	note := func(what string) { order = append(order, what) }
	r := newRig(t, func(o *rigOptions) {
		o.hooks = hub.Hooks{
			RefreshPreSpawn: func(context.Context, *orm.User) error { note("refresh"); return nil },
			PreSpawnStart:   func(_ context.Context, u, s string) error { note("pre_spawn_start " + u + s); return nil },
			AuthState: func(_ context.Context, _ *orm.User, req *spawner.Request) error {
				note("auth_state")
				req.Env["A"] = "1"
				return nil
			},
			ApplyUserOptions: func(_ context.Context, req *spawner.Request, options map[string]any) error {
				note("options")
				req.MemLimit = int64(options["mem"].(float64))
				return nil
			},
			PreSpawn: func(_ context.Context, req *spawner.Request) error {
				note("pre_spawn")
				req.Env["B"] = req.Env["A"]
				return nil
			},
			PostStop:      func(context.Context, spawner.Identity) error { stops.Add(1); return nil },
			PostSpawnStop: func(context.Context, string, string) error { stops.Add(1); return nil },
		}
	})
	u := r.user("alice")
	need(r.live.Start(t.Context(), u, "", hub.StartOptions{UserOptions: map[string]any{"mem": 7.0}}))
	want := []string{"refresh", "pre_spawn_start alice", "auth_state", "options", "pre_spawn"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if req := r.driver.lastRequest(); req.Env["B"] != "1" || req.MemLimit != 7 {
		t.Errorf("request %+v", req)
	}
	r.mustStop(u, "", hub.StopOptions{})
	if stops.Load() != 2 {
		t.Errorf("%d hooks after the stop", stops.Load())
	}
}
