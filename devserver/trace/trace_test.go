package trace_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/devserver/trace"
)

func TestARecorderKeepsTheLatest(t *testing.T) {
	c := trace.NewRecorder(3)
	changed, stop := c.Watch()
	defer stop()
	for n := range 5 {
		c.Begin(trace.Request{Method: "GET", Address: trace.Address{Path: fmt.Sprint("/", n)}})
	}
	all := c.All()
	if len(all) != 3 || all[0].ID != 3 || all[2].Address.Path != "/4" {
		t.Errorf("kept %+v, want the requests 3 to 5", all)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if _, ok := c.Get(1); ok {
		t.Error("the first request is still there")
	}
	c.End(trace.Request{ID: 4, Status: 204, Done: true})
	c.End(trace.Request{ID: 1, Status: 500}) // forgotten already
	if r, ok := c.Get(4); !ok || r.Status != 204 || len(c.All()) != 3 {
		t.Errorf("request 4 is %+v of %d", r, len(c.All()))
	}
	c.Drop(4)
	if _, ok := c.Get(4); ok || len(c.All()) != 2 {
		t.Error("a dropped request is still there")
	}
	c.Clear()
	if id := c.Begin(trace.Request{}); len(c.All()) != 1 || id != 6 {
		t.Errorf("after Clear the next request has the ID %d, want 6", id)
	}
}

func TestARecorderOfManyAtOnce(t *testing.T) {
	c := trace.NewRecorder(50)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				id := c.Begin(trace.Request{})
				c.Session("mark", "ann")
				c.End(trace.Request{ID: id, Status: 200})
				trace.Latest(c.All(), trace.Filter{Status: "2xx"}, 5)
			}
		})
	}
	all.Wait()
	if n := len(c.All()); n != 50 {
		t.Errorf("%d requests are kept, want 50", n)
	}
	if c.Session("mark", "") != "ann" {
		t.Error("the session is forgotten")
	}
}

func TestFilters(t *testing.T) {
	r := trace.Request{Method: "POST", To: "service whoami", Status: 404, Address: trace.Address{Path: "/services/Whoami/x"},
		Who: trace.Who{Kind: "user", Name: "ann", TokenID: 12}}
	nobody := trace.Request{Method: "GET", To: "hub", Status: 200}
	for _, row := range []struct {
		f              trace.Filter
		match, nobodys bool
	}{
		{trace.Filter{}, true, true},
		{trace.Filter{Path: "whoami/X"}, true, false},
		{trace.Filter{Path: "service"}, true, false},
		{trace.Filter{Path: "hub"}, false, true},
		{trace.Filter{Status: "4xx"}, true, false},
		{trace.Filter{Status: "404"}, true, false},
		{trace.Filter{Status: "failed"}, true, false},
		{trace.Filter{Status: "200"}, false, true},
		{trace.Filter{Who: "an"}, true, false},
		{trace.Filter{Who: "#12"}, true, false},
		{trace.Filter{Who: "#1"}, false, false},
		{trace.Filter{Who: "nobody"}, false, true},
		{trace.Filter{Method: "post"}, true, false},
		{trace.Filter{Method: "GET", Status: "2xx"}, false, true},
	} {
		if got := row.f.Match(&r); got != row.match {
			t.Errorf("%+v matches ann's request: %v, want %v", row.f, got, row.match)
		}
		if got := row.f.Match(&nobody); got != row.nobodys {
			t.Errorf("%+v matches nobody's request: %v, want %v", row.f, got, row.nobodys)
		}
	}
	all := []trace.Request{{ID: 1, Status: 200}, {ID: 2, Status: 500}, {ID: 3, Status: 200}, {ID: 4, Status: 200}}
	got, more := trace.Latest(all, trace.Filter{Status: "2xx"}, 2)
	if len(got) != 2 || got[0].ID != 4 || got[1].ID != 3 || more != 1 {
		t.Errorf("the latest are %+v and %d more", got, more)
	}
}

const secret = "very-secret-value"

