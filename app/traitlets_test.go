package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// A file with every way of writing a value that traitlets has gives the values that JupyterHub's own objects get from it. (Objects of classes
// in Python are made by traitlets itself.)
func TestTrickyFileAsJupyterHub(t *testing.T) {
	usePython(t, true)
	python := os.Getenv("MINIHUB_TEST_PYTHON") // usePython has looked for it
	dir := t.TempDir()
	for _, name := range []string{"tricky.py", "tricky_sub.py", "tricky_beside.py", "tricky_values.py"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("TRICKY", "from the environment")
	cmd := exec.CommandContext(t.Context(), python, "tricky_values.py")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	args, err := config.ParseArgs([]string{"-f", "tricky.py", "--Spawner.http_timeout=44"})
	if err != nil {
		t.Fatal(err)
	}
	cfg, report, err := app.Load(context.Background(), args, new(bytes.Buffer))
	if err != nil {
		t.Fatalf("%v %v", err, report)
	}
	if cfg.Child != nil {
		defer cfg.Child.Close()
	}
	var want map[string]any
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h, a, s := &cfg.JupyterHub, cfg.AuthenticatorTraits(), cfg.SpawnerTraits()
	text, err := json.Marshal(map[string]any{
		"load_roles": h.LoadRoles, "tornado_settings": h.TornadoSettings, "port": h.Port, "cookie_max_age_days": h.CookieMaxAgeDays,
		"services": len(h.Services), "trusted_downstream_ips": h.TrustedDownstreamIPs,
		"admin_users": a.AdminUsers, "allowed_users": a.AllowedUsers, "blocked_users": a.BlockedUsers, "username_map": a.UsernameMap, "auth_refresh_age": a.AuthRefreshAge,
		"args": s.Args, "cmd": s.Cmd, "environment": s.Environment, "mem_limit": s.MemLimit, "default_url": s.DefaultURL, "start_timeout": s.StartTimeout,
		"http_timeout": s.HTTPTimeout, "notebook_dir": s.NotebookDir, "env_keep": s.EnvKeep,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-JupyterHub +minihub):\n%s", diff)
	}
	callables := map[string]bool{}
	for _, py := range cfg.Python {
		callables[py.Where] = true
	}
	for _, name := range []string{"Spawner.pre_spawn_hook", "Spawner.options_form", "Authenticator.post_auth_hook", "JupyterHub.user_redirect_hook"} {
		if !callables[name] {
			t.Errorf("the function of %s is not there: %v", name, callables)
		}
	}
}
