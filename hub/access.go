package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Seen is told about every use of a credential; Activity implements it. Calls must not block and may be concurrent.
type Seen interface {
	SeenUser(id int64, at time.Time)
	SeenToken(id int64, at time.Time)
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
	o AccessOptions
}

// NewAccess returns an Access with an empty cache.
func NewAccess(o AccessOptions) *Access { return &Access{o: o} }

// ByToken returns the identity of an API token, or nil, nil when it is not a valid token.
func (a *Access) ByToken(ctx context.Context, token string) (*Identity, error) { return nil, nil }

// BySession returns the identity of a browser session, or nil, nil when nobody has that cookie id.
func (a *Access) BySession(ctx context.Context, cookieID, sessionID string) (*Identity, error) {
	return nil, nil
}

// UserScopes returns a user's effective scopes, parsed and as sorted text.
func (a *Access) UserScopes(ctx context.Context, userID int64) (rbac.Scopes, []string, error) {
	return nil, nil, nil
}

// Check returns nil when id holds any of the scopes for the target, else *Error.
func (a *Access) Check(ctx context.Context, id *Identity, t rbac.Target, anyOf ...string) error {
	return nil
}

// OnUser is the target of checks about a user.
func (a *Access) OnUser(ctx context.Context, name string) rbac.Target {
	return rbac.Target{Kind: "user", User: name}
}

// OnServer is the target of checks about one server; server "" is the default server.
func (a *Access) OnServer(ctx context.Context, user, server string) rbac.Target {
	return rbac.Target{Kind: "server", User: user, Server: server, HasServer: true}
}

// OnServers is the target of checks about all servers of an owner (GET /shares/{owner}).
func (a *Access) OnServers(ctx context.Context, user string) rbac.Target {
	return rbac.Target{Kind: "server", User: user}
}

// OnGroup is the target of checks about a group.
func (a *Access) OnGroup(name string) rbac.Target { return rbac.Target{Kind: "group", Group: name} }

// OnService is the target of checks about a service.
func (a *Access) OnService(name string) rbac.Target {
	return rbac.Target{Kind: "service", Service: name}
}

// Identify returns the scopes of id with the identify scopes added: what GET /user may read.
func (a *Access) Identify(id *Identity) []string { return nil }
