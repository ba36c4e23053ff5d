package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
)

// pythonPart is what lives in the Python child of the configuration. A nil *pythonPart is a hub without one; its methods then change nothing.
type pythonPart struct {
	cfg    *config.Config
	log    *slog.Logger
	bridge *pybridge.Bridge
	dir    *directory
	hooks  *pybridge.Hooks
	auth   *pybridge.Authenticator // nil: the hub's own
	pages  *pybridge.Pages         // nil: the authenticator has none of its own
	info   *pybridge.SetupResult
	hosts  sync.Map // answers of subdomain_hook by kind and name
	names  []string // traits that hold something of Python, "Class.trait" or `Class.trait["key"]`
}

// livesInPython reports whether a configuration needs Python while the hub runs.
func livesInPython(c *config.Config) bool {
	h := &c.JupyterHub
	return len(c.Python) > 0 || hasExtraHandlers(c) || h.AuthenticatorClass.Native == "" || h.SpawnerClass.Native == ""
}

// hasExtraHandlers reports whether there are pages in extra_handlers: their classes may be objects of the file, or dotted names.
func hasExtraHandlers(c *config.Config) bool {
	return len(c.JupyterHub.ExtraHandlers) > 0 || slices.ContainsFunc(c.Python, func(py config.Python) bool {
		return strings.HasPrefix(py.Where, "JupyterHub.extra_handlers")
	})
}

// evaluator evaluates .py files in a child that can go on afterwards; the child is in *child then.
func evaluator(args config.Args, output io.Writer, child **pybridge.Bridge) func(context.Context, string) (map[string]map[string]any, error) {
	return func(ctx context.Context, path string) (map[string]map[string]any, error) {
		b, result, err := pybridge.Start(ctx, pybridge.Options{Path: path, Overrides: overridesOf(args), Env: os.Environ(), Output: output})
		if err != nil {
			return nil, err
		}
		*child = b
		return result.WithLines(), nil
	}
}

func overridesOf(args config.Args) []pybridge.Override {
	out := make([]pybridge.Override, 0, len(args.Overrides))
	for _, o := range args.Overrides {
		if o.Trait != "config_file" && o.Class != "Minihub" {
			out = append(out, pybridge.Override{Class: o.Class, Trait: o.Trait, Texts: o.Texts})
		}
	}
	return out
}

// keepChild decides what becomes of the child after loading: it goes on in cfg.Child when something lives in it, also when a class
// path in a JSON, YAML or TOML file is what lives there. Classes that cannot be imported are errors of the report.
func keepChild(ctx context.Context, cfg *config.Config, report *config.Report, child *pybridge.Bridge, args config.Args, output io.Writer) error {
	if cfg != nil {
		refusePython(cfg, report)
	}
	if cfg == nil || !livesInPython(cfg) {
		if child != nil {
			return child.Close()
		}
		return nil
	}
	if child == nil {
		var err error
		child, _, err = pybridge.Start(ctx, pybridge.Options{Sections: cfg.Written, Overrides: overridesOf(args), Env: os.Environ(), Output: output})
		if err != nil {
			report.Errorf("JupyterHub."+pythonClassTrait(cfg), "", "what it names is a Python class, and Python cannot be started: %s", err)
			return nil
		}
	}
	cfg.Child = child
	for _, c := range []struct {
		kind string
		ref  config.ClassRef
	}{{"authenticator", cfg.JupyterHub.AuthenticatorClass}, {"spawner", cfg.JupyterHub.SpawnerClass}} {
		if c.ref.Native != "" {
			continue
		}
		if err := child.Find(ctx, c.kind, c.ref.Given); err != nil {
			report.Errorf("JupyterHub."+c.kind+"_class", "install the package that has it for "+child.Python()+", or set MINIHUB_PYTHON to the interpreter that has it",
				"%q is not built in and cannot be loaded with Python: %s", c.ref.Given, err)
		}
	}
	return nil
}

func pythonClassTrait(c *config.Config) string {
	if c.JupyterHub.AuthenticatorClass.Native == "" {
		return "authenticator_class"
	}
	return "spawner_class"
}

