package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runIn runs a command line in a folder with a configuration file and gives what it printed.
func runIn(t *testing.T, dir, name, text string, args ...string) (out, errOut string, code int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var o, e bytes.Buffer
	code = run(args, &o, &e, time.Now())
	return o.String(), e.String(), code
}

func wantAll(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s has nothing of %q:\n%s", what, word, text)
		}
	}
}

const adoptable = `{"JupyterHub": {"authenticator_class": "shared-password", "spawner_class": "simple", "cookie_secret": "` +
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" + `", "bind_url": "http://127.0.0.1:8000", "statsd_host": "x"},
	"SharedPasswordAuthenticator": {"user_password": "a-long-password-9"}, "Authenticator": {"allowed_users": ["ann", "bob"]}}`

func TestAdoptSaysYes(t *testing.T) {
	dir := t.TempDir()
	out, errOut, code := runIn(t, dir, "hub.json", adoptable, "adopt", "-f", "hub.json")
	if code != 0 || errOut != "" {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	wantAll(t, "the report", out, "hub.json", "authenticator shared-password, spawner simple, proxy minihub", "JupyterHub: ", "bind_url", "Noted, and no obstacle: 1 setting",
		"JupyterHub.statsd_host", "there is none yet", "who can log in: ann, bob", "browsers stay logged in", "it can be adopted", "1. Stop JupyterHub", "minihub -f hub.json")
	for _, secret := range []string{"a-long-password-9", "0102030405"} {
		if strings.Contains(out, secret) {
			t.Errorf("the report shows a secret:\n%s", out)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("files after adopt: %v, %v", entries, err)
	}
}

func TestAdoptSaysNo(t *testing.T) {
	for name, tt := range map[string]struct {
		text, file, content string
		words               []string
		err                 string
	}{
		"setting": {text: strings.Replace(adoptable, `"statsd_host": "x"`, `"proxy_class": "traefik_etcd", "port": "many"`, 1),
			words: []string{"Not supported, to be changed first: 2 settings", "JupyterHub.proxy_class", "JupyterHub.port", "run minihub adopt again"}, err: "cannot be adopted as it is: 2 settings"},
		"database": {text: adoptable, file: "jupyterhub.sqlite", content: strings.Repeat("no database ", 100),
			words: []string{"cannot be read", "See to the database"}, err: "JupyterHub.db_url"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.file != "" {
				if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, errOut, code := runIn(t, dir, "hub.json", tt.text, "adopt", "-f", "hub.json")
			if code != 1 {
				t.Errorf("exit code %d", code)
			}
			wantAll(t, "the report", out, tt.words...)
			wantAll(t, "the error", errOut, tt.err)
			if strings.Contains(out, "it can be adopted") {
				t.Errorf("the report says yes as well:\n%s", out)
			}
		})
	}
}

// The database decides about the steps: servers that would end, a schema that must be upgraded first.
func TestAdoptSteps(t *testing.T) {
	dir := t.TempDir()
	if _, errOut, code := runIn(t, dir, "hub.json", adoptable, "upgrade-db", "-f", "hub.json"); code != 0 { // makes an empty database
		t.Fatal(errOut)
	}
	out, _, code := runIn(t, dir, "hub.json", adoptable, "adopt", "-f", "hub.json")
	if code != 0 || strings.Contains(out, "2. minihub upgrade-db") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	wantAll(t, "the report", out, "opens in place", "configurable-http-proxy has ended", "0 users (0 administrators)", "0 running servers")
}

func TestAdoptLeavesAnOutsideProxy(t *testing.T) {
	text := strings.Replace(adoptable, `"Authenticator":`, `"ConfigurableHTTPProxy": {"should_start": false, "auth_token": "`+strings.Repeat("t", 32)+`"}, "Authenticator":`, 1)
	out, errOut, code := runIn(t, t.TempDir(), "hub.json", text, "adopt", "-f", "hub.json")
	if code != 0 {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	wantAll(t, "the report", out, "proxy configurable-http-proxy", "which it does not start itself, stays")
}

func TestAdoptUsage(t *testing.T) {
	var o, e bytes.Buffer
	if code := run([]string{"adopt", "--help"}, &o, &e, time.Now()); code != 0 || !strings.Contains(o.String(), "adopt ") {
		t.Errorf("--help: exit code %d\n%s", code, o.String())
	}
	if code := run([]string{"adopt", "file.py"}, &o, &e, time.Now()); code != 2 {
		t.Errorf("an argument without -f: exit code %d, %s", code, e.String())
	}
	if code := run([]string{"adopt", "-f", filepath.Join(t.TempDir(), "none.json")}, &o, &e, time.Now()); code != 1 {
		t.Errorf("a missing file: exit code %d, %s", code, e.String())
	}
}

func TestSchemaCommand(t *testing.T) {
	var o, e bytes.Buffer
	if code := run([]string{"schema"}, &o, &e, time.Now()); code != 0 || !strings.HasPrefix(o.String(), "{") || !strings.Contains(o.String(), `"cleanup_servers"`) {
		t.Errorf("exit code %d, %s", code, e.String())
	}
	if code := run([]string{"schema", "what"}, &o, &e, time.Now()); code != 2 {
		t.Errorf("an argument: exit code %d", code)
	}
}
