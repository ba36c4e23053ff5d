package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema is the part of JSON Schema 2020-12 that the hub uses.
type Schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Type                 Types              `json:"type,omitempty"`
	Description          string             `json:"description,omitempty"`
	Format               string             `json:"format,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Examples             []any              `json:"examples,omitempty"`
	Minimum              *int64             `json:"minimum,omitempty"`
	Maximum              *int64             `json:"maximum,omitempty"`
	MinLength            *int64             `json:"minLength,omitempty"`
	MaxLength            *int64             `json:"maxLength,omitempty"`
	MinItems             *int64             `json:"minItems,omitempty"`
	Items                *Schema            `json:"items,omitempty"`
	Properties           map[string]*Schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties *Additional        `json:"additionalProperties,omitempty"`
	OneOf                []*Schema          `json:"oneOf,omitempty"`
	AnyOf                []*Schema          `json:"anyOf,omitempty"`
}

// Types are the JSON types that a value may have.
type Types []string

// MarshalJSON writes a single type as a string.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Additional says what other properties an object may have: nil Schema means none.
type Additional struct{ Schema *Schema }

// MarshalJSON implements json.Marshaler.
func (a Additional) MarshalJSON() ([]byte, error) {
	if a.Schema == nil {
		return []byte("false"), nil
	}
	return json.Marshal(a.Schema)
}

// Open marks a struct whose JSON object may have other keys.
type Open struct{}

// Alternatives is implemented by types that stand for one of several others.
type Alternatives interface {
	// OneOf returns a value of each type that it may be; exactly one must fit.
	OneOf() []any
}

// Schemas collects components.
type Schemas struct {
	// Name turns the name of a Go type into that of a component; nil keeps it.
	Name       func(string) string
	Components map[string]*Schema
}

var (
	timeType = reflect.TypeFor[time.Time]()
	openType = reflect.TypeFor[Open]()
	rawType  = reflect.TypeFor[json.RawMessage]()
	oneOf    = reflect.TypeFor[Alternatives]()
)

// Of returns the schema of v's type. It panics for types that JSON does not have: that is a programming error.
func (s *Schemas) Of(v any) *Schema { return s.of(reflect.TypeOf(v)) }

func (s *Schemas) of(t reflect.Type) *Schema {
	switch {
	case t == nil || t == rawType:
		return &Schema{}
	case t == timeType:
		return &Schema{Type: Types{"string"}, Format: "date-time"}
	case t.Kind() == reflect.Pointer:
		return nullable(s.of(t.Elem()))
	}
	switch t.Kind() {
	case reflect.Interface:
		return &Schema{}
	case reflect.String:
		return &Schema{Type: Types{"string"}}
	case reflect.Bool:
		return &Schema{Type: Types{"boolean"}}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return &Schema{Type: Types{"integer"}}
	case reflect.Float64:
		return &Schema{Type: Types{"number"}}
	case reflect.Slice:
		return &Schema{Type: Types{"array"}, Items: s.of(t.Elem())}
	case reflect.Map:
		return &Schema{Type: Types{"object"}, AdditionalProperties: &Additional{s.of(t.Elem())}}
	case reflect.Struct:
		return s.component(t)
	}
	panic(fmt.Sprintf("openapi: %s has no JSON schema", t))
}

// nullable permits null as well.
func nullable(s *Schema) *Schema {
	if s.Ref != "" || len(s.OneOf) > 0 {
		return &Schema{AnyOf: []*Schema{s, {Type: Types{"null"}}}}
	}
	c := *s
	c.Type = append(slices.Clone(s.Type), "null")
	return &c
}

// component registers a named struct and returns a reference to it; structs without a name are written in place.
func (s *Schemas) component(t reflect.Type) *Schema {
	name := t.Name()
	if s.Name != nil {
		name = s.Name(name)
	}
	if name == "" {
		return s.object(t)
	}
	if s.Components == nil {
		s.Components = map[string]*Schema{}
	}
	if _, known := s.Components[name]; !known {
		s.Components[name] = &Schema{} // a type that contains itself ends here
		s.Components[name] = s.object(t)
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

func (s *Schemas) object(t reflect.Type) *Schema {
	if t.Implements(oneOf) {
		o := &Schema{}
		for _, v := range reflect.Zero(t).Interface().(Alternatives).OneOf() {
			o.OneOf = append(o.OneOf, s.Of(v))
		}
		return o
	}
	o := &Schema{Type: Types{"object"}, Properties: map[string]*Schema{}, AdditionalProperties: &Additional{}}
	s.fields(o, t)
	slices.Sort(o.Required)
	return o
}

func (s *Schemas) fields(o *Schema, t reflect.Type) {
	for f := range t.Fields() {
		if f.Type == openType {
			o.AdditionalProperties = nil
			continue
		}
		if f.Anonymous {
			s.fields(o, f.Type)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			panic(fmt.Sprintf("openapi: field %s of %s has no name in its json tag", f.Name, t))
		}
		p := s.of(f.Type)
		if p.Ref != "" { // keywords beside $ref are allowed since 3.1, but the component is shared
			p = &Schema{Ref: p.Ref}
		}
		describe(p, f)
		o.Properties[name] = p
		if !strings.Contains(options, "omitempty") {
			o.Required = append(o.Required, name)
		}
	}
}

// describe adds what the tags of a field say.
func describe(p *Schema, f reflect.StructField) {
	p.Description = f.Tag.Get("doc")
	if format := f.Tag.Get("format"); format != "" {
		p.Format = format
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		for v := range strings.SplitSeq(enum, ",") {
			p.Enum = append(p.Enum, v)
		}
		if slices.Contains(p.Type, "null") {
			p.Enum = append(p.Enum, nil)
		}
	}
	if example := f.Tag.Get("example"); example != "" {
		p.Examples = []any{example}
	}
	low, high := bound(f, "min"), bound(f, "max")
	switch {
	case slices.Contains(p.Type, "string"):
		p.MinLength, p.MaxLength = low, high
	case slices.Contains(p.Type, "array"):
		p.MinItems = low
	default:
		p.Minimum, p.Maximum = low, high
	}
}

func bound(f reflect.StructField, tag string) *int64 {
	text := f.Tag.Get(tag)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("openapi: field %s: tag %s is %q, which is no integer", f.Name, tag, text))
	}
	return &n
}
