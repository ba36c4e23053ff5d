package web

import (
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// spawnWait is how long the spawn page waits for a start before it shows the pending page.
const spawnWait = time.Second

func identity(r *http.Request) *hub.Identity { return httpmw.Identity(r) }

// target finds the server that a page of the kind /PAGE[/{user}[/{server}]] is about, and checks that the person may start and stop it.
func (s *Site) target(r *http.Request) (user *orm.User, server string, err error) {
	user, server = pageUser(r), httpmw.Param(r, "server")
	name := httpmw.Param(r, "user")
	if name == "" {
		name = user.Name
	}
	if err := s.may(r, name, server, "servers"); err != nil {
		return nil, "", err
	}
	if name != user.Name {
		user, err = s.o.Hub.Users.Find(r.Context(), name)
	}
	return user, server, err
}

// spawnGet starts a server, or shows the form with its options when there is one.
func (s *Site) spawnGet(w http.ResponseWriter, r *http.Request) error {
	user, server, err := s.target(r)
	if err != nil {
		return err
	}
	v, err := s.spawnView(r, user, server)
	if err != nil {
		return err
	}
	switch {
	case v.Ready:
		return redirect(w, http.StatusFound, s.nextURL(r, user, s.o.URLs.ServerURL(user.Name, server)))
	case v.Active:
		return redirect(w, http.StatusFound, s.pendingURL(r, user, server))
	}
	options, err := queryOptions(r.URL.Query())
	if err != nil {
		return err
	}
	var failed error
	if len(options) > 0 {
		chosen, err := s.chosenOptions(r, user, server, options, nil)
		if err == nil {
			err = s.start(r, user, server, chosen, false)
		}
		if err == nil {
			return redirect(w, http.StatusFound, s.pendingURL(r, user, server))
		}
		failed = err
	}
	form, err := s.optionsForm(r, user, server)
	if err != nil {
		return err
	}
	if form != "" {
		return s.showSpawnForm(w, r, user, server, form, failed)
	}
	if err := s.start(r, user, server, nil, true); err != nil {
		return s.startFailed(w, r, user, server, err)
	}
	return redirect(w, http.StatusFound, s.pendingURL(r, user, server))
}

// spawnPost takes the form.
func (s *Site) spawnPost(w http.ResponseWriter, r *http.Request) error {
	user, server, err := s.target(r)
	if err != nil {
		return err
	}
	v, err := s.spawnView(r, user, server)
	if err != nil {
		return err
	}
	name := user.Name
	if server != "" {
		name += ":" + server
	}
	switch {
	case v.Ready:
		return &hub.Error{Kind: hub.Invalid, Message: name + " is already running"}
	case v.Pending != "":
		return &hub.Error{Kind: hub.Invalid, Message: name + " is pending " + v.Pending}
	}
	form, files, err := readForm(r)
	if err != nil {
		return err
	}
	delete(form, "_xsrf")
	options, err := s.chosenOptions(r, user, server, form, files)
	if err == nil {
		err = s.start(r, user, server, options, false)
	}
	if err == nil {
		return redirect(w, http.StatusFound, s.pendingURL(r, user, server))
	}
	html, formErr := s.optionsForm(r, user, server)
	if formErr != nil {
		return errors.Join(err, formErr)
	}
	return s.showSpawnForm(w, r, user, server, html, err)
}

// spawnView returns the live state of a server that is about to be started. The row of a named one is made here, with all the
// checks, so that nobody fills in a form for a server that cannot be.
func (s *Site) spawnView(r *http.Request, user *orm.User, server string) (*hub.ServerView, error) {
	if server != "" && !s.o.Traits.Servers.AllowNamed {
		return nil, &hub.Error{Kind: hub.Invalid, Message: "Named servers are not enabled.", Hint: "set JupyterHub.allow_named_servers = True to enable them"}
	}
	v, err := s.o.Hub.Servers.View(r.Context(), user, server)
	if hub.KindOf(err) == hub.NotFound {
		return s.o.Hub.Servers.Create(r.Context(), user, server, arg(r, "display_name"), nil)
	}
	return v, err
}

func (s *Site) start(r *http.Request, user *orm.User, server string, options map[string]any, keep bool) error {
	o := hub.StartOptions{UserOptions: options, KeepOptions: keep, Wait: spawnWait, HandlerArgs: r.URL.Query()}
	if display := arg(r, "display_name"); display != "" && server != "" {
		o.DisplayName = &display
	}
	_, err := s.o.Hub.Servers.Start(r.Context(), user, server, o)
	return err
}

// startFailed shows why a server did not start; what was wrong with the request itself is an ordinary error page.
func (s *Site) startFailed(w http.ResponseWriter, r *http.Request, user *orm.User, server string, err error) error {
	var e *hub.Error
	if !errors.As(err, &e) || e.Kind != hub.Failed {
		return err
	}
	v, viewErr := s.o.Hub.Servers.View(r.Context(), user, server)
	if viewErr != nil {
		return err
	}
	return s.showFailed(w, r, user, server, v, e)
}

// pendingURL is the page that waits for a server, with the arguments of this request.
func (s *Site) pendingURL(r *http.Request, user *orm.User, server string) string {
	target := appendQuery(s.serverPage("spawn-pending", user.Name, server), r.URL.RawQuery, "next", "display_name", "_xsrf")
	if next := arg(r, "next"); next != "" {
		target = withArg(target, "next", next)
	}
	return target
}

// queryOptions are the options that the arguments of a spawn link give: those that begin with "opt-", or, when there is none, all of
// them, as links from before JupyterHub 5 have it.
func queryOptions(query url.Values) (url.Values, error) {
	prefixed, plain := url.Values{}, url.Values{}
	for key, values := range query {
		name, ok := strings.CutPrefix(key, "opt-")
		switch {
		case ok && name == "":
			return nil, &hub.Error{Kind: hub.Invalid, Status: http.StatusUnprocessableEntity, Message: "Invalid user-option name opt-", Hint: "a name must follow opt-"}
		case ok:
			prefixed[name] = values
		case key != "next" && key != "display_name":
			plain[key] = values
		}
	}
	if len(prefixed) > 0 {
		return prefixed, nil
	}
	return plain, nil
}

func (s *Site) hasOptionsForm() bool {
	return s.o.Hub.Hooks.OptionsForm != nil || s.o.Traits.Servers.OptionsForm != "" || s.o.Hub.Servers.HasProfiles()
}

// optionsForm is the HTML of the spawn form's fields, "" when there is no form: options_form, else the profiles.
func (s *Site) optionsForm(r *http.Request, user *orm.User, server string) (string, error) {
	list, err := s.profiles(r, user, server)
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		return s.profilesForm(r, user, server, list)
	}
	return s.configuredForm(r, user, server)
}

