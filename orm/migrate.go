package orm

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// Head is the Alembic revision of JupyterHub 6.0 to 6.1.1.
const Head = "f460b0348206"

// step leads from the revision down to the revision it is named after.
type step struct {
	revision, down string
	up             func(m *migration) error
}

// steps is JupyterHub's chain, from 0.5 on. The last four were made out of date order; what counts is down.
func steps() []step {
	return append(oldSteps(), []step{
		{"0eee8c825d24", "651f5419b74d", func(m *migration) error { return m.add("groups", "properties", "TEXT") }},
		{"3c2384c5aae1", "0eee8c825d24", (*migration).serviceColumns},
		{"4621fec11365", "3c2384c5aae1", func(m *migration) error {
			for _, table := range []string{"group_role_map", "roles", "service_role_map", "user_role_map"} {
				if err := m.add(table, "managed_by_auth", "BOOLEAN DEFAULT "+m.d.no()+" NOT NULL"); err != nil {
					return err
				}
			}
			return nil
		}},
		{"be8ecf03ddac", "4621fec11365", func(m *migration) error { return m.add("services", "timeout", "INTEGER DEFAULT '30' NOT NULL") }},
		{"afd65840b69e", "be8ecf03ddac", func(m *migration) error {
			if err := m.add("oauth_codes", "code_challenge", "VARCHAR(255)"); err != nil {
				return err
			}
			return m.add("oauth_codes", "code_challenge_method", "VARCHAR(64)")
		}},
		{"ff1860e38070", "afd65840b69e", func(m *migration) error { return m.add("users", "user_info", "TEXT") }},
		{Head, "ff1860e38070", func(m *migration) error { return m.add("spawners", "display_name", "VARCHAR(255)") }},
	}...)
}

// migration is one step at work.
type migration struct {
	db     *gorm.DB
	tables map[string]map[string]bool
	d      dialect
}

// add adds a column; a table that is missing is created later with all its columns.
func (m *migration) add(table, col, typ string) error {
	cols, ok := m.tables[table]
	if !ok || cols[col] {
		return nil
	}
	return m.db.Exec(`ALTER TABLE "` + table + `" ADD COLUMN ` + m.d.quote(col) + ` ` + typ).Error
}

func (m *migration) serviceColumns() error {
	if m.tables["services"] == nil {
		return nil
	}
	for _, c := range [][2]string{{"from_config", "BOOLEAN"}, {"url", "VARCHAR(2047)"}, {"oauth_client_allowed_scopes", "TEXT"}, {"info", "TEXT"},
		{"display", "BOOLEAN"}, {"oauth_no_confirm", "BOOLEAN"}, {"command", "TEXT"}, {"cwd", "VARCHAR(2047)"}, {"environment", "TEXT"},
		{"user", "VARCHAR(255)"}} {
		if err := m.add("services", c[0], c[1]); err != nil {
			return err
		}
	}
	return m.db.Exec(`UPDATE services SET from_config = true`).Error
}

// upgrade takes the steps after revision from, each in its own transaction together with its stamp.
func (c *core) upgrade(ctx context.Context, from string) error {
	for _, st := range steps() {
		if st.down != from {
			continue
		}
		err := c.writer.WithContext(ctx).Transaction(func(db *gorm.DB) error {
			tables, err := c.dialect.tables(db)
			if err != nil {
				return err
			}
			if err := st.up(&migration{db: db, tables: tables, d: c.dialect}); err != nil {
				return err
			}
			return setRevision(db, st.revision)
		})
		if err != nil {
			return fmt.Errorf("upgrade schema from %s to %s: %w", st.down, st.revision, err)
		}
		c.log.InfoContext(ctx, "database schema upgraded", "from", st.down, "to", st.revision)
		from = st.revision
	}
	if from != Head {
		return fmt.Errorf("schema revision %s has no way up to %s", from, Head)
	}
	return nil
}

// upgradable says whether steps lead up from a revision.
func upgradable(revision string) bool {
	return slices.ContainsFunc(steps(), func(st step) bool { return st.down == revision })
}

// guess finds the revision of tables that carry no stamp by what the later revisions added.
func guess(tables map[string]map[string]bool) string {
	marks := []struct{ table, col, revision string }{
		{"spawners", "display_name", Head},
		{"users", "user_info", "ff1860e38070"},
		{"oauth_codes", "code_challenge", "afd65840b69e"},
		{"services", "timeout", "be8ecf03ddac"},
		{"roles", "managed_by_auth", "4621fec11365"},
		{"services", "from_config", "3c2384c5aae1"},
		{"groups", "properties", "0eee8c825d24"},
		{"api_tokens", "scopes", "651f5419b74d"},
		{"spawners", "oauth_client_id", "833da8570507"},
		{"spawners", "user_options", "4dc2d5a8c53c"},
		{"users", "encrypted_auth_state", "3ec6993fe20c"},
		{"services", "id", "af4cbdb2d13c"},
	}
	for _, m := range marks {
		if tables[m.table][m.col] {
			return m.revision
		}
	}
	return firstRevision
}

// setRevision stamps the database as Alembic does.
func setRevision(db *gorm.DB, revision string) error {
	return run(db,
		stmt(`CREATE TABLE IF NOT EXISTS alembic_version (`+"\n\tversion_num VARCHAR(32) NOT NULL, \n\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)"),
		stmt(`DELETE FROM alembic_version`),
		stmt(`INSERT INTO alembic_version (version_num) VALUES (?)`, revision))
}
