package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/minihub/minihub/internal/openapi"
)

// contract holds every answer that an api test gets against the hub's own description: status, content type and body. newLab puts it
// around the hub, so that no test has to think of it.
type contract struct {
	t      testing.TB
	next   http.Handler
	base   string // where paths of the document begin
	router *chi.Mux
	rules  *rules
}

// rules is a document in a form for checking, shared by all labs with the same one.
type rules struct {
	ops      map[string]*openapi.Operation // by method and path template
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by JSON pointer
	seen    map[string]bool               // "METHOD path status"
}

var rulesByDocument = struct {
	sync.Mutex
	m map[string]*rules
}{m: map[string]*rules{}}

func (l *lab) contract(next http.Handler) http.Handler {
	doc, err := l.api.Document()
	noErr(l.t, err)
	base := l.o.Base + "hub/api"
	c := &contract{t: l.t, next: next, base: base, router: chi.NewRouter(), rules: rulesOf(l.t, doc)}
	for key := range c.rules.ops {
		method, path, _ := strings.Cut(key, " ")
		c.router.Method(method, path, http.NotFoundHandler())
	}
	return c
}

func rulesOf(t testing.TB, doc *openapi.Document) *rules {
	raw, err := json.Marshal(doc)
	noErr(t, err)
	rulesByDocument.Lock()
	defer rulesByDocument.Unlock()
	if r := rulesByDocument.m[string(raw)]; r != nil {
		return r
	}
	r := &rules{ops: map[string]*openapi.Operation{}, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
	for path, item := range doc.Paths {
		for method, op := range item {
			r.ops[strings.ToUpper(method)+" "+path] = op
		}
	}
	r.compiler.DefaultDraft(jsonschema.Draft2020)
	r.compiler.AssertFormat()
	noErr(t, r.compiler.AddResource("hub.json", need(jsonschema.UnmarshalJSON(bytes.NewReader(raw)))))
	rulesByDocument.m[string(raw)] = r
	return r
}

// schema compiles the schema at a JSON pointer of the document.
func (r *rules) schema(tokens ...string) (*jsonschema.Schema, error) {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "{", "%7B", "}", "%7D", "+", "%2B")
	pointer := "hub.json#"
	for _, token := range tokens {
		pointer += "/" + escape.Replace(token)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.schemas[pointer]; s != nil {
		return s, nil
	}
	s, err := r.compiler.Compile(pointer)
	r.schemas[pointer] = s
	return s, err
}

// ServeHTTP passes the request on and looks at what comes back.
func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := &keeper{ResponseWriter: w}
	c.next.ServeHTTP(k, r)
	if err := c.check(r, k); err != nil {
		c.t.Errorf("%s %.200s: the answer is not as described: %v\nstatus %d, %s, body %.600s", r.Method, r.URL.EscapedPath(), err, k.status(), w.Header().Get("Content-Type"), k.body.Bytes())
	}
}

func (c *contract) check(r *http.Request, k *keeper) error {
	path, below := strings.CutPrefix(r.URL.EscapedPath(), c.base)
	if !below || k.code == 0 && r.Context().Err() != nil {
		return nil // outside the API, or the client left before the answer
	}
	if path == "" {
		path = "/"
	}
	path = strings.Replace(path, "/servers//progress", "/server/progress", 1) // another spelling, see Document
	rc := chi.NewRouteContext()
	if !c.router.Match(rc, r.Method, path) {
		return c.checkUnknown(r, k)
	}
	pattern := rc.RoutePatterns[len(rc.RoutePatterns)-1] // RoutePattern would take the last slash off
	key := r.Method + " " + pattern
	op := c.rules.ops[key]
	if op == nil {
		return fmt.Errorf("no operation %s", key)
	}
	status := strconv.Itoa(k.status())
	c.rules.mu.Lock()
	c.rules.seen[key+" "+status] = true
	c.rules.mu.Unlock()
	answer := op.Responses[status]
	if answer == nil {
		return fmt.Errorf("status %s of %s is not described, only %v", status, key, slices.Sorted(maps.Keys(op.Responses)))
	}
	if len(answer.Content) == 0 || r.Method == http.MethodHead {
		if k.body.Len() > 0 {
			return fmt.Errorf("a body where %s %s has none", key, status)
		}
		return nil
	}
	return c.checkBody(pattern, r.Method, status, answer, k)
}

func (c *contract) checkBody(path, method, status string, answer *openapi.Response, k *keeper) error {
	media, params, _ := mime.ParseMediaType(k.Header().Get("Content-Type"))
	if _, ok := answer.Content[media]; !ok && media != "application/json" { // errors of pages are JSON in this lab, which has no error page
		return fmt.Errorf("content type %q is not described", media)
	}
	if media != "application/json" {
		if strings.HasPrefix(media, "text/html") && params["charset"] == "" && k.body.Len() > 0 {
			return fmt.Errorf("HTML without charset")
		}
		return nil
	}
	if _, ok := answer.Content[media]; !ok {
		return c.validate(k, "components", "schemas", "Error")
	}
	return c.validate(k, "paths", path, strings.ToLower(method), "responses", status, "content", media, "schema")
}

