package config

import (
	"encoding/json"
	"io"
	"reflect"
	"strconv"
)

// schemaID is where the schema's dialect is defined: JSON Schema of 2020-12.
const schemaID = "https://json-schema.org/draft/2020-12/schema"

// WriteSchema writes the JSON Schema of configuration files in JSON, YAML and TOML, for editors. It is made from the same table as --help-all.
// Classes that are not built in, and traits that a plug-in may have, are allowed with any value.
func WriteSchema(w io.Writer) error {
	table := classes()
	fields := fieldsByClass(table)
	sections := map[string]any{}
	for _, c := range table {
		traits := map[string]any{}
		for _, f := range fields[c.name] {
			traits[f.Name] = f.schema()
		}
		section := map[string]any{"type": "object", "properties": traits}
		switch root := chain(table, c.name)[0].name; root {
		case "Authenticator", "Spawner", "Proxy": // plug-ins inherit from these and read their own traits in the same sections
		default:
			section["additionalProperties"] = false
		}
		if c.parent != "" {
			section["description"] = "Has the traits of " + c.parent + ", too; a value here wins over one there."
		}
		sections[c.name] = section
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"$schema": schemaID, "title": "minihub: configuration", "type": "object", "properties": sections})
}

// schema describes one trait.
func (f field) schema() map[string]any {
	out := typeSchema(f.typ)
	switch {
	case f.py == "only":
		out = map[string]any{"type": "null"} // a function exists only in a .py file
	case len(f.Enum) > 0:
		out = map[string]any{"enum": f.Enum}
	}
	if (f.typ.Kind() == reflect.Pointer || f.null != "") && f.py != "only" {
		out = map[string]any{"anyOf": []any{out, map[string]any{"type": "null"}}}
	}
	text := f.Help
	if f.py != "" {
		text += " A function needs a .py file."
	}
	if f.Env != "" {
		text += " Environment variable: " + f.Env + "."
	}
	if f.Deprecated != "" {
		text += " Deprecated: use " + f.Deprecated + "."
		out["deprecated"] = true
	}
	if f.Secret {
		out["writeOnly"] = true
	}
	out["description"] = text
	if v, ok := f.plainDefault(); ok {
		out["default"] = v
	}
	return out
}

// plainDefault is the default as JSON has it, for types where the way it is written on the command line leaves no doubt.
func (f field) plainDefault() (any, bool) {
	var v any
	var err error
	switch f.typ.Kind() {
	case reflect.Bool:
		return f.Default == "True", f.Default != ""
	case reflect.Int, reflect.Int64:
		v, err = strconv.Atoi(f.Default)
	case reflect.Float64:
		v, err = strconv.ParseFloat(f.Default, 64)
	case reflect.String:
		return f.Default, f.Default != "" && f.typ == reflect.TypeFor[string]()
	default:
		return nil, false
	}
	return v, err == nil
}

// typeSchema says what JSON value decodes into a Go type.
func typeSchema(t reflect.Type) map[string]any {
	text := map[string]any{"type": "string"}
	switch t {
	case reflect.TypeFor[Command]():
		return map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text}}}
	case reflect.TypeFor[Profiles]():
		return profilesSchema()
	case reflect.TypeFor[ByteSize]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "integer"}, map[string]any{"type": "string", "pattern": `^[0-9.]+[KMGT]?$`}}}
	case reflect.TypeFor[LogLevel]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "integer"}, text}}
	case reflect.TypeFor[ClassRef](), reflect.TypeFor[SecretBytes]():
		return text
	case reflect.TypeFor[CryptKeys]():
		return map[string]any{"type": "array", "items": text}
	case reflect.TypeFor[GroupSpec]():
		return map[string]any{"anyOf": []any{structSchema(t), map[string]any{"type": "array", "items": text, "deprecated": true}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem())
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return text
	case reflect.Slice:
		return map[string]any{"type": "array", "items": typeSchema(t.Elem())}
	case reflect.Map:
		return mapSchema(t)
	case reflect.Struct:
		return structSchema(t)
	}
	return map[string]any{} // any value
}

// mapSchema describes a dict. Numbers are taken as text: YAML and JSON files say PORT: 8080.
func mapSchema(t reflect.Type) map[string]any {
	values := typeSchema(t.Elem())
	if t.Elem().Kind() == reflect.String {
		values = map[string]any{"type": []string{"string", "number"}}
	}
	return map[string]any{"type": "object", "additionalProperties": values}
}

// structSchema describes one service, role, group or scope, whose keys are all known.
func structSchema(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		sf := t.Field(i)
		key := sf.Tag.Get("key")
		if key == "" {
			continue
		}
		item := typeSchema(sf.Type)
		if nullableKey(t, key) {
			item = map[string]any{"anyOf": []any{item, map[string]any{"type": "null"}}}
		}
		properties[key] = item
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if properties["name"] != nil {
		out["required"] = []string{"name"}
	}
	return out
}

// profilesSchema describes a profile_list.
func profilesSchema() map[string]any {
	text, dict := map[string]any{"type": "string"}, map[string]any{"type": "object"}
	object := func(properties map[string]any) map[string]any {
		properties["kubespawner_override"], properties["spawner_override"] = dict, dict
		return map[string]any{"type": "object", "properties": properties}
	}
	many := func(one map[string]any) map[string]any {
		return map[string]any{"anyOf": []any{map[string]any{"type": "array", "items": one}, map[string]any{"type": "object", "additionalProperties": one}}}
	}
	yes := map[string]any{"type": "boolean"}
	choice := object(map[string]any{"slug": text, "display_name": text, "default": yes})
	unlisted := object(map[string]any{"enabled": yes, "display_name": text, "display_name_in_choices": text, "validation_regex": text, "validation_message": text})
	option := map[string]any{"type": "object", "properties": map[string]any{"slug": text, "display_name": text, "choices": many(choice), "unlisted_choice": unlisted}}
	return many(object(map[string]any{"slug": text, "display_name": text, "description": text, "default": yes, "profile_options": many(option)}))
}
