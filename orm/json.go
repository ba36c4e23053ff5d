package orm

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// OpaqueKey is the only key of a JSONDict whose stored text is no JSON object; its value is that text. Writing such a JSONDict writes
// the text back unchanged.
const OpaqueKey = "__minihub_opaque__"

// bytesKey marks an object that stands for bytes.
const bytesKey = "__jupyterhub_bytes__"

var errTrailing = errors.New("text after the end of the value")

// Scan reads a stored array; what is no string in it is left out, and what is no array reads as empty, so that it grants nothing.
func (l *JSONList) Scan(src any) error {
	text, ok, err := sourceText(src)
	*l = nil
	if err != nil || !ok {
		return err
	}
	if quick, ok := plainList(text); ok {
		*l = quick
		return nil
	}
	v, err := decodeJSON(text)
	items, isList := v.([]any)
	if err != nil || !isList {
		*l = JSONList{}
		return nil
	}
	out := make(JSONList, 0, len(items))
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	*l = out
	return nil
}

// plainList reads an array of nothing but strings, which nearly all are.
func plainList(text string) (JSONList, bool) {
	list := JSONList{}
	if strings.Contains(text, "null") || json.Unmarshal([]byte(text), (*[]string)(&list)) != nil || list == nil {
		return nil, false
	}
	return list, true
}

// Value writes the list as Python's json.dumps does; nil is NULL.
func (l JSONList) Value() (driver.Value, error) {
	if l == nil {
		return nil, nil
	}
	return pythonJSON([]string(l))
}

// GormDataType is what GORM should take the column for.
func (JSONList) GormDataType() string { return "text" }

// Scan reads a stored object; see OpaqueKey for what is none.
func (d *JSONDict) Scan(src any) error {
	text, ok, err := sourceText(src)
	*d = nil
	if err != nil || !ok {
		return err
	}
	v, err := decodeJSON(text)
	if err != nil {
		*d = JSONDict{OpaqueKey: text}
		return nil
	}
	switch v := v.(type) {
	case nil:
		if strings.TrimSpace(text) != "null" { // an object that stood for broken bytes
			*d = JSONDict{OpaqueKey: text}
		}
	case map[string]any:
		*d = v
	default:
		*d = JSONDict{OpaqueKey: text}
	}
	return nil
}

// Value writes the object as Python's json.dumps does, keys sorted; nil is NULL.
func (d JSONDict) Value() (driver.Value, error) {
	if d == nil {
		return nil, nil
	}
	if text, ok := d[OpaqueKey].(string); ok && len(d) == 1 {
		return text, nil
	}
	return pythonJSON(map[string]any(d))
}

// GormDataType is what GORM should take the column for.
func (JSONDict) GormDataType() string { return "text" }

func sourceText(src any) (string, bool, error) {
	switch v := src.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case []byte:
		return string(v), true, nil
	case int64, float64, bool: // SQLite columns hold any type
		return fmt.Sprint(v), true, nil
	}
	return "", false, fmt.Errorf("read JSON column: unexpected type %T", src)
}

// decodeJSON reads what Python's json.loads reads: JSON, and NaN and infinities, which become null.
func decodeJSON(text string) (any, error) {
	v, err := decodeStrict(text)
	if err != nil {
		if plain, changed := withoutNaN(text); changed {
			v, err = decodeStrict(plain)
		}
	}
	if err != nil {
		return nil, err
	}
	return revive(v), nil
}

func decodeStrict(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return v, nil
}

// withoutNaN replaces Python's three extra number words outside strings.
func withoutNaN(text string) (string, bool) {
	var out strings.Builder
	changed, quoted := false, false
	for i := 0; i < len(text); {
		if quoted && text[i] == '\\' && i+1 < len(text) {
			out.WriteString(text[i : i+2])
			i += 2
			continue
		}
		if text[i] == '"' {
			quoted = !quoted
		}
		word := ""
		if !quoted {
			for _, w := range []string{"NaN", "-Infinity", "Infinity"} {
				if strings.HasPrefix(text[i:], w) {
					word = w
					break
				}
			}
		}
		if word != "" {
			out.WriteString("null")
			i += len(word)
			changed = true
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String(), changed
}

// revive turns objects that stand for bytes into bytes (or nil when they are broken: GHSA-hx46-2cv3-mh6g), and numbers into int64 or
// float64; a number that neither would write back the same stays a json.Number.
func revive(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = revive(v[i])
		}
	case map[string]any:
		if marked(v[bytesKey]) {
			return reviveBytes(v["data"])
		}
		for key := range v {
			v[key] = revive(v[key])
		}
	case json.Number:
		return reviveNumber(v)
	}
	return v
}

// marked is Python's truth of a value.
func marked(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

func reviveBytes(data any) any {
	text, ok := data.(string)
	if !ok {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	return raw
}

func reviveNumber(n json.Number) any {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil && string(n) != "-0" {
		return i
	}
	if f, err := n.Float64(); err == nil {
		if text, err := json.Marshal(f); err == nil && string(text) == string(n) {
			return f
		}
	}
	return n
}

// base64Line is how many characters Python's encodebytes puts on a line.
const base64Line = 76

// prepareJSON makes v a value that encoding/json writes as JupyterHub would: bytes become marked objects.
func prepareJSON(v any) any {
	switch v := v.(type) {
	case []byte:
		text := base64.StdEncoding.EncodeToString(v)
		var lines strings.Builder
		for len(text) > 0 {
			n := min(base64Line, len(text))
			lines.WriteString(text[:n] + "\n")
			text = text[n:]
		}
		return map[string]any{bytesKey: true, "data": lines.String()}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = prepareJSON(item)
		}
		return out
	case JSONDict:
		return prepareJSON(map[string]any(v))
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = prepareJSON(item)
		}
		return out
	}
	return v
}

// pythonJSON writes v with the separators ", " and ": " and with everything beyond ASCII escaped.
func pythonJSON(v any) (string, error) {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(prepareJSON(v)); err != nil {
		return "", fmt.Errorf("write JSON column: %w", err)
	}
	return spaced(strings.TrimSuffix(raw.String(), "\n")), nil
}

func spaced(text string) string {
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		}
		switch {
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		case r > 0x7e:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
		if !quoted && (r == ',' || r == ':') {
			out.WriteByte(' ')
		}
	}
	return out.String()
}
