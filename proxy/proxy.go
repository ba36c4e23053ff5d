package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// ErrNoRoute is passed to Options.Error when nothing is routed at a path and there is no default handler.
var ErrNoRoute = errors.New("no route for this path")

// Options are the parts and settings of a Proxy. Only Table is mandatory.
type Options struct {
	Table   *Table
	Default http.Handler // answers what has no route; nil: Error with 404
	// Error renders a failure: 400 malformed path, 404 no route, 405 CONNECT, 503 backend unreachable. nil: plain text.
	Error             func(w http.ResponseWriter, r *http.Request, code int, err error)
	TrustedDownstream []netip.Prefix // peers whose X-Forwarded-* headers are believed and appended to
	XForward          bool           // add X-Forwarded-For, -Proto, -Port and -Host for backends
	Transport         TransportOptions
	Rewrite           RewriteOptions
	Log               *slog.Logger // nil: discard
}

// RewriteOptions are the rarely used switches of configurable-http-proxy. The zero value leaves everything alone.
type RewriteOptions struct {
	StripPrefix    bool        // remove the route's prefix from the path (--no-include-prefix)
	IgnoreTarget   bool        // do not put the target's path in front (--no-prepend-path)
	ChangeOrigin   bool        // send the target's host as Host
	AutoLocation   bool        // Location headers that point to the target get the client's host
	LocationScheme string      // … and this scheme, when not empty
	Headers        http.Header // set on every request to a backend
}

// Proxy is the reverse proxy, an http.Handler. Make it with New, end it with Shutdown.
type Proxy struct {
	o        Options
	log      *slog.Logger
	rp       *httputil.ReverseProxy
	rt       *http.Transport
	upgrades upgrades
}

// flushAfter is how long a piece of an answer of known length may wait for the next one. ReverseProxy passes on event streams and answers
// of unknown length at once. To do so for all would send the header of a small answer often by itself, and its body after it.
const flushAfter = 10 * time.Millisecond

// New returns a Proxy over o.Table. It starts nothing; idle backend connections are kept until Shutdown.
func New(o Options) (*Proxy, error) {
	if o.Table == nil {
		return nil, errors.New("proxy: Options.Table is missing")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Error == nil {
		o.Error = PlainError
	}
	p := &Proxy{o: o, log: o.Log, rt: newTransport(o.Transport)}
	p.upgrades.conns = map[*upgraded]struct{}{}
	p.upgrades.done = make(chan struct{}, 1)
	p.upgrades.buffers = &buffers{}
	p.rp = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      p.rt,
		FlushInterval:  flushAfter,
		BufferPool:     p.upgrades.buffers,
		ModifyResponse: p.modifyResponse,
		ErrorHandler:   p.fail,
		ErrorLog:       log.New(debugWriter{o.Log}, "", 0),
	}
	return p, nil
}

// PlainError is the default of Options.Error: the status text, not cacheable.
func PlainError(w http.ResponseWriter, _ *http.Request, code int, _ error) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(code), code)
}

// call is what a request carries through httputil.ReverseProxy.
type call struct {
	route      *entry
	body       *watchedBody // nil without a body
	upgrade    *upgraded    // nil unless the backend switched protocols
	trusted    bool
	answers    bool   // the backend's answer has begun, and is no upgrade
	clientHost string // Host as the client sent it
}

// end closes a backend connection that ReverseProxy left open because it could not take over the client's.
func (c *call) end() {
	if c.upgrade != nil {
		_ = c.upgrade.Close()
	}
}

type callKey struct{}

// ServeHTTP routes one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		p.o.Error(w, r, http.StatusMethodNotAllowed, errors.New("this is a reverse proxy, CONNECT is not supported"))
		return
	}
	route, err := p.o.Table.lookup(r.Host, rawPath(r))
	if err != nil {
		p.o.Error(w, r, http.StatusBadRequest, err)
		return
	}
	trusted := len(p.o.TrustedDownstream) > 0 && trusts(p.o.TrustedDownstream, peer(r))
	if !trusted {
		dropForwarded(r.Header)
	}
	switch {
	case route == nil && p.o.Default == nil:
		p.o.Error(w, r, http.StatusNotFound, ErrNoRoute)
	case route == nil:
		p.o.Default.ServeHTTP(w, r)
	case route.handler != nil:
		route.touch(time.Now())
		route.handler.ServeHTTP(w, r)
	default:
		route.touch(time.Now())
		c := &call{route: route, trusted: trusted, clientHost: r.Host}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		if r.ContentLength != 0 && r.Body != nil {
			c.body = &watchedBody{ReadCloser: r.Body}
			r.Body = c.body
			// Without it the server reads the rest of the body before it sends the first byte of an answer. HTTP/2 has no need.
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
		if r.ProtoMajor == 1 && len(r.Header["Upgrade"]) > 0 {
			p.serveUpgrade(w, r, c)
			return
		}
		p.forward(w, r, c)
	}
}

// forward passes a request on. When the backend breaks off its answer, ReverseProxy panics with http.ErrAbortHandler; what has come until
// then may still wait for more and is sent before.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, c *call) {
	complete := false
	defer func() {
		c.end()
		if !complete && c.answers {
			_ = http.NewResponseController(w).Flush()
		}
	}()
	p.rp.ServeHTTP(w, r)
	complete = true
}

// Shutdown waits until all upgraded connections have ended, or ctx is done, and then closes those that are left, and the
// idle connections to backends. It returns the context's error when connections had to be closed. New upgrades
// are refused from its call on. Plain requests are waited for by the http.Server in front.
func (p *Proxy) Shutdown(ctx context.Context) error {
	err := p.upgrades.shutdown(ctx)
	p.rt.CloseIdleConnections()
	return err
}

// Upgraded returns the number of open upgraded connections.
func (p *Proxy) Upgraded() int { return p.upgrades.count() }

// fail answers a request whose backend failed. A client that went away is neither answered nor logged as an error.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	c, _ := r.Context().Value(callKey{}).(*call)
	if r.Context().Err() != nil || c != nil && c.body.failed() {
		p.log.DebugContext(r.Context(), "client went away", "err", err)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest) // reaches nobody, but keeps 200 out of the request log
		return
	}
	spec := ""
	if c != nil {
		spec = c.route.spec
	}
	code := http.StatusServiceUnavailable
	if errors.Is(err, errDraining) {
		p.log.DebugContext(r.Context(), "upgrade refused", "route", spec, "err", err)
	} else {
		p.log.ErrorContext(r.Context(), "backend failed", "route", spec, "status", code, "err", err)
	}
	p.o.Error(w, r, code, err)
}

// rawPath is the escaped path as the client sent it. net/http has refused malformed escapes already.
func rawPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	return r.URL.EscapedPath() // absolute-form, and requests that no server has read
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// watchedBody remembers whether reading the client's body failed: then the client is to blame, not the backend.
type watchedBody struct {
	io.ReadCloser
	mu  sync.Mutex
	bad bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) && !errors.Is(err, net.ErrClosed) {
		b.mu.Lock()
		b.bad = true
		b.mu.Unlock()
	}
	return n, err
}

func (b *watchedBody) failed() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bad
}

// debugWriter takes the messages of httputil.ReverseProxy, which tell of streams that broke: usually the client's doing.
type debugWriter struct{ log *slog.Logger }

func (d debugWriter) Write(b []byte) (int, error) {
	d.log.Debug("stream ended early", "err", strings.TrimSpace(string(b)))
	return len(b), nil
}