// checkUnknown checks answers that belong to no operation: OPTIONS, unknown paths and methods.
func (c *contract) checkUnknown(r *http.Request, k *keeper) error {
	switch {
	case r.Method == http.MethodOptions && k.status() == http.StatusOK:
		if k.body.Len() > 0 || k.Header().Get("Allow") == "" {
			return fmt.Errorf("OPTIONS has Allow and no body")
		}
		return nil
	case k.status() != http.StatusNotFound && k.status() != http.StatusMethodNotAllowed:
		return fmt.Errorf("no operation is described here")
	case r.Method == http.MethodHead:
		return nil
	}
	return c.validate(k, "components", "schemas", "Error")
}

func (c *contract) validate(k *keeper, pointer ...string) error {
	schema, err := c.rules.schema(pointer...)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(k.body.Bytes()))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// keeper remembers an answer while it goes out.
type keeper struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (k *keeper) status() int {
	if k.code == 0 {
		return http.StatusOK
	}
	return k.code
}

func (k *keeper) WriteHeader(code int) {
	if k.code == 0 {
		k.code = code
	}
	k.ResponseWriter.WriteHeader(code)
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.code == 0 {
		k.code = http.StatusOK
	}
	k.body.Write(b)
	return k.ResponseWriter.Write(b)
}

func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// TestDocumentIsOpenAPI lets a library check the document that the hub serves.
func TestDocumentIsOpenAPI(t *testing.T) {
	l := newLab(t, func(o *labOptions) { o.Base = "/@/space%20word/" })
	a := l.do(call{method: "GET", path: "/@/space%20word/hub/api/openapi.json"})
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s", a.status, a.header.Get("Content-Type"))
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.text))
	noErr(t, err)
	noErr(t, doc.Validate(t.Context()))
	if got := doc.Servers[0].URL; got != "/@/space%20word/hub/api" {
		t.Errorf("the paths begin at %q", got)
	}
	ids := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if other, twice := ids[op.OperationID]; twice {
				t.Errorf("%s %s and %s are both called %s", method, path, other, op.OperationID)
			}
			ids[op.OperationID] = method + " " + path
			if op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s has summary %q and tags %v", method, path, op.Summary, op.Tags)
			}
		}
	}
	if len(ids) < 80 {
		t.Errorf("only %d operations", len(ids))
	}
	for name, schema := range doc.Components.Schemas {
		for key, property := range schema.Value.Properties {
			if property.Value.Description == "" && property.Ref == "" {
				t.Errorf("%s.%s has no description", name, key)
			}
		}
	}
}

// TestContractNotices shows that the contract refuses what is not described.
func TestContractNotices(t *testing.T) {
	l := newLab(t)
	rules := rulesOf(t, need(l.api.Document()))
	for name, row := range map[string]struct {
		path, method string
		status       int
		media, body  string
		want         string
	}{
		"fine":            {"/users/x", "GET", 200, "application/json", `{"name": "x", "pending": null}`, ""},
		"empty":           {"/users/x", "GET", 200, "application/json", `{}`, ""},
		"unknown status":  {"/users/x", "GET", 201, "application/json", `{}`, "not described"},
		"unknown key":     {"/users/x", "GET", 200, "application/json", `{"color": "red"}`, "additional properties 'color'"},
		"wrong type":      {"/users/x", "GET", 200, "application/json", `{"admin": "yes"}`, "got string, want boolean"},
		"wrong word":      {"/users/x", "GET", 200, "application/json", `{"pending": "tired"}`, "value must be one of"},
		"no time":         {"/users/x", "GET", 200, "application/json", `{"created": "yesterday"}`, "date-time"},
		"missing key":     {"/users/x/servers/y", "GET", 200, "application/json", `{"name": "y"}`, "missing properties"},
		"content type":    {"/users/x", "GET", 200, "text/plain", `{}`, "content type"},
		"not JSON":        {"/users/x", "GET", 200, "application/json", `{`, "EOF"},
		"body of nothing": {"/users/x", "DELETE", 204, "", `{}`, "has none"},
		"no operation":    {"/nosuch", "GET", 200, "application/json", `{}`, "no operation"},
		"error":           {"/users/x", "GET", 404, "application/json", `{"status": 404, "message": null}`, ""},
		"error's shape":   {"/users/x", "GET", 404, "application/json", `{"error": "x"}`, "missing properties"},
	} {
		t.Run(name, func(t *testing.T) {
			c := l.contract(nil).(*contract)
			c.rules = rules
			k := &keeper{ResponseWriter: httptest.NewRecorder(), code: row.status}
			k.Header().Set("Content-Type", row.media)
			k.body.WriteString(row.body)
			err := c.check(httptest.NewRequest(row.method, "/hub/api"+row.path, nil), k)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}
