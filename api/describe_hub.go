package api

import (
	"net/http"

	"github.com/minihub/minihub/internal/openapi"
)

// Chapters of the description.
const (
	tagHub      = "Hub"
	tagUsers    = "Users"
	tagServers  = "Servers"
	tagTokens   = "Tokens"
	tagGroups   = "Groups"
	tagServices = "Services"
	tagShares   = "Shares"
	tagProxy    = "Proxy"
	tagOAuth    = "OAuth"
	tagOld      = "Deprecated"
)

func describedTags() []openapi.Tag {
	return []openapi.Tag{
		{Name: tagHub, Description: "The hub itself."},
		{Name: tagUsers, Description: "Who may log in, and what the hub knows about them."},
		{Name: tagServers, Description: "Single-user servers. The default server has an empty name; `/users/{user}/server` and `/users/{user}/servers/` are the same."},
		{Name: tagTokens, Description: "API tokens of users."},
		{Name: tagGroups, Description: "Groups of users."},
		{Name: tagServices, Description: "Programs that work with the hub."},
		{Name: tagShares, Description: "Access to somebody's server for others, directly or by a code. The default server is an empty last segment."},
		{Name: tagProxy, Description: "What sends requests to servers and services."},
		{Name: tagOAuth, Description: "The hub as the login of applications."},
		{Name: tagOld, Description: "Kept for old clients."},
	}
}

func typed(t string) *openapi.Schema { return &openapi.Schema{Type: openapi.Types{t}} }

func query(name, description string, schema *openapi.Schema) *openapi.Parameter {
	return &openapi.Parameter{Name: name, In: "query", Description: description, Schema: schema}
}

