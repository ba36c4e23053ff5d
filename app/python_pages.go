package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/web"
)

// pythonPagePath and pythonAPIPath are where the router finds the pages of an authenticator and extra_handlers; browsers see the paths
// that the configuration gave them.
const (
	pythonPagePath = "/python-pages"
	pythonAPIPath  = "/python-api"
)

// maxPageForm bounds the body of a request for such a page.
const maxPageForm = 4 << 20

type pageCallKey struct{}

// pageFacts are what the child needs for pages of an authenticator.
func (a *App) pageFacts(f *pybridge.Facts) error {
	var err error
	if f.Templates, err = web.BuiltinTemplates(); err != nil {
		return fmt.Errorf("read the built-in templates: %w", err)
	}
	mac := hmac.New(sha256.New, a.secrets.signer.Secret)
	mac.Write([]byte("pages of a python authenticator"))
	f.CookieSecret = mac.Sum(nil) // its own: these cookies are worth nothing to the hub
	f.DBURL, f.DefaultURL = a.cfg.JupyterHub.DBURL, a.cfg.JupyterHub.DefaultURL
	return nil
}

// pageTables are the routes of pages in Python; their number and methods are the configuration's affair.
func (p *pythonPart) pageTables(site *web.Site) []httpmw.Table {
	if p == nil || p.pages == nil {
		return nil
	}
	pages, programs := httpmw.Table{Prefix: "/hub"}, httpmw.Table{Prefix: "/hub", API: true}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		route := httpmw.Route{Method: method, Path: pythonPagePath + "/*", Access: httpmw.Public(), Handler: p.servePage(site)}
		pages.Routes = append(pages.Routes, route)
		route.Path = pythonAPIPath + "/*"
		programs.Routes = append(programs.Routes, route)
	}
	return []httpmw.Table{pages, programs}
}

var pathParameter = regexp.MustCompile(`\\\{[^/]*\\\}|\\\*`)

// ownPaths tells which paths below the hub are the hub's own.
func ownPaths(tables []httpmw.Table) func(path string) bool {
	var all []string
	for _, t := range tables {
		for _, route := range t.Routes {
			all = append(all, pathParameter.ReplaceAllStringFunc(regexp.QuoteMeta(strings.TrimPrefix(t.Prefix, "/hub")+route.Path), func(part string) string {
				if part == `\*` {
					return `.*`
				}
				return `[^/]+`
			}))
		}
	}
	return regexp.MustCompile("^(?:" + strings.Join(all, "|") + ")$").MatchString
}

// routePages sends requests for pages in Python to their route: an authenticator's in place of the hub's own, others where the hub has none.
func (p *pythonPart) routePages(prefix string, own func(path string) bool, next http.Handler) http.Handler {
	if p == nil || p.pages == nil {
		return next
	}
	if plain, err := url.PathUnescape(prefix); err == nil {
		prefix = plain
	}
	prefix = strings.TrimSuffix(prefix, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, prefix)
		kind := p.pages.Match(path)
		if !ok || kind == pybridge.NoPage || kind != pybridge.OwnPage && own(path) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPageForm))
		if err != nil {
			http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
			return
		}
		call := &pybridge.PageCall{URI: r.URL.RequestURI(), Body: body}
		inner := r.WithContext(context.WithValue(r.Context(), pageCallKey{}, call))
		target, to := *r.URL, pythonPagePath
		if kind == pybridge.ExtraAPI {
			to = pythonAPIPath
		}
		target.Path, target.RawPath = prefix+to+path, ""
		inner.URL, inner.Body = &target, io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, inner)
	})
}

// servePage asks the child for the page, and does what it wants done about the session.
func (p *pythonPart) servePage(site *web.Site) httpmw.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		call, ok := r.Context().Value(pageCallKey{}).(*pybridge.PageCall)
		if !ok {
			return &hub.Error{Kind: hub.NotFound}
		}
		call.XSRF = httpmw.PageToken(r)
		if id := httpmw.Identity(r); id != nil {
			call.Scopes = id.Expanded
		}
		a, err := p.pages.Do(r, *call)
		if err != nil {
			return &hub.Error{Kind: hub.Unavailable, Message: "The page cannot be shown at the moment, try again", Err: err}
		}
		if a.Failed {
			return pageError(a)
		}
		for key, values := range a.Header {
			w.Header()[key] = append(w.Header()[key], values...)
		}
		for _, single := range []string{"Content-Type", "Location", "Cache-Control"} {
			if values := a.Header[single]; len(values) > 0 {
				w.Header()[single] = values
			}
		}
		if a.Logout {
			err = site.LogOut(w, r)
		}
		if user := p.dir.redeem(a.Ticket); user != nil && err == nil {
			err = site.LogIn(w, r, user)
		} else if r.Method == http.MethodGet && err == nil {
			site.PrepareForm(w, r)
		}
		if err != nil {
			return err
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body) // the client may be gone
		return nil
	}
}

// pageError makes the error of a page one of the hub's own.
func pageError(a *pybridge.PageAnswer) error {
	e := &hub.Error{Kind: hub.Failed, Status: a.Status, Message: a.Message, HTMLMessage: a.HTML}
	if a.Status >= http.StatusInternalServerError {
		e.Err = errors.New("a page in python failed; its exception is in the log")
	}
	return e
}
