package orm

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// OAuthClient returns the client with this identifier.
func (s *Store) OAuthClient(ctx context.Context, identifier string) (*OAuthClient, error) {
	return first[OAuthClient](s.read(ctx), "find oauth client", "identifier = ?", identifier)
}

// OAuthClients returns the clients that exist among identifiers, by identifier.
func (s *Store) OAuthClients(ctx context.Context, identifiers []string) (map[string]*OAuthClient, error) {
	return byKey(ctx, s, "find oauth clients", "identifier", identifiers, func(c *OAuthClient) string { return c.Identifier })
}

// OAuthClientIDs returns the identifiers of all clients in order of creation.
func (s *Store) OAuthClientIDs(ctx context.Context) ([]string, error) {
	out := []string{}
	err := s.read(ctx).Raw(`SELECT identifier FROM oauth_clients WHERE identifier IS NOT NULL ORDER BY id`).Scan(&out).Error
	return out, fail("list oauth clients", err)
}

// SaveOAuthClient inserts the client, or updates the one with the same identifier, and fills ID.
func (s *Store) SaveOAuthClient(ctx context.Context, c *OAuthClient) error {
	if c.AllowedScopes == nil {
		c.AllowedScopes = JSONList{}
	}
	c.ID = 0 // filled with that of the row, new or old
	return s.write(ctx, "save oauth client", func(db *gorm.DB) error {
		return insert(db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "identifier"}},
			DoUpdates: clause.AssignmentColumns([]string{"description", "secret", "redirect_uri", "allowed_scopes"})}), []*OAuthClient{c})
	})
}

// DeleteOAuthClients deletes clients as DeleteOAuthClient does, with the same few statements for very many, in one transaction.
func (s *Store) DeleteOAuthClients(ctx context.Context, identifiers []string) error {
	return s.write(ctx, "delete oauth clients", func(db *gorm.DB) error {
		return chunked(identifiers, func(part []string) error {
			return run(db,
				stmt(`DELETE FROM api_tokens WHERE client_id IN ?`, part),
				stmt(`DELETE FROM oauth_codes WHERE client_id IN ?`, part),
				stmt(`UPDATE spawners SET oauth_client_id = NULL WHERE oauth_client_id IN ?`, part),
				stmt(`UPDATE services SET oauth_client_id = NULL WHERE oauth_client_id IN ?`, part),
				stmt(`DELETE FROM oauth_clients WHERE identifier IN ?`, part))
		})
	})
}

// DeleteOAuthClient deletes a client with its tokens and codes and takes it from its server or service; no error when it is gone.
func (s *Store) DeleteOAuthClient(ctx context.Context, identifier string) error {
	return s.write(ctx, "delete oauth client", func(db *gorm.DB) error {
		return run(db,
			stmt(`DELETE FROM api_tokens WHERE client_id = ?`, identifier),
			stmt(`DELETE FROM oauth_codes WHERE client_id = ?`, identifier),
			stmt(`UPDATE spawners SET oauth_client_id = NULL WHERE oauth_client_id = ?`, identifier),
			stmt(`UPDATE services SET oauth_client_id = NULL WHERE oauth_client_id = ?`, identifier),
			stmt(`DELETE FROM oauth_clients WHERE identifier = ?`, identifier))
	})
}

// ClientOwner is what an OAuth client belongs to: a server (user and server name) or a service.
type ClientOwner struct {
	UserName, ServerName string
	ServiceName          string
}

// OwnersOfClients returns what clients belong to, by identifier; those that belong to nothing are missing. When servers share an
// identifier, the oldest one counts.
func (s *Store) OwnersOfClients(ctx context.Context, identifiers []string) (map[string]ClientOwner, error) {
	out := make(map[string]ClientOwner, len(identifiers))
	err := chunked(identifiers, func(part []string) error {
		var rows []struct {
			Identifier string
			ClientOwner
		}
		err := s.read(ctx).Raw(`SELECT s.oauth_client_id AS identifier, u.name AS user_name, COALESCE(s.name, '') AS server_name, '' AS service_name,
			0 AS kind, s.id AS id FROM spawners s JOIN users u ON u.id = s.user_id WHERE s.oauth_client_id IN ?
			UNION ALL SELECT oauth_client_id, '', '', name, 1, id FROM services WHERE oauth_client_id IN ? ORDER BY kind, id`, part, part).Scan(&rows).Error
		for _, row := range rows {
			if _, ok := out[row.Identifier]; !ok {
				out[row.Identifier] = row.ClientOwner
			}
		}
		return err
	})
	return out, fail("find owners of oauth clients", err)
}

// OwnerOfClient returns which server (user and server name) or which service a client belongs to; all empty when neither.
func (s *Store) OwnerOfClient(ctx context.Context, identifier string) (user, server, service string, err error) {
	owners, err := s.OwnersOfClients(ctx, []string{identifier})
	owner := owners[identifier]
	return owner.UserName, owner.ServerName, owner.ServiceName, err
}

// CreateCode inserts an authorization code and fills ID.
func (s *Store) CreateCode(ctx context.Context, c *OAuthCode) error {
	if c.Scopes == nil {
		c.Scopes = JSONList{}
	}
	return s.write(ctx, "create oauth code", func(db *gorm.DB) error { return insert(db, []*OAuthCode{c}) })
}

// CodeByValue returns the code row with this value, expired or not.
func (s *Store) CodeByValue(ctx context.Context, code string) (*OAuthCode, error) {
	if code == "" {
		return nil, fail("find oauth code", ErrNotFound)
	}
	return first[OAuthCode](s.read(ctx), "find oauth code", "code = ?", code)
}
