package config

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// WriteHelp writes the flags that minihub shares with jupyterhub, one line each.
func WriteHelp(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Flags (configuration: --Class.trait=value, see --help-all):\n\n")
	names, sw := aliases(), switches()
	for _, name := range sortedKeys(names) {
		flag := "--" + name + "=VALUE"
		if len(name) == 1 {
			flag = "-" + name + " VALUE"
		}
		fmt.Fprintf(&b, "  %-24s %s\n", flag, names[name])
	}
	for _, name := range sortedKeys(sw) {
		fmt.Fprintf(&b, "  %-24s %s=%s\n", "--"+name, sw[name][0], sw[name][1])
	}
	for _, line := range [][2]string{{"--help", "this text"}, {"--help-all", "every class and trait"}, {"--version", "the version"}} {
		fmt.Fprintf(&b, "  %-24s %s\n", line[0], line[1])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteHelpAll writes WriteHelp and then every class with its traits, types, defaults and meaning.
func WriteHelpAll(w io.Writer) error {
	if err := WriteHelp(w); err != nil {
		return err
	}
	var b strings.Builder
	eachClass(func(c class, traits []Trait) {
		title := c.name
		if c.parent != "" {
			title += " (has the traits of " + c.parent + " too)"
		}
		fmt.Fprintf(&b, "\n%s\n%s\n", title, strings.Repeat("-", len(title)))
		for _, t := range traits {
			fmt.Fprintf(&b, "--%s.%s=<%s>\n", t.Class, t.Name, t.Type)
			for _, line := range t.notes() {
				fmt.Fprintf(&b, "    %s\n", line)
			}
		}
		for _, name := range sortedKeys(c.defaults) {
			fmt.Fprintf(&b, "  default of %s here: %s\n", name, c.defaults[name])
		}
	})
	_, err := io.WriteString(w, b.String())
	return err
}

// notes are the lines below a trait's name.
func (t Trait) notes() []string {
	lines := []string{sentence(t.Help)}
	if t.Deprecated != "" {
		lines = append(lines, "Deprecated: use "+t.Deprecated+".")
	}
	if t.Env != "" {
		lines = append(lines, "Environment variable: "+t.Env)
	}
	if t.Default != "" {
		lines = append(lines, "Default: "+t.Default)
	}
	return lines
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func eachClass(do func(class, []Trait)) {
	all := Traits()
	for _, c := range classes() {
		var own []Trait
		for _, t := range all {
			if t.Class == c.name {
				own = append(own, t)
			}
		}
		do(c, own)
	}
}

// WriteGenerateConfig writes a jupyterhub_config.py in which every trait stands as a comment with its default.
func WriteGenerateConfig(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration of minihub (and of JupyterHub). Remove the # of a line to change a default.\n\nc = get_config()  # noqa\n")
	fields := fieldsByClass(classes())
	eachClass(func(c class, traits []Trait) {
		if len(traits) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n# %s %s\n", strings.Repeat("-", 8), c.name)
		for _, t := range traits {
			b.WriteString("\n")
			for _, line := range t.notes() {
				if !strings.HasPrefix(line, "Default: ") {
					fmt.Fprintf(&b, "## %s\n", line)
				}
			}
			fmt.Fprintf(&b, "# c.%s.%s = %s\n", t.Class, t.Name, t.pythonDefault(fields))
		}
	})
	_, err := io.WriteString(w, b.String())
	return err
}

// pythonDefault writes the default as Python source.
func (t Trait) pythonDefault(fields map[string][]field) string {
	for _, f := range fields[t.Class] {
		if f.Name == t.Name {
			if v, err := f.fromDefault(); err == nil {
				return pythonText(v)
			}
		}
	}
	return "None"
}

// pythonText writes a plain value as a Python literal.
func pythonText(v any) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case bool:
		if x {
			return "True"
		}
		return "False"
	case string:
		quoted, _ := json.Marshal(x)
		return string(quoted)
	case []byte:
		return `b""`
	case []any:
		return "[" + pythonItems(x) + "]"
	case pySet:
		if len(x) == 0 {
			return "set()"
		}
		return "{" + pythonItems(x) + "}"
	case map[string]any:
		var items []string
		for _, k := range sortedKeys(x) {
			items = append(items, pythonText(k)+": "+pythonText(x[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func pythonItems(list []any) string {
	items := make([]string, 0, len(list))
	for _, v := range list {
		items = append(items, pythonText(v))
	}
	return strings.Join(items, ", ")
}

// Set returns what file, command line and environment set, by class and trait, as values for encoding/json. Secrets are masked.
func (c *Config) Set() map[string]map[string]any {
	out := map[string]map[string]any{}
	table := classes()
	fields := fieldsByClass(table)
	for _, name := range sortedKeys(c.given) {
		traits := map[string]any{}
		links := chain(table, name)
		known := map[string]bool{}
		if links != nil {
			cls := links[len(links)-1]
			target := reflect.ValueOf(cls.pick(c)).Elem()
			for _, f := range fields[cls.name] {
				if c.given[name][f.Name] {
					known[f.Name] = true
					traits[f.Name] = shown(f.Trait, target.FieldByIndex(f.index).Interface())
				}
			}
		}
		for trait := range c.given[name] {
			if !known[trait] {
				traits[trait] = masked // what is unknown may be a secret
			}
		}
		out[name] = traits
	}
	return out
}

func shown(t Trait, v any) any {
	if text, ok := v.(string); ok && t.Name == "db_url" {
		return maskURL(text)
	}
	if t.Secret && !isSecretType(v) && !isZero(reflect.ValueOf(v)) {
		return masked
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && !rv.IsNil() && t.Type != "" {
		if py, ok := v.(*Python); ok {
			return py.Kind + " " + py.Qualname
		}
	}
	return v
}

func isSecretType(v any) bool {
	switch v.(type) {
	case Secret, *Secret, SecretBytes, SecretKeys, SecretGroups, CryptKeys:
		return true
	}
	return false
}

// isZero reports whether v is the zero value or an empty container.
func isZero(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

// maskURL hides the password of scheme://user:password@host.
func maskURL(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 {
		return raw
	}
	user, _, hasPassword := strings.Cut(rest[:at], ":")
	if hasPassword {
		user += ":" + masked
	}
	return scheme + "://" + user + rest[at:]
}

// MarshalJSON gives Set, so that a logged configuration shows no secret.
func (c *Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.Set()) }

// shown is what was set, without the flags that ask to see it, as in JupyterHub.
func (c *Config) shown() map[string]map[string]any {
	set := c.Set()
	delete(set["JupyterHub"], "show_config")
	delete(set["JupyterHub"], "show_config_json")
	return set
}

// WriteShowConfigJSON writes what was set as one JSON object, secrets masked.
func WriteShowConfigJSON(w io.Writer, c *Config) error {
	set := c.shown()
	if set["JupyterHub"] == nil {
		set["JupyterHub"] = map[string]any{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(set)
}

// WriteShowConfig writes what was set for people, one trait per line, secrets masked.
func WriteShowConfig(w io.Writer, c *Config) error {
	var b strings.Builder
	if c.File != "" {
		fmt.Fprintf(&b, "Loaded %s\n", c.File)
	}
	set := c.shown()
	for _, class := range sortedKeys(set) {
		fmt.Fprintf(&b, "%s\n", class)
		for _, trait := range sortedKeys(set[class]) {
			var value strings.Builder
			enc := json.NewEncoder(&value)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(set[class][trait]); err != nil {
				return fmt.Errorf("show %s.%s: %w", class, trait, err)
			}
			fmt.Fprintf(&b, "  .%s = %s\n", trait, strings.TrimSpace(value.String()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
