package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFormatsAgree writes the same settings in every format.
func TestFormatsAgree(t *testing.T) {
	documents := map[string]string{
		".json": `{"JupyterHub":{"port":9000,"authenticator_class":"dummy","services":[{"name":"s","command":"x","url":"http://127.0.0.1:1","environment":{"PORT":1}}],"cookie_max_age_days":1.5},
			"Authenticator":{"allowed_users":["a","b"]},"Spawner":{"environment":{"A":"1"},"mem_limit":"1G"}}`,
		".yaml": "JupyterHub:\n  port: 9000\n  authenticator_class: dummy\n  cookie_max_age_days: 1.5\n  services:\n    - name: s\n      command: x\n      url: http://127.0.0.1:1\n      environment: {PORT: 1}\n" +
			"Authenticator:\n  allowed_users: [a, b]\nSpawner:\n  mem_limit: 1G\n  environment:\n    A: '1'\nLocalProcessSpawner:\n",
		".toml": "[JupyterHub]\nport = 9000\nauthenticator_class = 'dummy'\ncookie_max_age_days = 1.5\n[[JupyterHub.services]]\nname = 's'\ncommand = 'x'\nurl = 'http://127.0.0.1:1'\nenvironment = {PORT = 1}\n" +
			"[Authenticator]\nallowed_users = ['a', 'b']\n[Spawner]\nmem_limit = '1G'\nenvironment = {A = '1'}\n",
	}
	documents[".yml"] = documents[".yaml"]
	for ext, text := range documents {
		path := write(t, t.TempDir(), "x"+ext, text)
		cfg, report, err := config.Load(t.Context(), config.Source{Path: path, LookupEnv: noEnv})
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("%s: %v %v", ext, err, report)
			continue
		}
		s := cfg.SpawnerTraits()
		if cfg.JupyterHub.Port != 9000 || !reflect.DeepEqual(cfg.DummyAuthenticator.AllowedUsers, []string{"a", "b"}) || s.Environment["A"] != "1" || *s.MemLimit != 1<<30 ||
			cfg.JupyterHub.Services[0].Environment["PORT"] != "1" || cfg.JupyterHub.CookieMaxAgeDays != 1.5 || cfg.File != path {
			t.Errorf("%s gives %+v", ext, cfg.JupyterHub)
		}
	}
}

func TestWhichFile(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	cfg, _, err := config.Load(ctx, config.Source{Dir: dir, LookupEnv: noEnv})
	if err != nil || cfg.File != "" || cfg.JupyterHub.Port != 8000 {
		t.Errorf("a missing default file: %v", err)
	}
	for _, src := range []config.Source{{Path: filepath.Join(dir, "none.py")}, {Dir: dir, Args: parse(t, "-f", "none")}} {
		if cfg, report, err := config.Load(ctx, src); !errors.Is(err, config.ErrNoFile) || cfg != nil || report != nil {
			t.Errorf("a missing file that was asked for: %v", err)
		}
	}
	write(t, dir, "jupyterhub_config.yaml", "JupyterHub: {port: 1}")
	write(t, dir, "other.json", `{"JupyterHub":{"port":2}}`)
	for want, src := range map[int]config.Source{1: {Dir: dir}, 2: {Dir: dir, Args: parse(t, "--config=other.json")}, 3: {Dir: dir, Path: "other.json", Args: parse(t, "--port=3")}} {
		src.LookupEnv = noEnv
		if cfg, _, err := config.Load(ctx, src); err != nil || cfg.JupyterHub.Port != want {
			t.Errorf("want port %d: %v %v", want, cfg, err)
		}
	}
	if _, _, err := config.Load(ctx, config.Source{Path: dir}); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	write(t, dir, "jupyterhub_config.py", "c.JupyterHub.port = 4")
	if _, _, err := config.Load(ctx, config.Source{Dir: dir}); err == nil || !strings.Contains(err.Error(), "Python") {
		t.Errorf("a .py file without an evaluator: %v", err)
	}
	broken := errors.New("line 3: boom")
	_, _, err = config.Load(ctx, config.Source{Dir: dir, Evaluate: func(context.Context, string) (map[string]map[string]any, error) { return nil, broken }})
	if !errors.Is(err, broken) {
		t.Errorf("the evaluator's error is lost: %v", err)
	}
}

func parse(t *testing.T, argv ...string) config.Args {
	t.Helper()
	args, err := config.ParseArgs(argv)
	if err != nil {
		t.Fatal(err)
	}
	return args
}

