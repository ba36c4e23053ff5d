package openapi

// Document is an OpenAPI 3.1 document.
type Document struct {
	OpenAPI    string                `json:"openapi"`
	Info       Info                  `json:"info"`
	Servers    []Server              `json:"servers"`
	Tags       []Tag                 `json:"tags,omitempty"`
	Paths      map[string]PathItem   `json:"paths"` // by path template
	Components Components            `json:"components"`
	Security   []SecurityRequirement `json:"security,omitempty"`
}

// Version is the version of the specification that documents follow.
const Version = "3.1.0"

// Info is the title page.
type Info struct {
	Title       string  `json:"title"`
	Summary     string  `json:"summary,omitempty"`
	Description string  `json:"description,omitempty"`
	Version     string  `json:"version"`
	License     *Naming `json:"license,omitempty"`
}

// Naming is a name and the SPDX identifier of a license.
type Naming struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier,omitempty"`
}

// Server is where the paths begin.
type Server struct {
	URL string `json:"url"`
}

// Tag is a chapter of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// PathItem has the operations of one path by method in lower case.
type PathItem map[string]*Operation

// Operation is what one method does at one path.
type Operation struct {
	ID          string                 `json:"operationId"`
	Tags        []string               `json:"tags,omitempty"`
	Summary     string                 `json:"summary"`
	Description string                 `json:"description,omitempty"`
	Deprecated  bool                   `json:"deprecated,omitempty"`
	Parameters  []*Parameter           `json:"parameters,omitempty"`
	Body        *RequestBody           `json:"requestBody,omitempty"`
	Responses   map[string]*Response   `json:"responses"` // by status
	Security    *[]SecurityRequirement `json:"security,omitempty"`
}

// Parameter is a parameter in path, query or header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema"`
}

// RequestBody describes what is sent.
type RequestBody struct {
	Description string               `json:"description,omitempty"`
	Required    bool                 `json:"required,omitempty"`
	Content     map[string]MediaType `json:"content"` // by media type
}

// Response describes an answer; without Content it has no body.
type Response struct {
	Description string               `json:"description"`
	Headers     map[string]*Header   `json:"headers,omitempty"`
	Content     map[string]MediaType `json:"content,omitempty"` // by media type
}

// Header is a header of an answer.
type Header struct {
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// MediaType has the schema of a body.
type MediaType struct {
	Schema *Schema `json:"schema"`
}

// Components are the parts that references name.
type Components struct {
	Schemas         map[string]*Schema         `json:"schemas,omitempty"`
	SecuritySchemes map[string]*SecurityScheme `json:"securitySchemes,omitempty"`
}

// SecurityRequirement has scopes by the name of a security scheme; all of them are needed.
type SecurityRequirement map[string][]string

// SecurityScheme is a way to say who one is.
type SecurityScheme struct {
	Type        string           `json:"type"`
	Description string           `json:"description,omitempty"`
	Name        string           `json:"name,omitempty"`
	In          string           `json:"in,omitempty"`
	Scheme      string           `json:"scheme,omitempty"`
	Flows       map[string]*Flow `json:"flows,omitempty"`
}

// Flow is an OAuth 2.0 flow.
type Flow struct {
	AuthorizationURL string            `json:"authorizationUrl,omitempty"`
	TokenURL         string            `json:"tokenUrl,omitempty"`
	Scopes           map[string]string `json:"scopes"` // description by scope
}
