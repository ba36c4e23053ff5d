package httpmw

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Environment variables that tune the id of browsers that are not logged in.
const (
	XSRFAnonymousIPCIDRsEnv   = "JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS"
	XSRFAnonymousIDHeadersEnv = "JUPYTERHUB_XSRF_ANONYMOUS_ID_HEADERS"
)

// xsrfMaxAge is how long a token is accepted; the cookie usually ends earlier.
const xsrfMaxAge = 31 * 24 * time.Hour

// XSRF makes and checks the tokens that a cookie-authenticated request must carry, to prove that it comes from a page of
// the hub. A token is a signed cookie value whose content is an id: of the login session, or of the anonymous browser.
// So a token is worth nothing to another user, or after the login has changed. Safe for concurrent use.
type XSRF struct {
	signer  Signer
	cidrs   []netip.Prefix
	headers []string
}

// NewXSRF reads the two environment variables through lookup (os.LookupEnv); nil means that neither is set.
func NewXSRF(signer Signer, lookup func(string) (string, bool)) (*XSRF, error) {
	if len(signer.Secret) == 0 {
		return nil, errors.New("xsrf tokens need a cookie secret: see JupyterHub.cookie_secret_file")
	}
	x := &XSRF{signer: signer, headers: []string{"User-Agent"}}
	if lookup == nil {
		return x, nil
	}
	if text, _ := lookup(XSRFAnonymousIPCIDRsEnv); text != "" {
		for part := range strings.SplitSeq(text, ";") {
			cidr, err := parseCIDR(part)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w: write networks like 10.0.0.0/8 separated by semicolons", XSRFAnonymousIPCIDRsEnv, part, err)
			}
			x.cidrs = append(x.cidrs, cidr)
		}
	}
	if text, ok := lookup(XSRFAnonymousIDHeadersEnv); ok {
		x.headers = strings.Split(text, ";")
	}
	return x, nil
}

// parseCIDR reads what Python's ip_network takes: a network with a length or an IPv4 netmask, or one address.
func parseCIDR(text string) (netip.Prefix, error) {
	host, mask, ok := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}, errors.New("not an address")
	}
	bits := addr.BitLen()
	if dotted := net.ParseIP(mask).To4(); ok && dotted != nil && addr.Is4() {
		var size int
		if bits, size = net.IPMask(dotted).Size(); size == 0 {
			return netip.Prefix{}, errors.New("not a netmask")
		}
	} else if ok {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return netip.Prefix{}, errors.New("not a network")
		}
		bits = prefix.Bits()
	}
	prefix := netip.PrefixFrom(addr, bits)
	if prefix.Masked() != prefix {
		return netip.Prefix{}, fmt.Errorf("has host bits set, the network is %s", prefix.Masked())
	}
	return prefix, nil
}

// UserTokenID is the id of a browser that is logged in.
func (*XSRF) UserTokenID(sessionID, cookieID string) string { return sessionID + ":" + cookieID }

// ServiceTokenID is the id of a service that fetches a page with its token.
func (*XSRF) ServiceTokenID() string { return ":" }

// AnonymousTokenID is the id of a browser that is not logged in: it should be stable from the login page to its submit, and
// hard to share. remoteIP is the client's address, h the request's headers.
func (x *XSRF) AnonymousTokenID(sessionID, remoteIP string, h http.Header) string {
	if sessionID == "" {
		sessionID = "None" // as Python writes it
	}
	return sessionID + ":" + x.anonymousID(remoteIP, h)
}

// anonymousID hashes the address and the configured headers. An address inside of a configured network is replaced by the
// network: it belongs to one of several proxies, and may differ between two requests of one browser.
func (x *XSRF) anonymousID(remoteIP string, h http.Header) string {
	hash := sha256.New()
	if addr, err := netip.ParseAddr(remoteIP); err == nil {
		if i := slices.IndexFunc(x.cidrs, func(p netip.Prefix) bool { return p.Contains(addr) }); i >= 0 {
			remoteIP = x.cidrs[i].String()
		}
	}
	hash.Write([]byte(remoteIP))
	for _, name := range x.headers {
		hash.Write([]byte(latin1Text(strings.Join(h.Values(name), ","))))
		hash.Write([]byte{0xff}) // cannot stand in UTF-8, so it separates
	}
	return base64.URLEncoding.EncodeToString(hash.Sum(nil))
}

// latin1Text returns the UTF-8 of header bytes as Tornado reads them.
func latin1Text(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// XSRFToken is the token of a browser for its current id.
type XSRFToken struct {
	Value string // what pages carry, and what the cookie holds
	// SetCookie: the browser has no such cookie yet, and this request may set it (Cookies.SetXSRF).
	SetCookie bool
}

// Token returns the browser's own token when its Cookie header has one for this id, else a new one. A cookie may be set on
// navigations only, which a script cannot make: Sec-Fetch-Mode "navigate", or absent in older browsers and on plain http.
func (x *XSRF) Token(cookieHeader, id, fetchMode string) XSRFToken {
	if token, found := x.cookieToken(cookieHeader); token != "" && found == id {
		return XSRFToken{Value: token}
	}
	return XSRFToken{Value: x.New(id), SetCookie: fetchMode == "" || fetchMode == "navigate"}
}

// New makes a token for an id.
func (x *XSRF) New(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(x.signer.Sign(XSRFCookie, id, x.signer.now())))
}

