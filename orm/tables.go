package orm

// TableName is servers.
func (Server) TableName() string { return "servers" }

// TableName is roles.
func (Role) TableName() string { return "roles" }

// TableName is groups.
func (Group) TableName() string { return "groups" }

// TableName is users.
func (User) TableName() string { return "users" }

// TableName is spawners.
func (Spawner) TableName() string { return "spawners" }

// TableName is services.
func (Service) TableName() string { return "services" }

// TableName is oauth_clients.
func (OAuthClient) TableName() string { return "oauth_clients" }

// TableName is oauth_codes.
func (OAuthCode) TableName() string { return "oauth_codes" }

// TableName is api_tokens.
func (APIToken) TableName() string { return "api_tokens" }

// TableName is shares.
func (Share) TableName() string { return "shares" }

// TableName is share_codes.
func (ShareCode) TableName() string { return "share_codes" }
