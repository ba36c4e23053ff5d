package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Names of the hub's cookies.
const (
	LoginCookie   = "jupyterhub-hub-login"
	SessionCookie = "jupyterhub-session-id"
	XSRFCookie    = "_xsrf"

	hostCookiePrefix = "__Host-"
	servicesCookie   = "jupyterhub-services" // set by JupyterHub before 3.2; only cleared
)

// loginCookieDays is how long a browser keeps the login cookie (Tornado's default); it is accepted for CookieOptions.MaxAge only.
const loginCookieDays = 30

// anonymousXSRFSeconds is how long a browser keeps the _xsrf cookie of somebody who is not logged in.
const anonymousXSRFSeconds = 3600

// ErrNoCookie means that the request has no login cookie at all.
var ErrNoCookie = errors.New("no login cookie")

// CookieOptions configure Cookies.
type CookieOptions struct {
	BaseURL   string // JupyterHub.base_url, like "/" or "/jhub/"
	HubPrefix string // BaseURL + "hub/"
	// PublicURL decides whether cookies are Secure; "" leaves it to each request's scheme.
	PublicURL string
	// HostPrefix is cookie_host_prefix_enabled: the login cookie is called __Host-…, which needs https and the path "/".
	HostPrefix bool
	// Domain is the hub's domain when servers have subdomains, else "". Only the session id is shared with them.
	Domain string
	// MaxAge is cookie_max_age_days: how long a login cookie is accepted. 0 is 14 days.
	MaxAge time.Duration
	// Attributes is tornado_settings["cookie_options"], laid over the login and session cookies.
	Attributes map[string]any
	// XSRFAttributes is tornado_settings["xsrf_cookie_kwargs"]; empty means Attributes.
	XSRFAttributes map[string]any
}

// Cookies writes and reads the hub's cookies exactly as JupyterHub does. Safe for concurrent use.
//
// The https argument of its methods is whether the client's own connection is encrypted; it counts only without PublicURL.
type Cookies struct {
	signer       Signer
	o            CookieOptions
	attributes   cookieAttributes
	xsrf         cookieAttributes
	publicScheme string // "" follows the request
}

// NewCookies checks the options; every bad attribute is in the error.
func NewCookies(signer Signer, o CookieOptions) (*Cookies, error) {
	if len(signer.Secret) == 0 {
		return nil, errors.New("cookies need a cookie secret: see JupyterHub.cookie_secret_file")
	}
	if o.MaxAge == 0 {
		o.MaxAge = 14 * 24 * time.Hour
	}
	if len(o.XSRFAttributes) == 0 {
		o.XSRFAttributes = o.Attributes
	}
	c := &Cookies{signer: signer, o: o}
	var err, xsrfErr, urlErr, pathErr error
	c.attributes, err = parseCookieAttributes("cookie_options", o.Attributes)
	c.xsrf, xsrfErr = parseCookieAttributes("xsrf_cookie_kwargs", o.XSRFAttributes)
	if o.PublicURL != "" {
		public, err := url.Parse(o.PublicURL)
		if err != nil || public.Scheme == "" {
			urlErr = fmt.Errorf("JupyterHub.public_url %q: must be a URL with scheme and host", o.PublicURL)
		} else {
			c.publicScheme = public.Scheme
		}
	}
	for _, path := range []string{o.BaseURL, o.HubPrefix} {
		if _, bad := cookieText(path); bad != nil || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") {
			pathErr = fmt.Errorf("JupyterHub.base_url: the cookie path %q must begin and end with a slash, and be escaped", path)
		}
	}
	if err := errors.Join(err, xsrfErr, urlErr, pathErr); err != nil {
		return nil, err
	}
	return c, nil
}

// LoginName is the name of the login cookie, which is also what its value is signed for.
func (c *Cookies) LoginName() string {
	if c.o.HostPrefix {
		return hostCookiePrefix + LoginCookie
	}
	return LoginCookie
}

