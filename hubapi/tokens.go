package hubapi

import (
	"context"
	"net/http"
	"time"
)

// NewToken describes a token to be made.
type NewToken struct {
	Note    string
	Scopes  []string      // nil: what the owner may do (the role "token")
	Expires time.Duration // 0: never, unless the hub has a maximum; fractions of a second are dropped
}

// CreateToken makes a token for a user. Its Secret is told here and never again. Scope: tokens.
func (c *Client) CreateToken(ctx context.Context, user string, n NewToken) (*Token, error) {
	body := map[string]any{}
	if n.Note != "" {
		body["note"] = n.Note
	}
	if n.Scopes != nil {
		body["scopes"] = n.Scopes
	}
	if n.Expires > 0 {
		body["expires_in"] = int64(n.Expires / time.Second)
	}
	t := &Token{}
	_, err := c.do(ctx, request{method: http.MethodPost, path: at("users", user, "tokens"), body: body}, t)
	return t, err
}

// Tokens are the tokens of a user, with those that OAuth clients hold. Scope: read:tokens.
func (c *Client) Tokens(ctx context.Context, user string) ([]Token, error) {
	var answer struct {
		Tokens []Token `json:"api_tokens"`
	}
	_, err := c.do(ctx, request{method: http.MethodGet, path: at("users", user, "tokens")}, &answer)
	return answer.Tokens, err
}

// RevokeToken deletes a token by its ID. Scope: tokens.
func (c *Client) RevokeToken(ctx context.Context, user, id string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: at("users", user, "tokens", id)}, nil)
	return err
}
