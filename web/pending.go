package web

import (
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// pending waits for a server. It never starts one: links to it are harmless.
func (s *Site) pending(w http.ResponseWriter, r *http.Request) error {
	user, server, err := s.target(r)
	if err != nil {
		return err
	}
	v, err := s.o.Hub.Servers.View(r.Context(), user, server)
	if hub.KindOf(err) == hub.NotFound {
		return &hub.Error{Kind: hub.NotFound, Message: user.Name + " has no such server " + clip(server)}
	}
	if err != nil {
		return err
	}
	switch {
	case v.Ready:
		return redirect(w, http.StatusFound, s.nextURL(r, user, s.o.URLs.ServerURL(user.Name, server)))
	case !v.Active && v.Failed != nil:
		return s.showFailed(w, r, user, server, v, v.Failed)
	case v.Pending != "":
		return s.showPending(w, r, user, v)
	}
	return s.showNotRunning(w, r, http.StatusOK, user, v, map[string]any{"spawn_url": s.spawnURL(user.Name, server)})
}

func (s *Site) showPending(w http.ResponseWriter, r *http.Request, user *orm.User, v *hub.ServerView) error {
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	template := "spawn_pending.html"
	if v.Pending == "stop" {
		template = "stop_pending.html"
	}
	progress := s.hub + "api/users/" + urlpath.Escape(user.Name) + "/server/progress"
	if v.Name != "" {
		progress = s.hub + "api/users/" + urlpath.Escape(user.Name) + "/servers/" + urlpath.Escape(v.Name) + "/progress"
	}
	return s.render(w, r, view{template: template, vars: map[string]any{
		"user": s.userVar(r.Context(), user), "spawner": s.serverVar(v), "auth_state": templateValue(state),
		"progress_url": withArg(progress, "_xsrf", httpmw.PageToken(r)), "here": r.URL.RequestURI(),
	}})
}

// showFailed tells why the last start failed, with the status of its error.
func (s *Site) showFailed(w http.ResponseWriter, r *http.Request, user *orm.User, server string, v *hub.ServerView, e *hub.Error) error {
	words := s.words(r)
	vars := map[string]any{"spawn_url": s.retryURL(r, user, server), "failed": true, "failed_message": words.sayError(e.Message), "hint": words.sayError(e.Hint)}
	if e.HTMLMessage != "" {
		vars["failed_html_message"] = e.HTMLMessage
	}
	s.diagnose(r, vars, v)
	if trace := traceFor(r, e); trace != nil {
		vars["log_tail"] = trace
	}
	return s.showNotRunning(w, r, httpmw.Status(e), user, v, vars)
}

// retryURL starts the server again and then goes on to where this visit was going.
func (s *Site) retryURL(r *http.Request, user *orm.User, server string) string {
	target := s.spawnURL(user.Name, server)
	if next := s.safeNext(r, arg(r, "next")); next != "" {
		target = withArg(target, "next", next)
	}
	return target
}

func (s *Site) showNotRunning(w http.ResponseWriter, r *http.Request, status int, user *orm.User, v *hub.ServerView, own map[string]any) error {
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	vars := map[string]any{"user": s.userVar(r.Context(), user), "server_name": v.Name, "spawner": s.serverVar(v),
		"auth_state": templateValue(state), "failed": false, "implicit_spawn_seconds": 0, "log_tail": list{}, "hint": ""}
	for k, value := range own {
		vars[k] = value
	}
	return s.render(w, r, view{template: "not_running.html", status: status, vars: vars})
}
