package config

import "strings"

// class is one row of the class table.
type class struct {
	name     string
	parent   string            // "" for a root
	pick     func(*Config) any // pointer to the struct that the class is decoded into
	defaults map[string]string // defaults that differ from those of the parent
}

// classes is the class table in the order of help texts; parents come before their children.
func classes() []class {
	localEnvKeep := "[CONDA_DEFAULT_ENV,CONDA_ROOT,JUPYTERHUB_SINGLEUSER_APP,LANG,LC_ALL,LD_LIBRARY_PATH,PATH,PYTHONPATH,VIRTUAL_ENV]"
	return []class{
		{name: "JupyterHub", pick: func(c *Config) any { return &c.JupyterHub }},
		{name: "Authenticator", pick: func(c *Config) any { return &c.Authenticator }},
		{name: "LocalAuthenticator", parent: "Authenticator", pick: func(c *Config) any { return &c.LocalAuthenticator }},
		{name: "PAMAuthenticator", parent: "LocalAuthenticator", pick: func(c *Config) any { return &c.PAMAuthenticator }},
		{name: "DummyAuthenticator", parent: "Authenticator", pick: func(c *Config) any { return &c.DummyAuthenticator }},
		{name: "SharedPasswordAuthenticator", parent: "Authenticator", pick: func(c *Config) any { return &c.SharedPasswordAuthenticator }},
		{name: "NullAuthenticator", parent: "Authenticator", pick: func(c *Config) any { return &c.NullAuthenticator },
			defaults: map[string]string{"auto_login": "True"}},
		{name: "Spawner", pick: func(c *Config) any { return &c.Spawner }},
		{name: "LocalProcessSpawner", parent: "Spawner", pick: func(c *Config) any { return &c.LocalProcessSpawner },
			defaults: map[string]string{"env_keep": localEnvKeep}},
		{name: "SimpleLocalProcessSpawner", parent: "LocalProcessSpawner", pick: func(c *Config) any { return &c.SimpleLocalProcessSpawner },
			defaults: map[string]string{"env_keep": localEnvKeep}},
		{name: "ToySpawner", parent: "Spawner", pick: func(c *Config) any { return &c.ToySpawner }},
		{name: "Proxy", pick: func(c *Config) any { return &c.Proxy }},
		{name: "ConfigurableHTTPProxy", parent: "Proxy", pick: func(c *Config) any { return &c.ConfigurableHTTPProxy }},
		{name: "MinihubProxy", parent: "ConfigurableHTTPProxy", pick: func(c *Config) any { return &c.MinihubProxy }},
		{name: "CryptKeeper", pick: func(c *Config) any { return &c.CryptKeeper }},
		{name: "PeriodicMetricsCollector", pick: func(c *Config) any { return &c.PeriodicMetricsCollector }},
		{name: "JupyterHubHTTPClient", pick: func(c *Config) any { return &c.JupyterHubHTTPClient }},
		{name: "EventLogger", pick: func(c *Config) any { return &c.EventLogger }},
		{name: "Minihub", pick: func(c *Config) any { return &c.Minihub }},
	}
}

// native is one class that is built in.
type native struct {
	kind  string // "authenticator", "spawner" or "proxy"
	name  string // our short name
	class string
	names []string // entry point names and dotted names, lower case
}

func natives() []native {
	return []native{
		{"authenticator", "pam", "PAMAuthenticator", []string{"pam", "default", "jupyterhub.auth.pamauthenticator"}},
		{"authenticator", "dummy", "DummyAuthenticator", []string{"dummy", "jupyterhub.auth.dummyauthenticator"}},
		{"authenticator", "null", "NullAuthenticator", []string{"null", "jupyterhub.auth.nullauthenticator"}},
		{"authenticator", "shared-password", "SharedPasswordAuthenticator",
			[]string{"shared-password", "jupyterhub.authenticators.shared.sharedpasswordauthenticator"}},
		{"spawner", "localprocess", "LocalProcessSpawner", []string{"localprocess", "default", "jupyterhub.spawner.localprocessspawner"}},
		{"spawner", "simple", "SimpleLocalProcessSpawner", []string{"simple", "jupyterhub.spawner.simplelocalprocessspawner"}},
		{"spawner", "toy", "ToySpawner", []string{"toy"}},
		{"proxy", "minihub", "MinihubProxy", []string{"minihub", "default"}},
		{"proxy", "configurable-http-proxy", "ConfigurableHTTPProxy",
			[]string{"configurable-http-proxy", "jupyterhub.proxy.configurablehttpproxy"}},
	}
}

// resolveNative finds a built-in class by entry point name, dotted name or bare class name, in any case.
func resolveNative(kind, given string) (native, bool) {
	want := strings.ToLower(strings.TrimSpace(given))
	for _, n := range natives() {
		if n.kind != kind {
			continue
		}
		if want == strings.ToLower(n.class) {
			return n, true
		}
		for _, name := range n.names {
			if name == want {
				return n, true
			}
		}
	}
	return native{}, false
}

// nativeNames lists the short names of a kind for error texts.
func nativeNames(kind string) string {
	var names []string
	for _, n := range natives() {
		if n.kind == kind {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}

// chain returns the class and its parents, the root first.
func chain(table []class, name string) []class {
	for _, c := range table {
		if c.name == name {
			if c.parent == "" {
				return []class{c}
			}
			return append(chain(table, c.parent), c)
		}
	}
	return nil
}
