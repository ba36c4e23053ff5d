package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/auth"
)

// authFunc is an authenticator in a function.
type authFunc func(req auth.Request) (*auth.Model, error)

func (authFunc) Name() string { return "test.Authenticator" }
func (f authFunc) Authenticate(_ context.Context, req auth.Request) (*auth.Model, error) {
	return f(req)
}

// anybody takes every name as it is typed.
var anybody = authFunc(func(req auth.Request) (*auth.Model, error) { return &auth.Model{Name: req.Username}, nil })

func TestLoginAsJupyterHub(t *testing.T) {
	cases := loadCorpus(t).Rules
	if len(cases) < 100 {
		t.Fatalf("the corpus has %d cases", len(cases))
	}
	for i, tc := range cases {
		r := newRules(t, auth.RulesOptions{AllowedUsers: tc.Allowed, BlockedUsers: tc.Blocked, AdminUsers: tc.Admins,
			AllowAll: tc.AllowAll, AllowExistingUsers: tc.Existing, DefaultAllowAll: tc.Cls == "dummy"})
		for _, name := range tc.Users {
			r.UserCreated(name)
		}
		for name, want := range tc.Want {
			m, refusal, err := r.Login(t.Context(), anybody, auth.Request{Username: name})
			switch {
			case err != nil:
				t.Errorf("case %d %+v: login of %s: %v", i, tc, name, err)
			case (want == nil) != (m == nil), (m == nil) != (refusal != nil):
				t.Errorf("case %d %+v: login of %s gives %+v, %v; JupyterHub gives %+v", i, tc, name, m, refusal, want)
			case m != nil && !cmp.Equal([]any{m.Name, m.Admin}, []any{want.Name, want.Admin}):
				t.Errorf("case %d %+v: login of %s gives %+v; JupyterHub gives %+v", i, tc, name, m, want)
			}
		}
	}
}

