package hub

import (
	"context"
	"log/slog"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Grantee is who gets a share: exactly one of User and Group.
type Grantee struct{ User, Group string }

// ShareView is a share with the server it is about.
type ShareView struct {
	orm.ShareRow
	Server ServerView
}

// Page selects a part of a list; Total is filled in the answer.
type Page struct{ Offset, Limit, Total int }

// SharesOptions configure Shares and ShareCodes.
type SharesOptions struct {
	Store   *orm.Store
	Access  *Access
	Catalog *rbac.Catalog
	Servers ServerViews
	Logger  *slog.Logger
}

// Shares grants and revokes access to servers. Safe for concurrent use.
type Shares struct {
	o SharesOptions
}

// NewShares returns Shares.
func NewShares(o SharesOptions) *Shares { return &Shares{o: o} }

// OfServer lists the shares of one server.
func (s *Shares) OfServer(ctx context.Context, owner, server string, offset, limit int) ([]ShareView, int, error) {
	return nil, 0, nil
}

// OfOwner lists the shares of all servers of an owner.
func (s *Shares) OfOwner(ctx context.Context, owner string, offset, limit int) ([]ShareView, int, error) {
	return nil, 0, nil
}

// WithUser lists what is shared with a user, through groups as well.
func (s *Shares) WithUser(ctx context.Context, user string, offset, limit int) ([]ShareView, int, error) {
	return nil, 0, nil
}

// WithGroup lists what is shared with a group.
func (s *Shares) WithGroup(ctx context.Context, group string, offset, limit int) ([]ShareView, int, error) {
	return nil, 0, nil
}

// GetWithUser returns the direct share of one server with a user.
func (s *Shares) GetWithUser(ctx context.Context, user, owner, server string) (*ShareView, error) {
	return nil, nil
}

// GetWithGroup returns the share of one server with a group.
func (s *Shares) GetWithGroup(ctx context.Context, group, owner, server string) (*ShareView, error) {
	return nil, nil
}

// Grant shares a server.
func (s *Shares) Grant(ctx context.Context, by *Identity, owner, server string, to Grantee, scopes []string) (*ShareView, error) {
	return nil, nil
}

// Revoke takes scopes, or all with none given, from a share; nil when nothing is left.
func (s *Shares) Revoke(ctx context.Context, by *Identity, owner, server string, to Grantee, scopes []string) (*ShareView, error) {
	return nil, nil
}

// RevokeAll deletes all shares of a server.
func (s *Shares) RevokeAll(ctx context.Context, owner, server string) error { return nil }

// LeaveUser deletes a user's own direct share of a server.
func (s *Shares) LeaveUser(ctx context.Context, user, owner, server string) error { return nil }

// LeaveGroup deletes a group's share of a server.
func (s *Shares) LeaveGroup(ctx context.Context, group, owner, server string) error { return nil }
