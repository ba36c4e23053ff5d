package httpmw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// MaxBody is the largest request body that the hub reads, in bytes. Uploads to servers do not pass here.
const MaxBody = 10 << 20

// EncodeJSON encodes v as it is sent.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// WriteJSON writes v as the answer.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	b, err := EncodeJSON(v)
	if err != nil {
		return err
	}
	return WriteEncoded(w, status, b)
}

// jsonType is shared by all answers; nobody changes it in place.
var jsonType = []string{"application/json"}

// WriteEncoded writes what [EncodeJSON] made. A failed write is nobody's error: the client is gone.
func WriteEncoded(w http.ResponseWriter, status int, b []byte) error {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}

// ReadBody reads the request body, at most [MaxBody] bytes.
func ReadBody(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, &hub.Error{Kind: hub.Invalid, Message: "The request body could not be read", Err: err}
	}
	if len(b) > MaxBody {
		return nil, &hub.Error{Kind: hub.Invalid, Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The request body is larger than %d bytes", MaxBody)}
	}
	return b, nil
}

// ReadJSON decodes the request body into v. An empty body leaves v as it is and returns ok false. Errors are Invalid and name the field.
func ReadJSON(r *http.Request, v any) (ok bool, err error) {
	b, err := ReadBody(r)
	if err != nil {
		return false, err
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return false, nil
	}
	if !utf8.Valid(b) {
		return false, &hub.Error{Kind: hub.Invalid, Message: "Invalid JSON in body of request", Hint: "the body is not UTF-8"}
	}
	if tooDeep(b) {
		return false, &hub.Error{Kind: hub.Invalid, Message: "Invalid JSON in body of request", Hint: fmt.Sprintf("it is nested more than %d levels deep", maxDepth)}
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, jsonError(err)
	}
	return true, nil
}

// maxDepth bounds the nesting of a body. What is stored must be readable by JupyterHub too, and Python gives up at about 1000 levels.
const maxDepth = 200

func tooDeep(b []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// ReadObject decodes a body that must be a JSON object; nil when there is no body.
func ReadObject(r *http.Request) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	ok, err := ReadJSON(r, &m)
	if err != nil || !ok {
		return nil, err
	}
	return m, nil
}

// Field decodes one member of an object read by [ReadObject] into v; absent is false. null counts as present.
func Field(m map[string]json.RawMessage, name string, v any) (present bool, err error) {
	raw, ok := m[name]
	if !ok {
		return false, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // numbers in free objects stay as they were written
	if err := dec.Decode(v); err != nil {
		e := jsonError(err)
		e.Message = name + " " + typeProblem(err)
		if _, names := v.(*[]string); names {
			e.Message = name + " must be a list of strings"
		}
		return true, e
	}
	if hasNUL(v) {
		return true, &hub.Error{Kind: hub.Invalid, Message: name + " must not contain the character U+0000", Hint: "no database can store it as text"}
	}
	return true, nil
}

func hasNUL(v any) bool {
	switch v := v.(type) {
	case *string:
		return strings.Contains(*v, "\x00")
	case **string:
		return *v != nil && strings.Contains(**v, "\x00")
	case *[]string:
		return slices.ContainsFunc(*v, func(s string) bool { return strings.Contains(s, "\x00") })
	}
	return false
}

// Object decodes one member that is a free JSON object, to be stored: null and absent are nil. Numbers stay as they were written.
func Object(m map[string]json.RawMessage, name string) (object map[string]any, present bool, err error) {
	present, err = Field(m, name, &object)
	if _, reserved := object[orm.OpaqueKey]; err == nil && reserved {
		err = &hub.Error{Kind: hub.Invalid, Message: name + " must not have the key " + orm.OpaqueKey, Hint: "it is reserved"}
	}
	return object, present, err
}

func jsonError(err error) *hub.Error {
	e := &hub.Error{Kind: hub.Invalid, Message: "Invalid JSON in body of request", Err: err}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		where := "Body"
		if wrong.Field != "" {
			where = "Field " + wrong.Field
		}
		e.Message = where + " " + typeProblem(err)
		return e
	}
	e.Hint = err.Error()
	return e
}

// typeProblem says in a client's words what type was expected.
func typeProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return "is not valid JSON"
	}
	want := map[string]string{"string": "a string", "bool": "true or false", "int": "an integer", "int64": "an integer", "float64": "a number"}[wrong.Type.String()]
	switch {
	case want != "":
	case wrong.Type.Kind().String() == "map" || wrong.Type.Kind().String() == "struct":
		want = "a JSON object"
	case wrong.Type.Kind().String() == "slice":
		want = "a list"
	default:
		want = "of another type"
	}
	return "must be " + want + ", not " + wrong.Value
}
