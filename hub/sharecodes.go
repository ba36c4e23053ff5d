package hub

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/orm"
)

// Limits of the life of a share code, as JupyterHub's.
const (
	minCodeLife     = time.Minute
	maxCodeLife     = 365 * 24 * time.Hour
	defaultCodeLife = 24 * time.Hour
	codeBytes       = 32 // 43 characters of base64
)

// ShareCodeView is a share code with the server it is about.
type ShareCodeView struct {
	orm.ShareCodeRow
	Server ServerView
}

// CodesOfServer lists the share codes of one server and counts all of them; NotFound when there is no such server.
func (s *Shares) CodesOfServer(ctx context.Context, owner, server string, offset, limit int) ([]ShareCodeView, int, error) {
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return nil, 0, err
	}
	rows, total, err := s.store.ShareCodesOfServer(ctx, target.row.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.codes(ctx, rows, total, err)
}

// CodesOfOwner lists the share codes of all servers of an owner.
func (s *Shares) CodesOfOwner(ctx context.Context, owner string, offset, limit int) ([]ShareCodeView, int, error) {
	user, err := s.user(ctx, owner)
	if err != nil {
		return nil, 0, err
	}
	rows, total, err := s.store.ShareCodesOfOwner(ctx, user.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.codes(ctx, rows, total, err)
}

func (s *Shares) codes(ctx context.Context, rows []orm.ShareCodeRow, total int, err error) ([]ShareCodeView, int, error) {
	if err != nil {
		return nil, 0, storeErr(err, "list share codes")
	}
	owners := make([]int64, len(rows))
	for i := range rows {
		owners[i] = rows[i].OwnerID
	}
	servers, err := s.serversOf(ctx, owners)
	if err != nil {
		return nil, 0, err
	}
	views := make([]ShareCodeView, len(rows))
	for i, row := range rows {
		views[i] = ShareCodeView{ShareCodeRow: row, Server: servers.view(row.SpawnerID, row.OwnerID, row.OwnerName, row.ServerName)}
	}
	return views, total, nil
}

// CreateCode makes a share code and returns it in clear, the only time it can be seen. expiresIn 0 is one day, else 60 s to 365 d. by
// needs every scope on that server, as for Grant.
func (s *Shares) CreateCode(ctx context.Context, by *Identity, owner, server string, scopes []string, expiresIn time.Duration) (view *ShareCodeView, code string, err error) {
	switch {
	case expiresIn == 0:
		expiresIn = defaultCodeLife
	case expiresIn < minCodeLife || expiresIn > maxCodeLife:
		return nil, "", errorf(Invalid, "expires_in must be %d to %d seconds", int(minCodeLife.Seconds()), int(maxCodeLife.Seconds()))
	}
	if len(scopes) == 0 {
		scopes = []string{defaultShareScope}
	}
	if scopes, err = s.limit(scopes, owner, server); err != nil {
		return nil, "", err
	}
	if err := s.mayGrant(ctx, by, owner, server, scopes); err != nil {
		return nil, "", err
	}
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return nil, "", err
	}
	if target, err = s.withRow(ctx, target); err != nil {
		return nil, "", err
	}
	code = newShareCode()
	expires := time.Now().UTC().Add(expiresIn)
	row := orm.ShareCode{OwnerID: target.owner.ID, SpawnerID: target.row.ID, Hashed: orm.HashToken(code, orm.GeneratedRounds),
		Prefix: orm.TokenPrefix(code), Scopes: scopes, ExpiresAt: &expires}
	if err := s.store.CreateShareCode(ctx, &row); err != nil {
		return nil, "", storeErr(err, "store share code")
	}
	s.log.InfoContext(ctx, "share code created", "server", owner+"/"+server, "id", row.ID, "by", nameOf(by))
	views, _, err := s.codes(ctx, []orm.ShareCodeRow{{ShareCode: row, OwnerName: target.owner.Name, ServerName: target.row.Name}}, 1, nil)
	if err != nil {
		return nil, "", err
	}
	return &views[0], code, nil
}

