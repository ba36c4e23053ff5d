package httpmw

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/minihub/minihub/hub"
)

// Options configure Middleware. Access, Cookies, XSRF and BaseURL are mandatory.
type Options struct {
	Access            *hub.Access
	Logins            *hub.Logins // nil: logins never go stale
	Cookies           *Cookies
	XSRF              *XSRF
	BaseURL           string            // percent-encoded, slashes at both ends
	PublicURL         string            // "" = the request's own scheme and host
	Headers           map[string]string // tornado_settings.headers: override or extend the security headers
	TrustedDownstream []netip.Prefix    // peers whose forwarded headers count
	Logger            *slog.Logger
	Observe           func(method, handler string, code int, d time.Duration) // request_duration_seconds; nil: nobody
	// Decided is told about every request when it is over, before the answer's last bytes leave; nil: nobody. Only "minihub dev" sets it.
	Decided func(*http.Request, Decision)
	Pages
}

// Pages are what web contributes.
type Pages struct {
	ErrorPage func(w http.ResponseWriter, r *http.Request, status int, e *hub.Error)
	NotFound  Handler // below the hub prefix
	Outside   Handler // outside base_url or the hub prefix
	LoginURL  func(r *http.Request) string
}

// Middleware wraps every route of the hub. Safe for concurrent use.
type Middleware struct {
	o       Options
	headers [2]http.Header // security headers of pages and of the API
}

// retryDatabase is the Retry-After of answers given while the database is not available.
const retryDatabase = 2 * time.Second

// New returns a Middleware.
func New(o Options) *Middleware {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Outside == nil {
		o.Outside = func(http.ResponseWriter, *http.Request) error { return &hub.Error{Kind: hub.NotFound} }
	}
	m := &Middleware{o: o}
	m.headers = [2]http.Header{m.securityHeaders(false), m.securityHeaders(true)}
	return m
}

// jupyterHubVersion is what X-JupyterHub-Version tells; servers and services compare major versions with theirs.
const jupyterHubVersion = "6.1.1"

func (m *Middleware) securityHeaders(api bool) http.Header {
	csp := "frame-ancestors 'none'; report-uri " + m.o.BaseURL + "hub/security/csp-report"
	if api {
		csp += "; default-src 'none'"
	}
	h := http.Header{}
	h.Set("X-JupyterHub-Version", jupyterHubVersion)
	h.Set("Access-Control-Allow-Headers", "accept, content-type, authorization")
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	if !api {
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	for k, v := range m.o.Headers {
		h.Set(k, v)
	}
	return h
}

// serveRoute is the handler of one line of a table.
func (m *Middleware) serveRoute(prefix string, api bool, route Route) http.HandlerFunc {
	quiet := route.Access.kind == KindPublic && route.Method != http.MethodPost
	h := func(w http.ResponseWriter, r *http.Request) error {
		if !paramsValid(r) {
			return &hub.Error{Kind: hub.NotFound, Hint: "a name in the path is not valid UTF-8 or has control characters"}
		}
		if err := m.authorize(w, r, route); err != nil {
			return err
		}
		return route.Handler(w, r)
	}
	return func(_ http.ResponseWriter, r *http.Request) {
		s := stateOf(r.Context())
		s.api = api
		if m.o.Decided != nil {
			s.decision = &Decision{Route: route.Method + " " + prefix + route.Path, Access: route.Access}
		}
		m.run(r, s, quiet, route.Name, h)
	}
}

// serve wraps a handler that has no line in a table: 404, 405, OPTIONS and what lies outside the hub.
func (m *Middleware) serve(h Handler) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { m.run(r, stateOf(r.Context()), false, "", h) }
}

// run is the part that is the same for every request.
func (m *Middleware) run(r *http.Request, s *state, quiet bool, name string, h Handler) {
	rec := &s.rec
	if m.o.Decided != nil && s.decision == nil {
		s.decision = &Decision{}
	}
	m.setHeaders(rec.Header(), s)
	broken := m.protect(rec, r, h)
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	d := time.Since(s.begin)
	m.decided(r, s)
	m.logRequest(r, rec, s, quiet && rec.status < 300, d)
	if m.o.Observe != nil && name != "" {
		m.o.Observe(r.Method, name, rec.status, d)
	}
	if broken {
		panic(http.ErrAbortHandler)
	}
}

// protect calls the handler and answers its error or panic. broken: the answer had begun and cannot be completed.
func (m *Middleware) protect(rec *recorder, r *http.Request, h Handler) (broken bool) {
	defer func() {
		if v := recover(); v != nil {
			broken = m.panicked(rec, r, v)
		}
	}()
	err := h(rec, r)
	if err == nil || err == errHandled {
		return false
	}
	if rec.status != 0 && !rec.hijacked {
		m.asHubError(r, err) // for the log
		return true
	}
	m.WriteError(rec, r, err)
	return false
}

func (m *Middleware) setHeaders(h http.Header, s *state) {
	i := 0
	if s.api {
		i = 1
	}
	for k, v := range m.headers[i] {
		h[k] = v
	}
	h["X-Request-Id"] = []string{s.requestID}
}

// newRequestID names a request in the log; it need not be secret.
func newRequestID() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// panicked turns a panic into a 500; its stack goes to the log, never to the client.
func (m *Middleware) panicked(w *recorder, r *http.Request, v any) (broken bool) {
	if v == http.ErrAbortHandler { // the handler's way of cutting the connection
		return true
	}
	m.o.Logger.ErrorContext(r.Context(), "panic in a handler", "request_id", RequestID(r), "err", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.hijacked {
		return false
	}
	if w.status != 0 {
		return true
	}
	m.writeError(w, r, internalError())
	return false
}

// toLogin sends an anonymous visitor of a page to the login page; only GET and HEAD can come back.
func (m *Middleware) toLogin(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &hub.Error{Kind: hub.Forbidden, Message: "You are not logged in, or your login has expired", Hint: "log in and try again"}
	}
	to := m.o.BaseURL + "hub/login"
	if m.o.LoginURL != nil {
		to = m.o.LoginURL(r)
	}
	sep := "?"
	if u, err := url.Parse(to); err == nil && u.RawQuery != "" {
		sep = "&"
	}
	dropCookie(w.Header(), XSRFCookie) // the login page sets it
	http.Redirect(w, r, to+sep+"next="+url.QueryEscape(r.URL.RequestURI()), http.StatusFound)
	return errHandled
}

// errHandled ends a request that is answered already.
var errHandled = errors.New("answered")
