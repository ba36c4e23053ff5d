package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

// secret is a text that must never be seen; hexSecret is one that is valid hex.
const secret = "hunter2hunter2hunter2hunter2hunter2"

var hexSecret = strings.Repeat("5ec7", 16)

func secretDocument() string {
	return fmt.Sprintf(`{
		"JupyterHub": {"cookie_secret": %[2]q, "api_tokens": {%[1]q: "alice"}, "service_tokens": {"tok-%[1]s": "svc"}, "proxy_auth_token": %[1]q,
			"services": [{"name": "s", "api_token": %[1]q, "environment": {"K": %[1]q}}], "db_url": "postgresql://u:%[1]s@h/db", "db_kwargs": {"password": %[1]q}},
		"DummyAuthenticator": {"password": %[1]q},
		"SharedPasswordAuthenticator": {"admin_password": %[1]q, "user_password": "%[1]sx", "password_groups": {%[1]q: ["g"]}, "manage_groups": true},
		"CryptKeeper": {"keys": [%[2]q]}, "Spawner": {"environment": {"AWS": %[1]q}}, "GitHubOAuthenticator": {"client_secret": %[1]q}
	}`, secret, hexSecret)
}

func wantHidden(t *testing.T, what, text string) {
	t.Helper()
	if at := strings.Index(text, secret); at >= 0 {
		t.Errorf("%s shows a secret: …%s", what, text[max(0, at-60):at+len(secret)])
	}
	if strings.Contains(text, hexSecret) || strings.Contains(text, "^\xc7") {
		t.Errorf("%s shows a key", what)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	cfg, report := load(t, secretDocument())
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	if cfg.MinihubProxy.AuthToken != secret || cfg.JupyterHub.APITokens[secret] != "alice" {
		t.Fatal("the secrets were not read")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		wantHidden(t, verb+" of the config", fmt.Sprintf(verb, cfg))
		wantHidden(t, verb+" of secrets", fmt.Sprintf(verb, []any{cfg.JupyterHub.CookieSecret, cfg.JupyterHub.APITokens, cfg.MinihubProxy.AuthToken,
			cfg.SharedPasswordAuthenticator.PasswordGroups, *cfg.SharedPasswordAuthenticator.AdminPassword, cfg.CryptKeeper.Keys, cfg.JupyterHub.Services[0].APIToken}))
	}
	var log, show, showJSON bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "cfg", cfg, "keys", cfg.CryptKeeper, "service", cfg.JupyterHub.Services[0].APIToken, "tokens", cfg.JupyterHub.APITokens)
	if err := config.WriteShowConfig(&show, cfg); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteShowConfigJSON(&showJSON, cfg); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the log": log.String(), "--show-config": show.String(), "--show-config-json": showJSON.String(), "JSON": string(document)} {
		wantHidden(t, what, text)
	}
	if !strings.Contains(showJSON.String(), "postgresql://u:<hidden>@h/db") || !strings.Contains(show.String(), `.services = [{"name":"s","api_token":"<hidden>","display":true,"timeout":30}]`) {
		t.Errorf("too much is hidden:\n%s", showJSON.String())
	}
}

// TestSecretsInProblems puts secrets where they do not fit and looks for them in every message.
func TestSecretsInProblems(t *testing.T) {
	for _, tr := range config.Traits() {
		if !tr.Secret && tr.Name != "services" {
			continue
		}
		for _, value := range []string{`"` + secret + `"`, `["` + secret + `"]`, `{"` + secret + `":"` + secret + `"}`, `[{"name":"` + secret[:3] + `","api_token":["` + secret + `"]}]`} {
			_, report := load(t, fmt.Sprintf(`{%q:{%q:%s}}`, tr.Class, tr.Name, value))
			for _, p := range report.Problems {
				if tr.Name == "environment" || tr.Name == "services" {
					continue // names of variables and unknown keys are not secret
				}
				wantHidden(t, tr.Class+"."+tr.Name, p.String())
			}
		}
	}
	for _, arg := range []string{"--ConfigurableHTTPProxy.auth_token=" + secret, "--JupyterHub.cookie_secret=" + secret, "--JupyterHub.api_tokens=" + secret,
		"--CryptKeeper.keys=" + secret, "--JupyterHub.services=[" + secret + "]"} {
		_, report := load(t, `{}`, arg)
		for _, p := range report.Problems {
			wantHidden(t, arg[:20], p.String())
		}
	}
}
