package orm

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// target is a parsed database URL.
type target struct {
	dialect dialect
	path    string // SQLite file; empty means in memory
	mode    string // SQLite open mode (ro, rw, rwc), empty for the default
	busy    time.Duration
	// volatile is set for a database in memory.
	volatile bool
	dsn      string // PostgreSQL
	readers  int
	recycle  time.Duration
}

// sqlalchemyURL is the shape that SQLAlchemy documents: dialect+driver://user:password@host:port/database?query.
var sqlalchemyURL = regexp.MustCompile(`^([\w+]+)://(?:([^:/@]*)(?::([^@]*))?@)?(?:\[([^/\]?]+)\]|([^/:?]+))?(?::([^/?]*))?(?:/([^?]*))?(?:\?(.*))?$`)

const defaultBusy = 30 * time.Second

// CheckURL tells what is wrong with a database URL, without opening anything.
func CheckURL(raw string, kwargs map[string]any) error {
	_, err := parseTarget(raw, kwargs)
	return err
}

func parseTarget(raw string, kwargs map[string]any) (target, error) {
	t := target{busy: defaultBusy, readers: 4}
	t.kwargs(kwargs)
	if raw == "" {
		return t, fmt.Errorf("%w: db_url is empty, want for example sqlite:///jupyterhub.sqlite", ErrUnsupportedURL)
	}
	if !strings.Contains(raw, "://") {
		t.dialect, t.path = sqliteDialect, raw
		if raw == ":memory:" {
			t.path = ""
		}
		return t, nil
	}
	m := sqlalchemyURL.FindStringSubmatch(raw)
	if m == nil {
		return t, fmt.Errorf("%w: db_url cannot be read as dialect://user:password@host:port/database", ErrUnsupportedURL)
	}
	query, err := url.ParseQuery(m[8])
	if err != nil {
		return t, fmt.Errorf("%w: the query part of db_url: %w", ErrUnsupportedURL, err)
	}
	name, _, _ := strings.Cut(m[1], "+")
	switch name {
	case "sqlite":
		if m[2] != "" || m[4]+m[5]+m[6] != "" {
			return t, fmt.Errorf("%w: db_url %s names a host, want sqlite:///relative/path or sqlite:////absolute/path", ErrUnsupportedURL, m[1])
		}
		return t, t.sqlite(m[7], query)
	case "postgresql", "postgres":
		return t, t.postgres(m[2], m[3], m[4]+m[5], m[6], m[7], query)
	}
	return t, fmt.Errorf("%w: db_url starts with %q, want sqlite or postgresql", ErrUnsupportedURL, m[1])
}

func (t *target) kwargs(kw map[string]any) {
	if n, ok := number(kw["pool_size"]); ok && n >= 1 {
		t.readers = min(int(n), 64)
	}
	if n, ok := number(kw["pool_recycle"]); ok && n > 0 {
		t.recycle = time.Duration(n * float64(time.Second))
	}
	if args, ok := kw["connect_args"].(map[string]any); ok {
		if n, ok := number(args["timeout"]); ok && n >= 0 {
			t.busy = time.Duration(n * float64(time.Second))
		}
	}
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// sqlite reads what pysqlite understands: timeout in seconds, and with uri=true a file: name with a mode.
func (t *target) sqlite(database string, query url.Values) error {
	t.dialect = sqliteDialect
	if text := query.Get("timeout"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || seconds < 0 {
			return fmt.Errorf("%w: timeout=%q in db_url, want seconds", ErrUnsupportedURL, text)
		}
		t.busy = time.Duration(seconds * float64(time.Second))
	}
	if query.Get("uri") == "true" || query.Get("uri") == "1" {
		database = strings.TrimPrefix(database, "file:")
		t.mode = query.Get("mode")
		if t.mode == "memory" {
			database, t.mode = "", ""
		}
	}
	if database == ":memory:" {
		database = ""
	}
	t.path = database
	return nil
}

// notPostgres are query parameters of Python's drivers that neither pgx nor the server knows.
var notPostgres = []string{"client_encoding", "prepared_statement_cache_size", "async_fallback", "keepalives", "keepalives_idle",
	"keepalives_interval", "keepalives_count", "gssencmode", "channel_binding"}

func (t *target) postgres(user, password, host, port, database string, query url.Values) error {
	t.dialect = postgresDialect
	var words []string
	add := func(key, value string) {
		if value != "" {
			words = append(words, key+"='"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)+"'")
		}
	}
	unescape := func(text string) string {
		if plain, err := url.PathUnescape(text); err == nil {
			return plain
		}
		return text
	}
	add("user", unescape(user))
	add("password", unescape(password))
	add("host", host)
	add("port", port)
	add("dbname", database)
	if query.Get("connect_timeout") == "" {
		query.Set("connect_timeout", "10") // seconds; a dead server must not hold requests for minutes
	}
	keys := make([]string, 0, len(query))
	for key := range query {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !slices.Contains(notPostgres, key) {
			add(key, strings.Join(query[key], ","))
		}
	}
	t.dsn = strings.Join(words, " ")
	return nil
}

// liteDSN is a DSN for modernc.org/sqlite. Commits reach the disk before they are confirmed, unless there is no disk.
func (t *target) liteDSN(more url.Values) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout("+strconv.FormatInt(t.busy.Milliseconds(), 10)+")")
	q.Add("_pragma", "foreign_keys(1)")
	if t.volatile {
		q.Add("_pragma", "synchronous(OFF)")
	} else {
		q.Add("_pragma", "synchronous(FULL)")
	}
	for key, values := range more {
		q[key] = append(q[key], values...)
	}
	if t.mode != "" {
		q.Set("mode", t.mode)
	}
	return "file:" + (&url.URL{Path: t.path}).EscapedPath() + "?" + q.Encode()
}
