package api

import (
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/rbac"
)

// tokenOwner answers the deprecated GET /authorizations/token/{token}: whose token it is.
func (a *API) tokenOwner(w http.ResponseWriter, r *http.Request) error {
	if httpmw.Identity(r).Token == nil {
		return &hub.Error{Kind: hub.Forbidden, Message: "This endpoint needs an API token"}
	}
	a.o.Logger.WarnContext(r.Context(), "GET /authorizations/token is deprecated; use GET /user with the token")
	owner, err := a.o.Hub.Access.ByToken(r.Context(), httpmw.Param(r, "token"))
	if err != nil {
		return err
	}
	if owner == nil {
		return &hub.Error{Kind: hub.NotFound}
	}
	own, err := rbac.Parse(rbac.IdentifyScopes(owner.Owner()))
	if err != nil {
		return err
	}
	return a.writeOwner(w, r, owner, httpmw.Identity(r).Scopes.Union(own)) // who has the token may know whose it is
}

// cookieOwner answers the deprecated GET /authorizations/cookie/{name}/{value}: who is logged in with the cookie.
func (a *API) cookieOwner(w http.ResponseWriter, r *http.Request) error {
	if httpmw.Identity(r).Token == nil {
		return &hub.Error{Kind: hub.Forbidden, Message: "This endpoint needs an API token"}
	}
	a.o.Logger.WarnContext(r.Context(), "GET /authorizations/cookie is deprecated; use OAuth")
	name, value := httpmw.Param(r, "name"), httpmw.Param(r, "value")
	h := http.Header{}
	if value == "" {
		var err error
		if value, err = bodyCookie(w, r); err != nil {
			return err
		}
	}
	h.Set("Cookie", name+"=\""+value+"\"")
	owner, err := a.o.Requests.SessionOwner(r.Context(), name, h)
	if err != nil {
		return err
	}
	if owner == nil {
		return &hub.Error{Kind: hub.NotFound}
	}
	return a.writeOwner(w, r, owner, httpmw.Identity(r).Scopes)
}

// writeOwner shows the owner as far as scopes allow.
func (a *API) writeOwner(w http.ResponseWriter, r *http.Request, owner *hub.Identity, scopes rbac.Scopes) error {
	if owner.Service == nil {
		body, err := a.userSelf(r, scopes, owner.User)
		if err != nil {
			return err
		}
		return httpmw.WriteEncoded(w, http.StatusOK, body)
	}
	m, err := a.serviceSelf(r.Context(), scopes, owner.Service)
	if err != nil {
		return err
	}
	if m == nil {
		m = object{}
	}
	return httpmw.WriteJSON(w, http.StatusOK, m)
}

// gone answers POST /authorizations/token, which JupyterHub removed in 2.0.
func (a *API) gone(http.ResponseWriter, *http.Request) error {
	return &hub.Error{Kind: hub.NotFound, Message: "POST /authorizations/token no longer exists", Hint: "removed in JupyterHub 2.0; use POST /users/{user}/tokens"}
}
