package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func schema(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := config.WriteSchema(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type schemaNode struct {
	Type                 any
	Description          string
	Properties           map[string]schemaNode
	Default              any
	Deprecated           bool
	WriteOnly            bool
	Enum                 []string
	Items                *schemaNode
	AnyOf                []schemaNode
	AdditionalProperties any
}

// Every trait of the table is in the schema, with what an editor shows.
func TestSchemaHasEveryTrait(t *testing.T) {
	var root schemaNode
	if err := json.Unmarshal(schema(t), &root); err != nil {
		t.Fatal(err)
	}
	for _, trait := range config.Traits() {
		got, ok := root.Properties[trait.Class].Properties[trait.Name]
		switch {
		case !ok:
			t.Errorf("%s.%s is missing", trait.Class, trait.Name)
		case !strings.HasPrefix(got.Description, trait.Help):
			t.Errorf("%s.%s: description %q", trait.Class, trait.Name, got.Description)
		case got.Deprecated != (trait.Deprecated != ""), got.WriteOnly != trait.Secret:
			t.Errorf("%s.%s: deprecated %v, write-only %v", trait.Class, trait.Name, got.Deprecated, got.WriteOnly)
		}
	}
	hub, spawner := root.Properties["JupyterHub"], root.Properties["SimpleLocalProcessSpawner"]
	if got := hub.Properties["port"]; got.Type != "integer" || got.Default != 8000.0 {
		t.Errorf("port: %+v", got)
	}
	if got := hub.Properties["cleanup_servers"]; got.Type != "boolean" || got.Default != true {
		t.Errorf("cleanup_servers: %+v", got)
	}
	if got := hub.Properties["allow_existing_invalid_named_servers"]; len(got.Enum) != 3 {
		t.Errorf("allow_existing_invalid_named_servers: %+v", got)
	}
	if got := hub.Properties["services"].Items; got == nil || got.Properties["api_token"].Type != "string" || got.AdditionalProperties != false {
		t.Errorf("services: %+v", got)
	}
	if _, ok := spawner.Properties["start_timeout"]; !ok || spawner.AdditionalProperties != nil {
		t.Error("a spawner's section has not the traits of Spawner, or is closed for plug-ins")
	}
	if hub.AdditionalProperties != false {
		t.Error("JupyterHub's section takes names that do not exist")
	}
}

// A validator and Load agree about these documents.
func TestSchemaAgreesWithLoad(t *testing.T) {
	python := os.Getenv("MINIHUB_TEST_PYTHON")
	if python == "" {
		t.Skip("set MINIHUB_TEST_PYTHON to an interpreter with jsonschema to run this test")
	}
	documents := map[string]bool{
		`{}`: true,
		`{"JupyterHub": {"port": 8000, "log_level": "DEBUG", "authenticator_class": "pam", "tornado_settings": {"x": [1]}, "admin_access": true}}`:      true,
		`{"Spawner": {"cmd": "x", "mem_limit": "1G", "cpu_limit": 0.5, "environment": {"PORT": 8080}, "notebook_dir": "", "pre_spawn_hook": null}}`:     true,
		`{"Spawner": {"cmd": ["x", "y"], "mem_limit": null, "http_timeout": 3}, "SimpleLocalProcessSpawner": {"mem_limit": 5}}`:                         true,
		`{"JupyterHub": {"services": [{"name": "x", "command": "y", "environment": {"A": "b"}}], "load_roles": [{"name": "rrr", "scopes": ["self"]}]}}`: true,
		`{"JupyterHub": {"load_groups": {"g": {"users": ["ann"], "properties": {"a": {"b": null}}}, "old": ["bob"]}}}`:                                  true,
		`{"JupyterHub": {"custom_scopes": {"custom:a:b": {"description": "d", "subscopes": []}}}, "Authenticator": {"allowed_users": ["a"]}}`:           true,
		`{"JupyterHub": {"port": "many"}}`:                                  false,
		`{"JupyterHub": {"services": [{"name": "x", "comand": "y"}]}}`:      false,
		`{"JupyterHub": {"services": [{"command": "y"}]}}`:                  false,
		`{"JupyterHub": {"load_groups": {"g": {"members": ["ann"]}}}}`:      false,
		`{"JupyterHub": {"allow_existing_invalid_named_servers": "maybe"}}`: false,
		`{"Authenticator": {"allowed_users": "ann"}}`:                       false,
		`{"Authenticator": {"allow_all": "surely"}}`:                        false,
		`{"Spawner": {"environment": ["A=b"]}}`:                             false,
	}
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, schema(t), 0o600); err != nil {
		t.Fatal(err)
	}
	var list []string
	for document := range documents {
		list = append(list, document)
	}
	input, _ := json.Marshal(list)
	cmd := exec.Command(python, "-c", `
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
v = jsonschema.Draft202012Validator(schema)
print(json.dumps([[e.message for e in v.iter_errors(json.loads(d))] for d in json.load(sys.stdin)]))
`, file)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var found [][]string
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	for i, document := range list {
		_, report := load(t, document)
		if want := documents[document]; (len(found[i]) == 0) != want || (report.Err() == nil) != want {
			t.Errorf("%s: want good %v; the validator says %v, Load says %v", document, want, found[i], report.Err())
		}
	}
}
