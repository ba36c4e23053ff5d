package config_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/minihub/minihub/config"
)

func marked(kind string, more map[string]any) map[string]any {
	m := map[string]any{"kind": kind}
	for k, v := range more {
		m[k] = v
	}
	return map[string]any{"__minihub_python__": m}
}

func lazily(more map[string]any) map[string]any { return marked("lazy", more) }

// loadSections loads what an evaluator could have answered; no Python is needed.
func loadSections(t *testing.T, sections map[string]map[string]any, allowPython bool) (*config.Config, *config.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jupyterhub_config.py")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, report, err := config.Load(t.Context(), config.Source{Path: path, LookupEnv: noEnv, AllowPython: allowPython,
		Evaluate: func(context.Context, string) (map[string]map[string]any, error) { return sections, nil }})
	if report == nil {
		t.Fatal(err)
	}
	return cfg, report
}

func TestMarkers(t *testing.T) {
	set := func(items ...any) map[string]any { return marked("set", map[string]any{"items": items}) }
	cfg, report := loadSections(t, map[string]map[string]any{
		"__minihub_lines__":  {"Spawner.args": 7},
		"Authenticator":      {"allowed_users": set("b", "a", "b"), "admin_users": []any{"root"}},
		"PAMAuthenticator":   {"admin_users": lazily(map[string]any{"update": set("boot")})},
		"LocalAuthenticator": {"uids": marked("dict", map[string]any{"items": []any{[]any{"a", 1}, []any{2, 3}}})},
		"JupyterHub":         {"cookie_secret": marked("bytes", map[string]any{"base64": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}), "template_vars": lazily(nil)},
		"Spawner": {"cmd": "server", "args": lazily(map[string]any{"extend": []any{"c"}, "prepend": []any{"a"}, "inserts": []any{[]any{-9, "x"}, []any{99, "y"}}}),
			"environment": lazily(map[string]any{"update": map[string]any{"A": "1"}})},
		"LocalProcessSpawner": {"cmd": lazily(map[string]any{"extend": []any{"--debug"}})},
		"Plugin":              {"list": lazily(map[string]any{"extend": []any{1}}), "dict": lazily(map[string]any{"update": map[string]any{"k": 1}}), "set": lazily(map[string]any{"update": set("x")})},
	}, false)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"set":                {cfg.Authenticator.AllowedUsers, []string{"b", "a"}},
		"set onto a list":    {cfg.PAMAuthenticator.AdminUsers, []string{"root", "boot"}},
		"dict of pairs":      {cfg.PAMAuthenticator.UIDs, map[string]int{"a": 1, "2": 3}},
		"bytes":              {[]byte(cfg.JupyterHub.CookieSecret)[31], byte(31)},
		"list change":        {cfg.Spawner.Args, []string{"a", "x", "y", "c"}},
		"dict change":        {cfg.Spawner.Environment, map[string]string{"A": "1"}},
		"text command":       {[]string(cfg.SimpleLocalProcessSpawner.Cmd), []string{"server", "--debug"}},
		"changes of plugins": {cfg.Raw["Plugin"], map[string]any{"list": []any{int64(1)}, "dict": map[string]any{"k": int64(1)}, "set": []any{"x"}}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %#v, want %#v", what, pair[0], pair[1])
		}
	}
	if cfg.Given("JupyterHub", "template_vars") {
		t.Error("a trait that was only read counts as set")
	}
}

func TestWrongMarkersAndChanges(t *testing.T) {
	for name, c := range map[string]struct {
		class, trait string
		value        any
	}{
		"not a dict":       {"Spawner", "args", map[string]any{"__minihub_python__": 1}},
		"bad base64":       {"JupyterHub", "cookie_secret", marked("bytes", map[string]any{"base64": "?"})},
		"bad float":        {"JupyterHub", "cookie_max_age_days", marked("float", map[string]any{"repr": "x"})},
		"infinity":         {"JupyterHub", "port", marked("float", map[string]any{"repr": "inf"})},
		"bad pairs":        {"LocalAuthenticator", "uids", marked("dict", map[string]any{"items": []any{1}})},
		"bad key":          {"LocalAuthenticator", "uids", marked("dict", map[string]any{"items": []any{[]any{nil, 1}}})},
		"bad items":        {"Authenticator", "allowed_users", marked("set", map[string]any{"items": "x"})},
		"bad insert":       {"Spawner", "args", lazily(map[string]any{"inserts": []any{"x"}})},
		"bad index":        {"Spawner", "args", lazily(map[string]any{"inserts": []any{[]any{"x", 1}}})},
		"append to a set":  {"Authenticator", "allowed_users", lazily(map[string]any{"extend": []any{"x"}})},
		"update of a list": {"Spawner", "args", lazily(map[string]any{"update": map[string]any{"a": 1}})},
		"append to a dict": {"Spawner", "environment", lazily(map[string]any{"extend": []any{"x"}})},
		"append to a text": {"JupyterHub", "ip", lazily(map[string]any{"extend": []any{"x"}})},
		"a channel":        {"JupyterHub", "ip", make(chan int)},
		"a large number":   {"JupyterHub", "port", uint64(1 << 63)},
	} {
		_, report := loadSections(t, map[string]map[string]any{"__minihub_lines__": {c.class + "." + c.trait: 5}, c.class: {c.trait: c.value}}, false)
		wantProblem(t, report, config.SeverityError, c.class+"."+c.trait)
		if errs := report.Errors(); len(errs) > 0 && errs[0].Line != 5 {
			t.Errorf("%s: line %d", name, errs[0].Line)
		}
	}
}

// TestBridgeKeepsCallablesOnlyWhereTheyBelong: a bridge must not turn an object inside a list of texts into an empty text.
func TestBridgeKeepsCallablesOnlyWhereTheyBelong(t *testing.T) {
	hook := marked("function", map[string]any{"qualname": "hook", "line": 3})
	cfg, report := loadSections(t, map[string]map[string]any{
		"Spawner":    {"pre_spawn_hook": hook, "environment": map[string]any{"A": hook}, "args": []any{hook}, "cmd": hook},
		"JupyterHub": {"subdomain_hook": hook, "template_vars": map[string]any{"now": hook}},
	}, true)
	wantProblem(t, report, config.SeverityError, "Spawner.args[0]", "got a Python function")
	wantProblem(t, report, config.SeverityError, "Spawner.cmd", "got a Python function")
	if n := len(report.Errors()); n != 2 {
		t.Errorf("%d errors: %v", n, report.Errors())
	}
	if py := cfg.ToySpawner.PreSpawnHook; py == nil || py.Line != 3 || py.Kind != "function" {
		t.Errorf("%+v", py)
	}
	if len(cfg.Python) != 4 {
		t.Errorf("%+v", cfg.Python)
	}
}
