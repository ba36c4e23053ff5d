package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/local"
	"github.com/minihub/minihub/spawner/toy"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func fseconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// catalogOf makes the scopes that exist.
func catalogOf(c *config.Config) (*rbac.Catalog, error) {
	custom := map[string]rbac.CustomScope{}
	for name, s := range c.JupyterHub.CustomScopes {
		custom[name] = rbac.CustomScope{Description: s.Description, SubScopes: s.Subscopes}
	}
	return rbac.NewCatalog(custom)
}

func rolesOf(specs []config.RoleSpec) []rbac.Role {
	out := make([]rbac.Role, len(specs))
	for i, s := range specs {
		out[i] = rbac.Role{Name: s.Name, Description: deref(s.Description), Scopes: s.Scopes, Users: present(s.Users), Services: present(s.Services), Groups: present(s.Groups)}
	}
	return out
}

// present keeps the difference between an absent and an empty list of members.
func present(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}

func servicesOf(c *config.Config) []hub.ServiceSpec {
	out := make([]hub.ServiceSpec, len(c.JupyterHub.Services))
	for i, s := range c.JupyterHub.Services {
		out[i] = hub.ServiceSpec{
			Name: s.Name, URL: s.URL, APIToken: string(s.APIToken), Cwd: s.Cwd, User: s.User, Admin: s.Admin, Command: s.Command,
			Environment: s.Environment, Info: s.Info, Display: s.Display, Timeout: seconds(s.Timeout), OAuthClientID: s.OAuthClientID,
			OAuthRedirectURI: s.OAuthRedirectURI, OAuthNoConfirm: s.OAuthNoConfirm, OAuthClientAllowedScopes: s.OAuthClientAllowedScopes,
			OAuthRoles: s.OAuthRoles, Managed: s.Managed, Capabilities: s.Capabilities,
		}
	}
	return out
}

func setupSpecs(c *config.Config, hasKeys bool) hub.SetupSpecs {
	h, a := &c.JupyterHub, c.AuthenticatorTraits()
	groups := map[string]hub.GroupSpec{}
	for name, g := range h.LoadGroups {
		groups[name] = hub.GroupSpec{Users: g.Users, Properties: g.Properties}
	}
	return hub.SetupSpecs{
		LoadRoles: rolesOf(h.LoadRoles), ExtraUserScopes: h.ExtraUserScopes, LoadGroups: groups, Services: servicesOf(c),
		ServiceTokens: h.ServiceTokens, APITokens: h.APITokens, ManageGroups: a.ManageGroups, ManageRoles: a.ManageRoles,
		ResetManagedRoles: a.ResetManagedRolesOnStartup, EnableAuthState: a.EnableAuthState, HasCryptKeys: hasKeys,
		DeleteInvalidUsers: a.DeleteInvalidUsers, TrustUserProvidedTokens: h.TrustUserProvidedTokens,
	}
}

// ruleOptions are the traits that decide who gets in. Traits that nobody set keep JupyterHub's computed defaults.
func ruleOptions(c *config.Config) auth.RulesOptions {
	a, class := c.AuthenticatorTraits(), c.JupyterHub.AuthenticatorClass
	o := auth.RulesOptions{
		AdminUsers: a.AdminUsers, AllowedUsers: a.AllowedUsers, BlockedUsers: a.BlockedUsers, DefaultAllowAll: class.Native == "dummy",
		UsernameMap: a.UsernameMap, UsernamePattern: a.UsernamePattern,
	}
	if c.GivenFor(class.Class, "allow_all") {
		o.AllowAll = &a.AllowAll
	}
	if c.GivenFor(class.Class, "allow_existing_users") {
		o.AllowExistingUsers = &a.AllowExistingUsers
	}
	if c.GivenFor(class.Class, "any_allow_config") {
		o.AnyAllowConfig = &a.AnyAllowConfig
	}
	if class.Native == "pam" {
		p := &c.PAMAuthenticator
		o.AllowedGroups, o.AdminGroups = p.AllowedGroups, p.AdminGroups
		if p.PamNormalizeUsername {
			o.NormalizeUser = auth.SystemUsers{}.Canonical
		}
	}
	return o
}

