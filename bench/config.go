package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Tokens and names of the configuration.
const (
	adminToken = "bench-token-0123456789abcdef"
	appToken   = "app-token-0123456789abcdef"
	appClient  = "service-app"
	appPath    = "/services/app/oauth_callback"
)

// ports of one hub.
type ports struct{ public, hub, proxyAPI int }

// configuration is what both hubs run with.
func configuration(p ports, dir, peer string) map[string]map[string]any {
	return map[string]map[string]any{
		"JupyterHub": {
			"bind_url":            fmt.Sprintf("http://127.0.0.1:%d", p.public),
			"hub_port":            p.hub,
			"authenticator_class": "dummy",
			"spawner_class":       "simple",
			"db_url":              "sqlite:///bench.sqlite",
			"log_level":           40,
			"cleanup_servers":     false, // the running servers belong to the benchmark
			"services": []any{
				map[string]any{"name": "load", "api_token": adminToken},
				map[string]any{"name": "app", "api_token": appToken, "oauth_client_id": appClient, "oauth_redirect_uri": appPath, "oauth_no_confirm": true},
			},
			"load_roles": []any{
				map[string]any{"name": "load", "scopes": []string{"admin:users", "admin:servers", "tokens", "read:hub"}, "services": []string{"load"}},
				map[string]any{"name": "user", "scopes": []string{"self", "access:services!service=app"}},
			},
		},
		"Authenticator":             {"allow_all": true},
		"ConfigurableHTTPProxy":     {"api_url": fmt.Sprintf("http://127.0.0.1:%d", p.proxyAPI)},
		"SimpleLocalProcessSpawner": {"home_dir_template": filepath.Join(dir, "home", "{username}")},
		"Spawner":                   {"cmd": []string{peer, "server"}, "environment": map[string]string{"BENCH_PID": fmt.Sprint(os.Getpid())}},
	}
}

// python loads the JSON beside it: the same values by the way that JupyterHub knows.
const python = `import json, os
c = get_config()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "hub.json")) as f:
    for name, traits in json.load(f).items():
        for trait, value in traits.items():
            setattr(c[name], trait, value)
`

// writeConfig writes both forms and returns the path of the wanted one.
func writeConfig(dir string, cfg map[string]map[string]any, asJSON bool) (string, error) {
	text, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return "", err
	}
	inJSON, inPython := filepath.Join(dir, "hub.json"), filepath.Join(dir, "jupyterhub_config.py")
	if err := os.WriteFile(inJSON, text, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(inPython, []byte(python), 0o600); err != nil {
		return "", err
	}
	if asJSON {
		return inJSON, nil
	}
	return inPython, nil
}
