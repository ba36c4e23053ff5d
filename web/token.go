package web

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// hubClient is the OAuth client of tokens that the hub itself issued.
const hubClient = "jupyterhub"

// tokenPage shows a person's tokens and the form for a new one.
func (s *Site) tokenPage(w http.ResponseWriter, r *http.Request) error {
	return s.showTokens(w, r, http.StatusOK, nil)
}

// tokenRequest takes the form for a new token. The answer shows the token, the only time that it can be seen.
func (s *Site) tokenRequest(w http.ResponseWriter, r *http.Request) error {
	form, _, err := readForm(r)
	if err != nil {
		return err
	}
	n := hub.NewToken{Note: strings.TrimSpace(form.Get("note"))}
	if n.Note == "" {
		n.Note = "Requested via token page"
	}
	if seconds := form.Get("expires_in"); seconds != "" {
		number, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil || number > int64(100*365*24*time.Hour/time.Second) {
			return s.showTokens(w, r, http.StatusBadRequest, map[string]any{"token_error": s.words(r).sayError("The expiry must be a number of seconds")})
		}
		n.ExpiresIn = new(time.Duration(number) * time.Second)
	}
	if scopes := strings.FieldsFunc(strings.Join(form["scopes"], " "), func(c rune) bool { return c == ' ' || c == ',' || c == '\t' || c == '\n' }); len(scopes) > 0 {
		n.Scopes = scopes
	}
	user := pageUser(r)
	created, token, err := s.o.Hub.Tokens.Create(r.Context(), identity(r), user.Name, n)
	if e := asHubError(err); e != nil && httpmw.Status(e) < 500 {
		return s.showTokens(w, r, httpmw.Status(e), map[string]any{"token_error": s.words(r).sayError(e.Message), "hint": s.words(r).sayError(e.Hint),
			"token_note": clip(form.Get("note")), "token_scopes": strings.TrimSpace(strings.Join(form["scopes"], " "))})
	}
	if err != nil {
		return err
	}
	return s.showTokens(w, r, http.StatusOK, map[string]any{"new_token": token, "new_token_note": text(created.Note)})
}

// tokenRevoke takes the button of one token.
func (s *Site) tokenRevoke(w http.ResponseWriter, r *http.Request) error {
	form, _, err := readForm(r)
	if err != nil {
		return err
	}
	user, access := pageUser(r), s.o.Hub.Access
	if err := access.Check(r.Context(), identity(r), access.OnUser(r.Context(), user.Name), "tokens"); err != nil {
		return err
	}
	if err := s.o.Hub.Tokens.Revoke(r.Context(), user.Name, form.Get("token_id")); err != nil {
		return err
	}
	return redirect(w, http.StatusSeeOther, s.hub+"token")
}

// toTokenPage is where a reload of the answer to a form ends.
func (s *Site) toTokenPage(w http.ResponseWriter, _ *http.Request) error {
	return redirect(w, http.StatusSeeOther, s.hub+"token")
}

func (s *Site) showTokens(w http.ResponseWriter, r *http.Request, status int, own map[string]any) error {
	user := pageUser(r)
	views, err := s.o.Hub.Tokens.List(r.Context(), user.Name)
	if err != nil {
		return err
	}
	slices.Reverse(views) // the latest first
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	limit := s.o.Traits.Tokens.MaxExpiry
	vars := map[string]any{"auth_state": templateValue(state), "token_expires_in_options_html": expiryOptions(s.words(r), limit),
		"token_expires_in_max_seconds": int(limit / time.Second), "new_token": nil, "token_error": nil, "hint": "",
		"scope_choices": s.scopeChoices(r)}
	vars["api_tokens"], vars["oauth_clients"] = tokenLists(views)
	for k, v := range own {
		vars[k] = v
	}
	return s.render(w, r, view{template: "token.html", status: status, vars: vars})
}

// tokenLists sorts tokens into those of the hub, one by one, and those of applications, one entry per application.
func tokenLists(views []hub.TokenView) (own, clients list) {
	byClient := map[string]object{}
	for i := range views {
		t := &views[i]
		o := tokenObject(t)
		if t.ClientID == nil || *t.ClientID == hubClient {
			own = append(own, o)
			continue
		}
		c := byClient[*t.ClientID]
		if c == nil {
			c = object{"client": object{"identifier": *t.ClientID, "description": t.ClientDescription}, "description": t.ClientDescription,
				"created": o["created"], "last_activity": o["last_activity"], "token_id": o["api_id"], "tokens": list{}, "token_count": 0}
			byClient[*t.ClientID] = c
			clients = append(clients, c)
		}
		c["tokens"] = append(c["tokens"].(list), o)
		c["token_count"] = len(c["tokens"].(list))
		if earlier(o["created"], c["created"]) {
			c["created"] = o["created"]
		}
		if earlier(c["last_activity"], o["last_activity"]) {
			c["last_activity"] = o["last_activity"]
		}
	}
	for _, c := range byClient {
		c["scopes"] = scopesOf(c["tokens"].(list))
	}
	return own, clients
}

func scopesOf(tokens list) list {
	var all []string
	for _, t := range tokens {
		for _, scope := range t.(object)["scopes"].(list) {
			all = append(all, scope.(string))
		}
	}
	slices.Sort(all)
	return texts(slices.Compact(all))
}

// earlier compares two times of templates; none is the earliest.
func earlier(a, b any) bool {
	at := func(v any) (t time.Time) {
		if v, ok := v.(*timeVar); ok {
			t = v.at
		}
		return t
	}
	return at(a).Before(at(b))
}

func tokenObject(t *hub.TokenView) object {
	return object{"api_id": "a" + strconv.FormatInt(t.ID, 10), "note": text(t.Note), "scopes": texts(t.Scopes), "effective": texts(t.Effective),
		"last_activity": moment(t.LastActivity), "created": moment(t.Created), "expires_at": moment(t.ExpiresAt), "client_id": text(t.ClientID)}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// expiryOptions are the <option> elements of the token form: the usual spans up to the maximum, then the maximum or "Never".
func expiryOptions(w words, limit time.Duration) string {
	const day = 24 * time.Hour
	spans := []struct {
		d     time.Duration
		label string
	}{{time.Hour, w.say("1 Hour")}, {day, w.say("1 Day")}, {7 * day, w.say("1 Week")}, {30 * day, w.say("1 Month")}, {365 * day, w.say("1 Year")}}
	type option struct{ value, label string }
	var options []option
	exact := false
	for _, span := range spans {
		if limit == 0 || span.d <= limit {
			options = append(options, option{strconv.Itoa(int(span.d / time.Second)), span.label})
			exact = exact || span.d == limit
		}
	}
	switch {
	case limit == 0:
		options = append(options, option{"", w.say("Never")})
	case !exact:
		options = append(options, option{"", w.say("Max (%(time)s)", "time", span(w, limit))})
	}
	var b strings.Builder
	for i, o := range options {
		selected := ""
		if i == len(options)-1 {
			selected = ` selected="selected"`
		}
		fmt.Fprintf(&b, "<option value=%q%s>%s</option>\n", o.value, selected, html.EscapeString(o.label))
	}
	return b.String()
}

func span(w words, d time.Duration) string {
	if d < 72*time.Hour {
		return w.say("%(num)s hours", "num", fmt.Sprintf("%.0f", d.Hours()))
	}
	return w.say("%(num)s days", "num", fmt.Sprintf("%.0f", d.Hours()/24))
}
