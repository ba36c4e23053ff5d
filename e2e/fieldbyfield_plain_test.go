//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What differs with each run is replaced by its form, so that the form is compared.

var (
	fieldTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$`)
	proxyTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	shareCode = regexp.MustCompile(`code=[\w-]{43}`)
	nextAfter = regexp.MustCompile(`&after=\d+`)
	localPort = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`)
	rowID     = regexp.MustCompile(`^(a|sc_)\d+$`)
	hexToken  = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// freeOrder are the lists whose order says nothing.
var freeOrder = map[string]bool{"scopes": true, "roles": true, "groups": true, "users": true, "api_tokens": true}

func (s *side) plain(v any, key string, status int) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 && (key == "state" || key == "user_options") { // JupyterHub says {} for a server that it has in memory, else null
			return nil
		}
		if key == "state" { // belongs to the spawner
			return "<state>"
		}
		out := map[string]any{}
		for k, x := range v {
			switch {
			case k == "hint" || k == "request_id" || k == "managed" || k == "capabilities": // additions, see docs/differences.md
			case k == "message" && status >= 400 && x != nil:
				out[k] = messageForm(fmt.Sprint(x))
			default:
				out[k] = s.plain(x, k, status)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = s.plain(x, key, status)
		}
		if freeOrder[key] {
			slices.SortFunc(out, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		return out
	case string:
		return s.plainString(v, key)
	case float64:
		if key == "pid" && v != 0 {
			return "<pid>"
		}
	}
	return v
}

func (s *side) plainString(v, key string) any {
	switch {
	case key == "class" || key == "python" || key == "sys_executable" || key == "version":
		return "<" + key + ">"
	case key == "token" && hexToken.MatchString(v):
		return "<token>"
	case (key == "id" || key == "token_id") && rowID.MatchString(v): // which row it is depends on the order in which tokens are made at the start
		return "<id>"
	case key == "code" && len(v) == 43:
		return "<code>"
	case fieldTime.MatchString(v):
		return "<time>"
	case proxyTime.MatchString(v):
		return "<time in ms>"
	}
	return s.plainText(v)
}

// plainText replaces addresses and codes inside a text.
func (s *side) plainText(v string) string {
	for _, address := range []string{s.hub.URL, s.hub.APIURL} {
		if u, err := url.Parse(address); err == nil {
			v = strings.ReplaceAll(v, u.Host, "<hub>")
		}
	}
	v = nextAfter.ReplaceAllString(v, "") // an addition, see docs/differences.md
	return localPort.ReplaceAllString(shareCode.ReplaceAllString(v, "code=<code>"), "<address>")
}

// messageForm keeps what clients look for in a message; the words are free.
func messageForm(text string) string {
	for _, known := range []string{"requires any of [", "Missing or invalid credentials", "No access to resources or resources not found"} {
		if strings.Contains(text, known) {
			return text
		}
	}
	return "<some message>"
}
