package orm_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func TestGroups(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		a, b := addUser(t, s, "a"), addUser(t, s, "b")
		x, y := &orm.Group{Name: "x"}, &orm.Group{Name: "y", Properties: orm.JSONDict{"k": "v"}}
		ok(t, s.CreateGroups(ctx, []*orm.Group{y, x}))
		if err := s.CreateGroups(ctx, []*orm.Group{{Name: "x"}}); !errors.Is(err, orm.ErrConflict) {
			t.Errorf("second x: %v", err)
		}
		ok(t, s.AddToGroup(ctx, x.ID, []int64{b.ID, a.ID, a.ID}))
		ok(t, s.AddToGroup(ctx, x.ID, []int64{a.ID}))
		ok(t, s.AddToGroup(ctx, x.ID, nil))
		ok(t, s.SetUserGroups(ctx, b.ID, []int64{x.ID, y.ID}))
		if err := s.AddToGroup(ctx, x.ID, []int64{999}); !errors.Is(err, orm.ErrReference) {
			t.Errorf("member that does not exist: %v", err)
		}
		want := map[int64][]string{x.ID: {"a", "b"}, y.ID: {"b"}}
		if diff := cmp.Diff(want, must(s.MemberNames(ctx, []int64{x.ID, y.ID}))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[int64][]string{a.ID: {"x"}, b.ID: {"x", "y"}}, must(s.GroupNamesOfUsers(ctx, []int64{a.ID, b.ID}))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.RemoveFromGroup(ctx, x.ID, []int64{b.ID, 999}))
		ok(t, s.SetUserGroups(ctx, a.ID, nil))
		if got := must(s.MemberNames(ctx, []int64{x.ID})); len(got) != 0 {
			t.Errorf("members: %v", got)
		}
		list, total, err := s.ListGroups(ctx, orm.GroupQuery{Offset: 1, Limit: 5})
		ok(t, err)
		if total != 2 || len(list) != 1 || list[0].Name != "x" {
			t.Errorf("list: %v %d", list, total)
		}
		for what, q := range map[string]orm.GroupQuery{"named": {Only: []string{"y", "z"}}, "limit": {Limit: 1}} {
			if list, _, err := s.ListGroups(ctx, q); err != nil || len(list) != 1 || list[0].Name != "y" {
				t.Errorf("%s: %v %v", what, list, err)
			}
		}
		if list, total, err := s.ListGroups(ctx, orm.GroupQuery{Only: []string{}}); err != nil || total != 0 || len(list) != 0 {
			t.Errorf("nothing allowed: %v %v", list, err)
		}
		y.Properties = orm.JSONDict{"n": int64(1)}
		ok(t, s.UpdateGroup(ctx, y, "properties"))
		if diff := cmp.Diff(y, must(s.GroupByName(ctx, "y"))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.DeleteGroup(ctx, y.ID))
		if err := s.DeleteGroup(ctx, y.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if got := must(s.GroupsByName(ctx, []string{"x", "y"})); len(got) != 1 {
			t.Errorf("left: %v", got)
		}
	})
}