// authenticatorOf makes the authenticator that the configuration names.
func authenticatorOf(c *config.Config, rules *auth.Rules, o Options) (auth.Authenticator, error) {
	switch class := c.JupyterHub.AuthenticatorClass; class.Native {
	case "dummy":
		return auth.NewDummy(string(c.DummyAuthenticator.Password)), nil
	case "null":
		return auth.Null{}, nil
	case "shared-password":
		p := &c.SharedPasswordAuthenticator
		return auth.NewSharedPassword(auth.SharedPasswordOptions{
			UserPassword: string(deref(p.UserPassword)), AdminPassword: string(deref(p.AdminPassword)), PasswordGroups: p.PasswordGroups,
			ManageGroups: p.ManageGroups, Rules: rules,
		})
	case "pam":
		p := &c.PAMAuthenticator
		return auth.NewPAM(auth.PAMOptions{
			Service: p.Service, Encoding: p.Encoding, CheckAccount: &p.CheckAccount, OpenSessions: p.OpenSessions, Threads: p.ExecutorThreads,
			RequestOTP: p.RequestOTP, OTPPrompt: deref(p.OTPPrompt), Logger: o.Logger,
			Local: auth.LocalUsersOptions{CreateSystemUsers: p.CreateSystemUsers, AddUserCmd: p.AddUserCmd, UIDs: p.UIDs, Logger: o.Logger},
		})
	default:
		return nil, fmt.Errorf("JupyterHub.authenticator_class: %s is not built in; built in are pam, dummy, shared-password and null", class)
	}
}

// driverOf makes the spawner driver that the configuration names. logs is where the logs of servers go, "" for their usual place.
func driverOf(c *config.Config, hubID, logs string, o Options) (spawner.Driver, error) {
	l := c.LocalProcessTraits()
	lo := local.Options{
		InterruptTimeout: timeout(l.InterruptTimeout), TermTimeout: timeout(l.TermTimeout), KillTimeout: timeout(l.KillTimeout),
		ShellCmd: l.ShellCmd, HomeDirTemplate: c.SimpleLocalProcessSpawner.HomeDirTemplate, HubID: hubID, LogDir: logs, Logger: o.Logger,
		OnLine: serverLines(o.Logger),
	}
	switch class := c.JupyterHub.SpawnerClass; class.Native {
	case "localprocess":
		return local.NewLocalProcess(lo), nil
	case "simple":
		return local.NewSimple(lo), nil
	case "toy":
		return toy.New(toy.Options{Logger: o.Logger}), nil
	default:
		return nil, fmt.Errorf("JupyterHub.spawner_class: %s is not built in; built in are localprocess, simple and toy", class)
	}
}

// timeout makes 0 seconds "not at all", which local.Options writes as a negative value.
func timeout(n int) time.Duration {
	if n == 0 {
		return -1
	}
	return seconds(n)
}

// serverTraits are the settings of hub.Servers.
func serverTraits(c *config.Config, u config.URLs, t config.TornadoSettings, hubID string, env map[string]string) (hub.ServerTraits, error) {
	h, s := &c.JupyterHub, c.SpawnerTraits()
	out := hub.ServerTraits{
		AllowNamedServers: h.AllowNamedServers, NamedServerLimitPerUser: h.NamedServerLimitPerUser, AllowInvalidNames: h.AllowExistingInvalidNamedServers,
		ConcurrentSpawnLimit: h.ConcurrentSpawnLimit, ActiveServerLimit: h.ActiveServerLimit,
		ThrottleRetry:    [2]time.Duration{seconds(t.SpawnThrottleRetryRange[0]), seconds(t.SpawnThrottleRetryRange[1])},
		SlowSpawnTimeout: orNone(fseconds(t.SlowSpawnTimeout)), SlowStopTimeout: orNone(fseconds(t.SlowStopTimeout)),
		PollInterval: seconds(s.PollInterval), PollJitter: s.PollJitter, ConsecutiveFailureLimit: s.ConsecutiveFailureLimit,
		InitSpawnersTimeout: seconds(h.InitSpawnersTimeout), AdminAccess: h.AdminAccess, CookieHostPrefix: h.CookieHostPrefixEnabled,
		KeptEnv: env, HubID: hubID, ListText: jsonList, UserOptionTraits: s.ApplyUserOptions,
		URLs: hub.ServerURLs{BaseURL: u.BaseURL, HubAPIURL: u.HubAPIURL, PublicHost: u.PublicHost, PublicURL: u.PublicURL},
		Spawn: hub.SpawnTraits{
			Cmd: s.Cmd, Args: s.Args, Environment: s.Environment, DefaultURL: s.DefaultURL, NotebookDir: s.NotebookDir, IP: s.IP, Port: s.Port,
			HubConnectURL: deref(s.HubConnectURL), MemLimit: int64(deref(s.MemLimit)), MemGuarantee: int64(deref(s.MemGuarantee)),
			CPULimit: deref(s.CPULimit), CPUGuarantee: deref(s.CPUGuarantee), StartTimeout: seconds(s.StartTimeout), HTTPTimeout: seconds(s.HTTPTimeout),
			Debug: s.Debug, DisableUserConfig: s.DisableUserConfig, ServerTokenScopes: s.ServerTokenScopes, OAuthClientAllowedScopes: s.OAuthClientAllowedScopes,
			OAuthRoles: s.OAuthRoles,
		},
	}
	if len(t.CookieOptions) > 0 {
		b, err := json.Marshal(t.CookieOptions)
		if err != nil {
			return out, fmt.Errorf("JupyterHub.tornado_settings[\"cookie_options\"]: %w", err)
		}
		out.CookieOptions = string(b)
	}
	var err error
	out.GroupOverrides, err = groupOverrides(s.GroupOverrides)
	return out, err
}

