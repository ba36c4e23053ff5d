package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// arg returns the last value of a query or form argument without surrounding space, as Tornado's get_argument.
func arg(r *http.Request, name string) string {
	if r.Form == nil {
		return strings.TrimSpace(last(r.URL.Query()[name]))
	}
	if v, ok := r.PostForm[name]; ok {
		return strings.TrimSpace(last(v))
	}
	if r.MultipartForm != nil {
		if v, ok := r.MultipartForm.Value[name]; ok {
			return strings.TrimSpace(last(v))
		}
	}
	return strings.TrimSpace(last(r.URL.Query()[name]))
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// safeNext returns a target from outside reduced to a path of our own, or "".
func (s *Site) safeNext(r *http.Request, next string) string {
	o := urlpath.NextOptions{Scheme: s.scheme(r), Host: r.Host, SubdomainHost: s.o.URLs.SubdomainHost}
	if public, err := url.Parse(s.o.URLs.PublicURL); err == nil && public.Host != "" {
		o.Scheme, o.Host = public.Scheme, public.Host
	}
	path, _ := urlpath.SafeNext(next, o)
	return path
}

func (s *Site) scheme(r *http.Request) string {
	if s.mw != nil {
		return s.mw.Scheme(r)
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// nextURL decides where a person goes on: the argument next when it is safe, else fallback, else JupyterHub.default_url, else the
// person's own server or the home page. The request's other arguments come along unless next decided.
func (s *Site) nextURL(r *http.Request, user *orm.User, fallback string) string {
	if next := s.safeNext(r, arg(r, "next")); next != "" {
		return next
	}
	target := fallback
	if target == "" && s.o.Traits.Redirects.DefaultURL != nil {
		target = s.o.Traits.Redirects.DefaultURL(r, user)
	}
	if target == "" {
		target = s.afterLogin(r, user)
	}
	return appendQuery(target, r.URL.RawQuery, "next", "_xsrf")
}

// afterLogin is the usual place to go on: the own server when it is active, the spawn page when it is not.
func (s *Site) afterLogin(r *http.Request, user *orm.User) string {
	if user == nil || !s.o.Traits.Redirects.RedirectToServer {
		return s.hub + "home"
	}
	if v, err := s.o.Hub.Servers.View(r.Context(), user, ""); err == nil && v.Active {
		return s.o.URLs.ServerURL(user.Name, "")
	}
	return s.hub + "spawn"
}

// appendQuery adds the arguments of a query to a URL, in their order and spelling, without the excluded ones.
func appendQuery(target, rawQuery string, exclude ...string) string {
	var keep []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		key, _, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(key)
		if part == "" || err != nil || slices.Contains(exclude, name) {
			continue
		}
		keep = append(keep, part)
	}
	return addQuery(target, strings.Join(keep, "&"))
}

// addQuery adds a written query to a URL, in front of its fragment.
func addQuery(target, query string) string {
	if query == "" {
		return target
	}
	target, fragment, hasFragment := strings.Cut(target, "#")
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	target += separator + query
	if hasFragment {
		target += "#" + fragment
	}
	return target
}

// withArg adds one argument to a URL.
func withArg(target, name, value string) string {
	return addQuery(target, name+"="+url.QueryEscape(value))
}

// redirect answers with a Location. Unlike http.Redirect it leaves the path as it is: "//" and "." may be part of a server's URL.
func redirect(w http.ResponseWriter, status int, target string) error {
	var b strings.Builder
	for i := range len(target) {
		c := target[i]
		if c <= ' ' || c >= 0x7f {
			const hex = "0123456789ABCDEF"
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
			continue
		}
		b.WriteByte(c)
	}
	w.Header().Set("Location", b.String())
	w.WriteHeader(status)
	return nil
}

// root is /hub/: default_url, else where a logged-in person goes on, else the login page.
func (s *Site) root(w http.ResponseWriter, r *http.Request) error {
	user := pageUser(r)
	if f := s.o.Traits.Redirects.DefaultURL; f != nil {
		if target := f(r, user); target != "" {
			return redirect(w, http.StatusFound, target)
		}
	}
	if user != nil {
		return redirect(w, http.StatusFound, s.nextURL(r, user, ""))
	}
	return redirect(w, http.StatusFound, withArg(s.loginURL(), "next", r.URL.RequestURI()))
}

// addSlash sends {base}hub, {base}user/NAME and {base}services/NAME to the same with a slash.
func addSlash(w http.ResponseWriter, r *http.Request) error {
	target := r.URL.EscapedPath() + "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	return redirect(w, http.StatusMovedPermanently, "/"+strings.TrimLeft(target, "/"))
}

// outside answers everything that is not below {base}hub/: what the proxy sends here because no server or service claims it.
func (s *Site) outside(w http.ResponseWriter, r *http.Request) error {
	path := r.URL.EscapedPath()
	rest, below := strings.CutPrefix(path, s.o.URLs.BaseURL)
	if path+"/" == s.o.URLs.BaseURL {
		rest, below = "", true
	}
	switch {
	case path == "/favicon.ico":
		return s.static.send(w, r, s.static.files["favicon.ico"])
	case path == "/robots.txt":
		return &hub.Error{Kind: hub.NotFound}
	case below && (rest == "hub" || slashMissing(rest)):
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return &hub.Error{Kind: hub.Invalid, Status: http.StatusMethodNotAllowed}
		}
		return addSlash(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return &hub.Error{Kind: hub.Forbidden, Message: "'_xsrf' argument missing from " + r.Method,
			Hint: "nothing answers at this address: the server or service may have stopped, or the address lacks the hub's prefix " + s.hub}
	}
	target := s.hub + strings.TrimLeft(rest, "/")
	if !below {
		target = s.hub + strings.TrimLeft(path, "/")
	}
	if public := s.o.URLs.PublicURL; public != "" {
		if u, err := url.Parse(public); err == nil && u.Host != "" {
			target = u.Scheme + "://" + u.Host + target
		}
	}
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	return redirect(w, http.StatusFound, target)
}

// slashMissing matches user/NAME and services/NAME.
func slashMissing(rest string) bool {
	kind, name, ok := strings.Cut(rest, "/")
	return ok && (kind == "user" || kind == "services") && name != "" && !strings.Contains(name, "/")
}
