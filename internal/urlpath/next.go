package urlpath

import (
	"net/url"
	"strings"
)

// NextOptions says which origins count as our own.
type NextOptions struct {
	Scheme        string // "http" or "https" as the browser sees it: of public_url, else of the request
	Host          string // host[:port] as the browser sees it; "" when unknown: then only paths are accepted
	SubdomainHost string // host[:port] of subdomain_host; "" without subdomains. Hosts below it are accepted too
}

// SafeNext decides whether a `next` parameter may be redirected to, and returns it reduced to path, query and fragment.
// Accepted are paths, and URLs of our own origin or at or below the subdomain host; everything else gives "", false, which
// callers treat like an absent parameter.
//
// It is JupyterHub's algorithm, with refusals added on top, because a Location is read by browsers and not by us:
// control characters anywhere, what net/url refuses (malformed escapes), and results that a browser would read
// as having a host. The result always starts with exactly one slash.
func SafeNext(next string, o NextOptions) (path string, ok bool) {
	if next == "" || hasControl(next) {
		return "", false
	}
	next = strings.ReplaceAll(next, `\`, "%5C") // browsers read \ as /
	if strings.HasPrefix(next, "///") {
		next = "//" + strings.TrimLeft(next, "/") // browsers do, and find a host behind them
	}
	u, valid := splitURL(next)
	if !valid {
		return "", false
	}
	if ownOrigin(next, u.host, o) {
		next = "/" + strings.TrimLeft(u.path, "/")
		if u.query != "" {
			next += "?" + u.query
		}
		if u.fragment != "" {
			next += "#" + u.fragment
		}
		u = splitParts{}
	}
	if u.host != "" || !strings.HasPrefix(next, "/") {
		return "", false
	}
	if _, err := url.Parse(next); err != nil || !browserPath(next) {
		return "", false
	}
	return next, true
}

// ownOrigin tests by text, as JupyterHub does: a prefix that ends at a slash cannot be extended to another host.
func ownOrigin(next, host string, o NextOptions) bool {
	withSlash := next + "/"
	if o.Host != "" && (strings.HasPrefix(withSlash, o.Scheme+"://"+o.Host+"/") || strings.HasPrefix(withSlash, "//"+o.Host+"/")) {
		return true
	}
	return o.SubdomainHost != "" && host != "" && strings.HasSuffix("."+host, "."+o.SubdomainHost)
}

// browserPath reports whether a browser reads s, given as a Location, as a path on the same host: after removing
// what the URL standard removes (tabs, newlines, outer control characters and spaces) one slash or backslash leads.
func browserPath(s string) bool {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	if s == "" || s[0] != '/' {
		return false
	}
	return len(s) == 1 || s[1] != '/' && s[1] != '\\'
}

type splitParts struct{ host, path, query, fragment string }

// splitURL cuts a URL as Python's urlparse does, which accepts more than net/url; it fails on unbalanced brackets.
func splitURL(s string) (u splitParts, ok bool) {
	if i := strings.IndexByte(s, ':'); i > 0 && isScheme(s[:i]) {
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		end := strings.IndexAny(s[2:], "/?#")
		if end < 0 {
			end = len(s) - 2
		}
		u.host, s = s[2:2+end], s[2+end:]
		if strings.Contains(u.host, "[") != strings.Contains(u.host, "]") {
			return u, false
		}
	}
	s, u.fragment, _ = strings.Cut(s, "#")
	s, u.query, _ = strings.Cut(s, "?")
	if i := strings.IndexByte(s[strings.LastIndexByte(s, '/')+1:], ';'); i >= 0 {
		s = s[:strings.LastIndexByte(s, '/')+1+i] // parameters of the last segment are dropped from own URLs
	}
	u.path = s
	return u, true
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if 'a' <= c && c <= 'z' || i > 0 && ('0' <= s[i] && s[i] <= '9' || strings.IndexByte("+-.", s[i]) >= 0) {
			continue
		}
		return false
	}
	return s != ""
}
