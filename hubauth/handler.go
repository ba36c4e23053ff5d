package hubauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Handler is next for visitors who may access the service. See the package's comment for what happens to the others.
func (a *Auth) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case a.callback:
			a.finishLogin(w, r)
			return
		case a.o.Prefix + "logout":
			a.logout(w, r)
			return
		}
		v, err := a.visitor(r)
		switch {
		case errors.Is(err, ErrNoIdentity) && wantsPage(r) && a.o.ClientID != "":
			a.beginLogin(w, r)
			return
		case errors.Is(err, ErrNoIdentity):
			refuse(w, http.StatusForbidden, "Missing or invalid credentials.")
			return
		case err != nil:
			refuse(w, http.StatusBadGateway, "The hub cannot be asked who you are: try again in a moment.")
			return
		}
		if !HasAnyScope(v.identity.Scopes, a.o.AccessScopes...) {
			refuse(w, http.StatusForbidden, v.identity.Name+" may not access this service: one of these scopes is needed: "+strings.Join(a.o.AccessScopes, ", "))
			return
		}
		if v.byCookie {
			if why := a.checkXSRF(r, v); why != "" {
				refuse(w, http.StatusForbidden, why)
				return
			}
			a.offerXSRF(w, r, v)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, v)))
	})
}

// Require makes a handler that needs one more scope than access; it goes inside Handler. The hub must issue the scope to the
// service's OAuth client: oauth_client_allowed_scopes in the service's configuration.
func Require(next http.Handler, anyOf ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := Identity(r)
		if i == nil || !HasAnyScope(i.Scopes, anyOf...) {
			refuse(w, http.StatusForbidden, "One of these scopes is needed: "+strings.Join(anyOf, ", "))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wantsPage tells whether a person with a browser waits for a page, who can be sent to a login.
func wantsPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Authorization") != "" || r.Header.Get("Upgrade") != "" {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/html") || accept == "" || accept == "*/*"
}

// XSRFToken is what a form or script must send back as the field "_xsrf" or the header "X-XSRFToken" with a request that
// changes something. It is also in the cookie "_xsrf". "" for visitors with a token, who need none.
func (a *Auth) XSRFToken(r *http.Request) string {
	if v := visitorOf(r); v != nil && v.byCookie {
		return a.seal.xsrf(v.token, v.session)
	}
	return ""
}

// checkXSRF says why a request that a cookie authenticates may be another site's doing: "" when it is not.
func (a *Auth) checkXSRF(r *http.Request, v *visitor) string {
	if r.Header.Get("Upgrade") != "" {
		if origin, err := url.Parse(r.Header.Get("Origin")); err != nil || origin.Host != r.Host {
			return "The Origin header does not name this host."
		}
		return ""
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return ""
	}
	sent := r.Header.Get("X-XSRFToken")
	if sent == "" {
		sent = r.FormValue("_xsrf")
	}
	if subtle.ConstantTimeCompare([]byte(sent), []byte(a.seal.xsrf(v.token, v.session))) != 1 {
		return "The _xsrf token is missing or out of date: reload the page and try again."
	}
	return ""
}

// offerXSRF keeps the cookie with the token up to date, for scripts.
func (a *Auth) offerXSRF(w http.ResponseWriter, r *http.Request, v *visitor) {
	token := a.seal.xsrf(v.token, v.session)
	if c, err := r.Cookie("_xsrf"); err != nil || c.Value != token {
		http.SetCookie(w, &http.Cookie{Name: "_xsrf", Value: token, Path: a.o.Prefix, Secure: overTLS(r), SameSite: http.SameSiteLaxMode})
	}
}

// refuse answers with the hub's form of errors.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body, _ := json.Marshal(map[string]any{"status": status, "message": message}) // a map of an int and a string always encodes
	_, _ = w.Write(body)                                                          // the visitor may be gone
}
