package api

import (
	"strings"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/openapi"
	"github.com/minihub/minihub/internal/urlpath"
)

// The names of the security schemes: four ways to say who one is.
const (
	schemeToken  = "token"
	schemeOAuth  = "oauth2"
	schemeCookie = "cookie"
	schemeClient = "client"
)

// security lists the alternatives by which a route can be called. Scopes of which one is enough are alternatives too.
func security(access httpmw.Access, scopes []string) *[]openapi.SecurityRequirement {
	list := []openapi.SecurityRequirement{}
	switch access.Kind() {
	case httpmw.KindPublic:
		return &list
	case httpmw.KindClientAuth:
		list = append(list, openapi.SecurityRequirement{schemeClient: {}}, openapi.SecurityRequirement{})
		return &list
	case httpmw.KindLoggedIn:
		list = append(list, openapi.SecurityRequirement{schemeCookie: {}})
		return &list
	case httpmw.KindInHandler:
	default:
		scopes = access.Scopes()
	}
	if len(scopes) == 0 {
		scopes = []string{""}
	}
	for _, scheme := range []string{schemeToken, schemeOAuth, schemeCookie} {
		for _, scope := range scopes {
			held := []string{}
			if scope != "" {
				held = append(held, scope)
			}
			list = append(list, openapi.SecurityRequirement{scheme: held})
		}
	}
	if access.Kind() == httpmw.KindInHandler {
		list = append(list, openapi.SecurityRequirement{})
	}
	return &list
}

// accessNote says in words what security cannot: for what the scope has to be held.
func accessNote(access httpmw.Access, scopes []string) string {
	if access.Kind() != httpmw.KindInHandler {
		scopes = access.Scopes()
	}
	names := "`" + strings.Join(scopes, "`, `") + "`"
	if len(scopes) > 1 {
		names = "one of " + names
	}
	switch access.Kind() {
	case httpmw.KindPublic:
		return "Needs no credential."
	case httpmw.KindIdentified:
		return "Needs any valid credential."
	case httpmw.KindLoggedIn:
		return "For browsers: visitors who are not logged in are sent to the login page."
	case httpmw.KindClientAuth:
		return "The client says who it is by HTTP Basic or in the form."
	case httpmw.KindNeeds:
		return "Needs " + names + " without a filter."
	case httpmw.KindList:
		return "Needs " + names + ", also with a filter: the answer has what the filter selects."
	case httpmw.KindInHandler:
		return "Needs " + names + "."
	}
	return "Needs " + names + " for the target."
}

// cover is the document without operations.
func (a *API) cover() *openapi.Document {
	prefix := urlpath.Join(a.o.URLs.BaseURL, "hub/api")
	flow := &openapi.Flow{AuthorizationURL: prefix + "/oauth2/authorize", TokenURL: prefix + "/oauth2/token", Scopes: map[string]string{}}
	if a.o.Hub.Access != nil {
		catalog := a.o.Hub.Access.Catalog()
		for _, name := range catalog.Names() {
			d, _ := catalog.Lookup(name)
			flow.Scopes[name] = d.Description
		}
	}
	return &openapi.Document{
		OpenAPI: openapi.Version,
		Info: openapi.Info{
			Title: "minihub", Summary: "The REST API of this hub", Version: Version,
			Description: "The operations are those of JupyterHub " + Version + "; additions of minihub say so.\n\n" +
				"Keys that the caller's scopes do not allow are absent from models. Times are UTC. A name in a path is percent-encoded, also its slashes.",
			License: &openapi.Naming{Name: "BSD-3-Clause", Identifier: "BSD-3-Clause"},
		},
		Servers: []openapi.Server{{URL: prefix}},
		Tags:    describedTags(),
		Paths:   map[string]openapi.PathItem{},
		Components: openapi.Components{SecuritySchemes: map[string]*openapi.SecurityScheme{
			schemeToken:  {Type: "http", Scheme: "bearer", Description: "An API token: \"Authorization: token ...\" or \"Authorization: Bearer ...\"."},
			schemeOAuth:  {Type: "oauth2", Description: "A token that the user gave to an application.", Flows: map[string]*openapi.Flow{"authorizationCode": flow}},
			schemeCookie: {Type: "apiKey", In: "cookie", Name: httpmw.LoginCookie, Description: "The login of a browser, together with the value of the _xsrf cookie in the header X-XSRFToken."},
			schemeClient: {Type: "http", Scheme: "basic", Description: "Id and secret of an OAuth client."},
		}},
	}
}
