package trace_test

import (
	"strings"
	"testing"

	"github.com/minihub/minihub/devserver/trace"
)

// story makes requests as a hub sees them.
type story struct {
	m    *trace.Mask
	list []trace.Request
}

func (s *story) add(method, target string, status int, more func(*trace.Request)) {
	a, _ := s.m.Address(target)
	r := trace.Request{ID: int64(len(s.list) + 1), Done: true, Method: method, Address: a, Status: status, To: "hub"}
	if more != nil {
		more(&r)
	}
	s.list = append(s.list, r)
}

func (s *story) to(location string) func(*trace.Request) {
	a, _ := s.m.Address(location)
	return func(r *trace.Request) { r.Location = &a }
}

const authorize = "/b/hub/api/oauth2/authorize?client_id=service-x&response_type=code&state=S1&redirect_uri=%2Fb%2Fservices%2Fx%2Foauth_callback"

func ann(r *trace.Request) { r.Who = trace.Who{Kind: "user", Name: "ann"} }

// begin is a login up to the consent page.
func (s *story) begin() {
	s.add("GET", "/b/services/x/", 302, s.to(authorize))
	s.add("GET", authorize, 302, s.to("/b/hub/login?next=%2Fb%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dservice-x%26state%3DS1"))
	s.add("GET", "/b/hub/login?next=%2Fb%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dservice-x%26state%3DS1", 200, nil)
	s.add("POST", "/b/hub/login?next=%2Fb%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dservice-x%26state%3DS1", 302, func(r *trace.Request) {
		r.Form = []trace.Field{{Name: "username", Value: "ann"}}
	})
	s.add("GET", "/b/hub/static/style.css", 200, nil)
	s.add("GET", authorize, 200, ann)
}

// code is the consent and the way back.
func (s *story) code(status int) {
	s.add("POST", authorize, 302, func(r *trace.Request) { ann(r); s.to("/b/services/x/oauth_callback?code=C1&state=S1")(r) })
	s.add("GET", "/b/services/x/oauth_callback?code=C1&state=S1", status, nil)
}

func (s *story) token(code, secret string, status int, body string) {
	s.add("POST", "/b/hub/api/oauth2/token", status, func(r *trace.Request) {
		r.Form = s.m.Query("grant_type=authorization_code&client_id=service-x&code=" + code + "&client_secret=" + secret)
		r.Body = s.m.Query(body)
	})
}

func (s *story) user(token string, status int) {
	s.add("GET", "/b/hub/api/user", status, func(r *trace.Request) {
		r.Header = []trace.Field{s.m.Header("Authorization", "token "+token)}
		ann(r)
		r.Held = []string{"access:services!service=x"}
	})
}

func TestALoginIsPutTogether(t *testing.T) {
	s := &story{m: trace.NewMask()}
	s.begin()
	s.code(302)
	s.token("C1", "shh", 200, "access_token=T1&token_type=Bearer")
	s.user("T1", 200)
	s.user("T1", 200) // asked again later: no part of the login
	s.user("other", 200)
	all := trace.Dances(s.list, "/b/")
	if len(all) != 1 {
		t.Fatalf("%d logins, want 1", len(all))
	}
	d := all[0]
	if d.Client != "service-x" || d.User != "ann" || d.State() != "complete" || len(d.Steps) != 9 {
		t.Errorf("client %q, user %q, %s, %d steps", d.Client, d.User, d.State(), len(d.Steps))
	}
	want := []struct {
		from, to trace.Party
		what     string
	}{
		{trace.Browser, trace.Service, "sends it to the hub"}, {trace.Browser, trace.Hub, "Nobody is logged in"}, {trace.Browser, trace.Hub, "login page"},
		{trace.Browser, trace.Hub, "logs in"}, {trace.Browser, trace.Hub, "asks the user"}, {trace.Browser, trace.Hub, "agrees"},
		{trace.Browser, trace.Service, "brings the code"}, {trace.Service, trace.Hub, "exchanges"}, {trace.Service, trace.Hub, "whose token"},
	}
	for n, w := range want {
		if n >= len(d.Steps) {
			break
		}
		if got := d.Steps[n]; got.From != w.from || got.To != w.to || !strings.Contains(got.What, w.what) {
			t.Errorf("step %d is %s → %s %q, want %s → %s %q", n+1, got.From, got.To, got.What, w.from, w.to, w.what)
		}
	}
}

func TestTwoLoginsAtOnceStayApart(t *testing.T) {
	s := &story{m: trace.NewMask()}
	other := strings.ReplaceAll(authorize, "S1", "S2")
	s.add("GET", authorize, 200, ann)
	s.add("GET", other, 200, nil)
	s.add("GET", strings.ReplaceAll(authorize, "service-x", "service-y"), 200, nil) // another client with the same state
	s.add("POST", other, 302, s.to("/b/services/x/oauth_callback?code=C2&state=S2"))
	s.token("C2", "shh", 200, "access_token=T2")
	all := trace.Dances(s.list, "/b/")
	if len(all) != 3 || all[0].Client != "service-y" {
		t.Fatalf("%d logins, the latest of %s; want 3, service-y", len(all), all[0].Client)
	}
	if n, m := len(all[1].Steps), len(all[2].Steps); n != 3 || m != 1 {
		t.Errorf("the second login has %d steps and the first %d, want 3 and 1", n, m)
	}
	if all[1].State() != "under way" {
		t.Errorf("the second login is %s", all[1].State())
	}
}

