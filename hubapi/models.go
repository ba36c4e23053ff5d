package hubapi

import (
	"encoding/json"
	"time"
)

// User is a user of the hub.
type User struct {
	Name         string         `json:"name"`
	Admin        bool           `json:"admin"`
	Kind         string         `json:"kind"` // "user"
	Groups       []string       `json:"groups"`
	Roles        []string       `json:"roles"`
	ServerURL    string         `json:"server"`  // path (or URL, with subdomains) of the default server when it is ready, else ""
	Pending      string         `json:"pending"` // of the default server: "", spawn, stop, check
	Created      time.Time      `json:"created"`
	LastActivity time.Time      `json:"last_activity"` // zero: never seen
	AuthState    map[string]any `json:"auth_state"`    // only from User and UpdateUser, and only with the scope admin:auth_state
	UserInfo     map[string]any `json:"user_info"`     // what the authenticator tells about the person

	// Servers are the active servers by name, "" for the default server; all servers with UserQuery.Stopped.
	Servers map[string]Server `json:"servers"`
}

// Server is one single-user server.
type Server struct {
	Name         string          `json:"name"` // "" for the default server
	DisplayName  string          `json:"display_name"`
	FullName     string          `json:"full_name"` // user/name
	URL          string          `json:"url"`       // path below the hub's host, or a URL with subdomains
	FullURL      string          `json:"full_url"`  // "" when the hub does not know its public URL
	Ready        bool            `json:"ready"`
	Stopped      bool            `json:"stopped"`
	Pending      string          `json:"pending"` // "", spawn, stop, check
	Started      time.Time       `json:"started"` // zero: not running
	LastActivity time.Time       `json:"last_activity"`
	ProgressURL  string          `json:"progress_url"`
	UserOptions  json.RawMessage `json:"user_options"`
	State        json.RawMessage `json:"state"` // of the spawner; only with the scope admin:server_state
}

// Group is a group of users.
type Group struct {
	Name       string         `json:"name"`
	Kind       string         `json:"kind"` // "group"
	Users      []string       `json:"users"`
	Roles      []string       `json:"roles"`
	Properties map[string]any `json:"properties"`
}

// Service is a service of the hub.
type Service struct {
	Name    string         `json:"name"`
	Kind    string         `json:"kind"` // "service"
	Admin   bool           `json:"admin"`
	Roles   []string       `json:"roles"`
	URL     string         `json:"url"`
	Prefix  string         `json:"prefix"` // "/services/<name>/", "" for a service without a URL
	Command []string       `json:"command"`
	PID     int            `json:"pid"` // of a managed service, 0 when there is no process
	Info    map[string]any `json:"info"`
	Display bool           `json:"display"`
}

// Identity is who a token or cookie belongs to: the answer of GET /user.
type Identity struct {
	Kind      string         `json:"kind"` // "user" or "service"
	Name      string         `json:"name"`
	Admin     bool           `json:"admin"`
	Groups    []string       `json:"groups"`
	Scopes    []string       `json:"scopes"`     // effective scopes, with filters such as read:users!user=ann
	TokenID   string         `json:"token_id"`   // "" for a browser's cookie
	SessionID string         `json:"session_id"` // of the browser login that the token comes from, or ""
	UserInfo  map[string]any `json:"user_info"`

	// Servers are the active servers of a user, when the token may read them.
	Servers map[string]Server `json:"servers"`
}

// Token is an API token without its secret.
type Token struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind"` // "api_token"
	User         string    `json:"user"` // owner; "" when a service owns it
	Service      string    `json:"service"`
	Scopes       []string  `json:"scopes"`
	Note         string    `json:"note"`
	OAuthClient  string    `json:"oauth_client"` // whom it was issued for; "JupyterHub" when a person or program made it
	SessionID    string    `json:"session_id"`
	Created      time.Time `json:"created"`
	LastActivity time.Time `json:"last_activity"` // zero: not used yet
	ExpiresAt    time.Time `json:"expires_at"`    // zero: never

	// Secret is the token itself; the hub tells it once, in the answer of CreateToken.
	Secret string `json:"token"`
}

// ServerRef is a server as it is named in shares.
type ServerRef struct {
	Owner   string
	Name    string
	URL     string
	FullURL string
	Ready   bool
}

// UnmarshalJSON reads {"user": {"name": …}, "name": …, …}.
func (s *ServerRef) UnmarshalJSON(text []byte) error {
	var wire struct {
		User    struct{ Name string } `json:"user"`
		Name    string                `json:"name"`
		URL     string                `json:"url"`
		FullURL string                `json:"full_url"`
		Ready   bool                  `json:"ready"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	*s = ServerRef{Owner: wire.User.Name, Name: wire.Name, URL: wire.URL, FullURL: wire.FullURL, Ready: wire.Ready}
	return nil
}

// Share is access to a server that its owner gave to a user or a group.
type Share struct {
	Server    ServerRef `json:"server"`
	Scopes    []string  `json:"scopes"`
	Kind      string    `json:"kind"` // "user" or "group"
	User      *Named    `json:"user"`
	Group     *Named    `json:"group"`
	CreatedAt time.Time `json:"created_at"`
}

// Named is a user or group of which only the name is told.
type Named struct {
	Name string `json:"name"`
}

// ShareCode is a link with which whoever opens it gets a share.
type ShareCode struct {
	ID              string    `json:"id"`
	Server          ServerRef `json:"server"`
	Scopes          []string  `json:"scopes"`
	CreatedAt       time.Time `json:"created_at"`
	ExpiresAt       time.Time `json:"expires_at"` // zero: never
	ExchangeCount   int       `json:"exchange_count"`
	LastExchangedAt time.Time `json:"last_exchanged_at"` // zero: not yet

	// Code, AcceptURL and FullAcceptURL are told once, in the answer of CreateShareCode.
	Code          string `json:"code"`
	AcceptURL     string `json:"accept_url"`
	FullAcceptURL string `json:"full_accept_url"`
}

// Route is a route of the hub's proxy.
type Route struct {
	RouteSpec string         `json:"routespec"`
	Target    string         `json:"target"`
	Data      map[string]any `json:"data"`
}

// Info is what an administrator may know of a hub.
type Info struct {
	Version       string    `json:"version"`
	Python        string    `json:"python"`
	SysExecutable string    `json:"sys_executable"`
	Spawner       ClassInfo `json:"spawner"`
	Authenticator ClassInfo `json:"authenticator"`
}

// ClassInfo names a spawner or authenticator class.
type ClassInfo struct {
	Class   string `json:"class"`
	Version string `json:"version"`
}
