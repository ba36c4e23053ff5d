package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// userURL answers /hub/user/NAME/...: what people asked a server for that the proxy has no route to.
func (s *Site) userURL(w http.ResponseWriter, r *http.Request) error {
	name, path := httpmw.Param(r, "user"), rest(r)
	user, err := s.visited(r, name, path)
	if err != nil {
		return err
	}
	v, err := s.serverAt(r, user, path)
	if err != nil {
		return err
	}
	if v.Ready {
		return s.toServer(w, r)
	}
	if wantsJSON(r.Header.Get("Accept")) || slices.Contains(strings.Split(path, "/"), "api") {
		return s.stoppedJSON(w, r, user.Name, v.Name)
	}
	here := r.URL.RequestURI()
	if v.Pending != "" || v.Failed != nil {
		return redirect(w, http.StatusSeeOther, withArg(s.serverPage("spawn-pending", user.Name, v.Name), "next", here))
	}
	return s.showNotRunning(w, r, s.stoppedStatus(), user, v, map[string]any{
		"spawn_url": withArg(s.spawnURL(user.Name, v.Name), "next", here), "implicit_spawn_seconds": s.o.Traits.Servers.ImplicitSpawn})
}

// rest is the escaped path behind {user}, "/" when there is none.
func rest(r *http.Request) string {
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/hub/user/")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[i:]
	}
	return "/"
}

// visited checks access to the default server or to the one that the path may name, and finds the owner.
func (s *Site) visited(r *http.Request, name, path string) (*orm.User, error) {
	access := s.o.Hub.Access
	servers := []string{""}
	if segment, _, more := strings.Cut(path[1:], "/"); more {
		if decoded, err := urlpath.Unescape(segment); err == nil && decoded != "" {
			servers = append(servers, decoded)
		}
	}
	allowed := false
	for _, server := range servers {
		ok, err := access.Holds(r.Context(), identity(r), access.OnServer(r.Context(), name, server), "access:servers")
		if err != nil {
			return nil, err
		}
		allowed = allowed || ok
	}
	if !allowed {
		return nil, &hub.Error{Kind: hub.NotFound, Message: "No access to resources or resources not found",
			Hint: "access:servers!server=" + clip(name) + "/ is needed; the owner can share the server with you"}
	}
	if user := pageUser(r); user != nil && user.Name == name {
		return user, nil
	}
	return s.o.Hub.Users.Find(r.Context(), name)
}

// serverAt returns the named server that the path begins with, else the default server.
func (s *Site) serverAt(r *http.Request, user *orm.User, path string) (*hub.ServerView, error) {
	segment, _, _ := strings.Cut(path[1:], "/")
	if name, err := urlpath.Unescape(segment); err == nil && name != "" && s.o.Traits.Servers.AllowNamed {
		v, err := s.o.Hub.Servers.View(r.Context(), user, name)
		if hub.KindOf(err) != hub.NotFound {
			return v, err
		}
	}
	return s.o.Hub.Servers.View(r.Context(), user, "")
}

// maxBackoff bounds the pause between redirects to a server whose route does not work yet.
const maxBackoff = 10 * time.Second

// toServer sends people to a server that is ready: they were here because the proxy's route was not there yet. The argument
// redirects counts how often that happened.
func (s *Site) toServer(w http.ResponseWriter, r *http.Request) error {
	target := s.o.URLs.BaseURL + strings.TrimPrefix(r.URL.EscapedPath(), s.hub)
	n, err := strconv.Atoi(r.URL.Query().Get("redirects"))
	if err != nil || n < 0 {
		n = 0
	}
	if n >= s.o.Traits.Redirects.UserRedirectLimit {
		return &hub.Error{Kind: hub.Failed, Message: "Redirect loop detected.",
			Hint: "the server is running, but the proxy sends its address to the hub: check the proxy's routes, and that the hub is not visited at its private address"}
	}
	if n > 0 {
		s.log.WarnContext(r.Context(), "redirect loop", "route", r.URL.Path, "redirects", n)
		t := time.NewTimer(min(time.Duration(1<<n)*time.Second, maxBackoff))
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	target = appendQuery(target, r.URL.RawQuery, "redirects")
	return redirect(w, http.StatusFound, withArg(target, "redirects", strconv.Itoa(n+1)))
}

// wantsJSON tells whether an Accept header prefers JSON to HTML.
func wantsJSON(accept string) bool {
	type choice struct {
		media string
		q     float64
	}
	var all []choice
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		c := choice{strings.ToLower(strings.TrimSpace(media)), 1}
		for p := range strings.SplitSeq(params, ";") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
				if q, err := strconv.ParseFloat(v, 64); err == nil {
					c.q = q
				}
			}
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b choice) int { return cmp.Compare(b.q, a.q) })
	for _, c := range all {
		switch c.media {
		case "application/json":
			return true
		case "text/html":
			return false
		}
	}
	return false
}

func (s *Site) stoppedStatus() int {
	if s.o.Traits.Servers.LegacyStoppedStatus {
		return http.StatusServiceUnavailable
	}
	return http.StatusFailedDependency
}

// stoppedJSON answers a program that still talks to a server which does not run.
func (s *Site) stoppedJSON(w http.ResponseWriter, r *http.Request, user, server string) error {
	spawn := s.origin(r) + s.spawnURL(user, server)
	path := "/" + strings.TrimPrefix(r.URL.EscapedPath(), s.hub)
	return httpmw.WriteJSON(w, s.stoppedStatus(), map[string]string{
		"message": "JupyterHub server no longer running at " + path + ". Restart the server at " + spawn})
}

// userURLOther answers other methods than GET: they come from programs.
func (s *Site) userURLOther(w http.ResponseWriter, r *http.Request) error {
	name, server := httpmw.Param(r, "user"), ""
	if user := pageUser(r); user != nil && user.Name == name {
		v, err := s.serverAt(r, user, rest(r))
		if err != nil {
			return err
		}
		server = v.Name
	}
	return s.stoppedJSON(w, r, name, server)
}

// userRedirect is /hub/user-redirect/PATH: the same path on the person's own server, for links that everybody may use.
func (s *Site) userRedirect(w http.ResponseWriter, r *http.Request) error {
	user := pageUser(r)
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/hub/user-redirect")
	path = strings.TrimPrefix(path, "/")
	if hook := s.o.Traits.Redirects.UserRedirect; hook != nil {
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return &hub.Error{Kind: hub.Invalid, Message: "The path is not correctly percent-encoded"}
		}
		target, err := hook(r, decoded, user)
		if err != nil {
			return err
		}
		if target != "" {
			return redirect(w, http.StatusFound, target)
		}
	}
	server := s.o.Traits.Redirects.DefaultServerName
	next := addQuery(s.o.URLs.ServerURL(user.Name, server)+path, r.URL.RawQuery)
	return redirect(w, http.StatusFound, withArg(s.spawnURL(user.Name, server), "next", next))
}
