package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/services"
	"github.com/minihub/minihub/spawner"
)

// buildCore makes the parts that know no HTTP.
func (a *App) buildCore(ctx context.Context) error {
	catalog, err := catalogOf(a.cfg)
	if err != nil {
		return fmt.Errorf("JupyterHub.custom_scopes: %w", err)
	}
	rules, authenticator, err := a.authentication()
	if err != nil {
		return err
	}
	hubID, err := a.store.HubID(ctx)
	if err != nil {
		return err
	}
	driver, err := a.driver(hubID)
	if err != nil {
		return err
	}
	if a.o.Driver != nil {
		driver = a.o.Driver(driver)
	}
	c := &core{who: a.py.who(rules.WhoCanLogIn()), driver: driver, rules: rules}
	a.core = c
	log := a.o.Logger
	c.activity = hub.NewActivity(hub.ActivityOptions{Store: a.store, Resolution: seconds(a.cfg.JupyterHub.ActivityResolution), Logger: log})
	c.access = hub.NewAccess(hub.AccessOptions{Store: a.store, Catalog: catalog, Seen: c.activity, Logger: log})
	c.users = hub.NewUsers(hub.UsersOptions{Store: a.store, Rules: rules, Authenticator: authenticator, Catalog: catalog, Logger: log, TotalUsers: a.metrics.AddUsers})
	c.groups = hub.NewGroups(hub.GroupsOptions{Store: a.store, Rules: rules, Logger: log})
	c.tokens = hub.NewTokens(hub.TokensOptions{Store: a.store, Access: c.access, Catalog: catalog,
		MaxExpiry: seconds(a.cfg.JupyterHub.TokenExpiresInMaxSeconds), Logger: log})
	c.logins = hub.NewLogins(hub.LoginsOptions{Store: a.store, Authenticator: authenticator, Rules: rules, Crypt: a.secrets.crypt, Users: c.users,
		Throttle: auth.NewThrottle(auth.ThrottleOptions{}), Traits: a.py.loginTraits(loginTraits(a.cfg)), Logger: log})
	c.users.SetAuthStates(c.logins)
	if err := a.buildServers(catalog, driver, authenticator, hubID); err != nil {
		return err
	}
	c.shares = hub.NewShares(hub.SharesOptions{Store: a.store, Access: c.access, Catalog: catalog, Servers: c.servers, Logger: log})
	a.buildServices(catalog)
	specs := setupSpecs(a.cfg, a.secrets.crypt != nil)
	if specs.ManagedRoles, err = a.py.managedRoles(ctx); err != nil {
		return err
	}
	c.setup = hub.NewSetup(hub.SetupOptions{Store: a.store, Catalog: catalog, Users: c.users, Rules: rules, Tokens: c.tokens, Services: c.rows,
		Specs: specs, Logger: log})
	c.routes.servers, c.routes.services, c.routes.activity = c.servers, c.services, c.activity
	return nil
}

func (a *App) authentication() (*auth.Rules, auth.Authenticator, error) {
	rules, err := auth.NewRules(a.py.rules(ruleOptions(a.cfg)))
	if err != nil {
		return nil, nil, err
	}
	if a.py != nil && a.py.auth != nil {
		return rules, a.py.auth, nil
	}
	authenticator, err := authenticatorOf(a.cfg, rules, a.o)
	return rules, authenticator, err
}

// buildServers makes the servers and the proxy's routes, which need each other.
func (a *App) buildServers(catalog *rbac.Catalog, driver spawner.Driver, authenticator auth.Authenticator, hubID string) error {
	c := a.core
	env := keptEnv(a.envKeep(driver), a.o.LookupEnv)
	traits, err := serverTraits(a.cfg, a.urls, a.torn, hubID, env)
	if err != nil {
		return err
	}
	if a.py.ownProfiles() {
		if traits.Profiles, err = profiles(a.cfg, traits.Spawn, a.o.Logger); err != nil {
			return err
		}
	}
	traits.URLs.HostOf, traits.FirstRun = a.hostOf(urlpath.KindUser), a.store.FirstRun()
	if c.routes, err = a.newRoutes(); err != nil {
		return err
	}
	hooks := serverHooks(authenticator, c.logins)
	a.py.addHooks(&hooks, c.logins)
	a.py.addProfiles(&hooks)
	c.servers = hub.NewServers(hub.ServersOptions{Store: a.store, Driver: driver, Router: c.routes, Prober: newProber(), Catalog: catalog, Activity: c.activity,
		Traits: a.py.serverTraits(traits), Hooks: hooks, Observer: observer{a.metrics}, Abort: a.end, Logger: a.o.Logger})
	c.users.SetServers(c.servers)
	return nil
}

