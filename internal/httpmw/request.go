package httpmw

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/minihub/minihub/hub"
)

// state is what the middleware knows about one request. It is the request's context too, and holds chi's part and the recorder, so that
// one allocation serves them all.
type state struct {
	context.Context
	route     chi.Context
	rec       recorder
	begin     time.Time
	requestID string
	remoteIP  string
	api       bool
	identity  *hub.Identity
	session   Session // of the browser, also without a login
	xsrfToken string
	refreshed map[int64]bool // users whose login was refreshed during this request
	decision  *Decision      // nil: nobody looks
}

type stateKey struct{}

// Value implements context.Context.
func (s *state) Value(key any) any {
	switch key {
	case stateKey{}:
		return s
	case hub.CallerKey{}:
		return s.identity
	case chi.RouteCtxKey:
		return &s.route
	}
	return s.Context.Value(key)
}

// begin makes the state of a request, and the request that carries it. rest is the escaped path below base_url.
func (m *Middleware) begin(w http.ResponseWriter, r *http.Request, routes chi.Routes, rest string) (*state, *http.Request) {
	s := &state{Context: r.Context(), begin: time.Now(), requestID: newRequestID(), remoteIP: clientIP(r, m.o.TrustedDownstream)}
	s.api = rest == apiPrefix || strings.HasPrefix(rest, apiPrefix+"/")
	s.rec.ResponseWriter = w
	s.route.Routes, s.route.RoutePath = routes, rest
	return s, r.WithContext(s)
}

// apiPrefix is where the JSON API is below base_url.
const apiPrefix = "/hub/api"

func stateOf(ctx context.Context) *state {
	s, _ := ctx.Value(stateKey{}).(*state)
	return s
}

// Identity returns who makes the request, nil for nobody.
func Identity(r *http.Request) *hub.Identity {
	if s := stateOf(r.Context()); s != nil {
		return s.identity
	}
	return nil
}

// RequestID returns the id of the request, which is in the log and in X-Request-Id.
func RequestID(r *http.Request) string {
	if s := stateOf(r.Context()); s != nil {
		return s.requestID
	}
	return ""
}

// RemoteIP returns the client's address; forwarded headers count only when they come from a trusted peer.
func RemoteIP(r *http.Request) string {
	if s := stateOf(r.Context()); s != nil {
		return s.remoteIP
	}
	return peer(r)
}

// peer is the address of the other end of the connection; a Unix socket has none.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// PageToken returns the XSRF token that forms and scripts of this page must send.
func PageToken(r *http.Request) string {
	if s := stateOf(r.Context()); s != nil {
		return s.xsrfToken
	}
	return ""
}

// SessionID returns the browser's session id, "" when it has none.
func SessionID(r *http.Request) string {
	if s := stateOf(r.Context()); s != nil {
		return s.session.ID
	}
	return ""
}

// Param returns a path parameter, decoded exactly once. Mount answers 404 before the handler runs when it is not valid UTF-8.
func Param(r *http.Request, name string) string {
	v, err := url.PathUnescape(chi.URLParam(r, name))
	if err != nil {
		return ""
	}
	return v
}

// paramsValid tells whether every path parameter decodes to UTF-8 without control characters. Names of servers from older hubs may
// have some: hub says what to do about them.
func paramsValid(r *http.Request) bool {
	rc := chi.RouteContext(r.Context())
	if rc == nil {
		return true
	}
	for i, key := range rc.URLParams.Keys {
		if key == "*" {
			continue
		}
		v, err := url.PathUnescape(rc.URLParams.Values[i])
		if err != nil || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return false
		}
		if key != "server" && strings.ContainsFunc(v, func(c rune) bool { return c < 0x20 || c == 0x7f }) {
			return false
		}
	}
	return true
}

// clientIP works out the client's address: the peer, or, when the peer is trusted, the right-most untrusted forwarded one (security.md 2.8).
func clientIP(r *http.Request, trusted []netip.Prefix) string {
	host := peer(r)
	if len(trusted) == 0 || !isTrusted(host, trusted) {
		return host
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0; i-- {
		ip := strings.TrimSpace(forwarded[i])
		if _, err := netip.ParseAddr(ip); err != nil {
			break
		}
		host = ip
		if !isTrusted(ip, trusted) {
			return ip
		}
	}
	if ip := r.Header.Get("X-Real-Ip"); ip != "" && len(r.Header.Values("X-Forwarded-For")) == 0 {
		if _, err := netip.ParseAddr(ip); err == nil {
			return ip
		}
	}
	return host
}

func isTrusted(ip string, trusted []netip.Prefix) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	for _, p := range trusted {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// IsHTTPS tells whether the client came by TLS, as far as a trusted peer says.
func (m *Middleware) IsHTTPS(r *http.Request) bool { return m.Scheme(r) == "https" }

// Scheme returns http or https as the client used it.
func (m *Middleware) Scheme(r *http.Request) string {
	if len(m.o.TrustedDownstream) > 0 && isTrusted(peer(r), m.o.TrustedDownstream) {
		for _, h := range []string{"X-Scheme", "X-Forwarded-Proto"} {
			if v := r.Header.Get(h); v != "" {
				first, _, _ := strings.Cut(v, ",")
				if first = strings.ToLower(strings.TrimSpace(first)); first == "http" || first == "https" {
					return first
				}
			}
		}
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
