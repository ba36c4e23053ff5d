package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

// TestSectionsOfParents: a section applies to subclasses, the most specific one wins.
func TestSectionsOfParents(t *testing.T) {
	cfg := good(t, `{
		"JupyterHub": {"spawner_class": "simple", "authenticator_class": "pam"},
		"Spawner": {"start_timeout": 1, "http_timeout": 2, "args": ["base"], "environment": {"A": "1"}},
		"LocalProcessSpawner": {"http_timeout": 3, "environment": {"B": "2"}},
		"SimpleLocalProcessSpawner": {"term_timeout": 4},
		"Authenticator": {"allowed_users": ["a"], "admin_groups": ["wheel"]},
		"PAMAuthenticator": {"allowed_users": ["b"]}
	}`)
	s := cfg.SpawnerTraits()
	if s.StartTimeout != 1 || s.HTTPTimeout != 3 || !reflect.DeepEqual(s.Environment, map[string]string{"B": "2"}) || cfg.LocalProcessTraits().TermTimeout != 4 {
		t.Errorf("simple: %+v", s)
	}
	if !cfg.GivenFor("SimpleLocalProcessSpawner", "start_timeout") || cfg.GivenFor("ToySpawner", "term_timeout") || cfg.Given("SimpleLocalProcessSpawner", "start_timeout") {
		t.Error("GivenFor does not look at the parents' sections")
	}
	if cfg.Spawner.HTTPTimeout != 2 || cfg.LocalProcessSpawner.TermTimeout != 30 || cfg.ToySpawner.HTTPTimeout != 2 {
		t.Error("a closer section leaked into another class")
	}
	if a := cfg.AuthenticatorTraits(); !reflect.DeepEqual(a.AllowedUsers, []string{"b"}) || !a.AllowExistingUsers || !a.AnyAllowConfig {
		t.Errorf("pam: %+v", a)
	}
	if !reflect.DeepEqual(cfg.PAMAuthenticator.AdminGroups, []string{"wheel"}) {
		t.Error("a trait of the chosen class given in its parent's section was lost")
	}
}

func TestDefaultsOfClasses(t *testing.T) {
	cfg := good(t, `{}`)
	if !cfg.DummyAuthenticator.AllowAll || cfg.PAMAuthenticator.AllowAll || !cfg.NullAuthenticator.AutoLogin || cfg.Authenticator.AutoLogin {
		t.Error("allow_all of Dummy or auto_login of Null is wrong")
	}
	if keep := cfg.SimpleLocalProcessSpawner.EnvKeep; len(keep) != 9 || keep[6] != "PATH" || len(cfg.Spawner.EnvKeep) != 1 {
		t.Errorf("env_keep: %v", keep)
	}
	if cfg.JupyterHub.OAuthTokenExpiresIn != 14*24*3600 || cfg.CryptKeeper.NThreads < 1 || cfg.ProxyTraits().APIURL != "http://127.0.0.1:8001" {
		t.Error("a computed default is wrong")
	}
	if user := cfg.PAMAuthenticator.AddUserCmd; len(user) < 4 {
		t.Errorf("add_user_cmd: %v", user)
	}
	cfg = good(t, `{"Authenticator":{"allowed_users":["a"]},"JupyterHub":{"cookie_max_age_days":1,"internal_ssl":true,"trusted_alt_names":["DNS:x"]},"ConfigurableHTTPProxy":{"debug":true}}`)
	if cfg.DummyAuthenticator.AllowAll || cfg.JupyterHub.OAuthTokenExpiresIn != 86400 || cfg.MinihubProxy.APIURL != "https://127.0.0.1:8001" ||
		cfg.MinihubProxy.LogLevel != "debug" || cfg.ToySpawner.SSLAltNames[0] != "DNS:x" {
		t.Error("a computed default does not follow the traits it depends on")
	}
}

func TestClassNames(t *testing.T) {
	for given, want := range map[string]string{
		"pam": "PAMAuthenticator", "default": "PAMAuthenticator", "DUMMY": "DummyAuthenticator", "null": "NullAuthenticator",
		"shared-password": "SharedPasswordAuthenticator", "jupyterhub.auth.DummyAuthenticator": "DummyAuthenticator",
		"jupyterhub.authenticators.shared.SharedPasswordAuthenticator": "SharedPasswordAuthenticator", "PAMAuthenticator": "PAMAuthenticator",
	} {
		cfg := good(t, `{"JupyterHub":{"authenticator_class":"`+given+`"}}`)
		if got := cfg.JupyterHub.AuthenticatorClass.Class; got != want {
			t.Errorf("%s is %s, want %s", given, got, want)
		}
	}
	cfg := good(t, `{"JupyterHub":{"spawner_class":"toy","proxy_class":"jupyterhub.proxy.ConfigurableHTTPProxy"}}`)
	if cfg.JupyterHub.SpawnerClass.Native != "toy" || cfg.JupyterHub.ProxyClass.Native != "configurable-http-proxy" || cfg.ProxyTraits() != &cfg.ConfigurableHTTPProxy {
		t.Errorf("%v %v", cfg.JupyterHub.SpawnerClass, cfg.JupyterHub.ProxyClass)
	}
	_, report := load(t, `{"JupyterHub":{"spawner_class":"dockerspawner.DockerSpawner","authenticator_class":"simple"},"DockerSpawner":{"image":"x"}}`)
	wantProblem(t, report, config.SeverityError, "JupyterHub.spawner_class", "DockerSpawner", "simple")
	wantProblem(t, report, config.SeverityError, "JupyterHub.authenticator_class", "bridge")
	src := source(t, `{"ConfigurableHTTPProxy":{"should_start":false,"api_url":"http://proxy-api:8001"}}`)
	src.LookupEnv = env("CONFIGPROXY_AUTH_TOKEN", "x")
	if cfg, _, err := config.Load(t.Context(), src); err != nil || cfg.JupyterHub.ProxyClass.Native != "configurable-http-proxy" || cfg.ProxyTraits().APIURL != "http://proxy-api:8001" {
		t.Errorf("an outside proxy is not chosen: %v", err)
	}
	for _, p := range report.Problems {
		if p.Trait == "DockerSpawner" {
			t.Errorf("the section of a chosen class is reported as unknown: %v", p)
		}
	}
}

