package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/openapi"
)

// description says of one operation what its line in the route table does not.
type description struct {
	tag        string
	summary    string
	text       string
	query      []*openapi.Parameter
	body       any // a value of the type of the JSON body; nil: none
	form       any // the same for a form
	bodyNeeded bool
	answers    []answer
	fails      []int    // statuses of refusals beyond those that follow from the route
	scopes     []string // of routes whose handler decides
	deprecated bool
}

// answer is what comes back when all went well.
type answer struct {
	status int
	text   string
	body   any    // a value of the body's type; nil: no body
	media  string // "" = JSON
}

// descriptions has a description for each operation, by method and path; see descriptionOf for paths that have several spellings.
func descriptions() map[string]description {
	all := map[string]description{}
	for _, part := range []map[string]description{hubDescriptions(), userDescriptions(), serverDescriptions(), groupDescriptions(), serviceDescriptions(),
		shareDescriptions(), oauthDescriptions()} {
		maps.Copy(all, part)
	}
	return all
}

// descriptionOf finds the key of the description of a route. The default server is spelled in three ways and described with {server}.
func descriptionOf(all map[string]description, route httpmw.Route) (key string, ok bool) {
	path := route.Path
	switch {
	case strings.HasPrefix(path, "/users/{user}/server/") || path == "/users/{user}/server":
		path = strings.Replace(path, "/server", "/servers/{server}", 1)
	case strings.HasPrefix(path, "/users/{user}/servers/") && !strings.Contains(path, "{server}"):
		path = strings.Replace(path, "/servers/", "/servers/{server}", 1)
	case strings.HasSuffix(path, "/") && path != "/":
		path += "{server}"
	case path == "":
		path = "/"
	}
	key = route.Method + " " + path
	_, ok = all[key]
	return key, ok
}

// Document describes the whole API in the form of OpenAPI 3.1. An error names routes without description and descriptions without route.
func (a *API) Document() (*openapi.Document, error) {
	all, used := descriptions(), map[string]bool{}
	d := &builder{schemas: openapi.Schemas{Name: componentName}, doc: a.cover()}
	var problems []error
	for _, table := range a.Tables() {
		if table.Prefix != apiPrefix {
			continue // /.well-known has what /oauth2/metadata has
		}
		for _, route := range table.Routes {
			key, ok := descriptionOf(all, route)
			if !ok {
				problems = append(problems, fmt.Errorf("route %s %s has no description", route.Method, route.Path))
				continue
			}
			used[key] = true
			// An OpenAPI path begins with a slash, and tools drop empty segments; both operations have another spelling.
			if route.Path != "" && !strings.Contains(route.Path, "//") {
				d.add(table, route, all[key])
			}
		}
	}
	for key := range all {
		if !used[key] {
			problems = append(problems, fmt.Errorf("the description of %s belongs to no route", key))
		}
	}
	d.doc.Components.Schemas = d.schemas.Components
	return d.doc, errors.Join(problems...)
}

// componentName turns wireUser into User.
func componentName(goName string) string { return strings.TrimPrefix(goName, "wire") }

type builder struct {
	schemas openapi.Schemas
	doc     *openapi.Document
}

func (b *builder) add(table httpmw.Table, route httpmw.Route, d description) {
	op := &openapi.Operation{ID: operationID(route), Tags: []string{d.tag}, Summary: d.summary, Description: d.text, Deprecated: d.deprecated,
		Parameters: append(pathParameters(route.Path), d.query...), Responses: map[string]*openapi.Response{}, Security: security(route.Access, d.scopes)}
	if note := accessNote(route.Access, d.scopes); note != "" {
		op.Description = strings.TrimSpace(op.Description + "\n\n" + note)
	}
	if d.body != nil || d.form != nil {
		media, v := "application/json", d.body
		if d.form != nil {
			media, v = "application/x-www-form-urlencoded", d.form
		}
		op.Body = &openapi.RequestBody{Required: d.bodyNeeded, Content: map[string]openapi.MediaType{media: {Schema: b.schemas.Of(v)}}}
	}
	for _, ans := range d.answers {
		key, r := strconv.Itoa(ans.status), b.response(ans)
		if same := op.Responses[key]; same != nil { // another media type of the same answer
			maps.Copy(same.Content, r.Content)
		} else {
			op.Responses[key] = r
		}
	}
	failure, media := any(wireError{}), "application/json"
	switch {
	case route.Access.Kind() == httpmw.KindClientAuth:
		failure = wireOAuthError{}
	case !table.API:
		failure, media = "", "text/html"
	}
	for _, status := range failures(table, route, d) {
		if key := strconv.Itoa(status); op.Responses[key] == nil {
			op.Responses[key] = b.response(answer{status, failureTexts[status], failure, media})
		}
	}
	item := b.doc.Paths[route.Path]
	if item == nil {
		item = openapi.PathItem{}
		b.doc.Paths[route.Path] = item
	}
	item[strings.ToLower(route.Method)] = op
}

