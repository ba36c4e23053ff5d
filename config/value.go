package config

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// marker is the only key of a map that stands for a value JSON cannot hold. The evaluator of .py files writes it:
//
//	{"__minihub_python__": {"kind": "set", "items": [...]}}
//	{"__minihub_python__": {"kind": "bytes", "base64": "..."}}
//	{"__minihub_python__": {"kind": "dict", "items": [[key, value], ...]}}      keys that are not all text
//	{"__minihub_python__": {"kind": "float", "repr": "inf"}}
//	{"__minihub_python__": {"kind": "lazy", "prepend": [...], "extend": [...], "inserts": [[i, v]], "update": {...} or set}}
//	{"__minihub_python__": {"kind": "function"|"class"|"object", "qualname": "...", "repr": "...", "line": n}}
const marker = "__minihub_python__"

// linesSection is a pseudo section with the line of each assignment: {"Class.trait": n}.
const linesSection = "__minihub_lines__"

// lazy is a change of a trait's default or of its parent class's value: c.Spawner.args.append("--debug").
type lazy struct {
	prepend, extend []any
	inserts         []insertion
	update          any // nil, map[string]any or pySet
}

type insertion struct {
	index int
	value any
}

// normalize turns the values of JSON, YAML, TOML and the evaluator into the small set of types that decoding knows:
// nil, bool, int64, float64, string, []byte, []any, pySet, map[string]any, *Python and *lazy.
func normalize(v any) (any, error) { return normalizeAt(v, 0) }

func normalizeAt(v any, depth int) (any, error) {
	if depth > maxLiteralDepth {
		return nil, errors.New("nested too deeply")
	}
	switch x := v.(type) {
	case nil, bool, string, []byte, pySet, *Python, *lazy:
		return x, nil
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n, nil
		}
		return x.Float64()
	case time.Time:
		return x.Format(time.RFC3339), nil
	case fmt.Stringer:
		return x.String(), nil
	case map[string]any:
		if m, ok := x[marker]; ok && len(x) == 1 {
			return fromMarker(m, depth+1)
		}
		return normalizeMap(x, depth)
	}
	return normalizeReflect(reflect.ValueOf(v), depth)
}

