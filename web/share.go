package web

import (
	"errors"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func asHubError(err error) *hub.Error {
	var e *hub.Error
	errors.As(err, &e)
	return e
}

// acceptShare shows what a share code would grant.
func (s *Site) acceptShare(w http.ResponseWriter, r *http.Request) error {
	code, user := arg(r, "code"), pageUser(r)
	if code == "" {
		return &hub.Error{Kind: hub.Invalid, Message: "Missing argument code", Hint: "use the complete link that you were given"}
	}
	share, err := s.o.Hub.Shares.LookupCode(r.Context(), code)
	if err != nil {
		return err
	}
	if share.OwnerID == user.ID {
		return &hub.Error{Kind: hub.Forbidden, Message: "You can't share with yourself!", Hint: "send the link to somebody else"}
	}
	owner, server := share.OwnerName, &share.Server
	address := s.o.URLs.ServerURL(owner, server.Name)
	return s.render(w, r, view{template: "accept-share.html", vars: map[string]any{
		"code": code, "owner": s.userVar(r.Context(), &orm.User{ID: share.OwnerID, Name: owner}), "spawner": s.serverVar(server),
		"spawner_ready": server.Ready, "spawner_url": address, "scope_descriptions": s.describe(r, share.Scopes, user.Name),
		"next_url": s.shareNext(r, address),
	}})
}

// shareNext is where the person goes after accepting: a target from outside is escaped by the template and safe by safeNext
// (GHSA-c4gm-pwx9-9w8j).
func (s *Site) shareNext(r *http.Request, address string) string {
	if next := s.safeNext(r, arg(r, "next")); next != "" {
		return next
	}
	return address
}

// acceptSharePost takes the confirmation.
func (s *Site) acceptSharePost(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := readForm(r); err != nil {
		return err
	}
	code := arg(r, "code")
	if code == "" {
		return &hub.Error{Kind: hub.Invalid, Message: "Missing argument code"}
	}
	share, err := s.o.Hub.Shares.Accept(r.Context(), identity(r), code)
	if err != nil {
		return err
	}
	return redirect(w, http.StatusFound, s.shareNext(r, s.o.URLs.ServerURL(share.Server.UserName, share.Server.Name)))
}

// describe tells in words what scopes permit.
func (s *Site) describe(r *http.Request, scopes []string, reader string) list {
	return s.words(r).scopes(s.o.Hub.Access.Catalog().Describe(scopes, reader))
}
