package inspector

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// ownClient is the OAuth client of tokens that were made for no client.
const ownClient = "jupyterhub"

// Decided implements app.Inspect.Decided.
func (i *Inspector) Decided(r *http.Request, d httpmw.Decision) {
	c, _ := r.Context().Value(captureKey{}).(*captured)
	if c == nil {
		return
	}
	t := &c.r
	if d.Err != nil {
		t.Message, t.Hint = d.Err.Message, d.Err.Hint
	}
	if t.To != "hub" && strings.HasSuffix(d.Route, "/error/{code}") { // the page of the proxy for a backend that does not answer
		t.Message = "the proxy could not reach it"
		return
	}
	t.To = "hub"
	t.RequestID, t.Route, t.Needed = d.RequestID, d.Route, d.Access.Scopes()
	if d.Route != "" {
		t.Access = rule(d.Access)
	}
	t.Who = whoOf(d)
	if d.Identity != nil {
		t.Held = slices.Clone(d.Identity.Expanded)
	}
	if d.ByCookie && t.Who.Kind == "user" {
		i.rec.Session(i.mask.Mark(d.SessionID), t.Who.Name)
	}
	if x := d.XSRF; x != nil {
		t.XSRF = &trace.XSRF{Exempt: x.Exempt, Allowed: x.Allowed, Given: x.Given, Cookie: x.Cookie, BoundTo: x.BoundTo, Message: x.Message, Hint: x.Hint}
	}
}

// rules are the accesses of routes as sentences.
var rules = map[httpmw.AccessKind]string{
	httpmw.KindPublic: "anybody may", httpmw.KindIdentified: "any login or token will do", httpmw.KindLoggedIn: "a browser that is logged in; others are sent to the login page",
	httpmw.KindNeeds: "a scope without a filter", httpmw.KindList: "a scope with any filter; the answer has what the filter lets through",
	httpmw.KindOnUser: "a scope for the user in the address", httpmw.KindOnServer: "a scope for the server in the address",
	httpmw.KindOnServers: "a scope for all servers of the user in the address", httpmw.KindOnGroup: "a scope for the group in the address",
	httpmw.KindOnService: "a scope for the service in the address", httpmw.KindClientAuth: "id and secret of an OAuth client",
}

// rule says who may use a route.
func rule(a httpmw.Access) string {
	if text, ok := rules[a.Kind()]; ok {
		return text
	}
	return a.String()
}

func whoOf(d httpmw.Decision) trace.Who {
	id := d.Identity
	if id == nil {
		return trace.Who{}
	}
	w := trace.Who{Kind: id.Kind(), Name: id.Name(), Via: "cookie"}
	if token := id.Token; token != nil {
		w.Via, w.TokenID = "token", token.ID
		if token.Note != nil {
			w.Note = *token.Note
		}
		if token.ClientID != nil && *token.ClientID != ownClient {
			w.Client = *token.ClientID
		}
	}
	return w
}

// fields takes a form or the top level of a JSON object apart.
func (i *Inspector) fields(body []byte) []trace.Field {
	text := bytes.TrimSpace(body)
	if len(text) == 0 {
		return nil
	}
	if text[0] != '{' && text[0] != '[' {
		return i.mask.Query(string(text))
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return []trace.Field{{Name: "body", Value: fmt.Sprintf("%d bytes", len(body))}}
	}
	var out []trace.Field
	for name, raw := range object {
		value := string(raw)
		var s string
		var list []string
		switch {
		case json.Unmarshal(raw, &s) == nil:
			value = s
		case json.Unmarshal(raw, &list) == nil:
			value = strings.Join(list, " ")
		case len(raw) > 0 && (raw[0] == '{' || raw[0] == '['):
			value = "…" // what is inside might be a secret
		}
		out = append(out, i.mask.Param(name, value))
	}
	sortFields(out)
	return out
}

func sortFields(fields []trace.Field) {
	slices.SortStableFunc(fields, func(a, b trace.Field) int { return cmp.Compare(a.Name, b.Name) })
}

// roleOf tells by which roles the holder of a request has a scope.
type roleOf struct {
	Scope string
	By    []string
}

// rolesFor tells by what a user holds those scopes of a request that its route asks for, as things are now.
func (i *Inspector) rolesFor(r *http.Request, t *trace.Request) (out []roleOf) {
	if t.Who.Kind != "user" {
		return nil
	}
	for _, held := range t.Held {
		name, _, _ := strings.Cut(held, "!")
		if !slices.Contains(t.Needed, name) {
			continue
		}
		it := roleOf{Scope: held}
		why, err := i.inside.Why(r.Context(), t.Who.Name, held)
		if err == nil {
			it.By = sources(why)
		}
		out = append(out, it)
	}
	return out
}

func sources(p *hub.Permission) (out []string) {
	for _, s := range p.By {
		out = append(out, s.What+" ("+strings.Join(s.Scopes, ", ")+")")
	}
	return out
}
