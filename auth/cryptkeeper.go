package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fernet/fernet-go"
)

// CryptKeyEnv is the environment variable that holds the keys of auth_state unless CryptKeeper.keys is configured.
const CryptKeyEnv = "JUPYTERHUB_CRYPT_KEY"

// ErrNoKeys means that auth_state cannot be stored because there is no key.
var ErrNoKeys = errors.New("no encryption key for auth_state: set " + CryptKeyEnv +
	" or CryptKeeper.keys to 32 random bytes, for example by `openssl rand -hex 32`")

// ErrUndecryptable means that no key fits a stored auth_state, or that it is damaged. It is treated as no auth_state: the
// user logs in again.
var ErrUndecryptable = errors.New("auth_state cannot be decrypted with any of the keys")

// CryptKeeper encrypts auth_state as JupyterHub's CryptKeeper does: Fernet over JSON, the first key encrypts, all keys are
// tried to decrypt. Safe for concurrent use. A nil CryptKeeper has no keys: its methods return ErrNoKeys.
type CryptKeeper struct {
	keys []*fernet.Key
}

// NewCryptKeeper reads keys, each 32 raw bytes, 64 hex digits or 44 characters of URL-safe base64. An argument may hold
// several, separated by ";", as the environment variable does. Without any key it returns ErrNoKeys. An error tells the
// number of the bad key and never its text.
func NewCryptKeeper(keys ...string) (*CryptKeeper, error) {
	k := &CryptKeeper{}
	for _, text := range keys {
		// A raw key may contain ";": what is a key as a whole is not split.
		parts := []string{text}
		if _, ok := parseCryptKey(text); !ok {
			parts = strings.Split(text, ";")
		}
		for _, part := range parts {
			if strings.TrimSpace(part) == "" {
				continue
			}
			key, ok := parseCryptKey(part)
			if !ok {
				key, ok = parseCryptKey(strings.TrimSpace(part))
			}
			if !ok {
				return nil, fmt.Errorf("key number %d of %s (or CryptKeeper.keys) has %d bytes: it must be 32 raw bytes, 64 hex digits or 44 characters of URL-safe base64",
					len(k.keys)+1, CryptKeyEnv, len(part))
			}
			k.keys = append(k.keys, key)
		}
	}
	if len(k.keys) == 0 {
		return nil, ErrNoKeys
	}
	return k, nil
}

func parseCryptKey(text string) (*fernet.Key, bool) {
	raw := []byte(text)
	var err error
	switch len(text) {
	case 32:
	case 44:
		// Python's decoder takes both alphabets.
		raw, err = base64.URLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(text))
	case 64:
		raw, err = hex.DecodeString(text)
	}
	if err != nil || len(raw) != len(fernet.Key{}) {
		return nil, false
	}
	return (*fernet.Key)(raw), true
}

// Encrypt returns the Fernet token of a JSON value, for users.encrypted_auth_state. A nil value is nil: there is nothing to hide.
func (k *CryptKeeper) Encrypt(value any) ([]byte, error) {
	if k == nil {
		return nil, ErrNoKeys
	}
	if value == nil {
		return nil, nil
	}
	plain, err := pythonJSON(value)
	if err != nil {
		return nil, fmt.Errorf("encode auth_state as JSON: %w", err)
	}
	token, err := fernet.EncryptAndSignAtTime(plain, k.keys[0], time.Now())
	if err != nil {
		return nil, fmt.Errorf("encrypt auth_state: %w", err)
	}
	return token, nil
}

// Decrypt returns the value of a token. stale reports that it was encrypted with another key than the first: store it anew
// by Encrypt. Numbers come as json.Number, so that a large integer survives. An empty token is nil; the error wraps ErrUndecryptable.
func (k *CryptKeeper) Decrypt(token []byte) (value any, stale bool, err error) {
	if k == nil {
		return nil, false, ErrNoKeys
	}
	if len(token) == 0 {
		return nil, false, nil
	}
	for i, key := range k.keys {
		// No time limit: auth_state is as old as the last login.
		plain := fernet.VerifyAndDecrypt(token, 0, []*fernet.Key{key})
		if plain == nil {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(plain))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			return nil, false, fmt.Errorf("%w: the content is not JSON", ErrUndecryptable)
		}
		return value, i > 0, nil
	}
	return nil, false, fmt.Errorf("%w (tried %d)", ErrUndecryptable, len(k.keys))
}

// pythonJSON writes JSON with the separators of Python's json.dumps, so that the same value gives the same bytes in both.
func pythonJSON(value any) ([]byte, error) {
	var compact bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(compact.Bytes(), []byte("\n"))
	out := make([]byte, 0, len(text)+len(text)/8)
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		out = append(out, c)
		switch {
		case c == '\\' && quoted:
			i++
			out = append(out, text[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out, nil
}
