package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/orm"
)

// Stock is what a working JupyterHub has beside its configuration, as minihub would find it.
type Stock struct {
	Database  orm.Inspection
	LogIn     string // LogIn says in words who can log in.
	Secret    string // Secret is the file that signs cookies; "" when the secret is in the configuration or environment.
	HasSecret bool   // HasSecret tells whether there is a secret, so that browsers stay logged in.
	CryptKeys int    // CryptKeys counts the keys of auth_state.
	Plugins   string // Plugins is the Python interpreter in which functions and classes live; "" when none is needed.
}

// TakeStock looks at what a configuration names, and opens, starts and changes nothing but a read-only connection to the database.
func TakeStock(ctx context.Context, cfg *config.Config) (Stock, error) {
	h := &cfg.JupyterHub
	s := Stock{CryptKeys: len(cfg.CryptKeeper.Keys), LogIn: logIn(cfg), HasSecret: len(h.CookieSecret) > 0}
	if !s.HasSecret {
		s.Secret = h.CookieSecretFile
		if abs, err := filepath.Abs(s.Secret); err == nil {
			s.Secret = abs
		}
		_, err := os.Stat(s.Secret)
		s.HasSecret = !errors.Is(err, fs.ErrNotExist)
	}
	if p, ok := cfg.Child.(interface{ Python() string }); ok {
		s.Plugins = p.Python()
	}
	var err error
	s.Database, err = orm.Inspect(ctx, orm.Options{URL: h.DBURL, Kwargs: h.DBKwargs})
	return s, databaseError(err)
}

// logIn says who can log in. A class in Python is not made for the answer: some write into the database when they are made.
func logIn(cfg *config.Config) string {
	class := cfg.JupyterHub.AuthenticatorClass
	if class.Native == "" {
		if cfg.Authenticator.AllowAll {
			return "everybody whom " + class.Given + " authenticates"
		}
		return "whoever " + class.Given + " lets in"
	}
	rules, err := auth.NewRules(ruleOptions(cfg))
	if err != nil {
		return "nobody: " + err.Error()
	}
	return rules.WhoCanLogIn()
}
