package config

import (
	"reflect"
	"strings"
)

// decodeClass decodes all traits of one class: default, environment, then the sections from the root to the class itself.
func (l *loader) decodeClass(c class) {
	target := reflect.ValueOf(c.pick(l.cfg)).Elem()
	links := chain(l.table, c.name)
	for _, f := range l.fields[c.name] {
		l.decodeTrait(c, links, f, target.FieldByIndex(f.index))
	}
}

func (l *loader) decodeTrait(c class, links []class, f field, target reflect.Value) {
	base, err := f.fromDefault()
	if err != nil {
		l.report.Errorf(c.name+"."+f.Name, "report this as a bug of minihub", "%v", err)
		return
	}
	l.dec.trait(f, c.name+"."+f.Name, target, base)
	value, where := base, ""
	for _, link := range links {
		raw, ok := l.sections[link.name][f.Name]
		if !ok {
			continue
		}
		at := link.name + "." + f.Name
		v, err := l.merge(f, value, raw)
		if err != nil {
			l.report.Errorf(at, "", "%v; expected %s", err, f.Type)
			continue
		}
		value, where = v, at
		l.mark(link.name, f.Name)
	}
	if where == "" {
		value, where = l.fromEnv(f)
		if where != "" {
			l.mark(c.name, f.Name)
		}
	}
	if where != "" {
		l.dec.trait(f, where, target, value)
	}
}

func (l *loader) mark(class, trait string) {
	if l.cfg.given[class] == nil {
		l.cfg.given[class] = map[string]bool{}
	}
	l.cfg.given[class][trait] = true
}

// merge puts the value of a closer section onto what its parents gave.
func (l *loader) merge(f field, base, raw any) (any, error) {
	switch x := raw.(type) {
	case cliTexts:
		return f.fromTexts(x, l.home)
	case *lazy:
		if list, ok := base.([]any); ok && f.set {
			base = pySet(list)
		}
		if one, ok := base.(string); ok && f.typ == reflect.TypeFor[Command]() {
			base = []any{one}
		}
		return x.apply(base)
	}
	return raw, nil
}

// fromEnv reads the variable that a trait names. Keys of CryptKeeper are separated by semicolons.
func (l *loader) fromEnv(f field) (any, string) {
	if f.Env == "" {
		return nil, ""
	}
	value, _ := l.src.LookupEnv(f.Env)
	if value == "" {
		return nil, ""
	}
	where := f.Class + "." + f.Name + " (from " + f.Env + ")"
	if f.typ == reflect.TypeFor[CryptKeys]() {
		keys := []any{}
		for _, key := range strings.Split(value, ";") {
			if strings.TrimSpace(key) != "" {
				keys = append(keys, key)
			}
		}
		return keys, where
	}
	return value, where
}

// unknownNames reports traits and classes that nothing knows, and keeps them in Raw.
func (l *loader) unknownNames() {
	hub := l.cfg.JupyterHub
	chosen := []ClassRef{hub.AuthenticatorClass, hub.SpawnerClass, hub.ProxyClass}
	for _, name := range sortedKeys(l.sections) {
		links := chain(l.table, name)
		if links == nil {
			l.unknownClass(name, chosen)
			continue
		}
		known := l.knownTraits(name, chosen)
		for _, trait := range sortedKeys(l.sections[name]) {
			if known[trait] {
				continue
			}
			l.keepRaw(name, trait)
			l.unknownTrait(name, trait, known, l.hasPlugin(name, chosen))
		}
	}
	l.unusedAuthenticators(hub.AuthenticatorClass)
}

// knownTraits are those of the class itself and, for a parent of a chosen class, those of the chosen class.
func (l *loader) knownTraits(name string, chosen []ClassRef) map[string]bool {
	known := map[string]bool{}
	add := func(class string) {
		for _, f := range l.fields[class] {
			known[f.Name] = true
		}
	}
	add(name)
	for _, ref := range chosen {
		for _, link := range chain(l.table, ref.Class) {
			if link.name == name && ref.Native != "" {
				add(ref.Class)
			}
		}
	}
	return known
}

