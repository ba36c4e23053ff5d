package orm

import (
	"database/sql"
	"strings"

	"gorm.io/gorm"
)

// dialect is what differs between the engines.
type dialect string

const (
	sqliteDialect   dialect = "sqlite"
	postgresDialect dialect = "postgres"
)

// snapshot is the isolation under which several statements see one state. SQLite has no other.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == postgresDialect {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

// nameContains is the condition that a user's name has a part, in any case. SQLite's LIKE ignores the case of ASCII letters by itself; with
// LOWER, which knows no other letters either, it takes three times as long.
func (d dialect) nameContains() string {
	if d == postgresDialect {
		return `LOWER(users.name) LIKE LOWER(?) ESCAPE '\'`
	}
	return `users.name LIKE ? ESCAPE '\'`
}

// quote quotes the one name that SQLAlchemy quotes too (user is reserved in PostgreSQL).
func (d dialect) quote(name string) string {
	if d == postgresDialect && name == "user" {
		return `"user"`
	}
	return name
}

// no is the constant false as SQLAlchemy writes it in a default.
func (d dialect) no() string {
	if d == postgresDialect {
		return "false"
	}
	return "0"
}

func (d dialect) columnType(c column) string {
	pg := d == postgresDialect
	switch c.typ {
	case "int":
		if pg && c.name == "id" {
			return "SERIAL"
		}
		return "INTEGER"
	case "bool":
		return "BOOLEAN"
	case "text":
		return "TEXT"
	case "time":
		if pg {
			return "TIMESTAMP WITHOUT TIME ZONE"
		}
		return "DATETIME"
	case "blob":
		if pg {
			return "BYTEA"
		}
		return "BLOB"
	}
	return "VARCHAR(" + c.typ + ")"
}

// tables returns which tables exist, with the names of their columns.
func (d dialect) tables(db *gorm.DB) (map[string]map[string]bool, error) {
	query := `SELECT m.name AS tab, p.name AS col FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'`
	if d == postgresDialect {
		query = `SELECT table_name AS tab, column_name AS col FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	var rows []struct{ Tab, Col string }
	if err := db.Raw(query).Scan(&rows).Error; err != nil {
		return nil, err
	}
	out := map[string]map[string]bool{}
	for _, row := range rows {
		if out[row.Tab] == nil {
			out[row.Tab] = map[string]bool{}
		}
		out[row.Tab][row.Col] = true
	}
	return out, nil
}

// activityRow is one row of the VALUES list in touchRows. PostgreSQL wants to know the types.
func (d dialect) activityRow() string {
	if d == postgresDialect {
		return "(CAST(? AS BIGINT), CAST(? AS TIMESTAMP))"
	}
	return "(?, ?)"
}

func (d dialect) activityRows(n int) string {
	return strings.TrimSuffix(strings.Repeat(d.activityRow()+", ", n), ", ")
}

// lockRow makes other transactions that lock the same row wait until this one ends, for checks that no constraint of the schema makes.
// SQLite has one writer at a time anyway.
func (d dialect) lockRow(db *gorm.DB, table string, id int64) error {
	if d != postgresDialect {
		return nil
	}
	return db.Exec(`SELECT id FROM `+table+` WHERE id = ? FOR UPDATE`, id).Error
}
