package auth

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestDefaultAddUser(t *testing.T) {
	has := func(commands ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			if slices.Contains(commands, name) {
				return "/usr/sbin/" + name, nil
			}
			return "", exec.ErrNotFound
		}
	}
	for _, tc := range []struct {
		has  []string
		want string
	}{
		{[]string{"pw", "adduser"}, "pw useradd -m -n"},
		{[]string{"adduser", "useradd"}, "adduser -q --gecos  --disabled-password"},
		{[]string{"useradd"}, "useradd -m"},
		{nil, ""},
	} {
		if got := strings.Join(defaultAddUser(has(tc.has...)), " "); got != tc.want {
			t.Errorf("with %v: %q, want %q", tc.has, got, tc.want)
		}
	}
}

// TestNoAddUserCommand looks for one in a PATH that holds none.
func TestNoAddUserCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	l, err := NewLocalUsers(LocalUsersOptions{CreateSystemUsers: true})
	if err != nil {
		t.Fatal(err)
	}
	err = l.AddUser(t.Context(), User{Name: "no-such-user-here"})
	if err == nil || !strings.Contains(err.Error(), "set LocalAuthenticator.add_user_cmd") {
		t.Errorf("got %v", err)
	}
}
