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

// leftOut are recorded requests whose deliberate difference would change all that follows; api's TestRecorded has them.
var leftOut = map[string]bool{
	`root POST /hub/api/users {"usernames": "abc"}`:                  true, // JupyterHub creates a, b and c
	`alice POST /hub/api/users/alice/tokens {"expires_in": true}`:    true, // JupyterHub makes a token for a second
	`root DELETE /hub/api/users/alice/servers/two {"remove": "yes"}`: true, // JupyterHub removes the server
	`root PATCH /hub/api/users/alice/server {"name": "x"}`:           true, // JupyterHub renames the default server when it has looked at it before
}

// status expects these two statuses, and lets all else go.
func status(theirs, ours int) func(*seenAnswer, *seenAnswer) {
	return func(t, o *seenAnswer) {
		if t.Status == theirs && o.Status == ours {
			*t = *o
		}
	}
}

// header lets one header go.
func header(name string) func(*seenAnswer, *seenAnswer) {
	return func(t, o *seenAnswer) {
		delete(t.Headers, name)
		delete(o.Headers, name)
	}
}

// body lets the body go.
func body(t, o *seenAnswer) { t.Body = o.Body }

// groupTotal: minihub counts the groups that the caller may see.
func groupTotal(t, o *seenAnswer) {
	for _, a := range []*seenAnswer{t, o} {
		if page, ok := a.Body.(map[string]any); ok {
			delete(page, "_pagination")
		}
	}
}

// anyRetry: the suggested time is random, between 30 and 60 seconds.
func anyRetry(theirs, ours *seenAnswer) {
	for _, a := range []*seenAnswer{theirs, ours} {
		if seconds, err := strconv.Atoi(a.Headers["Retry-After"]); err == nil && seconds >= 30 && seconds <= 60 {
			a.Headers["Retry-After"] = "<30 to 60>"
		}
	}
}

// fieldDifferences are by request, as regular expressions of whole lines: who, method, path, body.
var fieldDifferences = map[string]fieldDifference{
	`root POST /hub/api/users/bob/server(s/slow)?`:                       {"the time is random", anyRetry, true},
	`.*POST /hub/api/(users/[^/]+/tokens|share-codes/[^/]+/[^/]*)( .*)?`: {"answers with a secret are not to be stored", header("Cache-Control"), false},
	`root PATCH /hub/api/users/alice/servers/(one|uno) .*`:               {"JupyterHub names the charset of this answer alone", header("Content-Type"), false},
	`(root )?OPTIONS /hub/api/users/page01/servers/run/progress`:         {"OPTIONS answers nothing, so no event stream", header("Content-Type"), false},
	`root (HEAD|TRACE|BREW) /hub/api/?`:                                  {"nobody sends these across origins", header("Access-Control-Allow-Origin"), false},
	`root TRACE /hub/api/nosuch`:                                         {"there is nothing whatever the method", status(405, 404), false},
	`ing1 GET /hub/api/groups.*`:                                         {"JupyterHub's total counts groups that the caller may not see", groupTotal, false},
	`root GET /hub/api/users\?name_filter=(%25|%2500|_)`:                 {"the text is searched for, it is no pattern", body, false},
	`.*GET /hub/api/oauth2/userinfo`:                                     {"an addition", func(t, o *seenAnswer) { *t = *o }, false},
	`root POST /hub/api/health`:                                          {"what is wrong is the method", status(403, 405), false},
	`OPTIONS /hub/api/(health|metrics)`:                                  {"errors below /hub/api are JSON", func(t, o *seenAnswer) { *t = *o }, false},
	`POST /hub/api/oauth2/token`:                                         {"what is missing is named", body, false},
	`root DELETE /hub/api/users/alice/servers/uno {"remove": "x"}`:       {"the body is looked at first", status(404, 400), false},
	`root GET /hub/api/users/alice/server/progress`:                      {"a server that does not run has no progress", status(400, 404), false},
	`root POST /hub/api/services/(dyn|shown) {}`:                         {"the body is looked at first", status(409, 400), false},
	`root POST /hub/api/shares/alice/one {"user": .*}`:                   {"JupyterHub crashes", status(500, 400), false},
	`root GET /hub/api/users/alice/tokens/`:                              {"an empty token id is no route: the message is null", body, false},
}
