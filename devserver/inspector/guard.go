package inspector

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// refusal says why a request is not for a hub that lets anybody in with any password; "" when it is. ownOnly: the request is for the
// inspector, which other pages of this machine may not use either.
//
// The port is open on loopback only, but a page of any site in the developer's browser can reach it. It must not be able to log in, so
// the Host header has to name this machine (which DNS rebinding cannot fake), and the Origin, where there is one, too.
func refusal(r *http.Request, ownOnly bool) string {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !peer.Addr().Unmap().IsLoopback() {
		return "minihub dev answers this machine only"
	}
	if !isLocal(hostname(r.Host)) {
		return "minihub dev answers at localhost and 127.0.0.1 only, not at " + hostname(r.Host) + ": a name that leads here may belong to anybody (DNS rebinding)"
	}
	for _, origin := range r.Header["Origin"] {
		if why := foreign(r, origin, ownOnly); why != "" {
			return why
		}
	}
	if ownOnly && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return "a page of another site asks for the inspector"
	}
	return ""
}

// foreign says why an Origin is refused.
func foreign(r *http.Request, origin string, ownOnly bool) string {
	if origin == "null" { // what a form of a page without referrer sends, and a page in a sandbox
		if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
			return ""
		}
		return "the request comes from a page that hides where it comes from (Origin: null)"
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || !isLocal(u.Hostname()) {
		return "the request comes from a page of another site (Origin)"
	}
	if ownOnly && !strings.EqualFold(u.Host, r.Host) {
		return "the request comes from a page of another program on this machine (Origin); the inspector listens to its own pages only"
	}
	return ""
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return host
}

// isLocal tells whether a name is this machine for every browser: localhost and what is below it (RFC 6761 section 6.3), or a loopback address.
func isLocal(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
