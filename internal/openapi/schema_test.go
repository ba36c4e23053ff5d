package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/internal/openapi"
)

type wireInner struct {
	Size int `json:"size" min:"1" max:"9" doc:"How large."`
}

type wireNode struct {
	Name     string          `json:"name" min:"1" example:"x"`
	Kind     *string         `json:"kind,omitempty" enum:"a,b"`
	At       *time.Time      `json:"at"`
	Inner    wireInner       `json:"inner" doc:"In it."`
	Maybe    *wireInner      `json:"maybe,omitempty"`
	Children []wireNode      `json:"children,omitempty" min:"1"`
	Free     map[string]any  `json:"free,omitempty"`
	ByName   map[string]int  `json:"by_name,omitempty"`
	Any      json.RawMessage `json:"any,omitempty"`
}

type openBox struct {
	_ openapi.Open
	wireInner
}

type either struct{}

func (either) OneOf() []any { return []any{wireInner{}, []string{}, struct{}{}} }

// TestSchemaOfTypes writes schemas down as a reader would.
func TestSchemaOfTypes(t *testing.T) {
	s := openapi.Schemas{Name: func(name string) string { return strings.TrimPrefix(name, "wire") }}
	for _, row := range []struct {
		value any
		want  string
	}{
		{[]wireNode{}, `{"type": "array", "items": {"$ref": "#/components/schemas/Node"}}`},
		{openBox{}, `{"$ref": "#/components/schemas/openBox"}`},
		{either{}, `{"$ref": "#/components/schemas/either"}`},
		{map[string]bool{}, `{"type": "object", "additionalProperties": {"type": "boolean"}}`},
		{map[string]any{}, `{"type": "object", "additionalProperties": {}}`},
		{new(float64), `{"type": ["number", "null"]}`},
		{nil, `{}`},
	} {
		same(t, s.Of(row.value), row.want)
	}
	for name, want := range map[string]string{
		"Inner": `{"type": "object", "additionalProperties": false, "required": ["size"],
			"properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How large."}}}`,
		"openBox": `{"type": "object", "required": ["size"],
			"properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How large."}}}`,
		"either": `{"oneOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "array", "items": {"type": "string"}}, {"type": "object", "additionalProperties": false}]}`,
		"Node": `{"type": "object", "additionalProperties": false, "required": ["at", "inner", "name"], "properties": {
			"name": {"type": "string", "minLength": 1, "examples": ["x"]},
			"kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
			"at": {"type": ["string", "null"], "format": "date-time"},
			"inner": {"$ref": "#/components/schemas/Inner", "description": "In it."},
			"maybe": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
			"children": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Node"}},
			"free": {"type": "object", "additionalProperties": {}},
			"by_name": {"type": "object", "additionalProperties": {"type": "integer"}},
			"any": {}}}`,
	} {
		same(t, s.Components[name], want)
	}
}

func same(t *testing.T, got any, want string) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
}

// TestMistakesInTypes: a type that cannot be described ends the program.
func TestMistakesInTypes(t *testing.T) {
	for want, v := range map[string]any{
		"has no JSON schema": make(chan int),
		"has no name":        struct{ Name string }{},
		"which is no integer": struct {
			N int `json:"n" min:"few"`
		}{},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			new(openapi.Schemas).Of(v)
		}()
	}
}
