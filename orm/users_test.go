package orm_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func userNames(users []orm.User) []string {
	out := []string{}
	for _, u := range users {
		out = append(out, u.Name)
	}
	return out
}

func TestUsers(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := &orm.User{Name: "ada", UserInfo: orm.JSONDict{"mail": "a@x"}, State: nil}
		ok(t, s.CreateUsers(ctx, []*orm.User{u, {Name: "Ünal"}}))
		if u.ID == 0 || len(u.CookieID) != 32 || u.Created == nil || time.Since(*u.Created) > time.Minute {
			t.Errorf("created: %+v", u)
		}
		got := must(s.User(ctx, u.ID))
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("user changed on the way through the database:\n%s", diff)
		}
		if by := must(s.UserByCookieID(ctx, u.CookieID)); by.ID != u.ID {
			t.Errorf("by cookie: %+v", by)
		}
		for what, err := range map[string]error{
			"id":     second(s.User(ctx, 999)),
			"name":   second(s.UserByName(ctx, "ADA")),
			"cookie": second(s.UserByCookieID(ctx, "")),
			"update": s.UpdateUser(ctx, &orm.User{ID: 999, Name: "x", CookieID: "c"}),
			"delete": s.DeleteUser(ctx, 999),
		} {
			if !errors.Is(err, orm.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
		}
		err := s.CreateUsers(ctx, []*orm.User{{Name: "new"}, {Name: "ada"}})
		if !errors.Is(err, orm.ErrConflict) {
			t.Errorf("second ada: %v, want ErrConflict", err)
		}
		if _, err := s.UserByName(ctx, "new"); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("half of a failed bulk creation stayed: %v", err)
		}
		got.Name, got.Admin, got.UserInfo = "eve", true, nil
		ok(t, s.UpdateUser(ctx, got, "admin", "user_info"))
		again := must(s.User(ctx, u.ID))
		if again.Name != "ada" || !again.Admin || again.UserInfo != nil {
			t.Errorf("update of two columns: %+v", again)
		}
		again.Admin = false
		ok(t, s.UpdateUser(ctx, again))
		if must(s.User(ctx, u.ID)).Admin {
			t.Error("false was not written")
		}
		if n := must(s.CountUsers(ctx)); n != 2 {
			t.Errorf("count: %d", n)
		}
		if got := must(s.UsersByName(ctx, []string{"ada", "ada", "nobody", "Ünal"})); len(got) != 2 || got["ada"].ID != u.ID {
			t.Errorf("by name: %v", got)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestActivityOnlyMovesForward(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		a, b, c := addUser(t, s, "a"), addUser(t, s, "b"), addUser(t, s, "c")
		ok(t, s.TouchUsers(ctx, map[int64]time.Time{a.ID: at(5), b.ID: at(5).In(time.FixedZone("x", 3600))}))
		ok(t, s.TouchUsers(ctx, map[int64]time.Time{a.ID: at(4), b.ID: at(6), 999: at(6)}))
		ok(t, s.TouchUsers(ctx, nil))
		users := must(s.UsersByID(ctx, []int64{a.ID, b.ID, c.ID}))
		if !users[a.ID].LastActivity.Equal(at(5)) || !users[b.ID].LastActivity.Equal(at(6)) || users[c.ID].LastActivity != nil {
			t.Errorf("activity: %v %v %v", users[a.ID].LastActivity, users[b.ID].LastActivity, users[c.ID].LastActivity)
		}
		if n := must(s.CountActiveUsers(ctx, at(6))); n != 1 {
			t.Errorf("active since 6: %d", n)
		}
		token := addToken(t, s, a, "")
		sp, _ := addServer(t, s, a, "")
		ok(t, s.TouchTokens(ctx, map[int64]time.Time{token.ID: at(7)}))
		ok(t, s.TouchSpawners(ctx, map[int64]time.Time{sp.ID: at(8)}))
		if got := must(s.Token(ctx, token.ID)); !got.LastActivity.Equal(at(7)) {
			t.Errorf("token: %v", got.LastActivity)
		}
		if got := must(s.Spawner(ctx, sp.ID)); !got.LastActivity.Equal(at(8)) {
			t.Errorf("server: %v", got.LastActivity)
		}
	})
}

