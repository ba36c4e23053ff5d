package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// additionalKeys are in minihub's models and not in JupyterHub's (docs/differences.md); they show with the keys of a service's details.
var additionalKeys = []string{".managed", ".capabilities"}

// TestFieldTable asks for models with each single scope and compares the keys with those that JupyterHub shows: what is there, and
// what must not be. Each line of the recording has both.
func TestFieldTable(t *testing.T) {
	names, _ := scopeTree(t)
	l := newAccessLab(t, names)
	lines := 0
	for _, row := range readTSV(t, "fields_jupyterhub.tsv") {
		path, present, absent := row[0], strings.Fields(row[1]), strings.Fields(row[2])
		for _, form := range strings.Fields(row[3]) {
			w := l.serve(l.form(form), "GET", "/hub/api"+path, "")
			var v any
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
				t.Errorf("%s with %s: %d %s", path, form, w.Code, w.Body)
				continue
			}
			root := "$"
			if path == "/services" {
				root = "$services"
			}
			got := map[string]bool{}
			keysOf(v, root, got)
			for _, key := range present {
				if !got[key] && !emptyList(key, got) {
					t.Errorf("%s with %s lacks %s", path, form, key)
				}
			}
			for _, key := range absent {
				if got[key] && !strings.HasSuffix(key, "[]") {
					t.Errorf("%s with %s must not have %s", path, form, key)
				}
			}
			for key := range got {
				if !slices.Contains(present, key) && !slices.Contains(absent, key) && !strings.HasSuffix(key, "[]") && !slices.ContainsFunc(additionalKeys, func(a string) bool { return strings.HasSuffix(key, a) }) {
					t.Errorf("%s with %s has %s, which JupyterHub does not know", path, form, key)
				}
			}
			lines++
		}
	}
	if lines < 100 {
		t.Errorf("only %d answers compared", lines)
	}
	t.Log(lines, "answers compared")
}

// emptyList: the recorded list had items, this one has none, or the other way round; which keys are shown is the same.
func emptyList(key string, got map[string]bool) bool {
	before, _, ok := strings.Cut(key, "[]")
	return ok && got[before]
}

// keysOf collects the dotted names of all keys, as access.py does: items of a list are [], servers and services by name are *.
func keysOf(v any, at string, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			keysOf(x, at+"[]", into)
		}
		if len(v) == 0 {
			into[at+"[]"] = true
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			name := k
			if strings.HasSuffix(at, "servers") || at == "$services" {
				name = "*"
			}
			into[at+"."+name] = true
			if !slices.Contains([]string{"user_options", "state", "info", "properties"}, name) {
				switch v[k].(type) {
				case map[string]any, []any:
					keysOf(v[k], at+"."+name, into)
				}
			}
		}
	default:
		into[at] = true
	}
}
