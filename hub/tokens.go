package hub

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// NewToken asks for a token.
type NewToken struct {
	Note      string
	ExpiresIn *time.Duration // nil: the default (maximum when configured, else never); less than a second is Invalid
	Scopes    []string       // nil and no Roles: the scopes of the role "token"; empty: none
	Roles     []string       // evaluated to their scopes now; not together with Scopes
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
	store   *orm.Store
	access  *Access
	catalog *rbac.Catalog
	max     time.Duration
	log     *slog.Logger
}

// NewTokens returns Tokens.
func NewTokens(o TokensOptions) *Tokens {
	return &Tokens{store: o.Store, access: o.Access, catalog: o.Catalog, max: o.MaxExpiry, log: logger(o.Logger)}
}

// maxNote is the size of the column, in characters.
const maxNote = 1023

// List returns a user's tokens, the OAuth ones included, oldest activity first; expired ones are deleted.
func (t *Tokens) List(ctx context.Context, userName string) ([]TokenView, error) {
	user, rows, err := t.ofUser(ctx, userName)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var gone []int64
	rows = slices.DeleteFunc(rows, func(row orm.APIToken) bool {
		if expired(row.ExpiresAt, now) {
			gone = append(gone, row.ID)
			return true
		}
		return false
	})
	if len(gone) > 0 {
		if err := t.store.DeleteTokens(ctx, gone); err != nil {
			return nil, storeErr(err, "delete expired tokens")
		}
	}
	slices.SortStableFunc(rows, func(a, b orm.APIToken) int { return lastUse(a).Compare(lastUse(b)) })
	return t.views(ctx, user, rows)
}

func (t *Tokens) ofUser(ctx context.Context, name string) (*orm.User, []orm.APIToken, error) {
	user, err := userByName(ctx, t.store, name)
	if err != nil {
		return nil, nil, notFound(err, "No such user: %s", name)
	}
	rows, err := t.store.TokensOfUser(ctx, user.ID)
	return user, rows, storeErr(err, "load tokens of user")
}

func lastUse(t orm.APIToken) time.Time {
	for _, at := range []*time.Time{t.LastActivity, t.Created} {
		if at != nil {
			return *at
		}
	}
	return time.Time{}
}

// Get returns one token of a user by its id ("a12").
func (t *Tokens) Get(ctx context.Context, userName, id string) (*TokenView, error) {
	user, row, err := t.find(ctx, userName, id)
	if err != nil {
		return nil, err
	}
	views, err := t.views(ctx, user, []orm.APIToken{*row})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

func (t *Tokens) find(ctx context.Context, userName, id string) (*orm.User, *orm.APIToken, error) {
	user, err := userByName(ctx, t.store, userName)
	if err != nil {
		return nil, nil, notFound(err, "No such user: %s", userName)
	}
	missing := errorf(NotFound, "No such token %s for user %s", cut(id, 32), user.Name)
	digits, ok := strings.CutPrefix(id, "a")
	number, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return nil, nil, missing
	}
	row, err := t.store.Token(ctx, number)
	switch {
	case errors.Is(err, orm.ErrNotFound):
		return nil, nil, missing
	case err != nil:
		return nil, nil, storeErr(err, "find token")
	case row.UserID == nil || *row.UserID != user.ID:
		return nil, nil, missing // ids are looked up per user: other people's tokens do not exist
	}
	return user, row, nil
}

// cut shortens input that is repeated in an answer.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "..."
}

// views completes tokens of one user, in a constant number of queries.
func (t *Tokens) views(ctx context.Context, user *orm.User, rows []orm.APIToken) ([]TokenView, error) {
	owner, err := t.access.OfUser(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range rows {
		if id := clientOf(row); id != hubClient {
			ids = append(ids, id)
		}
	}
	clients, err := t.store.OAuthClients(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load oauth clients")
	}
	targets, err := t.store.OwnersOfClients(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load owners of oauth clients")
	}
	var failed error
	groups := t.access.groupsOf(ctx, &failed)
	views := make([]TokenView, len(rows))
	for i, row := range rows {
		views[i] = TokenView{APIToken: row, OwnerKind: "user", OwnerName: user.Name, ClientDescription: "JupyterHub"}
		id := clientOf(row)
		if id != hubClient {
			views[i].ClientDescription = id
			if c := clients[id]; c != nil {
				views[i].ClientDescription = cmp.Or(c.Description, id)
			}
		}
		scopes, _ := t.catalog.TokenScopes(row.Scopes, inContext(owner.Owner(), targets[id]), owner.Scopes, groups)
		views[i].Effective = scopes.List()
	}
	return views, storeErr(failed, "resolve token scopes")
}

func clientOf(row orm.APIToken) string {
	if row.ClientID == nil {
		return hubClient
	}
	return *row.ClientID
}

// Revoke deletes a token; an OAuth token takes all tokens of that client for the user with it.
func (t *Tokens) Revoke(ctx context.Context, userName, id string) error {
	user, row, err := t.find(ctx, userName, id)
	if err != nil {
		return err
	}
	if client := clientOf(*row); client != hubClient {
		t.log.InfoContext(ctx, "revoking all tokens of an oauth client", "user", user.Name, "client", client)
		return storeErr(t.store.DeleteClientTokens(ctx, user.ID, client), "delete tokens of client")
	}
	t.log.InfoContext(ctx, "revoking token", "user", user.Name, "token_id", row.ID)
	return storeErr(t.store.DeleteTokens(ctx, []int64{row.ID}), "delete token")
}

// PurgeExpired deletes expired tokens, codes, shares and share codes; app calls it at start and every hour.
func (t *Tokens) PurgeExpired(ctx context.Context) error {
	tokens, codes, shares, shareCodes, err := t.store.PurgeExpired(ctx, time.Now())
	if err != nil {
		return storeErr(err, "purge expired rows")
	}
	if tokens+codes+shares+shareCodes > 0 {
		t.log.InfoContext(ctx, "expired rows deleted", "tokens", tokens, "codes", codes, "shares", shares, "share_codes", shareCodes)
	}
	return nil
}
