package web

import (
	"fmt"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
)

// stringMethods are Python's methods of strings that gonja has.
var stringMethods = [...]string{"capitalize", "capwords", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
	"format_map", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper",
	"join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rjust", "rpartition", "rsplit", "rstrip",
	"split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill"}

// newMethods are gonja's methods, with those of strings corrected whose optional arguments it demands.
func newMethods() exec.Methods {
	own := map[string]exec.Method[string]{}
	for _, name := range stringMethods {
		if m, ok := builtins.Methods.Str.Get(name); ok {
			own[name] = func(self string, value *exec.Value, va *exec.VarArgs) (any, error) {
				out, err := m(self, value, va)
				if parts, ok := out.([]string); ok {
					return texts(parts), err // gonja would print them unescaped
				}
				return out, err
			}
		}
	}
	own["replace"] = func(self string, _ *exec.Value, va *exec.VarArgs) (any, error) {
		was, is, count := argument(va, 0, "old"), argument(va, 1, "new"), argument(va, 2, "count")
		if was == nil || is == nil {
			return nil, fmt.Errorf("replace needs the old and the new text")
		}
		n := -1
		if count != nil {
			n = count.Integer()
		}
		return strings.Replace(self, was.String(), is.String(), n), nil
	}
	own["split"] = func(self string, _ *exec.Value, va *exec.VarArgs) (any, error) {
		separator, limit := argument(va, 0, "sep"), argument(va, 1, "maxsplit")
		if separator == nil || separator.IsNil() {
			return texts(strings.Fields(self)), nil
		}
		n := -1
		if limit != nil && limit.Integer() >= 0 {
			n = limit.Integer() + 1
		}
		return texts(strings.SplitN(self, separator.String(), n)), nil
	}
	own["strip"] = trimmed(strings.TrimSpace, strings.Trim)
	own["lstrip"] = trimmed(func(s string) string { return strings.TrimLeft(s, " \t\r\n") }, strings.TrimLeft)
	own["rstrip"] = trimmed(func(s string) string { return strings.TrimRight(s, " \t\r\n") }, strings.TrimRight)
	m := builtins.Methods
	m.Str = exec.NewMethodSet(own)
	return m
}

func trimmed(space func(string) string, set func(s, cutset string) string) exec.Method[string] {
	return func(self string, _ *exec.Value, va *exec.VarArgs) (any, error) {
		if chars := argument(va, 0, "chars"); chars != nil && !chars.IsNil() {
			return set(self, chars.String()), nil
		}
		return space(self), nil
	}
}
