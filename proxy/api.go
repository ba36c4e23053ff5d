package proxy

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// APIPrefix is the path of the routes resource of configurable-http-proxy's REST API.
const APIPrefix = "/api/routes"

// isoMillis is how JavaScript prints a time: ISO 8601, UTC, milliseconds.
const isoMillis = "2006-01-02T15:04:05.000Z"

// maxAPIBody is far more than any hub sends for a route.
const maxAPIBody = 1 << 20

// API returns the REST API of configurable-http-proxy 5 over the table: GET, POST and DELETE of /api/routes[/path], with
// "Authorization: token TOKEN". An empty token lets everybody in, as there. Differences, all on input that configurable-http-proxy
// answers badly: the token is checked before the body is read, a target that is no URL is 400 (there: 201, and every
// request through the route fails), and DELETE without a path means "/" (there: never answered).
func (t *Table) API(token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), APIPrefix)
		if !ok || rest != "" && rest[0] != '/' {
			apiText(w, http.StatusNotFound, "Not Found")
			return
		}
		handler := map[string]func(http.ResponseWriter, *http.Request, string){
			http.MethodGet: t.apiGet, http.MethodPost: t.apiPost, http.MethodDelete: t.apiDelete,
		}[r.Method]
		switch {
		case handler == nil:
			w.Header().Set("Allow", "GET, POST, DELETE")
			apiText(w, http.StatusMethodNotAllowed, "Method not supported")
		case !tokenMatches(r.Header.Get("Authorization"), token):
			w.WriteHeader(http.StatusForbidden)
		default:
			handler(w, r, rest)
		}
	})
}

func tokenMatches(header, token string) bool {
	if token == "" {
		return true
	}
	f := strings.Fields(header)
	return len(f) == 2 && strings.EqualFold(f[0], "token") && subtle.ConstantTimeCompare([]byte(f[1]), []byte(token)) == 1
}

func apiText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text)
}

func apiJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client is gone: data came from JSON or from the hub
}

// specOf is the routespec of an escaped path below /api/routes; the host, if any, is the first segment there.
func (t *Table) specOf(path string) string {
	path = strings.Trim(path, "/")
	switch {
	case path == "":
		return "/"
	case t.hostRouting:
		return path + "/"
	}
	return "/" + path + "/"
}

func (t *Table) apiGet(w http.ResponseWriter, r *http.Request, path string) {
	if path != "" && path != "/" {
		route, ok := t.Get(t.specOf(path))
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		apiJSON(w, apiRoute(route, t.hostRouting))
		return
	}
	q := r.URL.Query()
	since := q.Get("inactiveSince")
	if since == "" {
		since = q.Get("inactive_since")
	}
	limit, ok := parseDate(since)
	if since != "" && !ok {
		apiText(w, http.StatusBadRequest, "Invalid datestamp '"+since+"' must be ISO8601.")
		return
	}
	list := map[string]any{}
	for spec, route := range t.All() {
		if since == "" || route.LastActivity.Before(limit) {
			list[chpKey(spec)] = apiRoute(route, t.hostRouting)
		}
	}
	apiJSON(w, list)
}

// apiRoute is the data of a route with its target and activity among them, and with host routing its host.
func apiRoute(r Route, hostRouting bool) map[string]any {
	m := maps.Clone(r.Data)
	m["target"] = r.Target
	m["last_activity"] = r.LastActivity.Format(isoMillis)
	if hostRouting && r.Routespec != "/" {
		m["host"], _, _ = strings.Cut(r.Routespec, "/")
	}
	return m
}

func (t *Table) apiPost(w http.ResponseWriter, r *http.Request, path string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAPIBody))
	if err != nil {
		apiText(w, http.StatusBadRequest, "Body not readable: "+err.Error())
		return
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		apiText(w, http.StatusBadRequest, "Body not valid JSON: "+err.Error())
		return
	}
	data, _ := v.(map[string]any)
	target, ok := data["target"].(string)
	if !ok {
		apiText(w, http.StatusBadRequest, "Must specify 'target' as string")
		return
	}
	delete(data, "target")
	delete(data, "last_activity") // ours
	if err := t.Add(t.specOf(path), target, data); err != nil {
		if re, ok := errors.AsType[*RouteError](err); ok {
			apiText(w, http.StatusBadRequest, re.Error())
			return
		}
		apiText(w, http.StatusInternalServerError, "Route not added")
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func (t *Table) apiDelete(w http.ResponseWriter, _ *http.Request, path string) {
	if found, _ := t.Delete(t.specOf(path)); !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// parseDate reads the forms of ISO 8601 that JavaScript's Date.parse takes, and HTTP dates. A time without a zone is local, a
// date alone is UTC, as there. A "+" of a zone that was not escaped in the query has become a space.
func parseDate(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	iso := s
	if i := len(s) - len("+00:00"); i > len("2006-01-02") && s[i] == ' ' {
		iso = s[:i] + "+" + s[i+1:]
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if d, err := time.Parse(layout, iso); err == nil {
			return d, true
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if d, err := time.ParseInLocation(layout, iso, time.Local); err == nil {
			return d, true
		}
	}
	d, err := http.ParseTime(s)
	return d, err == nil
}
