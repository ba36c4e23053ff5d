package orm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm"
)

// replayedToken stands where the hash of a used code's token would be, once the code was used again.
const replayedToken = "-"

// codeDigest is how a used code is stored: a copy of the database is of no use to a thief of codes.
func codeDigest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// TakeCode deletes a code's row, remembers that the code was used (table minihub_used_codes), and says whether this call
// did it: of many callers exactly one gets true. What is remembered for longer than the code or its token could live is forgotten.
func (s *Store) TakeCode(ctx context.Context, c *OAuthCode) (won bool, err error) {
	err = s.write(ctx, "take oauth code", func(db *gorm.DB) error {
		won = false
		res := db.Exec(`DELETE FROM oauth_codes WHERE id = ? AND code = ?`, c.ID, c.Code)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		won = true
		return run(db, stmt(`DELETE FROM minihub_used_codes WHERE expires_at < ?`, time.Now().Unix()),
			stmt(`INSERT INTO minihub_used_codes (code, client_id, token, expires_at) VALUES (?, ?, '', ?) ON CONFLICT (code) DO NOTHING`,
				codeDigest(c.Code), c.ClientID, max(c.ExpiresAt, time.Now().Unix()+60)))
	})
	return won, err
}

// CreateCodeToken inserts the token that a taken code gave, so that ReplayCode finds it for as long as it lives. When the code
// was used again in the meantime, there is no row: the token is as dead as if it had been revoked a moment later, and ID stays 0.
func (s *Store) CreateCodeToken(ctx context.Context, t *APIToken, code string) error {
	until := int64(1) << 40 // a token without an end
	if t.ExpiresAt != nil {
		until = t.ExpiresAt.Unix()
	}
	return s.write(ctx, "create token of oauth code", func(db *gorm.DB) error {
		res := db.Exec(`UPDATE minihub_used_codes SET token = ?, expires_at = ? WHERE code = ? AND token = ''`, t.Hashed, until, codeDigest(code))
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return insert(db, []*APIToken{t})
	})
}

// ReplayCode is called when a client shows a code that does not exist. When the same client used it before, the token that it gave
// is deleted; revoked tells whether there was one.
func (s *Store) ReplayCode(ctx context.Context, code, clientID string) (revoked bool, err error) {
	digest := codeDigest(code)
	err = s.write(ctx, "revoke token of oauth code", func(db *gorm.DB) error {
		// by its hash: SQLite gives ids out again
		res := db.Exec(`DELETE FROM api_tokens WHERE hashed IN (SELECT token FROM minihub_used_codes WHERE code = ? AND client_id = ?)`, digest, clientID)
		revoked = res.RowsAffected > 0
		if res.Error != nil {
			return res.Error
		}
		return db.Exec(`UPDATE minihub_used_codes SET token = ? WHERE code = ? AND client_id = ?`, replayedToken, digest, clientID).Error
	})
	return revoked && err == nil, err
}
