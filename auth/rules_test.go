package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/auth"
)

func newRules(t *testing.T, o auth.RulesOptions) *auth.Rules {
	t.Helper()
	r, err := auth.NewRules(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unix is a machine with accounts and groups.
type unix struct {
	groups  map[string][]string // account → groups
	renamed map[string]string   // other spellings of an account
}

func (u unix) Exists(name string) (bool, error) { _, ok := u.groups[name]; return ok, nil }
func (u unix) GroupIDs(name string) ([]string, error) {
	groups, ok := u.groups[name]
	if !ok {
		return nil, fmt.Errorf("look up %q: %w", name, auth.ErrNoSystemUser)
	}
	var ids []string
	for _, g := range groups {
		ids = append(ids, "gid of "+g)
	}
	return ids, nil
}
func (u unix) GroupID(group string) (string, error) {
	for _, groups := range u.groups {
		if slices.Contains(groups, group) {
			return "gid of " + group, nil
		}
	}
	return "", fmt.Errorf("look up group %q: %w", group, auth.ErrNoSystemGroup)
}
func (u unix) Canonical(name string) (string, error) {
	if real, ok := u.renamed[name]; ok {
		return real, nil
	}
	if _, ok := u.groups[name]; !ok {
		return "", fmt.Errorf("look up %q: %w", name, auth.ErrNoSystemUser)
	}
	return name, nil
}

func TestPatternsAsPython(t *testing.T) {
	rows := loadCorpus(t).Patterns
	if len(rows) == 0 {
		t.Fatal("the corpus is empty")
	}
	for _, row := range rows {
		pattern, name, want := row[0].(string), row[1].(string), row[2].(bool)
		if auth.ValidateUserName(name) != nil {
			continue
		}
		r := newRules(t, auth.RulesOptions{UsernamePattern: pattern})
		if got := r.Validate(name) == nil; got != want {
			t.Errorf("username_pattern %q on %q: %v, Python says %v", pattern, name, got, want)
		}
	}
}

func TestNewRulesReportsEveryProblem(t *testing.T) {
	_, err := auth.NewRules(auth.RulesOptions{
		UsernamePattern: `(?!root)`,
		AdminUsers:      []string{"ok", "a/b"},
		AllowedUsers:    []string{".."},
		UsernameMap:     map[string]string{"x": " bad"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Authenticator.username_pattern", "look-around", `Authenticator.admin_users has the invalid name "a/b"`,
		`Authenticator.allowed_users has the invalid name ".."`, `Authenticator.username_map["x"]`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	for _, pattern := range []string{`[\W]`, `(a`, `a\`, `(?P<x>a)(?P=x)`} {
		if _, err := auth.NewRules(auth.RulesOptions{UsernamePattern: pattern}); err == nil {
			t.Errorf("pattern %q accepted", pattern)
		}
	}
}

func TestAllowedGroups(t *testing.T) {
	machine := unix{groups: map[string][]string{"alice": {"staff", "alice"}, "bob": {"bob"}}}
	r := newRules(t, auth.RulesOptions{AllowedGroups: []string{"nosuch", "staff"}, AllowedUsers: []string{"carol"}, Unix: machine})
	for _, tc := range []struct {
		name   string
		groups []string
		want   bool
		text   string
	}{
		{"alice", nil, true, "LocalAuthenticator.allowed_groups (staff)"},
		{"bob", nil, false, "no UNIX group"},
		{"carol", nil, true, "Authenticator.allowed_users"}, // no account on the machine, and allowed by name
		{"dave", nil, false, "Authenticator.allow_all is false"},
		{"dave", []string{"staff"}, true, "allowed_groups (staff)"}, // the caller knows the groups
		{"alice", []string{}, false, "no UNIX group"},
	} {
		ok, text := r.Allowed(tc.name, tc.groups)
		if ok != tc.want || !strings.Contains(text, tc.text) {
			t.Errorf("Allowed(%q, %v) = %v, %q; want %v, …%q…", tc.name, tc.groups, ok, text, tc.want, tc.text)
		}
	}
}

func TestUsersComeAndGo(t *testing.T) {
	allowed := func(r *auth.Rules, name string) bool { ok, _ := r.Allowed(name, nil); return ok }

	r := newRules(t, auth.RulesOptions{AllowedUsers: []string{"Alice"}})
	r.UserCreated("bob")
	if !allowed(r, "bob") || !allowed(r, "alice") {
		t.Error("with allowed_users set, database users are allowed")
	}
	r.UserDeleted("alice")
	if allowed(r, "alice") {
		t.Error("a deleted user stays allowed")
	}
	if got := r.AllowedUsers(); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("AllowedUsers() = %v, want those of the configuration", got)
	}

	r = newRules(t, auth.RulesOptions{AdminUsers: []string{"root"}})
	r.UserCreated("bob")
	if allowed(r, "bob") || allowed(r, "root") {
		t.Error("without any allow configuration somebody is allowed")
	}
	r = newRules(t, auth.RulesOptions{AllowedUsers: []string{"alice"}, AdminUsers: []string{"Root"}, AllowExistingUsers: new(false)})
	r.UserCreated("bob")
	if allowed(r, "bob") || !allowed(r, "root") {
		t.Error("allow_existing_users = False: want bob refused and the admin allowed")
	}
}

func TestRulesConcurrently(t *testing.T) {
	r := newRules(t, auth.RulesOptions{AllowedUsers: []string{"alice"}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				name := fmt.Sprintf("u%d-%d", i, j)
				r.UserCreated(name)
				if ok, _ := r.Allowed(name, nil); !ok {
					t.Errorf("%s not allowed", name)
				}
				r.UserDeleted(name)
				r.WhoCanLogIn()
			}
		})
	}
	wg.Wait()
}

func TestWhoCanLogIn(t *testing.T) {
	for _, tc := range []struct {
		o    auth.RulesOptions
		want string
	}{
		{auth.RulesOptions{}, "nobody: set Authenticator.allowed_users or allow_all"},
		{auth.RulesOptions{AllowAll: new(true), BlockedUsers: []string{"Eve"}}, "everybody who authenticates, but not eve"},
		{auth.RulesOptions{DefaultAllowAll: true}, "everybody who authenticates"},
		{auth.RulesOptions{DefaultAllowAll: true, AllowedUsers: []string{"bob", "alice"}}, "alice, bob, users that are in the database"},
		{auth.RulesOptions{AllowedGroups: []string{"staff"}}, "members of the UNIX groups staff"},
		{auth.RulesOptions{AllowedUsers: strings.Split("a b c d e f g h i j k l", " "), AllowExistingUsers: new(false)},
			"a, b, c, d, e, f, g, h, i, j and 2 more"},
	} {
		if got := newRules(t, tc.o).WhoCanLogIn(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tc := range []struct {
		o    auth.RulesOptions
		want string // "" none
	}{
		{auth.RulesOptions{}, "nobody can log in"},
		{auth.RulesOptions{AnyAllowConfig: new(true)}, ""},
		{auth.RulesOptions{AllowAll: new(true)}, ""},
		{auth.RulesOptions{AllowedUsers: []string{"b", "o"}}, "single-character names b, o"},
		{auth.RulesOptions{AllowedUsers: []string{"bob"}, BlockedUsers: []string{"BOB"}}, "blocked wins"},
		{auth.RulesOptions{AllowAll: new(true), UsernameMap: map[string]string{"Alice": "al"}}, "never matches"},
	} {
		got := strings.Join(newRules(t, tc.o).Warnings(), "\n")
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
			t.Errorf("%+v: warnings %q, want %q", tc.o, got, tc.want)
		}
	}
}
