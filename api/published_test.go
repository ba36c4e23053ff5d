package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestPublishedDescription compares minihub's description with the one that JupyterHub publishes, both ways: operations, parameters,
// scopes, bodies and answers with their fields and types. What differs is in publishedDifferences, with the reason.
func TestPublishedDescription(t *testing.T) {
	sdist := os.Getenv("MINIHUB_TEST_SDIST")
	if sdist == "" {
		t.Skip("set MINIHUB_TEST_SDIST to the folder of JupyterHub's source distribution")
	}
	raw, err := os.ReadFile(filepath.Join(sdist, "docs/source/_static/rest-api.yml"))
	noErr(t, err)
	theirs := factsOf(t, raw)
	ours := factsOf(t, need(json.Marshal(need(newLab(t).api.Document()))))
	if len(theirs) < 500 {
		t.Fatalf("only %d facts in JupyterHub's description", len(theirs))
	}
	used := map[string]bool{}
	report := func(line string) {
		for pattern := range publishedDifferences {
			if ok, _ := regexp.MatchString("^(?:"+pattern+")$", line); ok {
				used[pattern] = true
				return
			}
		}
		t.Errorf("not explained: %s", line)
	}
	for _, fact := range slices.Sorted(maps.Keys(theirs)) {
		if value, ok := ours[fact]; !ok {
			report("JupyterHub only: " + fact)
		} else if value != theirs[fact] {
			report(fmt.Sprintf("different: %s: JupyterHub %s, minihub %s", fact, theirs[fact], value))
		}
	}
	for _, fact := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := theirs[fact]; !ok && !explainedAbove(fact, theirs) {
			report("minihub only: " + fact)
		}
	}
	for pattern := range publishedDifferences {
		if !used[pattern] {
			t.Errorf("no such difference any more: %s", pattern)
		}
	}
}

// explainedAbove tells whether the fact belongs to an operation that JupyterHub does not have: that one is reported, not its parts.
func explainedAbove(fact string, theirs map[string]string) bool {
	operation, _, part := strings.Cut(fact, ": ")
	_, known := theirs[operation]
	return part && !known && !strings.HasPrefix(fact, "scope")
}

var anyParameter = regexp.MustCompile(`\{\w+\}`)

// factsOf takes a description apart into single facts.
func factsOf(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	noErr(t, err)
	facts := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			key := method + " " + anyParameter.ReplaceAllString(path, "{}")
			facts[key] = ""
			if op.Deprecated {
				facts[key+": deprecated"] = ""
			}
			facts[key+": scopes"] = scopesOf(doc, op)
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				if v := p.Value; v.In != "path" {
					facts[key+": "+v.In+" "+v.Name] = typeOf(v.Schema.Value)
				}
			}
			if op.RequestBody != nil {
				for media, content := range op.RequestBody.Value.Content {
					facts[key+": body "+media] = fmt.Sprintf("required %v", op.RequestBody.Value.Required)
					fields(facts, key+": body ", content.Schema, 0)
				}
			}
			for status, answer := range op.Responses.Map() {
				if status >= "400" {
					continue
				}
				facts[key+": "+status] = ""
				if content := answer.Value.Content["application/json"]; content != nil {
					fields(facts, key+": "+status+" ", content.Schema, 0)
				}
			}
		}
	}
	for scope := range doc.Components.SecuritySchemes["oauth2"].Value.Flows.AuthorizationCode.Scopes {
		facts["scope "+scope] = ""
	}
	return facts
}

// scopesOf are the scopes of which one is enough.
func scopesOf(doc *openapi3.T, op *openapi3.Operation) string {
	needs := &doc.Security
	if op.Security != nil {
		needs = op.Security
	}
	found := map[string]bool{}
	for _, requirement := range *needs {
		for _, scope := range requirement["oauth2"] {
			found[scope] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), " ")
}

func typeOf(s *openapi3.Schema) string {
	if s == nil || s.Type == nil {
		return "any"
	}
	types := slices.Clone(s.Type.Slice())
	slices.Sort(types)
	text := strings.Join(types, "|")
	return cmp.Or(strings.ReplaceAll(text, "integer", "number"), "any")
}

// fields adds the properties of a schema, and of those below it. [] stands for the items of a list, {} for the values of an object.
func fields(facts map[string]string, prefix string, ref *openapi3.SchemaRef, depth int) {
	if ref == nil || ref.Value == nil || depth > 6 {
		return
	}
	s := ref.Value
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range list {
			fields(facts, prefix, part, depth+1)
		}
	}
	for name, property := range s.Properties {
		key := prefix + name
		types := typeOf(property.Value)
		for _, part := range slices.Concat(property.Value.AnyOf, property.Value.AllOf) {
			types = merged(strings.TrimPrefix(types, "any"), typeOf(part.Value))
		}
		if was := facts[key]; was != "" && was != types { // alternatives with the same key
			types = merged(was, types)
		}
		facts[key] = types
		if f := property.Value.Format; f != "" && f != "uri" {
			facts[key+" format"] = f
		}
		fields(facts, key+".", property, depth+1)
	}
	if s.Items != nil {
		fields(facts, strings.TrimSuffix(prefix, ".")+"[].", s.Items, depth+1)
	}
	if extra := s.AdditionalProperties.Schema; extra != nil {
		fields(facts, strings.TrimSuffix(prefix, ".")+"{}.", extra, depth+1)
	}
}

func merged(a, b string) string {
	types := append(strings.Split(a, "|"), strings.Split(b, "|")...)
	slices.Sort(types)
	return strings.TrimPrefix(strings.Join(slices.Compact(types), "|"), "|")
}
