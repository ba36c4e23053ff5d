package orm

import (
	"database/sql"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// The busiest reads scan their rows themselves: GORM's reflection costs more than SQLite's own work there. Times are asked for as
// expressions (dialect.rawTime), because the driver would try several layouts on each.

// each runs a query and calls scan for every row.
func each(db *gorm.DB, scan func(rows *sql.Rows) error, query string, args ...any) error {
	rows, err := db.Raw(query, args...).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rawTime is a column of times as nullTime reads it.
func (d dialect) rawTime(column string) string {
	if d == postgresDialect {
		return column
	}
	return "+" + column // an expression has no declared type, so that the driver leaves the text alone
}

// nullTime scans a time column of either engine; NULL is nil.
type nullTime struct{ at *time.Time }

// Scan reads what a driver has for a time.
func (n *nullTime) Scan(src any) error {
	n.at = nil
	var t time.Time
	switch v := src.(type) {
	case nil:
		return nil
	case time.Time:
		t = v.UTC()
	case string:
		var err error
		if t, err = parseTime(v); err != nil {
			return err
		}
	case []byte:
		return n.Scan(string(v))
	default:
		return fmt.Errorf("read time: unexpected type %T", src)
	}
	n.at = &t
	return nil
}

// parseTime reads the texts that SQLAlchemy and we write, with and without a fraction, and whatever else has been seen in databases.
func parseTime(text string) (time.Time, error) {
	if t, ok := quickTime(text); ok {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999-07:00",
		time.RFC3339Nano, "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("read time: %q is none", text)
}

// quickTime reads YYYY-MM-DD HH:MM:SS.ffffff, which is what nearly every time looks like.
func quickTime(s string) (t time.Time, ok bool) {
	if len(s) != len(sqliteTime) || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' || s[19] != '.' {
		return t, false
	}
	ok = true
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			ok = ok && c >= '0' && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	hour, minute, second, micro := number(11, 13), number(14, 16), number(17, 19), number(20, 26)
	if !ok || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, time.UTC), true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
