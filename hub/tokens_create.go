package hub

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// farthest is the latest expiry that every reader of the database can represent.
var farthest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Create issues a token for a user and returns it in clear, the only time it can be seen. by needs the scope "tokens" for that user;
// nil means that the owner authenticated in the request body. Forbidden also when there is no such user, so as not to tell; Invalid
// for an expiry, a scope or a role that cannot be, and for scopes that the owner does not hold.
func (t *Tokens) Create(ctx context.Context, by *Identity, userName string, n NewToken) (view *TokenView, token string, err error) {
	owner, err := t.owner(ctx, by, userName)
	if err != nil {
		return nil, "", err
	}
	own := by == nil || by.User != nil && by.User.ID == owner.User.ID
	if n.Note == "" {
		n.Note = "Requested via api"
		if !own {
			n.Note += " by " + by.Kind() + " " + by.Name()
		}
	}
	if utf8.RuneCountInString(n.Note) > maxNote {
		return nil, "", errorf(Invalid, "token note must not be longer than %d characters", maxNote)
	}
	if !storable(n.Note) {
		return nil, "", errorf(Invalid, "token note must be text without NUL characters")
	}
	expires, err := t.expiry(n.ExpiresIn)
	if err != nil {
		return nil, "", err
	}
	scopes, err := t.requested(ctx, owner, n)
	if err != nil {
		return nil, "", err
	}
	token, row, err := t.Issue(ctx, orm.APIToken{UserID: &owner.User.ID, Note: &n.Note, ExpiresAt: expires}, scopes)
	if err != nil {
		return nil, "", err
	}
	t.log.InfoContext(ctx, "token issued", "user", owner.User.Name, "token_id", row.ID, "by", nameOf(by))
	views, err := t.views(ctx, owner.User, []orm.APIToken{*row})
	if err != nil {
		return nil, "", err
	}
	return &views[0], token, nil
}

// owner loads the user the token is for and checks that by may make tokens for them.
func (t *Tokens) owner(ctx context.Context, by *Identity, userName string) (*Identity, error) {
	kind := "User"
	if by != nil && by.Service != nil {
		kind = "Service"
	}
	refused := errorf(Forbidden, "%s %s not found or no permissions to generate tokens", kind, userName)
	user, err := userByName(ctx, t.store, userName)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, storeErr(err, "look up user")
	}
	owner, err := t.access.OfUser(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if by == nil {
		by = owner // whatever a user may do, a login by body may: a user without the scope gets no token
	}
	target := t.access.OnUser(ctx, userName)
	ok, err := t.access.Holds(ctx, by, target, "tokens")
	if err != nil {
		return nil, err
	}
	if !ok {
		target.GroupsOf = nil
		refused.Hint = t.catalog.Refusal(by.Scopes, target, []string{"tokens"}).Hint(by.Owner())
		return nil, refused
	}
	return owner, nil
}

// expiry checks the wanted lifetime. Treating 0 like "not given" was GHSA-pvm9-48cg-w76j: it gave tokens without end.
func (t *Tokens) expiry(in *time.Duration) (*time.Time, error) {
	if in == nil {
		if t.max <= 0 {
			return nil, nil
		}
		in = &t.max
	}
	if *in < time.Second {
		return nil, errorf(Invalid, "token expires_in must be a positive integer or null, not %v", in.Seconds())
	}
	if t.max > 0 && *in > t.max {
		return nil, errorf(Invalid, "token expires_in: %d must not exceed %d", int64(in.Seconds()), int64(t.max.Seconds())).
			withHint("the maximum is JupyterHub.token_expires_in_max_seconds")
	}
	at := time.Now().UTC().Add(in.Truncate(time.Second))
	if at.After(farthest) {
		at = farthest
	}
	return &at, nil
}

// requested returns the raw scopes of a new token and refuses those that its owner does not hold.
func (t *Tokens) requested(ctx context.Context, owner *Identity, n NewToken) ([]string, error) {
	scopes := n.Scopes
	switch {
	case n.Scopes != nil && n.Roles != nil:
		return nil, errorf(Invalid, "Can only assign one of scopes or roles when creating tokens.")
	case n.Roles != nil:
		var err error
		if scopes, err = roleScopes(ctx, t.store, n.Roles); err != nil {
			return nil, err
		}
	case n.Scopes == nil:
		var err error
		if scopes, err = t.DefaultScopes(ctx); err != nil {
			return nil, err
		}
	}
	if err := t.CheckScopes(ctx, owner, scopes); err != nil {
		return nil, err
	}
	return scopes, nil
}

