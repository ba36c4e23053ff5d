package trace

import (
	"strings"
	"time"
)

// Ports of the hub, as [Request.Port].
const (
	PortPublic = "public" // the proxy, which browsers and programs use
	PortHub    = "hub"    // the private one, which servers and services use
)

// Request is one request and its answer, without secrets.
type Request struct {
	ID   int64 // counts up from 1
	At   time.Time
	Took time.Duration // until the answer was complete
	Done bool          // false: it is still being answered

	Port    string // PortPublic or PortHub
	To      string // who answers: "hub", "service NAME", "server of USER"
	Method  string
	Host    string
	Address Address
	Status  int // 0 before the answer began

	Who Who

	// What the hub decided; empty for requests that went to services and servers.
	RequestID string   // as in the hub's log and X-Request-Id
	Route     string   // method and pattern, "" without
	Access    string   // the rule of the route, in words
	Needed    []string // scopes, any one of which is enough
	Held      []string // scopes of the identity
	XSRF      *XSRF
	Message   string // of the refusal
	Hint      string // the way out

	Header  []Field // of the request
	Cookies []Field // of the request
	Form    []Field // of the request's body
	Answer  []Field // headers of the answer
	Sets    []Cookie
	// Location is where a redirect leads, nil without.
	Location *Address
	Body     []Field // the top level of the answer when it is JSON of the OAuth endpoints or an error
}

// Who is who made a request.
type Who struct {
	Kind    string // "user", "service", "client" (of OAuth), "" for nobody or unknown
	Name    string
	Via     string // "cookie", "token", "client secret", "session": another request of the same browser told
	TokenID int64  // 0 without a token
	Note    string // of the token
	Client  string // OAuth client that the token was made for, "" for the hub's own
}

// String is the name with what it is.
func (w Who) String() string {
	if w.Kind == "" {
		return ""
	}
	if w.Kind == "user" {
		return w.Name
	}
	return w.Kind + " " + w.Name
}

// XSRF is how the check of the XSRF token went.
type XSRF struct {
	Exempt  string // why there was none
	Allowed bool
	Given   bool   // a token came with the request, in an argument or header
	Cookie  bool   // the browser sent an _xsrf cookie with a valid signature
	BoundTo string // what the token is bound to
	Message string // of the refusal
	Hint    string
}

// Field is a name with a value, or with the mark of a secret.
type Field struct {
	Name   string
	Value  string   // for a secret what stands before it, such as "token "
	Secret bool     // the value is a secret
	Mark   string   // of the secret
	Inner  *Address // the value is an address with parts of its own
}

// shownMark is how much of a mark people see.
const shownMark = 5

// Text is the value as people may see it.
func (f Field) Text() string {
	switch {
	case f.Inner != nil:
		return f.Inner.String()
	case f.Secret && f.Mark == "":
		return f.Value + "••••"
	case f.Secret:
		return f.Value + "••••" + f.Mark[:min(shownMark, len(f.Mark))]
	}
	return f.Value
}

// Address is a URL taken apart, without secrets.
type Address struct {
	Base  string // scheme and host, "" for a path
	Path  string // escaped
	Query []Field
}

// String is the address as people may see it.
func (a Address) String() string {
	var b strings.Builder
	b.WriteString(a.Base + a.Path)
	for i, f := range a.Query {
		b.WriteString([]string{"?", "&"}[min(i, 1)] + f.Name + "=" + f.Text())
	}
	return b.String()
}

// Get returns the first field of that name.
func (a Address) Get(name string) (Field, bool) { return Get(a.Query, name) }

// Get returns the first field of that name, in any case.
func Get(fields []Field, name string) (Field, bool) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// Cookie is a cookie that an answer sets.
type Cookie struct {
	Field
	Attributes string // as sent: "Path=/hub/; HttpOnly"
	Gone       bool   // it is taken away
}
