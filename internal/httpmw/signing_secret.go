package httpmw

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// CookieSecretBytes is the length of a cookie secret that minihub makes.
const CookieSecretBytes = 32

// CookieSecretOptions are the places where a cookie secret may stand, in the order in which they are asked.
type CookieSecretOptions struct {
	Configured []byte // JupyterHub.cookie_secret; a hex string from a configuration goes through ParseCookieSecret first
	Env        string // value of JPY_COOKIE_SECRET, hex
	File       string // JupyterHub.cookie_secret_file; "" keeps a new secret in memory only
}

// CookieSecret is the key of all signed cookies, with where it came from.
type CookieSecret struct {
	Secret   []byte
	From     string   // "config", "env", "file" or "new"
	Warnings []string // for the start-up log
}

// ParseCookieSecret reads a secret that is given as a string in the configuration or the environment: an even number of hex digits.
func ParseCookieSecret(text string) ([]byte, error) {
	secret, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(secret) == 0 {
		return nil, errors.New("a cookie secret given as text must be an even number of hex digits, for example from `openssl rand -hex 32`")
	}
	return secret, nil
}

// LoadCookieSecret finds the cookie secret, or makes one and writes it to the file for the owner alone. An error names the
// path or variable, the reason and the way out, never the secret.
func LoadCookieSecret(o CookieSecretOptions) (CookieSecret, error) {
	s := CookieSecret{Secret: o.Configured, From: "config"}
	if len(s.Secret) == 0 && o.Env != "" {
		secret, err := ParseCookieSecret(o.Env)
		if err != nil {
			return CookieSecret{}, fmt.Errorf("read the cookie secret from JPY_COOKIE_SECRET: %w", err)
		}
		s.Secret, s.From = secret, "env"
	}
	if len(s.Secret) == 0 && o.File != "" {
		secret, warnings, err := readCookieSecret(o.File)
		if err != nil {
			return CookieSecret{}, err
		}
		s.Secret, s.From, s.Warnings = secret, "file", warnings
	}
	if len(s.Secret) == 0 {
		s.Secret, s.From = make([]byte, CookieSecretBytes), "new"
		_, _ = rand.Read(s.Secret) // never fails (crypto/rand)
		if err := writeCookieSecret(o.File, s.Secret); err != nil {
			return CookieSecret{}, err
		}
	}
	if n := len(s.Secret); n != CookieSecretBytes {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the cookie secret has %d bytes, it should have %d", n, CookieSecretBytes))
	}
	return s, nil
}

// readCookieSecret returns nothing for a file that is missing or empty: a new secret belongs there.
func readCookieSecret(path string) (secret []byte, warnings []string, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the cookie secret: %w: make it readable, or set JupyterHub.cookie_secret_file to another path", err)
	}
	if info.IsDir() {
		return nil, nil, fmt.Errorf("read the cookie secret from %s: it is a directory: set JupyterHub.cookie_secret_file to a file", path)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o007 != 0 {
		return nil, nil, fmt.Errorf("read the cookie secret from %s: the file can be used by everybody (mode %#o), who could log in as any user: run `chmod 600 %s`, and remove the file to get a new secret if others may have read it",
			path, mode, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the cookie secret: %w: make it readable, or set JupyterHub.cookie_secret_file to another path", err)
	}
	text := strings.TrimSpace(string(raw))
	if text == "" {
		return nil, nil, nil
	}
	if secret, err := hex.DecodeString(text); err == nil {
		return secret, nil, nil
	}
	// JupyterHub before 0.8 wrote base64, with line breaks.
	secret, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(secret) == 0 {
		return nil, nil, fmt.Errorf("read the cookie secret from %s: the content is neither hex digits nor base64: write a new one with `openssl rand -hex 32 >%s`, or remove the file; everybody has to log in again then",
			path, path)
	}
	return secret, []string{fmt.Sprintf("%s holds a base64 cookie secret from before JupyterHub 0.8: replace it with `openssl rand -hex 32 >%s`", path, path)}, nil
}

// writeCookieSecret writes through a temporary file: the path never holds half a secret, nor one that others can read.
func writeCookieSecret(path string, secret []byte) (err error) {
	if path == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write a new cookie secret to %s: %w: make the directory writable, or set JupyterHub.cookie_secret_file to another path", path, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
