package orm

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

func now() time.Time { return stamp(time.Now()) }

// currentScopes gives each scope the filter of the server under its current name. What is stored may name an old one, and
// somebody else may have taken that name (GHSA-mj6q-mp44-53v8).
func currentScopes(stored []string, owner, server string) []string {
	out := make([]string, 0, len(stored))
	for _, scope := range stored {
		base, _, _ := strings.Cut(scope, "!")
		out = append(out, base+"!server="+owner+"/"+server)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shareNames are the joined columns of shares and share codes.
type shareNames struct {
	OwnerName, ServerName string
	UserName, GroupName   string
	ServerRowID           *int64
}

const (
	shareJoins = ` JOIN spawners sp ON sp.id = x.spawner_id JOIN users o ON o.id = sp.user_id`
	shareCols  = `o.name AS owner_name, COALESCE(sp.name, '') AS server_name, sp.server_id AS server_row_id`
)

func (s *Store) shareRows(ctx context.Context, q ShareQuery, cond string, args ...any) (out []ShareRow, total int, err error) {
	var rows []struct {
		Share
		Names shareNames `gorm:"embedded"` // GORM skips unexported embedded types
	}
	err = s.view(ctx, "find shares", func(db *gorm.DB) error {
		base := func() *gorm.DB { return db.Table("shares x").Joins(shareJoins).Where(cond, args...) }
		if total, err = count(base(), "count shares"); err != nil {
			return err
		}
		query := base().Select(`x.*, ` + shareCols + `, COALESCE(u.name, '') AS user_name, COALESCE(g.name, '') AS group_name`).
			Joins(`LEFT JOIN users u ON u.id = x.user_id LEFT JOIN "groups" g ON g.id = x.group_id`)
		if err := page(query.Order("x.id"), q.Offset, q.Limit).Scan(&rows).Error; err != nil {
			return err
		}
		ids := make([]int64, 0, len(rows))
		for _, row := range rows {
			ids = append(ids, some(row.Names.ServerRowID)...)
		}
		servers, err := (&Store{c: s.c, tx: db}).ServersByID(ctx, ids)
		for _, row := range rows {
			row.Scopes = currentScopes(row.Scopes, row.Names.OwnerName, row.Names.ServerName)
			out = append(out, ShareRow{Share: row.Share, OwnerName: row.Names.OwnerName, ServerName: row.Names.ServerName,
				ServerRow: at(servers, row.Names.ServerRowID), UserName: row.Names.UserName, GroupName: row.Names.GroupName})
		}
		return err
	})
	return out, total, err
}

func (s *Store) shareCodeRows(ctx context.Context, q ShareQuery, cond string, args ...any) (out []ShareCodeRow, total int, err error) {
	var rows []struct {
		ShareCode
		Names shareNames `gorm:"embedded"`
	}
	err = s.view(ctx, "find share codes", func(db *gorm.DB) error {
		base := func() *gorm.DB { return db.Table("share_codes x").Joins(shareJoins).Where(cond, args...) }
		if total, err = count(base(), "count share codes"); err != nil {
			return err
		}
		if err := page(base().Select(`x.*, `+shareCols).Order("x.id"), q.Offset, q.Limit).Scan(&rows).Error; err != nil {
			return err
		}
		ids := make([]int64, 0, len(rows))
		for _, row := range rows {
			ids = append(ids, some(row.Names.ServerRowID)...)
		}
		servers, err := (&Store{c: s.c, tx: db}).ServersByID(ctx, ids)
		for _, row := range rows {
			row.Scopes = currentScopes(row.Scopes, row.Names.OwnerName, row.Names.ServerName)
			out = append(out, ShareCodeRow{ShareCode: row.ShareCode, OwnerName: row.Names.OwnerName, ServerName: row.Names.ServerName,
				ServerRow: at(servers, row.Names.ServerRowID)})
		}
		return err
	})
	return out, total, err
}

func at(servers map[int64]*Server, id *int64) *Server {
	if id == nil {
		return nil
	}
	return servers[*id]
}
