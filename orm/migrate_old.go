package orm

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// firstRevision is the schema of JupyterHub 0.5.
const firstRevision = "19c0846f6344"

// oldSteps lead from JupyterHub 0.5 to 3.0. They do what JupyterHub's own migrations do: API tokens of 1.x and older are dropped, because
// they know no scopes; those of the configuration come back at the start.
func oldSteps() []step {
	return []step{
		{"eeb276e51423", firstRevision, func(m *migration) error { return m.add("users", "auth_state", "TEXT") }},
		{"af4cbdb2d13c", "eeb276e51423", func(m *migration) error { return m.add("api_tokens", "service_id", "INTEGER") }},
		{"3ec6993fe20c", "af4cbdb2d13c", func(m *migration) error {
			if err := m.drop("proxies", "hubs"); err != nil {
				return err
			}
			return m.add("users", "encrypted_auth_state", m.d.columnType(column{typ: "blob"}))
		}},
		{"1cebaf56856c", "3ec6993fe20c", func(m *migration) error {
			return m.addAll([]string{"oauth_access_tokens", "oauth_codes"}, "session_id", "VARCHAR(255)")
		}},
		{"56cc5a70207e", "1cebaf56856c", (*migration).tokenTimes},
		{"99a28a4418e1", "56cc5a70207e", (*migration).created},
		{"d68c98b66cd4", "99a28a4418e1", func(m *migration) error { return m.add("oauth_clients", "description", "VARCHAR(1023)") }},
		{"896818069c98", "d68c98b66cd4", func(m *migration) error { return m.add("api_tokens", "expires_at", m.time()) }},
		{"4dc2d5a8c53c", "896818069c98", func(m *migration) error { return m.add("spawners", "user_options", "TEXT") }},
		{"833da8570507", "4dc2d5a8c53c", (*migration).clientsOfServers},
		{"651f5419b74d", "833da8570507", (*migration).scopes},
	}
}

func (m *migration) time() string { return m.d.columnType(column{typ: "time"}) }

func (m *migration) addAll(tables []string, col, typ string) error {
	for _, table := range tables {
		if err := m.add(table, col, typ); err != nil {
			return err
		}
	}
	return nil
}

func (m *migration) drop(tables ...string) error {
	for _, table := range tables {
		if err := m.db.Exec(`DROP TABLE IF EXISTS "` + table + `"`).Error; err != nil {
			return err
		}
		delete(m.tables, table)
	}
	return nil
}

func (m *migration) tokenTimes() error {
	for _, col := range []string{"created", "last_activity"} {
		if err := m.addAll([]string{"api_tokens", "oauth_access_tokens"}, col, m.time()); err != nil {
			return err
		}
	}
	return m.add("api_tokens", "note", "VARCHAR(1023)")
}

func (m *migration) created() error {
	now := stamp(time.Now())
	if err := m.add("users", "created", m.time()); err != nil {
		return err
	}
	if err := m.db.Exec(`UPDATE users SET created = ?`, now).Error; err != nil {
		return err
	}
	if m.tables["spawners"] == nil {
		return nil
	}
	if err := m.add("spawners", "started", m.time()); err != nil {
		return err
	}
	return m.db.Exec(`UPDATE spawners SET started = ? WHERE server_id IS NOT NULL`, now).Error
}

// clientsOfServers ties servers and services to their OAuth clients.
func (m *migration) clientsOfServers() error {
	for _, table := range []string{"services", "spawners"} {
		typ := "VARCHAR(255)"
		if m.tables["oauth_clients"] != nil {
			typ += " CONSTRAINT fk_" + table + "_oauth_client_id_oauth_clients REFERENCES oauth_clients (identifier) ON DELETE SET NULL"
		}
		if err := m.add(table, "oauth_client_id", typ); err != nil {
			return err
		}
	}
	return m.drop("api_tokens", "oauth_access_tokens")
}

// scopes writes what the roles of tokens and clients granted into the tokens and clients themselves.
func (m *migration) scopes() error {
	if err := m.addAll([]string{"oauth_codes", "api_tokens"}, "scopes", "TEXT"); err != nil {
		return err
	}
	if err := m.add("oauth_clients", "allowed_scopes", "TEXT"); err != nil {
		return err
	}
	if m.tables["api_tokens"] != nil && m.tables["api_token_role_map"] != nil {
		if err := m.fromRoles(`SELECT id, '' AS access FROM api_tokens`, "api_token_role_map", "api_token_id", `UPDATE api_tokens SET scopes = ? WHERE id = ?`); err != nil {
			return err
		}
	}
	if m.tables["oauth_clients"] != nil && m.tables["oauth_client_role_map"] != nil {
		err := m.fromRoles(`SELECT c.id, COALESCE('access:servers!server=' || u.name || '/' || s.name, 'access:services!service=' || v.name, '') AS access
			FROM oauth_clients c LEFT JOIN spawners s ON s.oauth_client_id = c.identifier LEFT JOIN users u ON u.id = s.user_id
			LEFT JOIN services v ON v.oauth_client_id = c.identifier`,
			"oauth_client_role_map", "oauth_client_id", `UPDATE oauth_clients SET allowed_scopes = ? WHERE id = ?`)
		if err != nil {
			return err
		}
	}
	return m.drop("oauth_code_role_map", "api_token_role_map", "oauth_client_role_map")
}

// fromRoles gives each holder the scopes of its roles, and access unless that is empty.
func (m *migration) fromRoles(holders, mapping, key, update string) error {
	var grants []struct {
		ID     int64
		Scopes string
	}
	query := `SELECT m.` + key + ` AS id, COALESCE(r.scopes, '[]') AS scopes FROM ` + mapping + ` m JOIN roles r ON r.id = m.role_id`
	if err := m.db.Raw(query).Scan(&grants).Error; err != nil {
		return err
	}
	of := map[int64][]string{}
	for _, g := range grants {
		var list []string
		if err := json.Unmarshal([]byte(g.Scopes), &list); err != nil {
			return fmt.Errorf("scopes of a role in %s: %w", mapping, err)
		}
		of[g.ID] = append(of[g.ID], list...)
	}
	var rows []struct {
		ID     int64
		Access string
	}
	if err := m.db.Raw(holders).Scan(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		list := of[row.ID]
		if row.Access != "" {
			list = append(list, row.Access)
		}
		slices.Sort(list)
		text, err := json.Marshal(append([]string{}, slices.Compact(list)...))
		if err != nil {
			return err
		}
		if err := m.db.Exec(update, string(text), row.ID).Error; err != nil {
			return err
		}
	}
	return nil
}
