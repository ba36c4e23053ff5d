//go:build e2e

package plugins

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// example is what becomes of one configuration in JupyterHub's source distribution.
type example struct {
	env      []string // what its README wants in the environment
	warnings []string // traits that check warns about (authenticator_class: the static binary has no PAM); none is refused
	started  string   // where it is started, or why it is not
}

const (
	here      = "TestExamplesThatStart"
	elsewhere = "TestExample... in e2e"
)

// examples lists every jupyterhub_config*.py below examples/ by its folder.
var examples = map[string]example{
	"azuread-with-group-management": {azure, nil, here},
	"bootstrap-script": {nil, []string{"Authenticator.allow_all", "JupyterHub.authenticator_class"},
		"its hook makes folders below /volumes; dockerspawner itself is in TestDockerSpawner"},
	"collaboration-accounts": {nil, []string{"JupyterHub.load_groups"}, here},
	"custom-scopes":          {nil, []string{"JupyterHub.allowed_users"}, elsewhere},
	"external-oauth":         {[]string{"JUPYTERHUB_API_TOKEN=" + strings.Repeat("5a", 32)}, nil, elsewhere},
	"forced-login":           {nil, nil, "TestForcedLogin"},
	"postgres/hub": {[]string{"POSTGRES_ENV_JPY_PSQL_PASSWORD=x", "POSTGRES_PORT_5432_TCP_ADDR=127.0.0.1"}, []string{"JupyterHub.authenticator_class"},
		"its database is a container of its own"},
	"read-only":                 {nil, nil, here},
	"server-api":                {nil, nil, elsewhere},
	"service-announcement":      {nil, nil, elsewhere},
	"service-fastapi":           {nil, nil, elsewhere},
	"service-notebook/external": {nil, []string{"JupyterHub.load_groups"}, "it is the managed one with a shell script beside the hub"},
	"service-notebook/managed":  {nil, []string{"JupyterHub.load_groups"}, "its service is a jupyterhub-singleuser, which refuses to run as root, and the tests run as root"},
	"service-whoami":            {nil, nil, elsewhere},
	"service-whoami-flask":      {nil, nil, elsewhere},
	"spawn-form":                {nil, []string{"Authenticator.allow_all", "JupyterHub.authenticator_class"}, here},
	"user-sharing":              {nil, nil, elsewhere},
}

var azure = []string{"AAD_CLIENT_ID=the-hub", "AAD_CLIENT_SECRET=very-much-a-secret", "AAD_CALLBACK_URL=http://127.0.0.1:8000/hub/oauth_callback",
	"AAD_TENANT_ID=tenant", "AAD_AUTHORIZE_URL=https://login.invalid/tenant/authorize", "AAD_TOKEN_URL=https://login.invalid/tenant/token"}

// TestExamplesAreAccepted walks the examples: check accepts each, with no other warnings than the known ones.
func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it has no check")
	root := filepath.Join(harness.Sdist(t), "examples")
	trait := regexp.MustCompile(`(?m)^(warning|error): (\w+\.\w+)`)
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), "jupyterhub_config") || filepath.Ext(path) != ".py" {
			return err
		}
		name, _ := filepath.Rel(root, filepath.Dir(path))
		want, known := examples[name]
		if !known || want.started == "" {
			t.Errorf("%s: no row says what becomes of it", name)
			return nil
		}
		seen++
		out, ok := minihub(t, filepath.Dir(path), want.env, "check", "-f", entry.Name())
		var warned []string
		for _, found := range trait.FindAllStringSubmatch(out, -1) {
			if found[1] == "error" {
				ok = false
			}
			if found[2] != "DummyAuthenticator.password" && !slices.Contains(warned, found[2]) {
				warned = append(warned, found[2])
			}
		}
		slices.Sort(warned)
		if !ok || !slices.Equal(warned, want.warnings) {
			t.Errorf("%s: accepted %v, warnings about %q, want %q\n%s", name, ok, warned, want.warnings, out)
		}
		return nil
	})
	if err != nil || seen != len(examples) {
		t.Errorf("%d examples of %d rows: %v", seen, len(examples), err)
	}
}