func TestLoginRefusals(t *testing.T) {
	machine := unix{groups: map[string][]string{"alice": {"staff"}}, renamed: map[string]string{`CORP\alice`: "alice"}}
	outage := errors.New("directory is down")
	refuse := func(ctx context.Context, req auth.Request, m *auth.Model) (*auth.Model, error) { return nil, nil }
	rename := func(to string) func(context.Context, auth.Request, *auth.Model) (*auth.Model, error) {
		return func(_ context.Context, _ auth.Request, m *auth.Model) (*auth.Model, error) {
			return &auth.Model{Name: to, Admin: m.Admin}, nil
		}
	}
	all := new(true)
	for _, tc := range []struct {
		title string
		o     auth.RulesOptions
		a     auth.Authenticator
		name  string

		model string // name of the model, "" none
		rule  auth.Rule
		trait string
		text  string // in the refusal or error
		err   error
	}{
		{title: "in", o: auth.RulesOptions{AllowAll: all}, name: "Alice", model: "alice"},
		{title: "mapped", o: auth.RulesOptions{AllowedUsers: []string{"boss"}, UsernameMap: map[string]string{"alice": "boss"}}, name: "ALICE", model: "boss"},
		{title: "wrong password", o: auth.RulesOptions{AllowAll: all}, a: auth.NewDummy("secret"), name: "x", rule: auth.RuleCredentials, text: "DummyAuthenticator did not accept"},
		{title: "slash", o: auth.RulesOptions{AllowAll: all}, name: "a/b", rule: auth.RuleValidate, text: `must not contain "/"`},
		{title: "pattern", o: auth.RulesOptions{AllowAll: all, UsernamePattern: "a"}, name: "bob", rule: auth.RuleValidate, trait: "Authenticator.username_pattern", text: `"a"`},
		{title: "blocked in another case", o: auth.RulesOptions{AllowAll: all, BlockedUsers: []string{"EVE"}}, name: "eVe", rule: auth.RuleBlocked, trait: "Authenticator.blocked_users"},
		{title: "blocked admin", o: auth.RulesOptions{AllowAll: all, AdminUsers: []string{"eve"}, BlockedUsers: []string{"eve"}}, name: "eve", rule: auth.RuleBlocked},
		{title: "not allowed", o: auth.RulesOptions{AllowedUsers: []string{"alice"}}, name: "bob", rule: auth.RuleAllow, trait: "Authenticator.allowed_users", text: "add the name to Authenticator.allowed_users"},
		{title: "turkish i is another name", o: auth.RulesOptions{AllowedUsers: []string{"ivan"}}, name: "\u0130van", rule: auth.RuleAllow},
		{title: "huge name", o: auth.RulesOptions{AllowAll: all}, name: strings.Repeat("x", 500000), rule: auth.RuleValidate, text: "longer than 255"},
		{title: "long name", o: auth.RulesOptions{AllowAll: all}, name: strings.Repeat("x", 256), rule: auth.RuleValidate, text: "xxx...(256 chars)"},
		{title: "outage", o: auth.RulesOptions{AllowAll: all}, a: authFunc(func(auth.Request) (*auth.Model, error) { return nil, outage }), name: "x", err: outage, text: "authenticate with test.Authenticator"},
		{title: "refusal with a public text", o: auth.RulesOptions{AllowAll: all}, a: authFunc(func(auth.Request) (*auth.Model, error) {
			return nil, fmt.Errorf("idp: %w", &auth.Refusal{Reason: "not in the organisation", Public: "join first"})
		}), name: "x", rule: auth.RuleCredentials, text: "not in the organisation"},
		{title: "null", o: auth.RulesOptions{AllowAll: all}, a: auth.Null{}, name: "x", rule: auth.RuleCredentials, trait: "JupyterHub.authenticator_class"},
		{title: "hook refuses", o: auth.RulesOptions{AllowAll: all, PostAuth: refuse}, name: "x", rule: auth.RulePostAuth, trait: "Authenticator.post_auth_hook"},
		{title: "hook renames", o: auth.RulesOptions{AllowAll: all, PostAuth: rename("other")}, name: "x", model: "other"},
		{title: "hook renames to rubbish", o: auth.RulesOptions{AllowAll: all, PostAuth: rename("..")}, name: "x", rule: auth.RuleValidate},
		{title: "hook renames to a blocked name", o: auth.RulesOptions{AllowAll: all, BlockedUsers: []string{"eve"}, PostAuth: rename("eve")}, name: "x", rule: auth.RuleBlocked},
		{title: "pam name", o: auth.RulesOptions{AllowAll: all, NormalizeUser: machine.Canonical}, name: `CORP\alice`, model: "alice"},
		{title: "pam name unknown", o: auth.RulesOptions{AllowAll: all, NormalizeUser: machine.Canonical}, name: "nobody", rule: auth.RuleNormalize, trait: "PAMAuthenticator.pam_normalize_username"},
		{title: "admin group lookup fails", o: auth.RulesOptions{AllowAll: all, AdminGroups: []string{"wheel"}, Unix: machine}, name: "alice", err: auth.ErrNoSystemGroup, text: "PAMAuthenticator.admin_groups"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			if tc.a == nil {
				tc.a = anybody
			}
			m, refusal, err := newRules(t, tc.o).Login(t.Context(), tc.a, auth.Request{Username: tc.name, Password: "hunter2"})
			switch {
			case tc.model != "":
				if m == nil || m.Name != tc.model || refusal != nil || err != nil {
					t.Fatalf("got %+v, %v, %v; want %s let in", m, refusal, err, tc.model)
				}
			case tc.err != nil:
				if !errors.Is(err, tc.err) || m != nil || refusal != nil || !strings.Contains(err.Error(), tc.text) {
					t.Fatalf("got %+v, %v, %v; want error %v with %q", m, refusal, err, tc.err, tc.text)
				}
			default:
				if refusal == nil || m != nil || err != nil || refusal.Rule != tc.rule || tc.trait != "" && refusal.Trait != tc.trait {
					t.Fatalf("got %+v, %+v, %v; want rule %s by %q", m, refusal, err, tc.rule, tc.trait)
				}
				text := refusal.Error()
				if !strings.Contains(text, tc.text) || strings.Contains(text, "hunter2") || len(text) > 500 {
					t.Errorf("text %q, want %q in it, and no password", text, tc.text)
				}
			}
		})
	}
}

