package config_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

// fieldByTrait finds the Go field of a trait in the struct of its class.
func fieldByTrait(v reflect.Value, trait string) (reflect.Value, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if found, ok := fieldByTrait(v.Field(i), trait); ok {
				return found, true
			}
		}
		if f.Tag.Get("trait") == trait || f.Tag.Get("key") == trait {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func classOf(cfg *config.Config, class string) reflect.Value {
	return reflect.ValueOf(cfg).Elem().FieldByName(class)
}

type coreTrait struct{ class, trait, want string }

func coreTraits(t *testing.T) []coreTrait {
	t.Helper()
	f, err := os.Open("testdata/core-traits.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []coreTrait
	lines := bufio.NewScanner(f)
	lines.Scan()
	for lines.Scan() {
		cols := strings.Split(lines.Text(), "\t")
		out = append(out, coreTrait{cols[0], cols[1], cols[2]})
	}
	if len(out) < 70 {
		t.Fatalf("only %d core traits", len(out))
	}
	return out
}

// TestCoreDefaults proves that every trait of tier core is there with the default of JupyterHub 6.1.1.
func TestCoreDefaults(t *testing.T) {
	cfg := good(t, `{}`)
	service := reflect.ValueOf(good(t, `{"JupyterHub":{"services":[{"name":"x"}]}}`).JupyterHub.Services[0])
	for _, row := range coreTraits(t) {
		holder := classOf(cfg, row.class)
		if row.class == "Service" {
			holder = service
		}
		if !holder.IsValid() {
			t.Errorf("class %s is missing", row.class)
			continue
		}
		field, ok := fieldByTrait(holder, row.trait)
		if !ok {
			t.Errorf("%s.%s is missing", row.class, row.trait)
			continue
		}
		if row.class == "Service" && row.trait == "name" {
			continue
		}
		got, err := json.Marshal(field.Interface())
		if err != nil {
			t.Errorf("%s.%s: %v", row.class, row.trait, err)
		}
		text := string(got)
		if text == "null" && (field.Kind() == reflect.Slice || field.Kind() == reflect.Map) {
			text = map[reflect.Kind]string{reflect.Slice: "[]", reflect.Map: "{}"}[field.Kind()]
		}
		if text != row.want {
			t.Errorf("default of %s.%s is %s, want %s", row.class, row.trait, text, row.want)
		}
	}
}

// sample is a valid value of each type phrase, as JSON, that differs from most defaults.
func sample(tr config.Trait) string {
	special := map[string]string{
		"authenticator_class": `"dummy"`, "spawner_class": `"simple"`, "proxy_class": `"minihub"`,
		"bind_url": `"http://127.0.0.1:9000"`, "hub_bind_url": `"http://127.0.0.1:9081"`, "hub_connect_url": `"http://hub:9081"`,
		"public_url": `"https://hub.example.org/"`, "subdomain_host": `"https://hub.example.org"`, "api_url": `"http://127.0.0.1:9001"`,
		"load_roles": `[{"name":"tester","scopes":["self"]}]`, "services": `[{"name":"x"}]`, "load_groups": `{"g":{"users":["a"]}}`,
		"custom_scopes": `{"custom:a:b":{"description":"d"}}`, "cookie_secret": `"` + strings.Repeat("ab", 32) + `"`,
		"keys": `["` + strings.Repeat("ab", 32) + `"]`, "log_level": `"info"`, "subdomain_hook": `"legacy"`,
		"api_tokens": `{"0123456789abcdef":"alice"}`, "service_tokens": `{"0123456789abcdef":"svc"}`, "uids": `{"a": 1000}`,
		"password_groups": `{"password1":["g"]}`, "extra_routes": `{"/x/":"http://127.0.0.1:1"}`,
		"user_password": `"` + strings.Repeat("p", 40) + `"`, "admin_password": `"` + strings.Repeat("q", 40) + `"`,
	}
	if text, ok := special[tr.Name]; ok {
		return text
	}
	if len(tr.Enum) > 0 {
		return fmt.Sprintf("%q", tr.Enum[0])
	}
	switch strings.Fields(tr.Type)[0] {
	case "boolean":
		return "true"
	case "integer":
		return "7"
	case "float":
		return "0.5"
	case "size":
		return `"2G"`
	case "list", "set":
		return `["a"]`
	case "dict":
		return `{"k":"v"}`
	case "command":
		return `["run","it"]`
	case "Python":
		return "null"
	}
	return `"text"`
}

// TestEveryTraitDecodes proves that every trait of the table takes a value of its type and refuses one of another type.
func TestEveryTraitDecodes(t *testing.T) {
	for _, tr := range config.Traits() {
		where := tr.Class + "." + tr.Name
		_, report := load(t, fmt.Sprintf(`{%q:{%q:%s}}`, tr.Class, tr.Name, sample(tr)))
		for _, p := range report.Problems {
			if strings.Contains(p.Message, "expected") || strings.Contains(p.Message, "no such") {
				t.Errorf("%s (%s) with %s: %v", where, tr.Type, sample(tr), p)
			}
		}
		wrong := `{"__minihub_python__":{"kind":"float","repr":"nan"}}`
		if _, report = load(t, fmt.Sprintf(`{%q:{%q:%s}}`, tr.Class, tr.Name, wrong)); report.Err() == nil {
			t.Errorf("%s accepted NaN", where)
		}
	}
}

func TestEveryTraitIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, tr := range config.Traits() {
		where := tr.Class + "." + tr.Name
		if seen[where] {
			t.Errorf("%s is there twice", where)
		}
		seen[where] = true
		if tr.Help == "" || tr.Type == "value" || (tr.Tier != "core" && tr.Tier != "common" && tr.Tier != "rare") {
			t.Errorf("%s lacks help, type or tier: %+v", where, tr)
		}
	}
	if len(seen) < 190 {
		t.Errorf("only %d traits", len(seen))
	}
}

// TestEveryTraitOfJupyterHubIsKnown walks what can be configured in JupyterHub 6.1.1 (testdata/traits.tsv, written by traits.py there).
func TestEveryTraitOfJupyterHubIsKnown(t *testing.T) {
	table, err := os.ReadFile("testdata/traits.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if python := os.Getenv("MINIHUB_TEST_JUPYTERHUB"); python != "" {
		found, err := exec.CommandContext(t.Context(), python, "testdata/traits.py").Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(found) != string(table) {
			t.Errorf("testdata/traits.tsv is not what the package has:\n%s", found)
		}
	}
	known := map[string]bool{}
	for _, tr := range config.Traits() {
		known[tr.Class+"\t"+tr.Name] = true
	}
	rows := strings.Fields(strings.ReplaceAll(string(table), "\t", "\x00"))
	for _, row := range rows {
		if row = strings.ReplaceAll(row, "\x00", "\t"); !known[row] {
			t.Errorf("%q is not known", row)
		}
	}
	if len(rows) < 180 {
		t.Errorf("only %d rows", len(rows))
	}
}
