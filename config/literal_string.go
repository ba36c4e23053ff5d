package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// oneString reads prefix, quotes and body of a single string literal.
func (p *literalParser) oneString() (text string, isBytes bool, err error) {
	raw := false
	seen := ""
	for p.peek() != '\'' && p.peek() != '"' {
		b := p.peek() | 0x20
		if strings.IndexByte("rbu", b) < 0 || strings.IndexByte(seen, b) >= 0 || seen == "u" || (seen != "" && b == 'u') {
			return "", false, p.fail("unknown string prefix")
		}
		seen += string(b)
		raw = raw || b == 'r'
		isBytes = isBytes || b == 'b'
		p.i++
	}
	quote := p.s[p.i : p.i+1]
	if strings.HasPrefix(p.s[p.i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	p.i += len(quote)
	var out strings.Builder
	for {
		if p.i >= len(p.s) || len(quote) == 1 && p.s[p.i] == '\n' {
			return "", false, p.fail("the string has no end")
		}
		if strings.HasPrefix(p.s[p.i:], quote) {
			p.i += len(quote)
			return out.String(), isBytes, nil
		}
		if p.s[p.i] != '\\' {
			if isBytes && p.s[p.i] >= 0x80 {
				return "", false, p.fail("bytes hold ASCII only")
			}
			out.WriteByte(p.s[p.i])
			p.i++
			continue
		}
		if raw {
			p.rawEscape(&out)
			continue
		}
		if err := p.escape(&out, isBytes); err != nil {
			return "", false, err
		}
	}
}

// rawEscape keeps the backslash and whatever it protects.
func (p *literalParser) rawEscape(out *strings.Builder) {
	out.WriteByte('\\')
	p.i++
	if p.i < len(p.s) {
		out.WriteByte(p.s[p.i])
		p.i++
	}
}

// escape reads one backslash sequence. \N{name} is refused: it would need Unicode's table of names.
func (p *literalParser) escape(out *strings.Builder, isBytes bool) error {
	p.i++
	if p.i >= len(p.s) {
		return p.fail("the string has no end")
	}
	b := p.s[p.i]
	p.i++
	if plain := strings.IndexByte(`abfnrtv\'"`, b); plain >= 0 {
		out.WriteByte("\a\b\f\n\r\t\v\\'\""[plain])
		return nil
	}
	switch {
	case b == '\n':
		return nil
	case b == 'x':
		return p.hexEscape(out, 2, isBytes)
	case b == 'u' && !isBytes:
		return p.hexEscape(out, 4, false)
	case b == 'U' && !isBytes:
		return p.hexEscape(out, 8, false)
	case b == 'N' && !isBytes:
		return p.fail("\\N{...} is not supported")
	case b >= '0' && b <= '7':
		p.i--
		return p.octalEscape(out, isBytes)
	}
	out.WriteByte('\\')
	out.WriteByte(b)
	return nil
}

func (p *literalParser) hexEscape(out *strings.Builder, digits int, isBytes bool) error {
	if p.i+digits > len(p.s) {
		return p.fail("a short escape")
	}
	n, err := strconv.ParseUint(p.s[p.i:p.i+digits], 16, 32)
	if err != nil || !isBytes && !utf8.ValidRune(rune(n)) {
		return p.fail("a wrong escape")
	}
	p.i += digits
	return p.put(out, n, isBytes)
}

func (p *literalParser) octalEscape(out *strings.Builder, isBytes bool) error {
	end := p.i
	for end < len(p.s) && end < p.i+3 && p.s[end] >= '0' && p.s[end] <= '7' {
		end++
	}
	n, err := strconv.ParseUint(p.s[p.i:end], 8, 16)
	if err != nil || isBytes && n > 255 {
		return p.fail("a wrong escape")
	}
	p.i = end
	return p.put(out, n, isBytes)
}

func (p *literalParser) put(out *strings.Builder, n uint64, isBytes bool) error {
	if isBytes {
		return out.WriteByte(byte(n))
	}
	_, err := out.WriteRune(rune(n))
	return err
}
