package config

import (
	"regexp"
	"sort"
	"strings"
)

// distance is the Levenshtein distance between two names, case ignored.
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		prev := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, prev+cost)
		}
	}
	return row[len(y)]
}

// nearest returns the known name that is closest to name, or "" when none is close: a third of its length, at least 2.
func nearest(name string, known []string) string {
	limit := max(2, len(name)/3)
	best, bestAt := "", limit+1
	sorted := append([]string{}, known...)
	sort.Strings(sorted)
	for _, k := range sorted {
		if d := distance(name, k); d < bestAt {
			best, bestAt = k, d
		}
	}
	return best
}

// didYouMean returns a way out that names the nearest known name, or the fallback.
func didYouMean(name, prefix string, known []string, fallback string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + prefix + near + "?"
	}
	return fallback
}

// restrictingPattern matches names that decide who gets in or who rules: a typing error there must not go unnoticed.
var restrictingPattern = regexp.MustCompile(`^(allow|block|admin|deny|forbid|ban)|(white|black|allow|block|deny)_?list|_groups$|^group_|_users$`)

// restricts reports whether an unknown trait name of an authenticator looks like a rule about access.
func restricts(name string) bool {
	if restrictingPattern.MatchString(strings.ToLower(name)) {
		return true
	}
	for _, known := range []string{"allowed_users", "blocked_users", "admin_users", "allowed_groups", "admin_groups", "whitelist",
		"group_whitelist", "username_pattern", "allow_all", "allow_existing_users", "manage_groups", "manage_roles",
		"delete_invalid_users", "auth_refresh_strict", "check_account"} {
		if distance(name, known) <= 2 {
			return true
		}
	}
	return false
}
