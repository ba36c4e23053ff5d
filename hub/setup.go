package hub

import (
	"context"
	"log/slog"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// SetupOptions are the parts and the configuration that start-up needs.
type SetupOptions struct {
	Store    *orm.Store
	Catalog  *rbac.Catalog // made with custom_scopes, which is the first step of start-up
	Users    *Users
	Rules    *auth.Rules
	Tokens   *Tokens
	Services *ServiceRows
	Specs    SetupSpecs
	Logger   *slog.Logger
}

// Setup brings the database in line with the configuration at start-up. Every step is one transaction and may be repeated, so that a
// start that was interrupted is finished by the next one.
type Setup struct {
	store    *orm.Store
	catalog  *rbac.Catalog
	users    *Users
	rules    *auth.Rules
	tokens   *Tokens
	services *ServiceRows
	specs    SetupSpecs
	log      *slog.Logger
	upgrade  bool // the database has users but no roles: it is older than JupyterHub 2
}

// NewSetup returns a Setup.
func NewSetup(o SetupOptions) *Setup {
	return &Setup{store: o.Store, catalog: o.Catalog, users: o.Users, rules: o.Rules, tokens: o.Tokens, services: o.Services,
		specs: o.Specs, log: logger(o.Logger)}
}

// Run does JupyterHub's steps before running servers are restored, in its order: roles, users, groups, services, configured tokens,
// role assignment, blocked users. An error names each configuration entry that is wrong in a step, the reason and the way out.
func (s *Setup) Run(ctx context.Context) (*SetupResult, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.loadRoles(ctx); err != nil {
		return nil, err
	}
	if err := s.loadUsers(ctx); err != nil {
		return nil, err
	}
	if err := s.loadGroups(ctx); err != nil {
		return nil, err
	}
	services, err := s.loadServices(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.loadTokens(ctx, services); err != nil {
		return nil, err
	}
	if err := s.assignRoles(ctx); err != nil {
		return nil, err
	}
	if err := s.strikeBlocked(ctx); err != nil {
		return nil, err
	}
	total, err := s.store.CountUsers(ctx)
	if err != nil {
		return nil, storeErr(err, "count users")
	}
	s.users.total(total)
	return &SetupResult{Services: services, TotalUsers: total}, nil
}

// RunUsersAndRoles does the part of Run that `minihub token` needs.
func (s *Setup) RunUsersAndRoles(ctx context.Context) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := s.loadRoles(ctx); err != nil {
		return err
	}
	return s.loadUsers(ctx)
}

// clientsPerTx bounds how much Cleanup deletes at once: deployments with temporary users leave very many clients.
const clientsPerTx = 500

// Cleanup deletes OAuth clients that belong to nothing any more, with their tokens and codes: those of services that are gone and of
// servers that do not run. It runs after the servers of an earlier hub were taken over, with the checks that a start need not wait for.
func (s *Setup) Cleanup(ctx context.Context) error {
	all, err := s.store.OAuthClientIDs(ctx) // first: a server that starts meanwhile is not in this list
	if err != nil {
		return storeErr(err, "list oauth clients")
	}
	used, err := s.clientsInUse(ctx)
	if err != nil {
		return err
	}
	var stale []string
	for _, id := range all {
		if !used[id] {
			stale = append(stale, id)
		}
	}
	for len(stale) > 0 {
		part := stale[:min(clientsPerTx, len(stale))]
		stale = stale[len(part):]
		if err := s.store.DeleteOAuthClients(ctx, part); err != nil {
			return storeErr(err, "delete stale oauth clients")
		}
		s.log.InfoContext(ctx, "oauth clients deleted that belong to nothing", "count", len(part), "first", part[0])
	}
	return s.checkNames(ctx)
}

// clientsInUse are the OAuth clients of the hub, of services and of running servers.
func (s *Setup) clientsInUse(ctx context.Context) (map[string]bool, error) {
	services, err := s.store.Services(ctx)
	if err != nil {
		return nil, storeErr(err, "list services")
	}
	servers, err := s.store.RunningSpawners(ctx)
	if err != nil {
		return nil, storeErr(err, "list running servers")
	}
	used := map[string]bool{hubClient: true}
	for _, row := range services {
		if row.OAuthClientID != nil {
			used[*row.OAuthClientID] = true
		}
	}
	for i := range servers {
		if id := servers[i].Spawner.OAuthClientID; id != nil {
			used[*id] = true
		}
	}
	return used, nil
}
