package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

func TestStartAndStop(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	v := r.view(u, "")
	if !v.Ready || !v.Active || v.Pending != "" || v.Started == nil || v.LastActivity == nil || v.Addr == nil || v.Addr.Port != 34567 || v.URLPath != "/user/alice/" {
		t.Errorf("view %+v", v)
	}
	token := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
	id := r.byToken(token)
	if id == nil || id.User.ID != u.ID {
		t.Fatalf("server token belongs to %+v", id)
	}
	want := []string{"start alice", "add /user/alice/"}
	if got := r.events.take(); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if row := r.row(u, ""); row.State["pid"] == nil || *row.OAuthClientID != "jupyterhub-user-alice" {
		t.Errorf("row %+v", row)
	}
	if !slices.Equal(r.prober.urls, []string{"http://127.0.0.1:34567/user/alice/api"}) {
		t.Errorf("probed %v", r.prober.urls)
	}
	_, err := r.start(u, "")
	wantErr(t, err, hub.Invalid, "alice is already running")

	r.mustStop(u, "", hub.StopOptions{})
	want = []string{"delete /user/alice/", "stop alice"}
	if got := r.events.take(); !slices.Equal(got, want) {
		t.Errorf("a stop is %v, want the route first: %v", got, want)
	}
	r.wantNothingLeft(u, "")
	if r.byToken(token) != nil {
		t.Error("the token of a stopped server still works")
	}
	if v := r.view(u, ""); v.Active || v.Failed != nil || v.Addr != nil {
		t.Errorf("view %+v", v)
	}
	r.mustStop(u, "", hub.StopOptions{}) // stopping what is stopped is done at once
	if got := r.events.take(); len(got) != 0 {
		t.Errorf("events %v", got)
	}
	if want := []string{"start alice/", "stop alice/"}; !slices.Equal(r.watch.actions, want) || !slices.Equal(r.watch.spawned, []string{"success:"}) || r.watch.running != 0 {
		t.Errorf("observed %+v", r.watch)
	}
	r.mustStart(u, "") // and again
}

// A start goes on after the request; others join it; a stop is refused nothing.
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		u := r.user("alice")
		r.driver.onStart = func(ctx context.Context, _ spawner.Request) error { return pause(ctx, 15*time.Second) }
		begin := time.Now()
		st, err := r.start(u, "")
		if st != hub.Starting || err != nil || time.Since(begin) != 10*time.Second {
			t.Fatalf("%v, %v after %v", st, err, time.Since(begin))
		}
		if v := r.view(u, ""); v.Pending != "spawn" || v.Ready || !v.Active {
			t.Errorf("view %+v", v)
		}
		if st, err := r.start(u, ""); st != hub.Starting || err != nil || time.Since(begin) != 10*time.Second {
			t.Errorf("joining: %v, %v", st, err)
		}
		if ids := r.live.PendingIDs(); !slices.Equal(ids, []int64{r.row(u, "").ID}) {
			t.Errorf("pending %v", ids)
		}
		if want, keep := r.live.Routes(); len(want) != 0 || !keep["/user/alice/"] {
			t.Errorf("routes %v, %v", want, keep)
		}
		_, err = r.live.Update(t.Context(), u, "", hub.ServerPatch{UserOptions: &map[string]any{}})
		wantErr(t, err, hub.Invalid, "alice is active. Please stop it before modifying it.")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if v := r.view(u, ""); !v.Ready || r.driver.starts() != 1 {
			t.Errorf("view %+v after %d starts", v, r.driver.starts())
		}
		want, keep := r.live.Routes()
		if w := want["/user/alice/"]; w.Target != "http://127.0.0.1:34567" || w.Data["user"] != "alice" || w.Data["server_name"] != "" || len(keep) != 0 {
			t.Errorf("routes %v, %v", want, keep)
		}
		// A caller who does not want to wait at all.
		r.mustStop(u, "", hub.StopOptions{})
		begin = time.Now()
		if st, err := r.live.Start(t.Context(), u, "", hub.StartOptions{Wait: -1}); st != hub.Starting || err != nil || time.Since(begin) != 0 {
			t.Errorf("%v, %v after %v", st, err, time.Since(begin))
		}
	})
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func TestStartTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(r *rig)
		after   time.Duration
		reason  string
		text    string
	}{
		"start_timeout": {
			func(r *rig) {
				r.driver.onStart = func(ctx context.Context, _ spawner.Request) error { return pause(ctx, time.Hour) }
			},
			time.Minute, "timeout", "The server did not start within 60 seconds",
		},
		"a spawner that ignores its context": {
			func(r *rig) {
				r.driver.onStart = func(context.Context, spawner.Request) error { time.Sleep(time.Hour); return nil }
			},
			65 * time.Second, "timeout", "The server did not start within 60 seconds",
		},
		"http_timeout": {
			func(r *rig) { r.prober.wait = neverUp },
			30 * time.Second, "timeout", "The server started, but did not answer at http://127.0.0.1:34567/user/alice/ within 30 seconds",
		},
		"died": {
			func(r *rig) {
				r.prober.wait = func(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
					r.driver.kill("alice")
					return neverUp(ctx, url, alive)
				}
			},
			0, "error", "The server's process ended before it answered (exit code 3)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(o *rigOptions) { o.traits.SlowSpawnTimeout = 3 * time.Hour })
				u := r.user("alice")
				c.prepare(r)
				begin := time.Now()
				_, err := r.start(u, "")
				wantErr(t, err, hub.Failed, c.text)
				var e *hub.Error
				if errors.As(err, &e); e.Reason != c.reason || time.Since(begin) != c.after {
					t.Errorf("reason %q after %v", e.Reason, time.Since(begin))
				}
				if v := r.view(u, ""); v.Failed == nil || v.Failed.Message != c.text || v.Active {
					t.Errorf("view %+v", v)
				}
				time.Sleep(2 * time.Hour) // what comes back late is stopped
				synctest.Wait()
				r.wantNothingLeft(u, "")
			})
		})
	}
}

