package rbac_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/rbac"
)

const (
	denied  = rbac.Denied
	hidden  = rbac.Hidden
	granted = rbac.Granted
)

func onUser(name string) rbac.Target {
	return rbac.Target{Kind: rbac.KindUser, User: name, GroupsOf: recordedGroups}
}

func onServer(user, server string) rbac.Target {
	return rbac.Target{Kind: rbac.KindServer, User: user, Server: server, HasServer: true, GroupsOf: recordedGroups}
}

func onServersOf(user string) rbac.Target {
	return rbac.Target{Kind: rbac.KindServer, User: user, GroupsOf: recordedGroups}
}

func onGroup(name string) rbac.Target { return rbac.Target{Kind: rbac.KindGroup, Group: name} }

func onService(name string) rbac.Target { return rbac.Target{Kind: rbac.KindService, Service: name} }

func TestCheck(t *testing.T) {
	anywhere := rbac.Target{}
	for _, tc := range []struct {
		held   string
		target rbac.Target
		want   rbac.Outcome
	}{
		{"users", anywhere, granted},
		{"users", onUser("bob"), granted},
		{"users!user=bob", anywhere, denied}, // no target that a filter could match: 403
		{"users!user=bob", onUser("bob"), granted},
		{"users!user=bob", onUser("alice"), hidden},
		{"users!user=bob", onUser("bo"), hidden},
		{"users!group=class-a", onUser("bob"), granted},
		{"users!group=class-b", onUser("bob"), hidden},
		{"users!server=bob/", onUser("bob"), hidden}, // a server is less than its user
		{"users!service=bob", onUser("bob"), hidden},

		{"users!user=bob", onServer("bob", "x"), granted},
		{"users!user=bob", onServer("alice", "bob"), hidden},
		{"users!server=bob/x", onServer("bob", "x"), granted},
		{"users!server=bob/x", onServer("bob", ""), hidden},
		{"users!server=bob/", onServer("bob", ""), granted},
		{"users!server=bob/", onServer("bob", "x"), hidden},
		{"users!server=x", onServer("bob", "x"), hidden}, // a name without owner matches nobody's server
		{"users!server=a/b/c", onServer("a", "b/c"), granted},
		{"users!group=class-a", onServer("bob", "x"), granted},
		{"users!group=class-b", onServer("bob", "x"), hidden},

		{"users!user=bob", onServersOf("bob"), granted},
		{"users!group=class-a", onServersOf("bob"), granted},
		{"users!server=bob/", onServersOf("bob"), hidden},
		{"users!server=bob/None", onServersOf("bob"), hidden},

		{"users!group=class-a", onGroup("class-a"), granted},
		{"users!group=class-a", onGroup("class-b"), hidden},
		{"users!user=class-a", onGroup("class-a"), hidden},
		{"users!service=svc", onService("svc"), granted},
		{"users!service=svc", onService("other"), hidden},
		{"users!user=svc", onService("svc"), hidden},

		{"read:users", onUser("bob"), denied},
		{"users!user=bob", rbac.Target{Kind: rbac.KindUser}, hidden},
		{"users!user=bob", rbac.Target{Kind: "planet", User: "bob"}, hidden},
		{"users", rbac.Target{Kind: "planet"}, granted},
	} {
		if got := mustParse(t, tc.held).Check(tc.target, "users"); got != tc.want {
			t.Errorf("%s on %+v: got %v, want %v", tc.held, tc.target, got, tc.want)
		}
	}
}

func TestCheckTakesTheBestOfSeveral(t *testing.T) {
	s := mustParse(t, "read:users!user=alice", "read:users:name!user=bob")
	for _, tc := range []struct {
		anyOf []string
		want  rbac.Outcome
	}{
		{nil, denied},
		{[]string{"read:servers"}, denied},
		{[]string{"read:users"}, hidden},
		{[]string{"read:servers", "read:users"}, hidden},
		{[]string{"read:users", "read:servers"}, hidden},
		{[]string{"read:users", "read:users:name"}, granted},
		{[]string{"read:users:name", "read:users"}, granted},
	} {
		if got := s.Check(onUser("bob"), tc.anyOf...); got != tc.want {
			t.Errorf("%v: got %v, want %v", tc.anyOf, got, tc.want)
		}
	}
	if got := rbac.Scopes(nil).Check(onUser("bob"), "read:users"); got != denied {
		t.Errorf("the zero value: %v", got)
	}
	if got := (rbac.Scopes{"users": {}}).Check(onUser("bob"), "users"); got != denied {
		t.Errorf("a filter that matches nothing counts as held: %v", got)
	}
}

