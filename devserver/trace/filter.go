package trace

import (
	"strconv"
	"strings"
)

// Filter chooses requests; empty fields choose all.
type Filter struct {
	Path   string // a part of the address or of who answers
	Status string // "404", "4xx", or "failed" for 400 and above
	Who    string // a part of the identity: a name, a token id as "#12", or "nobody"
	Method string
}

// Match tells whether a request is chosen.
func (f Filter) Match(r *Request) bool {
	return f.path(r) && f.status(r.Status) && f.who(r.Who) && (f.Method == "" || strings.EqualFold(f.Method, r.Method))
}

func (f Filter) path(r *Request) bool {
	want := strings.ToLower(strings.TrimSpace(f.Path))
	return want == "" || strings.Contains(strings.ToLower(r.Address.String()), want) || strings.Contains(strings.ToLower(r.To), want)
}

func (f Filter) status(code int) bool {
	switch want := strings.ToLower(strings.TrimSpace(f.Status)); {
	case want == "":
		return true
	case want == "failed":
		return code >= 400
	case len(want) == 3 && strings.HasSuffix(want, "xx"):
		return strconv.Itoa(code/100) == want[:1]
	default:
		return strconv.Itoa(code) == want
	}
}

func (f Filter) who(w Who) bool {
	want := strings.ToLower(strings.TrimSpace(f.Who))
	switch {
	case want == "":
		return true
	case want == "nobody":
		return w.Kind == ""
	case strings.HasPrefix(want, "#"):
		return w.TokenID != 0 && strconv.FormatInt(w.TokenID, 10) == want[1:]
	}
	return strings.Contains(strings.ToLower(w.String()), want)
}

// Latest returns at most n chosen requests, the latest first, and how many more there are.
func Latest(all []Request, f Filter, n int) (out []Request, more int) {
	for i := len(all) - 1; i >= 0; i-- {
		if !f.Match(&all[i]) {
			continue
		}
		if len(out) == n {
			more++
			continue
		}
		out = append(out, all[i])
	}
	return out, more
}
