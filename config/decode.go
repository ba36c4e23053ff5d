package config

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// decoder turns plain values into Go fields and collects what does not fit.
type decoder struct {
	report      *Report
	allowPython bool
	python      []Python
}

// mismatch reports a value of the wrong type without showing it.
func (d *decoder) mismatch(where, want string, v any) bool {
	d.report.Errorf(where, "", "expected %s, got %s", want, describe(v))
	return false
}

// trait decodes one trait; it reports false when the field was left at what it held.
func (d *decoder) trait(f field, where string, target reflect.Value, v any) bool {
	if target.Type() == reflect.TypeFor[ClassRef]() {
		return d.classRef(f, where, target, v)
	}
	if py, ok := v.(*Python); ok {
		return d.callable(f, where, target, py)
	}
	if f.py == "only" {
		if v == nil {
			target.SetZero()
			return true
		}
		return d.mismatch(where, f.Type, v)
	}
	if v == nil && f.null == "empty" {
		target.Set(emptyOf(target.Type()))
		return true
	}
	if len(f.Enum) > 0 {
		return d.enum(f, where, target, v)
	}
	if list, ok := v.([]any); ok && f.set {
		v = list
	} else if set, ok := v.(pySet); ok {
		if !f.set {
			return d.mismatch(where, f.Type, v)
		}
		v = []any(set)
	}
	return d.value(where, f.Type, target, v)
}

// callable records a Python object. Without a bridge it is an error that names the trait: never silently dropped.
func (d *decoder) callable(f field, where string, target reflect.Value, py *Python) bool {
	if f.py == "" {
		return d.mismatch(where, f.Type, py)
	}
	py.Where = where
	d.python = append(d.python, *py)
	if !d.allowPython {
		d.refusePython(where, py)
		return false
	}
	if f.py == "only" {
		target.Set(reflect.ValueOf(py))
	}
	return true
}

func (d *decoder) refusePython(where string, py *Python) {
	d.report.Errorf(where, "remove it or write a plain value; run JupyterHub itself if you need it today",
		"the value is a Python %s (%s), and the Python bridge is not there yet: this version takes plain values only",
		py.Kind, py.Qualname)
}

func (d *decoder) classRef(f field, where string, target reflect.Value, v any) bool {
	kind := strings.TrimSuffix(f.Name, "_class")
	ref := ClassRef{}
	switch x := v.(type) {
	case string:
		ref.Given = x
	case *Python:
		x.Where = where
		ref.Given, ref.Python = x.Qualname, x
	default:
		return d.mismatch(where, f.Type, v)
	}
	if n, ok := resolveNative(kind, ref.Given); ok && (ref.Python == nil || ref.Python.Kind == "class") {
		ref.Native, ref.Class, ref.Python = n.name, n.class, nil
		target.Set(reflect.ValueOf(ref))
		return true
	}
	ref.Class = ref.Given[strings.LastIndexAny(ref.Given, ".:")+1:]
	target.Set(reflect.ValueOf(ref))
	if ref.Python != nil {
		d.python = append(d.python, *ref.Python)
	}
	switch {
	case ref.Python != nil && ref.Python.Kind != "class":
		return d.mismatch(where, f.Type, ref.Python)
	case !d.allowPython && ref.Python == nil && !strings.ContainsAny(ref.Given, ".:"):
		d.report.Errorf(where, didYouMean(ref.Given, "", strings.Split(nativeNames(kind), ", "), "use one of "+nativeNames(kind)),
			"no %s of the name %q is built in, and the Python bridge, which could look for plug-ins, is not there yet", kind, ref.Given)
	case !d.allowPython:
		d.report.Errorf(where, "use one of "+nativeNames(kind),
			"%s is a Python class, and the Python bridge is not there yet: this version has its own classes only", ref.Given)
	}
	return true
}

func (d *decoder) enum(f field, where string, target reflect.Value, v any) bool {
	text, ok := v.(string)
	if !ok {
		return d.mismatch(where, f.Type, v)
	}
	for _, word := range f.Enum {
		if strings.EqualFold(word, text) {
			target.SetString(word)
			return true
		}
	}
	d.report.Errorf(where, didYouMean(text, "", f.Enum, ""), "expected %s, got another text", f.Type)
	return false
}

// emptyOf is the value of None where None means empty: an empty container, not nil.
func emptyOf(t reflect.Type) reflect.Value {
	switch t.Kind() {
	case reflect.Slice:
		return reflect.MakeSlice(t, 0, 0)
	case reflect.Map:
		return reflect.MakeMap(t)
	}
	return reflect.Zero(t)
}

// value decodes v into target by its Go type; want is the phrase for the whole trait.
func (d *decoder) value(where, want string, target reflect.Value, v any) bool {
	if py, ok := v.(*Python); ok && target.Kind() != reflect.Interface {
		return d.nested(where, want, py)
	}
	if handled, ok := d.special(where, want, target, v); handled {
		return ok
	}
	switch target.Kind() {
	case reflect.Pointer:
		if v == nil {
			target.SetZero()
			return true
		}
		inner := reflect.New(target.Type().Elem())
		if !d.value(where, want, inner.Elem(), v) {
			return false
		}
		target.Set(inner)
		return true
	case reflect.Interface:
		target.Set(reflect.ValueOf(d.plain(where, &v)).Elem())
		return true
	case reflect.Slice:
		return d.slice(where, want, target, v)
	case reflect.Map:
		return d.mapping(where, want, target, v)
	case reflect.Struct:
		return d.spec(where, target, v)
	}
	return d.scalar(where, want, target, v)
}

