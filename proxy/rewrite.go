package proxy

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// forwardedHeaders are what proxies tell about the client; Tornado believes several of them.
var forwardedHeaders = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Real-Ip", "X-Scheme",
	"X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Scheme",
}

func dropForwarded(h http.Header) {
	for _, name := range forwardedHeaders {
		delete(h, name)
	}
}

// rewrite turns the client's request into the backend's.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	c := pr.In.Context().Value(callKey{}).(*call)
	t := c.route.target
	out := pr.Out
	p.setURL(out.URL, pr.In, c.route)
	out.Host = pr.In.Host
	out.Trailer = pr.In.Trailer // the server fills this map at the end of the body; ReverseProxy made a copy before
	if p.o.Rewrite.ChangeOrigin {
		out.Host = t.header
	}
	restoreNamed(out.Header, pr.In.Header)
	if c.trusted { // ReverseProxy has removed them
		for _, name := range forwardedHeaders {
			if v, ok := pr.In.Header[name]; ok {
				out.Header[name] = v
			}
		}
	}
	if p.o.XForward {
		setForwarded(out.Header, pr.In)
	}
	for name, v := range p.o.Rewrite.Headers {
		if name == "Host" {
			out.Host = v[0]
			continue
		}
		out.Header[name] = slices.Clone(v)
	}
}

// setURL points u at the backend, with the client's path and query byte by byte.
func (p *Proxy) setURL(u *url.URL, in *http.Request, route *entry) {
	t := route.target
	u.Scheme, u.Host, u.User = t.scheme, t.host, nil
	u.RawQuery = in.URL.RawQuery // ReverseProxy re-encodes queries that it finds odd
	path := rawPath(in)
	if p.o.Rewrite.StripPrefix {
		path = stripSegments(path, route.segments)
	}
	if !p.o.Rewrite.IgnoreTarget {
		path = t.prefix + path
		if t.query != "" {
			u.RawQuery = strings.TrimSuffix(t.query+"&"+u.RawQuery, "&")
		}
	}
	u.Opaque = ""
	u.Path, u.RawPath = path, path
	if dec, err := url.PathUnescape(path); err == nil {
		u.Path = dec
	}
	if u.EscapedPath() != path && !strings.HasPrefix(path, "//") {
		u.Opaque = path // net/url would encode some characters that the client did not
	}
}

// stripSegments removes n leading segments of an escaped path.
func stripSegments(path string, n int) string {
	rest := path
	for range n {
		i := strings.IndexByte(rest[min(1, len(rest)):], '/')
		if i < 0 {
			return "/"
		}
		rest = rest[i+1:]
	}
	return rest
}

// setForwarded appends this hop to the X-Forwarded-* headers, in configurable-http-proxy's form: comma without space,
// "ws" or "wss" as the protocol of an upgrade.
func setForwarded(h http.Header, in *http.Request) {
	client := peer(in).String()
	proto, port := "http", "80"
	if in.TLS != nil {
		proto, port = "https", "443"
	}
	if strings.EqualFold(in.Header.Get("Upgrade"), "websocket") {
		proto = strings.Replace(proto, "http", "ws", 1)
	}
	if _, pt, err := net.SplitHostPort(in.Host); err == nil && pt != "" {
		port = pt
	}
	for _, f := range [...]struct{ name, value string }{{"X-Forwarded-For", client}, {"X-Forwarded-Port", port}, {"X-Forwarded-Proto", proto}} {
		if f.value == "invalid IP" { // the peer of a unix socket has no address
			continue
		}
		if old := h[f.name]; len(old) > 0 {
			f.value = strings.Join(old, ",") + "," + f.value
		}
		h[f.name] = []string{f.value}
	}
	if h.Get("X-Forwarded-Host") == "" {
		h["X-Forwarded-Host"] = []string{in.Host}
	}
}

// restoreNamed puts back end-to-end headers that a client named in its Connection header. ReverseProxy removes what is named
// there, as RFC 9110 §7.6.1 wants for connection options; naming Cookie or Authorization is an attack.
func restoreNamed(out, in http.Header) {
	for _, line := range in["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			if v, ok := in[name]; ok && endToEnd(name) {
				out[name] = v
			}
		}
	}
}

// endToEnd reports whether a header may never be a connection option: backends decide by it.
func endToEnd(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Origin", "Referer", "Range", "If-Match", "If-None-Match", "Accept", "User-Agent", "Expect":
		return true
	}
	return strings.HasPrefix(name, "X-") || strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "Content-")
}

// modifyResponse tracks upgraded connections and, when told to, rewrites redirects.
func (p *Proxy) modifyResponse(res *http.Response) error {
	c := res.Request.Context().Value(callKey{}).(*call)
	if res.StatusCode == http.StatusSwitchingProtocols {
		return p.upgrades.track(res, c)
	}
	c.answers = true
	o := p.o.Rewrite
	if !o.AutoLocation && o.LocationScheme == "" {
		return nil
	}
	switch res.StatusCode {
	case 201, 301, 302, 307, 308:
	default:
		return nil
	}
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil || u.Host == "" || u.Host != c.route.target.header {
		return nil
	}
	if o.AutoLocation {
		u.Host = c.clientHost
	}
	if o.LocationScheme != "" {
		u.Scheme = o.LocationScheme
	}
	res.Header.Set("Location", u.String())
	return nil
}
