package orm

import "time"

// The tables of JupyterHub 6.1.1 (schema.md), as plain structs. Table and column names are JupyterHub's.

// Server is where a running single-user server or a service listens (table servers).
type Server struct {
	ID         int64  `gorm:"column:id;primaryKey;autoIncrement"`
	Proto      string `gorm:"column:proto"`
	IP         string `gorm:"column:ip"`
	Port       int    `gorm:"column:port"`
	BaseURL    string `gorm:"column:base_url"`
	CookieName string `gorm:"column:cookie_name"`
}

// Role is a named list of raw scopes (table roles).
type Role struct {
	ID            int64    `gorm:"column:id;primaryKey;autoIncrement"`
	Name          string   `gorm:"column:name"`
	Description   string   `gorm:"column:description"`
	Scopes        JSONList `gorm:"column:scopes"`
	ManagedByAuth bool     `gorm:"column:managed_by_auth"`
}

// Group is a named set of users (table groups).
type Group struct {
	ID         int64    `gorm:"column:id;primaryKey;autoIncrement"`
	Name       string   `gorm:"column:name"`
	Properties JSONDict `gorm:"column:properties"`
}

// User is a person who may log in and own servers (table users).
type User struct {
	ID                 int64      `gorm:"column:id;primaryKey;autoIncrement"`
	Name               string     `gorm:"column:name"`
	UserInfo           JSONDict   `gorm:"column:user_info"`
	Admin              bool       `gorm:"column:admin"`
	Created            *time.Time `gorm:"column:created"`
	LastActivity       *time.Time `gorm:"column:last_activity"`
	CookieID           string     `gorm:"column:cookie_id"`
	State              JSONDict   `gorm:"column:state"`
	EncryptedAuthState []byte     `gorm:"column:encrypted_auth_state"`
}

// Spawner is one server of a user, running or not (table spawners). Running means ServerID is set.
type Spawner struct {
	ID            int64      `gorm:"column:id;primaryKey;autoIncrement"`
	UserID        int64      `gorm:"column:user_id"`
	ServerID      *int64     `gorm:"column:server_id"`
	State         JSONDict   `gorm:"column:state"`
	Name          string     `gorm:"column:name"`
	DisplayName   *string    `gorm:"column:display_name"`
	Started       *time.Time `gorm:"column:started"`
	LastActivity  *time.Time `gorm:"column:last_activity"`
	UserOptions   JSONDict   `gorm:"column:user_options"`
	OAuthClientID *string    `gorm:"column:oauth_client_id"`
}

// Service is a program known to the hub (table services).
type Service struct {
	ID                       int64    `gorm:"column:id;primaryKey;autoIncrement"`
	Name                     string   `gorm:"column:name"`
	Admin                    bool     `gorm:"column:admin"`
	URL                      *string  `gorm:"column:url"`
	OAuthClientAllowedScopes JSONList `gorm:"column:oauth_client_allowed_scopes"`
	Info                     JSONDict `gorm:"column:info"`
	Display                  *bool    `gorm:"column:display"`
	OAuthNoConfirm           *bool    `gorm:"column:oauth_no_confirm"`
	Command                  JSONList `gorm:"column:command"`
	Cwd                      *string  `gorm:"column:cwd"`
	Environment              JSONDict `gorm:"column:environment"`
	SystemUser               *string  `gorm:"column:user"`
	Timeout                  int      `gorm:"column:timeout"` // seconds
	FromConfig               bool     `gorm:"column:from_config"`
	ServerID                 *int64   `gorm:"column:_server_id"`
	PID                      *int     `gorm:"column:pid"`
	OAuthClientID            *string  `gorm:"column:oauth_client_id"`
}

// OAuthClient is a registered client of the OAuth provider (table oauth_clients).
type OAuthClient struct {
	ID            int64    `gorm:"column:id;primaryKey;autoIncrement"`
	Identifier    string   `gorm:"column:identifier"`
	Description   string   `gorm:"column:description"`
	Secret        string   `gorm:"column:secret"` // hash
	RedirectURI   string   `gorm:"column:redirect_uri"`
	AllowedScopes JSONList `gorm:"column:allowed_scopes"`
}

// OAuthCode is an authorization code (table oauth_codes).
type OAuthCode struct {
	ID                  int64    `gorm:"column:id;primaryKey;autoIncrement"`
	ClientID            string   `gorm:"column:client_id"`
	Code                string   `gorm:"column:code"`
	ExpiresAt           int64    `gorm:"column:expires_at"` // unix seconds
	RedirectURI         string   `gorm:"column:redirect_uri"`
	SessionID           string   `gorm:"column:session_id"`
	UserID              int64    `gorm:"column:user_id"`
	Scopes              JSONList `gorm:"column:scopes"`
	CodeChallenge       *string  `gorm:"column:code_challenge"`
	CodeChallengeMethod *string  `gorm:"column:code_challenge_method"`
}

// APIToken is a token of a user or service, issued by the hub or by OAuth (table api_tokens).
type APIToken struct {
	ID           int64      `gorm:"column:id;primaryKey;autoIncrement"`
	UserID       *int64     `gorm:"column:user_id"`
	ServiceID    *int64     `gorm:"column:service_id"`
	Hashed       string     `gorm:"column:hashed"`
	Prefix       string     `gorm:"column:prefix"`
	ClientID     *string    `gorm:"column:client_id"`
	SessionID    *string    `gorm:"column:session_id"`
	Created      *time.Time `gorm:"column:created"`
	ExpiresAt    *time.Time `gorm:"column:expires_at"`
	LastActivity *time.Time `gorm:"column:last_activity"`
	Note         *string    `gorm:"column:note"`
	Scopes       JSONList   `gorm:"column:scopes"`
}

// Share grants a user or group scopes on one server (table shares).
type Share struct {
	ID        int64      `gorm:"column:id;primaryKey;autoIncrement"`
	OwnerID   int64      `gorm:"column:owner_id"`
	SpawnerID int64      `gorm:"column:spawner_id"`
	UserID    *int64     `gorm:"column:user_id"`
	GroupID   *int64     `gorm:"column:group_id"`
	CreatedAt time.Time  `gorm:"column:created_at"`
	Scopes    JSONList   `gorm:"column:scopes"`
	ExpiresAt *time.Time `gorm:"column:expires_at"`
}

// ShareCode can be exchanged for a Share until it expires (table share_codes).
type ShareCode struct {
	ID              int64      `gorm:"column:id;primaryKey;autoIncrement"`
	OwnerID         int64      `gorm:"column:owner_id"`
	SpawnerID       int64      `gorm:"column:spawner_id"`
	Hashed          string     `gorm:"column:hashed"`
	Prefix          string     `gorm:"column:prefix"`
	ExchangeCount   int        `gorm:"column:exchange_count"`
	LastExchangedAt *time.Time `gorm:"column:last_exchanged_at"`
	CreatedAt       time.Time  `gorm:"column:created_at"`
	Scopes          JSONList   `gorm:"column:scopes"`
	ExpiresAt       *time.Time `gorm:"column:expires_at"`
}

// JSONList is a JSON array of strings in a text column; NULL reads as empty.
type JSONList []string

// JSONDict is a JSON object in a text column; nil is NULL. Any stored value can be read back, hostile ones included
// (GHSA-hx46-2cv3-mh6g): what cannot be decoded reads as an opaque value, never as an error.
type JSONDict map[string]any
