package hub_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

var (
	requested = hub.ProgressEvent{Progress: 0, Message: "Server requested"}
	spawning  = hub.ProgressEvent{Progress: 50, Message: "Spawning server..."}
	aliceUp   = hub.ProgressEvent{Progress: 100, Ready: true, URL: "/user/alice/", Message: "Server ready at /user/alice/",
		HTMLMessage: `Server ready at <a href="/user/alice/">/user/alice/</a>`}
)

func (r *rig) events2(ctx context.Context, u *orm.User, name string) []hub.ProgressEvent {
	seq, err := r.live.Progress(ctx, u, name)
	if err != nil {
		r.t.Errorf("progress: %v", err)
		return nil
	}
	return slices.Collect(seq)
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		u := r.user("alice")
		_, err := r.live.Progress(t.Context(), u, "")
		wantErr(t, err, hub.NotFound, "")
		_, err = r.live.Progress(t.Context(), u, "nothing")
		wantErr(t, err, hub.NotFound, "")
		r.driver.onStart = func(ctx context.Context, _ spawner.Request) error { return pause(ctx, time.Minute/2) }
		go func() { _, _ = r.start(u, "") }()
		time.Sleep(time.Second)
		var followers sync.WaitGroup
		for i := range 5 {
			followers.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // whoever comes late gets what was
				if d := cmp.Diff([]hub.ProgressEvent{requested, spawning, aliceUp}, r.events2(t.Context(), u, "")); d != "" {
					t.Errorf("events %s", d)
				}
			})
		}
		// One goes away, one stops reading.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if got := r.events2(ctx, u, ""); !slices.Equal(got, []hub.ProgressEvent{requested, spawning}) {
			t.Errorf("events %v", got)
		}
		seq := need(r.live.Progress(t.Context(), u, ""))
		for range seq {
			break
		}
		followers.Wait()
		if got := r.events2(t.Context(), u, ""); !slices.Equal(got, []hub.ProgressEvent{aliceUp}) {
			t.Errorf("events of a ready server %v", got)
		}
		r.mustStop(u, "", hub.StopOptions{})
	})
}

func TestProgressOfFailures(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.ConcurrentSpawnLimit = 1 })
	u := r.user("alice")
	gate := make(chan struct{})
	r.driver.onStart = func(ctx context.Context, req spawner.Request) error {
		<-gate
		return &hub.Error{Kind: hub.Failed, Message: "no room", HTMLMessage: "<b>no</b> room", Status: 400}
	}
	go func() { _, _ = r.start(u, "") }()
	until(t, "the start", func() bool { return r.driver.starts() == 1 })
	events := make(chan []hub.ProgressEvent)
	go func() { events <- r.events2(t.Context(), u, "") }()
	close(gate)
	failed := hub.ProgressEvent{Progress: 100, Failed: true, Message: "Spawn failed: no room", HTMLMessage: "<b>no</b> room"}
	got := <-events
	if last := got[len(got)-1]; last != failed {
		t.Errorf("events %v", got)
	}
	if got := r.events2(t.Context(), u, ""); !slices.Equal(got, []hub.ProgressEvent{failed}) {
		t.Errorf("the failure is told to those who come later: %v", got)
	}
}

// An exception's own text is for those who follow the start; the answer of the request has another one.
func TestProgressMayTellMore(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	r.driver.onStart = func(context.Context, spawner.Request) error {
		return &hub.Error{Kind: hub.Failed, Message: "Unhandled error", Progress: "no such volume"}
	}
	_, err := r.start(u, "")
	wantErr(t, err, hub.Failed, "Unhandled error")
	if got := r.events2(t.Context(), u, ""); len(got) != 1 || got[0].Message != "Spawn failed: no such volume" {
		t.Errorf("progress %v", got)
	}
}

// Followers of a start that is refused before it began are told.
func TestProgressOfRefusedStart(t *testing.T) {
	reached, gate := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(o *rigOptions) {
		o.hooks.RefreshPreSpawn = func(context.Context, *orm.User) error {
			close(reached)
			<-gate
			return &hub.Error{Kind: hub.Forbidden, Message: "auth has expired"}
		}
	})
	u := r.user("alice")
	go func() { _, _ = r.start(u, "") }()
	<-reached
	seq := need(r.live.Progress(t.Context(), u, ""))
	close(gate)
	want := []hub.ProgressEvent{requested, {Progress: 100, Failed: true, Message: "Spawn failed: auth has expired"}}
	if got := slices.Collect(seq); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
	if v := r.view(u, ""); v.Failed != nil {
		t.Errorf("view %+v", v)
	}
}

func TestSpawnersOwnProgress(t *testing.T) {
	r := newRig(t, func(o *rigOptions) {
		o.wrap = func(d *fakeDriver) spawner.Driver {
			return progressDriver{d, []spawner.Event{{Progress: 10, Message: "pulling"}, {Progress: 80, Message: "pulled", HTMLMessage: "<i>pulled</i>"}}}
		}
		o.hooks.ProgressReady = func(_ context.Context, id spawner.Identity, e hub.ProgressEvent) (hub.ProgressEvent, error) {
			if id.ServerName == "bad" {
				return hub.ProgressEvent{}, errors.New("hook is broken")
			}
			e.Message = "Hello " + id.UserName
			return e, nil
		}
	})
	u := r.user("alice")
	gate := make(chan struct{})
	r.driver.onStart = func(context.Context, spawner.Request) error { <-gate; return nil }
	go func() { _, _ = r.start(u, "") }()
	until(t, "the start", func() bool { return r.driver.starts() == 1 })
	var messages []string
	for e := range need(r.live.Progress(t.Context(), u, "")) {
		if messages = append(messages, e.Message); len(messages) == 3 {
			close(gate)
		}
	}
	if !slices.Equal(messages, []string{"Server requested", "pulling", "pulled", "Hello alice"}) {
		t.Errorf("messages %v", messages)
	}
	r.mustStart(u, "bad")
	if got := r.events2(t.Context(), u, "bad"); len(got) != 1 || got[0].Message != "Server ready at /user/alice/bad/" {
		t.Errorf("events %v", got)
	}
}
