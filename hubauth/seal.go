package hubauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// sealer encrypts what browsers keep for us (AES-256-GCM) and makes XSRF tokens (HMAC-SHA-256), with keys derived from one secret.
type sealer struct {
	aead cipher.AEAD
	mac  []byte
}

func newSealer(secret []byte) (*sealer, error) {
	key := sha256.Sum256(append([]byte("minihub hubauth cookie "), secret...))
	mac := sha256.Sum256(append([]byte("minihub hubauth xsrf "), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("hubauth: make a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("hubauth: make a cipher: %w", err)
	}
	return &sealer{aead: aead, mac: mac[:]}, nil
}

var errSeal = errors.New("not made by this service, or for another purpose")

// close encrypts v for one purpose (the cookie's name), so that one cookie cannot stand for another.
func (s *sealer) close(purpose string, v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, text, []byte(purpose))), nil
}

func (s *sealer) open(purpose, sealed string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return errSeal
	}
	text, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], []byte(purpose))
	if err != nil {
		return errSeal
	}
	return json.Unmarshal(text, v)
}

// xsrf is the token for one login.
func (s *sealer) xsrf(token, session string) string {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(session + "\n" + token)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
