package orm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ServerExtra is what minihub remembers of a running server beside JupyterHub's columns (table minihub_servers).
type ServerExtra struct {
	SpawnerID int64  `gorm:"column:spawner_id;primaryKey;autoIncrement:false"`
	TokenID   int64  `gorm:"column:token_id"` // the API token in the server's environment; 0 when there is none
	Marker    string `gorm:"column:marker"`   // found again in the process's environment
	// Fingerprint ties the row to the server and token that it was written for: SQLite gives ids out again.
	Fingerprint string `gorm:"column:generation"`
}

// TableName is minihub_servers.
func (ServerExtra) TableName() string { return "minihub_servers" }

// SaveServerExtra inserts or replaces the row of a server.
func (s *Store) SaveServerExtra(ctx context.Context, e *ServerExtra) error {
	return s.write(ctx, "save server's marker", func(db *gorm.DB) error {
		prints, err := fingerprints(db, map[int64]int64{e.SpawnerID: e.TokenID})
		if err != nil {
			return err
		}
		e.Fingerprint = prints[e.SpawnerID]
		return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(e).Error
	})
}

// ServerExtra returns the row of a server; ErrNotFound also when the row was written for an earlier server with the same id.
// TokenID is 0 when the token is gone.
func (s *Store) ServerExtra(ctx context.Context, spawnerID int64) (*ServerExtra, error) {
	var e *ServerExtra
	err := s.view(ctx, "find server's marker", func(db *gorm.DB) error {
		found, err := (&Store{c: s.c, tx: db}).serverExtras(ctx, []int64{spawnerID})
		if e = found[spawnerID]; err == nil && e == nil {
			err = ErrNotFound
		}
		return err
	})
	return e, err
}

// DeleteServerExtra deletes the row of a server; no error when there is none.
func (s *Store) DeleteServerExtra(ctx context.Context, spawnerID int64) error {
	_, err := s.exec(ctx, "delete server's marker", `DELETE FROM minihub_servers WHERE spawner_id = ?`, spawnerID)
	return err
}

func (s *Store) serverExtras(ctx context.Context, ids []int64) (map[int64]*ServerExtra, error) {
	found, err := byKey(ctx, s, "find servers' markers", "spawner_id", ids, func(e *ServerExtra) int64 { return e.SpawnerID })
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return s.checkExtras(ctx, found)
}

func digestOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// Meta returns a value that SetMeta stored; ErrNotFound when there is none.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	var out []string
	err := s.read(ctx).Raw(`SELECT value FROM minihub_meta WHERE key = ?`, key).Scan(&out).Error
	if err == nil && len(out) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return "", fail("read setting", err)
	}
	return out[0], nil
}

// SetMeta stores a value under a key.
func (s *Store) SetMeta(ctx context.Context, key, value string) error {
	_, err := s.exec(ctx, "store setting", `INSERT INTO minihub_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}

// HubID returns the random id that was made when this database was first opened; it marks what belongs to this hub.
func (s *Store) HubID(ctx context.Context) (string, error) {
	return s.Meta(ctx, metaHubID)
}

// FirstRun says that Open made the hub's id: no process can be left of an earlier hub with this id.
func (s *Store) FirstRun() bool { return s.c.first }
