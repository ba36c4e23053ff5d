package orm

import (
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// touchRows moves last_activity forward. Ids are sorted, so that two hubs on PostgreSQL lock rows in one order.
func touchRows(db *gorm.DB, d dialect, table string, at map[int64]time.Time) error {
	return touchWith(func(query string, args ...any) error { return db.Exec(query, args...).Error }, d, table, at)
}

func touchWith(exec func(query string, args ...any) error, d dialect, table string, at map[int64]time.Time) error {
	ids := slices.Sorted(maps.Keys(at))
	for part := range slices.Chunk(ids, insertRows) {
		part = pad(part)
		args := make([]any, 0, 2*len(part))
		for _, id := range part {
			args = append(args, id, stamp(at[id]))
		}
		err := exec(`UPDATE `+table+` SET last_activity = v.column2 FROM (VALUES `+d.activityRows(len(part))+`) AS v WHERE `+table+
			`.id = v.column1 AND (`+table+`.last_activity IS NULL OR `+table+`.last_activity < v.column2)`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}
