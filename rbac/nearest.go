package rbac

// nearest returns the known name that a misspelt one probably means, "" when none is close. "all", the name of a
// draft, means inherit.
func (c *Catalog) nearest(name string) string {
	if name == "all" {
		return scopeInherit
	}
	// One slip in four characters is a typing error; more than that is another word.
	best, bestDistance := "", min(len(name)/4+1, 4)
	for _, known := range c.names {
		if d := editDistance(name, known, bestDistance); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = known, d
		}
	}
	return best
}

// editDistance counts the single-character changes between two words. It gives up with limit+1 once it is certain that
// more than limit are needed, so that a very long word costs nothing.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
