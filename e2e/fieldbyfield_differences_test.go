//go:build e2e

package e2e

import "strconv"

// fieldDifference is a difference on purpose, with its reason; docs/differences.md has it too. change makes the answers alike where they
// may differ, and leaves the rest as it is.
type fieldDifference struct {
	why      string
	change   func(theirs, ours *seenAnswer)
	starting bool // of TestStartingFieldByField
}

// anyRetry: JupyterHub suggests a random time between 30 and 60 seconds, and so does minihub.
func anyRetry(theirs, ours *seenAnswer) {
	for _, a := range []*seenAnswer{theirs, ours} {
		if seconds, err := strconv.Atoi(a.Headers["Retry-After"]); err == nil && seconds >= 30 && seconds <= 60 {
			a.Headers["Retry-After"] = "<30 to 60>"
		}
	}
}

// fieldDifferences are by request, as regular expressions of whole lines: who, method, path, body.
var fieldDifferences = map[string]fieldDifference{
	`root POST /hub/api/users/bob/server(s/slow)?`: {"the time is random", anyRetry, true},
}
