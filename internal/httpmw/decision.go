package httpmw

import (
	"net/http"

	"github.com/minihub/minihub/hub"
)

// Decision is what the middleware found out about one request and decided. The inspector of "minihub dev" shows it; where nobody looks
// ([Options.Decided] is nil) none is made.
type Decision struct {
	RequestID string
	Identity  *hub.Identity // nil: nobody
	SessionID string        // of the browser, "" when it has none
	ByCookie  bool          // the identity comes from the login cookie
	Route     string        // pattern of the route table, "" for addresses without a line
	Access    Access        // of the route; the zero value without a route
	XSRF      *XSRFTrace    // nil: the request did not come that far
	Err       *hub.Error    // the refusal or failure, nil for none
	Status    int
}

// XSRFTrace tells how the check of a request's XSRF token went.
type XSRFTrace struct {
	XSRFDecision
	Exempt  string // why no check was needed, "" when one was
	BoundTo string // what the token has to be bound to, in words
	Given   bool   // the request carries a token, in an argument or a header
	Cookie  bool   // the browser sent an _xsrf cookie with a valid signature
}

// decided tells the watcher about a request that is over.
func (m *Middleware) decided(r *http.Request, s *state) {
	if s.decision == nil {
		return
	}
	d := s.decision
	d.RequestID, d.Identity, d.SessionID, d.ByCookie, d.Status = s.requestID, s.identity, s.session.ID, s.session.CookieID != "", s.rec.status
	m.o.Decided(r, *d)
}

// traceXSRF remembers a check of an XSRF token, when somebody looks.
func (s *state) traceXSRF(x *XSRF, q XSRFRequest, d XSRFDecision) {
	if s.decision == nil {
		return
	}
	t := &XSRFTrace{XSRFDecision: d, Exempt: q.exemption(), Given: q.given() != ""}
	token, _ := x.cookieToken(q.Cookie)
	t.Cookie = token != ""
	switch {
	case s.session.CookieID != "":
		t.BoundTo = "this browser's login: its session id and the user's cookie id"
	case s.identity != nil && s.identity.Service != nil:
		t.BoundTo = "a service"
	default:
		t.BoundTo = "a browser that is not logged in: its session id, address and User-Agent"
	}
	s.decision.XSRF = t
}
