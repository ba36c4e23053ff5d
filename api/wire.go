package api

import (
	"time"

	"github.com/minihub/minihub/internal/openapi"
)

// The wire types are the models as clients see them: the API's description is made from them, and the tests hold every answer
// against it. A key with omitempty may be absent, mostly because the caller's scopes do not allow it; a pointer may be null.

type wireUser struct {
	Kind         string                `json:"kind,omitempty" enum:"user" doc:"Tells a user from a service."`
	Name         string                `json:"name,omitempty" doc:"The name of the user."`
	Admin        bool                  `json:"admin,omitempty" doc:"Whether the user is marked as administrator. Roles given otherwise do not count here."`
	UserInfo     *map[string]any       `json:"user_info,omitempty" doc:"What the authenticator told about the person, such as a display name or an avatar."`
	Roles        []string              `json:"roles,omitempty" doc:"Roles given to the user. Roles of the user's groups are not among them."`
	Groups       []string              `json:"groups,omitempty" doc:"The groups that the user is in."`
	Created      *time.Time            `json:"created,omitempty" doc:"When the user was created."`
	LastActivity *time.Time            `json:"last_activity,omitempty" doc:"When the user was last seen, in UTC."`
	AuthState    *map[string]any       `json:"auth_state,omitempty" doc:"What the authenticator stored at the login. Lists have null here; only the holder of admin:auth_state sees the key."`
	Server       *string               `json:"server,omitempty" doc:"Where the default server is, while it is ready."`
	Pending      *string               `json:"pending,omitempty" enum:"spawn,stop,check,rename" doc:"What is going on with the default server."`
	Servers      map[string]wireServer `json:"servers,omitempty" doc:"The running and starting servers by name, and the stopped ones when include_stopped_servers is given. The default server has the empty name."`
}

// wireCredential is what GET /user adds to the model of the caller.
type wireCredential struct {
	Scopes    []string `json:"scopes" doc:"What the credential allows, with all implied scopes."`
	TokenID   *string  `json:"token_id" doc:"The id of the token that the request came with; it can be revoked under this id. null for a login cookie."`
	SessionID *string  `json:"session_id" doc:"The browser login during which the token was issued."`
}

type wireRequestUser struct {
	wireUser
	wireCredential
}

type wireRequestService struct {
	wireServiceRow
	wireCredential
}

// wireRequestIdentity is who makes a request.
type wireRequestIdentity struct{}

// OneOf implements openapi.Alternatives.
func (wireRequestIdentity) OneOf() []any { return []any{wireRequestUser{}, wireRequestService{}} }

// wireOwner is the owner of a token or cookie.
type wireOwner struct{}

// OneOf implements openapi.Alternatives.
func (wireOwner) OneOf() []any { return []any{wireOwnerUser{}, wireOwnerService{}} }

type wireOwnerUser struct{ wireUser }

// wireOwnerService always has its kind, unlike the filtered models: so no object fits both alternatives.
type wireOwnerService struct{ wireServiceRow }

type wireServer struct {
	Name            string          `json:"name" doc:"The name of the server, empty for the default server."`
	DisplayName     *string         `json:"display_name" doc:"What people see instead of the name. null for servers from before JupyterHub 6."`
	FullName        string          `json:"full_name" doc:"User and server name with a slash between them." example:"alice/training"`
	LastActivity    *time.Time      `json:"last_activity" doc:"When the server was last used, in UTC."`
	Started         *time.Time      `json:"started" doc:"When the server was last started, in UTC; null while it is stopped."`
	Pending         *string         `json:"pending" enum:"spawn,stop,check,rename" doc:"What is going on; a server with something pending is not ready."`
	Ready           bool            `json:"ready" doc:"Whether the server takes requests."`
	Stopped         bool            `json:"stopped" doc:"Whether the server is neither ready nor has anything pending."`
	URL             string          `json:"url" doc:"Where the server is: a path, or with subdomains a whole URL."`
	UserOptions     *map[string]any `json:"user_options" doc:"The options that the server was last started with."`
	ProgressURL     string          `json:"progress_url" doc:"The path of the event stream about a start."`
	FullURL         *string         `json:"full_url" doc:"The whole URL of the server, when the public URL of the hub is configured."`
	FullProgressURL *string         `json:"full_progress_url" doc:"The whole URL of the event stream, when the public URL of the hub is configured."`
	State           *map[string]any `json:"state,omitempty" doc:"What the spawner remembers about the server. Only the holder of admin:server_state sees the key."`
}

