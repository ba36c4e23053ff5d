package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// cliTexts are the values of one trait as the command line gave them, one per repetition.
type cliTexts []string

// fromTexts turns command line texts into a plain value by the rules of traitlets: True/1/true for booleans, int and float
// texts, ~ expanded in texts, a Python literal in brackets or one item per repetition for lists and sets, key=value or a
// literal in braces for dicts. A text that does not fit is an error that does not quote it.
func (f field) fromTexts(texts []string, home string) (any, error) {
	last := texts[len(texts)-1]
	typ := f.typ
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if last == "None" && (f.typ.Kind() == reflect.Pointer || f.null != "" || f.py == "only") {
		return nil, nil
	}
	if len(f.Enum) > 0 {
		return last, nil
	}
	switch {
	case typ == reflect.TypeFor[ClassRef]() || typ == reflect.TypeFor[SecretBytes]():
		return last, nil
	case typ == reflect.TypeFor[LogLevel]() || typ == reflect.TypeFor[ByteSize]():
		if n, err := strconv.ParseInt(last, 10, 64); err == nil {
			return n, nil
		}
		return last, nil
	}
	switch typ.Kind() {
	case reflect.Bool:
		return boolText(last)
	case reflect.Int, reflect.Int64:
		return intText(last)
	case reflect.Float64:
		n, err := strconv.ParseFloat(strings.TrimSpace(last), 64)
		if err != nil {
			return nil, errors.New("not a number")
		}
		return n, nil
	case reflect.String:
		return plainText(last, home), nil
	case reflect.Slice:
		return f.listTexts(texts)
	case reflect.Map:
		return dictTexts(texts)
	}
	return nil, errors.New("cannot be set on the command line")
}

func boolText(s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return nil, errors.New("not one of True, False, 1, 0")
}

func intText(s string) (any, error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil && strings.ContainsAny(s, "xob") {
		return n, nil
	}
	return nil, errors.New("not an integer")
}

// plainText expands a leading ~ and drops one pair of quotes around the text.
func plainText(s, home string) string {
	if home != "" && (s == "~" || strings.HasPrefix(s, "~/")) {
		s = home + s[1:]
	}
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[0] == s[len(s)-1] {
		s = s[1 : len(s)-1]
	}
	return s
}

func (f field) listTexts(texts []string) (any, error) {
	if one := texts[0]; len(texts) == 1 && looksLikeList(one, f.set) {
		v, err := ParseLiteral(one)
		if err != nil {
			return nil, err
		}
		if set, ok := v.(pySet); ok && !f.set {
			return []any(set), nil
		}
		return v, nil
	}
	out := []any{}
	for _, text := range texts {
		out = append(out, f.listItem(text))
	}
	return out, nil
}

func looksLikeList(s string, set bool) bool {
	return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") ||
		strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") ||
		strings.HasPrefix(s, "set(") || set && strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}")
}

// listItem reads an item of a list of dicts as a literal; items of other lists are texts.
func (f field) listItem(text string) any {
	if elem := f.typ.Elem().Kind(); elem == reflect.Struct || elem == reflect.Interface {
		if v, err := ParseLiteral(text); err == nil {
			return v
		}
	}
	return text
}

func dictTexts(texts []string) (any, error) {
	if one := texts[0]; len(texts) == 1 && strings.HasPrefix(one, "{") && strings.HasSuffix(one, "}") {
		return ParseLiteral(one)
	}
	out := map[string]any{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, errors.New("expected key=value or a literal in braces")
		}
		if v, err := ParseLiteral(value); err == nil {
			out[key] = v
		} else {
			out[key] = value
		}
	}
	return out, nil
}

// guessTexts reads texts of traits that are not known here: literals where they are some, else texts.
func guessTexts(texts []string) any {
	if len(texts) > 1 {
		out := []any{}
		for _, text := range texts {
			out = append(out, text)
		}
		return out
	}
	if v, err := ParseLiteral(texts[0]); err == nil {
		return v
	}
	return texts[0]
}

// fromDefault reads the default tag of a field: as on the command line, but lists are written without quotes.
func (f field) fromDefault() (any, error) {
	text := f.Default
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") && f.typ.Kind() == reflect.Slice {
		var out []any
		for _, item := range strings.Split(text[1:len(text)-1], ",") {
			if item != "" {
				out = append(out, item)
			}
		}
		if f.set {
			return pySet(out), nil
		}
		return append([]any{}, out...), nil
	}
	if text == "" && f.typ == reflect.TypeFor[SecretBytes]() {
		return []byte{}, nil
	}
	v, err := f.fromTexts([]string{text}, "")
	if err != nil {
		return nil, fmt.Errorf("default of %s.%s: %w", f.Class, f.Name, err)
	}
	return v, nil
}