// TestExamplesThatStart starts those examples that no other test has, and tries what each is about.
func TestExamplesThatStart(t *testing.T) {
	t.Parallel()
	run := func(name string, do func(t *testing.T)) { t.Run(name, func(t *testing.T) { t.Parallel(); do(t) }) }
	run("azuread-with-group-management", func(t *testing.T) {
		hub := harness.Start(t, harness.Options{Example: "azuread-with-group-management", Env: azure, Venv: harness.PluginsVenv(t)})
		browser := hub.Browse(t)
		browser.StopAt("https://login.invalid/")
		page := browser.Get("/hub/oauth_login")
		if query := page.URL.Query(); page.URL.Host != "login.invalid" || query.Get("client_id") != "the-hub" || query.Get("state") == "" {
			t.Errorf("the login leads to %s (status %d)", page.URL, page.Status)
		}
	})
	run("collaboration-accounts", func(t *testing.T) {
		hub := harness.Start(t, harness.Options{Example: "collaboration-accounts", Base: "/rtc/"})
		for user, want := range map[string]int{"vex": http.StatusOK, "stranger": http.StatusForbidden} {
			browser := hub.Browse(t)
			page := browser.Get("/rtc/hub/login")
			form := page.Form(t, "username")
			form.Values.Set("username", user)
			form.Values.Set("password", "anything")
			browser.Submit(page, form)
			if page := browser.Get("/rtc/hub/admin"); page.Status != want {
				t.Errorf("%s: the admin page has status %d, want %d", user, page.Status, want)
			}
		}
	})
	run("read-only", func(t *testing.T) {
		hub := harness.Start(t, harness.Options{Example: "read-only"})
		for user, want := range map[string]int{"admin": http.StatusOK, "percy": http.StatusForbidden} {
			browser := hub.Browse(t)
			browser.TryLogin(user, "anything")
			if page := browser.Get("/hub/admin"); page.Status != want {
				t.Errorf("%s: the admin page has status %d, want %d", user, page.Status, want)
			}
		}
	})
	run("spawn-form", exampleSpawnForm)
}

// exampleSpawnForm starts a server with what the example's form gives. Its spawner starts processes of accounts of the machine.
func exampleSpawnForm(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it starts a process of the account root: run it as root")
	}
	hub := harness.Start(t, harness.Options{Example: "spawn-form", Args: []string{"--JupyterHub.authenticator_class=dummy",
		"--Authenticator.allow_all=True", "--Spawner.args=--allow-root", "--Spawner.default_url=/lab"}})
	browser := hub.Browse(t)
	browser.Login("root")
	page := browser.Get("/hub/spawn/root")
	form := page.Form(t, "env")
	if !strings.Contains(page.Body, "YOURNAME=root\n") {
		t.Errorf("the form has no default:\n%s", page.Text())
	}
	mark := filepath.Base(filepath.Dir(hub.Dir))
	form.Values.Set("env", "YOURNAME=root\nMARK="+mark)
	form.Values.Set("args", "--ServerApp.max_body_size=1234")
	browser.Submit(page, form)
	marked := func() (pids []int) {
		entries, _ := os.ReadDir("/proc")
		for _, entry := range entries {
			if pid, err := strconv.Atoi(entry.Name()); err == nil && variable(pid, "MARK") == mark {
				pids = append(pids, pid)
			}
		}
		return pids
	}
	t.Cleanup(func() {
		for _, pid := range marked() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	harness.Poll(t, 2*time.Minute, "the server", func() bool { return strings.Contains(hub.Log(), "server started") })
	pids := marked()
	if len(pids) == 0 {
		t.Fatal("no process has the variable of the form")
	}
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pids[0]))
	if !strings.Contains(string(command), "--ServerApp.max_body_size=1234") {
		t.Errorf("the command: %q", command)
	}
}
