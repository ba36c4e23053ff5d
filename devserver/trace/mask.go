package trace

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// Mask replaces secrets by marks. A mark is the same for the same secret in one process, and tells nothing about it: it is an HMAC with
// a key that is forgotten with the process.
type Mask struct{ key [32]byte }

// NewMask returns a Mask with a new key.
func NewMask() *Mask {
	m := &Mask{}
	_, _ = rand.Read(m.key[:]) // never fails
	return m
}

// Mark is the mark of a secret; "" has none.
func (m *Mask) Mark(secret string) string {
	if secret == "" {
		return ""
	}
	h := hmac.New(sha256.New, m.key[:])
	h.Write([]byte(secret))
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// secretWords make a parameter or header a secret when its name contains one of them.
var secretWords = [...]string{"token", "auth", "key", "code", "state", "xsrf", "csrf", "secret", "passw", "verifier", "session", "cookie", "assertion", "otp", "credential", "ticket"}

// open are names with such a word whose values are no secrets.
var open = map[string]bool{"code_challenge": true, "code_challenge_method": true, "token_type": true, "token_type_hint": true, "error_code": true,
	"www-authenticate": true, "sec-websocket-extensions": true, "authenticator": true, "author": true, "status_code": true, "keep-alive": true, "permissions-policy": true}

func secretName(name string) bool {
	name = strings.ToLower(name)
	if open[name] {
		return false
	}
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// Param is a parameter of a query, a form or a JSON object.
func (m *Mask) Param(name, value string) Field {
	if secretName(name) {
		return Field{Name: name, Secret: true, Mark: m.Mark(value)}
	}
	if strings.ContainsAny(value, "?&") { // an address such as next=/hub/api/oauth2/authorize?state=…
		inner, ok := m.Address(value)
		if !ok {
			return Field{Name: name, Secret: true, Mark: m.Mark(value)}
		}
		return Field{Name: name, Inner: &inner}
	}
	return Field{Name: name, Value: value}
}

// Query takes a query string or a form apart, in its order.
func (m *Mask) Query(raw string) []Field {
	var out []Field
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			out = append(out, Field{Name: "unreadable", Secret: true, Mark: m.Mark(part)})
			continue
		}
		out = append(out, m.Param(n, v))
	}
	return out
}

// secretPaths are parts of paths that a secret follows.
var secretPaths = [...]string{"/api/authorizations/cookie/", "/api/authorizations/token/"}

// Address takes a URL apart; ok is false when it is none.
func (m *Mask) Address(raw string) (a Address, ok bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return Address{}, false
	}
	a = Address{Path: u.EscapedPath(), Query: m.Query(u.RawQuery)}
	if u.Host != "" {
		a.Base = u.Scheme + "://" + u.Host // never the user info
	}
	for _, p := range secretPaths {
		if i := strings.LastIndexByte(a.Path, '/'); strings.Contains(a.Path, p) {
			a.Path = a.Path[:i] + "/••••"
		}
	}
	return a, true
}

// Header is one line of a header.
func (m *Mask) Header(name, value string) Field {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		scheme, secret, ok := strings.Cut(value, " ")
		if !ok {
			return Field{Name: name, Secret: true, Mark: m.Mark(value)}
		}
		return Field{Name: name, Value: scheme + " ", Secret: true, Mark: m.Mark(strings.TrimSpace(secret))}
	case "location", "referer", "x-original-uri", "content-location", "link", "refresh":
		if a, ok := m.Address(value); ok {
			return Field{Name: name, Inner: &a}
		}
		return Field{Name: name, Secret: true, Mark: m.Mark(value)}
	case "sec-websocket-protocol": // Jupyter's way to send a token on a WebSocket
		if strings.Contains(value, "token") {
			return Field{Name: name, Secret: true, Mark: m.Mark(value)}
		}
	}
	if secretName(name) {
		return Field{Name: name, Secret: true, Mark: m.Mark(value)}
	}
	return Field{Name: name, Value: value}
}

// Cookies takes a Cookie header apart.
func (m *Mask) Cookies(header string) []Field {
	var out []Field
	for part := range strings.SplitSeq(header, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if ok {
			out = append(out, Field{Name: name, Secret: true, Mark: m.Mark(strings.Trim(value, `"`))})
		}
	}
	return out
}

// SetCookie takes a Set-Cookie header apart.
func (m *Mask) SetCookie(header string) Cookie {
	pair, attributes, _ := strings.Cut(header, ";")
	name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
	value = strings.Trim(value, `"`)
	c := Cookie{Field: Field{Name: name, Secret: true, Mark: m.Mark(value)}, Attributes: strings.TrimSpace(attributes)}
	c.Gone = value == "" || strings.Contains(strings.ToLower(attributes), "max-age=0")
	return c
}
