package hub_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// seenAt returns the stored last activity of a user, zero when there is none.
func seenAt(t testing.TB, s *orm.Store, id int64) time.Time {
	t.Helper()
	u, err := s.User(t.Context(), id)
	noErr(t, err)
	if u.LastActivity == nil {
		return time.Time{}
	}
	return *u.LastActivity
}

func TestActivityIsBatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		u, other := p.user("alice"), p.user("bob")
		row := p.server("alice", "work")
		token := need(p.store.TokensOfUser(t.Context(), u.ID))
		a := hub.NewActivity(hub.ActivityOptions{Store: p.store, Resolution: 30 * time.Second})
		defer a.Close()
		begin := time.Now().UTC().Truncate(time.Microsecond)
		a.SeenUser(u.ID, begin)
		if !seenAt(t, p.store, u.ID).Before(begin) {
			t.Error("requests do not wait for the database")
		}
		time.Sleep(150 * time.Millisecond)
		synctest.Wait()
		if got := seenAt(t, p.store, u.ID); !got.Equal(begin) {
			t.Errorf("stored %v, want %v", got, begin)
		}
		// Within the resolution nothing is written, after it is.
		a.SeenUser(u.ID, begin.Add(29*time.Second))
		noErr(t, a.Flush(t.Context()))
		if got := seenAt(t, p.store, u.ID); !got.Equal(begin) {
			t.Errorf("stored %v within the resolution", got)
		}
		a.SeenUser(u.ID, begin.Add(31*time.Second))
		a.SeenUser(other.ID, begin.Add(time.Second))
		noErr(t, a.Flush(t.Context()))
		if got := seenAt(t, p.store, u.ID); !got.Equal(begin.Add(31 * time.Second)) {
			t.Errorf("stored %v", got)
		}
		// What the proxy saw counts for server and user, and never moves back.
		a.SeenServer(row.ID, u.ID, begin.Add(10*time.Second))
		noErr(t, a.Flush(t.Context()))
		got := need(p.store.Spawner(t.Context(), row.ID))
		if !got.LastActivity.Equal(begin.Add(10*time.Second)) || !seenAt(t, p.store, u.ID).Equal(begin.Add(31*time.Second)) {
			t.Errorf("server %v, user %v", got.LastActivity, seenAt(t, p.store, u.ID))
		}
		_ = token
	})
}

func TestPostActivity(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	u := p.user("alice")
	p.server("alice", "work")
	a := hub.NewActivity(hub.ActivityOptions{Store: p.store})
	now := time.Now().UTC().Truncate(time.Microsecond)
	before := seenAt(t, p.store, u.ID)
	for name, r := range map[string]hub.ActivityReport{
		"unknown server":   {LastActivity: now, Servers: map[string]time.Time{"work": now, "no": now}},
		"server in future": {LastActivity: now, Servers: map[string]time.Time{"work": now.Add(time.Hour)}},
		"user in future":   {LastActivity: now.Add(61 * time.Minute), Servers: map[string]time.Time{"work": now}},
	} {
		wantErr(t, a.Post(ctx, u, r), hub.Invalid, "")
		noErr(t, a.Flush(ctx))
		row := need(p.store.SpawnerByName(ctx, u.ID, "work"))
		if row.LastActivity != nil || !seenAt(t, p.store, u.ID).Equal(before) {
			t.Errorf("%s: half of it was stored", name)
		}
	}
	noErr(t, a.Post(ctx, u, hub.ActivityReport{LastActivity: now.Add(time.Minute), Servers: map[string]time.Time{"work": now, "": now}}))
	row := need(p.store.SpawnerByName(ctx, u.ID, "work"))
	if !row.LastActivity.Equal(now) || !seenAt(t, p.store, u.ID).Equal(now.Add(time.Minute)) {
		t.Errorf("stored %v, %v", row.LastActivity, seenAt(t, p.store, u.ID))
	}
	noErr(t, a.Post(ctx, u, hub.ActivityReport{Servers: map[string]time.Time{"work": now.Add(-time.Hour)}}))
	if row = need(p.store.SpawnerByName(ctx, u.ID, "work")); !row.LastActivity.Equal(now) {
		t.Errorf("activity moved back to %v", row.LastActivity)
	}
	noErr(t, a.Post(ctx, u, hub.ActivityReport{}))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := a.Post(gone, u, hub.ActivityReport{LastActivity: now}); err == nil {
		t.Error("posted for somebody who went away")
	}
	// Closing writes what is left, twice is no error, and afterwards nothing hangs.
	a.SeenUser(u.ID, now.Add(2*time.Minute))
	a.Close()
	a.Close()
	if got := seenAt(t, p.store, u.ID); !got.Equal(now.Add(2 * time.Minute)) {
		t.Errorf("Close wrote %v", got)
	}
	wantErr(t, a.Post(ctx, u, hub.ActivityReport{LastActivity: now}), hub.Unavailable, "")
	if a.Flush(ctx) == nil {
		t.Error("flushed after Close")
	}
}

// 5000 reports at once are stored before they are answered, in few transactions.
func TestManyReports(t *testing.T) {
	const users, posts = 50, 5000
	var statements atomic.Int64
	store := need(orm.Open(t.Context(), orm.Options{URL: filepath.Join(t.TempDir(), "hub.sqlite"), OnQuery: func(time.Duration) { statements.Add(1) }}))
	defer store.Close()
	all := make([]*orm.User, users)
	for i := range all {
		all[i] = &orm.User{Name: fmt.Sprintf("u%d", i), CookieID: fmt.Sprintf("c%d", i)}
	}
	noErr(t, store.CreateUsers(t.Context(), all))
	a := hub.NewActivity(hub.ActivityOptions{Store: store})
	defer a.Close()
	base := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	statements.Store(0)
	var wg sync.WaitGroup
	for w := range users {
		wg.Go(func() {
			for i := range posts / users {
				if err := a.Post(t.Context(), all[w], hub.ActivityReport{LastActivity: base.Add(time.Duration(i) * time.Second)}); err != nil {
					t.Errorf("post: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for _, u := range all {
		if got := seenAt(t, store, u.ID); !got.Equal(base.Add((posts/users - 1) * time.Second)) {
			t.Fatalf("%s was seen %v", u.Name, got)
		}
	}
	// One read for each report; the rest are batches.
	if writes := statements.Load() - posts - users; writes > posts/2 {
		t.Errorf("%d statements beside the reads of %d posts", writes, posts)
	} else {
		t.Logf("%d statements beside the reads", writes)
	}
}
