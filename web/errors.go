package web

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// pageUser returns the person who makes the request, nil for nobody and for services.
func pageUser(r *http.Request) *orm.User {
	if id := httpmw.Identity(r); id != nil {
		return id.User
	}
	return nil
}

// errorPage renders an error: STATUS.html when there is such a template, else error.html. It is httpmw's ErrorPage.
func (s *Site) errorPage(w http.ResponseWriter, r *http.Request, status int, e *hub.Error) {
	if r.Method == http.MethodPost && r.URL.EscapedPath() == s.hub+"login" && navigates(r) {
		if err := s.loginFailed(w, r, status, e); err == nil {
			return
		}
	}
	v := view{status: status, vars: s.errorVars(r, status, e)}
	v.template = s.errorTemplate(status)
	if err := s.render(w, r, v); err != nil {
		s.fallbackPage(w, r, status, err)
	}
}

func (s *Site) errorTemplate(status int) string {
	if name := strconv.Itoa(status) + ".html"; s.engine.has(name) {
		return name
	}
	return "error.html"
}

func (s *Site) errorVars(r *http.Request, status int, e *hub.Error) map[string]any {
	words := s.words(r)
	vars := map[string]any{"status_code": status, "status_message": words.sayError(statusText(status)), "message": words.sayError(e.Message),
		"message_html": e.HTMLMessage, "hint": "", "no_spawner_check": true, "internal": status >= 500 && e.Kind == 0}
	s.wayOut(r, status, e, vars)
	// Strangers learn nothing about scopes and configuration.
	if e.Kind != hub.Forbidden || httpmw.Identity(r) != nil {
		vars["hint"] = words.sayError(e.Hint)
	}
	if trace := traceFor(r, e); trace != nil {
		vars["log_tail"] = trace
	}
	return vars
}

// wayOut adds how people go on after an error: sign in again when the session is over, or back to the page whose form failed.
func (s *Site) wayOut(r *http.Request, status int, e *hub.Error, vars map[string]any) {
	from := ""
	if r.Method == http.MethodPost {
		from = s.safeNext(r, r.Header.Get("Referer"))
	}
	switch anonymous := pageUser(r) == nil; {
	case anonymous && status == http.StatusForbidden && r.Method == http.MethodPost:
		vars["session_over"] = true
		if from != "" {
			vars["sign_in_url"] = withArg(s.loginURL(), "next", from)
		}
	case !anonymous && from != "":
		vars["back_url"] = from
		vars["stale_page"] = strings.Contains(strings.ToLower(e.Message), "xsrf")
	}
}

// traceFor tells an administrator where code of the configuration raised an exception; nobody else learns it.
func traceFor(r *http.Request, err error) list {
	var traced interface{ Trace() []string }
	if user := pageUser(r); user == nil || !user.Admin || !errors.As(err, &traced) {
		return nil
	}
	return texts(traced.Trace())
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Unknown HTTP Error"
}

// navigates tells whether a browser is about to show the answer; older ones do not say.
func navigates(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "" || mode == "navigate"
}

// notFound answers what has no route: 404 below {base}hub/, else as outside. It is httpmw's NotFound.
func (s *Site) notFound(w http.ResponseWriter, r *http.Request) error {
	if !strings.HasPrefix(r.URL.EscapedPath(), s.hub) {
		return s.outside(w, r)
	}
	return &hub.Error{Kind: hub.NotFound, Message: "There is no page at this address"}
}

// maxStatusDigits keeps absurd numbers out of /hub/error/CODE.
const maxStatusDigits = 4

// proxyError is /hub/error/CODE, the body of the proxy's own error answers: always 200, the proxy sets the real status.
func (s *Site) proxyError(w http.ResponseWriter, r *http.Request) error {
	text := httpmw.Param(r, "code")
	code, err := strconv.Atoi(text)
	if err != nil || len(text) > maxStatusDigits || strings.ContainsAny(text, "+-") {
		return &hub.Error{Kind: hub.NotFound, Message: fmt.Sprintf("%q is not a status code", clip(text))}
	}
	vars := s.errorVars(r, code, &hub.Error{Kind: hub.NotFound})
	vars["logo_url"] = s.hub + "home"
	if code == http.StatusServiceUnavailable {
		words := s.words(r)
		link := `<a href="` + html.EscapeString(s.hub+"home") + `">` + html.EscapeString(words.say("from the hub")) + `</a>`
		vars["message_html"] = words.say("Your server appears to be down. Try restarting it %(link)s.", "link", link)
	}
	return s.render(w, r, view{template: s.errorTemplate(code), vars: vars})
}

func clip(text string) string {
	if r := []rune(text); len(r) > 32 {
		return string(r[:32]) + "…"
	}
	return text
}

// health answers probes.
func (s *Site) health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// metrics answers with the metrics in Prometheus' format.
func (s *Site) metrics(w http.ResponseWriter, r *http.Request) error {
	s.o.Metrics.Handler.ServeHTTP(w, r)
	return nil
}

// cspReport takes a browser's report about something that the Content-Security-Policy refused.
func (s *Site) cspReport(w http.ResponseWriter, r *http.Request) error {
	const limit = 8 << 10
	body, err := httpmw.ReadBody(r)
	if err != nil {
		return err
	}
	s.log.WarnContext(r.Context(), "content security violation", "report", strings.ToValidUTF8(string(body[:min(len(body), limit)]), "?"))
	if s.o.Metrics.CSPReport != nil {
		s.o.Metrics.CSPReport()
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
