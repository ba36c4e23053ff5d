package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pySet is a Python set: its members in the order they were written, without duplicates of plain values.
type pySet []any

// maxLiteralDepth bounds the nesting of literals, so that hostile input cannot exhaust the stack.
const maxLiteralDepth = 100

// ParseLiteral reads a Python literal as ast.literal_eval does: None, True, False, numbers, strings, bytes, lists, tuples,
// sets and dicts, nothing that would have to be executed. The result is built of nil, bool, int64, float64, string, []byte,
// []any (lists and tuples), sets, and map[string]any (number keys become their text). Errors tell the byte offset and
// never quote the input, which may hold secrets.
func ParseLiteral(text string) (any, error) {
	p := &literalParser{s: text}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.i < len(p.s) {
		return nil, p.fail("unexpected text after the value")
	}
	return v, nil
}

type literalParser struct {
	s string
	i int
}

func (p *literalParser) fail(what string) error {
	return fmt.Errorf("not a Python literal: %s at offset %d", what, p.i)
}

func (p *literalParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *literalParser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n\f", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *literalParser) take(b byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == b {
		p.i++
		p.space()
		return true
	}
	return false
}

func (p *literalParser) value(depth int) (any, error) {
	if depth > maxLiteralDepth {
		return nil, p.fail("nested too deeply")
	}
	switch b := p.peek(); {
	case b == '[':
		p.i++
		return p.list(']', depth)
	case b == '(':
		p.i++
		return p.tuple(depth)
	case b == '{':
		p.i++
		return p.braces(depth)
	case b == '\'' || b == '"':
		return p.strings()
	case b >= '0' && b <= '9', b == '.', b == '-', b == '+':
		return p.number()
	case isLetter(b):
		return p.word()
	}
	return nil, p.fail("unexpected character or end")
}

func isLetter(b byte) bool { return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func (p *literalParser) word() (any, error) {
	start := p.i
	for p.i < len(p.s) && (isLetter(p.s[p.i]) || p.s[p.i] >= '0' && p.s[p.i] <= '9') {
		p.i++
	}
	word := p.s[start:p.i]
	if b := p.peek(); (b == '\'' || b == '"') && len(word) <= 2 {
		p.i = start
		return p.strings()
	}
	switch word {
	case "None":
		return nil, nil
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "set":
		if p.take('(') && p.take(')') {
			return pySet{}, nil
		}
	}
	p.i = start
	return nil, p.fail("a name is not a value")
}

func (p *literalParser) list(end byte, depth int) ([]any, error) {
	out := []any{}
	p.space()
	for !p.take(end) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if !p.take(',') {
			p.space()
			if p.peek() != end {
				return nil, p.fail("expected a comma or the end of the list")
			}
		}
	}
	return out, nil
}

// tuple reads what follows "(": a parenthesised value is that value, anything with a comma is a list.
func (p *literalParser) tuple(depth int) (any, error) {
	start := p.i
	out, err := p.list(')', depth)
	if err != nil {
		return nil, err
	}
	if len(out) == 1 && !endsWithComma(strings.TrimRight(p.s[start:p.i], " \t\r\n\f")) {
		return out[0], nil
	}
	return out, nil
}

// endsWithComma reports whether the text before the closing parenthesis ends with a comma.
func endsWithComma(s string) bool {
	s = strings.TrimSuffix(s, ")")
	return strings.HasSuffix(strings.TrimRight(s, " \t\r\n\f"), ",")
}

func (p *literalParser) braces(depth int) (any, error) {
	p.space()
	dict := map[string]any{}
	if p.take('}') {
		return dict, nil
	}
	var set pySet
	for {
		key, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.take(':') {
			if set != nil {
				return nil, p.fail("a set and a dict are mixed")
			}
			name, err := keyText(key)
			if err != nil {
				return nil, p.fail(err.Error())
			}
			if dict[name], err = p.value(depth + 1); err != nil {
				return nil, err
			}
		} else {
			if len(dict) > 0 {
				return nil, p.fail("a set and a dict are mixed")
			}
			set = set.add(key)
		}
		if !p.take(',') || p.peek() == '}' {
			break
		}
	}
	if !p.take('}') {
		return nil, p.fail("expected a comma or a closing brace")
	}
	if set != nil {
		return set, nil
	}
	return dict, nil
}

