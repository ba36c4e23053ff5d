//go:build cgo && linux

package auth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/auth"
)

// systemUser makes an account of this machine for the test: with a password, in a group of its own.
func systemUser(t *testing.T, name, password, group string) {
	t.Helper()
	run := func(stdin string, command ...string) {
		t.Helper()
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
	}
	run("", "groupadd", group)
	t.Cleanup(func() { _ = exec.Command("groupdel", group).Run() })
	run("", "useradd", "-m", "-G", group, name)
	t.Cleanup(func() { _ = exec.Command("userdel", "-r", "-f", name).Run() })
	run(name+":"+password, "chpasswd")
}

func TestPAMOfThisMachine(t *testing.T) {
	if os.Getenv("MINIHUB_TEST_PAM") != "1" {
		t.Skip("set MINIHUB_TEST_PAM=1 to log in through this machine's libpam (as root: it adds a user and removes it)")
	}
	name, group := fmt.Sprintf("mhpam%d", os.Getpid()), fmt.Sprintf("mhgrp%d", os.Getpid())
	systemUser(t, name, "corréct horse", group)
	a, err := auth.NewPAM(auth.PAMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rules := newRules(t, auth.RulesOptions{AllowedGroups: []string{group}, AdminGroups: []string{group}, NormalizeUser: a.NormalizeUser})
	login := func(name, password string) (*auth.Model, *auth.Refusal) {
		t.Helper()
		m, refusal, err := rules.Login(t.Context(), a, auth.Request{Username: name, Password: password})
		if err != nil {
			t.Fatal(err)
		}
		return m, refusal
	}

	if m, refusal := login(name, "corréct horse"); m == nil || m.Name != name || m.Admin == nil || !*m.Admin {
		t.Errorf("the right password: %+v, %v", m, refusal)
	}
	for _, bad := range [][2]string{{name, "wrong"}, {name, ""}, {name, "corréct horse\x00x"}, {"no-such-user-here", "corréct horse"}} {
		if m, refusal := login(bad[0], bad[1]); m != nil || refusal == nil || refusal.Rule != auth.RuleCredentials {
			t.Errorf("%q: got %+v, %v", bad, m, refusal)
		} else {
			t.Log(refusal)
		}
	}
	sessionsOfThisMachine(t, name)

	// The password still fits, and the account phase refuses.
	if out, err := exec.Command("usermod", "-e", "2001-01-01", name).CombinedOutput(); err != nil {
		t.Fatalf("usermod: %v: %s", err, out)
	}
	if m, refusal := login(name, "corréct horse"); m != nil || refusal == nil || refusal.Trait != "PAMAuthenticator.check_account" {
		t.Errorf("expired account: %+v, %v", m, refusal)
	} else {
		t.Log(refusal)
	}
	lax, err := auth.NewPAM(auth.PAMOptions{CheckAccount: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := lax.Authenticate(t.Context(), auth.Request{Username: name, Password: "corréct horse"}); m == nil {
		t.Errorf("check_account = False: %v", err)
	}
}

// sessionsOfThisMachine opens and closes a PAM session. What fails is logged and does not keep a server from starting, so
// the log tells. The service is "other": pam_loginuid of "login" refuses every thread but a process's first, in JupyterHub too.
func sessionsOfThisMachine(t *testing.T, name string) {
	t.Helper()
	for _, service := range []string{"other", "login"} {
		var log strings.Builder
		a, err := auth.NewPAM(auth.PAMOptions{Service: service, OpenSessions: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(a.PreSpawnStart(t.Context(), name, ""), a.PostSpawnStop(t.Context(), name, "")); err != nil {
			t.Errorf("session of %s: %v", service, err)
		}
		if service == "other" && log.Len() > 0 {
			t.Errorf("session of %s: %s", service, &log)
		}
	}
}

func TestCreateSystemUser(t *testing.T) {
	if os.Getenv("MINIHUB_TEST_PAM") != "1" {
		t.Skip("set MINIHUB_TEST_PAM=1 to create a system user with add_user_cmd (as root; it is removed again)")
	}
	name := fmt.Sprintf("mhnew%d", os.Getpid())
	t.Cleanup(func() { _ = exec.Command("userdel", "-r", "-f", name).Run() })
	local, err := auth.NewLocalUsers(auth.LocalUsersOptions{CreateSystemUsers: true, UIDs: map[string]int{name: 23456}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // idempotent
		if err := local.AddUser(t.Context(), auth.User{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("id", "-u", name).Output()
	if err != nil || strings.TrimSpace(string(out)) != "23456" {
		t.Errorf("id -u: %q, %v", out, err)
	}
	if ids, err := (auth.SystemUsers{}).GroupIDs(name); err != nil || slices.Contains(ids, "0") {
		t.Errorf("groups %v, %v", ids, err)
	}
}
