package orm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// hubClient is the OAuth client that owns the tokens which the hub issues itself.
const hubClient = "jupyterhub"

// startLock is the key of the advisory lock under which hubs on one PostgreSQL database start one after the other.
const startLock = 0x6d696e69687562 // "minihub"

// prepare brings the schema to what this version needs, or returns *RevisionError and leaves the database alone.
func (c *core) prepare(ctx context.Context, t target, o Options) error {
	if o.Reset {
		if err := c.transaction(ctx, c.dropAll); err != nil {
			return fmt.Errorf("reset database: %w", err)
		}
	}
	revision, empty, err := c.revision(ctx)
	if err != nil {
		return err
	}
	if !empty && revision != Head {
		if !o.Upgrade || !upgradable(revision) {
			return revisionError(revision)
		}
		if t.path != "" {
			if err := c.backup(ctx, t.path); err != nil {
				return err
			}
		}
		if err := c.upgrade(ctx, revision); err != nil {
			return err
		}
	}
	return c.transaction(ctx, c.create)
}

// transaction is a write transaction that keeps other starting hubs out.
func (c *core) transaction(ctx context.Context, fn func(db *gorm.DB) error) error {
	return c.writer.WithContext(ctx).Transaction(func(db *gorm.DB) error {
		if c.dialect == postgresDialect {
			if err := db.Exec(`SELECT pg_advisory_xact_lock(?)`, int64(startLock)).Error; err != nil {
				return err
			}
		}
		return fn(db)
	})
}

func revisionError(found string) error {
	e := &RevisionError{Found: found, Want: Head, Hint: "back up the database, then run `minihub upgrade-db` or start with --upgrade-db"}
	if !upgradable(found) {
		e.Hint = "this version does not know that revision, probably a newer JupyterHub wrote it: use that one, or go back to a backup"
	}
	return e
}

// revision reads, or guesses, the revision without writing anything. empty means that none of JupyterHub's tables exist.
func (c *core) revision(ctx context.Context) (revision string, empty bool, err error) {
	db := c.reader.WithContext(ctx)
	tables, err := c.dialect.tables(db)
	if err != nil {
		return "", false, err
	}
	empty = !slices.ContainsFunc(schema(), func(t table) bool { return tables[t.name] != nil })
	if empty {
		return "", true, nil
	}
	var stamps []string
	if tables["alembic_version"] != nil {
		if err := db.Raw(`SELECT version_num FROM alembic_version`).Scan(&stamps).Error; err != nil {
			return "", false, err
		}
	}
	if len(stamps) > 0 {
		return stamps[0], false, nil
	}
	revision = guess(tables)
	c.log.WarnContext(ctx, "database carries no schema revision, guessing it from its columns", "revision", revision)
	return revision, false, nil
}

// create makes what is missing: JupyterHub's tables, its stamp, the hub's own OAuth client, and minihub's tables.
func (c *core) create(db *gorm.DB) error {
	tables, err := c.dialect.tables(db)
	if err != nil {
		return err
	}
	var queries []string
	for _, t := range schema() {
		if tables[t.name] != nil {
			continue
		}
		queries = append(queries, t.ddl(c.dialect)...)
	}
	if err := c.execAll(db, queries); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	var stamps []string
	if tables["alembic_version"] != nil {
		if err := db.Raw(`SELECT version_num FROM alembic_version`).Scan(&stamps).Error; err != nil {
			return err
		}
	}
	if len(stamps) == 0 {
		if err := setRevision(db, Head); err != nil {
			return err
		}
	}
	if err := ensureHubClient(db); err != nil {
		return err
	}
	return c.createOwn(db, tables)
}

// execAll runs statements without arguments; SQLite takes them in one go, which takes a third of the time.
func (c *core) execAll(db *gorm.DB, queries []string) error {
	if c.dialect == sqliteDialect && len(queries) > 0 {
		queries = []string{strings.Join(queries, ";\n")}
	}
	for _, query := range queries {
		if err := db.Exec(query).Error; err != nil {
			return err
		}
	}
	return nil
}

func ensureHubClient(db *gorm.DB) error {
	n, err := count(db.Model(&OAuthClient{}).Where("identifier = ?", hubClient), "find hub's oauth client")
	if err != nil || n > 0 {
		return err
	}
	return insert(db, []*OAuthClient{{Identifier: hubClient, Description: "JupyterHub", AllowedScopes: JSONList{}}})
}

const (
	metaHubID  = "hub_id"
	metaSchema = "schema_version"
)