func TestDiagnosis(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.driver.onStart = func(context.Context, spawner.Request) error { return errors.New("exit code 127") }
	r.driver.diagnosis = spawner.Diagnosis{Cause: "command not found", WayOut: "install it", LogTail: []string{"sh: 1: not found"}}
	_, err := r.start(u, "")
	wantErr(t, err, hub.Failed, "exit code 127: command not found")
	if hintOf(err) != "install it" {
		t.Errorf("hint %q", hintOf(err))
	}
	v := r.view(u, "")
	if v.FailedDiagnosis == nil || len(v.FailedDiagnosis.LogTail) != 1 || v.Failed.Reason != "error" {
		t.Errorf("view %+v", v)
	}
	r.driver.onStart = nil
	r.mustStart(u, "")
	if v := r.view(u, ""); v.Failed != nil || v.FailedDiagnosis != nil {
		t.Errorf("a new start forgets the failure: %+v", v)
	}
}

// Wherever a start fails, nothing is left.
func TestEveryStepUndone(t *testing.T) {
	fail := errors.New("no luck")
	for name, c := range map[string]struct {
		change  func(o *rigOptions)
		prepare func(r *rig)
		kind    hub.Kind
		text    string
		stopped bool // hooks after the stop run
	}{
		"refresh_pre_spawn": {change: func(o *rigOptions) {
			o.hooks.RefreshPreSpawn = func(context.Context, *orm.User) error { return &hub.Error{Kind: hub.Forbidden, Message: "expired"} }
		}, kind: hub.Forbidden, text: "expired"},
		"options": {change: func(o *rigOptions) {
			o.traits.UserOptionTraits = map[string]string{"mem": "mem_limit"}
		}, kind: hub.Invalid, text: `Invalid user option "mem": Spawner.mem_limit must be a size such as 512M or 2G, not string`},
		"port": {change: func(o *rigOptions) {
			o.traits.Spawn.Port = 0
			o.wrap = func(d *fakeDriver) spawner.Driver { return portDriver{d, fail} }
		}, kind: hub.Failed, text: "pick a port: no luck"},
		"format": {change: func(o *rigOptions) { o.traits.Spawn.NotebookDir = "~/{user}" }, kind: hub.Failed},
		"pre_spawn_start": {change: func(o *rigOptions) {
			o.hooks.PreSpawnStart = func(context.Context, string, string) error { return fail }
		}, kind: hub.Failed, text: "pre_spawn_start: no luck", stopped: true},
		"auth_state_hook": {change: func(o *rigOptions) {
			o.hooks.AuthState = func(context.Context, *orm.User, *spawner.Request) error { return fail }
		}, kind: hub.Failed, text: "auth_state_hook: no luck", stopped: true},
		"apply_user_options": {change: func(o *rigOptions) {
			o.hooks.ApplyUserOptions = func(context.Context, *spawner.Request, map[string]any) error { return fail }
		}, kind: hub.Invalid, text: "Invalid user options: no luck", stopped: true},
		"apply_user_options says why": {change: func(o *rigOptions) {
			o.hooks.ApplyUserOptions = func(context.Context, *spawner.Request, map[string]any) error {
				return &hub.Error{Kind: hub.Forbidden, Message: "not you"}
			}
		}, kind: hub.Forbidden, text: "not you", stopped: true},
		"pre_spawn_hook": {change: func(o *rigOptions) {
			o.hooks.PreSpawn = func(context.Context, *spawner.Request) error { return fail }
		}, kind: hub.Failed, text: "pre_spawn_hook: no luck", stopped: true},
		"start": {prepare: func(r *rig) {
			r.driver.onStart = func(context.Context, spawner.Request) error { return fail }
		}, kind: hub.Failed, text: "no luck", stopped: true},
		"url": {prepare: func(r *rig) { r.driver.badURL = "http://:x" }, kind: hub.Failed, stopped: true},
		"http": {prepare: func(r *rig) {
			r.prober.wait = func(context.Context, string, func(context.Context) error) (string, error) { return "", fail }
		}, kind: hub.Failed, text: "no luck", stopped: true},
		"route": {prepare: func(r *rig) { r.router.addErr = fail }, kind: hub.Failed,
			text: "The server started, but the proxy could not be told about it", stopped: true},
		"stop fails too, softly": {prepare: func(r *rig) {
			r.router.addErr = fail
			r.driver.onStop = func(_ context.Context, _ spawner.Identity, now bool) error {
				if !now {
					return fail
				}
				return nil
			}
		}, kind: hub.Failed, stopped: true},
	} {
		t.Run(name, func(t *testing.T) {
			posts := 0
			r := newRig(t, func(o *rigOptions) {
				o.hooks.PostStop = func(context.Context, spawner.Identity) error { posts++; return fail }
				o.hooks.PostSpawnStop = func(context.Context, string, string) error { posts++; return fail }
				if c.change != nil {
					c.change(o)
				}
			})
			if c.prepare != nil {
				c.prepare(r)
			}
			u := r.user("alice")
			_, err := r.live.Start(t.Context(), u, "work", hub.StartOptions{UserOptions: map[string]any{"mem": "lots"}})
			wantErr(t, err, c.kind, c.text)
			if (posts == 2) != c.stopped {
				t.Errorf("%d hooks ran after the stop", posts)
			}
			r.wantNothingLeft(u, "work")
			if v := r.view(u, "work"); v.Active {
				t.Errorf("view %+v", v)
			}
			if spawning, active := r.live.Counts(); spawning != 0 || active != 0 {
				t.Errorf("counts %d, %d", spawning, active)
			}
		})
	}
}

