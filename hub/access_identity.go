package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// hubClient is the OAuth client that stands for the hub itself.
const hubClient = "jupyterhub"

// serverNote begins the note of the tokens of servers; their use is no activity of the user.
const serverNote = "Server at "

type noActivity struct{}

// WithoutActivity marks requests that are no sign of life of their user (JupyterHub: those to /hub/user/).
func WithoutActivity(ctx context.Context) context.Context {
	return context.WithValue(ctx, noActivity{}, true)
}

// ByToken returns the identity of an API token, or nil, nil when it is not a valid token. Answers are cached by a digest of the
// token as long as nobody, in this process or another, commits anything but the activity of others, so an answer is never stale; unknown
// tokens are not cached.
func (a *Access) ByToken(ctx context.Context, token string) (*Identity, error) {
	// Before any hashing: long tokens were a way to keep the hub busy.
	if token == "" || len(token) > utf8.UTFMax*orm.MaxTokenLength || !storable(token) {
		return nil, nil
	}
	generation, err := a.store.Generation(ctx)
	if err != nil {
		return nil, storeErr(err, "check token")
	}
	now := time.Now()
	key := tokenKey(token)
	e := a.cache.get(&key)
	if !e.current(a.store, generation) {
		touched := a.store.AnyTouched()
		if e.onlyTouched(generation) {
			e, err = a.freshen(ctx, e)
		} else {
			e, err = a.loadToken(ctx, token, now, e)
		}
		if err != nil {
			return nil, err
		}
		a.remember(&key, e, generation, touched)
	}
	if e == nil || expired(e.id.Token.ExpiresAt, now) {
		return nil, nil
	}
	return a.shown(&key, e, a.sawToken(ctx, e.id, now)), nil
}

// remember puts what was loaded into the cache, e nil for nothing. generation and touched are what the store said before; what cannot be
// dated is not kept.
func (a *Access) remember(key *cacheKey, e *cached, generation string, touched uint64) {
	if e == nil {
		a.cache.put(key, nil)
		return
	}
	e.generation, e.touched = generation, e.touches(a.store)
	if orm.Settled(generation) && a.store.AnyTouched() == touched {
		a.cache.put(key, e)
	}
}

func expired(at *time.Time, now time.Time) bool { return at != nil && at.Before(now) }

// sawToken records a use and returns the identity as the answer has to show it: not as one that was never active.
func (a *Access) sawToken(ctx context.Context, id *Identity, now time.Time) *Identity {
	if a.seen == nil || ctx.Value(noActivity{}) != nil {
		return id
	}
	byUser := id.User != nil && (id.Token.Note == nil || !strings.HasPrefix(*id.Token.Note, serverNote))
	switch {
	case byUser && (id.Token.LastActivity == nil || id.User.LastActivity == nil):
		a.seen.First(id.User.ID, id.Token.ID, now)
		return id.activeAt(&now, &now)
	case id.Token.LastActivity == nil:
		a.seen.First(0, id.Token.ID, now)
		return id.activeAt(nil, &now)
	}
	a.seen.SeenToken(id.Token.ID, now)
	if byUser {
		a.seen.SeenUser(id.User.ID, now)
	}
	return id
}

// loadToken finds the row of a token and what it may do; nil, nil when there is none. before is what the cache knew.
func (a *Access) loadToken(ctx context.Context, token string, now time.Time, before *cached) (*cached, error) {
	rows, err := a.store.TokensByPrefix(ctx, orm.TokenPrefix(token), now)
	if err != nil {
		return nil, storeErr(err, "check token")
	}
	for i := range rows {
		row := &rows[i]
		proven := before != nil && before.hashed == row.Hashed
		if !proven && !orm.VerifyToken(row.Hashed, token) {
			continue
		}
		if row.ClientID == nil {
			a.log.WarnContext(ctx, "deleting a stale token without client", "token_id", row.ID)
			return nil, storeErr(a.store.DeleteTokens(ctx, []int64{row.ID}), "delete stale token")
		}
		id, discarded, err := a.ofToken(ctx, row)
		if err != nil || id == nil {
			return nil, err
		}
		e := &cached{id: id, hashed: row.Hashed, discarded: strings.Join(discarded, ", ")}
		if e.discarded != "" && (before == nil || before.discarded != e.discarded) {
			a.log.WarnContext(ctx, "token has scopes that its owner does not hold", id.Kind(), id.Name(),
				"token_id", row.ID, "discarded", e.discarded)
		}
		return e, nil
	}
	return nil, nil
}