// nested handles a Python object inside a container of plain values. Only Spawner.environment may hold callables there: the key
// then has an empty text, and Config.Python the callable.
func (d *decoder) nested(where, want string, py *Python) bool {
	if d.allowPython && !strings.Contains(where, ".environment[") {
		return d.mismatch(where, want, py)
	}
	py.Where = where
	d.python = append(d.python, *py)
	if !d.allowPython {
		d.refusePython(where, py)
	}
	return d.allowPython
}

func (d *decoder) scalar(where, want string, target reflect.Value, v any) bool {
	switch x := v.(type) {
	case bool:
		switch target.Kind() {
		case reflect.Bool:
			target.SetBool(x)
			return true
		case reflect.Int, reflect.Int64, reflect.Float64:
			return d.mismatch(where, want, v)
		}
	case int64:
		switch target.Kind() {
		case reflect.Int, reflect.Int64:
			target.SetInt(x)
			return true
		case reflect.Float64:
			target.SetFloat(float64(x))
			return true
		case reflect.Bool:
			if x == 0 || x == 1 {
				target.SetBool(x == 1)
				return true
			}
		}
	case float64:
		if target.Kind() == reflect.Float64 && !math.IsNaN(x) {
			target.SetFloat(x)
			return true
		}
	case string:
		if target.Kind() == reflect.String {
			target.SetString(x)
			return true
		}
	}
	return d.mismatch(where, want, v)
}

// special decodes the types that accept more than one form.
func (d *decoder) special(where, want string, target reflect.Value, v any) (handled, ok bool) {
	switch target.Type() {
	case reflect.TypeFor[Command]():
		if text, isText := v.(string); isText {
			target.Set(reflect.ValueOf(Command{text}))
			return true, true
		}
	case reflect.TypeFor[Profiles]():
		return true, d.profiles(where, want, target, v)
	case reflect.TypeFor[URLPrefix]():
		if text, isText := v.(string); isText {
			target.SetString(normalPrefix(text))
			return true, true
		}
	case reflect.TypeFor[ByteSize]():
		n, ok := byteSize(v)
		if !ok {
			return true, d.mismatch(where, want, v)
		}
		target.SetInt(n)
		return true, true
	case reflect.TypeFor[LogLevel]():
		n, ok := logLevel(v)
		if !ok {
			return true, d.mismatch(where, want, v)
		}
		target.SetInt(n)
		return true, true
	case reflect.TypeFor[SecretBytes]():
		return true, d.secretBytes(where, want, target, v)
	case reflect.TypeFor[CryptKeys]():
		return true, d.cryptKeys(where, want, target, v)
	}
	return false, false
}

// normalPrefix adds the slashes at both ends and percent-encodes what cannot stand in a URL path.
func normalPrefix(text string) string {
	text = "/" + strings.TrimLeft(text, "/") // two slashes at the start would make a link to another host
	if !strings.HasSuffix(text, "/") {
		text += "/"
	}
	var out strings.Builder
	for i := range len(text) {
		b := text[i]
		switch {
		case b == '%' && i+2 < len(text) && isHexDigit(text[i+1]) && isHexDigit(text[i+2]):
			out.WriteByte(b)
		case b > ' ' && b < 0x7f && !strings.ContainsRune("\"#%<>?[\\]^`{|}", rune(b)):
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

func isHexDigit(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func byteSize(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case float64:
		return int64(x), !math.IsNaN(x) && math.Abs(x) < 1<<62
	case string:
		if x == "" {
			return 0, false
		}
		shift := strings.IndexByte("KMGT", x[len(x)-1])
		n, err := strconv.ParseFloat(strings.TrimSpace(x[:len(x)-1]), 64)
		if shift < 0 || err != nil || !(math.Abs(n) < 1<<20) {
			return 0, false
		}
		return int64(n * float64(int64(1)<<(10*(shift+1)))), true
	}
	return 0, false
}

func logLevel(v any) (int64, bool) {
	names := map[string]int64{"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
	switch x := v.(type) {
	case int64:
		return x, x >= 0 && x <= 50 && x%10 == 0
	case string:
		n, ok := names[strings.ToUpper(x)]
		return n, ok
	}
	return 0, false
}

func (d *decoder) secretBytes(where, want string, target reflect.Value, v any) bool {
	switch x := v.(type) {
	case []byte:
		target.SetBytes(x)
		return true
	case string:
		b, err := hex.DecodeString(x)
		if err != nil {
			d.report.Errorf(where, "openssl rand -hex 32 makes one", "a secret given as text must be an even number of hex digits")
			return false
		}
		target.SetBytes(b)
		return true
	}
	return d.mismatch(where, want, v)
}

func (d *decoder) cryptKeys(where, want string, target reflect.Value, v any) bool {
	items, ok := v.([]any)
	if !ok {
		return d.mismatch(where, want, v)
	}
	keys := make(CryptKeys, 0, len(items))
	for i, item := range items {
		var raw []byte
		switch x := item.(type) {
		case string:
			raw = []byte(x)
		case []byte:
			raw = x
		default:
			return d.mismatch(fmt.Sprintf("%s[%d]", where, i), "a key", item)
		}
		key, ok := cryptKey(raw)
		if !ok {
			d.report.Errorf(fmt.Sprintf("%s[%d]", where, i), "openssl rand -hex 32 makes one",
				"a key is 32 raw bytes, 64 hex digits or 44 characters of URL-safe base64")
			return false
		}
		keys = append(keys, key)
	}
	target.Set(reflect.ValueOf(keys))
	return true
}

func cryptKey(raw []byte) (SecretBytes, bool) {
	switch len(raw) {
	case 32:
		return raw, true
	case 44:
		b, err := base64.URLEncoding.DecodeString(string(raw))
		return b, err == nil && len(b) == 32
	case 64:
		b, err := hex.DecodeString(string(raw))
		return b, err == nil
	}
	return nil, false
}
