package toy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// sealer encrypts cookies with a key that lives as long as the server: after a restart everybody logs in again.
type sealer struct{ aead cipher.AEAD }

func newSealer() (sealer, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

// seal binds the value to the cookie's name, so that one cookie cannot be sent as another.
func (s sealer) seal(name string, value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, data, []byte(name)))
}

func (s sealer) open(name, text string, into any) bool {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := s.aead.Open(nil, nil, data, []byte(name))
	return err == nil && json.Unmarshal(plain, into) == nil
}

// cookieName follows JupyterHub: the client id, with the browser's __Host- prefix when the hub says so. What cannot be
// in a cookie's name becomes an underscore.
func (s *Server) cookieName(suffix string) string {
	name := strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) {
			return r
		}
		return '_'
	}, s.set.clientID) + suffix
	if s.set.hostPrefixedCookie {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	path := s.set.prefix
	if s.set.hostPrefixedCookie {
		path = "/"
	}
	cookie := &http.Cookie{
		Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.set.hostPrefixedCookie || r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
	if value == "" {
		cookie.MaxAge = -1
	} else if age > 0 {
		cookie.MaxAge = int(age.Seconds())
	}
	http.SetCookie(w, cookie)
}

// readCookie tries every cookie of the name: a browser sends one for each path it was set on.
func (s *Server) readCookie(r *http.Request, name string, into any) bool {
	for _, cookie := range r.CookiesNamed(name) {
		if s.seal.open(name, cookie.Value, into) {
			return true
		}
	}
	return false
}
