package hubapi

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// NewShare says with whom a server is shared: User or Group, not both.
type NewShare struct {
	User   string
	Group  string
	Scopes []string // nil: access:servers on that server
}

func (n NewShare) body() map[string]any {
	body := map[string]any{}
	if n.User != "" {
		body["user"] = n.User
	}
	if n.Group != "" {
		body["group"] = n.Group
	}
	if n.Scopes != nil {
		body["scopes"] = n.Scopes
	}
	return body
}

// shared is the path of what belongs to a server, whose name is the last segment also when it is empty.
func shared(kind, owner, server string) string { return at(kind, owner, server) }

// Shares are the shares of a server. Scope: read:shares.
func (c *Client) Shares(ctx context.Context, owner, server string) iter.Seq2[Share, error] {
	return all[Share](ctx, c, shared("shares", owner, server), nil)
}

// SharedWith are the servers that were shared with a user. Scope: read:users:shares.
func (c *Client) SharedWith(ctx context.Context, user string) iter.Seq2[Share, error] {
	return all[Share](ctx, c, at("users", user, "shared"), nil)
}

// ShareServer gives a user or a group access to a server. Scope: shares.
func (c *Client) ShareServer(ctx context.Context, owner, server string, n NewShare) (*Share, error) {
	s := &Share{}
	_, err := c.do(ctx, request{method: http.MethodPost, path: shared("shares", owner, server), body: n.body()}, s)
	return s, err
}

// RevokeShare takes access away from a user or a group; all of it without Scopes. Scope: shares.
func (c *Client) RevokeShare(ctx context.Context, owner, server string, n NewShare) error {
	_, err := c.do(ctx, request{method: http.MethodPatch, path: shared("shares", owner, server), body: n.body()}, nil)
	return err
}

// RevokeAllShares takes access to a server away from everybody. Scope: shares.
func (c *Client) RevokeAllShares(ctx context.Context, owner, server string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: shared("shares", owner, server)}, nil)
	return err
}

// ShareCodes are the codes of a server. Scope: read:shares.
func (c *Client) ShareCodes(ctx context.Context, owner, server string) iter.Seq2[ShareCode, error] {
	return all[ShareCode](ctx, c, shared("share-codes", owner, server), nil)
}

// CreateShareCode makes a link to a server. expires 0 is the hub's default, one day; scopes nil is access:servers. Scope: shares.
func (c *Client) CreateShareCode(ctx context.Context, owner, server string, expires time.Duration, scopes ...string) (*ShareCode, error) {
	body := map[string]any{}
	if expires > 0 {
		body["expires_in"] = int64(expires / time.Second)
	}
	if len(scopes) > 0 {
		body["scopes"] = scopes
	}
	code := &ShareCode{}
	_, err := c.do(ctx, request{method: http.MethodPost, path: shared("share-codes", owner, server), body: body}, code)
	return code, err
}

// DeleteShareCodes deletes all codes of a server; shares that were made with them stay. Scope: shares.
func (c *Client) DeleteShareCodes(ctx context.Context, owner, server string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: shared("share-codes", owner, server)}, nil)
	return err
}