// hasPlugin reports whether a Python class that may have traits of its own inherits from this section.
func (l *loader) hasPlugin(name string, chosen []ClassRef) bool {
	kinds := []string{"Authenticator", "Spawner", "Proxy"}
	for i, ref := range chosen {
		if ref.Native == "" && strings.HasSuffix(name, kinds[i]) {
			return true
		}
	}
	return false
}

func (l *loader) keepRaw(class, trait string) {
	v := l.sections[class][trait]
	switch x := v.(type) {
	case cliTexts:
		v = guessTexts(x)
	case *lazy:
		if whole, err := x.apply(nil); err == nil {
			v = whole
		}
	}
	if l.cfg.Raw[class] == nil {
		l.cfg.Raw[class] = map[string]any{}
	}
	before := len(l.dec.python)
	allow := l.dec.allowPython
	l.dec.allowPython = true // an unknown class is reported as a whole, not once per callable
	l.cfg.Raw[class][trait] = *l.dec.plain(class+"."+trait, &v)
	l.dec.allowPython = allow
	if !allow {
		l.dec.python = l.dec.python[:before]
	}
	l.mark(class, trait)
}

func (l *loader) unknownTrait(class, trait string, known map[string]bool, plugin bool) {
	where := class + "." + trait
	names := sortedKeys(known)
	if owner := l.ownerOf(trait); owner != "" && nearest(trait, names) == "" {
		names = []string{trait}
		class = owner
	}
	wayOut := didYouMean(trait, class+".", names, "minihub --help-all lists the known names")
	switch {
	case plugin && l.src.AllowPython:
	case isAuthenticator(where[:strings.IndexByte(where, '.')]) && restricts(trait):
		l.report.Errorf(where, wayOut, "no such trait, and its name says that it restricts access: the rule would be lost")
	default:
		l.report.Warnf(where, wayOut, "no such trait; the value has no effect")
	}
}

// ownerOf finds a class that has a trait of exactly this name.
func (l *loader) ownerOf(trait string) string {
	for _, t := range Traits() {
		if t.Name == trait {
			return t.Class
		}
	}
	return ""
}

func (l *loader) unknownClass(name string, chosen []ClassRef) {
	var names []string
	for _, c := range l.table {
		names = append(names, c.name)
	}
	near := nearest(name, names)
	restricting := ""
	for _, trait := range sortedKeys(l.sections[name]) {
		l.keepRaw(name, trait)
		if restricts(trait) {
			restricting = trait
		}
	}
	for _, ref := range chosen {
		if ref.Class == name || ref.Native == "" && l.src.AllowPython { // it may be a parent of the plug-in, which tells itself what it does not know
			return
		}
	}
	where := name
	if near != "" && isAuthenticator(near) && restricting != "" && distance(name, near) <= 3 {
		l.report.Errorf(where+"."+restricting, "did you mean "+near+"?", "no such class, and the name of the trait says that it restricts access")
		return
	}
	l.report.Warnf(where, didYouMean(name, "", names, ""), "no class of this name is built in or chosen; its traits have no effect")
}

// unusedAuthenticators warns about rules in the section of an authenticator that is not the chosen one.
func (l *loader) unusedAuthenticators(chosen ClassRef) {
	if chosen.Native == "" {
		return
	}
	active := map[string]bool{}
	for _, link := range chain(l.table, chosen.Class) {
		active[link.name] = true
	}
	for _, name := range sortedKeys(l.sections) {
		if !isAuthenticator(name) || active[name] || chain(l.table, name) == nil {
			continue
		}
		for _, trait := range sortedKeys(l.sections[name]) {
			if restricts(trait) {
				l.report.Warnf(name+"."+trait, "write it for "+chosen.Class+" or Authenticator, or choose "+name,
					"it has no effect, because authenticator_class is %s", chosen)
			}
		}
	}
}
