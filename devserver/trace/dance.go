package trace

import (
	"strconv"
	"strings"
	"time"
)

// Paths of the hub that a login is made of; they follow base_url.
const (
	pathAuthorize = "hub/api/oauth2/authorize"
	pathToken     = "hub/api/oauth2/token"
	pathLogin     = "hub/login"
	pathUser      = "hub/api/user"
)

// Dance is one OAuth login (RFC 6749 section 4.1): a client sends the browser to the hub, and gets a code, a token, and the user.
type Dance struct {
	ID     int64  // of its first request
	Client string // client_id
	User   string // who logged in, "" before that is known
	Steps  []Step
	Began  time.Time
	Failed string // why it failed, "" when it did not
	Done   bool   // the client knows the user
}

// Step is a request of a Dance.
type Step struct {
	Request Request
	What    string // what happens, in a few words
	From    Party
	To      Party
	Params  []Field // those of the request that matter here
	Result  []Field // those of the answer
	Failed  string  // why the step failed
}

// Party is one of the three that take part.
type Party string

// The parties of a login.
const (
	Browser Party = "browser"
	Service Party = "client"
	Hub     Party = "hub"
)

// State says how far the login came.
func (d *Dance) State() string {
	switch {
	case d.Failed != "":
		return "failed"
	case d.Done:
		return "complete"
	}
	return "under way"
}

// dances puts requests together.
type dances struct {
	base string
	list []*Dance
	// what leads from a request to its dance: marks of secrets
	byState, byCode, byToken map[string]*Dance
}

// Dances finds the logins in requests, which are ordered by time. The latest login comes first.
func Dances(all []Request, base string) []*Dance {
	d := &dances{base: base, byState: map[string]*Dance{}, byCode: map[string]*Dance{}, byToken: map[string]*Dance{}}
	for i := range all {
		d.add(&all[i])
	}
	out := make([]*Dance, 0, len(d.list))
	for i := len(d.list) - 1; i >= 0; i-- {
		out = append(out, d.list[i])
	}
	return out
}

func (d *dances) add(r *Request) {
	path := strings.TrimPrefix(r.Address.Path, d.base)
	switch {
	case path == pathAuthorize:
		d.authorize(r)
	case path == pathLogin:
		d.login(r)
	case path == pathToken && r.Method == "POST":
		d.token(r)
	case path == pathUser && r.Method == "GET":
		d.user(r)
	case r.Location != nil && strings.TrimPrefix(r.Location.Path, d.base) == pathAuthorize:
		it := d.of(*r.Location, r)
		it.step(r, Step{What: "The client has no login for this browser and sends it to the hub", From: Browser, To: Service, Result: r.Location.Query})
	default:
		d.callback(r)
	}
}

// of finds the dance of an authorization request by client and state; a state that was not seen begins one.
func (d *dances) of(a Address, r *Request) *Dance {
	client, _ := a.Get("client_id")
	state, _ := a.Get("state")
	key := client.Value + " " + state.Mark
	if it := d.byState[key]; it != nil {
		return it
	}
	it := d.start(client.Value, r)
	d.byState[key] = it
	if state.Mark != "" {
		d.byState[state.Mark] = it // for answers, which do not name the client
	} else {
		d.byState[key] = nil // without a state nothing ties two requests together
	}
	return it
}

func (d *dances) start(client string, r *Request) *Dance {
	it := &Dance{ID: r.ID, Client: client, Began: r.At}
	d.list = append(d.list, it)
	return it
}

func (it *Dance) step(r *Request, s Step) {
	s.Request = *r
	it.Steps = append(it.Steps, s)
	it.Failed = s.Failed // a later step that works makes up for an earlier one that did not
}

// authorize is the hub's authorization endpoint: the consent page, its form, and the redirect with the code.
func (d *dances) authorize(r *Request) {
	it := d.of(r.Address, r)
	if r.Who.Kind == "user" {
		it.User = r.Who.Name
	}
	s := Step{From: Browser, To: Hub, Params: append(append([]Field{}, r.Address.Query...), chosen(r.Form)...)}
	to := Address{}
	if r.Location != nil {
		to = *r.Location
		s.Result = to.Query
	}
	code, hasCode := to.Get("code")
	refusal, refused := to.Get("error")
	switch {
	case hasCode:
		d.byCode[code.Mark] = it
		s.What = "The user may, and need not be asked: the hub sends the browser back with a code"
		if r.Method == "POST" {
			s.What = "The user agrees, and the hub sends the browser back with a code"
		}
	case refused:
		s.What, s.Failed = "The hub refuses and tells the client", oauthError(refusal, to.Query)
	case r.Location != nil && strings.TrimPrefix(to.Path, d.base) == pathLogin:
		s.What = "Nobody is logged in: the hub sends the browser to its login page"
	case r.Status == 200 && r.Method == "GET":
		s.What = "The hub asks the user whether the client may know who they are"
	case r.Status >= 400:
		s.What, s.Failed = "The hub refuses", failure(r)
	default:
		s.What = "The hub answers " + strconv.Itoa(r.Status)
	}
	it.step(r, s)
}

