package hubauth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/minihub/minihub/hubapi"
)

// sessionCookie is the hub's cookie that names a browser's login; the hub sets it for all of its host.
const sessionCookie = "jupyterhub-session-id"

// ErrNoIdentity is that a request carries no credentials, or none that the hub knows.
var ErrNoIdentity = errors.New("no valid token and no valid login")

// visitor is the authenticated sender of a request.
type visitor struct {
	identity *hubapi.Identity
	token    string
	session  string
	byCookie bool
}

type contextKey struct{}

func visitorOf(r *http.Request) *visitor {
	v, _ := r.Context().Value(contextKey{}).(*visitor)
	return v
}

// Identity is who sent a request that came through Handler. nil: it did not.
func Identity(r *http.Request) *hubapi.Identity {
	if v := visitorOf(r); v != nil {
		return v.identity
	}
	return nil
}

// Token is the token of the sender of a request that came through Handler, for calls to the hub in the sender's name: "" else.
func Token(r *http.Request) string {
	if v := visitorOf(r); v != nil {
		return v.token
	}
	return ""
}

// Identify finds out who sent a request, without any redirect. ErrNoIdentity: nobody that the hub knows. Other errors: the hub
// cannot be asked, which says nothing about the sender.
func (a *Auth) Identify(r *http.Request) (*hubapi.Identity, error) {
	v, err := a.visitor(r)
	if err != nil {
		return nil, err
	}
	return v.identity, nil
}

func (a *Auth) visitor(r *http.Request) (*visitor, error) {
	session := ""
	if c, err := r.Cookie(sessionCookie); err == nil {
		session = c.Value
	}
	v := &visitor{token: headerToken(r)}
	if v.token == "" {
		v.byCookie, v.session = true, session
		if v.token = a.cookieToken(r); v.token == "" {
			return nil, ErrNoIdentity
		}
	}
	var err error
	v.identity, err = a.CheckToken(r.Context(), v.token, v.session)
	return v, err
}

// CheckToken asks the hub who a token belongs to, or remembers. session is the browser's session id, "" for programs.
// ErrNoIdentity: the hub does not know the token.
func (a *Auth) CheckToken(ctx context.Context, token, session string) (*hubapi.Identity, error) {
	k := keyOf(token, session)
	if i := a.cache.get(k); i != nil {
		return i, nil
	}
	i, err := a.hub.As(token).Whoami(ctx)
	if errors.Is(err, hubapi.ErrUnauthorized) || errors.Is(err, hubapi.ErrForbidden) {
		return nil, ErrNoIdentity
	}
	if err != nil {
		return nil, err
	}
	a.cache.put(k, i)
	return i, nil
}

// headerToken reads "Authorization: token X" or "Authorization: bearer X" (RFC 6750 section 2.1).
func headerToken(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && (strings.EqualFold(scheme, "token") || strings.EqualFold(scheme, "bearer")) {
		return strings.TrimSpace(token)
	}
	return ""
}
