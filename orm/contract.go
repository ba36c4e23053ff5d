package orm

// CONTRACT (the owner of orm dissolves this file; names and signatures stay; more methods may be added).
//
// Conventions: all times are UTC; "not found" is ErrNotFound (errors.Is), unique clash is ErrConflict, a busy or unreachable database is ErrUnavailable
// (never read as "no such row"). Slices of ids avoid a query per row. cols are column names; none = all but id.
//
//	type Options struct { URL string /* sqlite:///path, sqlite:// (memory), path, postgresql://... as SQLAlchemy writes it (also postgresql+psycopg2://) */; Upgrade bool; Reset bool; Logger *slog.Logger; Kwargs map[string]any; LogSQL bool }
//	func Open(ctx, o Options) (*Store, error)     // schema check/creation/stamp as schema.md; *RevisionError tells how to upgrade
//	func (s *Store) Close() error
//	func (s *Store) Tx(ctx, func(tx *Store) error) error         // BEGIN IMMEDIATE on SQLite; nested Tx joins the outer one
//	func (s *Store) Generation(ctx) (string, error)              // changes whenever any process committed anything (SQLite: PRAGMA data_version on a dedicated connection + own commits; PostgreSQL: text of pg_current_snapshot()); cost < 20 µs on SQLite
//	func (s *Store) Ping(ctx) error
//
// users
//	User(ctx, id) (*User, error); UserByName(ctx, name); UserByCookieID(ctx, cookieID)
//	UsersByName(ctx, names []string) (map[string]*User, error); UsersByID(ctx, ids []int64) (map[int64]*User, error); AllUsers(ctx) (iter.Seq2[*User, error])  // streamed
//	type UserQuery struct { State string /* "", "inactive", "active", "ready" (as active; the hub filters) */; NameFilter string; Sort string /* id|name|last_activity */; Desc bool; Offset, Limit int; OnlyUsers, OnlyGroups []string /* post-filter of list:users, nil = no limit, alternatives */; ActiveSpawners []int64 /* spawner ids that are pending in memory count as active */ }
//	ListUsers(ctx, q UserQuery) (users []User, total int, err error)   // nulls and ties ordered stably (by id) on both databases
//	CountUsers(ctx) (int, error); CountActiveUsers(ctx, since time.Time) (int, error)
//	CreateUsers(ctx, users []*User) error            // fills id, cookie_id, created; bulk
//	UpdateUser(ctx, u *User, cols ...string) error; DeleteUser(ctx, id) error   // cascades as schema.md also where the database does not
//	GroupNamesOfUsers(ctx, ids []int64) (map[int64][]string, error)
//	RoleNamesOfUsers(ctx, ids []int64) (map[int64][]string, error)      // own roles
//	SpawnersOfUsers(ctx, ids []int64) (map[int64][]Spawner, error); ServersByID(ctx, ids []int64) (map[int64]*Server, error)
//	type Authority struct { User User; Groups []string; Roles []Role; GroupRoles []Role; Shares []ShareScope /* direct */; GroupShares []ShareScope }
//	type ShareScope struct { Scopes []string /* filters rewritten to the current owner/server names */ }
//	AuthorityOfUser(ctx, userID) (*Authority, error)                   // a small constant number of queries
//	TouchUsers(ctx, map[int64]time.Time) error                         // last_activity forward only, one statement batch
//
// groups
//	GroupByName; GroupsByName(ctx, names); ListGroups(ctx, GroupQuery{Offset, Limit, Only []string}) ([]Group, total, err); MemberNames(ctx, groupIDs) (map[int64][]string, error); RoleNamesOfGroups(ctx, ids)
//	CreateGroups(ctx, []*Group) error; UpdateGroup(ctx, *Group, cols...); DeleteGroup(ctx, id); AddToGroup(ctx, groupID, userIDs []int64); RemoveFromGroup(ctx, groupID, userIDs []int64); SetUserGroups(ctx, userID, groupIDs []int64)
//
// roles
//	Roles(ctx) ([]Role, error); RoleByName; CreateRole; UpdateRole; DeleteRole(ctx, id)
//	type RoleHolder string: "user" | "group" | "service"
//	RoleHolders(ctx, roleID, kind RoleHolder) ([]string /*names*/, error); Grant(ctx, kind, holderIDs []int64, roleID, managed bool) error; Strip(ctx, kind, holderIDs []int64, roleID) error; ManagedGrants...; RolesOfService(ctx, serviceID) ([]Role, error); RoleNamesOfServices(ctx, ids)
//	UserIDsWithoutRole(ctx, roleID) ([]int64, error)
//
// services and OAuth clients
//	Services(ctx) ([]Service, error); ServiceByName; Service(ctx, id); SaveService(ctx, *Service) /* insert or update */; DeleteService(ctx, id)
//	OAuthClient(ctx, identifier) (*OAuthClient, error); OAuthClients(ctx, identifiers []string) (map[string]*OAuthClient, error); SaveOAuthClient(ctx, *OAuthClient) /* by identifier */; DeleteOAuthClient(ctx, identifier) /* with tokens and codes */; OAuthClientIDs(ctx) ([]string, error)
//	OwnerOfClient(ctx, identifier) (user, server string, service string, err error)   // which server or service the client belongs to
//	CreateCode(ctx, *OAuthCode); CodeByValue(ctx, code) (*OAuthCode, error); TakeCode(ctx, id) (bool, error) /* atomic delete, true for exactly one caller */
//
// tokens
//	TokensByPrefix(ctx, prefix string, now time.Time) ([]APIToken, error); Token(ctx, id); TokensOfUser(ctx, userID, ...) ; TokensOfService; CreateToken(ctx, *APIToken); DeleteTokens(ctx, ids []int64) error
//	DeleteSessionTokens(ctx, userID int64, sessionID string) error; DeleteClientTokens(ctx, userID int64, clientID string) error; TouchTokens(ctx, map[int64]time.Time) error
//	ClientTokenScopes(ctx, userID, clientID) ([][]string, error)   // valid tokens' scopes, for skipping consent
//	HashToken(token string, rounds int) string; VerifyToken(hashed, token string) bool (constant time, rounds capped at 1e6, length 64 checked before hashing); TokenPrefix(token) string; NewToken() string (32 hex uuid4)   // schema.md vectors
//
// servers (single-user): rows of spawners and servers
//	SpawnerByName(ctx, userID, name); Spawner(ctx, id); RunningSpawners(ctx) ([]RunningSpawner{Spawner, User, Server, Extra}, error); CreateSpawner; UpdateSpawner(ctx, *Spawner, cols...); DeleteSpawner(ctx, id) /* with server row, client, shares, codes, token */
//	CreateServer(ctx, *Server); UpdateServer; DeleteServer(ctx, id); TouchSpawners(ctx, map[int64]time.Time)
//	CountActive(ctx) (int, error); NamedServerCount(ctx, userID) (int, error); ServerNames(ctx, userID)
//	table minihub_servers(spawner_id PK, token_id, marker, generation): type ServerExtra struct{ SpawnerID, TokenID int64; Marker string }; SaveServerExtra; ServerExtra(ctx, spawnerID); DeleteServerExtra
//	table minihub_meta(key PK, value): Meta(ctx, key) (string, error); SetMeta  (hub_id is created at first open: HubID(ctx))
//
// shares
//	SharesOfServer(ctx, spawnerID, ShareQuery{Offset,Limit}) ([]ShareRow, total, err); SharesOfOwner(ctx, ownerID, q); SharesWithUser(ctx, userID, q) /* incl. via groups */; SharesWithGroup(ctx, groupID, q); FindShare(ctx, spawnerID, userID, groupID *int64); SaveShare; DeleteShares(ctx, ids)
//	type ShareRow struct { Share; OwnerName, ServerName string; ServerRow *Server; UserName, GroupName string }
//	ShareCodesOfServer / OfOwner; CreateShareCode; ShareCodeByValue(ctx, code, now) (*ShareCodeRow, error); SaveShareCode; DeleteShareCodes(ctx, ids)
//
// upkeep
//	PurgeExpired(ctx, now) (tokens, codes, shares, shareCodes int, err error)