// DefaultScopes returns the raw scopes of a token that asks for none: those of the role "token", which is "inherit" unless changed.
func (t *Tokens) DefaultScopes(ctx context.Context) ([]string, error) {
	role, err := t.store.RoleByName(ctx, rbac.RoleToken)
	if errors.Is(err, orm.ErrNotFound) {
		return []string{"inherit"}, nil
	}
	if err != nil {
		return nil, storeErr(err, "find role token")
	}
	return role.Scopes, nil
}

// CheckScopes refuses raw scopes that do not exist or that the owner of a token to be does not hold, with Invalid.
func (t *Tokens) CheckScopes(ctx context.Context, owner *Identity, scopes []string) error {
	if err := t.catalog.Check(scopes); err != nil {
		return errorf(Invalid, "%s", err).because(err)
	}
	asked := make([]string, 0, len(scopes))
	for _, scope := range scopes {
		if scope != "inherit" {
			asked = append(asked, scope)
		}
	}
	expanded, _ := t.catalog.Expand(asked, owner.Owner())
	parsed, err := rbac.Parse(expanded)
	if err != nil {
		return errorf(Invalid, "%s", err).because(err)
	}
	var failed error
	excess := owner.Scopes.Contains(parsed, t.access.groupsOf(ctx, &failed))
	if failed != nil {
		return storeErr(failed, "check token scopes")
	}
	if len(excess) == 0 {
		return nil
	}
	kind := "User"
	if owner.Service != nil {
		kind = "Service"
	}
	return errorf(Invalid, "Not assigning requested scopes %s not held by %s %s", strings.Join(excess, ","), kind, owner.Name()).
		withHint("a token cannot do more than its owner: ask for less, or give the owner a role in load_roles with these scopes")
}

// Issue stores a new token made from a template (owner, note, client, session, expiry) with raw scopes, and returns it in clear with
// its row. The template's client is the hub itself when not given. Scopes are not checked here: whatever they say, at each use they
// count only as far as the owner holds them.
func (t *Tokens) Issue(ctx context.Context, template orm.APIToken, scopes []string) (token string, row *orm.APIToken, err error) {
	token = orm.NewToken()
	row, err = t.insertToken(ctx, template, token, orm.GeneratedRounds, scopes)
	return token, row, err
}

// Register stores a token that somebody chose (configuration, a resumed server). trusted tokens have enough entropy to do without the
// slow hash. Invalid when it is too short or too long; Conflict when it exists.
func (t *Tokens) Register(ctx context.Context, template orm.APIToken, token string, trusted bool, scopes []string) (*orm.APIToken, error) {
	if err := checkTokenLength(token); err != nil {
		return nil, err
	}
	existing, err := t.Lookup(ctx, token)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return nil, errorf(Conflict, "this token is in use already")
	}
	rounds := orm.SuppliedRounds
	if trusted {
		rounds = orm.GeneratedRounds
	}
	return t.insertToken(ctx, template, token, rounds, scopes)
}

func checkTokenLength(token string) *Error {
	if n := utf8.RuneCountInString(token); n < orm.MinTokenLength || n > orm.MaxTokenLength {
		return errorf(Invalid, "tokens must have %d to %d characters, this one has %d", orm.MinTokenLength, orm.MaxTokenLength, n)
	}
	return nil
}

// Lookup returns the row of a token that has not expired, whoever owns it; nil, nil when there is none.
func (t *Tokens) Lookup(ctx context.Context, token string) (*orm.APIToken, error) {
	rows, err := t.store.TokensByPrefix(ctx, orm.TokenPrefix(token), time.Now())
	if err != nil {
		return nil, storeErr(err, "look up token")
	}
	for i := range rows {
		if orm.VerifyToken(rows[i].Hashed, token) {
			return &rows[i], nil
		}
	}
	return nil, nil
}

func (t *Tokens) insertToken(ctx context.Context, row orm.APIToken, token string, rounds int, scopes []string) (*orm.APIToken, error) {
	if row.ClientID == nil {
		client := hubClient
		row.ClientID = &client
	}
	if row.Note == nil {
		note := ""
		row.Note = &note
	}
	row.ID, row.Hashed, row.Prefix = 0, orm.HashToken(token, rounds), orm.TokenPrefix(token)
	row.Scopes = append(orm.JSONList{}, scopes...)
	if err := t.store.CreateToken(ctx, &row); err != nil {
		return nil, storeErr(err, "store token")
	}
	return &row, nil
}
