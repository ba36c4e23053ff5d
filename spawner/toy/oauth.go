package toy

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const stateAge = 10 * time.Minute

// pending is a login on its way, kept in the browser: state and PKCE verifier, and where to go afterwards.
type pending struct {
	State    string
	Verifier string
	Next     string
	Until    time.Time
}

// randomText has 256 bits, which is also the verifier length of RFC 7636 4.1.
func randomText() string {
	data := make([]byte, 32)
	_, _ = rand.Read(data) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(data)
}

func (s *Server) stateCookie(state string) string {
	return s.cookieName("-oauth-state-" + state[:min(8, len(state))])
}

// login sends the browser to the hub.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	next := s.set.prefix
	if r.Method == http.MethodGet {
		next = s.ownPath(r.URL.RequestURI())
	}
	p := pending{State: randomText(), Verifier: randomText(), Next: next, Until: time.Now().Add(stateAge)}
	name := s.stateCookie(p.State)
	s.setCookie(w, r, name, s.seal.seal(name, p), stateAge)
	challenge := sha256.Sum256([]byte(p.Verifier))
	query := url.Values{
		"client_id": {s.set.clientID}, "redirect_uri": {s.set.callback}, "response_type": {"code"}, "state": {p.State},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	redirect(w, s.set.host+s.set.base+"hub/api/oauth2/authorize?"+query.Encode())
}

// ownPath returns target when it is a path below the prefix, else the prefix.
func (s *Server) ownPath(target string) string {
	parsed, err := url.Parse(target)
	if err != nil || parsed.IsAbs() || parsed.Host != "" || strings.HasPrefix(target, "//") || strings.ContainsAny(target, "\\\t\r\n") ||
		!strings.HasPrefix(parsed.Path, s.set.plainPrefix) {
		return s.set.prefix
	}
	return target
}

// callback ends a login (RFC 6749 4.1.2): the state must be the one in this browser's cookie, once.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	state := query.Get("state")
	name := s.stateCookie(state)
	var p pending
	known := s.readCookie(r, name, &p) && time.Now().Before(p.Until) && subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) == 1
	if !known {
		s.fail(w, r, http.StatusBadRequest, "the login was not started in this browser, or more than ten minutes ago; open the server again")
		return
	}
	s.setCookie(w, r, name, "", 0)
	if reason := query.Get("error"); reason != "" {
		s.fail(w, r, http.StatusForbidden, "the hub refused the login: "+reason+" "+query.Get("error_description"))
		return
	}
	code := query.Get("code")
	if code == "" {
		s.fail(w, r, http.StatusBadRequest, "the parameter code is missing")
		return
	}
	token, err := s.hub.exchange(r.Context(), code, p.Verifier)
	if err != nil {
		s.log.ErrorContext(r.Context(), "oauth code not exchanged", "err", err)
		s.fail(w, r, http.StatusInternalServerError, "the hub did not accept the login; its log tells why")
		return
	}
	s.setToken(w, r, token)
	redirect(w, p.Next)
}

func (s *Server) setToken(w http.ResponseWriter, r *http.Request, token string) {
	name := s.cookieName("")
	s.setCookie(w, r, name, s.seal.seal(name, token), 0)
}

// logout forgets the token here and goes on to the hub's logout, which deletes it there.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	var token string
	if s.readCookie(r, s.cookieName(""), &token) {
		s.hub.forget(session(r), token)
	}
	s.setCookie(w, r, s.cookieName(""), "", 0)
	redirect(w, s.set.host+s.set.base+"hub/logout")
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusFound)
}

func session(r *http.Request) string {
	cookie, err := r.Cookie("jupyterhub-session-id")
	if err != nil {
		return ""
	}
	return cookie.Value
}