func TestAdminStatus(t *testing.T) {
	machine := unix{groups: map[string][]string{"alice": {"wheel"}, "bob": {"users"}}}
	says := func(admin *bool) auth.Authenticator {
		return authFunc(func(req auth.Request) (*auth.Model, error) {
			return &auth.Model{Name: req.Username, Admin: admin}, nil
		})
	}
	groups := auth.RulesOptions{AllowAll: new(true), AdminUsers: []string{"root"}, AdminGroups: []string{"wheel"}, Unix: machine}
	names := auth.RulesOptions{AllowAll: new(true), AdminUsers: []string{"root"}}
	for _, tc := range []struct {
		o    auth.RulesOptions
		a    auth.Authenticator
		name string
		want *bool
	}{
		{names, anybody, "Root", new(true)},
		{names, anybody, "bob", nil}, // the database stays as it is
		{names, says(new(false)), "root", new(false)},
		{names, says(new(true)), "bob", new(true)},
		{groups, anybody, "alice", new(true)},
		{groups, anybody, "bob", new(false)},
		{groups, anybody, "root", new(true)},
	} {
		m, refusal, err := newRules(t, tc.o).Login(t.Context(), tc.a, auth.Request{Username: tc.name})
		if refusal != nil || err != nil {
			t.Fatal(refusal, err)
		}
		if !cmp.Equal(m.Admin, tc.want) {
			t.Errorf("%s: admin %v", tc.name, cmp.Diff(tc.want, m.Admin))
		}
	}
}

func TestLoginKeepsTheModel(t *testing.T) {
	kept := &auth.Model{Name: "ALICE", Groups: &[]string{"g"}, AuthState: map[string]any{"t": 1}, UserInfo: map[string]any{"n": "A"}}
	a := authFunc(func(auth.Request) (*auth.Model, error) { return kept, nil })
	r := newRules(t, auth.RulesOptions{AdminUsers: []string{"alice"}, AllowAll: new(true)})
	m, _, err := r.Login(t.Context(), a, auth.Request{})
	if err != nil || m.Name != "alice" || !cmp.Equal(m.Groups, kept.Groups) || !cmp.Equal(m.AuthState, kept.AuthState) || !cmp.Equal(m.UserInfo, kept.UserInfo) {
		t.Errorf("got %+v, %v", m, err)
	}
	if kept.Name != "ALICE" || kept.Admin != nil {
		t.Errorf("the authenticator's own model was changed: %+v", kept)
	}
}

func TestCheckExplainsAName(t *testing.T) {
	r := newRules(t, auth.RulesOptions{AllowedUsers: []string{"alice"}, AdminUsers: []string{"zoe", "root"}, BlockedUsers: []string{"Mallory"}})
	if name, refusal := r.Check("ALICE"); name != "alice" || refusal != nil {
		t.Errorf("got %q, %v", name, refusal)
	}
	if name, refusal := r.Check("Mallory"); name != "mallory" || refusal == nil || refusal.Rule != auth.RuleBlocked {
		t.Errorf("got %q, %v", name, refusal)
	}
	if !slices.Equal(r.AdminUsers(), []string{"root", "zoe"}) || !slices.Equal(r.BlockedUsers(), []string{"mallory"}) {
		t.Errorf("got %v, %v", r.AdminUsers(), r.BlockedUsers())
	}
}
