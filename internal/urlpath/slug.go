package urlpath

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxSlug        = 30  // characters of a server name: two of them and "--" fit into a DNS label
	slugHash       = 8   // hexadecimal digits that tell similar names apart
	maxDisplayName = 255 // characters, the width of spawners.display_name
)

// ValidServerName reports why s may not be the name of a new named server: it must be 1 to 30 lower-case ASCII
// letters, digits and single hyphens, start with a letter and not end with a hyphen. The name of the default
// server, "", is not a named server and thus an error.
func ValidServerName(s string) error {
	switch {
	case s == "":
		return errors.New("server name is empty: use 1 to 30 lower-case letters, digits and hyphens")
	case len(s) > maxSlug:
		return fmt.Errorf("server name is %d bytes long: at most %d are allowed", len(s), maxSlug)
	case s[0] < 'a' || s[0] > 'z':
		return fmt.Errorf("server name %q does not start with a lower-case letter", s)
	case s[len(s)-1] == '-':
		return fmt.Errorf("server name %q ends with a hyphen", s)
	case strings.Contains(s, "--"):
		return fmt.Errorf("server name %q has consecutive hyphens", s)
	}
	for i := range len(s) {
		if !lowerAlnum(s[i]) && s[i] != '-' {
			return fmt.Errorf("server name %q has a character other than lower-case letters, digits and hyphens", s)
		}
	}
	return nil
}

func lowerAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// ServerSlug makes a valid server name from a display name, keeping what is readable: accents are dropped, other
// runs of characters become one hyphen. Different names may give the same slug; see HashedServerSlug. Of the
// empty string, and of a string without any usable character, the slug is "x".
func ServerSlug(displayName string) string {
	if simpleName(displayName) {
		return displayName
	}
	return stripName(displayName, maxSlug)
}

// HashedServerSlug is ServerSlug with a hash of the whole name, so that different names give different slugs. A name of
// lower-case letters and digits that starts with a letter and fits is returned unchanged.
func HashedServerSlug(displayName string) string {
	if simpleName(displayName) {
		return displayName
	}
	sum := sha256.Sum256([]byte(displayName))
	return stripName(displayName, maxSlug-slugHash-1) + "-" + hex.EncodeToString(sum[:])[:slugHash]
}

func simpleName(s string) bool {
	if s == "" || len(s) > maxSlug || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if !lowerAlnum(s[i]) {
			return false
		}
	}
	return true
}

// stripName keeps the slug characters of a name: decompose (NFKD), drop accents (Mn), lower, hyphenate the rest.
func stripName(name string, limit int) string {
	var b strings.Builder
	hyphen := false
	for _, r := range norm.NFKD.String(name) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		for _, l := range strings.ToLower(string(r)) {
			if l < utf8.RuneSelf && lowerAlnum(byte(l)) {
				b.WriteByte(byte(l))
				hyphen = false
			} else if !hyphen {
				b.WriteByte('-')
				hyphen = true
			}
		}
	}
	s := cut(strings.TrimLeft(b.String(), "-"), limit)
	if s != "" && (s[0] < 'a' || s[0] > 'z') {
		s = "x-" + cut(s, limit-2)
	}
	if s = strings.TrimRight(s, "-"); s == "" {
		return "x"
	}
	return s
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

// ValidDisplayName returns the NFC form of a server's display name, or why it is refused: it must be 1 to 255
// characters, all of them letters, marks, numbers, punctuation or symbols, with single spaces only inside.
func ValidDisplayName(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("display name is not UTF-8")
	}
	s = norm.NFC.String(s)
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", errors.New("display name is empty")
	case n > maxDisplayName:
		return "", fmt.Errorf("display name is %d characters long: at most %d are allowed", n, maxDisplayName)
	case s[0] == ' ' || s[len(s)-1] == ' ':
		return "", errors.New("display name starts or ends with a space")
	case strings.Contains(s, "  "):
		return "", errors.New("display name has consecutive spaces")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) { // letters, marks, numbers, punctuation, symbols and U+0020
			return "", fmt.Errorf("display name has the character %U, which is not printable", r)
		}
	}
	return s, nil
}

// ClientID is the OAuth client id of a user's server: "jupyterhub-user-NAME" for the default server (server "") and
// "jupyterhub-user-NAME-SERVER" for a named one. Names are percent-encoded except for letters, digits and "_.-~/". User "a"
// with server "b" and user "a-b" share an id, as they do in JupyterHub: clients have it in their environment.
func ClientID(user, server string) string {
	id := "jupyterhub-user-" + quote(user, "_.-~/")
	if server != "" {
		id += "-" + quote(server, "_.-~/")
	}
	return id
}

// quote is Python's urllib.parse.quote with the given punctuation left alone.
func quote(s, safe string) string {
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		c := s[i]
		if lowerAlnum(c) || 'A' <= c && c <= 'Z' || strings.IndexByte(safe, c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}
