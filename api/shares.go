package api

import (
	"context"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// sharedServer is the part of a server that people it is shared with may see.
func (a *API) sharedServer(s *hub.ServerView) object {
	return object{"user": object{"name": s.UserName}, "name": s.Name, "url": s.URL(), "full_url": a.fullURL(s), "ready": s.Ready}
}

func (a *API) shareModel(s *hub.ShareView) object {
	m := object{"server": a.sharedServer(&s.Server), "scopes": list(s.Scopes), "user": nil, "group": nil, "kind": "user", "created_at": timestamp(&s.CreatedAt)}
	if s.UserID != nil {
		m["user"] = object{"name": s.UserName}
	}
	if s.GroupID != nil {
		m["group"], m["kind"] = object{"name": s.GroupName}, "group"
	}
	return m
}

// sharePage answers with one page of shares; this list always has the paginated shape.
func (a *API) sharePage(w http.ResponseWriter, r *http.Request, of func(offset, limit int) ([]hub.ShareView, int, error)) error {
	p, err := a.paging(r)
	if err != nil {
		return err
	}
	shares, total, err := of(p.offset, p.limit)
	if err != nil {
		return err
	}
	items := make([]object, len(shares))
	for i := range shares {
		items[i] = a.shareModel(&shares[i])
	}
	return httpmw.WriteJSON(w, http.StatusOK, p.wrap(r, a.scheme(r), items, total))
}

func (a *API) sharesOfOwner(w http.ResponseWriter, r *http.Request) error {
	return a.sharePage(w, r, func(offset, limit int) ([]hub.ShareView, int, error) {
		list, total, err := a.o.Hub.Shares.OfOwner(r.Context(), httpmw.Param(r, "user"), offset, limit)
		return list, total, bare(err)
	})
}

func (a *API) sharesOfServer(w http.ResponseWriter, r *http.Request) error {
	return a.sharePage(w, r, func(offset, limit int) ([]hub.ShareView, int, error) {
		return a.o.Hub.Shares.OfServer(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "server"), offset, limit)
	})
}

func (a *API) sharedWithUser(w http.ResponseWriter, r *http.Request) error {
	return a.sharePage(w, r, func(offset, limit int) ([]hub.ShareView, int, error) {
		return a.o.Hub.Shares.WithUser(r.Context(), httpmw.Param(r, "user"), offset, limit)
	})
}

func (a *API) sharedWithGroup(w http.ResponseWriter, r *http.Request) error {
	return a.sharePage(w, r, func(offset, limit int) ([]hub.ShareView, int, error) {
		return a.o.Hub.Shares.WithGroup(r.Context(), httpmw.Param(r, "group"), offset, limit)
	})
}

// oneShare answers with the share that find returns.
func (a *API) oneShare(w http.ResponseWriter, r *http.Request, who string, find func(ctx context.Context, who, owner, server string) (*hub.ShareView, error)) error {
	s, err := find(r.Context(), httpmw.Param(r, who), httpmw.Param(r, "owner"), httpmw.Param(r, "server"))
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, http.StatusOK, a.shareModel(s))
}

func (a *API) leaveShare(w http.ResponseWriter, r *http.Request, who string, leave func(ctx context.Context, who, owner, server string) error) error {
	if err := leave(r.Context(), httpmw.Param(r, who), httpmw.Param(r, "owner"), httpmw.Param(r, "server")); err != nil {
		return err
	}
	return empty(w, http.StatusNoContent)
}

func (a *API) getUserShare(w http.ResponseWriter, r *http.Request) error {
	return a.oneShare(w, r, "user", a.o.Hub.Shares.GetWithUser)
}

func (a *API) leaveUserShare(w http.ResponseWriter, r *http.Request) error {
	return a.leaveShare(w, r, "user", a.o.Hub.Shares.LeaveUser)
}

func (a *API) getGroupShare(w http.ResponseWriter, r *http.Request) error {
	return a.oneShare(w, r, "group", a.o.Hub.Shares.GetWithGroup)
}

func (a *API) leaveGroupShare(w http.ResponseWriter, r *http.Request) error {
	return a.leaveShare(w, r, "group", a.o.Hub.Shares.LeaveGroup)
}

// needsServer answers methods that exist only with a server in the path: 405, after the scope check.
func (a *API) needsServer(scope string) httpmw.Handler {
	return func(_ http.ResponseWriter, r *http.Request) error {
		access := a.o.Hub.Access
		if err := access.Check(r.Context(), httpmw.Identity(r), access.OnServers(r.Context(), httpmw.Param(r, "user")), scope); err != nil {
			return err
		}
		return &hub.Error{Kind: hub.Invalid, Status: http.StatusMethodNotAllowed, Hint: "name the server in the path; the default server is an empty last segment"}
	}
}

// readShare reads whom to share with and what.
func readShare(r *http.Request) (to hub.Grantee, scopes []string, err error) {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return to, nil, err
	}
	if err := knownKeys(m, "user", "group", "scopes"); err != nil {
		return to, nil, err
	}
	var user, group *string
	if _, err := httpmw.Field(m, "user", &user); err != nil {
		return to, nil, err
	}
	if _, err := httpmw.Field(m, "group", &group); err != nil {
		return to, nil, err
	}
	if _, err := httpmw.Field(m, "scopes", &scopes); err != nil {
		return to, nil, err
	}
	switch {
	case user != nil && group != nil:
		return to, nil, invalid("Expected exactly one of `user` or `group`, not both.")
	case user != nil:
		to.User = *user
	case group != nil:
		to.Group = *group
	default:
		return to, nil, invalid("Specify exactly one of `user` or `group`")
	}
	return to, scopes, nil
}

func (a *API) grantShare(w http.ResponseWriter, r *http.Request) error {
	to, scopes, err := readShare(r)
	if err != nil {
		return err
	}
	s, err := a.o.Hub.Shares.Grant(r.Context(), httpmw.Identity(r), httpmw.Param(r, "user"), httpmw.Param(r, "server"), to, scopes)
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, http.StatusOK, a.shareModel(s))
}

func (a *API) revokeShare(w http.ResponseWriter, r *http.Request) error {
	to, scopes, err := readShare(r)
	if err != nil {
		return err
	}
	s, err := a.o.Hub.Shares.Revoke(r.Context(), httpmw.Identity(r), httpmw.Param(r, "user"), httpmw.Param(r, "server"), to, scopes)
	if err != nil {
		return err
	}
	if s == nil {
		return httpmw.WriteJSON(w, http.StatusOK, object{})
	}
	return httpmw.WriteJSON(w, http.StatusOK, a.shareModel(s))
}

func (a *API) revokeAllShares(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Hub.Shares.RevokeAll(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "server")); err != nil {
		return err
	}
	return empty(w, http.StatusNoContent)
}
