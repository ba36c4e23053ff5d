package hub

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// tokenScopes are the scopes of the token that the server itself gets: server_token_scopes or those of role "server",
// with !server resolved, users:activity!user always among them, limited to what the user holds.
func (s *Servers) tokenScopes(ctx context.Context, j *spawnJob) ([]string, error) {
	requested := j.traits.ServerTokenScopes
	if len(requested) == 0 {
		role, err := s.o.Store.RoleByName(ctx, "server")
		if err != nil {
			return nil, err
		}
		requested = role.Scopes
	}
	requested = rbac.ResolveServerScopes(requested, j.user.Name, j.row.Name)
	const activity = "users:activity!user"
	if !slices.ContainsFunc(requested, func(sc string) bool { return sc == activity || sc == "users:activity" || sc == "inherit" }) {
		s.o.Logger.WarnContext(ctx, "adding "+activity+" to the server's token; add it to Spawner.server_token_scopes or to role server",
			"user", j.user.Name, "server", j.row.Name)
		requested = append(slices.Clone(requested), activity)
	}
	have, err := s.rawScopes(ctx, j.user.ID)
	if err != nil {
		return nil, err
	}
	have = append(have, "inherit")
	granted, excluded := s.o.Catalog.ResolveRequested(requested, have, rbac.Owner{User: j.user.Name}, s.groupsOf(ctx))
	if len(excluded) > 0 {
		s.o.Logger.DebugContext(ctx, "server token does not get all requested scopes", "user", j.user.Name, "server", j.row.Name, "excluded", excluded)
	}
	return granted, nil
}

// rawScopes are the raw scopes of a user's roles and of their groups' roles.
func (s *Servers) rawScopes(ctx context.Context, userID int64) ([]string, error) {
	a, err := s.o.Store.AuthorityOfUser(ctx, userID)
	if err != nil {
		return nil, err
	}
	var raw []string
	for _, r := range slices.Concat(a.Roles, a.GroupRoles) {
		raw = append(raw, r.Scopes...)
	}
	slices.Sort(raw)
	return slices.Compact(raw), nil
}

func (s *Servers) groupsOf(ctx context.Context) func(string) []string {
	return func(name string) []string {
		u, err := s.o.Store.UserByName(ctx, name)
		if err != nil {
			return nil
		}
		groups, err := s.o.Store.GroupNamesOfUsers(ctx, []int64{u.ID})
		if err != nil {
			return nil
		}
		return groups[u.ID]
	}
}

// errClientTaken says that another server or a service has this OAuth client id.
var errClientTaken = errors.New("the oauth client id belongs to another server")

// clientIDs are the ids that the server's OAuth client may have, the best first. JupyterHub gives user "a" with server "b" and user "a-b"
// the same one, so that each start takes the other's login away. Here the second one gets an id that no names make; servers know theirs
// from their environment.
func clientIDs(l *liveServer) []string {
	id := urlpath.ClientID(l.userName, l.name)
	return []string{id, id + "!" + strconv.FormatInt(l.spawnID, 10)}
}

// saveClient writes the OAuth client of a server, or is errClientTaken: the caller's transaction has to be given up then. It asks after
// it wrote: of two starts at the same time the second waits for the row of the first, and then sees whose it is.
func saveClient(ctx context.Context, tx *orm.Store, l *liveServer, client *orm.OAuthClient) error {
	if err := tx.SaveOAuthClient(ctx, client); err != nil {
		return err
	}
	user, server, service, err := tx.OwnerOfClient(ctx, client.Identifier)
	if err != nil {
		return err
	}
	if service != "" || user != "" && (user != l.userName || server != l.name) {
		return errClientTaken
	}
	return nil
}

// oauthClient is the OAuth client of one server; its secret is the server's token.
func (s *Servers) oauthClient(l *liveServer, j *spawnJob) *orm.OAuthClient {
	prefix := s.URLPath(l.userName, l.name)
	allowed := append(slices.Clone(j.traits.OAuthClientAllowedScopes), "access:servers!server="+l.userName+"/"+l.name)
	slices.Sort(allowed)
	return &orm.OAuthClient{
		Identifier: j.clientID, Description: serverTokenNote + prefix,
		Secret: orm.HashToken(j.token, clientSecretRounds), RedirectURI: s.o.Traits.URLs.host(l.userName) + prefix + "oauth_callback", AllowedScopes: slices.Compact(allowed),
	}
}

// addRoleScopes applies the deprecated oauth_roles: the scopes of these roles, unless oauth_client_allowed_scopes names scopes. A role that
// does not exist makes the start fail, as in JupyterHub.
func (s *Servers) addRoleScopes(ctx context.Context, t *SpawnTraits) error {
	if len(t.OAuthRoles) == 0 || len(t.OAuthClientAllowedScopes) > 0 {
		return nil
	}
	rows, err := s.o.Store.RolesByName(ctx, t.OAuthRoles)
	if err != nil {
		return storeErr(err, "read the roles of Spawner.oauth_roles")
	}
	for _, name := range t.OAuthRoles {
		if rows[name] == nil {
			return &Error{Kind: Invalid, Message: "Spawner.oauth_roles: no such role: " + name, Hint: "use Spawner.oauth_client_allowed_scopes"}
		}
		t.OAuthClientAllowedScopes = append(t.OAuthClientAllowedScopes, rows[name].Scopes...)
	}
	return nil
}

// clientSecretRounds is how often JupyterHub hashes client secrets (schema.md).
const clientSecretRounds = 16384