// While the database is not there a start is refused as unavailable, and says nothing about the server.
func TestStartWithoutDatabase(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	r.mustStop(u, "", hub.StopOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.live.Start(ctx, u, "", hub.StartOptions{}); err == nil || hub.KindOf(err) == hub.NotFound {
		t.Errorf("error %v", err)
	}
	if v := r.view(u, ""); v.Active {
		t.Errorf("view %+v", v)
	}
}

func TestCancelByStop(t *testing.T) {
	for _, phase := range []string{"refresh", "start", "http"} {
		t.Run(phase, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock goes on when the stop waits, not before
				reached := make(chan struct{})
				r := newRig(t, func(o *rigOptions) {
					if phase == "refresh" {
						o.hooks.RefreshPreSpawn = func(context.Context, *orm.User) error { close(reached); time.Sleep(time.Second); return nil }
					}
				})
				u := r.user("alice")
				switch phase {
				case "start":
					r.driver.onStart = func(ctx context.Context, _ spawner.Request) error {
						close(reached)
						return pause(ctx, time.Hour)
					}
				case "http":
					r.prober.wait = func(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
						close(reached)
						return neverUp(ctx, url, alive)
					}
				}
				result := make(chan error, 1)
				go func() {
					_, err := r.live.Start(t.Context(), u, "work", hub.StartOptions{})
					result <- err
				}()
				<-reached
				r.mustStop(u, "work", hub.StopOptions{})
				err := <-result
				wantErr(t, err, hub.Failed, "Spawn cancelled")
				r.wantNothingLeft(u, "work")
				if v := r.view(u, "work"); v.Failed != nil || v.Active {
					t.Errorf("a start that was called off is no failure: %+v", v)
				}
				_, err = r.live.Progress(t.Context(), u, "work")
				wantErr(t, err, hub.NotFound, "alice:work is not running")
				if r.aborts() != 0 {
					t.Error("a start that was called off counts as a failure")
				}
			})
		})
	}
}