// TestNoSecretIsKept puts a secret wherever requests have one.
func TestNoSecretIsKept(t *testing.T) {
	m := trace.NewMask()
	var fields []trace.Field
	for _, header := range [][2]string{
		{"Authorization", "token " + secret}, {"Authorization", "Bearer " + secret}, {"authorization", "Basic " + secret}, {"Authorization", secret},
		{"Proxy-Authorization", "Basic " + secret}, {"X-XSRFToken", secret}, {"X-Csrftoken", secret}, {"X-Api-Key", secret}, {"X-Auth-State", secret},
		{"Referer", "http://h/callback?code=" + secret + "&state=" + secret}, {"Location", "/x?access_token=" + secret},
		{"Location", "/hub/login?next=%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fstate%3D" + secret}, {"Location", "http://user:" + secret + "@h/"},
		{"Sec-Websocket-Protocol", "v1.token.websocket.jupyter.org." + secret},
	} {
		fields = append(fields, m.Header(header[0], header[1]))
	}
	for _, query := range []string{"token=" + secret, "a=b&_xsrf=" + secret, "password=" + secret, "client_secret=" + secret, "code_verifier=" + secret,
		"next=%2Fx%3Fcode%3D" + secret, "next=%2Fx%3Fnext%3D%252Fy%253Ftoken%253D" + secret, "a=%zz" + secret, "session_id=" + secret, "otp=" + secret, "new_password=" + secret} {
		fields = append(fields, m.Query(query)...)
	}
	fields = append(fields, m.Cookies("a="+secret+"; b=\""+secret+"\"")...)
	c := m.SetCookie("login=" + secret + "; Path=/; HttpOnly")
	fields = append(fields, c.Field)
	for _, raw := range []string{"/hub/api/authorizations/token/" + secret, "/base/hub/api/authorizations/cookie/name/" + secret, "/user/x/lab?token=" + secret} {
		a, ok := m.Address(raw)
		if !ok {
			t.Fatalf("%s is no address", raw)
		}
		fields = append(fields, trace.Field{Name: raw, Inner: &a})
	}
	for _, f := range fields {
		if text := fmt.Sprintf("%+v %s", dump(f), f.Text()); strings.Contains(strings.ReplaceAll(text, f.Name, ""), secret) {
			t.Errorf("%s keeps the secret: %s", f.Name, text)
		}
	}
	if len(c.Attributes) == 0 || c.Gone || !m.SetCookie("login=; Max-Age=0").Gone {
		t.Errorf("the cookie is %+v", c)
	}
}

// dump is a field with its inner address.
func dump(f trace.Field) string {
	out := fmt.Sprintf("%s=%s/%s", f.Name, f.Value, f.Mark)
	if f.Inner != nil {
		out += f.Inner.Base + f.Inner.Path
		for _, q := range f.Inner.Query {
			out += dump(q)
		}
	}
	return out
}

func TestMarksFollowASecret(t *testing.T) {
	m := trace.NewMask()
	header, param := m.Header("Authorization", "token abc"), m.Param("access_token", "abc")
	if header.Mark == "" || header.Mark != param.Mark || header.Mark == m.Mark("abd") {
		t.Errorf("marks %q and %q of the same secret", header.Mark, param.Mark)
	}
	if header.Text() == param.Text() || !strings.HasPrefix(header.Text(), "token ••••") {
		t.Errorf("people see %q", header.Text())
	}
	if trace.NewMask().Mark("abc") == m.Mark("abc") {
		t.Error("another process has the same marks")
	}
	for name, value := range map[string]string{"code_challenge": "xyz", "client_id": "service-x", "scope": "a b", "response_type": "code"} {
		if f := m.Param(name, value); f.Text() != value {
			t.Errorf("%s is shown as %q", name, f.Text())
		}
	}
}

func TestExplainXSRF(t *testing.T) {
	for _, row := range []struct {
		name string
		r    trace.Request
		want string
	}{
		{"a service", trace.Request{To: "service x"}, "makes its own check"},
		{"exempt", trace.Request{To: "hub", XSRF: &trace.XSRF{Exempt: "a page view", Allowed: true}}, "Not needed: a page view"},
		{"matched", trace.Request{To: "hub", XSRF: &trace.XSRF{Allowed: true, BoundTo: "this login"}}, "Matched"},
		{"no copy", trace.Request{To: "hub", XSRF: &trace.XSRF{Cookie: true}}, "carries no copy"},
		{"nothing", trace.Request{To: "hub", XSRF: &trace.XSRF{}}, "neither an _xsrf cookie"},
		{"no cookie", trace.Request{To: "hub", XSRF: &trace.XSRF{Given: true}}, "sent no valid _xsrf cookie"},
		{"another login", trace.Request{To: "hub", XSRF: &trace.XSRF{Given: true, Cookie: true, BoundTo: "this login"}}, "does not belong to this login"},
		{"not reached", trace.Request{To: "hub"}, "Not checked"},
	} {
		if got := row.r.ExplainXSRF(); !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestExplainCookies(t *testing.T) {
	for name, want := range map[string]string{
		"jupyterhub-hub-login": "The login.", "__Host-jupyterhub-hub-login": "The login.", "jupyterhub-session-id": "session of this browser", "_xsrf": "HMAC-SHA256",
		"service-whoami": "The login at the service", "service-whoami-oauth-state": "OAuth state", "jupyterhub-user-ann": "single-user server", "tracker": "Not one of the hub's",
	} {
		if c := trace.ExplainCookie(name, "/base/"); !strings.Contains(c.Purpose, want) {
			t.Errorf("%s: %q, want %q", name, c.Purpose, want)
		}
	}
	if c := trace.ExplainCookie("service-whoami", "/base/"); c.Path != "/base/services/whoami/" {
		t.Errorf("its path is %s", c.Path)
	}
}
