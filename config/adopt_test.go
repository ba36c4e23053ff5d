package config_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/config"
)

// Every trait that was written is in exactly one list, with its line.
func TestAdopt(t *testing.T) {
	marked := func(kind, name string, line int) any {
		return map[string]any{"__minihub_python__": map[string]any{"kind": kind, "qualname": name, "repr": "…", "line": line}}
	}
	src := source(t, "{}")
	src.Path += ".py"
	if err := os.WriteFile(src.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	src.Evaluate = func(context.Context, string) (map[string]map[string]any, error) {
		return map[string]map[string]any{
			"JupyterHub":       {"ip": "127.0.0.1", "authenticator_class": marked("class", "lab.LabAuthenticator", 3), "statsd_host": "x"},
			"Spawner":          {"pre_spawn_hook": marked("function", "conf.hook", 20), "environment": map[string]any{"A": "x", "B": marked("function", "conf.b", 21)}, "start_timeout": "soon"},
			"LabAuthenticator": {"room": 4},
			"__minihub_lines__": {"JupyterHub.ip": 7, "JupyterHub.authenticator_class": 8, "JupyterHub.statsd_host": 9, "Spawner.pre_spawn_hook": 22,
				"Spawner.environment": 23, "Spawner.start_timeout": 24, "LabAuthenticator.room": 10},
		}, nil
	}
	src.AllowPython = true
	cfg, report, _ := config.Load(t.Context(), src)
	if report == nil {
		t.Fatal("no report")
	}
	got := cfg.Adopt(report)
	if diff := cmp.Diff([]config.AdoptedTrait{{Trait: "JupyterHub.ip", Line: 7}}, got.Native); diff != "" {
		t.Errorf("native (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]config.AdoptedTrait{
		{Trait: "JupyterHub.authenticator_class", Line: 8, Note: "class lab.LabAuthenticator"},
		{Trait: "LabAuthenticator.room", Line: 10},
		{Trait: `Spawner.environment["B"]`, Line: 23, Note: "function conf.b"},
		{Trait: "Spawner.pre_spawn_hook", Line: 22, Note: "function conf.hook"},
	}, got.Python); diff != "" {
		t.Errorf("python (-want +got):\n%s", diff)
	}
	names := func(list []config.Problem) []string {
		var out []string
		for _, p := range list {
			out = append(out, p.Trait)
		}
		return out
	}
	if diff := cmp.Diff([]string{"JupyterHub.statsd_host"}, names(got.Noted)); diff != "" {
		t.Errorf("noted: %s", diff)
	}
	if diff := cmp.Diff([]string{"Spawner.start_timeout"}, names(got.Refused)); diff != "" || got.Refused[0].Line != 24 {
		t.Errorf("refused: %s %v", diff, got.Refused)
	}
}

// A class that cannot be loaded is refused, and not in Python as well.
func TestAdoptRefusedClass(t *testing.T) {
	src := source(t, `{"JupyterHub": {"spawner_class": "lab.Spawner"}, "Spawner": {"room": 1}}`)
	src.AllowPython = true
	cfg, report, err := config.Load(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Adopt(report); len(got.Python) != 2 || len(got.Refused) != 0 {
		t.Errorf("%+v", got)
	}
	report.Errorf("JupyterHub.spawner_class", "", "cannot be imported")
	got := cfg.Adopt(report)
	if len(got.Refused) != 1 || len(got.Python) != 1 || got.Python[0].Trait != "Spawner.room" {
		t.Errorf("%+v", got)
	}
}

// The sections of a refused proxy class go with it: they are not listed as if Python would read them.
func TestAdoptRefusedProxy(t *testing.T) {
	for _, given := range []string{"traefik_file", "jupyterhub_traefik_proxy.fileprovider.TraefikFileProviderProxy"} {
		src := source(t, `{"JupyterHub": {"proxy_class": "`+given+`"}, "TraefikFileProviderProxy": {"port": 1}, "TraefikProxy": {"should_start": true}, "LabSpawner": {"room": 1}}`)
		src.AllowPython = true
		cfg, report, _ := config.Load(t.Context(), src)
		if !slices.ContainsFunc(report.Errors(), func(p config.Problem) bool { return p.Trait == "JupyterHub.proxy_class" }) {
			report.Errorf("JupyterHub.proxy_class", "", "cannot be used")
		}
		got := cfg.Adopt(report)
		if len(got.Python) != 1 || got.Python[0].Trait != "LabSpawner.room" {
			t.Errorf("%s: in Python %+v", given, got.Python)
		}
		var names []string
		for _, p := range got.Refused {
			names = append(names, p.Trait)
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"JupyterHub.proxy_class", "TraefikFileProviderProxy.port", "TraefikProxy.should_start"}, names); diff != "" {
			t.Errorf("%s: refused: %s", given, diff)
		}
	}
}
