package orm

import (
	"context"
	"strconv"

	"gorm.io/gorm"
)

func (s *Store) checkExtras(ctx context.Context, found map[int64]*ServerExtra) (map[int64]*ServerExtra, error) {
	db := s.read(ctx)
	want := make(map[int64]int64, len(found))
	for id, e := range found {
		want[id] = e.TokenID
	}
	prints, err := fingerprints(db, want)
	if err != nil {
		return nil, err
	}
	for id, e := range found {
		print, ok := prints[id]
		server, token := splitPrint(e.Fingerprint)
		nowServer, nowToken := splitPrint(print)
		if !ok || server != nowServer {
			delete(found, id)
			continue
		}
		if token != nowToken || token == "" {
			e.TokenID = 0
		}
	}
	return found, nil
}

func checkedExtras(db *gorm.DB, ids []int64) (map[int64]*ServerExtra, error) {
	return (&Store{tx: db}).serverExtras(db.Statement.Context, ids)
}

func splitPrint(p string) (server, token string) {
	const size = 24
	if len(p) < size {
		return p, ""
	}
	return p[:size], p[size:]
}

// fingerprints identifies servers and their tokens by more than their ids: the user's row and the token's hash.
func fingerprints(db *gorm.DB, tokens map[int64]int64) (map[int64]string, error) {
	var ids, tokenIDs []int64
	for id, token := range tokens {
		ids, tokenIDs = append(ids, id), append(tokenIDs, token)
	}
	hashes := make(map[int64]string)
	err := chunked(tokenIDs, func(part []int64) error {
		var rows []struct {
			ID   int64
			Name string
		}
		err := db.Raw(`SELECT id, hashed AS name FROM api_tokens WHERE id IN ?`, part).Scan(&rows).Error
		for _, row := range rows {
			hashes[row.ID] = row.Name
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make(map[int64]string)
	err = chunked(ids, func(part []int64) error {
		var rows []struct {
			ID, UserID int64
			Name       string
		}
		err := db.Raw(`SELECT id, user_id, name FROM spawners WHERE id IN ?`, part).Scan(&rows).Error
		for _, row := range rows {
			out[row.ID] = digestOf("server", strconv.FormatInt(row.UserID, 10), row.Name)
			if hash := hashes[tokens[row.ID]]; hash != "" {
				out[row.ID] += digestOf("token", hash)
			}
		}
		return err
	})
	return out, err
}
