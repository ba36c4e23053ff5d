package spawner

import (
	"encoding/json"
	"math"
)

// State is the JSON object kept in spawners.state between hub restarts (JupyterHub: {"pid": n} for local processes).
type State map[string]any

// Int returns the whole number under key. It takes every type a number has after decoding JSON (float64, json.Number)
// and before encoding it; ok is false for anything else, also for fractions and what does not fit.
func (s State) Int(key string) (n int64, ok bool) {
	switch v := s[key].(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return 0, false
		}
		return int64(v), true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	}
	return 0, false
}

// Text returns the string under key, "" when there is none.
func (s State) Text(key string) string {
	text, _ := s[key].(string)
	return text
}