func TestRoles(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		a, b := addUser(t, s, "a"), addUser(t, s, "b")
		svc := &orm.Service{Name: "svc", Timeout: 30}
		ok(t, s.SaveService(ctx, svc))
		g := &orm.Group{Name: "g"}
		ok(t, s.CreateGroups(ctx, []*orm.Group{g}))
		r1, r2 := &orm.Role{Name: "one", Scopes: orm.JSONList{"b", "a"}}, &orm.Role{Name: "two"}
		ok(t, s.CreateRole(ctx, r1))
		ok(t, s.CreateRole(ctx, r2))
		if err := s.CreateRole(ctx, &orm.Role{Name: "two"}); !errors.Is(err, orm.ErrConflict) {
			t.Errorf("second two: %v", err)
		}
		ok(t, s.Grant(ctx, orm.HolderUser, []int64{b.ID, a.ID, a.ID}, r1.ID, false))
		ok(t, s.Grant(ctx, orm.HolderUser, []int64{a.ID}, r1.ID, true)) // keeps the flag of the first grant
		ok(t, s.Grant(ctx, orm.HolderUser, []int64{a.ID}, r2.ID, true))
		ok(t, s.Grant(ctx, orm.HolderGroup, []int64{g.ID}, r2.ID, false))
		ok(t, s.Grant(ctx, orm.HolderService, []int64{svc.ID}, r1.ID, false))
		if err := s.Grant(ctx, "role; --", []int64{1}, r1.ID, false); err == nil {
			t.Error("unknown kind of holder was taken")
		}
		if diff := cmp.Diff([]string{"a", "b"}, must(s.RoleHolders(ctx, r1.ID, orm.HolderUser))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"svc"}, must(s.RoleHolders(ctx, r1.ID, orm.HolderService))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]orm.RoleGrant{{HolderID: a.ID, RoleID: r2.ID}}, must(s.ManagedGrants(ctx, orm.HolderUser))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[int64][]string{a.ID: {"one", "two"}, b.ID: {"one"}}, must(s.RoleNamesOfUsers(ctx, []int64{a.ID, b.ID}))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[int64][]string{g.ID: {"two"}}, must(s.RoleNamesOfGroups(ctx, []int64{g.ID}))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[int64][]string{svc.ID: {"one"}}, must(s.RoleNamesOfServices(ctx, []int64{svc.ID}))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]orm.Role{*r1}, must(s.RolesOfService(ctx, svc.ID))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int64{b.ID}, must(s.UserIDsWithoutRole(ctx, r2.ID))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.StripManagedGrants(ctx, orm.HolderUser))
		ok(t, s.Strip(ctx, orm.HolderUser, []int64{b.ID}, r1.ID))
		if diff := cmp.Diff(map[int64][]string{a.ID: {"one"}}, must(s.RoleNamesOfUsers(ctx, []int64{a.ID, b.ID}))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.SetRoles(ctx, orm.HolderUser, a.ID, []int64{r2.ID}, true))
		ok(t, s.SetHolders(ctx, orm.HolderUser, r1.ID, []int64{b.ID}, false))
		if diff := cmp.Diff(map[int64][]string{a.ID: {"two"}, b.ID: {"one"}}, must(s.RoleNamesOfUsers(ctx, []int64{a.ID, b.ID}))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.SetRoles(ctx, orm.HolderUser, a.ID, nil, true))
		r1.Description, r1.Scopes = "changed", orm.JSONList{}
		ok(t, s.UpdateRole(ctx, r1))
		if diff := cmp.Diff(map[string]*orm.Role{"one": r1}, must(s.RolesByName(ctx, []string{"one", "nix"}))); diff != "" {
			t.Error(diff)
		}
		ok(t, s.DeleteRole(ctx, r1.ID))
		if got := must(s.Roles(ctx)); len(got) != 1 || got[0].Name != "two" {
			t.Errorf("left: %v", got)
		}
	})
}

func TestAuthority(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		owner, u := addUser(t, s, "owner"), addUser(t, s, "u")
		sp, _ := addServer(t, s, owner, "lab")
		groups := []*orm.Group{{Name: "y"}, {Name: "x"}}
		ok(t, s.CreateGroups(ctx, groups))
		ok(t, s.SetUserGroups(ctx, u.ID, []int64{groups[0].ID, groups[1].ID}))
		own, via := &orm.Role{Name: "own", Scopes: orm.JSONList{"self"}}, &orm.Role{Name: "via", Scopes: orm.JSONList{"list:users"}}
		ok(t, s.CreateRole(ctx, via))
		ok(t, s.CreateRole(ctx, own))
		ok(t, s.Grant(ctx, orm.HolderUser, []int64{u.ID}, own.ID, false))
		ok(t, s.Grant(ctx, orm.HolderGroup, []int64{groups[0].ID, groups[1].ID}, via.ID, false))
		ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: owner.ID, SpawnerID: sp.ID, UserID: &u.ID, Scopes: orm.JSONList{"access:servers!server=owner/old"}}))
		ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: owner.ID, SpawnerID: sp.ID, GroupID: &groups[0].ID, Scopes: orm.JSONList{"read:servers"}}))
		ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: owner.ID, SpawnerID: sp.ID, GroupID: &groups[1].ID, Scopes: orm.JSONList{"x"},
			ExpiresAt: ptr(time.Now().Add(-time.Second))}))
		owner.Name = "renamed"
		ok(t, s.UpdateUser(ctx, owner, "name"))
		want := &orm.Authority{User: *u, Groups: []string{"x", "y"}, Roles: []orm.Role{*own}, GroupRoles: []orm.Role{*via},
			Shares:      []orm.ShareScope{{Scopes: []string{"access:servers!server=renamed/lab"}}},
			GroupShares: []orm.ShareScope{{Scopes: []string{"read:servers!server=renamed/lab"}}}}
		if diff := cmp.Diff(want, must(s.AuthorityOfUser(ctx, u.ID))); diff != "" {
			t.Error(diff)
		}
		if _, err := s.AuthorityOfUser(ctx, 999); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("nobody's authority: %v", err)
		}
	})
}