func normalizeMap(x map[string]any, depth int) (any, error) {
	out := make(map[string]any, len(x))
	for k, item := range x {
		n, err := normalizeAt(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[k] = n
	}
	return out, nil
}

func normalizeReflect(rv reflect.Value, depth int) (any, error) {
	switch rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if rv.Uint() > math.MaxInt64 {
			return nil, errors.New("the number is too large")
		}
		return int64(rv.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return rv.Float(), nil
	case reflect.Slice, reflect.Array:
		out := make([]any, rv.Len())
		for i := range out {
			n, err := normalizeAt(rv.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = n
		}
		return out, nil
	case reflect.Map:
		out := make(map[string]any, rv.Len())
		for _, k := range rv.MapKeys() {
			n, err := normalizeAt(rv.MapIndex(k).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[fmt.Sprint(k.Interface())] = n
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be configuration", rv.Type())
}

func fromMarker(m any, depth int) (any, error) {
	d, ok := m.(map[string]any)
	if !ok {
		return nil, errors.New("a wrong Python marker")
	}
	kind, _ := d["kind"].(string)
	switch kind {
	case "set":
		items, err := normalizeList(d["items"], depth)
		set := pySet{}
		for _, item := range items {
			set = set.add(item)
		}
		return set, err
	case "bytes":
		text, _ := d["base64"].(string)
		return base64.StdEncoding.DecodeString(text)
	case "float":
		text, _ := d["repr"].(string)
		return strconv.ParseFloat(text, 64)
	case "dict":
		return dictFromPairs(d["items"], depth)
	case "lazy":
		return lazyFromMarker(d, depth)
	}
	line, _ := normalizeAt(d["line"], depth)
	n, _ := line.(int64)
	name, _ := d["qualname"].(string)
	if kind == "" {
		kind = "object"
	}
	return &Python{Kind: kind, Qualname: name, Line: int(n)}, nil
}

func normalizeList(v any, depth int) ([]any, error) {
	if v == nil {
		return nil, nil
	}
	n, err := normalizeAt(v, depth)
	if err != nil {
		return nil, err
	}
	list, ok := n.([]any)
	if !ok {
		return nil, errors.New("a wrong Python marker")
	}
	return list, nil
}

func dictFromPairs(v any, depth int) (any, error) {
	pairs, err := normalizeList(v, depth)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, pair := range pairs {
		kv, ok := pair.([]any)
		if !ok || len(kv) != 2 {
			return nil, errors.New("a wrong Python marker")
		}
		key, err := keyText(kv[0])
		if err != nil {
			return nil, err
		}
		out[key] = kv[1]
	}
	return out, nil
}

func lazyFromMarker(d map[string]any, depth int) (any, error) {
	var l lazy
	var err error
	if l.prepend, err = normalizeList(d["prepend"], depth); err != nil {
		return nil, err
	}
	if l.extend, err = normalizeList(d["extend"], depth); err != nil {
		return nil, err
	}
	inserts, err := normalizeList(d["inserts"], depth)
	if err != nil {
		return nil, err
	}
	for _, item := range inserts {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New("a wrong Python marker")
		}
		index, ok := pair[0].(int64)
		if !ok {
			return nil, errors.New("a wrong Python marker")
		}
		l.inserts = append(l.inserts, insertion{int(index), pair[1]})
	}
	l.update, err = normalizeAt(d["update"], depth)
	return &l, err
}

// isEmpty reports whether the change changes nothing: reading c.A.b without calling a method leaves such a value.
func (l *lazy) isEmpty() bool {
	return len(l.prepend) == 0 && len(l.extend) == 0 && len(l.inserts) == 0 && l.update == nil
}

// apply merges the change onto base, which it does not modify. A nil base becomes the container that the change implies.
func (l *lazy) apply(base any) (any, error) {
	if base == nil {
		base = l.container()
	}
	switch b := base.(type) {
	case []any:
		if l.update != nil {
			return nil, errors.New("update and add do not work on a list; use append or extend")
		}
		return l.applyList(b), nil
	case pySet:
		return l.applySet(b)
	case map[string]any:
		return l.applyMap(b)
	}
	return nil, fmt.Errorf("append, extend, insert, update and add need a list, set or dict, not %s", describe(base))
}

func (l *lazy) container() any {
	switch l.update.(type) {
	case pySet:
		return pySet{}
	case map[string]any:
		return map[string]any{}
	}
	return []any{}
}

// applyList inserts first, then prepends, then appends: the order of traitlets.
func (l *lazy) applyList(base []any) []any {
	out := append([]any{}, base...)
	for _, ins := range l.inserts {
		at := ins.index
		if at < 0 {
			at = max(0, at+len(out))
		}
		at = min(at, len(out))
		out = append(out[:at], append([]any{ins.value}, out[at:]...)...)
	}
	return append(append(append([]any{}, l.prepend...), out...), l.extend...)
}

func (l *lazy) applySet(base pySet) (any, error) {
	members, ok := l.update.(pySet)
	if !ok || len(l.extend)+len(l.prepend)+len(l.inserts) > 0 {
		return nil, errors.New("a set changes with add and update only")
	}
	out := append(pySet{}, base...)
	for _, v := range members {
		out = out.add(v)
	}
	return out, nil
}

func (l *lazy) applyMap(base map[string]any) (any, error) {
	add, ok := l.update.(map[string]any)
	if !ok || len(l.extend)+len(l.prepend)+len(l.inserts) > 0 {
		return nil, errors.New("a dict changes with update only")
	}
	out := make(map[string]any, len(base)+len(add))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range add {
		out[k] = v
	}
	return out, nil
}

// describe names the type of a value for error texts; the value itself is never shown.
func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a text"
	case []byte:
		return "bytes"
	case []any:
		return "a list"
	case pySet:
		return "a set"
	case map[string]any:
		return "a dict"
	case *Python:
		return "a Python " + x.Kind
	case *lazy:
		return "a change of a default"
	}
	return "an unknown type"
}
