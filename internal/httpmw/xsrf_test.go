package httpmw_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/internal/httpmw"
)

func newXSRF(t *testing.T, env map[string]string) *httpmw.XSRF {
	t.Helper()
	x, err := httpmw.NewXSRF(testSigner(), func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestXSRFVector(t *testing.T) {
	x := newXSRF(t, nil)
	at(t, 1700000000, func(t *testing.T) {
		const want = "MnwxOjB8MTA6MTcwMDAwMDAwMHw1Ol94c3JmfDUyOmMybGtNVEl6T2pBeE1qTTBOVFkzT0RsaFltTmtaV1l3TVRJek5EVTJOemc1WVdKalpHVm18OTVhNDQwM2FkOGZmMDI5OGVkYzM1NDg3MTczZDAyZGI5NjEwNmZhNDMzZjQyYzk2OTgxOWMwNmM5OTQxNjI1Mg"
		id := x.UserTokenID("sid123", testID)
		if got := x.New(id); got != want {
			t.Errorf("got %s", got)
		}
		if token := x.Token("_xsrf="+want, id, "cors"); token != (httpmw.XSRFToken{Value: want}) {
			t.Errorf("got %+v", token)
		}
	})
}

func TestXSRFCookiesAsJupyterHub(t *testing.T) {
	c, _ := loadSigningCorpus(t)
	x := newXSRF(t, nil)
	at(t, c.Now, func(t *testing.T) {
		for _, row := range c.XSRFCookies {
			header, token, id := row[0], row[1], row[2]
			if id == "" { // JupyterHub found no valid cookie: the token is a new one
				got := x.Token(header, "sid:"+testID, "navigate")
				if !got.SetCookie {
					t.Errorf("%q: took %+v", header, got)
				}
				continue
			}
			if got := x.Token(header, id, "navigate"); got != (httpmw.XSRFToken{Value: token}) {
				t.Errorf("%q: got %+v, JupyterHub finds %q with id %q", header, got, token, id)
			}
		}
	})
}

func TestAnonymousIDAsJupyterHub(t *testing.T) {
	c, _ := loadSigningCorpus(t)
	h := http.Header{"User-Agent": {"Mozilla/5.0 \xc3\xbc"}, "X-A": {"1"}, "X-B": {""}}
	latin1 := http.Header{"User-Agent": {"Mozilla/5.0 \xfc"}, "X-A": {"1"}, "X-B": {""}}
	for _, row := range c.Anonymous {
		env := map[string]string{httpmw.XSRFAnonymousIPCIDRsEnv: *row[0]}
		if row[1] != nil {
			env[httpmw.XSRFAnonymousIDHeadersEnv] = *row[1]
		}
		x := newXSRF(t, env)
		if got, want := x.AnonymousTokenID("", *row[2], latin1), "None:"+*row[3]; got != want {
			t.Errorf("%v from %q: got %s, JupyterHub %s", env, *row[2], got, want)
		}
	}
	x := newXSRF(t, nil)
	if x.AnonymousTokenID("s", "ip", h) == x.AnonymousTokenID("s", "ip", latin1) || !strings.HasPrefix(x.AnonymousTokenID("s", "ip", h), "s:") {
		t.Error("the header does not count, or the session does not")
	}
	if x.ServiceTokenID() != ":" {
		t.Error("service id")
	}
}

func TestXSRFEnvironmentProblems(t *testing.T) {
	for _, bad := range []string{"10.0.0.1/8", "10.0.0.0/8,192.168.0.0/16", "x", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "10.0.0.0/8;"} {
		_, err := httpmw.NewXSRF(testSigner(), func(name string) (string, bool) { return bad, name == httpmw.XSRFAnonymousIPCIDRsEnv })
		if err == nil || !strings.Contains(err.Error(), httpmw.XSRFAnonymousIPCIDRsEnv) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := httpmw.NewXSRF(httpmw.Signer{}, nil); err == nil {
		t.Error("accepted without a secret")
	}
	if _, err := httpmw.NewXSRF(testSigner(), nil); err != nil {
		t.Error(err)
	}
}

func TestXSRFDecisionsAsJupyterHub(t *testing.T) {
	c, _ := loadSigningCorpus(t)
	d := c.Decisions
	x := newXSRF(t, nil)
	texts := map[string]bool{}
	at(t, c.Now, func(t *testing.T) {
		i := 0
		for _, api := range []bool{false, true} {
			for _, method := range d.Methods {
				for _, mode := range d.Modes {
					for _, site := range d.Sites {
						for n := range 8 {
							for _, given := range d.Given {
								q := httpmw.XSRFRequest{Method: method, FetchMode: mode, FetchSite: site, API: api,
									HasOrigin: n&4 != 0, TokenAuthenticated: n&2 != 0, UserFound: n&1 != 0,
									Cookie: "_xsrf=" + d.Token, ID: "sid:" + testID}
								switch {
								case given == "arg":
									q.Args = []string{d.Token}
								case strings.HasPrefix(given, "wrong"):
									q.Args = []string{"wrong"}
								case strings.HasPrefix(given, "empty"):
									q.Args = []string{""}
								}
								if given == "header" || strings.HasSuffix(given, "right-header") {
									q.Headers = []string{d.Token, ""}
								}
								if given == "csrf-header" {
									q.Headers = []string{"", d.Token}
								}
								got := x.Check(q)
								if code := decisionCode(got); i >= len(d.Want) || code != d.Want[i] {
									t.Fatalf("%+v (%s): got %c %+v, JupyterHub %c", q, given, code, got, d.Want[i])
								}
								if got.Message != "" {
									texts[got.Message] = true
									if got.Hint == "" || strings.Contains(got.Hint, d.Token) {
										t.Errorf("hint %q", got.Hint)
									}
								}
								i++
							}
						}
					}
				}
			}
		}
		if i != len(d.Want) {
			t.Errorf("%d combinations, the corpus has %d", i, len(d.Want))
		}
	})
	for _, want := range d.Texts {
		if !texts[want] {
			t.Errorf("JupyterHub's text %q did not come", want)
		}
	}
	if len(texts) != len(d.Texts) {
		t.Errorf("texts %v, JupyterHub's are %v", texts, d.Texts)
	}
}

func decisionCode(d httpmw.XSRFDecision) byte {
	switch {
	case !d.Needed:
		return '-'
	case d.Allowed:
		return '+'
	case strings.Contains(d.Message, "missing"):
		return 'm'
	}
	return 'x'
}

func TestXSRFTokensAreBoundToTheLogin(t *testing.T) {
	x := newXSRF(t, nil)
	alice, bob := x.UserTokenID("s1", "alice's cookie_id"), x.UserTokenID("s1", "bob's cookie_id")
	other := x.UserTokenID("s2", "alice's cookie_id")
	anonymous := x.AnonymousTokenID("s1", "192.0.2.1", http.Header{})
	token := x.New(alice)
	post := func(cookie, arg, id string) httpmw.XSRFDecision {
		return x.Check(httpmw.XSRFRequest{Method: "POST", UserFound: true, Cookie: cookie, Args: []string{arg}, ID: id})
	}
	if got := post("_xsrf="+token, token, alice); !got.Allowed || got.Token.Value != token {
		t.Errorf("the right one: %+v", got)
	}
	for _, id := range []string{bob, other, anonymous, ":"} {
		got := post("_xsrf="+token, token, id)
		if got.Allowed || got.Token.Value == token || !got.Token.SetCookie {
			t.Errorf("alice's token for id %q: %+v", id, got)
		}
	}
	// A self-made pair of cookie and argument is worth nothing (CVE-2024-28233).
	if got := post("_xsrf=forged", "forged", alice); got.Allowed || got.Message != "XSRF cookie does not match POST argument" {
		t.Errorf("a forged pair: %+v", got)
	}
	if got := post("_xsrf="+token, "", alice); got.Message != "'_xsrf' argument missing from POST" {
		t.Errorf("no argument: %+v", got)
	}
	// The last argument counts: the body's, after the query's.
	args := httpmw.XSRFRequest{Method: "POST", Cookie: "_xsrf=" + token, Args: []string{"old", " " + token + " "}, ID: alice}
	if got := x.Check(args); !got.Allowed {
		t.Errorf("the last argument: %+v", got)
	}
	slices.Reverse(args.Args)
	if got := x.Check(args); got.Allowed {
		t.Errorf("the first argument: %+v", got)
	}
}

func TestXSRFCookieOnNavigationOnly(t *testing.T) {
	x := newXSRF(t, nil)
	got := map[string]bool{}
	for _, mode := range []string{"", "navigate", "cors", "no-cors", "same-origin", "websocket"} {
		got[mode] = x.Token("", "sid:uid", mode).SetCookie
	}
	want := map[string]bool{"": true, "navigate": true, "cors": false, "no-cors": false, "same-origin": false, "websocket": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzXSRFToken(f *testing.F) {
	x, err := httpmw.NewXSRF(testSigner(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("s:u", 3, byte(1))
	f.Fuzz(func(t *testing.T, id string, i int, change byte) {
		if id == "" || len(id) > 2000 || change == 0 {
			return
		}
		token := x.New(id)
		if got := x.Token("_xsrf="+token, id, "cors"); got.Value != token {
			t.Fatalf("own token of %q not recognised", id)
		}
		changed := []byte(token)
		changed[uint(i)%uint(len(changed))] ^= change
		got := x.Check(httpmw.XSRFRequest{Method: "POST", Cookie: "_xsrf=" + string(changed), Args: []string{string(changed)}, ID: id})
		if got.Allowed && got.Token.Value != token {
			t.Errorf("changed token %q accepted", changed)
		}
	})
}
