package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Seen is told about every use of a credential; Activity implements it. Calls may be concurrent; only Settle may block.
type Seen interface {
	SeenUser(id int64, at time.Time)
	SeenToken(id int64, at time.Time)
	// First is told of the first use of a user or token (0: none) instead.
	First(userID, tokenID int64, at time.Time)
	// Settle returns when the first uses so far are stored.
	Settle(ctx context.Context)
}

// AccessOptions configure Access.
type AccessOptions struct {
	Store   *orm.Store
	Catalog *rbac.Catalog
	Seen    Seen // nil: activity is not recorded
	Logger  *slog.Logger
	Size    int // cached identities; 0 = 20,000
}

// Access decides who may do what. Safe for concurrent use.
type Access struct {
	store   *orm.Store
	catalog *rbac.Catalog
	seen    Seen
	log     *slog.Logger
	cache   *identityCache
}

// NewAccess returns an Access with an empty cache.
func NewAccess(o AccessOptions) *Access {
	return &Access{store: o.Store, catalog: o.Catalog, seen: o.Seen, log: logger(o.Logger), cache: newIdentityCache(o.Size)}
}

// SetSeen completes the wiring when Activity is made after Access. Call it before the first request.
func (a *Access) SetSeen(s Seen) { a.seen = s }

// Settle waits until first uses of credentials are stored, for those who show the activity of rows.
func (a *Access) Settle(ctx context.Context) {
	if a.seen != nil {
		a.seen.Settle(ctx)
	}
}

// Catalog returns the scopes that exist.
func (a *Access) Catalog() *rbac.Catalog { return a.catalog }

// Check returns nil when id holds any of the scopes for the target. Refusals are as in JupyterHub: without identity and
// without the scope Forbidden; with the scope, but for other targets, NotFound, so that the answer does not tell whether the
// target exists. The Hint says what is needed, what is held and how to grant it. Any other error is the database's.
func (a *Access) Check(ctx context.Context, id *Identity, t rbac.Target, anyOf ...string) error {
	if id == nil {
		return &Error{Kind: Forbidden, Message: "Missing or invalid credentials.",
			Hint: "send an API token as 'Authorization: token ...', or log in"}
	}
	wanted := t.GroupsOf != nil
	t.GroupsOf = nil
	outcome := id.Scopes.Check(t, anyOf...)
	if outcome == rbac.Granted {
		return nil
	}
	if wanted && outcome == rbac.Hidden {
		var failed error
		t.GroupsOf = a.groupsOf(ctx, &failed)
		outcome = id.Scopes.Check(t, anyOf...)
		if failed != nil {
			return storeErr(failed, "check access to user")
		}
		if outcome == rbac.Granted {
			return nil
		}
	}
	return a.refuse(ctx, id, t, outcome, anyOf)
}

func (a *Access) refuse(ctx context.Context, id *Identity, t rbac.Target, outcome rbac.Outcome, anyOf []string) error {
	t.GroupsOf = nil // the hint must not depend on whether the target exists
	hint := a.catalog.Refusal(id.Scopes, t, anyOf).Hint(id.Owner())
	if outcome == rbac.Hidden {
		a.log.WarnContext(ctx, "access refused: the scopes held are for other targets", id.Kind(), id.Name(), "hint", hint)
		return &Error{Kind: NotFound, Message: "No access to resources or resources not found", Hint: hint}
	}
	a.log.WarnContext(ctx, "access refused: scope missing", id.Kind(), id.Name(), "hint", hint)
	return &Error{Kind: Forbidden, Hint: hint,
		Message: "Action is not authorized with current scopes; requires any of [" + strings.Join(anyOf, ", ") + "]"}
}

// Holds reports whether id holds the scope for the target, for decisions inside a use case.
func (a *Access) Holds(ctx context.Context, id *Identity, t rbac.Target, scope string) (bool, error) {
	var failed error
	if t.GroupsOf != nil {
		t.GroupsOf = a.groupsOf(ctx, &failed)
	}
	ok := id.Scopes.Check(t, scope) == rbac.Granted
	if failed != nil {
		return false, storeErr(failed, "check access to user")
	}
	return ok, nil
}

// OnUser is the target of checks about a user.
func (a *Access) OnUser(ctx context.Context, name string) rbac.Target {
	return rbac.Target{Kind: rbac.KindUser, User: name, GroupsOf: a.lazyGroups(ctx)}
}

// OnServer is the target of checks about one server; server "" is the default server.
func (a *Access) OnServer(ctx context.Context, user, server string) rbac.Target {
	return rbac.Target{Kind: rbac.KindServer, User: user, Server: server, HasServer: true, GroupsOf: a.lazyGroups(ctx)}
}

// OnServers is the target of checks about all servers of an owner (GET /shares/{owner}).
func (a *Access) OnServers(ctx context.Context, user string) rbac.Target {
	return rbac.Target{Kind: rbac.KindServer, User: user, GroupsOf: a.lazyGroups(ctx)}
}

// OnGroup is the target of checks about a group.
func (a *Access) OnGroup(name string) rbac.Target {
	return rbac.Target{Kind: rbac.KindGroup, Group: name}
}

// OnService is the target of checks about a service.
func (a *Access) OnService(name string) rbac.Target {
	return rbac.Target{Kind: rbac.KindService, Service: name}
}

// lazyGroups is groupsOf for those who use a Target without Access.Check: a database error reads as "in no group", which can
// only refuse, and is logged. Access.Check reports it instead.
func (a *Access) lazyGroups(ctx context.Context) func(user string) []string {
	return func(user string) []string {
		var failed error
		groups := a.groupsOf(ctx, &failed)(user)
		if failed != nil {
			a.log.ErrorContext(ctx, "cannot look up groups for an access check", "user", user, "err", failed)
		}
		return groups
	}
}

// GroupsOf returns a function that looks up the groups of users, for rbac. It asks the database once per user; the first error is
// left in *failed, and a decision made with it must be thrown away then.
func (a *Access) GroupsOf(ctx context.Context, failed *error) func(user string) []string {
	return a.groupsOf(ctx, failed)
}

func (a *Access) groupsOf(ctx context.Context, failed *error) func(user string) []string {
	known := map[string][]string{}
	return func(name string) []string {
		if groups, ok := known[name]; ok {
			return groups
		}
		groups, err := a.groupNames(ctx, name)
		if err != nil && *failed == nil {
			*failed = fmt.Errorf("look up groups of user %q: %w", name, err)
		}
		known[name] = groups
		return groups
	}
}

func (a *Access) groupNames(ctx context.Context, name string) ([]string, error) {
	user, err := userByName(ctx, a.store, name)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	byID, err := a.store.GroupNamesOfUsers(ctx, []int64{user.ID})
	return byID[user.ID], err
}

// Identify returns the scopes of id with the identify scopes added: what GET /user may read of its caller. The list is shared.
func (a *Access) Identify(id *Identity) []string { return id.identifyList }

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