func newShareCode() string {
	var raw [codeBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// DeleteCodes deletes one code of a server by value or by id ("sc_7"), or all of them when both are "". NotFound when none matches.
func (s *Shares) DeleteCodes(ctx context.Context, owner, server, code, id string) error {
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return err
	}
	rows, _, err := s.store.ShareCodesOfServer(ctx, target.row.ID, orm.ShareQuery{})
	if err != nil {
		return storeErr(err, "list share codes")
	}
	var ids []int64
	for _, row := range rows {
		if codeMatches(row, code, id) {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 && code != "" {
		return errorf(NotFound, "No matching code found")
	}
	if len(ids) == 0 && id != "" {
		return errorf(NotFound, "No code found matching id=%s", cut(id, 32))
	}
	s.log.InfoContext(ctx, "share codes deleted", "server", owner+"/"+server, "count", len(ids))
	return storeErr(s.store.DeleteShareCodes(ctx, ids), "delete share codes")
}

func codeMatches(row orm.ShareCodeRow, code, id string) bool {
	switch {
	case code != "":
		return row.Prefix == orm.TokenPrefix(code) && !expired(row.ExpiresAt, time.Now()) && orm.VerifyToken(row.Hashed, code)
	case id != "":
		digits, ok := strings.CutPrefix(id, "sc_")
		number, err := strconv.ParseInt(digits, 10, 64)
		return ok && err == nil && number == row.ID
	}
	return true
}

// LookupCode returns the valid code of that value; NotFound when unknown or expired.
func (s *Shares) LookupCode(ctx context.Context, code string) (*ShareCodeView, error) {
	row, err := shareCodeByValue(ctx, s.store, code)
	if err != nil {
		return nil, notFound(err, "Share not found or expired")
	}
	views, _, err := s.codes(ctx, []orm.ShareCodeRow{*row}, 1, nil)
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

// Accept exchanges a code for a share with the user who calls. The code stays valid and counts its uses. Invalid for an unknown or
// expired code and for the owner, who needs no share.
func (s *Shares) Accept(ctx context.Context, by *Identity, code string) (*ShareView, error) {
	if by == nil || by.User == nil {
		return nil, errorf(Forbidden, "Only users can accept a share")
	}
	var found *foundShare
	err := s.store.Tx(ctx, func(tx *orm.Store) error {
		row, err := shareCodeByValue(ctx, tx, code)
		if errors.Is(err, orm.ErrNotFound) {
			return errorf(Invalid, "Invalid share code").withHint("it is unknown, expired or deleted: ask for a new one")
		}
		if err != nil {
			return err
		}
		if row.OwnerID == by.User.ID {
			return errorf(Invalid, "You can't share with yourself!")
		}
		found, err = acceptTx(ctx, tx, row, by.User)
		return err
	})
	if err != nil {
		return nil, domainErr(err, "accept share")
	}
	s.log.InfoContext(ctx, "share accepted", "server", found.owner.Name+"/"+found.row.Name, "user", by.User.Name)
	return s.view(ctx, found)
}

func acceptTx(ctx context.Context, tx *orm.Store, code *orm.ShareCodeRow, user *orm.User) (*foundShare, error) {
	server, err := tx.Spawner(ctx, code.SpawnerID)
	if err != nil {
		return nil, err
	}
	owner, err := tx.User(ctx, code.OwnerID)
	if err != nil {
		return nil, err
	}
	found, err := grantTx(ctx, tx, shared{owner: owner, row: server}, holder{Grantee: Grantee{User: user.Name}, userID: &user.ID}, code.Scopes)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	code.ExchangeCount++
	code.LastExchangedAt = &now
	return found, tx.SaveShareCode(ctx, &code.ShareCode)
}
