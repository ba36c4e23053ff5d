package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuestionsAboutPermissionsAndLogins(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hub.json")
	text := `{"JupyterHub": {"db_url": "sqlite:///` + filepath.Join(dir, "hub.sqlite") + `", "cookie_secret_file": "` + filepath.Join(dir, "secret") + `",
		"authenticator_class": "dummy",
		"load_roles": [{"name": "assistants", "groups": ["staff"], "scopes": ["start:servers!group=class", "list:users!group=class"]}],
		"load_groups": {"staff": {"users": ["ann"]}, "class": {"users": ["bob"]}}},
		"Authenticator": {"allowed_users": ["ann", "bob"], "admin_users": ["root"]}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := minihub(t, "token", "ann", "-f", file).CombinedOutput(); err != nil { // applies roles and groups, as a start does
		t.Fatalf("token: %v: %s", err, out)
	}
	for _, c := range []struct {
		args string
		code int
		want []string
	}{
		{"can ann start:servers!user=bob", 0, []string{"Yes: ann holds", `by role "assistants" of group "staff": start:servers!group=class`, `not by role "user"`}},
		{"can ann start:servers!server=bob/", 0, []string{"Yes"}},
		{"can ann start:servers", 1, []string{"No: ann", "'scopes': ['start:servers']"}},
		{"can root admin:users", 0, []string{`by role "admin"`}},
		{"can eve list:users", 1, []string{`no user "eve"`}},
		{"can ann lst:users", 1, []string{`did you mean "list:users"`}},
		{"can ann start:servers!server=bob", 1, []string{"user/ for the default server"}},
		{"can ann", 2, []string{"minihub can USER SCOPE"}},
		{"why-login ann", 0, []string{"Yes: ann gets in", "Authenticator.allowed_users"}},
		{"why-login ROOT", 0, []string{`as "root"`, "Authenticator.admin_users"}},
		{"why-login eve", 1, []string{"No: eve", "way out", "Authenticator.allowed_users"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			cmd := minihub(t, append(strings.Fields(c.args), "-f", file)...)
			out, _ := cmd.CombinedOutput() // its exit code is looked at
			if cmd.ProcessState.ExitCode() != c.code {
				t.Errorf("exit code %d, want %d", cmd.ProcessState.ExitCode(), c.code)
			}
			for _, part := range c.want {
				if !strings.Contains(string(out), part) {
					t.Errorf("%s\nwant %q in it", out, part)
				}
			}
		})
	}
}