func oneWord(words ...string) *openapi.Schema {
	s := typed("string")
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

const pagesNote = "With `Accept: application/jupyterhub-pagination+json` the answer is an object with `items` and `_pagination`; " +
	"otherwise it has the items alone, cut at the largest page."

// paged are the parameters of lists that come in pages.
func paged() []*openapi.Parameter {
	return []*openapi.Parameter{
		query("offset", "How many items to leave out at the beginning. The sign does not matter.", typed("integer")),
		query("limit", "How many items to answer at most; what is beyond the hub's largest page counts as that.", typed("integer")),
	}
}

func hubDescriptions() map[string]description {
	return map[string]description{
		"GET /": {tag: tagHub, summary: "Version", text: "Tells which version of JupyterHub this hub behaves like.",
			answers: []answer{{200, "The version.", wireVersion{}, ""}}},
		"OPTIONS /": {tag: tagHub, summary: "Permission for pages of other origins", text: "Lets pages of other origins ask for the version.",
			answers: []answer{{200, "The headers tell what is allowed.", nil, ""}}},
		"GET /info": {tag: tagHub, summary: "What the hub works with", text: "Tells versions, the authenticator and the spawner.",
			answers: []answer{{200, "What there is.", wireInfo{}, ""}}},
		"POST /shutdown": {tag: tagHub, summary: "Stop the hub", text: "The hub answers and ends then.", body: wireShutdownRequest{},
			answers: []answer{{202, "The hub is about to end.", wireMessage{}, ""}}},
		"GET /health":  {tag: tagHub, summary: "Whether the hub answers", answers: []answer{{200, "It does.", nil, ""}}},
		"HEAD /health": {tag: tagHub, summary: "Whether the hub answers, without a body", answers: []answer{{200, "It does.", nil, ""}}},
		"GET /openapi.json": {tag: tagHub, summary: "This description", text: "The description of the API in the form of OpenAPI 3.1. An addition of minihub.",
			answers: []answer{{200, "The document.", map[string]any{}, ""}}},
		"GET /docs": {tag: tagHub, summary: "A page to read and try the API", text: "An addition of minihub.",
			answers: []answer{{200, "The page.", "", "text/html"}}},
		"GET /docs/{asset}": {tag: tagHub, summary: "Script and style of that page", text: "An addition of minihub.", fails: []int{http.StatusNotFound},
			answers: []answer{{200, "The file.", "", "text/javascript"}, {200, "", "", "text/css"}}},

		"GET /proxy": {tag: tagProxy, summary: "All routes", text: "Tells where the proxy sends what, by routespec. " + pagesNote, query: paged(), fails: []int{http.StatusBadRequest},
			answers: []answer{{200, "The routes.", wireRouteList{}, ""}}},
		"POST /proxy": {tag: tagProxy, summary: "Repair the routes", text: "Compares the proxy's routes with those that there should be, now.",
			answers: []answer{{200, "They agree again.", nil, ""}}},
		"PATCH /proxy": {tag: tagProxy, summary: "Use another proxy", text: "Tells the hub that the proxy's API moved.", body: wireProxyRequest{}, bodyNeeded: true,
			answers: []answer{{200, "The hub uses it.", nil, ""}}},
	}
}

func oauthDescriptions() map[string]description {
	authorize := []answer{{200, "A page that asks the user to consent.", "", "text/html"}, {302, "Back to the application with a code or an error, or to the login page.", "", "text/html"}}
	needs := func(name, description string) *openapi.Parameter {
		p := query(name, description, typed("string"))
		p.Required = true
		return p
	}
	return map[string]description{
		"GET /oauth2/authorize": {tag: tagOAuth, summary: "Ask the user", text: "Applications send the browser here (RFC 6749 section 4.1.1).", fails: []int{400, 403},
			query: []*openapi.Parameter{
				needs("client_id", "The client."), needs("response_type", "Always code."),
				query("redirect_uri", "Where the browser goes then; one of those registered for the client.", typed("string")),
				query("state", "Comes back as it is.", typed("string")),
				query("scope", "The wanted scopes with blanks between them; without it, all that the client may have.", typed("string")),
				query("code_challenge", "The PKCE challenge (RFC 7636).", typed("string")),
				query("code_challenge_method", "S256, or plain.", typed("string")),
			}, answers: authorize},
		"POST /oauth2/authorize": {tag: tagOAuth, summary: "The user's consent", text: "The form of the consent page comes here.", fails: []int{400}, answers: authorize},
		"POST /oauth2/token": {tag: tagOAuth, summary: "Change a code for a token", text: "RFC 6749 section 4.1.3. Parameters in the URL do not count.", form: wireTokenForm{}, bodyNeeded: true,
			fails: []int{400, 401}, answers: []answer{{200, "The token.", wireOAuthToken{}, ""}}},
		"POST /oauth2/revoke": {tag: tagOAuth, summary: "End a token", text: "An addition of minihub: RFC 7009. A client ends the tokens that were issued to it; a token that is not known is no error.",
			form: wireTokenQuestion{}, bodyNeeded: true, fails: []int{400, 401}, answers: []answer{{200, "The token is of no use any more.", nil, ""}}},
		"POST /oauth2/introspect": {tag: tagOAuth, summary: "What a token is good for", text: "An addition of minihub: RFC 7662. For the client that the token was issued to, " +
			"and for bearers of a token with `read:tokens` for its owner; for everybody else the token is not active.",
			form: wireTokenQuestion{}, bodyNeeded: true, fails: []int{400, 401}, answers: []answer{{200, "What the token is good for now.", wireIntrospection{}, ""}}},
		"GET /oauth2/metadata": {tag: tagOAuth, summary: "The OAuth endpoints, for programs",
			text:    "An addition of minihub: RFC 8414. The same is at `/.well-known/oauth-authorization-server`, followed by base_url.",
			answers: []answer{{200, "The description.", wireOAuthServer{}, ""}}},
		"GET /oauth2/userinfo": {tag: tagOAuth, summary: "Whose token it is, in OpenID Connect's words", text: "An addition of minihub.",
			answers: []answer{{200, "The claims.", wireClaims{}, ""}}},
		"POST /oauth2/userinfo": {tag: tagOAuth, summary: "Whose token it is, in OpenID Connect's words", text: "An addition of minihub.",
			answers: []answer{{200, "The claims.", wireClaims{}, ""}}},

		"GET /authorizations/token/{token}": {tag: tagOld, deprecated: true, summary: "Whose token it is", text: "Use `GET /user` with the token.",
			answers: []answer{{200, "The owner.", wireOwner{}, ""}}},
		"POST /authorizations/token": {tag: tagOld, deprecated: true, summary: "Gone since JupyterHub 2", text: "Use `POST /users/{user}/tokens`.", fails: []int{403, 404}},
		"GET /authorizations/cookie/{name}": {tag: tagOld, deprecated: true, summary: "Who is logged in with the cookie in the body", text: "Use OAuth.", fails: []int{400},
			answers: []answer{{200, "The user.", wireOwner{}, ""}}},
		"GET /authorizations/cookie/{name}/{value}": {tag: tagOld, deprecated: true, summary: "Who is logged in with the cookie", text: "Use OAuth.", fails: []int{400},
			answers: []answer{{200, "The user.", wireOwner{}, ""}}},
	}
}
