package config_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestPythonFile(t *testing.T) {
	cfg, report := loadPython(t, `
import os
from pathlib import Path
c = get_config()  # noqa
print("this must not disturb the answer")
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.load_roles = []
c.JupyterHub.load_roles.append({"name": "tester", "scopes": ["self"], "users": {"b", "a"}})
c.JupyterHub.cookie_secret = bytes(range(32))
c.Authenticator.admin_users.add("root")
c.Authenticator.admin_users.update(["boot"])
c.Authenticator.allowed_users = {"bob", "alice"}
c.DummyAuthenticator.allowed_users.add("carol")
c.Spawner.cmd.extend(["--debug"])
c.Spawner.args.append("one")
c.LocalProcessSpawner.args.append("two")
c.SimpleLocalProcessSpawner.args.insert(0, "zero")
c.ToySpawner.args.prepend(["first"])
c.Spawner.environment.update({"A": "1"})
c.LocalProcessSpawner.environment.update({"B": 2})
c.LocalProcessSpawner.env_keep.append("MINE")
c.Spawner.notebook_dir = Path("/srv") / "nb"
c.Spawner.mem_limit = "1G"
c["Spawner"]["cpu_limit"] = 2
c.JupyterHub.template_vars
c.JupyterHub.tornado_settings = {"spawn_throttle_retry_range": (5, 6)}
c.LocalAuthenticator.uids = {"a": 1}
c.JupyterHub.hub_socket_mode = 0o660
`)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"set changed in a subclass": {cfg.DummyAuthenticator.AllowedUsers, []string{"alice", "bob", "carol"}},
		"set of the parent":         {cfg.Authenticator.AllowedUsers, []string{"alice", "bob"}},
		"set default changed":       {cfg.PAMAuthenticator.AdminUsers, []string{"boot", "root"}},
		"command extended":          {[]string(cfg.Spawner.Cmd), []string{"jupyterhub-singleuser", "--debug"}},
		"append twice":              {cfg.LocalProcessSpawner.Args, []string{"one", "two"}},
		"append and insert":         {cfg.SimpleLocalProcessSpawner.Args, []string{"zero", "one", "two"}},
		"prepend":                   {cfg.ToySpawner.Args, []string{"first", "one"}},
		"dict changed twice":        {cfg.SimpleLocalProcessSpawner.Environment, map[string]string{"A": "1", "B": "2"}},
		"class default appended":    {cfg.SimpleLocalProcessSpawner.EnvKeep[9], "MINE"},
		"path":                      {cfg.Spawner.NotebookDir, "/srv/nb"},
		"set in a role":             {cfg.JupyterHub.LoadRoles[0].Users, []string{"a", "b"}},
		"bytes":                     {[]byte(cfg.JupyterHub.CookieSecret)[31], byte(31)},
		"index":                     {*cfg.Spawner.CPULimit, 2.0},
		"untouched":                 {len(cfg.JupyterHub.TemplateVars), 0},
		"mode":                      {cfg.JupyterHub.HubSocketMode, 0o660},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %#v, want %#v", what, pair[0], pair[1])
		}
	}
}

func TestPythonObjectsAreRefusedByName(t *testing.T) {
	cfg, report := loadPython(t, `
import functools
class MyAuthenticator: pass
class DummyAuthenticator: pass
DummyAuthenticator.__module__ = "jupyterhub.auth"
async def hook(spawner):
    pass
c.JupyterHub.authenticator_class = DummyAuthenticator
c.JupyterHub.spawner_class = MyAuthenticator
c.Spawner.pre_spawn_hook = hook
c.Spawner.post_stop_hook = None
c.Spawner.environment = {"A": "1", "B": lambda s: "x"}
c.JupyterHub.default_url = lambda handler: "/lab"
c.JupyterHub.template_vars = {"now": hook}
c.Spawner.args = [object()]
c.JupyterHub.port = hook
c.JupyterHub.proxy_class = hook
c.Spawner.options_form = functools.partial(hook, 1)
c.PeriodicMetricsCollector.active_users_enabled = hook
c.JupyterHub.load_groups = {"g": {"properties": {"f": hook}}}
`)
	if cfg.JupyterHub.AuthenticatorClass.Native != "dummy" {
		t.Errorf("a class object of JupyterHub is not ours: %+v", cfg.JupyterHub.AuthenticatorClass)
	}
	for _, trait := range []string{"JupyterHub.spawner_class", "Spawner.pre_spawn_hook", `Spawner.environment["B"]`, "JupyterHub.default_url", `JupyterHub.template_vars["now"]`,
		"Spawner.args[0]", "Spawner.options_form", `JupyterHub.load_groups["g"]["properties"]["f"]`} {
		wantProblem(t, report, config.SeverityError, trait, "Python bridge is not there yet")
	}
	for _, trait := range []string{"JupyterHub.port", "PeriodicMetricsCollector.active_users_enabled", "JupyterHub.proxy_class"} {
		wantProblem(t, report, config.SeverityError, trait, "got a Python function")
	}
	for _, p := range report.Problems {
		if p.Trait == "Spawner.pre_spawn_hook" && p.Line != 9+1 {
			t.Errorf("line %d of %s", p.Line, p)
		}
		if strings.Contains(p.Trait, "authenticator_class") || strings.Contains(p.Trait, "post_stop_hook") {
			t.Errorf("refused: %v", p)
		}
	}
}

