package httpmw

import (
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// setCookie is one Set-Cookie line. Go's http.Cookie drops or refuses values that JupyterHub sends (quoted ones with "|"
// and ":"), so lines are written here as Python's http.cookies does, attribute order included.
type setCookie struct {
	name, value            string
	domain, path, sameSite string
	expires                time.Time // zero: none
	maxAge                 int       // seconds; 0: none
	httpOnly, secure       bool
}

// String writes the line.
func (c setCookie) String() string {
	var b strings.Builder
	b.WriteString(c.name + "=" + quoteCookie(c.value))
	if c.domain != "" {
		b.WriteString("; Domain=" + c.domain)
	}
	if !c.expires.IsZero() {
		b.WriteString("; expires=" + c.expires.UTC().Format(http.TimeFormat))
	}
	if c.httpOnly {
		b.WriteString("; HttpOnly")
	}
	if c.maxAge != 0 {
		b.WriteString("; Max-Age=" + strconv.Itoa(c.maxAge))
	}
	if c.path != "" {
		b.WriteString("; Path=" + c.path)
	}
	if c.sameSite != "" {
		b.WriteString("; SameSite=" + c.sameSite)
	}
	if c.secure {
		b.WriteString("; Secure")
	}
	return b.String()
}

// putCookie adds the line to an answer, in place of an earlier one for the same name.
func putCookie(h http.Header, c setCookie) {
	dropCookie(h, c.name)
	h["Set-Cookie"] = append(h["Set-Cookie"], c.String())
}

// dropCookie takes back what was to be set.
func dropCookie(h http.Header, name string) {
	kept := h["Set-Cookie"][:0:0]
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, name+"=") {
			kept = append(kept, line)
		}
	}
	if h.Del("Set-Cookie"); len(kept) > 0 {
		h["Set-Cookie"] = kept
	}
}

// quoteCookie puts a value in double quotes unless it is a plain token (RFC 2109, as Python writes it): the login cookie,
// whose base64 ends in "=", is always quoted, the empty value too.
func quoteCookie(value string) string {
	plain := value != ""
	for i := 0; i < len(value) && plain; i++ {
		plain = isCookieToken(value[i])
	}
	if plain {
		return value
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case isCookieToken(c) || strings.IndexByte(" ()/<=>?@[]{}", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func isCookieToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~:", c) >= 0
}

// unquoteCookie undoes quoteCookie; an unquoted value stays as it is.
func unquoteCookie(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if i+3 < len(s) && '0' <= s[i+1] && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		i++
		b.WriteByte(s[i])
	}
	return b.String()
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// allCookies yields the names and unquoted values of a Cookie header in their order, as browsers and Tornado split it.
func allCookies(header string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for chunk := range strings.SplitSeq(header, ";") {
			name, value, ok := strings.Cut(chunk, "=")
			if !ok {
				name, value = "", chunk
			}
			name, value = strings.TrimSpace(name), strings.TrimSpace(value)
			if (name != "" || value != "") && !yield(name, unquoteCookie(value)) {
				return
			}
		}
	}
}

// cookieHeader joins the Cookie lines of a request: HTTP/2 clients may send several (RFC 9113 section 8.2.3).
func cookieHeader(h http.Header) string { return strings.Join(h["Cookie"], "; ") }

// cookieValue returns the last cookie of a name, as Tornado does; "" when there is none.
func cookieValue(h http.Header, name string) string {
	found := ""
	for n, value := range allCookies(cookieHeader(h)) {
		if n == name {
			found = value
		}
	}
	return found
}
