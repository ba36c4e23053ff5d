package pybridge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// mark is the only key of a map that stands for a value JSON cannot hold; package config describes the forms.
const mark = "__minihub_python__"

// decodeResult decodes an answer into result; a *any gets plain values without marks.
func decodeResult(op string, data []byte, result any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", op, err)
	}
	value, err := plain(value)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if to, ok := result.(*any); ok {
		*to = value
		return nil
	}
	clean, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", op, err)
	}
	if err := json.Unmarshal(clean, result); err != nil {
		return fmt.Errorf("%s: the answer has the wrong form: %w", op, err)
	}
	if to, ok := result.(**Changes); ok && *to != nil {
		from, _ := value.(map[string]any)
		keepBytes(from["traits"], (*to).Traits)
	}
	return nil
}

// keepBytes puts the bytes of from, which JSON made texts in to, back in their places: an uploaded file in user_options.
func keepBytes(from, to any) any {
	switch from := from.(type) {
	case []byte:
		return from
	case map[string]any:
		if to, ok := to.(map[string]any); ok {
			for key, item := range from {
				to[key] = keepBytes(item, to[key])
			}
		}
	case []any:
		if to, ok := to.([]any); ok && len(to) == len(from) {
			for i, item := range from {
				to[i] = keepBytes(item, to[i])
			}
		}
	}
	return to
}

// plain turns marks into Go values: sets into lists, bytes into []byte, numbers into int64 or float64.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = plain(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		if m, ok := v[mark].(map[string]any); ok && len(v) == 1 {
			return unmark(m)
		}
		out := make(map[string]any, len(v))
		for key, item := range v {
			var err error
			if out[key], err = plain(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func unmark(m map[string]any) (any, error) {
	switch kind, _ := m["kind"].(string); kind {
	case "set":
		return plain(m["items"])
	case "bytes":
		text, _ := m["base64"].(string)
		return base64.StdEncoding.DecodeString(text)
	case "float":
		text, _ := m["repr"].(string)
		return strconv.ParseFloat(text, 64)
	case "dict":
		return dict(m["items"])
	default:
		return nil, fmt.Errorf("a Python %s (%v) came where a plain value belongs", kind, m["qualname"])
	}
}

func dict(items any) (any, error) {
	pairs, _ := items.([]any)
	out := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		kv, _ := pair.([]any)
		if len(kv) != 2 {
			return nil, fmt.Errorf("a dict came in the wrong form")
		}
		value, err := plain(kv[1])
		if err != nil {
			return nil, err
		}
		out[fmt.Sprint(kv[0])] = value
	}
	return out, nil
}

// encodeSections marks bytes, which JSON cannot hold.
func encodeSections(sections map[string]map[string]any) map[string]map[string]any {
	out := make(map[string]map[string]any, len(sections))
	for class, traits := range sections {
		out[class] = make(map[string]any, len(traits))
		for trait, value := range traits {
			out[class][trait] = encodeBytes(value)
		}
	}
	return out
}

func encodeBytes(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]any{"__minihub_bytes__": base64.StdEncoding.EncodeToString(v)}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = encodeBytes(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = encodeBytes(item)
		}
		return out
	}
	return v
}