// SetLogin logs a browser in as the user with this cookie_id.
func (c *Cookies) SetLogin(h http.Header, https bool, cookieID string) {
	now := c.signer.now()
	cookie := c.protected(https)
	cookie.name = c.LoginName()
	cookie.value = c.signer.Sign(cookie.name, cookieID, now)
	cookie.expires = now.AddDate(0, 0, loginCookieDays)
	c.attributes.apply(&cookie)
	cookie.path = c.o.HubPrefix
	putCookie(h, hostPrefixed(cookie))
}

// Login reads the cookie_id that the request's login cookie is signed for. ErrNoCookie: there is none. Any other error:
// there is one, which is to be dropped with DropLogin.
func (c *Cookies) Login(h http.Header) (cookieID string, err error) {
	value := cookieValue(h, c.LoginName())
	if value == "" {
		return "", ErrNoCookie
	}
	if cookieID, err = c.signer.VerifyLogin(c.LoginName(), value, c.o.MaxAge); err != nil {
		return "", fmt.Errorf("login cookie: %w", err)
	}
	return cookieID, nil
}

// DropLogin takes away a login cookie that is not accepted.
func (c *Cookies) DropLogin(h http.Header) {
	putCookie(h, expiredCookie(setCookie{name: c.LoginName(), path: c.o.HubPrefix}))
}

// ClearLogin logs a browser out: it takes away all of the hub's cookies. hadSession is whether the request had a session id.
func (c *Cookies) ClearLogin(h http.Header, hadSession bool) {
	if hadSession {
		putCookie(h, expiredCookie(setCookie{name: SessionCookie, path: c.o.BaseURL, domain: c.o.Domain}))
	}
	c.DropLogin(h)
	putCookie(h, expiredCookie(setCookie{name: servicesCookie, path: c.o.BaseURL + "services"}))
	xsrf := setCookie{name: XSRFCookie, path: c.o.HubPrefix}
	setAttribute(&xsrf.domain, c.xsrf.domain)
	putCookie(h, expiredCookie(xsrf))
}

// SessionID reads the browser's session id; "" when there is none. The cookie is not signed, on purpose: services on the
// same host read it. What does not look like a session id is none.
func (c *Cookies) SessionID(h http.Header) string {
	id := cookieValue(h, SessionCookie)
	if len(id) > 64 {
		return ""
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return ""
		}
	}
	return id
}

// NewSessionID makes a session id: 32 hex digits.
func NewSessionID() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// SetSession gives the browser a session id, for as long as the browser runs.
func (c *Cookies) SetSession(h http.Header, https bool, id string) {
	cookie := c.protected(https)
	cookie.name, cookie.value = SessionCookie, id
	c.attributes.apply(&cookie)
	cookie.path = c.o.BaseURL
	if c.o.Domain != "" {
		cookie.domain = c.o.Domain
	}
	putCookie(h, cookie)
}

// SetXSRF gives the browser its XSRF token. Scripts of the hub's pages read it, so it is not HttpOnly. Before the login it
// lives for an hour.
func (c *Cookies) SetXSRF(h http.Header, token string, loggedIn bool) {
	cookie := setCookie{name: XSRFCookie, value: token}
	c.xsrf.apply(&cookie)
	cookie.path = c.o.HubPrefix
	if !loggedIn {
		cookie.expires, cookie.maxAge = time.Time{}, anonymousXSRFSeconds
	}
	putCookie(h, cookie)
}

// protected is a cookie that scripts cannot read, and that stays on https where that is in use.
func (c *Cookies) protected(https bool) setCookie {
	if c.publicScheme != "" {
		https = c.publicScheme == "https"
	}
	return setCookie{httpOnly: true, secure: https}
}

// hostPrefixed does what browsers demand of a __Host- cookie; a domain would make them drop it.
func hostPrefixed(c setCookie) setCookie {
	if strings.HasPrefix(c.name, hostCookiePrefix) {
		c.path, c.secure, c.domain = "/", true, ""
	}
	return c
}

func expiredCookie(c setCookie) setCookie {
	c.expires = time.Now().AddDate(0, 0, -365)
	return hostPrefixed(c)
}
