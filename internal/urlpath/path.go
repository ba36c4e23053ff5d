package urlpath

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// literal marks the bytes that stay unescaped in a URL segment: RFC 3986 unreserved characters and "@".
var literal = func() (t [256]bool) {
	for c := range 256 {
		b := byte(c)
		t[c] = 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("-._~@", b) >= 0
	}
	return t
}()

// Join joins pieces of a URL path with single slashes between them (url_path_join). A leading slash of the first
// piece and a trailing slash of the last non-empty piece are kept; empty pieces at the end do not count.
// Slashes inside a piece are left alone.
func Join(parts ...string) string {
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return ""
	}
	var b strings.Builder
	if strings.HasPrefix(parts[0], "/") {
		b.WriteByte('/')
	}
	first := true
	for _, p := range parts {
		if p = strings.Trim(p, "/"); p == "" {
			continue
		}
		if !first {
			b.WriteByte('/')
		}
		first = false
		b.WriteString(p)
	}
	if strings.HasSuffix(parts[len(parts)-1], "/") {
		b.WriteByte('/')
	}
	if b.String() == "//" {
		return "/"
	}
	return b.String()
}

// Escape percent-encodes one path segment, such as a user or server name (url_escape_path): letters, digits and
// "-._~@" stay, every other byte of the UTF-8 text becomes %XX with upper-case digits. "/" is encoded as well.
func Escape(segment string) string {
	n := 0
	for i := range len(segment) {
		if !literal[segment[i]] {
			n++
		}
	}
	if n == 0 {
		return segment
	}
	return string(appendEscaped(make([]byte, 0, len(segment)+2*n), segment))
}

func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = appendEscapedByte(dst, s[i])
	}
	return dst
}

func appendEscapedByte(dst []byte, c byte) []byte {
	if literal[c] {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

// Unescape decodes the percent escapes of one segment, once. "+" stays "+". An escape that is not % and two
// hexadecimal digits, and a result that is not UTF-8, are an *EscapeError (Python's unquote guesses instead).
func Unescape(segment string) (string, error) {
	if strings.IndexByte(segment, '%') < 0 {
		if !utf8.ValidString(segment) {
			return "", &EscapeError{Text: segment, Reason: "not UTF-8"}
		}
		return segment, nil
	}
	b := make([]byte, 0, len(segment))
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' {
			d, ok := decodeAt(segment, i)
			if !ok {
				return "", &EscapeError{Text: segment, Reason: "% without two hexadecimal digits"}
			}
			c = d
			i += 2
		}
		b = append(b, c)
	}
	if !utf8.Valid(b) {
		return "", &EscapeError{Text: segment, Reason: "not UTF-8 after decoding"}
	}
	return string(b), nil
}

// EscapeError says that a text is not correctly percent-encoded.
type EscapeError struct {
	Text   string // the text as given
	Reason string
}

// Error returns the reason with a quoted, shortened copy of the text.
func (e *EscapeError) Error() string {
	t := e.Text
	if len(t) > 64 {
		t = t[:64] + "…"
	}
	return fmt.Sprintf("decode URL path %q: %s", t, e.Reason)
}

func decodeAt(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, ok1 := unhex(s[i+1])
	lo, ok2 := unhex(s[i+2])
	return hi<<4 | lo, ok1 && ok2
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// Canonical brings an escaped path into the one form in which paths are compared: every character that Escape
// leaves alone is literal, every other byte is %XX in upper case. Slashes separate segments and are never encoded or
// decoded, so "%2F" stays part of its segment; empty and dot segments are kept. Two paths have the same
// canonical form exactly when their segments decode to the same bytes. A malformed escape is an *EscapeError.
// A path already in canonical form is returned without allocating.
func Canonical(path string) (string, error) {
	i := 0
	for i < len(path) && (literal[path[i]] || path[i] == '/') {
		i++
	}
	if i == len(path) {
		return path, nil
	}
	b := make([]byte, 0, len(path)+16)
	b = append(b, path[:i]...)
	for ; i < len(path); i++ {
		c := path[i]
		switch c {
		case '/':
			b = append(b, '/')
			continue
		case '%':
			d, ok := decodeAt(path, i)
			if !ok {
				return "", &EscapeError{Text: path, Reason: "% without two hexadecimal digits"}
			}
			c = d
			i += 2
		}
		b = appendEscapedByte(b, c)
	}
	return string(b), nil
}

// EscapeBase returns the canonical form of a base URL path: it starts and ends with a slash (as JupyterHub's base_url
// trait makes it), has no empty segments, and is percent-encoded with "@" literal: "@/space word" and
// "/%40/space%20word/" both give "/@/space%20word/". Text that cannot be a base URL is an error: malformed escapes,
// dot segments, control characters, "?" and "#".
func EscapeBase(path string) (string, error) {
	var b strings.Builder
	b.WriteByte('/')
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "" {
			continue
		}
		if strings.ContainsAny(seg, "?#") {
			return "", &EscapeError{Text: path, Reason: "a base URL is a path, without query and fragment"}
		}
		name, err := Unescape(seg)
		if err != nil {
			return "", err
		}
		if name == "." || name == ".." {
			return "", &EscapeError{Text: path, Reason: "dot segments are resolved by browsers"}
		}
		if hasControl(name) {
			return "", &EscapeError{Text: path, Reason: "control character"}
		}
		b.WriteString(Escape(name))
		b.WriteByte('/')
	}
	return b.String(), nil
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return true
		}
	}
	return false
}