func TestListUsers(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		var pending, running int64
		for i, name := range []string{"delta", "alpha", "charlie", "bra_vo", "echo"} {
			u := addUser(t, s, name)
			if i%2 == 0 {
				ok(t, s.TouchUsers(ctx, map[int64]time.Time{u.ID: at(5 - i/4)}))
			}
			switch name {
			case "alpha":
				sp, _ := addServer(t, s, u, "")
				running = sp.ID
				addServer(t, s, u, "two")
			case "bra_vo":
				sp := &orm.Spawner{UserID: u.ID, Name: ""}
				ok(t, s.CreateSpawner(ctx, sp))
				pending = sp.ID
			}
		}
		lab := &orm.Group{Name: "lab"}
		ok(t, s.CreateGroups(ctx, []*orm.Group{lab}))
		ok(t, s.AddToGroup(ctx, lab.ID, []int64{must(s.UserByName(ctx, "echo")).ID}))
		tests := []struct {
			what  string
			q     orm.UserQuery
			total int
			want  []string
		}{
			{"all by id", orm.UserQuery{}, 5, []string{"delta", "alpha", "charlie", "bra_vo", "echo"}},
			{"downwards", orm.UserQuery{Desc: true, Limit: 2}, 5, []string{"echo", "bra_vo"}},
			{"page", orm.UserQuery{Offset: 1, Limit: 2}, 5, []string{"alpha", "charlie"}},
			{"offset alone", orm.UserQuery{Offset: 3}, 5, []string{"bra_vo", "echo"}},
			{"behind the end", orm.UserQuery{Offset: 9, Limit: 2}, 5, []string{}},
			{"by name", orm.UserQuery{Sort: "name"}, 5, []string{"alpha", "bra_vo", "charlie", "delta", "echo"}},
			{"by activity", orm.UserQuery{Sort: "last_activity"}, 5, []string{"alpha", "bra_vo", "echo", "delta", "charlie"}},
			{"by activity downwards", orm.UserQuery{Sort: "last_activity", Desc: true}, 5, []string{"delta", "charlie", "echo", "alpha", "bra_vo"}},
			{"active", orm.UserQuery{State: "active"}, 1, []string{"alpha"}},
			{"active with pending", orm.UserQuery{State: "active", ActiveSpawners: []int64{pending}}, 2, []string{"alpha", "bra_vo"}},
			{"ready", orm.UserQuery{State: "ready"}, 1, []string{"alpha"}},
			{"ready with pending", orm.UserQuery{State: "ready", ActiveSpawners: []int64{pending, running}}, 1, []string{"alpha"}}, // by its other server
			{"ready with all pending", orm.UserQuery{State: "ready", ActiveSpawners: []int64{running, running + 1, pending}}, 0, []string{}},
			{"inactive", orm.UserQuery{State: "inactive"}, 4, []string{"delta", "charlie", "bra_vo", "echo"}},
			{"inactive with pending", orm.UserQuery{State: "inactive", ActiveSpawners: []int64{pending}}, 3, []string{"delta", "charlie", "echo"}},
			{"part of name", orm.UserQuery{NameFilter: "AL", Sort: "name"}, 1, []string{"alpha"}},
			{"no wildcard", orm.UserQuery{NameFilter: "a_v"}, 1, []string{"bra_vo"}},
			{"percent", orm.UserQuery{NameFilter: "%"}, 0, []string{}},
			{"quote", orm.UserQuery{NameFilter: `'\`}, 0, []string{}},
			{"only users", orm.UserQuery{OnlyUsers: []string{"alpha", "nobody"}}, 1, []string{"alpha"}},
			{"only groups", orm.UserQuery{OnlyGroups: []string{"lab"}}, 1, []string{"echo"}},
			{"either", orm.UserQuery{OnlyUsers: []string{"alpha"}, OnlyGroups: []string{"lab"}}, 2, []string{"alpha", "echo"}},
			{"nobody", orm.UserQuery{OnlyUsers: []string{}}, 0, []string{}},
			{"together", orm.UserQuery{OnlyUsers: []string{"alpha", "delta"}, State: "inactive", NameFilter: "lt"}, 1, []string{"delta"}},
		}
		for _, tt := range tests {
			users, total, err := s.ListUsers(ctx, tt.q)
			ok(t, err)
			if diff := cmp.Diff(tt.want, userNames(users)); diff != "" || total != tt.total {
				t.Errorf("%s: total %d want %d\n%s", tt.what, total, tt.total, diff)
			}
		}
	})
}

func TestAllUsersStreamsEverybody(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		var users []*orm.User
		for i := range 1203 {
			users = append(users, &orm.User{Name: fmt.Sprintf("u%04d", i)})
		}
		ok(t, s.CreateUsers(ctx, users))
		var got []string
		for u, err := range s.AllUsers(ctx) {
			ok(t, err)
			got = append(got, u.Name)
			if len(got) == 600 { // the caller may write while it reads
				ok(t, s.UpdateUser(ctx, u, "admin"))
			}
		}
		if len(got) != len(users) || !slices.IsSorted(got) {
			t.Errorf("%d users", len(got))
		}
		var ids []int64
		for _, u := range users {
			ids = append(ids, u.ID)
		}
		if by := must(s.UsersByID(ctx, ids)); len(by) != len(users) {
			t.Errorf("by id: %d", len(by))
		}
		for range s.AllUsers(ctx) {
			break
		}
	})
}