type wireGroup struct {
	Kind       string         `json:"kind,omitempty" enum:"group" doc:"Says that this is a group."`
	Name       string         `json:"name,omitempty" doc:"The name of the group."`
	Users      []string       `json:"users,omitempty" doc:"The names of the members."`
	Properties map[string]any `json:"properties,omitempty" doc:"Anything that a deployment wants to keep with the group."`
	Roles      []string       `json:"roles,omitempty" doc:"Roles that the group gives to its members."`
}

type wireServiceCommon struct {
	Name         string   `json:"name,omitempty" doc:"The name of the service."`
	Admin        bool     `json:"admin,omitempty" doc:"Whether the service is marked as administrator."`
	Roles        []string `json:"roles,omitempty" doc:"Roles given to the service."`
	Prefix       string   `json:"prefix,omitempty" doc:"The path at which the proxy shows the service, empty when it has no URL."`
	Command      []string `json:"command,omitempty" doc:"The program that the hub runs for a managed service."`
	PID          int      `json:"pid,omitempty" doc:"The process of a managed service; 0 when there is none."`
	Capabilities []string `json:"capabilities,omitempty" doc:"Words by which clients find services with a certain ability. An addition of minihub."`
}

type wireService struct {
	wireServiceCommon
	Kind    string         `json:"kind,omitempty" enum:"service" doc:"Tells a service from a user."`
	URL     string         `json:"url,omitempty" doc:"Where the service listens, seen from the proxy; empty when it does not."`
	Info    map[string]any `json:"info,omitempty" doc:"Anything that a deployment wants to keep with the service."`
	Display bool           `json:"display,omitempty" doc:"Whether the hub's pages list the service."`
}

// wireServiceRow is a service about itself: what is not set is null.
type wireServiceRow struct {
	wireServiceCommon
	Kind    string          `json:"kind" enum:"service" doc:"Tells a service from a user."`
	URL     *string         `json:"url,omitempty" doc:"Where the service listens, seen from the proxy."`
	Info    *map[string]any `json:"info,omitempty" doc:"Anything that a deployment wants to keep with the service."`
	Display *bool           `json:"display,omitempty" doc:"Whether the hub's pages list the service; null for services of the configuration."`
}

type wireToken struct {
	ID           string     `json:"id" doc:"The id of the token, for asking about it and revoking it."`
	Kind         string     `json:"kind" enum:"api_token" doc:"Says that this is a token."`
	User         string     `json:"user,omitempty" doc:"Whose token it is, when that is a user."`
	Service      string     `json:"service,omitempty" doc:"Whose token it is, when that is a service."`
	Roles        []string   `json:"roles" doc:"Always empty: tokens have scopes. Kept for clients of JupyterHub 2."`
	Scopes       []string   `json:"scopes" doc:"What the token allows now."`
	Note         string     `json:"note" doc:"What the token was made for."`
	Created      *time.Time `json:"created" doc:"When the token was made, in UTC."`
	ExpiresAt    *time.Time `json:"expires_at" doc:"When the token ends, in UTC; null when it does not."`
	LastActivity *time.Time `json:"last_activity" doc:"When the token was last used, in UTC; null when it never was."`
	SessionID    *string    `json:"session_id" doc:"The browser login during which the token was issued."`
	OAuthClient  *string    `json:"oauth_client" doc:"The application that got the token."`
}

type wireNewToken struct {
	wireToken
	Token string `json:"token" doc:"The token itself. This answer is the only place where it can be seen."`
}

type wireTokenList struct {
	APITokens []wireToken `json:"api_tokens" doc:"All tokens of the user that have not expired."`
}

type wireNamed struct {
	Name string `json:"name" doc:"The name."`
}

type wireSharedServer struct {
	User    wireNamed `json:"user" doc:"The owner of the server."`
	Name    string    `json:"name" doc:"The name of the server, empty for the default server."`
	URL     string    `json:"url" doc:"Where the server is: a path, or with subdomains a whole URL."`
	FullURL *string   `json:"full_url" doc:"The whole URL, when the public URL of the hub is configured."`
	Ready   bool      `json:"ready" doc:"Whether the server takes requests."`
}