func TestDiedButLooksReady(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	old := r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]
	r.driver.kill("alice")
	r.events.take()
	r.mustStart(u, "")
	want := []string{"delete /user/alice/", "stop alice", "start alice", "add /user/alice/"}
	if got := r.events.take(); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if r.byToken(old) != nil || r.byToken(r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"]) == nil {
		t.Error("tokens of the old and the new server")
	}
	// Many notice at once: one start, and nobody is told to wait.
	r.driver.kill("alice")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.start(u, ""); err != nil && err.Error() != "invalid: alice is already running" {
				t.Errorf("start: %v", err)
			}
		})
	}
	wg.Wait()
	until(t, "the start", func() bool { return r.view(u, "").Ready })
	if n := r.driver.starts(); n != 3 {
		t.Errorf("%d starts", n)
	}
	// A server that cannot be asked is not taken for dead.
	r.driver.onPoll = func() error { return errors.New("no answer") }
	if _, err := r.start(u, ""); err == nil || !r.view(u, "").Ready {
		t.Errorf("error %v", err)
	}
}

func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *rigOptions) { o.traits.PollInterval, o.traits.PollJitter = 30*time.Second, 0.1 })
		u := r.user("alice")
		var fails atomic.Bool
		r.driver.onPoll = func() error {
			if fails.Load() {
				return errors.New("no answer")
			}
			return nil
		}
		r.mustStart(u, "")
		if !r.live.Poll(t.Context(), u.ID, "") || r.live.Poll(t.Context(), u.ID, "no") {
			t.Error("Poll")
		}
		fails.Store(true)
		time.Sleep(40 * time.Second)
		if !r.view(u, "").Ready {
			t.Fatal("one failed poll is not the end")
		}
		fails.Store(false)
		r.driver.kill("alice")
		time.Sleep(40 * time.Second)
		synctest.Wait()
		r.wantNothingLeft(u, "")
		if v := r.view(u, ""); v.Active || v.Failed != nil {
			t.Errorf("view %+v", v)
		}
		if r.log.count("server stopped without being asked") != 1 || slices.Contains(r.watch.actions, "stop alice/") {
			t.Error("only requested stops are events")
		}
		// Another one is found dead by asking.
		r.mustStart(u, "")
		r.driver.kill("alice")
		if r.live.Poll(t.Context(), u.ID, "") || r.view(u, "").Active {
			t.Error("a dead server is cleaned up by Poll")
		}
	})
}

func TestConcurrentSpawnLimit(t *testing.T) {
	const limit, starters = 5, 40
	r := newRig(t, func(o *rigOptions) { o.traits.ConcurrentSpawnLimit = limit })
	gate := make(chan struct{})
	r.driver.onStart = func(context.Context, spawner.Request) error {
		<-gate
		return nil
	}
	users := make([]*orm.User, starters)
	for i := range users {
		users[i] = r.user(fmt.Sprintf("u%d", i))
	}
	var wg sync.WaitGroup
	var refused, started atomic.Int64
	for _, u := range users {
		wg.Go(func() {
			_, err := r.start(u, "")
			var e *hub.Error
			switch {
			case err == nil:
				started.Add(1)
			case errors.As(err, &e) && e.Kind == hub.TooMany:
				refused.Add(1)
				if e.RetryAfter < 30*time.Second || e.RetryAfter > 60*time.Second || !strings.HasPrefix(e.Message, "Too many users trying to log in right now. Try again in ") || !strings.Contains(e.Hint, "concurrent_spawn_limit is 5") {
					t.Errorf("refused with %+v", e)
				}
			default:
				t.Errorf("start: %v", err)
			}
		})
	}
	until(t, "refusals", func() bool { return refused.Load() == starters-limit })
	if spawning, active := r.live.Counts(); spawning != limit || active != limit {
		t.Errorf("counts %d, %d", spawning, active)
	}
	close(gate)
	wg.Wait()
	if started.Load() != limit || r.driver.starts() != limit {
		t.Errorf("%d started, the spawner was asked for %d", started.Load(), r.driver.starts())
	}
	for _, u := range users { // the refused ones may try again, and nothing of the refusal is left
		if v := r.view(u, ""); v.Failed != nil || v.Pending != "" {
			t.Errorf("view %+v", v)
		}
	}
	r.mustStart(users[0], "second")
}

