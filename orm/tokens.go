package orm

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// TokensByPrefix returns the tokens with this prefix that have not expired at now; the caller compares the hashes.
func (s *Store) TokensByPrefix(ctx context.Context, prefix string, now time.Time) ([]APIToken, error) {
	var out []APIToken
	d := s.c.dialect
	err := each(s.read(ctx), func(rows *sql.Rows) error {
		var t APIToken
		var hashed, prefix sql.NullString
		var created, expires, active nullTime
		err := rows.Scan(&t.ID, &t.UserID, &t.ServiceID, &hashed, &prefix, &t.ClientID, &t.SessionID, &created, &expires, &active, &t.Note, &t.Scopes)
		t.Hashed, t.Prefix, t.Created, t.ExpiresAt, t.LastActivity = hashed.String, prefix.String, created.at, expires.at, active.at
		out = append(out, t)
		return err
	}, `SELECT id, user_id, service_id, hashed, prefix, client_id, session_id, `+d.rawTime("created")+`, `+d.rawTime("expires_at")+`, `+
		d.rawTime("last_activity")+`, note, scopes FROM api_tokens WHERE prefix = ? AND (expires_at IS NULL OR expires_at >= ?) ORDER BY id`, prefix, now)
	return out, fail("find token", err)
}

// Token returns the token with this id.
func (s *Store) Token(ctx context.Context, id int64) (*APIToken, error) {
	return first[APIToken](s.read(ctx), "find token", "id = ?", id)
}

// TokensOfUser returns all tokens of a user by id, expired ones too.
func (s *Store) TokensOfUser(ctx context.Context, userID int64) ([]APIToken, error) {
	return find[APIToken](s.read(ctx).Where("user_id = ?", userID).Order("id"), "find tokens of user")
}

// TokensOfService returns all tokens of a service by id, expired ones too.
func (s *Store) TokensOfService(ctx context.Context, serviceID int64) ([]APIToken, error) {
	return find[APIToken](s.read(ctx).Where("service_id = ?", serviceID).Order("id"), "find tokens of service")
}

// CreateToken inserts a token and fills ID and Created.
func (s *Store) CreateToken(ctx context.Context, t *APIToken) error {
	if t.Created == nil {
		now := stamp(time.Now())
		t.Created = &now
	}
	if t.Scopes == nil {
		t.Scopes = JSONList{}
	}
	return s.write(ctx, "create token", func(db *gorm.DB) error { return insert(db, []*APIToken{t}) })
}

// DeleteTokens deletes tokens; those that are gone already do not matter.
func (s *Store) DeleteTokens(ctx context.Context, ids []int64) error {
	return s.deleteIDs(ctx, "delete tokens", "api_tokens", ids)
}

// DeleteSessionTokens deletes the tokens of a user that were issued in one browser session.
func (s *Store) DeleteSessionTokens(ctx context.Context, userID int64, sessionID string) error {
	_, err := s.exec(ctx, "delete tokens of session", `DELETE FROM api_tokens WHERE user_id = ? AND session_id = ?`, userID, sessionID)
	return err
}

// DeleteClientTokens deletes the tokens of a user that were issued to one OAuth client.
func (s *Store) DeleteClientTokens(ctx context.Context, userID int64, clientID string) error {
	_, err := s.exec(ctx, "delete tokens of client", `DELETE FROM api_tokens WHERE user_id = ? AND client_id = ?`, userID, clientID)
	return err
}

// TouchTokens moves last_activity of tokens forward, never back.
func (s *Store) TouchTokens(ctx context.Context, at map[int64]time.Time) error {
	return s.touch(ctx, "api_tokens", at)
}

// ClientTokenScopes returns the scopes of each valid token that the client holds for the user (to skip the consent page).
func (s *Store) ClientTokenScopes(ctx context.Context, userID int64, clientID string) ([][]string, error) {
	rows, err := find[APIToken](s.read(ctx).Select("id", "scopes").
		Where("user_id = ? AND client_id = ? AND (expires_at IS NULL OR expires_at >= ?)", userID, clientID, time.Now()).Order("id"),
		"find scopes of client's tokens")
	out := make([][]string, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.Scopes)
	}
	return out, err
}