// ofToken makes the identity of a token row; nil, nil when its owner is gone.
func (a *Access) ofToken(ctx context.Context, row *orm.APIToken) (id *Identity, discarded []string, err error) {
	if id, err = a.ofOwner(ctx, row); err != nil || id == nil {
		return nil, nil, err
	}
	owner, err := a.clientContext(ctx, id.Owner(), *row.ClientID)
	if err != nil {
		return nil, nil, err
	}
	id.Token = row
	if row.SessionID != nil {
		id.SessionID = *row.SessionID
	}
	var failed error
	id.Scopes, discarded = a.catalog.TokenScopes(row.Scopes, owner, id.Scopes, a.groupsOf(ctx, &failed))
	if failed != nil {
		return nil, nil, storeErr(failed, "resolve token scopes")
	}
	id.Expanded = id.Scopes.List()
	id, err = id.complete()
	return id, discarded, err
}

func (a *Access) ofOwner(ctx context.Context, row *orm.APIToken) (*Identity, error) {
	var id *Identity
	var err error
	switch {
	case row.UserID != nil:
		id, err = a.ofUserID(ctx, *row.UserID)
	case row.ServiceID != nil:
		id, err = a.ofServiceID(ctx, *row.ServiceID)
	}
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	return id, err
}

// clientContext adds to owner what the OAuth client of a token belongs to.
func (a *Access) clientContext(ctx context.Context, owner rbac.Owner, clientID string) (rbac.Owner, error) {
	if clientID == hubClient {
		return owner, nil
	}
	owners, err := a.store.OwnersOfClients(ctx, []string{clientID})
	if err != nil {
		return owner, storeErr(err, "find owner of oauth client")
	}
	return inContext(owner, owners[clientID]), nil
}

// inContext adds to owner what a client belongs to.
func inContext(owner rbac.Owner, client orm.ClientOwner) rbac.Owner {
	if client.UserName != "" {
		owner.ClientServer = client.UserName + "/" + client.ServerName
	}
	owner.ClientService = client.ServiceName
	return owner
}

// BySession returns the identity of a browser session, or nil, nil when nobody has that cookie id. Cached like ByToken.
func (a *Access) BySession(ctx context.Context, cookieID, sessionID string) (*Identity, error) {
	if cookieID == "" {
		return nil, nil
	}
	generation, err := a.store.Generation(ctx)
	if err != nil {
		return nil, storeErr(err, "check login")
	}
	key := sessionKey(cookieID)
	e := a.cache.get(&key)
	if !e.current(a.store, generation) {
		touched := a.store.AnyTouched()
		if e.onlyTouched(generation) {
			e, err = a.freshen(ctx, e)
		} else {
			e, err = a.newSession(ctx, cookieID)
		}
		if err != nil {
			return nil, err
		}
		a.remember(&key, e, generation, touched)
	}
	if e == nil {
		return nil, nil
	}
	found, now := e.id, time.Now()
	switch {
	case a.seen == nil || ctx.Value(noActivity{}) != nil:
	case found.User.LastActivity == nil:
		a.seen.First(found.User.ID, 0, now)
		found = a.shown(&key, e, found.activeAt(&now, nil))
	default:
		a.seen.SeenUser(found.User.ID, now)
	}
	id := *found // the session id is the browser's claim and not part of what is cached
	id.SessionID = sessionID
	return &id, nil
}

func (a *Access) newSession(ctx context.Context, cookieID string) (*cached, error) {
	id, err := a.loadSession(ctx, cookieID)
	if err != nil || id == nil {
		return nil, err
	}
	return &cached{id: id}, nil
}

func (a *Access) loadSession(ctx context.Context, cookieID string) (*Identity, error) {
	user, err := a.store.UserByCookieID(ctx, cookieID)
	if err == nil {
		var id *Identity
		if id, err = a.ofUserID(ctx, user.ID); err == nil && id.User.CookieID == cookieID {
			return id.complete()
		}
	}
	if err == nil || errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	return nil, storeErr(err, "check login")
}

