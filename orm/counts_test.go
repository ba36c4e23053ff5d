package orm_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

func counting(n *atomic.Int64) func(time.Duration) {
	return func(time.Duration) { n.Add(1) }
}

// Every method needs the same number of statements for three rows and for sixty.
func TestNoQueryPerRow(t *testing.T) {
	ctx := t.Context()
	var n atomic.Int64
	type fixture struct {
		s                       *orm.Store
		users, groups, spawners []int64
		names                   []string
		owner                   *orm.User
		role                    *orm.Role
	}
	build := func(size int) fixture {
		f := fixture{s: openWith(t, orm.Options{URL: "sqlite://", OnQuery: counting(&n)})}
		f.owner = addUser(t, f.s, "owner")
		f.role = &orm.Role{Name: "r"}
		ok(t, f.s.CreateRole(ctx, f.role))
		for i := range size {
			u := addUser(t, f.s, fmt.Sprint("u", i))
			sp, _ := addServer(t, f.s, u, "")
			mine, _ := addServer(t, f.s, f.owner, fmt.Sprint("s", i))
			g := &orm.Group{Name: fmt.Sprint("g", i)}
			ok(t, f.s.CreateGroups(ctx, []*orm.Group{g}))
			ok(t, f.s.AddToGroup(ctx, g.ID, []int64{f.owner.ID, u.ID}))
			ok(t, f.s.Grant(ctx, orm.HolderGroup, []int64{g.ID}, f.role.ID, false))
			ok(t, f.s.SaveShare(ctx, &orm.Share{OwnerID: u.ID, SpawnerID: sp.ID, UserID: &f.owner.ID}))
			ok(t, f.s.CreateShareCode(ctx, &orm.ShareCode{OwnerID: f.owner.ID, SpawnerID: mine.ID, Hashed: fmt.Sprint(i), Prefix: "abcd"}))
			f.users, f.groups, f.spawners, f.names = append(f.users, u.ID), append(f.groups, g.ID), append(f.spawners, sp.ID), append(f.names, u.Name)
		}
		return f
	}
	activity := func(ids []int64) map[int64]time.Time {
		out := map[int64]time.Time{}
		for _, id := range ids {
			out[id] = at(7)
		}
		return out
	}
	calls := []struct {
		what string
		max  int64
		call func(f fixture) error
	}{
		{"UsersByID", 1, func(f fixture) error { return second(f.s.UsersByID(ctx, f.users)) }},
		{"UsersByName", 1, func(f fixture) error { return second(f.s.UsersByName(ctx, f.names)) }},
		{"GroupNamesOfUsers", 1, func(f fixture) error { return second(f.s.GroupNamesOfUsers(ctx, f.users)) }},
		{"RoleNamesOfUsers", 1, func(f fixture) error { return second(f.s.RoleNamesOfUsers(ctx, f.users)) }},
		{"SpawnersOfUsers", 1, func(f fixture) error { return second(f.s.SpawnersOfUsers(ctx, f.users)) }},
		{"MemberNames", 1, func(f fixture) error { return second(f.s.MemberNames(ctx, f.groups)) }},
		{"ListUsers", 4, func(f fixture) error { _, _, err := f.s.ListUsers(ctx, orm.UserQuery{State: "active"}); return err }},
		{"ListGroups", 4, func(f fixture) error { _, _, err := f.s.ListGroups(ctx, orm.GroupQuery{}); return err }},
		{"AuthorityOfUser", 6, func(f fixture) error { return second(f.s.AuthorityOfUser(ctx, f.owner.ID)) }},
		{"RunningSpawners", 8, func(f fixture) error { return second(f.s.RunningSpawners(ctx)) }},
		{"SharesWithUser", 5, func(f fixture) error { _, _, err := f.s.SharesWithUser(ctx, f.owner.ID, orm.ShareQuery{}); return err }},
		{"ShareCodesOfOwner", 5, func(f fixture) error {
			_, _, err := f.s.ShareCodesOfOwner(ctx, f.owner.ID, orm.ShareQuery{})
			return err
		}},
		{"TokensByPrefix", 1, func(f fixture) error { return second(f.s.TokensByPrefix(ctx, "abcd", at(1))) }},
		{"TouchUsers", 3, func(f fixture) error { return f.s.TouchUsers(ctx, activity(f.users)) }},
		{"TouchSpawners", 3, func(f fixture) error { return f.s.TouchSpawners(ctx, activity(f.spawners)) }},
		{"Grant", 3, func(f fixture) error { return f.s.Grant(ctx, orm.HolderUser, f.users, f.role.ID, false) }},
		{"Strip", 3, func(f fixture) error { return f.s.Strip(ctx, orm.HolderUser, f.users, f.role.ID) }},
		{"SetUserGroups", 4, func(f fixture) error { return f.s.SetUserGroups(ctx, f.owner.ID, f.groups) }},
		{"RemoveFromGroup", 3, func(f fixture) error { return f.s.RemoveFromGroup(ctx, f.groups[0], f.users) }},
		{"CreateUsers", 3, func(f fixture) error {
			var more []*orm.User
			for i := range f.users {
				more = append(more, &orm.User{Name: fmt.Sprint("more", i)})
			}
			return f.s.CreateUsers(ctx, more)
		}},
		{"DeleteUser", 22, func(f fixture) error { return f.s.DeleteUser(ctx, f.owner.ID) }},
		{"PurgeExpired", 6, func(f fixture) error { _, _, _, _, err := f.s.PurgeExpired(ctx, at(1)); return err }},
	}
	small, large := build(3), build(60)
	for _, c := range calls {
		var used [2]int64
		for i, f := range []fixture{small, large} {
			n.Store(0)
			if err := c.call(f); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			used[i] = n.Load()
		}
		if used[0] != used[1] || used[1] > c.max {
			t.Errorf("%s: %d statements for 3 rows, %d for 60, want at most %d for both", c.what, used[0], used[1], c.max)
		}
	}
}
