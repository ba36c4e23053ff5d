package config

import (
	"fmt"
	"io"
	"sort"
)

// Minihub holds traits that JupyterHub does not have.
type Minihub struct {
	LogFormat string `trait:"log_format" default:"text" tier:"common" enum:"text|json" help:"How log lines are written: JupyterHub's text, or one JSON object per line (--log-format)."`
	Pprof     string `trait:"pprof" default:"" tier:"rare" help:"Loopback address, such as 127.0.0.1:6060, where Go's profiles of the running hub can be read; empty is nowhere (--pprof)."`
}

// ToySpawner is the section of the built-in toy single-user server; it has no traits of its own.
type ToySpawner struct{ Spawner }

// MinihubProxy is the section of the built-in proxy; it takes ConfigurableHTTPProxy's traits for its REST API.
type MinihubProxy struct{ ConfigurableHTTPProxy }

// Config is the whole tree. Every field is one class, decoded with the values of its parents' sections already in it,
// so cfg.PAMAuthenticator.AllowedUsers is what c.Authenticator.allowed_users said unless a closer section said otherwise.
type Config struct {
	JupyterHub                  JupyterHub
	Authenticator               Authenticator
	LocalAuthenticator          LocalAuthenticator
	PAMAuthenticator            PAMAuthenticator
	DummyAuthenticator          DummyAuthenticator
	SharedPasswordAuthenticator SharedPasswordAuthenticator
	NullAuthenticator           NullAuthenticator
	Spawner                     Spawner
	LocalProcessSpawner         LocalProcessSpawner
	SimpleLocalProcessSpawner   SimpleLocalProcessSpawner
	ToySpawner                  ToySpawner
	Proxy                       Proxy
	ConfigurableHTTPProxy       ConfigurableHTTPProxy
	MinihubProxy                MinihubProxy
	CryptKeeper                 CryptKeeper
	PeriodicMetricsCollector    PeriodicMetricsCollector
	JupyterHubHTTPClient        JupyterHubHTTPClient
	EventLogger                 EventLogger
	Minihub                     Minihub

	Raw    map[string]map[string]any // Raw keeps the sections of classes that are not built in, as plain values.
	Python []Python                  // Python lists every function, class and object found, in the order of their traits.
	// Written keeps what a file that is not Python said, class by class; nil unless Source.AllowPython. Plug-ins read it.
	Written map[string]map[string]any
	Child   io.Closer // Child is the process that holds what Python lists; nil when nothing lives in one. Who builds the hub owns it.
	File    string    // File is the path that was read; "" when there was none.

	given map[string]map[string]bool // class and trait of everything that was written somewhere
}

// Given reports whether file, command line or environment set the trait in that very section (not in a parent's).
func (c *Config) Given(class, trait string) bool { return c.given[class][trait] }

// GivenFor reports whether the section of the class or of one of its parents set the trait.
func (c *Config) GivenFor(class, trait string) bool {
	for _, link := range chain(classes(), class) {
		if c.given[link.name][trait] {
			return true
		}
	}
	return false
}

// String names the sections that were set and shows no value.
func (c *Config) String() string {
	names := make([]string, 0, len(c.given))
	for class := range c.given {
		names = append(names, fmt.Sprintf("%s(%d)", class, len(c.given[class])))
	}
	sort.Strings(names)
	return fmt.Sprintf("config %s %v", c.File, names)
}

// GoString returns the same text as String.
func (c *Config) GoString() string { return c.String() }

// AuthenticatorTraits returns the traits that all authenticators share, as the chosen authenticator_class has them.
func (c *Config) AuthenticatorTraits() *Authenticator {
	return c.authenticator(c.JupyterHub.AuthenticatorClass.Class)
}

func (c *Config) authenticator(class string) *Authenticator {
	switch class {
	case "PAMAuthenticator":
		return &c.PAMAuthenticator.Authenticator
	case "DummyAuthenticator":
		return &c.DummyAuthenticator.Authenticator
	case "SharedPasswordAuthenticator":
		return &c.SharedPasswordAuthenticator.Authenticator
	case "NullAuthenticator":
		return &c.NullAuthenticator.Authenticator
	case "LocalAuthenticator":
		return &c.LocalAuthenticator.Authenticator
	}
	return &c.Authenticator
}

// SpawnerTraits returns the traits that all spawners share, as the chosen spawner_class has them.
func (c *Config) SpawnerTraits() *Spawner {
	return c.spawner(c.JupyterHub.SpawnerClass.Class)
}

func (c *Config) spawner(class string) *Spawner {
	switch class {
	case "LocalProcessSpawner":
		return &c.LocalProcessSpawner.Spawner
	case "SimpleLocalProcessSpawner":
		return &c.SimpleLocalProcessSpawner.Spawner
	case "ToySpawner":
		return &c.ToySpawner.Spawner
	}
	return &c.Spawner
}

// LocalProcessTraits returns the traits of process spawners, as the chosen spawner_class has them.
func (c *Config) LocalProcessTraits() *LocalProcessSpawner {
	if c.JupyterHub.SpawnerClass.Class == "SimpleLocalProcessSpawner" {
		return &c.SimpleLocalProcessSpawner.LocalProcessSpawner
	}
	return &c.LocalProcessSpawner
}

// ProxyTraits returns the proxy's traits, REST API included, as the chosen proxy_class has them.
func (c *Config) ProxyTraits() *ConfigurableHTTPProxy {
	if c.JupyterHub.ProxyClass.Class == "ConfigurableHTTPProxy" {
		return &c.ConfigurableHTTPProxy
	}
	return &c.MinihubProxy.ConfigurableHTTPProxy
}