func TestEnvironmentVariables(t *testing.T) {
	src := source(t, `{"Authenticator":{"enable_auth_state":true,"allow_all":true}}`)
	src.LookupEnv = env("JPY_COOKIE_SECRET", strings.Repeat("0a", 32), "CONFIGPROXY_AUTH_TOKEN", "proxy-token",
		"JUPYTERHUB_CRYPT_KEY", strings.Repeat("0b", 32)+";"+"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=;")
	cfg, _, err := config.Load(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.JupyterHub.CookieSecret[0] != 10 || cfg.MinihubProxy.AuthToken != "proxy-token" || len(cfg.CryptKeeper.Keys) != 2 || string(cfg.CryptKeeper.Keys[1]) != "01234567890123456789012345678901" {
		t.Errorf("the environment was not read: %d keys", len(cfg.CryptKeeper.Keys))
	}
	src.LookupEnv = env("JPY_COOKIE_SECRET", "nothex", "JUPYTERHUB_CRYPT_KEY", "short")
	_, report, err := config.Load(t.Context(), src)
	if err == nil || strings.Contains(err.Error(), "nothex") {
		t.Errorf("%v", err)
	}
	wantProblem(t, report, config.SeverityError, "JupyterHub.cookie_secret (from JPY_COOKIE_SECRET)", "hex")
	wantProblem(t, report, config.SeverityError, "CryptKeeper.keys (from JUPYTERHUB_CRYPT_KEY)[0]", "32")
	src = source(t, `{"JupyterHub":{"cookie_secret":"`+strings.Repeat("ff", 32)+`"}}`)
	src.LookupEnv = env("JPY_COOKIE_SECRET", strings.Repeat("0a", 32))
	if cfg, _, _ := config.Load(t.Context(), src); cfg.JupyterHub.CookieSecret[0] != 0xff {
		t.Error("the environment won over the file")
	}
}

func TestDeprecatedNames(t *testing.T) {
	cfg, report := load(t, `{
		"JupyterHub": {"admin_users": ["root"], "proxy_cmd": "chp", "debug_proxy": true, "proxy_auth_token": "tok", "proxy_check_interval": 9,
			"proxy_api_port": 7001, "statsd_host": "x", "hub_connect_port": 99, "confirm_no_ssl": true},
		"Authenticator": {"whitelist": ["a"]}, "PAMAuthenticator": {"group_whitelist": ["g"]}, "JupyterHubApp": {"ip": "10.1.1.1"},
		"Application": {"log_level": "ERROR"}}`)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	p := cfg.ProxyTraits()
	if !reflect.DeepEqual(cfg.PAMAuthenticator.AllowedUsers, []string{"a"}) || cfg.PAMAuthenticator.AllowedGroups[0] != "g" || cfg.PAMAuthenticator.AdminUsers[0] != "root" ||
		p.Command[0] != "chp" || !p.Debug || p.AuthToken != "tok" || p.CheckRunningInterval != 9 || p.APIURL != "http://127.0.0.1:7001" ||
		cfg.JupyterHub.IP != "10.1.1.1" || cfg.JupyterHub.LogLevel != 40 {
		t.Errorf("a deprecated name was not moved: %+v", p)
	}
	for _, trait := range []string{"JupyterHub.admin_users", "JupyterHub.proxy_cmd", "JupyterHub.debug_proxy", "JupyterHub.proxy_auth_token", "JupyterHub.proxy_api_port",
		"JupyterHub.statsd_host", "JupyterHub.hub_connect_port", "Authenticator.whitelist", "PAMAuthenticator.group_whitelist", "JupyterHubApp"} {
		wantProblem(t, report, config.SeverityWarning, trait)
	}
	_, report = load(t, `{"Authenticator":{"whitelist":["a"],"allowed_users":["b"]}}`)
	wantProblem(t, report, config.SeverityError, "Authenticator.whitelist", "allowed_users")
	cfg, report = load(t, `{"JupyterHub":{"admin_users":["old"]},"Authenticator":{"admin_users":["new"]}}`)
	wantProblem(t, report, config.SeverityWarning, "JupyterHub.admin_users", "no effect")
	if cfg.Authenticator.AdminUsers[0] != "new" {
		t.Error("the deprecated admin_users won")
	}
}
