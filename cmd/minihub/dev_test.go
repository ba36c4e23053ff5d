package main_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/hubtest"
)

// serveWith starts minihub as production does, with one administrator, and returns its address with base_url.
func serveWith(t *testing.T, config string, env []string, args ...string) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "hub.yaml")
	text := "JupyterHub:\n  authenticator_class: dummy\n  spawner_class: toy\n  hub_bind_url: http://127.0.0.1:0\n  db_url: sqlite://\n" + config
	if !strings.Contains(config, "bind_url") {
		text = strings.Replace(text, "JupyterHub:\n", "JupyterHub:\n  bind_url: http://127.0.0.1:0\n", 1)
	}
	text += "\nAuthenticator:\n  admin_users: [root]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, path, append([]string{"-f", file}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was asked to end
		cancel()
	})
	lines := bufio.NewScanner(log)
	all := ""
	for lines.Scan() {
		all += lines.Text() + "\n"
		if m := regexp.MustCompile(`now running at (http://\S+?)/? duration`).FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // so that the hub can go on writing
				}
			}()
			return strings.TrimSuffix(m[1], "/")
		}
	}
	t.Fatalf("minihub did not start:\n%s", all)
	return ""
}

// logInAs logs a browser in at base (with base_url).
func logInAs(t *testing.T, base, name string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: time.Minute}
	answer, err := c.Get(base + "/hub/login")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	answer, err = c.PostForm(base+"/hub/login?next="+url.QueryEscape("/hub/home"), url.Values{"username": {name}, "password": {"any"}, "_xsrf": {xsrfOf(c, base)}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode >= 500 {
		t.Fatalf("the login is answered with %d", answer.StatusCode)
	}
	return c
}

func xsrfOf(c *http.Client, base string) string {
	u, _ := url.Parse(base + "/hub/")
	for _, cookie := range c.Jar.Cookies(u) {
		if cookie.Name == "_xsrf" {
			return cookie.Value
		}
	}
	return ""
}

// TestNoInspectorInProduction: whatever is configured, minihub has nothing at /hub/dev, not even for an administrator.
func TestNoInspectorInProduction(t *testing.T) {
	t.Parallel()
	everything := `  log_level: DEBUG
  debug_db: false
  debug_proxy: false
  admin_access: true
  allow_named_servers: true
  cleanup_servers: true
  template_vars: {dev: true, inspect: true, debug: true}
  tornado_settings: {debug: true, autoreload: true, serve_traceback: true, dev: true, inspect: true}
`
	for _, row := range []struct {
		name, config string
		env, args    []string
	}{
		{name: "plain"},
		{name: "all that sounds like debugging", config: everything, args: []string{"--debug"}},
		{name: "environment", env: []string{"MINIHUB_DEV=1", "MINIHUB_INSPECT=1", "MINIHUB_DEBUG=1", "JUPYTERHUB_DEV=1", "DEV=1", "DEBUG=1", "MINIHUB_TEST=1"}},
		{name: "base_url that looks like it", config: "  bind_url: http://127.0.0.1:0/hub/dev/\n"},
		{name: "a service of that name", config: "  services: [{name: dev, url: \"http://127.0.0.1:9\", api_token: 0123456789abcdef0123456789abcdef}]\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			base := serveWith(t, row.config, row.env, row.args...)
			root := logInAs(t, base, "root")
			if answer, err := root.Get(base + "/hub/admin"); err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("root is no administrator: %v %v", answer, err)
			}
			for _, path := range []string{"", "/", "/oauth", "/controls", "/events", "/requests/1", "/assets/dev.js", "/waiting/x", "/become", "/advance", "?dev=1"} {
				for _, method := range []string{"GET", "POST"} {
					r, err := http.NewRequestWithContext(t.Context(), method, base+"/hub/dev"+path, strings.NewReader(url.Values{"_xsrf": {xsrfOf(root, base)}, "user": {"eve"}}.Encode()))
					if err != nil {
						t.Fatal(err)
					}
					if method == "GET" {
						r.Body = http.NoBody
					}
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					r.Header.Set("X-Minihub-Dev", "1")
					answer, err := root.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					answer.Body.Close()
					if answer.StatusCode != http.StatusNotFound {
						t.Errorf("%s /hub/dev%s: %d, want 404", method, path, answer.StatusCode)
					}
				}
			}
		})
	}
	t.Run("test-server", func(t *testing.T) {
		hub := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "root", Admin: true}}})
		root, err := hub.Browser("root")
		if err != nil {
			t.Fatal(err)
		}
		if page, err := root.Get("hub/dev"); err != nil || page.Status != http.StatusNotFound {
			t.Errorf("test-server has an inspector: %v %v", page, err)
		}
	})
}

// TestDevelop starts minihub dev as a person does, and ends it as a person does.
func TestDevelop(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(path, "dev", "--spawner", "toy", "--admin", "root", "--service", "sleeper -- sleep 1000", "--service-scope", "sleeper=list:users")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text, at := "", ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text += lines.Text() + "\n"
		if m := regexp.MustCompile(`Inspector +(http\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			at = m[1]
		}
		if strings.Contains(lines.Text(), "curl -H") {
			break
		}
	}
	answer, err := http.Get(at)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the inspector at %q: %v %v\n%s", at, answer, err, text)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("minihub dev ended with %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	for _, row := range [][]string{
		{"--ip", "0.0.0.0", "reachable from this machine only"}, {"--service", "x", "give its address"}, {"--service-scope", "x=y", "name of a --service"}, {"surplus", "", "is no flag"},
		{"--config", "x.py", "flag provided but not defined"},
	} {
		said, err := exec.Command(path, "dev", row[0], row[1]).CombinedOutput()
		if err == nil || !strings.Contains(string(said), row[2]) {
			t.Errorf("%v: %v %s", row, err, fmt.Sprint(string(said)))
		}
	}
}
