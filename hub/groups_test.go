package hub_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func TestCreateGroups(t *testing.T) {
	tests := []struct {
		name          string
		groups, users []string
		kind          hub.Kind
		message       string
	}{
		{"two with members", []string{"a", "b"}, []string{"alice", "BOB"}, 0, ""},
		{"odd names", []string{"Ü / x", "a b", "%41"}, nil, 0, ""},
		{"none", nil, nil, hub.Invalid, "Must specify at least one group to create"},
		{"exists", []string{"a", "old"}, nil, hub.Conflict, "Group old already exists"},
		{"no such user", []string{"a"}, []string{"alice", "nobody"}, hub.Invalid, "No such user: nobody"},
		{"twice", []string{"a", "a"}, nil, hub.Invalid, "Group a is named twice"},
		{"empty name", []string{""}, nil, hub.Invalid, "Invalid group name: "},
		{"dots", []string{".."}, nil, hub.Invalid, "Invalid group name: .."},
		{"control character", []string{"a\nb"}, nil, hub.Invalid, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeople(t)
			p.user("alice")
			p.user("bob")
			p.group("old")
			views, err := p.groups.Create(t.Context(), tt.groups, tt.users)
			want := 1
			if tt.kind != 0 {
				wantErr(t, err, tt.kind, tt.message)
			} else {
				noErr(t, err)
				want += len(tt.groups)
			}
			if _, total, _ := p.groups.List(t.Context(), orm.GroupQuery{}); total != want {
				t.Errorf("%d groups, want %d: all or none", total, want)
			}
			for i, v := range views {
				if v.Name != tt.groups[i] || len(v.Users) != len(tt.users) || v.Properties == nil {
					t.Errorf("group %+v", v)
				}
			}
		})
	}
}

func TestGroupMembers(t *testing.T) {
	p := newPeople(t)
	for _, name := range []string{"alice", "bob", "carol"} {
		p.user(name)
	}
	g := p.group("lab", "alice")
	p.role("lab-role", []string{"read:hub"}, orm.HolderGroup, g.ID)
	ctx := t.Context()
	steps := []struct {
		name    string
		do      func() (*hub.GroupView, error)
		want    []string
		kind    hub.Kind
		message string
	}{
		{"add", func() (*hub.GroupView, error) { return p.groups.AddUsers(ctx, "lab", []string{"BOB", "alice", "bob"}) }, []string{"alice", "bob"}, 0, ""},
		{"add unknown", func() (*hub.GroupView, error) { return p.groups.AddUsers(ctx, "lab", []string{"carol", "nobody"}) }, []string{"alice", "bob"}, hub.Invalid, "No such user: nobody"},
		{"add none", func() (*hub.GroupView, error) { return p.groups.AddUsers(ctx, "lab", nil) }, []string{"alice", "bob"}, 0, ""},
		{"remove", func() (*hub.GroupView, error) { return p.groups.RemoveUsers(ctx, "lab", []string{"alice", "carol"}) }, []string{"bob"}, 0, ""},
		{"remove unknown", func() (*hub.GroupView, error) { return p.groups.RemoveUsers(ctx, "lab", []string{"bob", "nobody"}) }, []string{"bob"}, hub.Invalid, "No such user: nobody"},
		{"no group", func() (*hub.GroupView, error) { return p.groups.AddUsers(ctx, "none", []string{"bob"}) }, []string{"bob"}, hub.NotFound, "No such group: none"},
		{"properties", func() (*hub.GroupView, error) {
			return p.groups.SetProperties(ctx, "lab", map[string]any{"a": []any{"x"}})
		}, []string{"bob"}, 0, ""},
		{"no properties", func() (*hub.GroupView, error) { return p.groups.SetProperties(ctx, "lab", nil) }, []string{"bob"}, hub.Invalid, "Must specify properties"},
	}
	for _, step := range steps {
		view, err := step.do()
		if step.kind != 0 {
			wantErr(t, err, step.kind, step.message)
		} else if err != nil || !slices.Equal(view.Users, step.want) {
			t.Errorf("%s: answer %+v, %v", step.name, view, err)
		}
		view = need(p.groups.Get(ctx, "lab"))
		if !slices.Equal(view.Users, step.want) || !slices.Equal(view.Roles, []string{"lab-role"}) {
			t.Errorf("after %s: %+v", step.name, view)
		}
	}
	if view := need(p.groups.Get(ctx, "lab")); len(view.Properties) != 1 {
		t.Errorf("properties %v", view.Properties)
	}
	if !p.as("bob").Scopes.Has("read:hub") || p.as("alice").Scopes.Has("read:hub") {
		t.Error("roles of the group do not follow its members")
	}
	noErr(t, p.groups.Delete(ctx, "lab"))
	wantErr(t, p.groups.Delete(ctx, "lab"), hub.NotFound, "No such group: lab")
	if p.as("bob").Scopes.Has("read:hub") {
		t.Error("the role outlives the group")
	}
}

func TestListGroups(t *testing.T) {
	p := newPeople(t)
	_, err := p.groups.Create(t.Context(), []string{"c", "a", "b"}, nil)
	noErr(t, err)
	views, total, err := p.groups.List(t.Context(), orm.GroupQuery{Offset: 1, Limit: 1, Only: []string{"a", "c", "none"}})
	noErr(t, err)
	if total != 2 || len(views) != 1 || views[0].Name != "a" {
		t.Errorf("%+v of %d", views, total)
	}
	if _, err := p.groups.Get(t.Context(), strings.Repeat("x", 1000)); hub.KindOf(err) != hub.NotFound {
		t.Error(err)
	}
}
