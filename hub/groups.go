package hub

import (
	"context"
	"log/slog"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
)

// GroupView is a group with members and roles.
type GroupView struct {
	orm.Group
	Users []string
	Roles []string
}

// GroupsOptions configure Groups.
type GroupsOptions struct {
	Store  *orm.Store
	Rules  *auth.Rules // normalises member names
	Logger *slog.Logger
}

// Groups manages groups. Safe for concurrent use.
type Groups struct {
	o GroupsOptions
}

// NewGroups returns Groups.
func NewGroups(o GroupsOptions) *Groups { return &Groups{o: o} }

// Get returns one group; NotFound when there is none of that name.
func (g *Groups) Get(ctx context.Context, name string) (*GroupView, error) { return nil, nil }

// List returns one page of groups and the number of all that match.
func (g *Groups) List(ctx context.Context, q orm.GroupQuery) ([]GroupView, int, error) {
	return nil, 0, nil
}

// Create makes several groups, each with the same members, or none (POST /groups).
func (g *Groups) Create(ctx context.Context, names, users []string) ([]GroupView, error) {
	return nil, nil
}

// CreateOne makes one group (POST /groups/{group}).
func (g *Groups) CreateOne(ctx context.Context, name string, users []string) (*GroupView, error) {
	return nil, nil
}

// Delete deletes a group.
func (g *Groups) Delete(ctx context.Context, name string) error { return nil }

// AddUsers adds members; those who are already in it are ignored.
func (g *Groups) AddUsers(ctx context.Context, name string, users []string) (*GroupView, error) {
	return nil, nil
}

// RemoveUsers removes members; those who are not in it are ignored.
func (g *Groups) RemoveUsers(ctx context.Context, name string, users []string) (*GroupView, error) {
	return nil, nil
}

// SetProperties replaces the properties of a group.
func (g *Groups) SetProperties(ctx context.Context, name string, props map[string]any) (*GroupView, error) {
	return nil, nil
}
