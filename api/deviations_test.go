package api_test

import (
	"slices"
	"strings"
)

// deviation is a deliberate difference from JupyterHub's answer, with its reason.
type deviation struct {
	why    string
	change func(*seen)
}

// refused is an answer with another status and some message.
func refused(status int) func(*seen) {
	return func(s *seen) {
		*s = seen{Status: status, ContentType: "application/json", CSP: apiCSP, Answer: map[string]any{"status": float64(status), "message": "<some message>"}}
	}
}

func nullMessage(status int) func(*seen) {
	return func(s *seen) {
		refused(status)(s)
		s.Answer.(map[string]any)["message"] = nil
	}
}

func answers(v any) func(*seen) {
	return func(s *seen) {
		*s = seen{Status: 200, ContentType: "application/json", CSP: apiCSP, CORS: s.CORS, Answer: v}
	}
}

const (
	apiCSP      = "frame-ancestors 'none'; report-uri /hub/security/csp-report; default-src 'none'"
	extra       = "an addition of minihub: OpenID Connect clients ask here"
	typeChecked = "a value of the wrong type is an error that names the field, not whatever Python makes of it"
	noCrash     = "JupyterHub crashes"
	neverRan    = "the default server has no row; JupyterHub's answer depends on whether somebody looked at it since its start"
)

// onlyNamed keeps the users whose name contains text.
func onlyNamed(text string) func(*seen) {
	return func(s *seen) {
		s.Answer = slices.DeleteFunc(s.Answer.([]any), func(u any) bool { return !strings.Contains(u.(map[string]any)["name"].(string), text) })
	}
}

// noOptions makes the options of the default server null in a user model.
func noOptions(s *seen) {
	s.Answer.(map[string]any)["servers"].(map[string]any)[""].(map[string]any)["user_options"] = nil
}

var deviations = map[string]deviation{
	" GET /hub/api/oauth2/userinfo ":                    {extra, nullMessage(403)},
	"nobody-token-000000 GET /hub/api/oauth2/userinfo ": {extra, nullMessage(403)},
	"nothing GET /hub/api/oauth2/userinfo ":             {extra, answers(map[string]any{"name": "nothing", "sub": "service:nothing"})},
	"root GET /hub/api/oauth2/userinfo ":                {extra, answers(map[string]any{"name": "root", "sub": "service:root"})},
	" POST /hub/api/oauth2/token ": {"RFC 6749 section 5.2: what is missing is named", func(s *seen) {
		s.Answer = map[string]any{"error": "invalid_request", "error_description": "the body must be application/x-www-form-urlencoded"}
	}},

	"root HEAD /hub/api/ ":                   {"nobody sends HEAD to the root across origins", func(s *seen) { s.CORS = "" }},
	"root POST /hub/api/health ":             {"what is wrong is the method", nullMessage(405)},
	" OPTIONS /hub/api/health ":              {"errors below /hub/api are JSON", nullMessage(405)},
	" OPTIONS /hub/api/metrics ":             {"web has the route, which is not mounted here", nullMessage(404)},
	"root GET /hub/api/users/alice/tokens/ ": {"an empty token id is no route", nullMessage(404)},

	"root GET /hub/api/users/alice?include_stopped_servers ":    {neverRan, noOptions},
	"onalice GET /hub/api/users/alice?include_stopped_servers ": {neverRan, noOptions},
	"alice GET /hub/api/users/alice?include_stopped_servers ":   {neverRan, noOptions},
	`root PATCH /hub/api/users/alice/server {"name": "x"}`:      {"a default server that never ran cannot be renamed", refused(404)},
	"root GET /hub/api/users/alice/server/progress (400)":       {"a server that does not run has no progress, whatever it did before", nullMessage(404)},

	`root DELETE /hub/api/users/alice/servers/uno {"remove": "x"}`:   {typeChecked, refused(400)},
	`root DELETE /hub/api/users/alice/servers/two {"remove": "yes"}`: {typeChecked, refused(400)},
	`root POST /hub/api/services/dyn {}`:                             {"the body is looked at before the database", refused(400)},
	`root POST /hub/api/services/shown {}`:                           {"the body is looked at before the database", refused(400)},
	`root POST /hub/api/users {"usernames": "abc"}`:                  {typeChecked, refused(400)},
	`alice POST /hub/api/users/alice/tokens {"expires_in": true}`:    {typeChecked, refused(400)},

	`root POST /hub/api/shares/alice/one {"user": "bob", "scopes": ["nosuch"]}`: {noCrash, refused(400)},
	`root POST /hub/api/shares/alice/one {"user": ""}`:                          {noCrash, refused(400)},

	"root GET /hub/api/users?name_filter=%25 ": {"the text is searched for; it is no pattern", onlyNamed("%")},
}
