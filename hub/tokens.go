package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// NewToken asks for a token.
type NewToken struct {
	Note      string
	ExpiresIn *time.Duration // nil: the default (maximum when configured, else never)
	Scopes    []string
	Roles     []string
}

// TokenView is a token with what its model needs.
type TokenView struct {
	orm.APIToken
	OwnerKind, OwnerName string   // "user" or "service"
	Effective            []string // effective scopes
	ClientDescription    string   // "JupyterHub" for the hub's own, else the client's description or identifier
}

// TokensOptions configure Tokens.
type TokensOptions struct {
	Store     *orm.Store
	Access    *Access
	Catalog   *rbac.Catalog
	MaxExpiry time.Duration // token_expires_in_max_seconds; 0 = no maximum
	Logger    *slog.Logger
}

// Tokens lists, issues and revokes API tokens. Safe for concurrent use.
type Tokens struct {
	o TokensOptions
}

// NewTokens returns Tokens.
func NewTokens(o TokensOptions) *Tokens { return &Tokens{o: o} }

// List returns a user's tokens, the OAuth ones included, oldest activity first; expired ones are deleted.
func (t *Tokens) List(ctx context.Context, userName string) ([]TokenView, error) { return nil, nil }

// Get returns one token of a user by its id ("a12").
func (t *Tokens) Get(ctx context.Context, userName, id string) (*TokenView, error) { return nil, nil }

// Create issues a token; by nil means that the owner authenticated in the request body.
func (t *Tokens) Create(ctx context.Context, by *Identity, userName string, n NewToken) (view *TokenView, token string, err error) {
	return nil, "", nil
}

// Revoke deletes a token; an OAuth token takes all tokens of that client for the user with it.
func (t *Tokens) Revoke(ctx context.Context, userName, id string) error { return nil }

// Issue stores a new token made from a template (owner, note, client, session, expiry) with raw scopes and returns it and its row.
func (t *Tokens) Issue(ctx context.Context, template orm.APIToken, scopes []string) (token string, row *orm.APIToken, err error) {
	return "", nil, nil
}

// PurgeExpired deletes expired tokens, codes, shares and share codes.
func (t *Tokens) PurgeExpired(ctx context.Context) error { return nil }
