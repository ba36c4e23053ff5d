package idp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Lifetime is how long access tokens and id_tokens say that they live.
const Lifetime = time.Hour

func (p *Provider) openID(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	mux.HandleFunc("GET /logout", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("logged out at the provider")) })
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "userinfo_endpoint": p.URL + "/userinfo",
		"jwks_uri": p.URL + "/jwks", "end_session_endpoint": p.URL + "/logout", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"}, "scopes_supported": []string{"openid", "profile", "email", "groups", "offline_access"},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
		"n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes())}}})
}

var page = template.Must(template.New("").Parse(`<!DOCTYPE html><title>Provider</title><form method="post">
{{range $name, $value := .}}<input type="hidden" name="{{$name}}" value="{{index $value 0}}">{{end}}
<input name="username"><button>Log in</button></form>`))

// authorize shows a page that asks for the name; an empty one refuses, as somebody does who presses "cancel".
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	target, err := url.Parse(r.Form.Get("redirect_uri"))
	loopback := err == nil && target.Hostname() == "127.0.0.1"
	if r.Form.Get("client_id") != p.ClientID || !loopback || p.Callback != "" && p.Callback != target.String() {
		http.Error(w, "unknown client, or not its redirect address", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	user := p.next
	p.mu.Unlock()
	if user == "" && r.Method == http.MethodGet {
		_ = page.Execute(w, r.Form)
		return
	}
	if user == "" {
		user = r.Form.Get("username")
	}
	back := url.Values{"state": {r.Form.Get("state")}}
	switch challenge := r.Form.Get("code_challenge"); {
	case p.PKCE && (challenge == "" || r.Form.Get("code_challenge_method") != "S256"):
		back.Set("error", "invalid_request")
		back.Set("error_description", "a code challenge is needed")
	case user == "":
		back.Set("error", "access_denied")
		back.Set("error_description", "the person said no")
	default:
		g := grant{user: user, redirect: target.String(), challenge: challenge, nonce: r.Form.Get("nonce"), scope: r.Form.Get("scope")}
		back.Set("code", p.issue(p.codes, g))
	}
	target.RawQuery = back.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// token is RFC 6749 section 4.1.3 and 6, with RFC 7636.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != p.ClientID || secret != p.Secret {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	var g grant
	var ok bool
	switch kind := r.FormValue("grant_type"); kind {
	case "authorization_code":
		g, ok = p.take(p.codes, r.FormValue("code"))
		ok = ok && g.redirect == r.FormValue("redirect_uri") && verifies(g.challenge, r.FormValue("code_verifier"))
	case "refresh_token":
		g, ok = p.take(p.refresh, r.FormValue("refresh_token"))
	default:
		refuse(w, "unsupported_grant_type", "no %q here", kind)
		return
	}
	if !ok {
		refuse(w, "invalid_grant", "unknown, used or expired, or not for this redirect address or verifier")
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": p.issue(p.tokens, g), "refresh_token": p.issue(p.refresh, g), "token_type": "Bearer",
		"expires_in": int(Lifetime.Seconds()), "scope": g.scope, "id_token": p.idToken(g)})
}

func verifies(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return challenge == "" && verifier == "" || challenge == encode(sum[:])
}

// idToken is a JSON Web Signature with RS256 (RFC 7515, RFC 7518 section 3.3).
func (p *Provider) idToken(g grant) string {
	p.mu.Lock()
	claims := p.people[g.user].claims()
	p.mu.Unlock()
	now := time.Now()
	maps.Copy(claims, map[string]any{"iss": p.URL, "aud": p.ClientID, "iat": now.Unix(), "exp": now.Add(Lifetime).Unix()})
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	head, _ := json.Marshal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k1"})
	body, _ := json.Marshal(claims)
	text := encode(head) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	text += "." + encode(signature)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.issued = append(p.issued, text)
	return text
}

func (person Person) claims() map[string]any {
	claims := map[string]any{"sub": "id-of-" + person.Name, "preferred_username": person.Name, "name": strings.ToUpper(person.Name)}
	if person.Email != "" {
		claims["email"], claims["email_verified"] = person.Email, !person.Hidden
	}
	if person.Groups != nil {
		claims["groups"] = person.Groups
	}
	maps.Copy(claims, person.Claims)
	return claims
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	person, _, ok := p.person(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	reply(w, http.StatusOK, person.claims())
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
