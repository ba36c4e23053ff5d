package hub_test

import (
	"context"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// newBusyRig has a hub that gives up waiting for the database soon, and lock, which keeps everybody else from writing until it is released.
func newBusyRig(t *testing.T) (r *rig, lock func() (release func())) {
	r = newRig(t)
	quick := need(orm.Open(t.Context(), orm.Options{URL: r.path, Kwargs: map[string]any{"connect_args": map[string]any{"timeout": 0.05}}}))
	t.Cleanup(func() { _ = quick.Close() })
	r.options.Store = quick
	r.newHub()
	return r, func() func() {
		locked, free, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_ = r.store.Tx(context.Background(), func(*orm.Store) error { close(locked); <-free; return nil })
		}()
		<-locked
		return func() { close(free); <-done }
	}
}

// A busy database is a 503, starts nothing, leaves nothing, and is not the user's or the spawner's failure.
func TestStartWhileDatabaseIsBusy(t *testing.T) {
	r, lock := newBusyRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	r.mustStop(u, "", hub.StopOptions{})
	n := r.driver.starts()
	release := lock()
	for _, o := range []hub.StartOptions{{KeepOptions: true}, {UserOptions: map[string]any{"a": 1}}} {
		_, err := r.live.Start(t.Context(), u, "", o)
		wantErr(t, err, hub.Unavailable, "The database is busy or unreachable, try again")
	}
	_, err := r.live.Create(t.Context(), u, "new", "", nil)
	wantErr(t, err, hub.Unavailable, "")
	_, err = r.live.Start(t.Context(), u, "new", hub.StartOptions{})
	wantErr(t, err, hub.Unavailable, "")
	_, err = r.live.Update(t.Context(), u, "", hub.ServerPatch{UserOptions: &map[string]any{}})
	wantErr(t, err, hub.Unavailable, "")
	release()
	if r.driver.starts() != n {
		t.Error("a process was started without a trace in the database")
	}
	r.wantNothingLeft(u, "")
	r.mustStart(u, "")
}

// A server that is stopped while the database is busy loses its token as soon as the database can be written.
func TestStopWhileDatabaseIsBusy(t *testing.T) {
	r, lock := newBusyRig(t)
	u := r.user("alice")
	r.mustStart(u, "")
	release := lock()
	finished := make(chan error, 1)
	go func() { _, err := r.live.Stop(t.Context(), u, "", hub.StopOptions{}); finished <- err }()
	until(t, "the end of the process", func() bool { return len(r.driver.running()) == 0 })
	release()
	noErr(t, <-finished)
	r.wantNothingLeft(u, "")

	// It stays busy for long: the stop says so, and the next one finishes it.
	r.mustStart(u, "")
	release = lock()
	_, err := r.live.Stop(t.Context(), u, "", hub.StopOptions{})
	wantErr(t, err, hub.Unavailable, "")
	release()
	if len(r.driver.running()) != 0 || r.row(u, "").ServerID == nil {
		t.Error("the process is gone, its rows are not")
	}
	r.mustStop(u, "", hub.StopOptions{})
	r.wantNothingLeft(u, "")
}

func TestActivityWhileDatabaseIsBusy(t *testing.T) {
	r, lock := newBusyRig(t)
	u := r.user("alice")
	a := hub.NewActivity(hub.ActivityOptions{Store: r.options.Store})
	defer a.Close()
	at := *need(r.store.UserByName(t.Context(), "alice")).Created
	at = at.Add(3600e9)
	release := lock()
	a.SeenUser(u.ID, at)
	if a.Flush(t.Context()) == nil {
		t.Error("flushed")
	}
	release()
	noErr(t, a.Flush(t.Context()))
	if got := seenAt(t, r.store, u.ID); !got.Equal(at) {
		t.Errorf("activity was lost: %v, want %v", got, at)
	}
}
