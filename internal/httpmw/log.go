package httpmw

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// RequestMessage is the message of request log lines; the text format of app shows them in JupyterHub's shape.
const RequestMessage = "request"

// recorder remembers status and size of an answer.
type recorder struct {
	http.ResponseWriter
	status   int
	hijacked bool
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush sends what is buffered, for event streams.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack hands over the connection.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.hijacked = true
		if w.status == 0 {
			w.status = http.StatusSwitchingProtocols
		}
	}
	return conn, rw, err
}

func (m *Middleware) logRequest(r *http.Request, w *recorder, s *state, quiet bool, d time.Duration) {
	level := slog.LevelInfo
	switch {
	case w.status >= 500:
		level = slog.LevelError
	case w.status >= 400:
		level = slog.LevelWarn
	case w.status == http.StatusNotModified || quiet:
		level = slog.LevelDebug
	}
	if !m.o.Logger.Enabled(r.Context(), level) {
		return
	}
	who := ""
	if s.identity != nil {
		who = s.identity.Name()
	}
	attrs := []slog.Attr{slog.Int("status", w.status), slog.String("method", r.Method), slog.String("uri", ScrubURI(asked(r))),
		slog.String("user", who), slog.String("ip", s.remoteIP), slog.Duration("duration", d), slog.String("request_id", s.requestID)}
	if loc := w.Header().Get("Location"); loc != "" {
		if u, err := url.Parse(loc); err == nil {
			attrs = append(attrs, slog.String("location", ScrubURI(u)))
		}
	}
	m.o.Logger.LogAttrs(r.Context(), level, RequestMessage, attrs...)
}

// asked is the address as the client sent it: inside the hub a request may have been sent on to another path.
func asked(r *http.Request) *url.URL {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return r.URL
	}
	u.Scheme, u.Host = "", ""
	return u
}

// secretKeys are parts of query parameter names whose values never reach the log.
var secretKeys = [...]string{"token", "auth", "key", "code", "state", "_xsrf", "secret", "password"}

// ScrubURI returns path and query of u without the values of parameters that may be secret.
func ScrubURI(u *url.URL) string {
	path := u.EscapedPath()
	for _, p := range [...]string{"/api/authorizations/cookie/", "/api/authorizations/token/"} {
		if strings.Contains(path, p) {
			path = path[:strings.LastIndexByte(path, '/')] + "/[secret]"
		}
	}
	if u.Host != "" {
		path = u.Scheme + "://" + u.Host + path
	}
	if u.RawQuery == "" {
		return path
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, p := range parts {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			continue
		}
		if isSecretKey(key) {
			parts[i] = key + "=[secret]"
		} else if strings.Contains(value, "%3F") || strings.Contains(value, "?") {
			parts[i] = key + "=" + scrubNested(value)
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// scrubNested cleans a URL inside a parameter, such as next=/hub/api/oauth2/authorize?state=...
func scrubNested(value string) string {
	inner, err := url.QueryUnescape(value)
	if err != nil {
		return "[secret]"
	}
	u, err := url.Parse(inner)
	if err != nil {
		return "[secret]"
	}
	return url.QueryEscape(ScrubURI(u))
}

func isSecretKey(key string) bool {
	key = strings.ToLower(key)
	for _, k := range secretKeys {
		if strings.Contains(key, k) {
			return true
		}
	}
	return false
}
