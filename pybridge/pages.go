package pybridge

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"
)

// Pages are those that an authenticator brings along (get_handlers), and extra_handlers: they run in the child, on a socket that only this process can
// open. The hub checks XSRF and tells who asks; a login made there comes back as a ticket.
type Pages struct {
	kinds  map[PageKind][]*regexp.Regexp
	client *http.Transport
}

// PageKind says which rules hold for a page.
type PageKind int

// The kinds of pages.
const (
	NoPage    PageKind = iota
	OwnPage            // OwnPage is one of the authenticator: before the hub's own.
	ExtraPage          // ExtraPage is one of extra_handlers: after the hub's own.
	ExtraAPI           // ExtraAPI is one of extra_handlers for programs.
)

// NewPages returns the pages that the child serves; nil when there are none. A pattern that Go cannot read is an error.
func NewPages(info *PagesInfo) (*Pages, error) {
	if info == nil {
		return nil, nil
	}
	p := &Pages{kinds: map[PageKind][]*regexp.Regexp{}}
	for kind, texts := range map[PageKind][]string{OwnPage: info.Own, ExtraPage: info.Extra, ExtraAPI: info.API} {
		for _, text := range texts {
			re, err := regexp.Compile("^(?:" + text + ")$")
			if err != nil {
				return nil, fmt.Errorf("pages in python (get_handlers, extra_handlers): path %q: %w", text, err)
			}
			p.kinds[kind] = append(p.kinds[kind], re)
		}
	}
	p.client = &http.Transport{DisableCompression: true, MaxIdleConns: 8, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: callTimeout,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", info.Socket)
		}}
	return p, nil
}

// Match says which kind of page a path below the hub is, with a slash at its start.
func (p *Pages) Match(path string) PageKind {
	if p == nil {
		return NoPage
	}
	for _, kind := range []PageKind{OwnPage, ExtraPage, ExtraAPI} {
		for _, re := range p.kinds[kind] {
			if re.MatchString(path) {
				return kind
			}
		}
	}
	return NoPage
}

// Close gives up idle connections.
func (p *Pages) Close() { p.client.CloseIdleConnections() }

// PageCall is one request for a page.
type PageCall struct {
	URI  string // as the browser sent it
	Body []byte
	XSRF string // the token for forms
	// Scopes are what the person may do, expanded; nil for nobody.
	Scopes []string
}

// PageAnswer is what the page answered.
type PageAnswer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Ticket  string // of a login; "" for none
	Logout  bool
	Failed  bool // the page raised an error: Message and HTML say what may be told
	Message string
	HTML    string
}

// maxPage bounds the answer of a page.
const maxPage = 16 << 20

// Do asks for a page. An error means that the child could not be asked.
func (p *Pages) Do(r *http.Request, c PageCall) (*PageAnswer, error) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://hub"+c.URI, bytes.NewReader(c.Body))
	if err != nil {
		return nil, fmt.Errorf("ask for a page in python: %w", err)
	}
	for key, values := range r.Header {
		if !private(key) {
			out.Header[key] = values
		}
	}
	out.Header.Del("Connection")
	out.Host = r.Host
	who := &Request{Host: r.Host}
	if from := RequestFrom(r.Context()); from != nil {
		who = &Request{Host: from.Host, Protocol: from.Protocol, RemoteIP: from.RemoteIP, User: from.User, Service: from.Service}
	}
	about, err := json.Marshal(struct {
		*Request
		Scopes []string `json:"scopes"`
	}{who, c.Scopes})
	if err != nil {
		return nil, fmt.Errorf("ask for a page in python: %w", err)
	}
	out.Header.Set("X-Minihub-User", base64.StdEncoding.EncodeToString(about))
	out.Header.Set("X-Minihub-Xsrf", c.XSRF)
	resp, err := p.client.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return answerOf(resp, body), nil
}

func answerOf(resp *http.Response, body []byte) *PageAnswer {
	a := &PageAnswer{Status: resp.StatusCode, Header: http.Header{}, Body: body, Ticket: resp.Header.Get("X-Minihub-Ticket"), Logout: resp.Header.Get("X-Minihub-Logout") != ""}
	if text := resp.Header.Get("X-Minihub-Error"); text != "" {
		a.Failed = true
		var said struct{ Message, HTML string }
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && json.Unmarshal(raw, &said) == nil {
			a.Message, a.HTML = said.Message, said.HTML
		}
	}
	for key, values := range resp.Header {
		switch {
		case private(key), key == "Connection", key == "Content-Length", key == "Server", key == "Date":
		default:
			a.Header[key] = values
		}
	}
	return a
}

// private headers are a matter between the hub and the child; a browser's are dropped.
func private(key string) bool { return len(key) > 10 && key[:10] == "X-Minihub-" }