// driver makes the spawner driver, of the hub's own or of a class in Python.
func (a *App) driver(hubID string) (spawner.Driver, error) {
	if a.py.spawns() {
		return a.py.driver(), nil
	}
	logs := ""
	if dir := a.store.MemoryDir(); dir != "" {
		logs = filepath.Join(dir, "logs")
		if err := os.MkdirAll(logs, 0o700); err != nil {
			return nil, fmt.Errorf("make a directory for the logs of servers: %w", err)
		}
	}
	return driverOf(a.cfg, hubID, logs, a.o)
}

// envKeep is env_keep, whose default depends on the spawner.
func (a *App) envKeep(d spawner.Driver) []string {
	if s := a.cfg.SpawnerTraits(); a.cfg.GivenFor(a.cfg.JupyterHub.SpawnerClass.Class, "env_keep") {
		return s.EnvKeep
	}
	return d.EnvKeep()
}

func (a *App) buildServices(catalog *rbac.Catalog) {
	c, log := a.core, a.o.Logger
	c.rows = hub.NewServiceRows(hub.ServiceRowsOptions{Store: a.store, Tokens: c.tokens, Catalog: catalog, BaseURL: a.urls.BaseURL, HostOf: a.hostOf(urlpath.KindService), Logger: log})
	c.services = services.New(services.Options{Store: a.store, Rows: c.rows, Router: c.routes, Prober: newProber(), Logger: log, FirstRun: a.store.FirstRun(), Env: services.EnvOptions{
		BaseURL: a.urls.BaseURL, HubAPIURL: a.urls.HubAPIURL, PublicHost: a.urls.PublicHost, PublicURL: a.urls.PublicURL,
		KeptEnv: keptEnv(serviceEnvKeep(), a.o.LookupEnv), CookieHostPrefix: a.cfg.JupyterHub.CookieHostPrefixEnabled,
	}})
}

// serviceEnvKeep is what managed services inherit: the default of local spawners.
func serviceEnvKeep() []string {
	return []string{"CONDA_DEFAULT_ENV", "CONDA_ROOT", "JUPYTERHUB_SINGLEUSER_APP", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV"}
}

// refreshBeforeSpawn is refresh_pre_spawn. Only a browser of that very user can log in again; starts by others and by tokens go on with
// the old login unless auth_refresh_strict.
func refreshBeforeSpawn(logins *hub.Logins) func(context.Context, *orm.User) error {
	return func(ctx context.Context, user *orm.User) error {
		ok, err := logins.Refresh(ctx, user, true)
		if err != nil || ok || !logins.Traits().RefreshStrict && !(asks(ctx, user) && hub.Caller(ctx).Token == nil) {
			return err
		}
		return expiredLogin(user, "Authenticator.refresh_pre_spawn is on")
	}
}

// refreshBeforeStop is refresh_pre_stop. Administrators can always stop a server.
func refreshBeforeStop(logins *hub.Logins) func(context.Context, *orm.User) error {
	return func(ctx context.Context, user *orm.User) error {
		ok, err := logins.Refresh(ctx, user, true)
		if err != nil || ok || !asks(ctx, user) || hub.Caller(ctx).Token != nil && !logins.Traits().RefreshStrict {
			return err
		}
		return expiredLogin(user, "Authenticator.refresh_pre_stop is on")
	}
}

// asks tells whether the request is the user's own.
func asks(ctx context.Context, user *orm.User) bool {
	id := hub.Caller(ctx)
	return id != nil && id.User != nil && id.User.ID == user.ID
}

func expiredLogin(user *orm.User, hint string) error {
	return &hub.Error{Kind: hub.Forbidden, Message: "auth has expired for " + user.Name + ", login again", Hint: hint}
}

// purgeInterval is how often expired tokens, codes and shares are deleted.
const purgeInterval = time.Hour