// refusePython reports what may not live in Python, each with the trait that holds it.
func refusePython(cfg *config.Config, report *config.Report) {
	if ref := cfg.JupyterHub.ProxyClass; ref.Native == "" {
		report.Errorf("JupyterHub.proxy_class", "use minihub (built in) or configurable-http-proxy; other proxies can be put in front",
			"%s is a Python class, and proxies in Python are not supported: all traffic of all users would go through it", ref.Given)
	}
	unsupported := map[string]string{
		"JupyterHub.extra_log_handlers": "the log goes to stderr; let the service manager collect it",
		"EventLog.handlers":             "remove it",
		"EventLogger.handlers":          "remove it",
		"Spawner.ssl_alt_names":         "write a list",
	}
	for _, py := range cfg.Python {
		base, _, _ := strings.Cut(py.Where, "[")
		if wayOut, no := unsupported[base]; no {
			report.Errorf(py.Where, wayOut, "the value is a Python %s (%s), which minihub cannot use", py.Kind, py.Qualname)
		}
	}
}

// startPython makes the classes of the configuration in the child, and takes over what they decide about the hub's own traits.
func (a *App) startPython(ctx context.Context) error {
	if !livesInPython(a.cfg) {
		return nil
	}
	b, ok := a.cfg.Child.(*pybridge.Bridge)
	if !ok {
		o := pybridge.Options{Sections: a.cfg.Written, Env: os.Environ()}
		if strings.EqualFold(filepath.Ext(a.cfg.File), ".py") {
			o.Path = a.cfg.File
		}
		var err error
		if b, _, err = pybridge.Start(ctx, o); err != nil {
			return fmt.Errorf("start Python for the configuration: %w", err)
		}
	}
	p := &pythonPart{cfg: a.cfg, log: a.o.Logger, bridge: b, dir: newDirectory(a)}
	p.hooks = pybridge.NewHooks(b, p.dir)
	for _, py := range a.cfg.Python {
		p.names = append(p.names, py.Where)
	}
	a.py = p
	b.Keep(a.o.Logger, p.dir)
	var err error
	setup := a.pythonSetup()
	if setup.Pages {
		if err := a.pageFacts(&setup.Facts); err != nil {
			return err
		}
	}
	if p.info, err = b.Setup(ctx, setup); err != nil {
		return fmt.Errorf("set up Python classes of the configuration: %w", err)
	}
	if p.pages, err = pybridge.NewPages(p.info.Pages); err != nil {
		return err
	}
	if p.info.Authenticator != nil {
		p.auth = pybridge.NewAuthenticator(b, p.info.Authenticator)
		adoptAuthenticator(&a.cfg.Authenticator, p.info.Authenticator.Traits)
	}
	if p.info.Spawner != nil {
		adoptSpawner(&a.cfg.Spawner, p.info.Spawner.Traits)
	}
	p.report(ctx)
	return nil
}

// report tells in the log what goes through Python.
func (p *pythonPart) report(ctx context.Context) {
	if i := p.info.Authenticator; i != nil {
		p.log.InfoContext(ctx, "authenticator lives in python", "class", i.Name, "version", i.Version, "jupyterhub", p.info.JupyterHub, "python", p.bridge.Python())
	}
	if i := p.info.Spawner; i != nil {
		p.log.InfoContext(ctx, "spawner lives in python", "class", i.Name, "version", i.Version, "jupyterhub", p.info.JupyterHub, "python", p.bridge.Python())
	}
	if len(p.names) > 0 {
		p.log.InfoContext(ctx, "traits that live in python", "traits", p.names, "python", p.bridge.Python())
	}
}

// pythonSetup is what the child must know.
func (a *App) pythonSetup() pybridge.SetupRequest {
	h, au := &a.cfg.JupyterHub, a.cfg.AuthenticatorTraits()
	return pybridge.SetupRequest{
		Pages: h.AuthenticatorClass.Native == "" || h.SpawnerClass.Native == "" || hasExtraHandlers(a.cfg),
		Facts: pybridge.Facts{
			BaseURL: a.urls.BaseURL, HubPrefix: a.urls.HubPrefix, APIURL: a.urls.HubAPIURL, PublicHost: a.urls.PublicHost, PublicURL: a.urls.PublicURL,
			Domain: a.urls.Domain, SubdomainHost: h.SubdomainHost, CookieOptions: a.torn.CookieOptions, CookieHostPrefix: h.CookieHostPrefixEnabled,
			TemplatePaths: h.TemplatePaths, AdminAccess: h.AdminAccess, AllowNamedServers: h.AllowNamedServers, LogLevel: int(h.LogLevel),
		},
		Authenticator: pybridge.ClassChoice{Python: h.AuthenticatorClass.Native == "", Given: h.AuthenticatorClass.Given, Chain: authenticatorChain(h.AuthenticatorClass.Class),
			Traits: map[string]any{"admin_users": au.AdminUsers, "allowed_users": au.AllowedUsers, "blocked_users": au.BlockedUsers, "allow_all": au.AllowAll,
				"enable_auth_state": au.EnableAuthState, "manage_groups": au.ManageGroups, "manage_roles": au.ManageRoles}},
		Spawner: pybridge.ClassChoice{Python: h.SpawnerClass.Native == "", Given: h.SpawnerClass.Given, Chain: spawnerChain(h.SpawnerClass.Class)},
	}
}