// ownMigrations make minihub's tables. The numbers are in minihub_meta; never edit one that was released, append.
// No foreign keys: nothing of JupyterHub's may depend on them, or have to wait for them when it drops its tables.
var ownMigrations = []string{
	`CREATE TABLE minihub_servers (spawner_id INTEGER NOT NULL PRIMARY KEY, token_id INTEGER NOT NULL, marker TEXT NOT NULL, generation TEXT NOT NULL)`,
	`CREATE TABLE minihub_used_codes (code VARCHAR(64) NOT NULL PRIMARY KEY, client_id VARCHAR(255) NOT NULL, token VARCHAR(255) NOT NULL, expires_at BIGINT NOT NULL)`,
	`CREATE INDEX minihub_used_codes_expires_at ON minihub_used_codes (expires_at)`,
	// JupyterHub's tables have no index on the columns by which rows refer to each other. Without these every look-up of somebody's servers
	// or tokens, and every delete, which looks for rows that refer to it, reads a table as a whole.
	`CREATE INDEX IF NOT EXISTS minihub_spawners_user_id ON spawners (user_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_spawners_server_id ON spawners (server_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_spawners_oauth_client_id ON spawners (oauth_client_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_api_tokens_user_id ON api_tokens (user_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_api_tokens_service_id ON api_tokens (service_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_api_tokens_client_id ON api_tokens (client_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_api_tokens_session_id ON api_tokens (session_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_users_last_activity ON users (last_activity)`,
	`CREATE INDEX IF NOT EXISTS minihub_user_group_map_group_id ON user_group_map (group_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_user_role_map_role_id ON user_role_map (role_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_shares_owner_id ON shares (owner_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_shares_spawner_id ON shares (spawner_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_shares_user_id ON shares (user_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_shares_group_id ON shares (group_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_share_codes_spawner_id ON share_codes (spawner_id)`,
	`CREATE INDEX IF NOT EXISTS minihub_share_codes_owner_id ON share_codes (owner_id)`,
	// Start-up asks for these few, and must not read along all users.
	`CREATE INDEX IF NOT EXISTS minihub_users_admin ON users (id) WHERE admin`,
	`CREATE INDEX IF NOT EXISTS minihub_users_undated ON users (id) WHERE created IS NULL`,
	`CREATE INDEX IF NOT EXISTS minihub_spawners_named ON spawners (user_id, name) WHERE name <> ''`,
}

func (c *core) createOwn(db *gorm.DB, tables map[string]map[string]bool) error {
	if tables["minihub_meta"] == nil {
		if err := db.Exec(`CREATE TABLE minihub_meta (key VARCHAR(255) NOT NULL PRIMARY KEY, value TEXT NOT NULL)`).Error; err != nil {
			return err
		}
	}
	own := &Store{c: c, tx: db}
	ctx := db.Statement.Context
	done := 0
	text, err := own.Meta(ctx, metaSchema)
	if err == nil {
		done, err = strconv.Atoi(text)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	for ; done < len(ownMigrations); done++ {
		if err := db.Exec(ownMigrations[done]).Error; err != nil {
			return fmt.Errorf("minihub's migration %d: %w", done+1, err)
		}
		if err := own.SetMeta(ctx, metaSchema, strconv.Itoa(done+1)); err != nil {
			return err
		}
	}
	if _, err := own.Meta(ctx, metaHubID); errors.Is(err, ErrNotFound) {
		c.first = true
		return own.SetMeta(ctx, metaHubID, NewToken())
	} else if err != nil {
		return err
	}
	return nil
}

// dropAll drops JupyterHub's tables and ours, and the stamp, which create writes anew.
func (c *core) dropAll(db *gorm.DB) error {
	list := schema()
	for _, t := range slices.Backward(list) {
		if err := db.Exec(`DROP TABLE IF EXISTS "` + t.name + `"`).Error; err != nil {
			return err
		}
	}
	return run(db, stmt(`DROP TABLE IF EXISTS minihub_servers`), stmt(`DROP TABLE IF EXISTS minihub_used_codes`),
		stmt(`DROP TABLE IF EXISTS minihub_meta`), stmt(`DROP TABLE IF EXISTS alembic_version`))
}

// backup copies a SQLite file to <file>.YYYY-MM-DD-HHMMSS while nobody can write.
func (c *core) backup(ctx context.Context, path string) error {
	var busy []struct{ Busy int }
	if err := c.writer.WithContext(ctx).Raw(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy).Error; err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if len(busy) > 0 && busy[0].Busy != 0 {
		return fmt.Errorf("back up database: %w: another process uses it, stop that first", ErrUnavailable)
	}
	return c.writer.WithContext(ctx).Transaction(func(*gorm.DB) error {
		base := path + time.Now().Format(".2006-01-02-150405")
		name := base
		for i := 1; ; i++ {
			err := copyFile(path, name)
			if err == nil {
				c.log.InfoContext(ctx, "database backed up", "file", name)
				return nil
			}
			if !errors.Is(err, fs.ErrExist) || i == 10 {
				return fmt.Errorf("back up database: %w", err)
			}
			name = base + "." + strconv.Itoa(i)
		}
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
