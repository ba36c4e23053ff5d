package inspector

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minihub/minihub/devserver/trace"
)

// Limits of what is read along, in bytes.
const (
	maxForm   = 64 << 10
	maxAnswer = 16 << 10
)

// captured is a request on its way.
type captured struct {
	http.ResponseWriter
	i      *Inspector
	r      trace.Request
	form   *tee
	answer bytes.Buffer // of the OAuth token endpoint
	keep   bool         // the answer is to be read along
	began  bool         // the answer's header is out
}

type captureKey struct{}

// Front implements app.Inspect.Front.
func (i *Inspector) Front(port string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base := i.baseURL()
		own := r.URL.Path == base+"hub/dev" || strings.HasPrefix(r.URL.Path, base+"hub/dev/")
		if why := refusal(r, own); why != "" {
			http.Error(w, "403 : "+why, http.StatusForbidden)
			return
		}
		if own && port != trace.PortPublic {
			http.NotFound(w, r)
			return
		}
		if own || i.o.Own(r) {
			next.ServeHTTP(w, r)
			return
		}
		c := i.capture(w, r, port)
		r = r.WithContext(context.WithValue(r.Context(), captureKey{}, c))
		if c.form != nil {
			r.Body = c.form
		}
		whole := false
		defer func() { c.end(whole) }() // also when the handler cuts the connection, which is a panic
		if !i.instead(c, r, next) {
			next.ServeHTTP(c, r)
		}
		whole = true
	})
}

// instead answers in place of a service that is being started.
func (i *Inspector) instead(c *captured, r *http.Request, next http.Handler) bool {
	name, ok := strings.CutPrefix(c.r.To, "service ")
	if !ok || c.r.Port != trace.PortPublic {
		return false
	}
	s := i.o.Down(r.Context(), name)
	if s == nil {
		return false
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		c.Header().Set("Retry-After", "1")
		http.Error(c, "service "+s.Name+" does not answer: "+s.State, http.StatusServiceUnavailable)
		return true
	}
	page := r.Clone(context.WithValue(r.Context(), captureKey{}, nil))
	page.Method, page.Body, page.ContentLength = http.MethodGet, http.NoBody, 0
	page.URL.Path, page.URL.RawPath, page.URL.RawQuery = i.baseURL()+"hub/dev/waiting/"+name, "", ""
	page.RequestURI = page.URL.Path
	next.ServeHTTP(c, page)
	return true
}

// capture begins a record.
func (i *Inspector) capture(w http.ResponseWriter, r *http.Request, port string) *captured {
	c := &captured{ResponseWriter: w, i: i}
	a, ok := i.mask.Address(r.URL.RequestURI())
	if !ok {
		a = trace.Address{Path: "(unreadable)"}
	}
	c.r = trace.Request{At: time.Now(), Port: port, Method: r.Method, Host: r.Host, Address: a, To: i.to(r.URL.Path)}
	for name, values := range r.Header {
		for _, v := range values {
			if name == "Cookie" {
				c.r.Cookies = append(c.r.Cookies, i.mask.Cookies(v)...)
			} else {
				c.r.Header = append(c.r.Header, i.mask.Header(name, v))
			}
		}
	}
	sortFields(c.r.Header)
	if session, ok := trace.Get(c.r.Cookies, "jupyterhub-session-id"); ok && c.r.To != "hub" {
		if name := i.rec.Session(session.Mark, ""); name != "" {
			c.r.Who = trace.Who{Kind: "user", Name: name, Via: "session"}
		}
	}
	if c.r.To == "hub" && r.Body != nil && r.Body != http.NoBody && readable(r) {
		c.form = &tee{ReadCloser: r.Body}
	}
	c.keep = strings.HasSuffix(r.URL.Path, "/hub/api/oauth2/token") || strings.HasSuffix(r.URL.Path, "/hub/api/oauth2/introspect")
	c.r.ID = i.rec.Begin(c.r)
	return c
}

func readable(r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return media == "application/x-www-form-urlencoded" || media == "application/json" || media == ""
}

// tee keeps the beginning of a body while the hub reads it.
type tee struct {
	io.ReadCloser
	kept bytes.Buffer
}

// Read implements io.Reader.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.kept.Write(p[:min(n, max(0, maxForm-t.kept.Len()))])
	return n, err
}

// WriteHeader implements http.ResponseWriter.
func (c *captured) WriteHeader(status int) {
	if status >= 200 && !c.began {
		c.head(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

// head keeps status and header of the answer.
func (c *captured) head(status int) {
	c.began = true
	c.r.Status = status
	for name, values := range c.Header() {
		for _, v := range values {
			switch name {
			case "Set-Cookie":
				c.r.Sets = append(c.r.Sets, c.i.mask.SetCookie(v))
			case "Location":
				if a, ok := c.i.mask.Address(v); ok {
					c.r.Location = &a
				}
			}
			if name != "Set-Cookie" {
				c.r.Answer = append(c.r.Answer, c.i.mask.Header(name, v))
			}
		}
	}
	sortFields(c.r.Answer)
	if strings.HasPrefix(c.Header().Get("Content-Type"), "text/event-stream") {
		c.i.rec.End(c.r) // it may go on for hours
	}
}

// Write implements http.ResponseWriter.
func (c *captured) Write(p []byte) (int, error) {
	if !c.began {
		c.head(http.StatusOK)
	}
	if c.keep {
		c.answer.Write(p[:min(len(p), max(0, maxAnswer-c.answer.Len()))])
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController the writer below.
func (c *captured) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Flush implements http.Flusher.
func (c *captured) Flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }

// Hijack implements http.Hijacker.
func (c *captured) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err == nil && !c.began {
		c.head(http.StatusSwitchingProtocols)
		c.i.rec.End(c.r)
	}
	return conn, rw, err
}

// end completes the record. whole: the handler came to its end.
func (c *captured) end(whole bool) {
	switch {
	case !whole:
		c.r.Message = "the connection was cut before the answer was complete"
	case !c.began:
		c.head(http.StatusOK) // what net/http sends for a handler that wrote nothing
	}
	c.r.Took, c.r.Done = time.Since(c.r.At), true
	if c.form != nil {
		c.r.Form = c.i.fields(c.form.kept.Bytes())
	}
	if c.keep {
		c.r.Body = c.i.fields(c.answer.Bytes())
		if client, ok := trace.Get(c.r.Form, "client_id"); ok && c.r.Who.Kind == "" {
			c.r.Who = trace.Who{Kind: "client", Name: client.Value, Via: "client secret"}
		}
	}
	c.i.rec.End(c.r)
	if c.r.To != "hub" && !isStatic(&c.r) {
		c.i.o.Tell(c.r)
	}
}
