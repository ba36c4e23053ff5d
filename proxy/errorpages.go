package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// everyone is trusted by the stand-alone proxy: configurable-http-proxy believes and appends to X-Forwarded-* of any client,
// because it often stands behind another proxy whose address it is not told.
var everyone = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// errorPages renders failures of the stand-alone proxy: by asking a server, from files, or as plain text.
type errorPages struct {
	target string // URL: asked for target/CODE?url=PATH
	dir    string // holds CODE.html and error.html
	client *http.Client
	log    *slog.Logger
}

// maxErrorPage is what is read of an error page.
const maxErrorPage = 1 << 20

func (e *errorPages) write(w http.ResponseWriter, r *http.Request, code int, err error) {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case e.target != "" && e.ask(w, r, code):
	case e.dir != "" && e.read(w, code):
	default:
		PlainError(w, r, code, err)
	}
}

func (e *errorPages) ask(w http.ResponseWriter, r *http.Request, code int) bool {
	t, err := parseTarget(e.target)
	if err != nil {
		return false
	}
	address := t.scheme + "://" + t.host + t.prefix + "/" + strconv.Itoa(code) + "?url=" + url.QueryEscape(r.URL.RequestURI())
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	req.Host = t.header
	res, err := e.client.Do(req)
	if err != nil {
		e.log.ErrorContext(r.Context(), "error page not available", "err", err)
		return false
	}
	defer res.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if v := res.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, io.LimitReader(res.Body, maxErrorPage))
	}
	return true
}

func (e *errorPages) read(w http.ResponseWriter, code int) bool {
	for _, name := range []string{strconv.Itoa(code), "error"} {
		page, err := os.ReadFile(filepath.Join(e.dir, name+".html"))
		if err == nil {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = w.Write(page)
			return true
		}
	}
	return false
}

// idleListener closes connections on which nothing has moved for a while (--timeout).
type idleListener struct {
	net.Listener
	after time.Duration
}

// Accept returns the next connection, with its timer running.
func (l idleListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	i := &idleConn{Conn: c, after: l.after}
	i.timer = time.AfterFunc(l.after, func() { _ = c.Close() })
	return i, nil
}

type idleConn struct {
	net.Conn
	after time.Duration
	timer *time.Timer
	once  sync.Once
}

// Read restarts the timer.
func (c *idleConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.timer.Reset(c.after)
	return n, err
}

// Write restarts the timer.
func (c *idleConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.timer.Reset(c.after)
	return n, err
}

// Close stops the timer.
func (c *idleConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.timer.Stop() })
	return err
}