func TestPythonObjectsAreKeptForABridge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jupyterhub_config.py")
	text := "def hook(spawner): pass\nclass My: pass\nc.Spawner.pre_spawn_hook = hook\nc.Spawner.environment = {'A': hook}\nc.JupyterHub.default_url = hook\nc.Spawner.group_overrides = {'g': {'x': hook}}\nc.JupyterHub.authenticator_class = My\nc.Authenticator.allowed_things = {1}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(context.Background(), config.Source{Path: path, LookupEnv: noEnv, Evaluate: evaluator(python(t)), AllowPython: true})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.SimpleLocalProcessSpawner.PreSpawnHook == nil || cfg.Spawner.PreSpawnHook.Qualname != "hook" || cfg.JupyterHub.AuthenticatorClass.Python == nil {
		t.Errorf("%+v", cfg.Spawner.PreSpawnHook)
	}
	if got, ok := cfg.Spawner.GroupOverrides["g"].(map[string]any)["x"].(config.Python); !ok || got.Qualname != "hook" {
		t.Errorf("a callable in a free dict is lost: %v", cfg.Spawner.GroupOverrides)
	}
	var where []string
	for _, py := range cfg.Python {
		where = append(where, py.Where)
	}
	want := []string{"JupyterHub.authenticator_class", "JupyterHub.default_url", `Spawner.environment["A"]`, `Spawner.group_overrides["g"]["x"]`, "Spawner.pre_spawn_hook"}
	if !reflect.DeepEqual(where, want) {
		t.Errorf("python values at %v, want %v", where, want)
	}
}

// TestSdistExamples evaluates the example configurations of JupyterHub's source distribution.
func TestSdistExamples(t *testing.T) {
	dir := os.Getenv("MINIHUB_TEST_SDIST")
	if dir == "" {
		t.Skip("set MINIHUB_TEST_SDIST to an unpacked jupyterhub-6.1.1 source distribution to run this test")
	}
	t.Setenv("JUPYTERHUB_API_TOKEN", strings.Repeat("ab", 16))
	files, _ := filepath.Glob(filepath.Join(dir, "examples", "*", "jupyterhub_config*.py"))
	if len(files) < 10 {
		t.Fatalf("%d examples in %s", len(files), dir)
	}
	// what these examples need, which this version refuses; the others must load without an error
	refused := map[string]string{"bootstrap-script": "pre_spawn_hook", "collaboration-accounts": "Spawner.pre_spawn_hook", "forced-login": "JupyterHub.authenticator_class",
		"spawn-form": "JupyterHub.spawner_class", "azuread-with-group-management": "JupyterHub.authenticator_class"}
	for _, path := range files {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			t.Chdir(filepath.Dir(path))
			script, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			here := evaluatorIn(t)
			_, report, err := config.Load(t.Context(), config.Source{Path: script, LookupEnv: noEnv, Evaluate: here})
			switch {
			case report == nil && strings.Contains(err.Error(), "ModuleNotFoundError"):
				t.Skipf("the interpreter lacks a module (set MINIHUB_TEST_PYTHON to one that has it): %v", err)
			case report == nil:
				t.Fatal(err)
			case refused[name] != "":
				if err == nil || !strings.Contains(err.Error(), refused[name]) {
					t.Errorf("%v, want a refusal of %s", err, refused[name])
				}
			case err != nil:
				t.Error(err)
			}
			for _, p := range report.Problems {
				t.Log(p)
			}
		})
	}
}
