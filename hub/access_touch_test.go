package hub_test

import (
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// busy writes the activity of a user all the time, as a hub with many servers does.
func busy(t *testing.T, p *people, id int64) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		pace := time.NewTimer(0)
		defer pace.Stop()
		for at := time.Now().UTC(); ; at = at.Add(time.Millisecond) {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			if err := p.store.Touch(t.Context(), orm.Touches{Users: map[int64]time.Time{id: at}}); err != nil {
				t.Error(err)
				return
			}
			pace.Reset(10 * time.Millisecond) // others want to write, too
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
}

// What another hub, or a script, does to the database counts from the next request on, however much activity this hub writes itself.
func TestAuthorityOfOthersCountsAtOnce(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	other := need(orm.Open(ctx, orm.Options{URL: p.path}))
	defer other.Close()
	busy(t, p, p.user("busy").ID)
	for _, row := range []struct {
		name   string
		change func(store *orm.Store, user *orm.User, token int64) error
		want   func(user *orm.User, token string) bool
	}{
		{"token revoked", func(s *orm.Store, _ *orm.User, token int64) error { return s.DeleteTokens(ctx, []int64{token}) },
			func(_ *orm.User, token string) bool { return need(p.access.ByToken(ctx, token)) == nil }},
		{"user deleted", func(s *orm.Store, u *orm.User, _ int64) error { return s.DeleteUser(ctx, u.ID) },
			func(u *orm.User, token string) bool {
				return need(p.access.ByToken(ctx, token)) == nil && need(p.access.BySession(ctx, u.CookieID, "s")) == nil
			}},
		{"role taken away", func(s *orm.Store, u *orm.User, _ int64) error {
			return s.SetRoles(ctx, orm.HolderUser, u.ID, nil, false)
		},
			func(u *orm.User, token string) bool {
				return len(need(p.access.ByToken(ctx, token)).Expanded) == 0 && len(need(p.access.BySession(ctx, u.CookieID, "s")).Expanded) == 0
			}},
		{"logged out everywhere", func(s *orm.Store, u *orm.User, _ int64) error {
			c := *u
			c.CookieID = orm.NewToken()
			return s.UpdateUser(ctx, &c, "cookie_id")
		}, func(u *orm.User, _ string) bool { return need(p.access.BySession(ctx, u.CookieID, "s")) == nil }},
	} {
		for who, store := range map[string]*orm.Store{"this hub": p.store, "another": other} {
			t.Run(row.name+" by "+who, func(t *testing.T) {
				for range 5 {
					user := p.user("u" + orm.NewToken()[:12])
					token := p.token(user.Name, "inherit")
					id := need(p.access.ByToken(ctx, token))
					if id == nil || len(id.Expanded) == 0 || need(p.access.BySession(ctx, user.CookieID, "s")) == nil {
						t.Fatal("token or session does not work")
					}
					need(p.access.ByToken(ctx, token)) // out of the cache
					noErr(t, row.change(store, user, id.Token.ID))
					if !row.want(user, token) {
						t.Fatal("the old answer was given")
					}
				}
			})
		}
	}
}

// The activity of others costs those who ask nothing, one's own is seen.
func TestActivityOfOthersKeepsTheCache(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	alice, bob := p.user("alice"), p.user("bob")
	at := time.Now().UTC().Truncate(time.Second)
	token := p.token("alice", "inherit")
	tokenID := need(p.access.ByToken(ctx, token)).Token.ID
	noErr(t, p.store.Touch(ctx, orm.Touches{Users: map[int64]time.Time{alice.ID: at, bob.ID: at}, Tokens: map[int64]time.Time{tokenID: at}}))
	first := need(p.access.ByToken(ctx, token))
	if !first.User.LastActivity.Equal(at) {
		t.Errorf("last activity %v, want %v", first.User.LastActivity, at)
	}
	for i := range 5 {
		noErr(t, p.store.Touch(ctx, orm.Touches{Users: map[int64]time.Time{bob.ID: at.Add(time.Duration(i) * time.Minute)}}))
		if id := need(p.access.ByToken(ctx, token)); id != first {
			t.Error("the activity of bob made alice's token be looked up again")
		}
	}
	later := at.Add(time.Hour)
	noErr(t, p.store.Touch(ctx, orm.Touches{Users: map[int64]time.Time{alice.ID: later}}))
	if id := need(p.access.ByToken(ctx, token)); !id.User.LastActivity.Equal(later) {
		t.Errorf("last activity %v, want %v", id.User.LastActivity, later)
	}
}

// The first use of a credential waits for no write, shows at once, and is stored when rows with activity are to be shown.
func TestFirstUseShowsAtOnce(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	activity := hub.NewActivity(hub.ActivityOptions{Store: p.store, Resolution: 30 * time.Second, Delay: time.Hour})
	defer activity.Close()
	access := hub.NewAccess(hub.AccessOptions{Store: p.store, Catalog: p.catalog, Seen: activity})
	// A row of an older hub: its user was never seen.
	alice := p.user("alice")
	alice.LastActivity = nil
	noErr(t, p.store.UpdateUser(ctx, alice, "last_activity"))
	token := p.token("alice", "inherit")
	begin := time.Now().UTC().Truncate(time.Microsecond)
	byToken := need(access.ByToken(ctx, token))
	session := need(access.BySession(ctx, alice.CookieID, "s"))
	for range 2 { // out of the cache, too
		for name, at := range map[string]*time.Time{"token": byToken.Token.LastActivity, "its user": byToken.User.LastActivity, "user": session.User.LastActivity} {
			if at == nil || at.Before(begin) {
				t.Errorf("%s was last active %v, want from %v on", name, at, begin)
			}
		}
		byToken, session = need(access.ByToken(ctx, token)), need(access.BySession(ctx, alice.CookieID, "s"))
	}
	// Nor is it lost when the identity is read again, as after auth_refresh_age.
	again, browser := need(access.Reload(ctx, byToken)), need(access.Reload(ctx, session))
	if !again.User.LastActivity.Equal(*byToken.User.LastActivity) || !again.Token.LastActivity.Equal(*byToken.Token.LastActivity) || browser.User.LastActivity == nil {
		t.Errorf("read again: user %v, token %v, browser %v", again.User.LastActivity, again.Token.LastActivity, browser.User.LastActivity)
	}
	if row := need(p.store.Token(ctx, byToken.Token.ID)); row.LastActivity != nil {
		t.Error("the first use waited for the database")
	}
	access.Settle(ctx)
	row := need(p.store.Token(ctx, byToken.Token.ID))
	if row.LastActivity == nil || !row.LastActivity.Equal(*byToken.Token.LastActivity) || seenAt(t, p.store, alice.ID).Before(begin) {
		t.Errorf("stored %v, want %v", row.LastActivity, byToken.Token.LastActivity)
	}
	// What counts is the database: a role that is taken away, a token that is revoked while activity waits or has just been written.
	noErr(t, p.store.SetRoles(ctx, orm.HolderUser, alice.ID, nil, false))
	if id := need(access.ByToken(ctx, token)); len(id.Expanded) != 0 {
		t.Errorf("still holds %v", id.Expanded)
	}
	noErr(t, p.store.Touch(ctx, orm.Touches{Tokens: map[int64]time.Time{row.ID: begin.Add(time.Hour)}}))
	if id := need(access.ByToken(ctx, token)); len(id.Expanded) != 0 || !id.Token.LastActivity.Equal(begin.Add(time.Hour)) {
		t.Errorf("after a touch: holds %v, active %v", id.Expanded, id.Token.LastActivity)
	}
	noErr(t, p.store.DeleteTokens(ctx, []int64{row.ID}))
	if id := need(access.ByToken(ctx, token)); id != nil {
		t.Error("a revoked token works")
	}
}
