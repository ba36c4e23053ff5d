package trace

import "strings"

// CookieMeaning says what a cookie is.
type CookieMeaning struct {
	Name, Path, Purpose string
}

// ExplainCookie says what a cookie of the hub, of a service or of a server is for. base is base_url.
func ExplainCookie(name, base string) CookieMeaning {
	c := CookieMeaning{Name: name}
	switch plain := strings.TrimPrefix(name, "__Host-"); {
	case plain == "jupyterhub-hub-login":
		c.Path, c.Purpose = base+"hub/", "The login. A signed value that names the user by their cookie id. Only the hub gets it, scripts cannot read it; changing the cookie id in the database logs all browsers of the user out."
	case plain == "jupyterhub-session-id":
		c.Path, c.Purpose = base, "The session of this browser. Not signed and not a proof of anything: it ties the OAuth tokens that are made during one login together, so that logging out of the hub ends them all. Services read it, to notice a logout."
	case plain == "_xsrf":
		c.Path, c.Purpose = "the path of whoever set it ("+base+"hub/ for the hub's own)", "Proof that a request comes from a page of the same application. It is the base64 of a signed value: format 2 | key version | time | name _xsrf | id | HMAC-SHA256 with the cookie secret. The id is session id:cookie id of the login, or session id:hash of address and User-Agent before the login. A request that changes something must carry the same value in an _xsrf argument or an X-XSRFToken header. Services and servers have one of their own, with their own path."
	case strings.HasPrefix(plain, "service-") && strings.HasSuffix(plain, "-oauth-state"), strings.HasSuffix(plain, "oauth-state"), strings.Contains(plain, "-oauth-state-"):
		c.Path, c.Purpose = "the service", "The OAuth state: the service remembers what it sent to the hub, so that an answer that it did not ask for is refused. It lives for the few seconds of the login."
	case strings.HasPrefix(plain, "service-"):
		c.Path, c.Purpose = base+"services/"+strings.TrimPrefix(plain, "service-")+"/", "The login at the service: the OAuth token that the hub gave it for this user, encrypted by the service. The service asks the hub what it is worth (GET /hub/api/user), and remembers the answer for some minutes."
	case strings.HasPrefix(plain, "jupyterhub-user-"):
		c.Path, c.Purpose = base+"user/"+strings.TrimPrefix(plain, "jupyterhub-user-")+"/", "The login at a single-user server: the OAuth token that the hub gave it for this user."
	case plain == "jupyterhub-hub-language":
		c.Path, c.Purpose = base+"hub/", "The language of the hub's pages."
	default:
		c.Path, c.Purpose = "see the answer that sets it", "Not one of the hub's: a service or a server made it, or another program on this host. Cookies do not know ports, so everything on localhost shares them."
	}
	return c
}

// ExplainXSRF says in one sentence how the check went.
func (r *Request) ExplainXSRF() string {
	x := r.XSRF
	switch {
	case x == nil && r.To != "hub":
		return "The proxy passes requests on; " + r.To + " makes its own check."
	case x == nil:
		return "Not checked: the request was answered before, or its route checks something else."
	case x.Exempt != "":
		return "Not needed: " + x.Exempt + "."
	case x.Allowed:
		return "Matched: the request carries the token of " + x.BoundTo + "."
	case !x.Given && x.Cookie:
		return "Refused: the browser has the _xsrf cookie, but the request carries no copy of it in an _xsrf argument or X-XSRFToken header. That copy is the proof: other sites can make a browser send cookies, but cannot read them."
	case !x.Given:
		return "Refused: there is neither an _xsrf cookie nor a copy of it in the request. A page of the hub sets the cookie."
	case !x.Cookie:
		return "Refused: the request carries a token, but the browser sent no valid _xsrf cookie to compare it with."
	}
	return "Refused: the token does not belong to " + x.BoundTo + ". It was made before the login or logout, or for another browser; reload the page."
}
