package hubapi

import (
	"context"
	"iter"
	"net/http"
)

// Groups are the groups that the token may see. Scope: list:groups.
func (c *Client) Groups(ctx context.Context) iter.Seq2[Group, error] {
	return all[Group](ctx, c, "/groups", nil)
}

// Group is one group. Scope: read:groups.
func (c *Client) Group(ctx context.Context, name string) (*Group, error) {
	g := &Group{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: at("groups", name)}, g)
	return g, err
}

// CreateGroup creates a group with members, who must exist. Scope: admin:groups.
func (c *Client) CreateGroup(ctx context.Context, name string, users ...string) (*Group, error) {
	g := &Group{}
	var body any
	if len(users) > 0 {
		body = map[string]any{"users": users}
	}
	_, err := c.do(ctx, request{method: http.MethodPost, path: at("groups", name), body: body}, g)
	return g, err
}

// DeleteGroup deletes a group; its members stay. Scope: delete:groups.
func (c *Client) DeleteGroup(ctx context.Context, name string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: at("groups", name)}, nil)
	return err
}

// AddToGroup adds users to a group. Scope: groups.
func (c *Client) AddToGroup(ctx context.Context, name string, users ...string) (*Group, error) {
	return c.members(ctx, http.MethodPost, name, users)
}

// RemoveFromGroup removes users from a group. Scope: groups.
func (c *Client) RemoveFromGroup(ctx context.Context, name string, users ...string) (*Group, error) {
	return c.members(ctx, http.MethodDelete, name, users)
}

func (c *Client) members(ctx context.Context, method, name string, users []string) (*Group, error) {
	g := &Group{}
	_, err := c.do(ctx, request{method: method, path: at("groups", name, "users"), body: map[string]any{"users": users}}, g)
	return g, err
}

// SetGroupProperties replaces the properties of a group. Scope: groups.
func (c *Client) SetGroupProperties(ctx context.Context, name string, properties map[string]any) (*Group, error) {
	g := &Group{}
	_, err := c.do(ctx, request{method: http.MethodPut, path: at("groups", name, "properties"), body: properties}, g)
	return g, err
}
