package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// maxShares bounds each list of the sharing page.
const maxShares = 200

// What a share can permit: to use the server, and to start and stop it as well.
var (
	shareToUse = []string{"access:servers"}
	shareToRun = []string{"access:servers", "delete:servers", "start:servers"}
)

// sharing is the page that tells who can reach a person's servers, and whose servers the person can reach.
func (s *Site) sharing(w http.ResponseWriter, r *http.Request) error {
	return s.showSharing(w, r, http.StatusOK, nil)
}

// sharingAction takes the forms of the page. The answer to a new link shows it, the only time that it can be seen.
func (s *Site) sharingAction(w http.ResponseWriter, r *http.Request) error {
	form, _, err := readForm(r)
	if err != nil {
		return err
	}
	link, err := s.share(r, form)
	if e := asHubError(err); e != nil && httpmw.Status(e) < 500 {
		return s.showSharing(w, r, httpmw.Status(e), map[string]any{
			"share_error": s.words(r).sayError(cmp.Or(e.Message, statusText(httpmw.Status(e)))), "hint": s.words(r).sayError(e.Hint)})
	}
	if err != nil {
		return err
	}
	if link != "" {
		return s.showSharing(w, r, http.StatusOK, map[string]any{"new_link": link})
	}
	return redirect(w, http.StatusSeeOther, s.hub+"shares")
}

// share does what a form asks for; a new link is returned.
func (s *Site) share(r *http.Request, form url.Values) (link string, err error) {
	user, server, access := pageUser(r), form.Get("server"), s.o.Hub.Access
	if form.Get("action") == "leave" {
		if err := access.Check(r.Context(), identity(r), access.OnUser(r.Context(), user.Name), "users:shares"); err != nil {
			return "", err
		}
		return "", s.o.Hub.Shares.LeaveUser(r.Context(), user.Name, form.Get("owner"), server)
	}
	if err := s.may(r, user.Name, server, "shares"); err != nil {
		return "", err
	}
	switch to := (hub.Grantee{User: form.Get("user"), Group: form.Get("group")}); form.Get("action") {
	case "share":
		return s.newShare(r, user, server, form)
	case "revoke":
		_, err = s.o.Hub.Shares.Revoke(r.Context(), identity(r), user.Name, server, to, nil)
		return "", err
	case "revoke-link":
		if form.Get("id") == "" {
			return "", &hub.Error{Kind: hub.Invalid, Message: "The form does not say which link"}
		}
		return "", s.o.Hub.Shares.DeleteCodes(r.Context(), user.Name, server, "", form.Get("id"))
	}
	return "", &hub.Error{Kind: hub.Invalid, Message: "Unknown action " + clip(form.Get("action")), Hint: "use share, revoke, revoke-link or leave"}
}

func (s *Site) newShare(r *http.Request, user *orm.User, server string, form url.Values) (link string, err error) {
	scopes := shareToUse
	if form.Get("run") != "" {
		scopes = shareToRun
	}
	name := form.Get("name")
	switch form.Get("with") {
	case "user":
		_, err = s.o.Hub.Shares.Grant(r.Context(), identity(r), user.Name, server, hub.Grantee{User: name}, scopes)
		return "", err
	case "group":
		_, err = s.o.Hub.Shares.Grant(r.Context(), identity(r), user.Name, server, hub.Grantee{Group: name}, scopes)
		return "", err
	}
	var life time.Duration
	if text := form.Get("expires_in"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return "", &hub.Error{Kind: hub.Invalid, Message: "The expiry must be a number of seconds"}
		}
		life = time.Duration(seconds) * time.Second
	}
	_, code, err := s.o.Hub.Shares.CreateCode(r.Context(), identity(r), user.Name, server, scopes, life)
	if err != nil {
		return "", err
	}
	return withArg(s.origin(r)+s.hub+"accept-share", "code", code), nil
}

// origin is the scheme and host at which browsers reach the hub.
func (s *Site) origin(r *http.Request) string {
	if public, err := url.Parse(s.o.URLs.PublicURL); err == nil && public.Host != "" {
		return public.Scheme + "://" + public.Host
	}
	return s.scheme(r) + "://" + r.Host
}

func (s *Site) showSharing(w http.ResponseWriter, r *http.Request, status int, own map[string]any) error {
	user := pageUser(r)
	if s.o.Hub.Shares == nil {
		return &hub.Error{Kind: hub.NotFound}
	}
	shares, more, err := s.o.Hub.Shares.OfOwner(r.Context(), user.Name, 0, maxShares)
	if err != nil {
		return err
	}
	codes, moreCodes, err := s.o.Hub.Shares.CodesOfOwner(r.Context(), user.Name, 0, maxShares)
	if err != nil {
		return err
	}
	mine, moreMine, err := s.o.Hub.Shares.WithUser(r.Context(), user.Name, 0, maxShares)
	if err != nil {
		return err
	}
	vars := map[string]any{"grants": list{}, "links": list{}, "shared_with_me": list{}, "new_link": nil, "share_error": nil, "hint": "",
		"chosen_server": r.URL.Query().Get("server"), "user": s.userVar(r.Context(), user), "shares_left_out": more+moreCodes+moreMine > len(shares)+len(codes)+len(mine)}
	vars["grants"], vars["shared_with_me"] = s.shareObjects(r, shares, user.Name), s.shareObjects(r, notOwn(mine, user.Name), user.Name)
	vars["links"] = s.codeObjects(r, codes, user.Name)
	for k, v := range own {
		vars[k] = v
	}
	return s.render(w, r, view{template: "shares.html", status: status, vars: vars})
}

// notOwn leaves out what a person shares with a group that the person is in.
func notOwn(shares []hub.ShareView, user string) []hub.ShareView {
	return slices.DeleteFunc(shares, func(v hub.ShareView) bool { return v.Server.UserName == user })
}

func (s *Site) shareObjects(r *http.Request, shares []hub.ShareView, reader string) list {
	var out list
	for i := range shares {
		v := &shares[i]
		o := s.sharedServer(r, &v.Server, v.Scopes, reader)
		o["user"], o["group"], o["created"] = v.UserName, v.GroupName, moment(&v.CreatedAt)
		out = append(out, o)
	}
	return out
}

func (s *Site) codeObjects(r *http.Request, codes []hub.ShareCodeView, reader string) list {
	var out list
	for i := range codes {
		v := &codes[i]
		o := s.sharedServer(r, &v.Server, v.Scopes, reader)
		o["id"], o["uses"], o["used"] = "sc_"+strconv.FormatInt(v.ID, 10), v.ExchangeCount, moment(v.LastExchangedAt)
		o["created"], o["expires"] = moment(&v.CreatedAt), moment(v.ExpiresAt)
		out = append(out, o)
	}
	return out
}

func (s *Site) sharedServer(r *http.Request, v *hub.ServerView, scopes []string, reader string) object {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i], _, _ = cutScope(scope)
	}
	return object{"server": v.Name, "display_name": s.serverVar(v).displayName(), "owner": v.UserName, "ready": v.Ready,
		"url": s.o.URLs.ServerURL(v.UserName, v.Name), "scopes": s.describe(r, scopes, reader), "start_url": s.spawnURL(v.UserName, v.Name),
		"can_run": slices.Contains(names, "start:servers") || slices.Contains(names, "servers")}
}