func authenticatorChain(class string) []string {
	if class == "PAMAuthenticator" {
		return []string{class, "LocalAuthenticator", "Authenticator"}
	}
	return []string{class, "Authenticator"}
}

func spawnerChain(class string) []string {
	if class == "SimpleLocalProcessSpawner" {
		return []string{class, "LocalProcessSpawner", "Spawner"}
	}
	return []string{class, "Spawner"}
}

// close ends the child. It is the last part that stops: servers and logins need it.
func (p *pythonPart) close() error {
	if p == nil {
		return nil
	}
	if p.pages != nil {
		p.pages.Close()
	}
	return p.bridge.Close()
}

// holds reports whether the trait of the class that counts is a Python object; class is a prefix like "Spawner" or a name in chain.
func (p *pythonPart) holds(chain []string, trait string) bool {
	return p != nil && slices.ContainsFunc(p.names, func(where string) bool {
		class, rest, _ := strings.Cut(where, ".")
		return slices.Contains(chain, class) && (rest == trait || strings.HasPrefix(rest, trait+"["))
	})
}

func (p *pythonPart) hubHolds(trait string) bool { return p.holds([]string{"JupyterHub"}, trait) }

func (p *pythonPart) spawnerHolds(trait string) bool {
	return p != nil && p.holds(spawnerChain(p.cfg.JupyterHub.SpawnerClass.Class), trait)
}

func (p *pythonPart) authenticatorHolds(trait string) bool {
	return p != nil && p.holds(authenticatorChain(p.cfg.JupyterHub.AuthenticatorClass.Class), trait)
}

// spawns reports whether the spawner class lives in Python.
func (p *pythonPart) spawns() bool { return p != nil && p.info.Spawner != nil }

// rules are the rules of logins, as an authenticator in Python has them, or with the post_auth_hook of a built-in one.
func (p *pythonPart) rules(o auth.RulesOptions) auth.RulesOptions {
	if p == nil {
		return o
	}
	if p.auth == nil {
		if p.authenticatorHolds("post_auth_hook") {
			o.PostAuth = p.bridge.PostAuth
		}
		return o
	}
	a, yes := &p.cfg.Authenticator, true
	o.AdminUsers, o.AllowedUsers, o.BlockedUsers = a.AdminUsers, a.AllowedUsers, a.BlockedUsers
	o.AllowAll, o.AllowExistingUsers, o.AnyAllowConfig = &a.AllowAll, &a.AllowExistingUsers, &yes // the class warns itself
	o.UsernameMap, o.UsernamePattern = a.UsernameMap, a.UsernamePattern
	if p.info.Authenticator.Has("normalize_username") {
		o.NormalizeUser, o.UsernameMap = p.auth.Normalize, nil
	}
	if p.info.Authenticator.Has("validate_username") {
		o.UsernamePattern = "" // add_user of the class decides
	}
	return o
}

// who says who can log in: with an authenticator in Python, its own rules come first.
func (p *pythonPart) who(text string) string {
	if p == nil || p.auth == nil || p.cfg.Authenticator.AllowAll {
		return text
	}
	return "whoever " + p.auth.Name() + " lets in"
}

// managedRoles are those of load_managed_roles.
func (p *pythonPart) managedRoles(ctx context.Context) ([]rbac.Role, error) {
	if p == nil || p.auth == nil || !p.cfg.Authenticator.ManageRoles || !p.info.Authenticator.Has("load_managed_roles") {
		return nil, nil
	}
	roles, err := p.auth.ManagedRoles(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]rbac.Role, len(roles))
	for i, r := range roles {
		out[i] = rbac.Role{Name: r.Name, Description: r.Description, Scopes: r.Scopes, Users: r.Users, Groups: r.Groups, Services: r.Services, Managed: true}
	}
	return out, nil
}

// driver is the driver of a spawner class in Python.
func (p *pythonPart) driver() spawner.Driver {
	d := pybridge.NewDriver(p.bridge, p.info.Spawner, p.dir)
	d.MapError = func(id spawner.Identity, err error) error { return hookError(err, "start", id) }
	d.AdoptToken = p.dir.adoptToken
	return d
}

// errNoUser is what the child is told about a user who is not in the database.
var errNoUser = errors.New("no such user")