// cookieToken finds the first _xsrf cookie whose signature is right, with its id. Browsers send several when other paths of
// the host have their own, in an order that must not matter.
func (x *XSRF) cookieToken(header string) (token, id string) {
	for name, value := range allCookies(header) {
		if name != XSRFCookie {
			continue
		}
		if id, err := x.verify(value); err == nil && id != "" {
			return value, id
		}
	}
	return "", ""
}

func (x *XSRF) verify(token string) (id string, err error) {
	signed, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(token, "="))
	if err != nil {
		return "", ErrNotSigned
	}
	return x.signer.Verify(XSRFCookie, string(signed), xsrfMaxAge)
}

// XSRFRequest is all that the check looks at.
type XSRFRequest struct {
	Method               string
	FetchMode, FetchSite string // Sec-Fetch-Mode and Sec-Fetch-Site; "" when absent
	HasOrigin            bool   // the Origin header is present
	API                  bool   // a route of the JSON API, which checks GET too
	TokenAuthenticated   bool   // by the Authorization header: no cookie, no forgery
	UserFound            bool   // some credential was accepted
	Args                 []string
	Headers              []string // X-XSRFToken, then X-CSRFToken
	Cookie               string   // the Cookie header
	ID                   string   // the browser's current id; only looked at when the check is needed
}

// XSRFDecision is the answer of the check.
type XSRFDecision struct {
	Needed  bool   // the request had to prove where it comes from
	Allowed bool   // it need not, or it did
	Message string // of the 403, in JupyterHub's words
	Hint    string // the way out
	// Token is the browser's token; made only when the check compared with it.
	Token XSRFToken
}

// Check decides whether a request may go on.
func (x *XSRF) Check(q XSRFRequest) XSRFDecision {
	if !q.needsCheck() {
		return XSRFDecision{Allowed: true}
	}
	given := q.given()
	if given == "" {
		return XSRFDecision{Needed: true, Message: fmt.Sprintf("'_xsrf' argument missing from %s", q.Method),
			Hint: "a request that is authenticated by cookie carries the value of the _xsrf cookie as X-XSRFToken header or _xsrf argument; a request with an Authorization header needs none"}
	}
	token := x.Token(q.Cookie, q.ID, q.FetchMode)
	if subtle.ConstantTimeCompare([]byte(given), []byte(token.Value)) != 1 {
		return XSRFDecision{Needed: true, Token: token,
			Message: fmt.Sprintf("XSRF cookie does not match %s argument", strings.ToUpper(q.Method)),
			Hint:    "the page is older than the login, or its _xsrf cookie is gone: reload the page and try again"}
	}
	return XSRFDecision{Needed: true, Allowed: true, Token: token}
}

// needsCheck tells whether the request has to prove where it comes from.
func (q XSRFRequest) needsCheck() bool { return q.exemption() == "" }

// exemption holds JupyterHub's exceptions, in words; "" for a request that is checked. They differ: the JSON API also checks GET,
// because its answers are worth reading.
func (q XSRFRequest) exemption() string {
	if q.TokenAuthenticated {
		return "an Authorization header says who asks; no browser sends it by itself"
	}
	method := strings.ToUpper(q.Method)
	get := method == http.MethodGet
	if method == http.MethodHead || method == http.MethodOptions || get && !q.API {
		return "a page view: " + method + " changes nothing"
	}
	// Without a user there is nothing to forge, and the access check's own 403 says more. A cross-site request, which has an
	// Origin, must not learn from that whether the browser is logged in.
	if q.API && !q.UserFound && !q.HasOrigin {
		return "nobody is logged in, so there is nothing to forge"
	}
	switch {
	case q.FetchMode == "websocket":
		return "a WebSocket, which has its own check of the origin"
	case (q.FetchMode == "" || q.FetchMode == "navigate") && get:
		return "a page view; its answer is not readable across sites"
	case q.FetchMode == "no-cors" && get && q.FetchSite == "same-origin": // across sites this is what forged forms look like (GHSA-m68r-v472-jgq9)
		return "an image or the like of a page of the same origin"
	}
	return ""
}

// given is the token that the request carries: the last argument, as Tornado's get_argument, else the headers.
func (q XSRFRequest) given() string {
	if n := len(q.Args); n > 0 {
		if token := strings.TrimSpace(q.Args[n-1]); token != "" {
			return token
		}
	}
	for _, token := range q.Headers {
		if token != "" {
			return token
		}
	}
	return ""
}
