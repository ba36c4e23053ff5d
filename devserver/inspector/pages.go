package inspector

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/web"
)

// shown is how many requests the list has.
const shown = 200

// requests answers GET /hub/dev: the list.
func (i *Inspector) requests(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := trace.Filter{Path: q.Get("path"), Status: q.Get("status"), Who: q.Get("who"), Method: q.Get("method")}
	all := i.rec.All()
	static := q.Get("static") != ""
	if !static {
		all = withoutStatic(all, i.baseURL())
	}
	data := struct {
		common
		Filter            trace.Filter
		Static            bool
		Rows              []trace.Request
		More              int
		Any               bool
		Methods, Statuses []string
	}{common: i.common(r, "requests"), Filter: f, Static: static, Any: len(all) > 0, Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
		Statuses: []string{"2xx", "3xx", "4xx", "5xx", "failed"}}
	data.Rows, data.More = trace.Latest(all, f, shown)
	return i.show(w, r, "requests.html", "Requests", data)
}

// withoutStatic leaves out what every page loads.
func withoutStatic(all []trace.Request, base string) []trace.Request {
	out := all[:0]
	for _, r := range all {
		if r.Address.Path != base+"hub/logo" && !isStatic(&r) {
			out = append(out, r)
		}
	}
	return out
}

// staticEndings are files that pages load; JupyterLab has some hundred of them.
var staticEndings = []string{".js", ".css", ".map", ".ico", ".png", ".svg", ".woff", ".woff2", ".ttf", ".gif", ".jpg"}

// isStatic tells whether a request is for a file that a page loads, and went well.
func isStatic(r *trace.Request) bool {
	return r.Status < 400 && slices.Contains(staticEndings, strings.ToLower(path.Ext(r.Address.Path)))
}

// request answers GET /hub/dev/requests/{id}: one request with everything about it.
func (i *Inspector) request(w http.ResponseWriter, r *http.Request) error {
	id, _ := strconv.ParseInt(httpmw.Param(r, "id"), 10, 64)
	t, ok := i.rec.Get(id)
	if !ok {
		return gone("request", id)
	}
	type cookie struct {
		trace.Field
		trace.CookieMeaning
	}
	data := struct {
		common
		R       trace.Request
		Command trace.Command
		XSRF    string
		Roles   []roleOf
		Cookies []cookie
		Dance   int64
		Token   string
	}{common: i.common(r, "requests"), R: t, Command: trace.Curl(&t, origin(r), i.baseURL()), XSRF: t.ExplainXSRF(), Roles: i.rolesFor(r, &t), Token: i.o.Token}
	for _, c := range t.Cookies {
		data.Cookies = append(data.Cookies, cookie{c, trace.ExplainCookie(c.Name, i.baseURL())})
	}
	for _, d := range trace.Dances(i.rec.All(), i.baseURL()) {
		for _, s := range d.Steps {
			if s.Request.ID == t.ID {
				data.Dance = d.ID
			}
		}
	}
	return i.show(w, r, "request.html", t.Method+" "+t.Address.Path, data)
}

// dances answers GET /hub/dev/oauth: the logins.
func (i *Inspector) dances(w http.ResponseWriter, r *http.Request) error {
	return i.show(w, r, "dances.html", "OAuth logins", struct {
		common
		List []*trace.Dance
	}{i.common(r, "oauth"), trace.Dances(i.rec.All(), i.baseURL())})
}

// danceStep is a step with its command line.
type danceStep struct {
	trace.Step
	Command trace.Command
}

// dance answers GET /hub/dev/oauth/{id}: one login as a sequence.
func (i *Inspector) dance(w http.ResponseWriter, r *http.Request) error {
	id, _ := strconv.ParseInt(httpmw.Param(r, "id"), 10, 64)
	for _, d := range trace.Dances(i.rec.All(), i.baseURL()) {
		if d.ID != id {
			continue
		}
		data := struct {
			common
			*trace.Dance
			List []danceStep
		}{common: i.common(r, "oauth"), Dance: d}
		for _, s := range d.Steps {
			data.List = append(data.List, danceStep{s, trace.Curl(&s.Request, origin(r), i.baseURL())})
		}
		return i.show(w, r, "dance.html", "OAuth login of "+d.Client, data)
	}
	return gone("login", id)
}

func gone(what string, id int64) error {
	return &hub.Error{Kind: hub.NotFound, Message: fmt.Sprintf("There is no %s %d", what, id),
		Hint: "only the latest requests are kept, and none of before the start of minihub dev"}
}

// origin is the address of the hub as the browser has it.
func origin(r *http.Request) string { return "http://" + r.Host }

// controls answers GET /hub/dev/controls: the buttons.
func (i *Inspector) controls(w http.ResponseWriter, r *http.Request) error {
	o, err := i.o.Actions.Overview(r.Context())
	if err != nil {
		return err
	}
	i.mu.Lock()
	faults := append([]string(nil), i.faults...)
	i.mu.Unlock()
	return i.show(w, r, "controls.html", "Controls", struct {
		common
		Overview
		Faults []string
		Steps  []timeStep
	}{i.common(r, "controls"), o, faults, timeSteps})
}

// timeStep is a button that lets time go by.
type timeStep struct{ By, Words string }

// timeSteps are an idle evening, a day, and more than any login lasts.
var timeSteps = []timeStep{{"1h", "an hour"}, {"24h", "a day"}, {"360h", "15 days"}}

// waiting is shown in place of a service that does not answer; the browser asks again by itself.
func (i *Inspector) waiting(w http.ResponseWriter, r *http.Request) error {
	name := httpmw.Param(r, "service")
	status := http.StatusServiceUnavailable
	s := i.o.Down(r.Context(), name)
	if s == nil {
		s, status = &Service{Name: name, State: "it answers now"}, http.StatusOK
	}
	assets := i.baseURL() + "hub/dev/assets/"
	var b strings.Builder
	if err := pages.ExecuteTemplate(&b, "waiting.html", struct {
		*Service
		Poll string
	}{s, i.baseURL() + "hub/dev/waiting/" + url.PathEscape(name)}); err != nil {
		return fmt.Errorf("render the waiting page: %w", err)
	}
	return i.inside.Page(w, r, web.EmbeddedPage{Title: s.Name + " is not ready", Main: b.String(), Refresh: 1, Status: status,
		Styles: []string{assets + "dev.css"}, Scripts: []string{assets + "waiting.js"}})
}

// events answers GET /hub/dev/events with an event whenever there is something new to see.
func (i *Inspector) events(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return i.stream(r.Context(), w)
}

func (i *Inspector) stream(ctx context.Context, w http.ResponseWriter) error {
	changed, stop := i.rec.Watch()
	defer stop()
	flush := http.NewResponseController(w)
	for {
		if err := flush.Flush(); err != nil {
			return nil // the browser is gone
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			if _, err := fmt.Fprint(w, "event: changed\ndata: {}\n\n"); err != nil {
				return nil
			}
		}
	}
}
