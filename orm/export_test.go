package orm

import "context"

// CountRows counts the rows of any table, for tests.
func CountRows(ctx context.Context, s *Store, table string) (int, error) {
	return count(s.read(ctx).Table(table), "count")
}

// RawExec runs any statement, for tests.
func RawExec(ctx context.Context, s *Store, query string, args ...any) error {
	_, err := s.exec(ctx, "test", query, args...)
	return err
}

// ParseForTest shows how a URL is understood: the engine, and the path or DSN.
func ParseForTest(url string) (string, string, error) {
	t, err := parseTarget(url, nil)
	if t.dialect == postgresDialect {
		return string(t.dialect), t.dsn, err
	}
	return string(t.dialect), t.path, err
}

// PythonJSON is how JSON columns are written.
func PythonJSON(v any) (string, error) { return pythonJSON(v) }