// orNone makes a time-out of 0 "do not wait", which hub writes as a negative value.
func orNone(d time.Duration) time.Duration {
	if d <= 0 {
		return -1
	}
	return d
}

func groupOverrides(m map[string]any) ([]hub.GroupOverride, error) {
	var out []hub.GroupOverride
	for _, key := range slices.Sorted(maps.Keys(m)) {
		spec, ok := m[key].(map[string]any)
		if !ok {
			//lint:ignore ST1005 it begins with the name of a trait
			return nil, fmt.Errorf("Spawner.group_overrides[%q]: must be a dict with groups and spawner_override", key)
		}
		o := hub.GroupOverride{}
		names, _ := spec["groups"].([]any)
		for _, n := range names {
			if name, ok := n.(string); ok {
				o.Groups = append(o.Groups, name)
			}
		}
		if o.Traits, ok = spec["spawner_override"].(map[string]any); !ok || len(o.Groups) == 0 {
			//lint:ignore ST1005 it begins with the name of a trait
			return nil, fmt.Errorf("Spawner.group_overrides[%q]: needs groups (a list of names) and spawner_override (a dict)", key)
		}
		out = append(out, o)
	}
	return out, nil
}

// keptEnv are the variables of the hub's own environment that servers inherit.
func keptEnv(names []string, lookup func(string) (string, bool)) map[string]string {
	env := map[string]string{}
	for _, n := range names {
		if v, ok := lookup(n); ok {
			env[n] = v
		}
	}
	return env
}

func trusted(ips []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range ips {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("JupyterHub.trusted_downstream_ips: %q is not an IP address or network", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

// loginTraits are the settings of hub.Logins.
func loginTraits(c *config.Config) hub.LoginTraits {
	a := c.AuthenticatorTraits()
	t := hub.LoginTraits{
		EnableAuthState: a.EnableAuthState, ManageGroups: a.ManageGroups, ManageRoles: a.ManageRoles, RefreshAge: seconds(a.AuthRefreshAge),
		RefreshStrict: a.AuthRefreshStrict, RefreshPreSpawn: a.RefreshPreSpawn, RefreshPreStop: a.RefreshPreStop,
	}
	for _, r := range c.JupyterHub.LoadRoles {
		t.KeepRoles = append(t.KeepRoles, r.Name)
	}
	return t
}

// serverHooks are the places where authenticators take part in starts and stops.
func serverHooks(a auth.Authenticator, logins *hub.Logins) hub.Hooks {
	h := hub.Hooks{}
	if sh, ok := a.(auth.ServerHooks); ok {
		h.PreSpawnStart, h.PostSpawnStop = sh.PreSpawnStart, sh.PostSpawnStop
	}
	if logins.Traits().RefreshPreSpawn {
		h.RefreshPreSpawn = refreshBeforeSpawn(logins)
	}
	if logins.Traits().RefreshPreStop {
		h.RefreshPreStop = refreshBeforeStop(logins)
	}
	return h
}

// jsonList writes a list of strings as JSON, never null.
func jsonList(list []string) string {
	b, _ := json.Marshal(append([]string{}, list...)) // strings always encode
	return string(b)
}

// serverLines puts the output of servers into the hub's log, with the server's name in front.
func serverLines(log *slog.Logger) func(spawner.Identity, string) {
	if log == nil {
		return nil
	}
	return func(id spawner.Identity, line string) { log.Info("[" + id.String() + "] " + line) }
}
