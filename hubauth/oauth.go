package hubauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// stateAge is how long a login may take, JupyterHub's age of the state cookie.
const stateAge = 10 * time.Minute

// state is what is remembered of a login under way, encrypted in a cookie of its own, so that two tabs can log in at once.
type state struct {
	ID       string
	Next     string
	Verifier string // PKCE, RFC 7636
	Until    time.Time
}

func (a *Auth) stateCookie(id string) string {
	return a.o.ClientID + "-oauth-state-" + id[:min(8, len(id))]
}

// beginLogin sends a browser to the hub (RFC 6749 section 4.1.1).
func (a *Auth) beginLogin(w http.ResponseWriter, r *http.Request) {
	s := state{ID: rand.Text(), Next: a.ownPath(r.URL.RequestURI()), Verifier: rand.Text() + rand.Text(), Until: time.Now().Add(stateAge)}
	sealed, err := a.seal.close(a.stateCookie(s.ID), s)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "The login could not be prepared.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: a.stateCookie(s.ID), Value: sealed, Path: a.o.Prefix, MaxAge: int(stateAge / time.Second), HttpOnly: true,
		Secure: overTLS(r), SameSite: http.SameSiteLaxMode})
	challenge := sha256.Sum256([]byte(s.Verifier))
	q := url.Values{"client_id": {a.o.ClientID}, "redirect_uri": {a.o.CallbackURL}, "response_type": {"code"}, "state": {s.ID},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, a.o.Host+a.o.BaseURL+"hub/api/oauth2/authorize?"+q.Encode(), http.StatusFound)
}

// ownPath is a path of this service, or its front page: a path such as //elsewhere/ would lead away after the login.
func (a *Auth) ownPath(path string) string {
	if strings.HasPrefix(path, a.o.Prefix) && !strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\") {
		return path
	}
	return a.o.Prefix
}

// finishLogin is the callback: it trades the code for a token (section 4.1.3) and goes where the visitor wanted to.
func (a *Auth) finishLogin(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the code is in the address
	if why := q.Get("error"); why != "" {
		refuse(w, http.StatusForbidden, "The hub did not log you in: "+strings.TrimSpace(why+" "+q.Get("error_description")))
		return
	}
	s, err := a.takeState(w, r, q.Get("state"))
	if err != nil {
		refuse(w, http.StatusForbidden, "This login was not begun in this browser, or it took longer than ten minutes: open "+a.o.Prefix+" again.")
		return
	}
	token, err := a.exchange(r.Context(), q.Get("code"), s.Verifier)
	if err != nil {
		refuse(w, http.StatusBadGateway, "The hub did not accept the login: open "+a.o.Prefix+" again.")
		return
	}
	sealed, err := a.seal.close(a.o.ClientID, token)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "The login could not be kept.")
		return
	}
	http.SetCookie(w, a.loginCookie(r, sealed, 0))
	http.Redirect(w, r, s.Next, http.StatusFound)
}

func (a *Auth) takeState(w http.ResponseWriter, r *http.Request, id string) (*state, error) {
	name := a.stateCookie(id)
	c, err := r.Cookie(name)
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := a.seal.open(name, c.Value, s); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(s.ID), []byte(id)) != 1 || time.Now().After(s.Until) {
		return nil, errSeal
	}
	http.SetCookie(w, &http.Cookie{Name: name, Path: a.o.Prefix, MaxAge: -1})
	return s, nil
}

func (a *Auth) exchange(ctx context.Context, code, verifier string) (string, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {a.o.ClientID}, "client_secret": {a.o.APIToken}, "code": {code},
		"redirect_uri": {a.o.CallbackURL}, "code_verifier": {verifier}}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(a.o.APIURL, "/")+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := a.o.HTTPClient.Do(q)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var body struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&body); err != nil {
		return "", fmt.Errorf("decode the answer of the token endpoint: %w", err)
	}
	if body.AccessToken == "" {
		return "", fmt.Errorf("the token endpoint answers %s %s", answer.Status, body.Error)
	}
	return body.AccessToken, nil
}

// cookieToken is the token of an earlier login, "" without one.
func (a *Auth) cookieToken(r *http.Request) (token string) {
	c, err := r.Cookie(a.o.ClientID)
	if err != nil || a.seal.open(a.o.ClientID, c.Value, &token) != nil {
		return ""
	}
	return token
}

func (a *Auth) loginCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: a.o.ClientID, Value: value, Path: a.o.Prefix, MaxAge: maxAge, HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteLaxMode}
}

// logout forgets the login here and ends it at the hub.
func (a *Auth) logout(w http.ResponseWriter, r *http.Request) {
	if v, err := a.visitor(r); err == nil {
		a.cache.drop(keyOf(v.token, v.session))
	}
	http.SetCookie(w, a.loginCookie(r, "", -1))
	http.SetCookie(w, &http.Cookie{Name: "_xsrf", Path: a.o.Prefix, MaxAge: -1})
	http.Redirect(w, r, a.o.Host+a.o.BaseURL+"hub/logout", http.StatusFound)
}

// overTLS tells whether the browser speaks https, to us or to a proxy before us.
func overTLS(r *http.Request) bool {
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(proto), "https")
}