func (b *builder) response(ans answer) *openapi.Response {
	r := &openapi.Response{Description: cmp.Or(ans.text, http.StatusText(ans.status))}
	if ans.body != nil {
		r.Content = map[string]openapi.MediaType{cmp.Or(ans.media, "application/json"): {Schema: b.schemas.Of(ans.body)}}
	}
	if ans.status == http.StatusTooManyRequests || ans.status == http.StatusServiceUnavailable {
		r.Headers = map[string]*openapi.Header{"Retry-After": {Description: "After how many seconds another try may be worth it.",
			Schema: &openapi.Schema{Type: openapi.Types{"integer"}}}}
	}
	return r
}

// failureTexts describe the statuses of refusals.
var failureTexts = map[int]string{
	http.StatusBadRequest:            "Something in the request is wrong; the message names it.",
	http.StatusUnauthorized:          "The client is not known, or its secret is wrong.",
	http.StatusForbidden:             "There is no valid credential, or it does not allow this.",
	http.StatusNotFound:              "It does not exist, or the credential does not reach it.",
	http.StatusMethodNotAllowed:      "This cannot be done here.",
	http.StatusConflict:              "It exists already.",
	http.StatusRequestEntityTooLarge: "The body is too large.",
	http.StatusFailedDependency:      "The server is not running.",
	http.StatusTooManyRequests:       "Too much at once: try again later.",
	http.StatusInternalServerError:   "Something failed inside the hub, or a server could not be started.",
	http.StatusServiceUnavailable:    "The hub cannot do this now: try again later.",
}

// failures are the refusals that follow from the route, and those of the description.
func failures(table httpmw.Table, route httpmw.Route, d description) []int {
	list := slices.Clone(d.fails)
	if route.Access.Kind() == httpmw.KindPublic && len(d.fails) == 0 {
		return nil
	}
	list = append(list, http.StatusInternalServerError, http.StatusServiceUnavailable)
	if route.Access.Kind() != httpmw.KindClientAuth && (table.API || route.Method == http.MethodPost) {
		list = append(list, http.StatusForbidden)
	}
	if strings.Contains(route.Path, "{") {
		list = append(list, http.StatusNotFound)
	}
	if d.body != nil {
		list = append(list, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	return list
}

// operationID is made of method and path.
func operationID(route httpmw.Route) string {
	path := strings.NewReplacer("{", "", "}", "", "_", "-", ".", "-").Replace(route.Path)
	words := []string{strings.ToLower(route.Method)}
	for word := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		words = append(words, cmp.Or(word, "hub"))
	}
	if strings.HasSuffix(route.Path, "/") {
		words = append(words, "default")
	}
	return strings.Join(words, "-")
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func pathParameters(path string) []*openapi.Parameter {
	one := int64(1)
	var list []*openapi.Parameter
	for _, m := range pathParameter.FindAllStringSubmatch(path, -1) {
		list = append(list, &openapi.Parameter{Name: m[1], In: "path", Required: true, Description: pathTexts[m[1]],
			Schema: &openapi.Schema{Type: openapi.Types{"string"}, MinLength: &one}})
	}
	return list
}

// pathTexts describe the parameters of paths.
var pathTexts = map[string]string{
	"user":     "The name of the user.",
	"owner":    "The name of the user whose server it is.",
	"server":   "The name of the server. New names have at most 30 small letters, digits and single hyphens, and begin with a letter.",
	"group":    "The name of the group.",
	"service":  "The name of the service.",
	"token_id": "The id of the token, as in its model.",
	"token":    "The token.",
	"name":     "The name of the cookie.",
	"value":    "The value of the cookie.",
	"asset":    "The name of the file.",
}
