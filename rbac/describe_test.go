package rbac_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/rbac"
)

func TestDescribe(t *testing.T) {
	c := recordedCatalog(t)
	phrase := func(name string) string {
		d, ok := c.Lookup(name)
		if !ok {
			t.Fatalf("no scope %s", name)
		}
		return d.Description
	}
	got := c.Describe([]string{
		"servers!user", "servers!user=alice", "servers!user=bob", "servers!group=class", "servers!server=alice/gpu",
		"access:services!service=forum", "access:services!service", "shutdown", "shutdown", "custom:files:read", "gone!user=bob",
	}, "alice")
	want := []rbac.Description{
		{"servers", phrase("servers"), "only you", "only you", ""}, // both spellings of it
		{"servers", phrase("servers"), "user bob", "user %(name)s", "bob"},
		{"servers", phrase("servers"), "users in group class", "users in group %(name)s", "class"},
		{"servers", phrase("servers"), "server alice/gpu", "server %(name)s", "alice/gpu"},
		{"access:services", phrase("access:services"), "service forum", "service %(name)s", "forum"},
		{"access:services", phrase("access:services"), "this service", "this %(name)s", "service"},
		{"shutdown", phrase("shutdown"), "", "", ""},
		{"custom:files:read", "r", "", "", ""},
		{"gone", "gone", "user bob", "user %(name)s", "bob"}, // nothing is hidden, not even what nobody knows
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, d := range got {
		if d.Limit != "" && !slices.Contains(rbac.FilterPhrases(), d.Limit) {
			t.Errorf("nobody can translate %q: it is not in FilterPhrases", d.Limit)
		}
	}
	if got := c.Describe(nil, "alice"); len(got) != 0 {
		t.Errorf("nothing is described as %v", got)
	}
}