func TestBrokenFiles(t *testing.T) {
	for name, c := range map[string][2]string{
		"a.json": {"{\"JupyterHub\": {\n\"cookie_secret\": \"geheim\",}}", "line 2"}, "b.json": {``, "empty"}, "c.json": {`[1]`, "object"}, "d.json": {`{} {}`, "more text"},
		"e.json": {`{"JupyterHub": "geheim"}`, "expected a mapping"}, "f.yaml": {"JupyterHub:\n  a: [geheim\n", "line"}, "g.yaml": {"- geheim\n", "not YAML"},
		"h.toml": {"[JupyterHub]\nport = geheim\n", "line 2"}, "i.ini": {"x", "unknown extension"}, "j.json": {`{"JupyterHub":{"services":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}}`, "nested"},
	} {
		path := write(t, t.TempDir(), name, c[0])
		_, _, err := config.Load(t.Context(), config.Source{Path: path, LookupEnv: noEnv})
		if err == nil || !strings.Contains(err.Error(), c[1]) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", name, err, c[1])
		} else if strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
}

// FuzzDocument loads any JSON document: problems are fine, panics are not, and NaN or strange markers must not pass as values.
func FuzzDocument(f *testing.F) {
	f.Add(`{"JupyterHub":{"port":1,"services":[{"name":"x","command":"y"}],"load_groups":{"a":["b"]}}}`)
	f.Add(`{"Spawner":{"args":{"__minihub_python__":{"kind":"lazy","extend":["a"],"inserts":[[-5,"b"]]}}}}`)
	f.Add(`{"Authenticator":{"allowed_users":{"__minihub_python__":{"kind":"set","items":[1,"a"]}},"x":{"__minihub_python__":1}}}`)
	f.Add(`{"__minihub_lines__":{"A.b":1},"JupyterHubApp":{"":null},"":{"":1}}`)
	f.Fuzz(func(t *testing.T, document string) { loadsCleanly(t, "fuzz.json", document, noEnv) })
}

// FuzzFormats does the same with YAML and TOML, and with one text in every environment variable that the loader reads.
func FuzzFormats(f *testing.F) {
	f.Add(byte(0), "JupyterHub:\n  port: 1\n  load_groups: {a: [b]}\nSpawner:\n  mem_limit: 2G\n", "")
	f.Add(byte(0), "a: &a [x, x]\nb: &b [*a, *a]\nJupyterHub: {services: *b}\n", "/home/x")
	f.Add(byte(0), "JupyterHub:\n  <<: {port: 2}\n  bind_url: !!str http://:1/\n  data: !!binary aGk=\n", "1")
	f.Add(byte(1), "[JupyterHub]\nport = 1\nservices = [{name = 'x', command = ['y']}]\n[Spawner.environment]\nA = 1979-05-27T07:32:00Z\n", "")
	f.Add(byte(1), "[[JupyterHub.services]]\nname = \"a\"\n[Authenticator]\nadmin_users = ['x']\nn = nan\ni = 0x7fffffffffffffff\n", "http://[::1]:99999/%zz")
	f.Fuzz(func(t *testing.T, format byte, document, variable string) {
		name := "fuzz.yaml"
		if format%2 == 1 {
			name = "fuzz.toml"
		}
		loadsCleanly(t, name, document, func(string) (string, bool) { return variable, variable != "" })
	})
}

// loadsCleanly: whatever is in the file, there is an error or a configuration that can be used and shown.
func loadsCleanly(t *testing.T, name, document string, lookup func(string) (string, bool)) {
	t.Helper()
	path := write(t, t.TempDir(), name, document)
	cfg, report, err := config.Load(t.Context(), config.Source{Path: path, LookupEnv: lookup})
	if cfg == nil {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: no configuration, and the error does not name the file: %v", document, err)
		}
		return
	}
	if (err == nil) != (len(report.Errors()) == 0) {
		t.Errorf("%q: error %v, problems %v", document, err, report.Problems)
	}
	if err == nil {
		if _, err := config.ComputeURLs(cfg, "host"); err != nil {
			t.Errorf("%q passed, but has no URLs: %v", document, err)
		}
	}
	if err := config.WriteShowConfig(&strings.Builder{}, cfg); err != nil {
		t.Errorf("%q cannot be shown: %v", document, err)
	}
}