// add appends v unless an equal plain value is already a member.
func (s pySet) add(v any) pySet {
	if s == nil {
		s = pySet{}
	}
	for _, have := range s {
		if scalarEqual(have, v) {
			return s
		}
	}
	return append(s, v)
}

func scalarEqual(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x == y
	case int64:
		y, ok := b.(int64)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	}
	return false
}

func keyText(key any) (string, error) {
	switch k := key.(type) {
	case string:
		return k, nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case float64:
		return strconv.FormatFloat(k, 'g', -1, 64), nil
	}
	return "", errors.New("a key must be a text or a number")
}

func (p *literalParser) number() (any, error) {
	start := p.i
	sign := int64(1)
	for p.peek() == '-' || p.peek() == '+' {
		if p.peek() == '-' {
			sign = -sign
		}
		p.i++
		p.space()
	}
	digits := p.i
	for p.i < len(p.s) && (isLetter(p.s[p.i]) || p.s[p.i] >= '0' && p.s[p.i] <= '9' || p.s[p.i] == '.' ||
		(p.s[p.i] == '-' || p.s[p.i] == '+') && (p.s[p.i-1] == 'e' || p.s[p.i-1] == 'E') && !isHex(p.s[digits:p.i])) {
		p.i++
	}
	v, err := parseNumber(p.s[digits:p.i])
	if err != nil {
		p.i = start
		return nil, p.fail(err.Error())
	}
	switch n := v.(type) {
	case int64:
		return n * sign, nil
	case float64:
		return n * float64(sign), nil
	}
	return v, nil
}

func isHex(s string) bool { return len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') }

// parseNumber reads an unsigned Python number: decimal, 0x, 0o, 0b, underscores between digits, floats.
func parseNumber(s string) (any, error) {
	bad := errors.New("not a number")
	if s == "" || strings.HasSuffix(s, "_") || strings.HasPrefix(s, "_") || strings.Contains(s, "__") {
		return nil, bad
	}
	plain := strings.ReplaceAll(s, "_", "")
	if len(plain) > 2 && plain[0] == '0' && strings.IndexByte("xXoObB", plain[1]) >= 0 {
		n, err := strconv.ParseInt(plain, 0, 64)
		if err != nil {
			return nil, bad
		}
		return n, nil
	}
	if strings.Trim(plain, "0123456789") == "" {
		if plain[0] == '0' && strings.Trim(plain, "0") != "" {
			return nil, errors.New("a number must not start with 0 (octal is 0o17)")
		}
		n, err := strconv.ParseInt(plain, 10, 64)
		if err != nil {
			return nil, errors.New("the number is too large")
		}
		return n, nil
	}
	if strings.Trim(plain, "0123456789.eE+-") != "" {
		return nil, bad
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, bad
	}
	return f, nil
}

// strings reads one string or bytes literal and those that follow it directly, which Python joins.
func (p *literalParser) strings() (any, error) {
	var text strings.Builder
	kind := -1
	for {
		s, isBytes, err := p.oneString()
		if err != nil {
			return nil, err
		}
		k := 0
		if isBytes {
			k = 1
		}
		if kind >= 0 && kind != k {
			return nil, p.fail("bytes and text are mixed")
		}
		kind = k
		text.WriteString(s)
		p.space()
		if !p.atString() {
			break
		}
	}
	if kind == 1 {
		return []byte(text.String()), nil
	}
	if !utf8.ValidString(text.String()) {
		return nil, p.fail("invalid UTF-8")
	}
	return text.String(), nil
}

func (p *literalParser) atString() bool {
	for j := p.i; j < len(p.s) && j <= p.i+2; j++ {
		switch {
		case p.s[j] == '\'' || p.s[j] == '"':
			return true
		case strings.IndexByte("rRbBuU", p.s[j]) < 0:
			return false
		}
	}
	return false
}