type wireShare struct {
	Server    wireSharedServer `json:"server" doc:"The server that is shared."`
	Scopes    []string         `json:"scopes" doc:"What the share allows, each for this server."`
	User      *wireNamed       `json:"user" doc:"With whom it is shared; null when that is a group."`
	Group     *wireNamed       `json:"group" doc:"With whom it is shared; null when that is a user."`
	Kind      string           `json:"kind" enum:"user,group" doc:"Whether it is shared with a user or a group."`
	CreatedAt time.Time        `json:"created_at" doc:"When the share began, in UTC."`
}

// wireRevoked is what PATCH of a share answers.
type wireRevoked struct{}

// OneOf implements openapi.Alternatives.
func (wireRevoked) OneOf() []any { return []any{wireShare{}, struct{}{}} }

type wireShareCode struct {
	Server          wireSharedServer `json:"server" doc:"The server that is shared."`
	Scopes          []string         `json:"scopes" doc:"What the code gives, each for this server."`
	ID              string           `json:"id" doc:"The id of the code, for revoking it."`
	CreatedAt       time.Time        `json:"created_at" doc:"When the code was made, in UTC."`
	ExpiresAt       *time.Time       `json:"expires_at" doc:"When the code ends, in UTC."`
	ExchangeCount   int              `json:"exchange_count" doc:"How often the code was used."`
	LastExchangedAt *time.Time       `json:"last_exchanged_at" doc:"When the code was last used, in UTC."`
}

type wireNewShareCode struct {
	wireShareCode
	Code          string  `json:"code" doc:"The code itself. This answer is the only place where it can be seen."`
	AcceptURL     string  `json:"accept_url" doc:"The path of the page on which the code is accepted."`
	FullAcceptURL *string `json:"full_accept_url" doc:"The whole URL of that page, when the public URL of the hub is configured."`
}

type wirePagination struct {
	Offset int           `json:"offset" doc:"How many items come before this page."`
	Limit  int           `json:"limit" doc:"How many items a page has at most."`
	Total  int           `json:"total" doc:"How many items all pages have."`
	Next   *wireNextPage `json:"next" doc:"The next page; null on the last one."`
}

type wireNextPage struct {
	Offset int    `json:"offset" doc:"The offset of the next page."`
	Limit  int    `json:"limit" doc:"The limit again."`
	URL    string `json:"url" doc:"The whole URL of the next page." format:"uri"`
}

type wireSharePage struct {
	Items      []wireShare    `json:"items" doc:"The shares of this page."`
	Pagination wirePagination `json:"_pagination" doc:"Where this page is."`
}

type wireShareCodePage struct {
	Items      []wireShareCode `json:"items" doc:"The codes of this page."`
	Pagination wirePagination  `json:"_pagination" doc:"Where this page is."`
}

type wireUserPage struct {
	Items      []wireUser     `json:"items" doc:"The users of this page."`
	Pagination wirePagination `json:"_pagination" doc:"Where this page is."`
}

type wireGroupPage struct {
	Items      []wireGroup    `json:"items" doc:"The groups of this page."`
	Pagination wirePagination `json:"_pagination" doc:"Where this page is."`
}

type wireRoutePage struct {
	Items      map[string]ProxyRoute `json:"items" doc:"The routes of this page."`
	Pagination wirePagination        `json:"_pagination" doc:"Where this page is."`
}

type wireVersion struct {
	Version string `json:"version" doc:"The version of JupyterHub whose API this is."`
}

type wireComponent struct {
	Class   string `json:"class" doc:"The dotted name of the class."`
	Version string `json:"version" doc:"The version of the package it comes from, or unknown."`
}

type wireInfo struct {
	Version       string        `json:"version" doc:"The version of JupyterHub whose API this is."`
	Python        string        `json:"python" doc:"The version of the Python that servers run with."`
	SysExecutable string        `json:"sys_executable" doc:"The path of that Python."`
	Spawner       wireComponent `json:"spawner" doc:"What starts servers."`
	Authenticator wireComponent `json:"authenticator" doc:"What checks logins."`
}

type wireMessage struct {
	Message string `json:"message" doc:"What happens now."`
}

type wireError struct {
	Status    int     `json:"status" doc:"The HTTP status once more."`
	Message   *string `json:"message" doc:"What went wrong; null when the status says it all."`
	Hint      string  `json:"hint,omitempty" doc:"What is missing and what to do about it. An addition of minihub."`
	RequestID string  `json:"request_id,omitempty" doc:"The id of the request in the hub's log. An addition of minihub."`
}

