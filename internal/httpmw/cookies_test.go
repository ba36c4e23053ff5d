package httpmw_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/internal/httpmw"
)

func newCookies(t *testing.T, o httpmw.CookieOptions) *httpmw.Cookies {
	t.Helper()
	c, err := httpmw.NewCookies(testSigner(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withCookie is a request's headers with this Cookie line.
func withCookie(line string) http.Header { return http.Header{"Cookie": {line}} }

func TestSetCookieAsJupyterHub(t *testing.T) {
	c, signer := loadSigningCorpus(t)
	if len(c.SetCookie) < 50 {
		t.Fatalf("the corpus has %d cases", len(c.SetCookie))
	}
	at(t, c.Now, func(t *testing.T) {
		x, err := httpmw.NewXSRF(signer, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range c.SetCookie {
			o := httpmw.CookieOptions{BaseURL: tc.Layout.BaseURL, HubPrefix: tc.Layout.HubPrefix, Domain: tc.Layout.Domain,
				HostPrefix: tc.Layout.Host, Attributes: tc.Options, XSRFAttributes: tc.XSRF}
			if tc.Public != nil {
				o.PublicURL = *tc.Public + "://hub.test/"
			}
			cookies := newCookies(t, o)
			https := tc.Proto == "https"
			for what, got := range map[string]struct {
				do   func(h http.Header)
				want []string
			}{
				"login":          {func(h http.Header) { cookies.SetLogin(h, https, testID) }, tc.Login},
				"session":        {func(h http.Header) { cookies.SetSession(h, https, "5e5510") }, tc.Session},
				"xsrf user":      {func(h http.Header) { cookies.SetXSRF(h, x.New("sid:uid"), true) }, tc.XSRFUser},
				"xsrf anonymous": {func(h http.Header) { cookies.SetXSRF(h, x.New("sid:uid"), false) }, tc.XSRFAnonymous},
				"clear":          {func(h http.Header) { cookies.ClearLogin(h, true) }, tc.Clear},
			} {
				h := http.Header{}
				got.do(h)
				if diff := cmp.Diff(got.want, h["Set-Cookie"]); diff != "" {
					t.Errorf("%s with %+v (- JupyterHub, + minihub):\n%s", what, o, diff)
				}
			}
		}
	})
}

func TestReadCookiesAsTornado(t *testing.T) {
	c, _ := loadSigningCorpus(t)
	for _, raw := range c.Headers {
		var row []json.RawMessage
		var header string
		var want map[string]string
		if json.Unmarshal(raw, &row) != nil || json.Unmarshal(row[0], &header) != nil || json.Unmarshal(row[1], &want) != nil {
			t.Fatalf("corpus row %s", raw)
		}
		got := map[string]string{}
		for name, value := range httpmw.AllCookies(header) {
			got[name] = value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (- Tornado, + minihub):\n%s", header, diff)
		}
	}
}

func TestLoginCookie(t *testing.T) {
	cookies := newCookies(t, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/", MaxAge: time.Hour})
	h := http.Header{}
	cookies.SetLogin(h, false, testID)
	pair, _, _ := strings.Cut(h.Get("Set-Cookie"), "; ")
	if !strings.HasPrefix(pair, `jupyterhub-hub-login="2|1:0|`) || !strings.HasSuffix(pair, `"`) {
		t.Fatalf("not quoted: %s", pair)
	}
	old := testSigner().Sign(testLogin, testID, time.Now().Add(-2*time.Hour))
	for _, tc := range []struct {
		header http.Header
		want   error
	}{
		{withCookie(pair), nil},
		{withCookie(strings.ReplaceAll(pair, `"`, "")), nil},
		{withCookie("a=b; " + pair + "; c=d"), nil},
		{http.Header{"Cookie": {"a=b", pair}}, nil}, // HTTP/2
		{withCookie(testLogin + "=rubbish; " + pair), nil},
		{withCookie(pair + "; " + testLogin + "=rubbish"), httpmw.ErrNotSigned}, // the last one counts, as in Tornado
		{withCookie(testLogin + "=" + old), httpmw.ErrSignedTooLong},
		{withCookie("__Host-" + pair), httpmw.ErrNoCookie},
		{withCookie(testLogin + "="), httpmw.ErrNoCookie},
		{http.Header{}, httpmw.ErrNoCookie},
	} {
		id, err := cookies.Login(tc.header)
		if !errors.Is(err, tc.want) || err == nil && id != testID {
			t.Errorf("%q: %q, %v; want %v", tc.header, id, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "rubbish") {
			t.Errorf("the error shows the cookie: %v", err)
		}
	}

	prefixed := newCookies(t, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/", HostPrefix: true, Attributes: map[string]any{"domain": "hub.test"}})
	h = http.Header{}
	prefixed.SetLogin(h, false, testID)
	if line := h.Get("Set-Cookie"); strings.Contains(line, "Domain") || !strings.Contains(line, "; Path=/;") || !strings.HasSuffix(line, "; Secure") {
		t.Errorf("browsers would drop this __Host- cookie: %s", line)
	}
	// The prefix is part of the signed name: a cookie set without it cannot be renamed.
	if _, err := prefixed.Login(withCookie("__Host-" + pair)); !errors.Is(err, httpmw.ErrWrongName) {
		t.Errorf("a renamed cookie: %v", err)
	}
}

func TestAnswerHasOneLinePerCookie(t *testing.T) {
	cookies := newCookies(t, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/"})
	h := http.Header{"Set-Cookie": {"other=1"}}
	cookies.DropLogin(h)
	cookies.SetLogin(h, false, testID)
	lines := h["Set-Cookie"]
	if len(lines) != 2 || lines[0] != "other=1" || !strings.HasPrefix(lines[1], testLogin+`="2|`) {
		t.Errorf("got %q", lines)
	}
}

func TestSessionID(t *testing.T) {
	cookies := newCookies(t, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/"})
	id := httpmw.NewSessionID()
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || id == httpmw.NewSessionID() {
		t.Errorf("session id %q", id)
	}
	for value, want := range map[string]string{id: id, `"` + id + `"`: id, "": "", "a b": "", "<x>": "", strings.Repeat("a", 65): ""} {
		if got := cookies.SessionID(withCookie("jupyterhub-session-id=" + value)); got != want {
			t.Errorf("session cookie %q: got %q, want %q", value, got, want)
		}
	}
	h := http.Header{}
	cookies.ClearLogin(h, false)
	for _, line := range h["Set-Cookie"] {
		if strings.HasPrefix(line, "jupyterhub-session-id") {
			t.Errorf("a session that was not there is cleared: %s", line)
		}
	}
}

func TestCookieOptionProblems(t *testing.T) {
	ok := httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/"}
	with := func(change func(*httpmw.CookieOptions)) httpmw.CookieOptions { o := ok; change(&o); return o }
	attributes := func(m map[string]any) httpmw.CookieOptions {
		return with(func(o *httpmw.CookieOptions) { o.Attributes = m })
	}
	for _, tc := range []struct {
		o    httpmw.CookieOptions
		want []string
	}{
		{attributes(map[string]any{"SameSite": "Loose", "sekure": true}), []string{`tornado_settings["cookie_options"]["SameSite"]`, "Strict, Lax or None", `["sekure"]`, "not a cookie attribute"}},
		{attributes(map[string]any{"domain": "a; Path=/"}), []string{"must not contain ';'"}},
		{attributes(map[string]any{"path": 1}), []string{"must be a string"}},
		{attributes(map[string]any{"secure": "yes"}), []string{"must be true or false"}},
		{attributes(map[string]any{"expires_days": "1"}), []string{"must be a number"}},
		{attributes(map[string]any{"max_age": 1e300}), []string{"out of range"}},
		{attributes(map[string]any{"expires": json.Number("x")}), []string{"must be a number"}},
		{with(func(o *httpmw.CookieOptions) { o.XSRFAttributes = map[string]any{"x": 1} }), []string{`tornado_settings["xsrf_cookie_kwargs"]["x"]`}},
		{with(func(o *httpmw.CookieOptions) { o.HubPrefix = "/hub" }), []string{"JupyterHub.base_url", "slash"}},
		{with(func(o *httpmw.CookieOptions) { o.BaseURL = "/a b/" }), []string{"escaped"}},
		{with(func(o *httpmw.CookieOptions) { o.PublicURL = "hub.test" }), []string{"JupyterHub.public_url"}},
	} {
		_, err := httpmw.NewCookies(testSigner(), tc.o)
		if err == nil {
			t.Errorf("accepted %+v", tc.o)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error lacks %q: %v", want, err)
			}
		}
	}
	for _, value := range []any{1, int64(1), uint64(1), 1.0, json.Number("1")} {
		if _, err := httpmw.NewCookies(testSigner(), attributes(map[string]any{"max_age": value, "secure": value, "expires-days": value})); err != nil {
			t.Errorf("%T: %v", value, err)
		}
	}
	if _, err := httpmw.NewCookies(httpmw.Signer{}, ok); err == nil {
		t.Error("accepted without a secret")
	}
}

func FuzzCookieHeader(f *testing.F) {
	for _, seed := range []string{`a=1; b="\"\054"`, ";;=;", `a="\`, `_xsrf="x"; _xsrf=y`, "\x00=\xff"} {
		f.Add(seed, seed)
	}
	cookies, err := httpmw.NewCookies(testSigner(), httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/"})
	if err != nil {
		f.Fatal(err)
	}
	x, err := httpmw.NewXSRF(testSigner(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header, value string) {
		if id, err := cookies.Login(withCookie(header)); err == nil {
			t.Errorf("logged in as %q by %q", id, header)
		}
		if token := x.Token(header, "sid:uid", "cors"); token.SetCookie || token.Value == "" {
			t.Errorf("token %+v for %q", token, header)
		}
		// What is written can be read, and cannot break out of its line.
		line := httpmw.CookieLine("name", value)
		if strings.ContainsAny(line, "\r\n;") && !strings.Contains(line, "; Path=/") || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line %q", line)
		}
		pair, _, _ := strings.Cut(line, "; Path=/")
		for name, got := range httpmw.AllCookies(pair) {
			if name != "name" || got != value {
				t.Errorf("%q came back as %q = %q", value, name, got)
			}
		}
	})
}
