package rbac_test

import (
	"testing"

	"github.com/minihub/minihub/rbac"
)

func TestIntersect(t *testing.T) {
	for _, tc := range []struct {
		name       string
		a, b, want []string
	}{
		{"nothing in common", []string{"users"}, []string{"servers"}, nil},
		{"a sub-scope is another name", []string{"users"}, []string{"read:users"}, nil},
		{"both unfiltered", []string{"users"}, []string{"users"}, []string{"users"}},
		{"the filter wins", []string{"users"}, []string{"users!user=a", "users!group=g"}, []string{"users!group=g", "users!user=a"}},
		{"same user", []string{"users!user=a", "users!user=b"}, []string{"users!user=b", "users!user=c"}, []string{"users!user=b"}},
		{"other user", []string{"users!user=a"}, []string{"users!user=b"}, nil},
		{"same group", []string{"users!group=g"}, []string{"users!group=g"}, []string{"users!group=g"}},
		{"same service", []string{"access:services!service=s"}, []string{"access:services!service=s"}, []string{"access:services!service=s"}},
		{"other kind", []string{"users!user=x"}, []string{"users!service=x"}, nil},
		{"server of a user", []string{"servers!user=a"}, []string{"servers!server=a/x"}, []string{"servers!server=a/x"}},
		{"default server of a user", []string{"servers!user=a"}, []string{"servers!server=a/"}, []string{"servers!server=a/"}},
		{"server of another user", []string{"servers!user=a"}, []string{"servers!server=ab/x"}, nil},
		{"member of a group", []string{"users!user=alice"}, []string{"users!group=class-a"}, []string{"users!user=alice"}},
		{"no member", []string{"users!user=carol"}, []string{"users!group=class-a"}, nil},
		{"member's server", []string{"servers!server=alice/"}, []string{"servers!group=staff"}, []string{"servers!server=alice/"}},
		{"two groups do not meet", []string{"users!group=class-a"}, []string{"users!group=staff"}, nil},
		{
			"both ways at once",
			[]string{"servers!user=a", "servers!server=b/x"},
			[]string{"servers!user=b", "servers!server=a/y"},
			[]string{"servers!server=a/y", "servers!server=b/x"},
		},
		{
			"a teacher's token for one student",
			[]string{"servers!group=class-a", "read:users!group=class-a"},
			[]string{"servers!user=bob", "servers!user=carol", "read:users!server=bob/"},
			[]string{"read:users!server=bob/", "servers!user=bob"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := mustParse(t, tc.a...), mustParse(t, tc.b...)
			diff(t, "a ∩ b", a.Intersect(b, recordedGroups).List(), tc.want)
			diff(t, "b ∩ a", b.Intersect(a, recordedGroups).List(), tc.want)
		})
	}
	if got := (rbac.Scopes{"users": {}}).Intersect(mustParse(t, "users"), nil); len(got) != 0 {
		t.Errorf("a filter that matches nothing became %v", got)
	}
}

func TestIntersectWithoutLookupKnowsNoGroups(t *testing.T) {
	a, b := mustParse(t, "users!user=alice", "servers!user=alice"), mustParse(t, "users!group=class-a", "servers!server=alice/")
	diff(t, "no lookup", a.Intersect(b, nil).List(), []string{"servers!server=alice/"})
}

func TestIntersectAsksOncePerUser(t *testing.T) {
	asked := map[string]int{}
	groupsOf := func(user string) []string {
		asked[user]++
		return recordedGroups(user)
	}
	a := mustParse(t, "users!user=alice", "servers!user=alice", "servers!server=alice/x", "tokens!user=bob", "shares!user=zoe")
	b := mustParse(t, "users!group=class-a", "servers!group=none", "tokens!group=class-b", "shares!user=carol")
	diff(t, "intersection", a.Intersect(b, groupsOf).List(), []string{"users!user=alice"})
	if asked["alice"] != 1 || asked["bob"] != 1 || asked["zoe"] != 0 || len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
}

func TestContains(t *testing.T) {
	held := mustParse(t, "users", "servers!user=alice", "tokens!group=class-a", "groups!group=staff")
	for _, tc := range []struct{ wanted, missing []string }{
		{nil, nil},
		{[]string{"users"}, nil},
		{[]string{"users!user=bob", "users!group=x"}, nil},
		{[]string{"servers!user=alice", "servers!server=alice/x"}, nil},
		{[]string{"servers"}, []string{"servers"}},
		{[]string{"servers!user=bob", "servers!server=bob/", "servers!user=alice"}, []string{"servers!server=bob/", "servers!user=bob"}},
		{[]string{"tokens!user=bob", "tokens!user=carol"}, []string{"tokens!user=carol"}},
		{[]string{"groups!group=staff", "groups!group=other"}, []string{"groups!group=other"}},
		{[]string{"shutdown", "proxy!user=x"}, []string{"proxy!user=x", "shutdown"}},
	} {
		got := held.Contains(mustParse(t, tc.wanted...), recordedGroups)
		diff(t, tc, got, tc.missing)
		if len(tc.missing) == 0 && got != nil {
			t.Errorf("%v: got an empty list, not nil", tc.wanted)
		}
	}
}
