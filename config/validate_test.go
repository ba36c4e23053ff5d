package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestProblems(t *testing.T) {
	long := strings.Repeat("x", 40)
	const e, w = config.SeverityError, config.SeverityWarning
	for _, c := range []struct {
		document string
		severity config.Severity
		trait    string
		words    []string
	}{
		// wrong types
		{`{"JupyterHub":{"port":"8000"}}`, e, "JupyterHub.port", []string{"expected integer, got a text"}},
		{`{"JupyterHub":{"port":true}}`, e, "JupyterHub.port", []string{"got a boolean"}},
		{`{"JupyterHub":{"port":8000.5}}`, e, "JupyterHub.port", []string{"got a float"}},
		{`{"JupyterHub":{"ip":1}}`, e, "JupyterHub.ip", []string{"expected text, got an integer"}},
		{`{"JupyterHub":{"ip":null}}`, e, "JupyterHub.ip", []string{"got None"}},
		{`{"JupyterHub":{"allow_named_servers":"True"}}`, e, "JupyterHub.allow_named_servers", []string{"expected boolean"}},
		{`{"Spawner":{"args":"--debug"}}`, e, "Spawner.args", []string{"expected list of texts, got a text"}},
		{`{"Spawner":{"args":[1]}}`, e, "Spawner.args[0]", []string{"got an integer"}},
		{`{"Spawner":{"mem_limit":"2GB"}}`, e, "Spawner.mem_limit", []string{"K, M, G or T"}},
		{`{"Spawner":{"environment":{"A":null}}}`, e, `Spawner.environment["A"]`, []string{"None"}},
		{`{"Authenticator":{"allowed_users":"me"}}`, e, "Authenticator.allowed_users", []string{"expected set of texts"}},
		{`{"Authenticator":{"allowed_users":[null]}}`, e, "Authenticator.allowed_users[0]", []string{"None"}},
		{`{"ConfigurableHTTPProxy":{"log_level":"inf"}}`, e, "ConfigurableHTTPProxy.log_level", []string{"did you mean info"}},
		// unknown names
		{`{"JupyterHub":{"bindurl":"x"}}`, w, "JupyterHub.bindurl", []string{"did you mean JupyterHub.bind_url?"}},
		{`{"JupyterHub":{"allowed_users":["x"]}}`, w, "JupyterHub.allowed_users", []string{"Authenticator.allowed_users"}},
		{`{"Spawner":{"start_timout":1}}`, w, "Spawner.start_timout", []string{"start_timeout"}},
		{`{"Spwaner":{"cmd":"x"}}`, w, "Spwaner", []string{"Spawner"}},
		{`{"Foo":{"x":1}}`, w, "Foo", []string{"no class"}},
		{`{"Authenticator":{"alowed_users":["x"]}}`, e, "Authenticator.alowed_users", []string{"allowed_users", "restricts"}},
		{`{"Authenticator":{"allowed_user":["x"]}}`, e, "Authenticator.allowed_user", []string{"allowed_users"}},
		{`{"Authenticator":{"block_users":["x"]}}`, e, "Authenticator.block_users", []string{"blocked_users"}},
		{`{"PAMAuthenticator":{"admin_group":["x"]}}`, e, "PAMAuthenticator.admin_group", []string{"admin_groups"}},
		{`{"Authenticator":{"allowed_organizations":["x"]}}`, e, "Authenticator.allowed_organizations", nil},
		{`{"Authenticator":{"user_whitelist":["x"]}}`, e, "Authenticator.user_whitelist", nil},
		{`{"Authenticator":{"username_patern":"x"}}`, e, "Authenticator.username_patern", []string{"username_pattern"}},
		{`{"Authenticator":{"colour":"x"}}`, w, "Authenticator.colour", nil},
		{`{"Authentcator":{"allowed_users":["x"]}}`, e, "Authentcator.allowed_users", []string{"Authenticator"}},
		{`{"JupyterHub":{"authenticator_class":"dummy"},"PAMAuthenticator":{"admin_groups":["x"]}}`, w, "PAMAuthenticator.admin_groups", []string{"no effect", "dummy"}},
		{`{"JupyterHub":{"authenticator_class":"dummy"},"Authenticator":{"admin_groups":["x"]}}`, e, "Authenticator.admin_groups", []string{"PAMAuthenticator"}},
		{`{"JupyterHub":{"Authenticator":{"allowed_users":["x"]}}}`, e, "JupyterHub.Authenticator", []string{"section"}},
		// listening
		{`{"JupyterHub":{"ssl_key":"k"}}`, e, "JupyterHub.ssl_key", []string{"ssl_cert"}},
		{`{"JupyterHub":{"ssl_cert":"k"}}`, e, "JupyterHub.ssl_cert", []string{"ssl_key"}},
		{`{"JupyterHub":{"port":70000}}`, e, "JupyterHub.port", []string{"70000"}},
		{`{"JupyterHub":{"hub_port":-1}}`, e, "JupyterHub.hub_port", nil},
		{`{"Spawner":{"port":65536}}`, e, "Spawner.port", nil},
		{`{"JupyterHub":{"bind_url":"http://:1","port":2}}`, w, "JupyterHub.bind_url", []string{"port"}},
		{`{"JupyterHub":{"hub_socket_mode":6600}}`, e, "JupyterHub.hub_socket_mode", []string{"0o600"}},
		{`{"JupyterHub":{"hub_bind_url":"http+unix://%2Fx"}}`, w, "JupyterHub.hub_bind_url", []string{"hub_connect_url"}},
		{`{"JupyterHub":{"subdomain_hook":"punycode"}}`, e, "JupyterHub.subdomain_hook", []string{"idna"}},
		// limits
		{`{"JupyterHub":{"concurrent_spawn_limit":-1}}`, e, "JupyterHub.concurrent_spawn_limit", []string{"negative"}},
		{`{"JupyterHub":{"active_server_limit":-1}}`, e, "JupyterHub.active_server_limit", nil},
		{`{"Spawner":{"start_timeout":-1}}`, e, "Spawner.start_timeout", nil},
		{`{"Spawner":{"poll_jitter":2}}`, e, "Spawner.poll_jitter", nil},
		{`{"JupyterHub":{"api_page_max_limit":0}}`, e, "JupyterHub.api_page_default_limit", nil},
		{`{"JupyterHub":{"tornado_settings":{"slow_spawn_timeout":"x"}}}`, e, "JupyterHub.tornado_settings", []string{"slow_spawn_timeout"}},
		// secrets
		{`{"JupyterHub":{"cookie_secret":"abc"}}`, e, "JupyterHub.cookie_secret", []string{"hex"}},
		{`{"JupyterHub":{"cookie_secret":"abcd"}}`, w, "JupyterHub.cookie_secret", []string{"2 bytes"}},
		{`{"Authenticator":{"enable_auth_state":true}}`, e, "Authenticator.enable_auth_state", []string{"JUPYTERHUB_CRYPT_KEY"}},
		{`{"JupyterHub":{"proxy_class":"configurable-http-proxy"},"Proxy":{"should_start":false}}`, e, "ConfigurableHTTPProxy.auth_token", nil},
		{`{"JupyterHub":{"api_tokens":{"short":"me"}}}`, e, "JupyterHub.api_tokens[entry 1]", []string{"8 to 64"}},
		{`{"JupyterHub":{"service_tokens":{"` + strings.Repeat("x", 65) + `":"me"}}}`, e, "JupyterHub.service_tokens[entry 1]", []string{"65"}},
		// authenticators
		{`{}`, w, "Authenticator.allow_all", []string{"nobody"}},
		{`{"Authenticator":{"allow_all":true,"allowed_users":["a"]}}`, w, "Authenticator.allow_all", []string{"everybody"}},
		{`{"JupyterHub":{"authenticator_class":"dumy"}}`, e, "JupyterHub.authenticator_class", []string{"did you mean dummy?"}},
		{`{"JupyterHub":{"authenticator_class":7}}`, e, "JupyterHub.authenticator_class", []string{"got an integer"}},
		{`{"ConfigurableHTTPProxy":{"should_start":false}}`, e, "ConfigurableHTTPProxy.auth_token", []string{"CONFIGPROXY_AUTH_TOKEN"}},
		{`{"Authenticator":{"username_pattern":"["}}`, e, "Authenticator.username_pattern", nil},
		{`{"Authenticator":{"admin_users":["a/b"]}}`, e, "Authenticator.admin_users", nil},
		{`{"Authenticator":{"manage_groups":true},"JupyterHub":{"load_groups":{"g":{}}}}`, e, "JupyterHub.load_groups", []string{"manage_groups"}},
		{shared(`"user_password":"short"`), e, "SharedPasswordAuthenticator.user_password", []string{"8"}},
		{shared(`"admin_password":"` + long[:31] + `"`), e, "SharedPasswordAuthenticator.admin_password", []string{"32"}},
		{shared(`"admin_password":"` + long + `","user_password":"` + long + `"`), e, "SharedPasswordAuthenticator.admin_password", []string{"differ"}},
		{shared(`"password_groups":{"password9":["g"]}`), e, "SharedPasswordAuthenticator.password_groups", []string{"manage_groups"}},
		{shared(`"allow_all":true`), w, "SharedPasswordAuthenticator.user_password", []string{"nobody"}},
		{shared(`"admin_password":"` + long + `"`), w, "SharedPasswordAuthenticator.admin_password", []string{"admin_users"}},
		{shared(`"admin_users":["a"],"user_password":"password9"`), w, "SharedPasswordAuthenticator.admin_users", nil},
		// roles, groups, scopes
		{`{"JupyterHub":{"load_roles":[{"scopes":[]}]}}`, e, "JupyterHub.load_roles[0]", []string{"no name"}},
		{`{"JupyterHub":{"load_roles":[{"name":"Bad Name"}]}}`, e, "JupyterHub.load_roles[0]", []string{"role name"}},
		{`{"JupyterHub":{"load_roles":[{"name":"twice"},{"name":"twice"}]}}`, e, "JupyterHub.load_roles[1]", []string{"twice"}},
		{`{"JupyterHub":{"load_roles":[{"name":"tester","scope":[]}]}}`, e, "JupyterHub.load_roles[0]", []string{"did you mean scopes"}},
		{`{"JupyterHub":{"load_roles":[{"name":"admin","scopes":["self"]}]}}`, e, "JupyterHub.load_roles[0]", []string{"admin"}},
		{`{"JupyterHub":{"load_roles":[{"name":"user","scopes":["access:services"]}]}}`, w, "JupyterHub.load_roles[0]", []string{"self"}},
		{`{"JupyterHub":{"load_roles":[{"name":"tester","users":["x"]}]},"Authenticator":{"manage_roles":true}}`, e, "JupyterHub.load_roles[0]", []string{"manage_roles"}},
		{`{"JupyterHub":{"load_groups":{"g":["a"]}}}`, w, `JupyterHub.load_groups["g"]`, []string{"deprecated"}},
		{`{"JupyterHub":{"load_groups":{"g":{"user":["a"]}}}}`, e, `JupyterHub.load_groups["g"]`, []string{"did you mean users"}},
		{`{"JupyterHub":{"custom_scopes":{"grades":{"description":"x"}}}}`, e, `JupyterHub.custom_scopes["grades"]`, []string{"custom:"}},
		{`{"JupyterHub":{"custom_scopes":{"custom:x:y":{}}}}`, e, `JupyterHub.custom_scopes["custom:x:y"]`, []string{"description"}},
		{`{"JupyterHub":{"custom_scopes":{"custom:x:y":{"description":"d","subscopes":["custom:z:z"]}}}}`, e, `JupyterHub.custom_scopes["custom:x:y"]`, []string{"custom:z:z"}},
		// services
		{services(`{"url":"http://x"}`), e, "JupyterHub.services[0]", []string{"no name"}},
		{services(`{"name":"a/b"}`), e, "JupyterHub.services[0]", []string{"slash"}},
		{services(`{"name":"a%20b"}`), e, "JupyterHub.services[0]", []string{"percent"}},
		{services(`{"name":".."}`), e, "JupyterHub.services[0]", []string{"dots"}},
		{services(`{"name":" a"}`), e, "JupyterHub.services[0]", []string{"space"}},
		{services(`{"name":"a"},{"name":"a"}`), e, "JupyterHub.services[1]", []string{"two services"}},
		{services(`{"name":"a"},{"name":"b","oauth_client_id":"service-a","oauth_redirect_uri":"x"}`), e, "JupyterHub.services[1]", []string{"client id"}},
		{services(`{"name":"a","oauth_client_id":"a","oauth_redirect_uri":"x"}`), e, "JupyterHub.services[0]", []string{"service-"}},
		{services(`{"name":"a","oauth_no_confirm":true}`), e, "JupyterHub.services[0]", []string{"oauth_redirect_uri"}},
		{services(`{"name":"a","url":"127.0.0.1:10101"}`), e, "JupyterHub.services[0]", []string{"http://host:port"}},
		{services(`{"name":"a","url":"ftp://h"}`), e, "JupyterHub.services[0]", []string{"http or https"}},
		{services(`{"name":"a","comand":["x"]}`), e, "JupyterHub.services[0]", []string{"did you mean command"}},
		{services(`{"name":"a","managed":true}`), e, "JupyterHub.services[0]", []string{"no command"}},
		{services(`{"name":"a","managed":false,"command":["x"]}`), e, "JupyterHub.services[0]", []string{"there is a command"}},
		{services(`{"name":"a","capabilities":["two words"]}`), e, "JupyterHub.services[0]", []string{"one word"}},
		{services(`{"name":"a","capabilities":"word"}`), e, `JupyterHub.services[0]["capabilities"]`, []string{"list"}},
		{services(`{"name":"a","api_token":"short"}`), e, "JupyterHub.services[0] (a).api_token", []string{"8 to 64"}},
		{services(`{"name":"a","api_token":null}`), e, `JupyterHub.services[0]["api_token"]`, []string{"None"}},
		{services(`{"name":"a","cwd":"/x"}`), w, "JupyterHub.services[0]", []string{"cwd"}},
		{services(`{"name":"a","admin":true}`), w, "JupyterHub.services[0]", []string{"deprecated"}},
		{services(`{"name":"a","timeout":-1}`), e, "JupyterHub.services[0]", []string{"negative"}},
		{services(`"a"`), e, "JupyterHub.services[0]", []string{"expected a dict"}},
	} {
		_, report := load(t, c.document)
		t.Run(c.document, func(t *testing.T) { wantProblem(t, report, c.severity, c.trait, c.words...) })
	}
}