// chosen are the scopes that were ticked on the consent page.
func chosen(form []Field) (out []Field) {
	for _, f := range form {
		if f.Name == "scopes" {
			out = append(out, f)
		}
	}
	return out
}

// login is the hub's login page on the way.
func (d *dances) login(r *Request) {
	next, ok := r.Address.Get("next")
	if !ok || next.Inner == nil || strings.TrimPrefix(next.Inner.Path, d.base) != pathAuthorize {
		return
	}
	it := d.of(*next.Inner, r)
	s := Step{From: Browser, To: Hub, What: "The login page"}
	if r.Method == "POST" {
		s.What, s.Params = "The user logs in", r.Form
		if r.Status >= 400 {
			s.Failed = failure(r)
		}
		if name, ok := Get(r.Form, "username"); ok && s.Failed == "" {
			it.User = name.Value
		}
	}
	it.step(r, s)
}

// callback is the browser that comes back to the client.
func (d *dances) callback(r *Request) {
	code, hasCode := r.Address.Get("code")
	refusal, refused := r.Address.Get("error")
	state, _ := r.Address.Get("state")
	it := d.byCode[code.Mark]
	if it == nil && (hasCode || refused) {
		it = d.byState[state.Mark]
	}
	if it == nil || state.Mark == "" && code.Mark == "" {
		return
	}
	s := Step{From: Browser, To: Service, What: "The browser brings the code to the client", Params: r.Address.Query}
	switch {
	case refused:
		s.What, s.Failed = "The browser tells the client that the hub refused", oauthError(refusal, r.Address.Query)
	case r.Status >= 400:
		s.Failed = "the client answers " + strconv.Itoa(r.Status) + ": see its log; a state that does not match the browser's cookie is refused, and so is a code that the hub does not take"
	}
	it.step(r, s)
}

// token is the client that exchanges the code.
func (d *dances) token(r *Request) {
	code, _ := Get(r.Form, "code")
	it := d.byCode[code.Mark]
	client, _ := Get(r.Form, "client_id")
	if it == nil {
		it = d.start(client.Value, r)
		if code.Mark != "" {
			d.byCode[code.Mark] = it
		}
	}
	s := Step{From: Service, To: Hub, What: "The client exchanges the code for a token", Params: r.Form, Result: r.Body}
	if token, ok := Get(r.Body, "access_token"); ok && r.Status == 200 {
		d.byToken[token.Mark] = it
	} else if r.Done {
		refusal, _ := Get(r.Body, "error")
		s.Failed = oauthError(refusal, r.Body)
	}
	it.step(r, s)
}

// user is the client that asks whose token it got. Later questions with the same token are no part of the login.
func (d *dances) user(r *Request) {
	header, _ := Get(r.Header, "Authorization")
	it := d.byToken[header.Mark]
	if it == nil || it.Done || header.Mark == "" {
		return
	}
	s := Step{From: Service, To: Hub, What: "The client asks the hub whose token it is", Params: []Field{header}}
	if r.Status >= 400 {
		s.Failed = failure(r)
	} else if r.Done {
		it.Done = true
		it.User = r.Who.Name
		s.Result = []Field{{Name: "name", Value: r.Who.Name}, {Name: "scopes", Value: strings.Join(r.Held, " ")}}
	}
	it.step(r, s)
}

// oauthError is an error of RFC 6749 section 4.1.2.1 or 5.2 with its description.
func oauthError(code Field, rest []Field) string {
	text := code.Value
	if text == "" {
		text = "no token in the answer"
	}
	if description, ok := Get(rest, "error_description"); ok && description.Text() != "" {
		text += ": " + description.Text()
	}
	return text
}

// failure is why the hub refused.
func failure(r *Request) string {
	text := strconv.Itoa(r.Status)
	if r.Message != "" {
		text += ": " + r.Message
	}
	if r.Hint != "" {
		text += " (" + r.Hint + ")"
	}
	return text
}
