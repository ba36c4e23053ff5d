package config

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"
)

func (d *decoder) slice(where, want string, target reflect.Value, v any) bool {
	items, ok := v.([]any)
	if !ok {
		return d.mismatch(where, want, v)
	}
	out := reflect.MakeSlice(target.Type(), len(items), len(items))
	good := true
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", where, i)
		good = d.value(at, typePhrase(target.Type().Elem()), out.Index(i), item) && good
	}
	if good || target.Type().Elem().Kind() == reflect.Struct {
		target.Set(out) // half-read services and roles are still checked, so that all problems show at once
	}
	return good
}

func (d *decoder) mapping(where, want string, target reflect.Value, v any) bool {
	items, ok := v.(map[string]any)
	if !ok {
		return d.mismatch(where, want, v)
	}
	out := reflect.MakeMapWithSize(target.Type(), len(items))
	good := true
	for i, key := range sortedKeys(items) {
		at := fmt.Sprintf("%s[%q]", where, key)
		if secretKeyed(target.Type()) {
			at = fmt.Sprintf("%s[entry %d]", where, i+1)
		}
		item := items[key]
		if target.Type().Elem().Kind() == reflect.String {
			item = numberText(item)
		}
		if list, ok := item.([]any); ok && target.Type().Elem() == reflect.TypeFor[GroupSpec]() {
			d.report.Warnf(at, `write {"users": [...]}`, "a group given as a list of members is a deprecated form")
			item = map[string]any{"users": list}
		}
		slot := reflect.New(target.Type().Elem()).Elem()
		if !d.value(at, typePhrase(slot.Type()), slot, item) {
			good = false
			continue
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(target.Type().Key()), slot)
	}
	if good {
		target.Set(out)
	}
	return good
}

func secretKeyed(t reflect.Type) bool {
	return t == reflect.TypeFor[SecretKeys]() || t == reflect.TypeFor[SecretGroups]()
}

// numberText writes numbers as text where a dict of texts is wanted: YAML and JSON files say PORT: 8080.
func numberText(v any) any {
	switch x := v.(type) {
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return v
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// plain returns a pointer to v with sets turned into lists and Python objects refused or kept, for traits of any type.
func (d *decoder) plain(where string, v *any) *any {
	var out any
	switch x := (*v).(type) {
	case pySet:
		list := []any(x)
		var item any = list
		return d.plain(where, &item)
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = *d.plain(fmt.Sprintf("%s[%d]", where, i), &x[i])
		}
		out = list
	case map[string]any:
		m := make(map[string]any, len(x))
		for _, key := range sortedKeys(x) {
			item := x[key]
			m[key] = *d.plain(fmt.Sprintf("%s[%q]", where, key), &item)
		}
		out = m
	case *Python:
		x.Where = where
		d.python = append(d.python, *x)
		if !d.allowPython {
			d.refusePython(where, x)
		}
		out = *x
	default:
		out = x
	}
	return &out
}

// specFields returns the index of the struct field for every key of a Service, RoleSpec, GroupSpec or CustomScope.
func specFields(t reflect.Type) (map[string]int, []string) {
	byKey := map[string]int{}
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("key"); key != "" {
			byKey[key] = i
			keys = append(keys, key)
		}
	}
	return byKey, keys
}

// spec decodes one dict of services, load_roles, load_groups or custom_scopes. These decide who may do what, so an
// unknown key is an error.
func (d *decoder) spec(where string, target reflect.Value, v any) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return d.mismatch(where, "a dict", v)
	}
	byKey, keys := specFields(target.Type())
	d.specDefaults(target)
	good := true
	given := map[string]bool{}
	for _, key := range sortedKeys(m) {
		at := fmt.Sprintf("%s[%q]", where, key)
		i, known := byKey[key]
		if !known {
			d.report.Errorf(where, didYouMean(key, "", keys, "known keys: "+fmt.Sprint(keys)), "unknown key %q", key)
			good = false
			continue
		}
		given[key] = true
		item := m[key]
		if item == nil && nullableKey(target.Type(), key) {
			continue
		}
		if set, ok := item.(pySet); ok {
			item = []any(set)
		}
		good = d.value(at, typePhrase(target.Field(i).Type()), target.Field(i), item) && good
	}
	if svc, ok := target.Addr().Interface().(*Service); ok {
		svc.Given = given
	}
	return good
}

// nullableKey lists keys where None means absent. For services JupyterHub refuses None, and rightly: an api_token that is
// None comes from an environment variable that nobody set.
func nullableKey(t reflect.Type, key string) bool {
	return key == "description" && t == reflect.TypeFor[RoleSpec]()
}

func (d *decoder) specDefaults(target reflect.Value) {
	for i := range target.NumField() {
		switch text := target.Type().Field(i).Tag.Get("default"); {
		case text == "":
		case target.Field(i).Kind() == reflect.Bool:
			target.Field(i).SetBool(text == "True")
		default:
			n, _ := strconv.Atoi(text)
			target.Field(i).SetInt(int64(n))
		}
	}
}

// profiles reads a profile_list. What its dicts hold is looked at by whoever uses them: a plug-in may have keys of its own.
func (d *decoder) profiles(where, want string, target reflect.Value, v any) bool {
	var list []any
	switch x := v.(type) {
	case []any:
		for i := range x {
			list = append(list, *d.plain(fmt.Sprintf("%s[%d]", where, i), &x[i]))
		}
	case map[string]any:
		for _, key := range sortedKeys(x) {
			item := x[key]
			item = *d.plain(fmt.Sprintf("%s[%q]", where, key), &item)
			if m, ok := item.(map[string]any); ok && m["slug"] == nil {
				m["slug"] = key
			}
			list = append(list, item)
		}
	default:
		return d.mismatch(where, want, v)
	}
	target.Set(reflect.ValueOf(Profiles(list)))
	return true
}