// OfUser returns the identity of a user without any credential: what they would be with a fresh login. For logins by request
// body and for decisions in a user's name.
func (a *Access) OfUser(ctx context.Context, userID int64) (*Identity, error) {
	id, err := a.ofUserID(ctx, userID)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, errorf(NotFound, "No such user").because(err)
	}
	if err != nil {
		return nil, err
	}
	return id.complete()
}

// Reload returns the identity as the database has it now, for a request during which it may have changed (a refreshed login). nil, nil
// when the credential or its owner is gone. No activity is recorded.
func (a *Access) Reload(ctx context.Context, id *Identity) (*Identity, error) {
	fresh, err := a.reload(ctx, id)
	if fresh == nil || err != nil {
		return nil, err
	}
	var user, token *time.Time // activity that may wait to be written
	if id.User != nil {
		user = id.User.LastActivity
	}
	if id.Token != nil {
		token = id.Token.LastActivity
	}
	return fresh.activeAt(user, token), nil
}

func (a *Access) reload(ctx context.Context, id *Identity) (*Identity, error) {
	switch {
	case id == nil:
		return nil, nil
	case id.Token != nil:
		row, err := a.store.Token(ctx, id.Token.ID)
		if err == nil && row.Hashed == id.Token.Hashed && row.ClientID != nil && !expired(row.ExpiresAt, time.Now()) {
			fresh, _, err := a.ofToken(ctx, row)
			return fresh, err
		}
		if err == nil || errors.Is(err, orm.ErrNotFound) {
			return nil, nil
		}
		return nil, storeErr(err, "reload token")
	}
	fresh, err := a.loadSession(ctx, id.User.CookieID)
	if fresh != nil {
		fresh.SessionID = id.SessionID
	}
	return fresh, err
}

// UserScopes returns a user's effective scopes, parsed and as sorted text.
func (a *Access) UserScopes(ctx context.Context, userID int64) (rbac.Scopes, []string, error) {
	id, err := a.OfUser(ctx, userID)
	if err != nil {
		return nil, nil, err
	}
	return id.Scopes, id.Expanded, nil
}

// ofUserID loads a user with everything that gives them scopes: own roles, roles of groups, shares to them and to their groups.
func (a *Access) ofUserID(ctx context.Context, userID int64) (*Identity, error) {
	auth, err := a.store.AuthorityOfUser(ctx, userID)
	if err != nil {
		return nil, storeErr(err, "load authority of user")
	}
	var raw []string
	for _, roles := range [][]orm.Role{auth.Roles, auth.GroupRoles} {
		for _, role := range roles {
			raw = append(raw, role.Scopes...)
		}
	}
	for _, shares := range [][]orm.ShareScope{auth.Shares, auth.GroupShares} {
		for _, share := range shares {
			raw = append(raw, share.Scopes...)
		}
	}
	id := &Identity{User: &auth.User, Groups: auth.Groups}
	for i := range auth.Roles {
		id.roles = append(id.roles, auth.Roles[i].Name)
	}
	slices.Sort(id.roles)
	return a.withScopes(ctx, id, raw)
}

func (a *Access) ofServiceID(ctx context.Context, serviceID int64) (*Identity, error) {
	service, err := a.store.Service(ctx, serviceID)
	if err != nil {
		return nil, storeErr(err, "load service")
	}
	roles, err := a.store.RolesOfService(ctx, serviceID)
	if err != nil {
		return nil, storeErr(err, "load roles of service")
	}
	var raw []string
	for _, role := range roles {
		raw = append(raw, role.Scopes...)
	}
	return a.withScopes(ctx, &Identity{Service: service}, raw)
}

func (a *Access) withScopes(ctx context.Context, id *Identity, raw []string) (*Identity, error) {
	expanded, dropped := a.catalog.Expand(raw, id.Owner())
	for _, d := range dropped {
		a.log.DebugContext(ctx, "scope of a role cannot be used", id.Kind(), id.Name(), "scope", d.Scope, "reason", d.Reason)
	}
	scopes, err := rbac.Parse(expanded)
	if err != nil {
		return nil, fmt.Errorf("parse scopes of %s %q: %w", id.Kind(), id.Name(), err)
	}
	id.Scopes, id.Expanded = scopes, expanded
	return id, nil
}