// chosenOptions turns form fields, or the arguments of a link (a GET), into user_options: by the hook, else as
// Spawner.options_from_form names it. Fields about profiles are never theirs.
func (s *Site) chosenOptions(r *http.Request, user *orm.User, server string, form url.Values, files map[string][]hub.FormFile) (map[string]any, error) {
	list, err := s.profiles(r, user, server)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return s.otherOptions(r, user, server, form, files)
	}
	profile, rest := hub.ProfileOptions(list, form)
	options, err := s.otherOptions(r, user, server, rest, files)
	if err != nil {
		return nil, err
	}
	if options == nil {
		options = map[string]any{}
	}
	maps.Copy(options, profile)
	return options, nil
}

func (s *Site) otherOptions(r *http.Request, user *orm.User, server string, form url.Values, files map[string][]hub.FormFile) (map[string]any, error) {
	if hook := s.o.Hub.Hooks.OptionsFromForm; hook != nil {
		return hook(r.Context(), spawner.Identity{UserName: user.Name, ServerName: server}, form, files, r.Method != http.MethodPost)
	}
	options := map[string]any{}
	for key, values := range form {
		if s.o.Traits.Servers.SimpleForm && len(values) == 1 {
			options[key] = values[0]
			continue
		}
		all := make([]any, len(values))
		for i, v := range values {
			all[i] = v
		}
		options[key] = all
	}
	for key, uploads := range files {
		all := make([]any, len(uploads))
		for i, f := range uploads {
			all[i] = map[string]any{"filename": f.Filename, "body": f.Body, "content_type": f.ContentType}
		}
		options[key+"_file"] = all
	}
	return options, nil
}

// showSpawnForm shows the form, with what went wrong the last time.
func (s *Site) showSpawnForm(w http.ResponseWriter, r *http.Request, user *orm.User, server, form string, failed error) error {
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	v, err := s.o.Hub.Servers.View(r.Context(), user, server)
	if err != nil {
		return err
	}
	token := httpmw.PageToken(r)
	vars := map[string]any{
		"for_user": s.userVar(r.Context(), user), "auth_state": templateValue(state), "spawner_options_form": form,
		"error_message": nil, "html_error_message": nil, "error_html_message": nil, "server_name": server, "spawner": s.serverVar(v),
		"url": withArg(appendQuery(r.URL.EscapedPath(), r.URL.RawQuery, "_xsrf"), "_xsrf", token), "hint": "", "log_tail": list{},
	}
	status := http.StatusOK
	if failed != nil {
		status = s.explain(w, r, vars, v, failed)
	}
	if r.Method == http.MethodGet && status == http.StatusBadRequest { // options in a link that are not accepted: the form is the answer
		status = http.StatusOK
	}
	return s.render(w, r, view{template: "spawn.html", status: status, vars: vars})
}

// explain fills in what is known about a failure, and returns its status.
func (s *Site) explain(w http.ResponseWriter, r *http.Request, vars map[string]any, v *hub.ServerView, failed error) int {
	var e *hub.Error
	if !errors.As(failed, &e) {
		s.log.ErrorContext(r.Context(), "spawn form failed", "user", v.UserName, "server", v.Name, "request_id", httpmw.RequestID(r), "err", failed)
		vars["error_message"] = s.words(r).say("The server could not be started because of an internal error (request id %(id)s)", "id", httpmw.RequestID(r))
		return http.StatusOK
	}
	vars["error_message"], vars["hint"] = s.words(r).sayError(e.Message), s.words(r).sayError(e.Hint)
	if e.HTMLMessage != "" {
		vars["html_error_message"], vars["error_html_message"] = e.HTMLMessage, e.HTMLMessage
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	s.diagnose(r, vars, v)
	if trace := traceFor(r, failed); trace != nil {
		vars["log_tail"] = trace
	}
	return httpmw.Status(e)
}

// diagnose adds what the spawner found out about the last start.
func (s *Site) diagnose(r *http.Request, vars map[string]any, v *hub.ServerView) {
	if d := v.FailedDiagnosis; d != nil {
		vars["log_tail"], vars["cause"] = texts(d.LogTail), s.words(r).sayError(d.Cause)
		if d.WayOut != "" {
			vars["hint"] = s.words(r).sayError(d.WayOut)
		}
	}
}
