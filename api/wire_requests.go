package api

import (
	"encoding/json"
	"time"

	"github.com/minihub/minihub/internal/openapi"
)

// The bodies that operations take. A struct without openapi.Open stands for an operation that refuses unknown keys.

type wireUserRequest struct {
	Name      *string         `json:"name,omitempty" doc:"The new name. Ignored where the path names the new user."`
	Admin     *bool           `json:"admin,omitempty" doc:"Whether the user is an administrator."`
	AuthState *map[string]any `json:"auth_state,omitempty" doc:"What is stored as if the authenticator had given it at a login. Needs enable_auth_state."`
}

type wireUsersRequest struct {
	Usernames []string `json:"usernames" min:"1" doc:"The names of the users to create."`
	Admin     bool     `json:"admin,omitempty" doc:"Whether they are administrators."`
}

type wireActivityRequest struct {
	_            openapi.Open
	LastActivity *time.Time                    `json:"last_activity,omitempty" doc:"When the user was last active."`
	Servers      map[string]wireServerActivity `json:"servers,omitempty" doc:"When servers were last active, by name."`
}

type wireServerActivity struct {
	_            openapi.Open
	LastActivity time.Time `json:"last_activity" doc:"When the server was last active."`
}

type wireTokenRequest struct {
	_         openapi.Open
	Note      string                     `json:"note,omitempty" doc:"What the token is for."`
	ExpiresIn *int                       `json:"expires_in,omitempty" min:"1" max:"9223372036" doc:"How long the token lives, in seconds; without it, as long as the configuration permits."`
	Scopes    []string                   `json:"scopes,omitempty" doc:"What the token allows; without it, all that the owner may do."`
	Roles     []string                   `json:"roles,omitempty" doc:"Roles whose scopes the token gets. Not together with scopes."`
	Auth      map[string]json.RawMessage `json:"auth,omitempty" doc:"Username and password, or what else the login form has, instead of another credential."`
}

type wireServerRequest struct {
	_           openapi.Open
	DisplayName string          `json:"display_name,omitempty" doc:"What people see instead of the name."`
	UserOptions *map[string]any `json:"user_options,omitempty" doc:"Options for the spawner. null, or no body, means those of the last start. A body with neither of the two keys is taken as options altogether."`
}

type wireServerPatch struct {
	Name        *string         `json:"name,omitempty" doc:"The new name."`
	DisplayName *string         `json:"display_name,omitempty" doc:"What people see instead of the name."`
	UserOptions *map[string]any `json:"user_options,omitempty" doc:"Options for the next start."`
}

type wireStopRequest struct {
	_      openapi.Open
	Remove bool `json:"remove,omitempty" doc:"Whether the server is deleted as well, with its name and options."`
}

type wireGroupsRequest struct {
	Groups []string  `json:"groups" min:"1" doc:"The names of the groups to create."`
	Users  []string  `json:"users,omitempty" doc:"Users that become members of all of them."`
	Name   any       `json:"name,omitempty" doc:"Ignored."`
	Roles  *[]string `json:"roles,omitempty" doc:"Ignored: roles are given in the configuration."`
}

type wireGroupRequest struct {
	Users []string  `json:"users,omitempty" doc:"The names of the members."`
	Name  any       `json:"name,omitempty" doc:"Ignored: the path names the group."`
	Roles *[]string `json:"roles,omitempty" doc:"Ignored: roles are given in the configuration."`
}

type wireMembersRequest struct {
	Users []string  `json:"users" doc:"The names of the users."`
	Name  any       `json:"name,omitempty" doc:"Ignored: the path names the group."`
	Roles *[]string `json:"roles,omitempty" doc:"Ignored: roles are given in the configuration."`
}

type wireServiceRequest struct {
	Name                     string            `json:"name,omitempty" doc:"If given, the name in the path once more."`
	Admin                    bool              `json:"admin,omitempty" doc:"Whether the service is an administrator."`
	URL                      string            `json:"url,omitempty" doc:"Where the service listens; the proxy shows it below /services/."`
	OAuthClientAllowedScopes []string          `json:"oauth_client_allowed_scopes,omitempty" doc:"What the tokens of the service's users may allow."`
	APIToken                 string            `json:"api_token,omitempty" doc:"The token of the service."`
	Info                     map[string]any    `json:"info,omitempty" doc:"Anything that a deployment wants to keep with the service."`
	Display                  bool              `json:"display,omitempty" doc:"Whether the hub's pages list the service."`
	OAuthNoConfirm           bool              `json:"oauth_no_confirm,omitempty" doc:"Whether users are not asked before the service gets a token."`
	Command                  []string          `json:"command,omitempty" doc:"Must be empty: only the configuration starts programs."`
	Cwd                      string            `json:"cwd,omitempty" doc:"Not used without a command."`
	Environment              map[string]string `json:"environment,omitempty" doc:"Not used without a command."`
	User                     string            `json:"user,omitempty" doc:"Not used without a command."`
	OAuthClientID            string            `json:"oauth_client_id,omitempty" doc:"The id of the service as OAuth client; it begins with service-."`
	OAuthRedirectURI         string            `json:"oauth_redirect_uri,omitempty" doc:"Where the browser comes back after the login."`
	Capabilities             []string          `json:"capabilities,omitempty" doc:"Words by which clients find the service. An addition of minihub."`
}

type wireShareRequest struct {
	User   *string  `json:"user,omitempty" doc:"A user. Exactly one of user and group is given."`
	Group  *string  `json:"group,omitempty" doc:"A group. Exactly one of user and group is given."`
	Scopes []string `json:"scopes,omitempty" doc:"Which scopes; without it, access to the server when granting, and all when revoking."`
}

type wireShareCodeRequest struct {
	Scopes    []string `json:"scopes,omitempty" doc:"What the code gives; without it, access to the server."`
	ExpiresIn int      `json:"expires_in,omitempty" min:"60" max:"31536000" doc:"How long the code lives, in seconds; without it, a day."`
}

type wireProxyRequest struct {
	_         openapi.Open
	APIURL    string `json:"api_url,omitempty" doc:"The address of the proxy's API."`
	AuthToken string `json:"auth_token,omitempty" doc:"The token of the proxy's API."`
}

type wireShutdownRequest struct {
	_       openapi.Open
	Proxy   bool `json:"proxy,omitempty" doc:"Whether the proxy ends as well; without it, as configured."`
	Servers bool `json:"servers,omitempty" doc:"Whether users' servers end as well; without it, as configured."`
}

// wireTokenQuestion is a form about a token.
type wireTokenQuestion struct {
	_            openapi.Open
	Token        string `json:"token" doc:"The token that it is about."`
	Hint         string `json:"token_type_hint,omitempty" doc:"Has no effect: there is one kind of tokens."`
	ClientID     string `json:"client_id,omitempty" doc:"The client; or HTTP Basic."`
	ClientSecret string `json:"client_secret,omitempty" doc:"Its secret; or HTTP Basic."`
}

type wireTokenForm struct {
	_            openapi.Open
	GrantType    string `json:"grant_type" enum:"authorization_code" doc:"Always authorization_code."`
	Code         string `json:"code" doc:"The code that the browser brought."`
	RedirectURI  string `json:"redirect_uri,omitempty" doc:"The same as in the authorization request, when it was given there."`
	ClientID     string `json:"client_id,omitempty" doc:"The client, unless HTTP Basic names it."`
	ClientSecret string `json:"client_secret,omitempty" doc:"The client's secret, unless HTTP Basic has it."`
	CodeVerifier string `json:"code_verifier,omitempty" doc:"The PKCE verifier, when the authorization request had a challenge."`
}
