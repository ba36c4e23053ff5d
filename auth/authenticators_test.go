package auth_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/auth"
)

const (
	userPassword  = "for all of us"
	adminPassword = "0123456789abcdef0123456789abcdef"
)

func TestSharedPasswordOptions(t *testing.T) {
	rules := newRules(t, auth.RulesOptions{})
	for _, tc := range []struct {
		o    auth.SharedPasswordOptions
		want []string // nil: accepted
	}{
		{auth.SharedPasswordOptions{UserPassword: "12345678", AdminPassword: adminPassword}, nil},
		{auth.SharedPasswordOptions{}, nil},
		{auth.SharedPasswordOptions{UserPassword: "1234567", AdminPassword: adminPassword[1:]},
			[]string{"user_password must have at least 8 characters, it has 7", "admin_password must have at least 32 characters, it has 31"}},
		{auth.SharedPasswordOptions{UserPassword: adminPassword, AdminPassword: adminPassword}, []string{"must differ"}},
		{auth.SharedPasswordOptions{PasswordGroups: map[string][]string{"secret-secret": {"g"}, "": nil}}, []string{"manage_groups = True", "empty password"}},
	} {
		tc.o.Rules = rules
		_, err := auth.NewSharedPassword(tc.o)
		if (err == nil) != (tc.want == nil) {
			t.Errorf("%+v: error %v", tc.o, err)
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error lacks %q: %v", want, err)
			}
		}
		if err != nil && (strings.Contains(err.Error(), "1234567") || strings.Contains(err.Error(), "secret-secret")) {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if _, err := auth.NewSharedPassword(auth.SharedPasswordOptions{}); err == nil {
		t.Error("accepted without rules")
	}
}

func TestSharedPasswordLogin(t *testing.T) {
	rules := newRules(t, auth.RulesOptions{AllowAll: new(true), AdminUsers: []string{"admin"}})
	full := auth.SharedPasswordOptions{Rules: rules, UserPassword: userPassword, AdminPassword: adminPassword,
		PasswordGroups: map[string][]string{"blue-blue": {"blue"}}, ManageGroups: true}
	bare := auth.SharedPasswordOptions{Rules: rules}
	for _, tc := range []struct {
		o              auth.SharedPasswordOptions
		name, password string
		want           *auth.Model
		trait          string
	}{
		{full, "Bob", userPassword, &auth.Model{Name: "bob", Admin: new(false), Groups: &[]string{}}, ""},
		{full, "bob", "blue-blue", &auth.Model{Name: "bob", Groups: &[]string{"blue"}}, ""},
		{full, "ADMIN", adminPassword, &auth.Model{Name: "admin", Admin: new(true), Groups: &[]string{}}, ""},
		{full, "admin", userPassword, nil, "SharedPasswordAuthenticator.admin_password"},
		{full, "Admin", userPassword, nil, "SharedPasswordAuthenticator.admin_password"}, // GHSA-r764-xgvf-jrfj
		{full, "ADMIN", "blue-blue", nil, "SharedPasswordAuthenticator.admin_password"},
		{full, " admin", userPassword, nil, ""},
		{full, "bob", adminPassword, nil, "SharedPasswordAuthenticator.user_password"},
		{full, "bob", "", nil, "SharedPasswordAuthenticator.user_password"},
		{bare, "bob", "", nil, "SharedPasswordAuthenticator.user_password"},
		{bare, "admin", "", nil, "SharedPasswordAuthenticator.admin_password"},
	} {
		a, err := auth.NewSharedPassword(tc.o)
		if err != nil {
			t.Fatal(err)
		}
		m, refusal, err := rules.Login(t.Context(), a, auth.Request{Username: tc.name, Password: tc.password})
		if err != nil || !cmp.Equal(m, tc.want) || (refusal == nil) != (m != nil) {
			t.Errorf("%q: got %+v, %v, %v; want %+v", tc.name, m, refusal, err, tc.want)
			continue
		}
		if refusal != nil && tc.trait != "" && refusal.Trait != tc.trait {
			t.Errorf("%q: decided by %q, want %q", tc.name, refusal.Trait, tc.trait)
		}
	}
}

func TestSharedPasswordDoesNotLendItsGroups(t *testing.T) {
	rules := newRules(t, auth.RulesOptions{AllowAll: new(true)})
	a, err := auth.NewSharedPassword(auth.SharedPasswordOptions{Rules: rules, ManageGroups: true,
		PasswordGroups: map[string][]string{"blue-blue": {"blue"}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m, err := a.Authenticate(t.Context(), auth.Request{Username: "x", Password: "blue-blue"})
		if err != nil || !cmp.Equal(*m.Groups, []string{"blue"}) {
			t.Fatalf("got %+v, %v", m, err)
		}
		(*m.Groups)[0] = "changed by the caller"
	}
}

func TestSharedPasswordWarnings(t *testing.T) {
	admins := newRules(t, auth.RulesOptions{AdminUsers: []string{"root"}})
	nobody := newRules(t, auth.RulesOptions{})
	for _, tc := range []struct {
		o    auth.SharedPasswordOptions
		want string
	}{
		{auth.SharedPasswordOptions{Rules: nobody}, "nobody can log in"},
		{auth.SharedPasswordOptions{Rules: admins, AdminPassword: adminPassword}, "only admins"},
		{auth.SharedPasswordOptions{Rules: nobody, UserPassword: userPassword, AdminPassword: adminPassword}, "admin_users is empty"},
		{auth.SharedPasswordOptions{Rules: admins, UserPassword: userPassword}, "no admin can log in"},
		{auth.SharedPasswordOptions{Rules: admins, UserPassword: userPassword, AdminPassword: adminPassword}, ""},
	} {
		a, err := auth.NewSharedPassword(tc.o)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(a.Warnings(), "\n")
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
			t.Errorf("warnings %q, want %q", got, tc.want)
		}
	}
}

func TestDummyAndNull(t *testing.T) {
	for _, tc := range []struct {
		configured, given string
		want              bool
	}{{"", "", true}, {"", "x", true}, {"secret", "secret", true}, {"secret", "Secret", false}, {"secret", "", false}} {
		m, err := auth.NewDummy(tc.configured).Authenticate(t.Context(), auth.Request{Username: "A", Password: tc.given})
		if err != nil || (m != nil) != tc.want {
			t.Errorf("dummy %q with %q: %v, %v", tc.configured, tc.given, m, err)
		}
	}
	if quiet, loud := auth.NewDummy("").Warnings(), auth.NewDummy("s3cr3t").Warnings(); len(quiet) != 1 || len(loud) != 2 || strings.Contains(loud[1], "s3cr3t") {
		t.Errorf("warnings %q, %q", quiet, loud)
	}
	m, err := auth.Null{}.Authenticate(t.Context(), auth.Request{Username: "a"})
	if m != nil || !errors.As(err, new(*auth.Refusal)) || !(auth.Null{}).LoginPage().NoForm {
		t.Errorf("null: %v, %v", m, err)
	}
	names := []string{auth.NewDummy("").Name(), auth.Null{}.Name(), (&auth.SharedPassword{}).Name(), (&auth.PAM{}).Name()}
	want := []string{"jupyterhub.auth.DummyAuthenticator", "jupyterhub.auth.NullAuthenticator",
		"jupyterhub.authenticators.shared.SharedPasswordAuthenticator", "jupyterhub.auth.PAMAuthenticator"}
	if !cmp.Equal(names, want) {
		t.Error(cmp.Diff(want, names))
	}
}

// script writes an add_user_cmd that records its arguments, one per line, and exits with status.
func script(t *testing.T, status string) (command, record string) {
	t.Helper()
	dir := t.TempDir()
	command, record = filepath.Join(dir, "adduser"), filepath.Join(dir, "args")
	text := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + record + "\necho 'adduser: no space left' >&2\nexit " + status + "\n"
	if err := os.WriteFile(command, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return command, record
}

func TestLocalUsers(t *testing.T) {
	machine := unix{groups: map[string][]string{"alice": nil}}
	command, record := script(t, "0")
	var log strings.Builder
	create, err := auth.NewLocalUsers(auth.LocalUsersOptions{CreateSystemUsers: true, Unix: machine, UIDs: map[string]int{"bob": 1234},
		AddUserCmd: []string{command, "--home", "/h/USERNAME"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := create.AddUser(t.Context(), auth.User{Name: "alice"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(record); err == nil {
		t.Error("an account that exists was created again")
	}
	if err := create.AddUser(t.Context(), auth.User{Name: "bob"}); err != nil {
		t.Error(err)
	}
	got, _ := os.ReadFile(record)
	if want := "--home\n/h/bob\n--uid\n1234\nbob\n"; string(got) != want {
		t.Errorf("add_user_cmd got %q, want %q", got, want)
	}
	if !strings.Contains(log.String(), "creating system user") {
		t.Errorf("log %q", &log)
	}
	if err := create.AddUser(t.Context(), auth.User{Name: "--system"}); err == nil || !strings.Contains(err.Error(), "dash") {
		t.Errorf("a name that is an option: %v", err)
	}
	if err := create.DeleteUser(t.Context(), auth.User{Name: "alice"}); err != nil {
		t.Error(err)
	}
}

func TestLocalUsersErrors(t *testing.T) {
	machine := unix{groups: map[string][]string{"alice": nil}}
	keep, err := auth.NewLocalUsers(auth.LocalUsersOptions{Unix: machine})
	if err != nil {
		t.Fatal(err)
	}
	err = keep.AddUser(t.Context(), auth.User{Name: "bob"})
	if !errors.Is(err, auth.ErrNoSystemUser) || !strings.Contains(err.Error(), "LocalAuthenticator.create_system_users") {
		t.Errorf("got %v", err)
	}
	command, _ := script(t, "3")
	create, err := auth.NewLocalUsers(auth.LocalUsersOptions{CreateSystemUsers: true, Unix: machine, AddUserCmd: []string{command}})
	if err != nil {
		t.Fatal(err)
	}
	err = create.AddUser(t.Context(), auth.User{Name: "bob"})
	if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	if _, err := auth.NewLocalUsers(auth.LocalUsersOptions{UIDs: map[string]int{"x": -1}}); err == nil {
		t.Error("a negative uid was accepted")
	}
	if _, err := auth.NewLocalUsers(auth.LocalUsersOptions{AddUserCmd: []string{""}}); err == nil {
		t.Error("an empty command was accepted")
	}
}

func TestSystemUsers(t *testing.T) {
	var machine auth.SystemUsers
	if ok, err := machine.Exists("root"); !ok || err != nil {
		t.Errorf("root: %v, %v", ok, err)
	}
	if ok, err := machine.Exists("no-such-user-here"); ok || err != nil {
		t.Errorf("unknown user: %v, %v", ok, err)
	}
	if name, err := machine.Canonical("root"); name != "root" || err != nil {
		t.Errorf("got %q, %v", name, err)
	}
	if _, err := machine.Canonical("no-such-user-here"); !errors.Is(err, auth.ErrNoSystemUser) {
		t.Errorf("got %v", err)
	}
	gid, err := machine.GroupID("root")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := machine.GroupIDs("root")
	if err != nil || len(ids) == 0 || ids[0] != gid {
		t.Errorf("groups of root: %v, %v; want %s first", ids, err, gid)
	}
	if _, err := machine.GroupID("no-such-group-here"); !errors.Is(err, auth.ErrNoSystemGroup) {
		t.Errorf("got %v", err)
	}
}
