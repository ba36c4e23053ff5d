package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/orm"
)

func TestTakeStock(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	store, err := orm.Open(t.Context(), orm.Options{URL: "lab.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.CreateUsers(t.Context(), []*orm.User{{Name: "ann", Admin: true}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	const db = `"db_url": "sqlite:///lab.sqlite"`
	for name, tt := range map[string]struct {
		text, who, secret string
		has               bool
		keys              int
	}{
		"no secret": {`{"JupyterHub": {` + db + `, "authenticator_class": "null"}}`, "nobody", "jupyterhub_cookie_secret", false, 0},
		"a secret in a file": {`{"JupyterHub": {` + db + `, "authenticator_class": "shared-password", "cookie_secret_file": "secret"}, "Authenticator": {"allowed_users": ["ann"]},
			"SharedPasswordAuthenticator": {"user_password": "a-long-password-9"}, "CryptKeeper": {"keys": ["` + strings.Repeat("0a", 32) + `"]}}`, "ann", "secret", true, 1},
		"a configured secret": {`{"JupyterHub": {` + db + `, "authenticator_class": "lab.Auth", "cookie_secret": "` + strings.Repeat("0a", 32) + `"}}`, "whoever lab.Auth lets in", "", true, 0},
		"everybody":           {`{"JupyterHub": {` + db + `, "authenticator_class": "lab.Auth"}, "Authenticator": {"allow_all": true}}`, "everybody whom lab.Auth authenticates", "jupyterhub_cookie_secret", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for file, text := range map[string]string{"hub.json": tt.text, "secret": strings.Repeat("0b", 32)} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg, _, err := config.Load(t.Context(), config.Source{Path: "hub.json", AllowPython: true, LookupEnv: func(string) (string, bool) { return "", false }})
			if err != nil {
				t.Fatal(err)
			}
			got, err := app.TakeStock(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.LogIn, tt.who) || got.HasSecret != tt.has || got.CryptKeys != tt.keys || got.Plugins != "" {
				t.Errorf("%+v", got)
			}
			if tt.secret == "" && got.Secret != "" || tt.secret != "" && got.Secret != filepath.Join(dir, tt.secret) {
				t.Errorf("secret file %q", got.Secret)
			}
			if got.Database.State != orm.SchemaCurrent || got.Database.Admins != 1 {
				t.Errorf("database: %+v", got.Database)
			}
		})
	}
}