type wireOAuthError struct {
	Error       string `json:"error" doc:"The code of RFC 6749 section 5.2."`
	Description string `json:"error_description,omitempty" doc:"The reason, for people."`
}

type wireOAuthToken struct {
	AccessToken string `json:"access_token" doc:"The token, for the Authorization header."`
	ExpiresIn   int    `json:"expires_in" doc:"How long the token lives, in seconds."`
	TokenType   string `json:"token_type" enum:"Bearer" doc:"How the token is sent."`
	Scope       string `json:"scope" doc:"What the token allows: scopes with blanks between them."`
}

type wireIntrospection struct {
	Active    bool   `json:"active" doc:"Whether the token is valid, and the caller may know of it. When not, nothing else is said."`
	Scope     string `json:"scope,omitempty" doc:"What the token allows at this moment: scopes with blanks between them."`
	ClientID  string `json:"client_id,omitempty" doc:"The client that the token was issued to."`
	Username  string `json:"username,omitempty" doc:"The user, or the service."`
	TokenType string `json:"token_type,omitempty" enum:"Bearer" doc:"How the token is sent."`
	ExpiresAt int    `json:"exp,omitempty" doc:"When the token ends, in seconds since 1970."`
	IssuedAt  int    `json:"iat,omitempty" doc:"When the token was made, in seconds since 1970."`
	Subject   string `json:"sub,omitempty" doc:"Identifies the user for ever, also after a change of the name."`
	Issuer    string `json:"iss,omitempty" doc:"The hub."`
}

type wireOAuthServer struct {
	Issuer           string   `json:"issuer" doc:"The hub's name as an authorization server: its public URL without the slash at the end."`
	Authorization    string   `json:"authorization_endpoint" doc:"Where browsers go."`
	Token            string   `json:"token_endpoint" doc:"Where codes are changed for tokens."`
	Revocation       string   `json:"revocation_endpoint" doc:"Where tokens are ended."`
	Introspection    string   `json:"introspection_endpoint" doc:"Where one asks about tokens."`
	UserInfo         string   `json:"userinfo_endpoint" doc:"Where one asks whose token it is."`
	Scopes           []string `json:"scopes_supported" doc:"All scopes that there are."`
	ResponseTypes    []string `json:"response_types_supported" doc:"What the authorization endpoint gives."`
	ResponseModes    []string `json:"response_modes_supported" doc:"How it gives it."`
	GrantTypes       []string `json:"grant_types_supported" doc:"What the token endpoint takes."`
	ChallengeMethods []string `json:"code_challenge_methods_supported" doc:"PKCE methods (RFC 7636)."`
	TokenAuth        []string `json:"token_endpoint_auth_methods_supported" doc:"How clients say who they are."`
	RevokeAuth       []string `json:"revocation_endpoint_auth_methods_supported" doc:"How clients say who they are."`
	IntrospectAuth   []string `json:"introspection_endpoint_auth_methods_supported" doc:"How clients say who they are."`
	IssuerInAnswer   bool     `json:"authorization_response_iss_parameter_supported" doc:"Whether answers of the authorization endpoint name the hub (RFC 9207)."`
}

type wireClaims struct {
	_                 openapi.Open
	Subject           string   `json:"sub" doc:"Identifies the user for ever, also after a change of the name."`
	Name              string   `json:"name" doc:"The display name, or the user name."`
	PreferredUsername string   `json:"preferred_username,omitempty" doc:"The user name."`
	Groups            []string `json:"groups,omitempty" doc:"The groups that the user is in."`
}

// Lists that a client may also ask for in pages, with Accept: application/jupyterhub-pagination+json.

type wireUserList struct{}

// OneOf implements openapi.Alternatives.
func (wireUserList) OneOf() []any { return []any{[]wireUser{}, wireUserPage{}} }

type wireGroupList struct{}

// OneOf implements openapi.Alternatives.
func (wireGroupList) OneOf() []any { return []any{[]wireGroup{}, wireGroupPage{}} }

type wireRouteList struct{}

// OneOf implements openapi.Alternatives.
func (wireRouteList) OneOf() []any { return []any{wireRoutes{}, wireRoutePage{}} }

// wireRoutes are the proxy's routes by routespec, which begins with a slash or is a host name: so no page is taken for one.
type wireRoutes map[string]ProxyRoute