func shared(body string) string {
	return `{"JupyterHub":{"authenticator_class":"shared-password"},"SharedPasswordAuthenticator":{` + body + `}}`
}

func services(body string) string { return `{"JupyterHub":{"services":[` + body + `]}}` }

func TestGoodDocumentsHaveNoProblems(t *testing.T) {
	for _, document := range []string{
		`{"Authenticator":{"allow_all":true}}`,
		`{"JupyterHub":{"authenticator_class":"null"}}`,
		`{"JupyterHub":{"authenticator_class":"dummy","bind_url":"http://127.0.0.1:8000/x/"}}`,
		`{"JupyterHub":{"authenticator_class":"dummy","services":[{"name":"a","url":"http://127.0.0.1:1","command":["x"],"managed":true,"capabilities":["data-processing"],"environment":{"PORT":8080}},
			{"name":"b","managed":false,"api_token":"12345678"},{"name":"c d","api_token":"` + strings.Repeat("y", 64) + `"}]}}`,
		`{"JupyterHub":{"authenticator_class":"dummy","load_roles":[{"name":"admin","users":["root"]},{"name":"user","scopes":["self","custom:a:b"]}],
			"custom_scopes":{"custom:a:b":{"description":"d"},"custom:jupyter_server:read:*":{"description":"d","subscopes":["custom:a:b"]}}}}`,
	} {
		_, report := load(t, document)
		if len(report.Problems) > 0 {
			t.Errorf("%s: %v", document, report.Problems)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	cfg, report := load(t, `{"JupyterHub":{"port":"x","ssl_key":"k","load_roles":[{"scopes":1},{}],"services":[{"nam":"y"}]},"Spawner":{"args":1},"Authenticator":{"alowed_users":[]}}`)
	if n := len(report.Errors()); n < 7 {
		t.Errorf("only %d errors: %v", n, report.Errors())
	}
	if cfg == nil || cfg.JupyterHub.Port != 8000 {
		t.Error("the configuration is not usable for further checks")
	}
	text := report.Err().Error()
	for _, word := range []string{"JupyterHub.port", "Spawner.args", "alowed_users"} {
		if !strings.Contains(text, word) {
			t.Errorf("%s is missing in %s", word, text)
		}
	}
	var out strings.Builder
	if _, err := report.WriteTo(&out); err != nil || !strings.HasSuffix(out.String(), fmt.Sprintf("%d errors, %d warnings\n", len(report.Errors()), len(report.Warnings()))) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestPresenceOfKeys(t *testing.T) {
	cfg := good(t, `{"JupyterHub":{"load_roles":[{"name":"tester","users":[]},{"name":"other","description":null}],"load_groups":{"g":{"users":["a"],"properties":{"k":1}},"h":{},"i":["b"]},
		"services":[{"name":"s","display":false},{"name":"t","timeout":5}]}}`)
	hub := cfg.JupyterHub
	if hub.LoadRoles[0].Users == nil || hub.LoadRoles[0].Groups != nil || hub.LoadRoles[1].Description != nil {
		t.Errorf("absent and empty keys are mixed up: %+v", hub.LoadRoles)
	}
	if hub.LoadGroups["g"].Properties["k"] != int64(1) || hub.LoadGroups["h"].Users != nil || hub.LoadGroups["h"].Properties != nil || hub.LoadGroups["i"].Users[0] != "b" {
		t.Errorf("%+v", hub.LoadGroups)
	}
	if s := hub.Services; s[0].Display || !s[1].Display || s[0].Timeout != 30 || s[1].Timeout != 5 || !s[1].Given["timeout"] || s[0].IsManaged() {
		t.Errorf("%+v", s)
	}
}

func TestTornadoSettings(t *testing.T) {
	cfg := good(t, `{"JupyterHub":{"tornado_settings":{"slow_spawn_timeout":0,"headers":{"X-A":"b"},"cookie_options":{"SameSite":"None"},"spawn_throttle_retry_range":[1,2],
		"xsrf_cookie_kwargs":{},"csp_report_uri":"/r","no_cache_static":true,"user_redirect_limit":2,"slow_stop_timeout":0.5,"other":1}}}`)
	s, err := cfg.JupyterHub.Tornado()
	if err != nil || s.SlowSpawnTimeout != 0 || s.SlowStopTimeout != 0.5 || s.Headers["X-A"] != "b" || s.CookieOptions["SameSite"] != "None" ||
		s.SpawnThrottleRetryRange != [2]int{1, 2} || !s.NoCacheStatic || s.UserRedirectLimit != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, _ := (&config.JupyterHub{}).Tornado(); s.SlowSpawnTimeout != 10 || s.SpawnThrottleRetryRange != [2]int{30, 60} {
		t.Errorf("defaults: %+v", s)
	}
}

// TestScopesAreChecked plugs a checker in and looks at what it is asked.
func TestScopesAreChecked(t *testing.T) {
	src := source(t, `{"JupyterHub":{"load_roles":[{"name":"tester","scopes":["self","nope"]}],"services":[{"name":"s","oauth_client_allowed_scopes":["nope"]}],"extra_user_scopes":["shares!user"]},
		"Spawner":{"server_token_scopes":["nope"],"oauth_client_allowed_scopes":["self"]}}`)
	asked := 0
	src.CheckScope = func(cfg *config.Config, scope string) error {
		asked++
		if scope == "nope" {
			return fmt.Errorf("no scope is called %s", scope)
		}
		return nil
	}
	_, report, _ := config.Load(t.Context(), src)
	for _, trait := range []string{"JupyterHub.load_roles[0] (tester).scopes[1]", "JupyterHub.services[0] (s).oauth_client_allowed_scopes[0]", "Spawner.server_token_scopes[0]"} {
		wantProblem(t, report, config.SeverityError, trait, "no scope is called nope")
	}
	if asked != 6 || len(report.Errors()) != 3 {
		t.Errorf("%d questions, %v", asked, report.Errors())
	}
}
