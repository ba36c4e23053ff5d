package httpmw

import (
	"context"
	"mime"
	"net/http"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Session is what a browser sent along.
type Session struct {
	ID       string // jupyterhub-session-id, "" when absent
	CookieID string // of a valid login cookie, "" when there is none
}

// authorize finds out who asks, applies the XSRF rules, and then the access of the route.
func (m *Middleware) authorize(w http.ResponseWriter, r *http.Request, route Route) error {
	s := stateOf(r.Context())
	if s.api && route.Access.kind == KindPublic && r.Method != http.MethodPost {
		return nil // nothing depends on who asks
	}
	if err := m.identify(w, r, s.api || route.Access.token); err != nil {
		return err
	}
	if s.identity != nil && r.Method == http.MethodGet && showsActivity(s.route.RoutePath) {
		m.o.Access.Settle(r.Context())
	}
	if !route.Access.noXSRF {
		if err := m.CheckXSRF(r); err != nil {
			return err
		}
	}
	return m.checkAccess(w, r, route.Access)
}

// showsActivity tells whether answers below a path show the activity of rows of the database, and not only of who asks.
func showsActivity(path string) bool {
	return strings.HasPrefix(path, "/hub/api/users") || path == "/hub/token" || path == "/hub/admin"
}

// identify sets the identity of the request: the Authorization header first, where it is accepted, else the login cookie.
func (m *Middleware) identify(w http.ResponseWriter, r *http.Request, acceptToken bool) error {
	s := stateOf(r.Context())
	s.session.ID = m.o.Cookies.SessionID(r.Header)
	ctx := r.Context()
	if strings.HasPrefix(s.route.RoutePath, "/hub/user/") {
		ctx = hub.WithoutActivity(ctx)
	}
	if acceptToken {
		if token := BearerToken(r); token != "" {
			id, err := m.o.Access.ByToken(ctx, token)
			if err != nil {
				return err
			}
			if id != nil {
				s.identity = id
				return m.refresh(r, s)
			}
		}
	}
	if err := m.identifyCookie(ctx, w, r, s); err != nil {
		return err
	}
	if !s.api {
		m.preparePageToken(w, r, s)
	}
	return nil
}

func (m *Middleware) identifyCookie(ctx context.Context, w http.ResponseWriter, r *http.Request, s *state) error {
	cookieID, err := m.o.Cookies.Login(r.Header)
	if err == ErrNoCookie {
		return nil
	}
	if err != nil {
		m.o.Logger.DebugContext(ctx, "login cookie not accepted", "err", err)
		m.o.Cookies.DropLogin(w.Header())
		return nil
	}
	id, err := m.o.Access.BySession(ctx, cookieID, s.session.ID)
	if err != nil {
		return err
	}
	if id == nil {
		m.o.Cookies.DropLogin(w.Header())
		return nil
	}
	if s.api && r.Method == http.MethodPost && !jsonBody(r) {
		m.o.Logger.WarnContext(ctx, "cookie-authenticated POST with a body that is not JSON counts as anonymous", "user", id.Name())
		return nil
	}
	s.session.CookieID = cookieID
	s.identity = id
	if s.session.ID == "" {
		s.session.ID = NewSessionID()
		id.SessionID = s.session.ID // BySession returned a copy of our own
		m.o.Cookies.SetSession(w.Header(), m.IsHTTPS(r), s.session.ID)
	}
	return m.refresh(r, s)
}

// jsonBody tells whether Content-Type is JSON or absent; a form of another site cannot send either.
func jsonBody(r *http.Request) bool {
	ct := r.Header.Get("Content-Type")
	if ct == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(ct)
	return err == nil && media == "application/json"
}

// BearerToken returns the token of the Authorization header ("token X" or "Bearer X", any case), "" when there is none.
func BearerToken(r *http.Request) string {
	lines := r.Header["Authorization"]
	if len(lines) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	token = strings.TrimLeft(token, " ")
	if strings.ContainsAny(token, " \t") {
		return ""
	}
	if strings.EqualFold(scheme, "token") || strings.EqualFold(scheme, "bearer") {
		return token
	}
	return ""
}

// refresh re-validates a login that is older than auth_refresh_age, at most once per user and request. A browser whose login is no longer
// valid is logged out; tokens go on unless auth_refresh_strict.
func (m *Middleware) refresh(r *http.Request, s *state) error {
	u := s.identity.User
	if u == nil || m.o.Logins == nil || !m.o.Logins.Stale(u) {
		return nil
	}
	ok, err := m.Refresh(r, u, false)
	if err != nil {
		return err
	}
	if ok { // it may have taken away what the identity was loaded with
		s.identity, err = m.o.Access.Reload(r.Context(), s.identity)
		return err
	}
	if s.identity.Token == nil || m.o.Logins.Traits().RefreshStrict {
		m.o.Logger.WarnContext(r.Context(), "login has expired", "user", u.Name)
		s.identity, s.session.CookieID = nil, ""
	}
	return nil
}

// Refresh re-validates a user's login, at most once per user and request.
func (m *Middleware) Refresh(r *http.Request, u *orm.User, force bool) (bool, error) {
	s := stateOf(r.Context())
	if ok, done := s.refreshed[u.ID]; done {
		return ok, nil
	}
	ok, err := m.o.Logins.Refresh(r.Context(), u, force)
	if err != nil {
		return false, err
	}
	if s.refreshed == nil {
		s.refreshed = map[int64]bool{}
	}
	s.refreshed[u.ID] = ok
	return ok, nil
}

// xsrfID is the id that this browser's XSRF token is bound to.
func (m *Middleware) xsrfID(r *http.Request, s *state) string {
	switch {
	case s.session.CookieID != "":
		return m.o.XSRF.UserTokenID(s.session.ID, s.session.CookieID)
	case s.identity != nil && s.identity.Service != nil:
		return m.o.XSRF.ServiceTokenID()
	}
	return m.o.XSRF.AnonymousTokenID(s.session.ID, s.remoteIP, r.Header)
}

// preparePageToken makes the token that a page's forms and scripts carry, and its cookie where one may be set.
func (m *Middleware) preparePageToken(w http.ResponseWriter, r *http.Request, s *state) {
	token := m.o.XSRF.Token(strings.Join(r.Header["Cookie"], "; "), m.xsrfID(r, s), r.Header.Get("Sec-Fetch-Mode"))
	s.xsrfToken = token.Value
	if token.SetCookie {
		m.o.Cookies.SetXSRF(w.Header(), token.Value, s.session.CookieID != "")
	}
}

// CheckXSRF refuses a cookie-authenticated request that does not prove that it comes from a page of the hub.
func (m *Middleware) CheckXSRF(r *http.Request) error {
	s := stateOf(r.Context())
	if s.identity != nil && s.session.CookieID == "" {
		s.traceXSRF(m.o.XSRF, XSRFRequest{TokenAuthenticated: true}, XSRFDecision{Allowed: true})
		return nil // authenticated by token
	}
	q := XSRFRequest{
		Method: r.Method, FetchMode: r.Header.Get("Sec-Fetch-Mode"), FetchSite: r.Header.Get("Sec-Fetch-Site"),
		HasOrigin: len(r.Header["Origin"]) > 0, API: s.api,
		UserFound: s.identity != nil,
		Headers:   []string{r.Header.Get("X-XSRFToken"), r.Header.Get("X-CSRFToken")},
		Cookie:    strings.Join(r.Header["Cookie"], "; "), ID: "",
	}
	if !q.needsCheck() {
		s.traceXSRF(m.o.XSRF, q, XSRFDecision{Allowed: true})
		return nil
	}
	q.ID = m.xsrfID(r, s)
	q.Args = xsrfArgs(r)
	d := m.o.XSRF.Check(q)
	s.traceXSRF(m.o.XSRF, q, d)
	if d.Allowed {
		return nil
	}
	return &hub.Error{Kind: hub.Forbidden, Message: d.Message, Hint: d.Hint}
}

// xsrfArgs are the _xsrf arguments of query and form body.
func xsrfArgs(r *http.Request) []string {
	args := r.URL.Query()["_xsrf"]
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch && r.Method != http.MethodDelete {
		return args
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" || media == "multipart/form-data" {
		r.Body = http.MaxBytesReader(nil, r.Body, MaxBody)
		if media == "multipart/form-data" {
			if err := r.ParseMultipartForm(MaxBody); err == nil {
				args = append(args, r.MultipartForm.Value["_xsrf"]...)
			}
		} else if err := r.ParseForm(); err == nil {
			args = append(args, r.PostForm["_xsrf"]...)
		}
	}
	return args
}

// checkAccess applies the access of a route.
func (m *Middleware) checkAccess(w http.ResponseWriter, r *http.Request, a Access) error {
	ctx, id, access := r.Context(), Identity(r), m.o.Access
	if a.login && (id == nil || id.User == nil) {
		return m.toLogin(w, r)
	}
	switch a.kind {
	case KindPublic, KindInHandler, KindClientAuth:
		return nil
	case KindIdentified:
		if id == nil {
			return &hub.Error{Kind: hub.Forbidden}
		}
		return nil
	case KindLoggedIn:
		if id == nil || id.User == nil && !a.token { // where tokens count, services may come
			return m.toLogin(w, r)
		}
		return nil
	case KindList:
		return m.checkList(ctx, id, a)
	}
	return access.Check(ctx, id, m.target(r, a.kind), a.scopes...)
}

func (m *Middleware) target(r *http.Request, kind AccessKind) rbac.Target {
	ctx, access := r.Context(), m.o.Access
	switch kind {
	case KindOnUser:
		return access.OnUser(ctx, Param(r, "user"))
	case KindOnServer:
		return access.OnServer(ctx, Param(r, "user"), Param(r, "server"))
	case KindOnServers:
		return access.OnServers(ctx, Param(r, "user"))
	case KindOnGroup:
		return access.OnGroup(Param(r, "group"))
	case KindOnService:
		return access.OnService(Param(r, "service"))
	}
	return rbac.Target{} // the unfiltered scope
}

// checkList lets holders in whose filters the listing can apply.
func (m *Middleware) checkList(ctx context.Context, id *hub.Identity, a Access) error {
	if id != nil {
		if _, outcome := id.Scopes.ListFilter(a.scopes[0], a.kinds...); outcome == rbac.Granted {
			return nil
		}
	}
	if s := stateOf(ctx); id == nil && s != nil && !s.api { // no page for people: whoever set up the scraper needs to know
		return &hub.Error{Kind: hub.Forbidden, Message: "Missing or invalid credentials; requires any of [" + strings.Join(a.scopes, ", ") + "]"}
	}
	return m.o.Access.Check(ctx, id, rbac.Target{Kind: ""}, a.scopes...)
}

// SessionOwner returns who is logged in by a login cookie of that name in a Cookie header; nil for nobody, and for other cookies.
func (m *Middleware) SessionOwner(ctx context.Context, name string, h http.Header) (*hub.Identity, error) {
	if name != m.o.Cookies.LoginName() {
		return nil, nil
	}
	cookieID, err := m.o.Cookies.Login(h)
	if err != nil {
		return nil, nil
	}
	return m.o.Access.BySession(ctx, cookieID, "")
}