func TestGroupsAreAskedLazilyAndOnce(t *testing.T) {
	asked := 0
	target := rbac.Target{Kind: rbac.KindServer, User: "bob", Server: "x", HasServer: true, GroupsOf: func(user string) []string {
		asked++
		if user != "bob" {
			t.Errorf("asked for the groups of %q", user)
		}
		return nil
	}}
	byGroup := mustParse(t, "users!group=g", "servers!group=g", "read:users!group=h")
	if got := byGroup.Check(target, "users", "servers", "read:users"); got != hidden || asked != 1 {
		t.Errorf("three scopes: %v, asked %d times", got, asked)
	}
	asked = 0
	rbac.KeysFor(byGroup.Union(mustParse(t, "read:servers!group=g")), rbac.ModelUser, target)
	if asked != 1 {
		t.Errorf("KeysFor asked %d times", asked)
	}
	asked = 0
	for _, held := range []string{"users", "users!user=bob", "users!server=bob/x", "users!user=alice", "users!service=s"} {
		mustParse(t, held, "servers!group=g").Check(target, "users")
	}
	if asked != 0 {
		t.Errorf("asked %d times although no answer depends on groups", asked)
	}
	target.GroupsOf = nil
	if got := byGroup.Check(target, "users"); got != hidden {
		t.Errorf("without a lookup: %v", got)
	}
}

func TestListFilter(t *testing.T) {
	for _, tc := range []struct {
		held    []string
		allowed []rbac.Kind
		want    rbac.Filter
		outcome rbac.Outcome
	}{
		{nil, []rbac.Kind{"user", "group"}, rbac.Filter{}, denied},
		{[]string{"read:users"}, []rbac.Kind{"user", "group"}, rbac.Filter{}, denied},
		{[]string{"list:users"}, []rbac.Kind{"user", "group"}, rbac.Filter{All: true}, granted},
		{[]string{"list:users"}, nil, rbac.Filter{All: true}, granted},
		{[]string{"list:users!user=a"}, []rbac.Kind{"user", "group"}, rbac.Filter{Users: set("a")}, granted},
		{
			[]string{"list:users!user=a", "list:users!group=g"},
			[]rbac.Kind{"user", "group"},
			rbac.Filter{Users: set("a"), Groups: set("g")},
			granted,
		},
		{[]string{"list:users!user=a"}, []rbac.Kind{"group"}, rbac.Filter{}, denied},
		{[]string{"list:users!user=a", "list:users!server=a/"}, []rbac.Kind{"user", "group"}, rbac.Filter{}, denied},
		{[]string{"list:users!service=s"}, []rbac.Kind{"user", "group"}, rbac.Filter{}, denied},
	} {
		f, outcome := mustParse(t, tc.held...).ListFilter("list:users", tc.allowed...)
		if d := cmp.Diff(tc.want, f); d != "" || outcome != tc.outcome {
			t.Errorf("%v by %v: %v\n%s", tc.held, tc.allowed, outcome, d)
		}
	}
	if _, outcome := (rbac.Scopes{"list:users": {}}).ListFilter("list:users", "user"); outcome != denied {
		t.Errorf("a filter that matches nothing: %v", outcome)
	}
}

func TestOutcomeNames(t *testing.T) {
	for o, want := range map[rbac.Outcome]string{denied: "denied", hidden: "hidden", granted: "granted", 7: "unknown"} {
		if o.String() != want {
			t.Errorf("%d is called %s", o, o)
		}
	}
	if denied >= hidden || hidden >= granted {
		t.Error("outcomes are not ordered")
	}
}
