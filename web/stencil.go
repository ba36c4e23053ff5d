package web

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/internal/httpmw"
)

// The login form is what a hub shows most, to anybody and without a limit, so it is rendered once per language and kind and then cut at
// what differs between two requests: the nonce, the xsrf token and the page to go to afterwards. Only the built-in templates are known to
// print these three and to do nothing else with them; with templates, data files or functions of the administrator every page is rendered.

// stencil is a page cut at its slots.
type stencil struct {
	text  []string // one more than slots
	slots []slot
	needs pageNeeds
}

// slot is something that differs between requests.
type slot int

const (
	slotNonce slot = iota
	slotXSRF
	slotNext
	slotCount
)

// stencilKey is everything else that a login form depends on.
type stencilKey struct {
	lang string
	page auth.Page
	next bool // there is a page to go to
}

// maxStencils bounds the memory; an authenticator may describe its page anew each time.
const maxStencils = 64

// stencils are the login forms rendered so far. Safe for concurrent use.
type stencils struct {
	mu    sync.RWMutex
	known map[stencilKey]*stencil
}

func (c *stencils) get(key stencilKey) *stencil {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.known[key]
}

func (c *stencils) put(key stencilKey, p *stencil) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxStencils {
		c.known = map[stencilKey]*stencil{}
	}
	c.known[key] = p
}

// plainTemplates reports whether nothing of the administrator takes part in rendering.
func (s *Site) plainTemplates() bool {
	if len(s.o.Look.TemplatePaths)+len(s.o.Look.DataFiles) > 0 {
		return false
	}
	for _, v := range s.o.Look.TemplateVars {
		if _, ok := v.(TemplateFunc); ok {
			return false
		}
	}
	return true
}

// minToken is the length from which on a token cannot stand in a page by chance.
const minToken = 40

// quickLogin shows the login form to somebody who comes for the first time, without a name or an error; done is false when the page has
// to be rendered in full.
func (s *Site) quickLogin(w http.ResponseWriter, r *http.Request, page auth.Page, next string) (done bool, err error) {
	token := httpmw.PageToken(r)
	if len(token) < minToken || page.CustomHTML != "" || httpmw.Identity(r) != nil || !s.plainTemplates() {
		return false, nil
	}
	key := stencilKey{lang: s.words(r).lang, page: page, next: next != ""}
	p := s.stencils.get(key)
	if p == nil {
		if p, err = s.cutLogin(r, page, token, next != ""); err != nil {
			return false, err
		}
		s.stencils.put(key, p)
	}
	var b [18]byte
	_, _ = rand.Read(b[:])
	nonce := base64.RawURLEncoding.EncodeToString(b[:])
	out := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	p.fill(out, [slotCount]string{slotNonce: nonce, slotXSRF: token, slotNext: url.QueryEscape(next)})
	s.send(w, r, "login.html", out, nonce, p.needs, http.StatusOK)
	return true, nil
}

// cutLogin renders the login form with marks where the slots are.
func (s *Site) cutLogin(r *http.Request, page auth.Page, token string, withNext bool) (*stencil, error) {
	next := ""
	if withNext {
		next = string(newNonceMark())
	}
	var out bytes.Buffer
	vars := s.globals(r, nil, s.loginVars(r, page, next, "", ""))
	needs, err := s.renderInto(&out, "login.html", vars)
	if err != nil {
		return nil, err
	}
	p := &stencil{needs: needs}
	p.cut(out.String(), [slotCount]string{slotNonce: string(s.engine.nonce), slotXSRF: token, slotNext: next})
	return p, nil
}

// cut takes a page apart at marks; an empty mark is nowhere.
func (p *stencil) cut(page string, marks [slotCount]string) {
	for {
		at, which := -1, slotNonce
		for kind, mark := range marks {
			if i := strings.Index(page, mark); mark != "" && i >= 0 && (at < 0 || i < at) {
				at, which = i, slot(kind)
			}
		}
		if at < 0 {
			p.text = append(p.text, page)
			return
		}
		p.text, p.slots = append(p.text, page[:at]), append(p.slots, which)
		page = page[at+len(marks[which]):]
	}
}

func (p *stencil) fill(out *bytes.Buffer, values [slotCount]string) {
	for i, kind := range p.slots {
		out.WriteString(p.text[i])
		out.WriteString(values[kind])
	}
	out.WriteString(p.text[len(p.slots)])
}

// send answers with a finished page.
func (s *Site) send(w http.ResponseWriter, r *http.Request, template string, page *bytes.Buffer, nonce string, needs pageNeeds, status int) {
	h := w.Header()
	s.protect(h, template, nonce, needs)
	h.Set("Content-Type", "text/html; charset=UTF-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache, no-store")
	}
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	if status != 0 {
		w.WriteHeader(status)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes()) // the client may be gone
	}
}
