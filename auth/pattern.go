package auth

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// compilePattern turns a Python regular expression into a Go one that matches at the start of the text, as Python's
// re.match does. What the two dialects write differently is translated: \w, \d and \s mean all of Unicode, \Z is \z,
// {,n} is {0,n}. Go has no look-around and no back-references; such a pattern is an error rather than a rule that means something else.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	translated, err := translatePattern(pattern)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`\A(?:` + translated + `)`)
	if err != nil {
		return nil, fmt.Errorf("%w; look-around, back-references and possessive quantifiers are not available, write the pattern without them", err)
	}
	return re, nil
}

// openRepeat is Python's repetition without a lower bound.
var openRepeat = regexp.MustCompile(`^\{,[0-9]*\}`)

func translatePattern(p string) (string, error) {
	var out strings.Builder
	class := false // inside [...]
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\\' && i+1 < len(p):
			i++
			escape, err := translateEscape(p[i], class)
			if err != nil {
				return "", err
			}
			out.WriteString(escape)
		case c == '[' && !class:
			class = true
			out.WriteByte(c)
			// "]" right after "[" or "[^" is a literal in both dialects.
			if strings.HasPrefix(p[i+1:], "^") {
				i++
				out.WriteByte('^')
			}
			if strings.HasPrefix(p[i+1:], "]") {
				i++
				out.WriteString(`\]`)
			}
		case c == '[': // Go would read "[:alpha:]" as a class name; Python reads a plain "["
			out.WriteString(`\[`)
		case c == ']' && class:
			class = false
			out.WriteByte(c)
		case c == '{' && !class && openRepeat.MatchString(p[i:]):
			out.WriteString("{0")
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

// translateEscape writes the Go form of a Python escape, given without its backslash.
func translateEscape(c byte, class bool) (string, error) {
	const word, space = `\p{L}\p{N}_`, `\s\v\p{Z}\x{85}`
	switch c {
	case 'w', 's':
		set := word
		if c == 's' {
			set = space
		}
		if class {
			return set, nil
		}
		return "[" + set + "]", nil
	case 'W', 'S':
		if class {
			return "", fmt.Errorf(`\%c inside [...] cannot be translated, write out the characters`, c)
		}
		if c == 'S' {
			return "[^" + space + "]", nil
		}
		return "[^" + word + "]", nil
	case 'd':
		return `\p{Nd}`, nil
	case 'D':
		return `\P{Nd}`, nil
	case 'Z':
		return `\z`, nil
	}
	if c >= utf8.RuneSelf { // an escaped letter is itself; Go would refuse the backslash
		return string([]byte{c}), nil
	}
	return `\` + string(c), nil
}
