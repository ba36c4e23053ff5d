package orm

import "database/sql"

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