func TestFailedLoginsSayWhy(t *testing.T) {
	for _, row := range []struct {
		name string
		tell func(*story)
		want string // in Failed, "" for none
	}{
		{"the user may not", func(s *story) {
			s.add("GET", authorize, 403, func(r *trace.Request) {
				ann(r)
				r.Message, r.Hint = "You do not have permission to access x", "needs access:services"
			})
		}, "403: You do not have permission to access x (needs access:services)"},
		{"the client asks for too much", func(s *story) {
			s.add("GET", authorize, 302, s.to("/b/services/x/oauth_callback?error=invalid_scope&error_description=no+such+scope&state=S1"))
			s.add("GET", "/b/services/x/oauth_callback?error=invalid_scope&error_description=no+such+scope&state=S1", 400, nil)
		}, "invalid_scope: no such scope"},
		{"a wrong client secret", func(s *story) {
			s.begin()
			s.code(500)
			s.token("C1", "wrong", 401, "error=invalid_client&error_description=wrong+secret")
		}, "invalid_client: wrong secret"},
		{"a code that is not known", func(s *story) { s.token("C9", "shh", 400, "error=invalid_grant") }, "invalid_grant"},
		{"a state that does not match", func(s *story) { s.begin(); s.code(400) }, "the client answers 400"},
		{"a wrong password", func(s *story) {
			s.add("POST", "/b/hub/login?next=%2Fb%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dservice-x%26state%3DS1", 403,
				func(r *trace.Request) { r.Message = "Invalid username or password" })
		}, "403: Invalid username or password"},
		{"a token that is over", func(s *story) {
			s.begin()
			s.code(302)
			s.token("C1", "shh", 200, "access_token=T1")
			s.user("T1", 403)
		}, "403"},
		{"a mistake made good", func(s *story) {
			s.add("POST", "/b/hub/login?next=%2Fb%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dservice-x%26state%3DS1", 403, nil)
			s.begin()
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &story{m: trace.NewMask()}
			row.tell(s)
			all := trace.Dances(s.list, "/b/")
			if len(all) != 1 {
				t.Fatalf("%d logins, want 1", len(all))
			}
			if d := all[0]; row.want == "" && d.Failed != "" || row.want != "" && (!strings.Contains(d.Failed, row.want) || d.State() != "failed") {
				t.Errorf("%s, because %q, want %q", d.State(), d.Failed, row.want)
			}
		})
	}
}

func TestOtherRequestsAreNoLogins(t *testing.T) {
	s := &story{m: trace.NewMask()}
	s.add("GET", "/b/services/x/?code=python", 200, nil)
	s.add("GET", "/b/services/x/?error=1", 500, nil)
	s.add("GET", "/b/hub/login", 200, nil)
	s.add("GET", "/b/hub/home", 302, s.to("/b/hub/login?next=%2Fb%2Fhub%2Fhome"))
	s.user("T", 200)
	if all := trace.Dances(s.list, "/b/"); len(all) != 0 {
		t.Errorf("%d logins: %+v", len(all), all[0])
	}
}

func TestCurl(t *testing.T) {
	m := trace.NewMask()
	address := func(raw string) trace.Address { a, _ := m.Address(raw); return a }
	for _, row := range []struct {
		name        string
		r           trace.Request
		want, never []string
	}{
		{"by token", trace.Request{Method: "DELETE", Address: address("/hub/api/users/o'neil?x=a b"), Header: []trace.Field{m.Header("Authorization", "token "+secret)}},
			[]string{`curl -i -X DELETE -H "Authorization: token $MINIHUB_TOKEN" 'http://h/hub/api/users/o'\''neil?x=a+b'`}, []string{"login", "-b"}},
		{"a page", trace.Request{Method: "GET", Address: address("/hub/home"), Who: trace.Who{Kind: "user", Name: "ann", Via: "cookie"}},
			[]string{"-d username=ann", "-L -b", "http://h/hub/home"}, []string{"X-XSRFToken"}},
		{"a form", trace.Request{Method: "POST", Address: address("/hub/spawn"), Cookies: m.Cookies("a=b"), Form: m.Query("size=big one&_xsrf=" + secret)},
			[]string{"-X POST", "X-XSRFToken: $(awk", `--data-urlencode 'size=big one'`}, []string{"-L -b minihub-cookies.txt -c minihub-cookies.txt -H"}},
		{"the API by cookie", trace.Request{Method: "GET", Address: address("/hub/api/users"), Cookies: m.Cookies("a=b")}, []string{"X-XSRFToken"}, nil},
		{"a code", trace.Request{Method: "POST", Address: address("/hub/api/oauth2/token"), Form: m.Query("code=" + secret + "&client_id=x&client_secret=" + secret)},
			[]string{`--data-urlencode "code=$CODE"`, `"client_secret=$CLIENT_SECRET"`, "client_id=x"}, []string{"login"}},
		{"a secret in the address", trace.Request{Method: "GET", Address: address("/x?state=" + secret + "&a=b")}, []string{`--url-query "state=$STATE"`, "http://h/x?a=b"}, nil},
	} {
		c := trace.Curl(&row.r, "http://h", "/")
		for _, w := range row.want {
			if !strings.Contains(c.Text, w) {
				t.Errorf("%s: %s\nlacks %s", row.name, c.Text, w)
			}
		}
		for _, w := range append(row.never, secret) {
			if strings.Contains(c.Text, w) {
				t.Errorf("%s: %s\nhas %s", row.name, c.Text, w)
			}
		}
	}
}