func TestActiveServerLimit(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.ActiveServerLimit = 2 })
	u := r.user("alice")
	r.mustStart(u, "")
	r.mustStart(u, "a")
	_, err := r.start(u, "b")
	wantErr(t, err, hub.TooMany, "Active user limit exceeded. Try again in a few minutes.")
	var e *hub.Error
	if errors.As(err, &e); e.RetryAfter != 0 {
		t.Error("JupyterHub sends no Retry-After here")
	}
	r.mustStop(u, "a", hub.StopOptions{})
	r.mustStart(u, "b")
	if !slices.Contains(r.watch.spawned, "failure:too-many-users") {
		t.Errorf("observed %v", r.watch.spawned)
	}
}

func TestConsecutiveFailureLimit(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.ConsecutiveFailureLimit = 3 })
	u := r.user("alice")
	fails := func(context.Context, spawner.Request) error { return errors.New("broken") }
	refuses := func(context.Context, spawner.Request) error {
		return &hub.Error{Kind: hub.Failed, Status: 400, Message: "policy"}
	}
	for i, f := range []func(context.Context, spawner.Request) error{fails, fails, nil, fails, fails, refuses} {
		r.driver.onStart = f
		if _, err := r.start(u, ""); (err == nil) != (f == nil) {
			t.Fatalf("start %d: %v", i, err)
		}
		r.mustStop(u, "", hub.StopOptions{})
	}
	if r.aborts() != 0 {
		t.Fatal("aborted")
	}
	r.driver.onStart = fails
	if _, err := r.start(u, ""); err == nil {
		t.Error("started")
	}
	until(t, "the end of the hub", func() bool { return r.aborts() == 1 }) // after the answer
}

func TestClosedHubStartsNothing(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	noErr(t, r.live.Close(t.Context()))
	_, err := r.start(u, "other")
	wantErr(t, err, hub.Unavailable, "The hub is stopping")
	_, err = r.live.Stop(t.Context(), u, "", hub.StopOptions{})
	wantErr(t, err, hub.Unavailable, "The hub is stopping")
	if got := r.driver.running(); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("running %v: servers outlive the hub", got)
	}
}

// A start that the end of the hub interrupts is undone and counts for nothing.
func TestCloseDuringStart(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.ConsecutiveFailureLimit = 1 })
	u := r.user("alice")
	reached := make(chan struct{})
	r.driver.onStart = func(ctx context.Context, _ spawner.Request) error { close(reached); return pause(ctx, time.Hour) }
	result := make(chan error, 1)
	go func() { _, err := r.start(u, ""); result <- err }()
	<-reached
	noErr(t, r.live.Close(t.Context()))
	wantErr(t, <-result, hub.Unavailable, "The hub is stopping")
	r.wantNothingLeft(u, "")
	if r.aborts() != 0 {
		t.Error("counted as a failure")
	}
}

// TestClientsOfStartsAtTheSameTime: names that make the same OAuth client id get two, also when their first starts meet.
func TestClientsOfStartsAtTheSameTime(t *testing.T) {
	r := newRig(t)
	owners := [][2]string{{"u", "a-b"}, {"u-a", "b"}, {"u-a-b", ""}}
	users := map[string]*orm.User{}
	for _, o := range owners {
		users[o[0]] = r.user(o[0])
	}
	for range 5 {
		var wg sync.WaitGroup
		for _, o := range owners {
			wg.Go(func() {
				if st, err := r.start(users[o[0]], o[1]); err != nil || st != hub.Started {
					t.Errorf("start of %s/%s: %v %v", o[0], o[1], st, err)
				}
			})
		}
		wg.Wait()
		ids := map[string]bool{}
		for _, o := range owners {
			row := r.row(users[o[0]], o[1])
			ids[*row.OAuthClientID] = true
			client := need(r.store.OAuthClient(t.Context(), *row.OAuthClientID))
			if want := r.live.URLPath(o[0], o[1]) + "oauth_callback"; client.RedirectURI != want {
				t.Errorf("client %s of %s/%s leads to %s", *row.OAuthClientID, o[0], o[1], client.RedirectURI)
			}
		}
		if len(ids) != len(owners) {
			t.Errorf("ids: %v", ids)
		}
		for _, o := range owners {
			r.mustStop(users[o[0]], o[1], hub.StopOptions{})
		}
	}
}
