package config

import (
	"reflect"
	"strings"
)

// Trait describes one trait as help texts and documentation need it.
type Trait struct {
	Class      string   // Class is the section that declares the trait.
	Name       string   // Name is JupyterHub's name.
	Type       string   // Type is a phrase such as "integer" or "list of texts".
	Default    string   // Default is written as on the command line.
	Tier       string   // Tier is core, common or rare.
	Env        string   // Env is the environment variable that is used when nothing else set the trait.
	Help       string   // Help is one sentence.
	Deprecated string   // Deprecated says what to use instead; "" when the trait is current.
	Secret     bool     // Secret traits are never shown.
	Enum       []string // Enum holds the words allowed; nil when any value of the type is.
}

// field is a trait together with the way to its Go field.
type field struct {
	Trait
	index []int
	typ   reflect.Type
	set   bool   // a Python set, a []string in Go
	py    string // "", "or", "only"
	null  string // "", "empty"
}

// Traits returns every trait in the order of the class table, each once, under the class that declares it.
func Traits() []Trait {
	var out []Trait
	for _, c := range classes() {
		for _, f := range ownFields(reflect.TypeOf(c.pick(&Config{})).Elem()) {
			out = append(out, f.Trait)
		}
	}
	return out
}

// fieldsByClass returns all traits of every class, those of its parents included, with the defaults of that class. Reading
// struct tags is the slow part of a start, so each struct is read once and children copy from their parents.
func fieldsByClass(table []class) map[string][]field {
	out := make(map[string][]field, len(table))
	for _, c := range table {
		var fields []field
		for _, f := range out[c.parent] {
			f.index = append([]int{0}, f.index...) // the parent is embedded as the first field
			fields = append(fields, f)
		}
		fields = append(fields, ownFields(reflect.TypeOf(c.pick(&Config{})).Elem())...)
		for i := range fields {
			if text, ok := c.defaults[fields[i].Name]; ok {
				fields[i].Default = text
			}
		}
		out[c.name] = fields
	}
	return out
}

// ownFields reads the tags of one struct. Its name is the name of the class that declares the traits.
func ownFields(typ reflect.Type) []field {
	var out []field
	for i := range typ.NumField() {
		sf := typ.Field(i)
		name := sf.Tag.Get("trait")
		if name == "" || sf.Anonymous {
			continue
		}
		f := field{index: []int{i}, typ: sf.Type, set: sf.Tag.Get("kind") == "set", py: sf.Tag.Get("py"), null: sf.Tag.Get("null")}
		f.Trait = Trait{Class: typ.Name(), Name: name, Default: sf.Tag.Get("default"), Tier: sf.Tag.Get("tier"), Env: sf.Tag.Get("env"),
			Help: sf.Tag.Get("help"), Deprecated: sf.Tag.Get("deprecated"), Secret: sf.Tag.Get("secret") == "true"}
		if words := sf.Tag.Get("enum"); words != "" {
			f.Enum = strings.Split(words, "|")
		}
		f.Type = f.phrase()
		out = append(out, f)
	}
	return out
}

// phrase says in words what the trait accepts.
func (f field) phrase() string {
	if len(f.Enum) > 0 {
		return "one of " + strings.Join(f.Enum, ", ")
	}
	text := typePhrase(f.typ)
	if f.set {
		text = strings.Replace(text, "list", "set", 1)
	}
	switch {
	case f.py == "only":
		text = "Python callable"
	case f.py == "or":
		text += " (or a Python callable)"
	}
	if f.typ.Kind() == reflect.Pointer || f.null != "" {
		text += " or None"
	}
	return text
}

func typePhrase(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Command]():
		return "command (a text or a list of texts)"
	case reflect.TypeFor[Profiles]():
		return "list of dicts, or a dict of dicts"
	case reflect.TypeFor[ByteSize]():
		return "size in bytes (a number, or a text with K, M, G or T)"
	case reflect.TypeFor[LogLevel]():
		return "log level (DEBUG, INFO, WARN, ERROR, CRITICAL or a number)"
	case reflect.TypeFor[ClassRef]():
		return "class (entry point or dotted name)"
	case reflect.TypeFor[SecretBytes]():
		return "bytes or hex text"
	case reflect.TypeFor[CryptKeys]():
		return "list of 32-byte keys (raw, hex or base64)"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typePhrase(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "float"
	case reflect.String:
		return "text"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list of dicts"
		}
		if t.Elem().Kind() == reflect.Interface {
			return "list"
		}
		return "list of " + typePhrase(t.Elem()) + "s"
	case reflect.Map:
		if t.Elem().Kind() == reflect.String {
			return "dict of texts"
		}
		return "dict"
	}
	return "value"
}
