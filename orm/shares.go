package orm

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// ShareQuery selects a page of shares or share codes.
type ShareQuery struct {
	Offset, Limit int // Limit 0 means all
}

// ShareRow is a share with the names that it is shown with. Scopes carry the current names of owner and server.
type ShareRow struct {
	Share
	OwnerName, ServerName string
	ServerRow             *Server // nil when the server is not running
	UserName, GroupName   string  // one of them is empty
}

// ShareCodeRow is a share code with the names that it is shown with.
type ShareCodeRow struct {
	ShareCode
	OwnerName, ServerName string
	ServerRow             *Server
}

// ShareScope is what one share grants.
type ShareScope struct {
	Scopes []string // each with the filter of the server under its current name
}

// SharesOfServer returns the shares of one server by id and how many there are.
func (s *Store) SharesOfServer(ctx context.Context, spawnerID int64, q ShareQuery) ([]ShareRow, int, error) {
	return s.shareRows(ctx, q, "x.spawner_id = ?", spawnerID)
}

// SharesOfOwner returns the shares of all servers of a user.
func (s *Store) SharesOfOwner(ctx context.Context, ownerID int64, q ShareQuery) ([]ShareRow, int, error) {
	return s.shareRows(ctx, q, "x.owner_id = ?", ownerID)
}

// SharesWithUser returns the shares granted to a user or to a group of the user.
func (s *Store) SharesWithUser(ctx context.Context, userID int64, q ShareQuery) ([]ShareRow, int, error) {
	return s.shareRows(ctx, q, "(x.user_id = ? OR x.group_id IN (SELECT group_id FROM user_group_map WHERE user_id = ?))", userID, userID)
}

// AnyShareWithUser tells whether SharesWithUser would find something; for most people it does not, and this is the cheaper question.
func (s *Store) AnyShareWithUser(ctx context.Context, userID int64) (found bool, err error) {
	err = s.read(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM shares WHERE user_id = ?)
		OR EXISTS (SELECT 1 FROM user_group_map m JOIN shares x ON x.group_id = m.group_id WHERE m.user_id = ?)`, userID, userID).Scan(&found).Error
	return found, fail("find shares", err)
}

// SharesWithGroup returns the shares granted to a group.
func (s *Store) SharesWithGroup(ctx context.Context, groupID int64, q ShareQuery) ([]ShareRow, int, error) {
	return s.shareRows(ctx, q, "x.group_id = ?", groupID)
}

// ShareCodesOfServer returns the share codes of one server by id and how many there are.
func (s *Store) ShareCodesOfServer(ctx context.Context, spawnerID int64, q ShareQuery) ([]ShareCodeRow, int, error) {
	return s.shareCodeRows(ctx, q, "x.spawner_id = ?", spawnerID)
}

// ShareCodesOfOwner returns the share codes of all servers of a user.
func (s *Store) ShareCodesOfOwner(ctx context.Context, ownerID int64, q ShareQuery) ([]ShareCodeRow, int, error) {
	return s.shareCodeRows(ctx, q, "x.owner_id = ?", ownerID)
}

// ShareCodeByValue returns the unexpired share code with this value.
func (s *Store) ShareCodeByValue(ctx context.Context, code string, now time.Time) (*ShareCodeRow, error) {
	rows, _, err := s.shareCodeRows(ctx, ShareQuery{}, "x.prefix = ? AND (x.expires_at IS NULL OR x.expires_at >= ?)", TokenPrefix(code), now)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if VerifyToken(rows[i].Hashed, code) {
			return &rows[i], nil
		}
	}
	return nil, fail("find share code", ErrNotFound)
}

// FindShare returns the share of a server with a user or with a group (one of the two is nil), its scopes under the current names.
func (s *Store) FindShare(ctx context.Context, spawnerID int64, userID, groupID *int64) (*Share, error) {
	col, id := "x.user_id", userID
	if userID == nil {
		col, id = "x.group_id", groupID
	}
	if id == nil {
		return nil, fail("find share", ErrNotFound)
	}
	rows, _, err := s.shareRows(ctx, ShareQuery{Limit: 1}, "x.spawner_id = ? AND "+col+" = ?", spawnerID, *id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fail("find share", ErrNotFound)
	}
	return &rows[0].Share, nil
}

// SaveShare inserts a share without ID and fills it, or writes all columns of an existing one. ErrConflict when another share of
// the same server with the same user or group exists.
func (s *Store) SaveShare(ctx context.Context, sh *Share) error {
	if sh.CreatedAt.IsZero() {
		sh.CreatedAt = stamp(time.Now())
	}
	if sh.ID != 0 {
		return update(ctx, s, "update share", sh, nil)
	}
	return s.write(ctx, "create share", func(db *gorm.DB) error {
		if err := s.c.dialect.lockRow(db, "spawners", sh.SpawnerID); err != nil {
			return err
		}
		same := db.Model(&Share{}).Where("spawner_id = ?", sh.SpawnerID)
		if sh.UserID != nil {
			same = same.Where("user_id = ?", *sh.UserID)
		} else {
			same = same.Where("group_id = ?", sh.GroupID)
		}
		if n, err := count(same, "check share"); err != nil || n > 0 {
			if err == nil {
				err = ErrConflict
			}
			return err
		}
		return insert(db, []*Share{sh})
	})
}

// DeleteShares deletes shares; those that are gone already do not matter.
func (s *Store) DeleteShares(ctx context.Context, ids []int64) error {
	return s.deleteIDs(ctx, "delete shares", "shares", ids)
}

// CreateShareCode inserts a share code and fills ID.
func (s *Store) CreateShareCode(ctx context.Context, sc *ShareCode) error {
	if sc.CreatedAt.IsZero() {
		sc.CreatedAt = stamp(time.Now())
	}
	return s.write(ctx, "create share code", func(db *gorm.DB) error { return insert(db, []*ShareCode{sc}) })
}

// SaveShareCode writes all columns of an existing share code.
func (s *Store) SaveShareCode(ctx context.Context, sc *ShareCode) error {
	return update(ctx, s, "update share code", sc, nil)
}

// DeleteShareCodes deletes share codes; those that are gone already do not matter.
func (s *Store) DeleteShareCodes(ctx context.Context, ids []int64) error {
	return s.deleteIDs(ctx, "delete share codes", "share_codes", ids)
}
