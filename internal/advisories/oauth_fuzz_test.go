package advisories_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzAuthorizeQuery: whatever comes in the query, nobody is sent away but to the client's own address, and nothing is an internal error.
func FuzzAuthorizeQuery(f *testing.F) {
	good := url.Values{"response_type": {"code"}, "client_id": {"jupyterhub-user-ann"}, "redirect_uri": {"/user/ann/oauth_callback"}, "state": {"s"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	f.Add(good.Encode())
	for key, values := range map[string][]string{
		"response_type": {"token", "code token", "", "codex"}, "client_id": {"jupyterhub", "nosuch", "", "jupyterhub-user-bob"}, "state": {"\r\nSet-Cookie: a=b", "%", strings.Repeat("x", 1500), "ü\"<>"}, "scope": {"inherit", "admin:users", "a b", "!"},
		"redirect_uri":   {"http://evil.test/", "//evil.test", "/user/ann/oauth_callback/", "/user/ann/../x", "/user/ann/oauth_callback?x=1", "/user/ann/oauth_callback#f", "/user/bob/oauth_callback", "http://[::", "javascript:x"},
		"code_challenge": {"", "x", strings.Repeat("a", 129)}, "code_challenge_method": {"plain", "none", "s256"},
	} {
		for _, v := range values {
			q := url.Values{}
			for k, old := range good {
				q[k] = old
			}
			q.Set(key, v)
			f.Add(q.Encode())
		}
	}
	f.Add("client_id=jupyterhub-user-ann&client_id=jupyterhub-user-bob&response_type=code&redirect_uri=http://evil.test&redirect_uri=/user/ann/oauth_callback")
	f.Add("%zz=1&;")
	h := newHub(f, func(c settings) { c["JupyterHub"]["db_url"] = "sqlite://" })
	h.wants(201, boss, "POST", "/users/ann", "")
	for _, name := range []string{"ann", "bob"} {
		h.wants(201, boss, "POST", "/users/"+name+"/server", "")
	}
	cookies := h.login("ann").client.Jar.Cookies(need(url.Parse(h.url + "/hub/api/oauth2/authorize")))
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", h.url+"/hub/api/oauth2/authorize", nil) // the handler itself: what sockets do would differ from run to run
		r.URL.RawQuery = query
		r.RequestURI = r.URL.RequestURI()
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.inside.ServeHTTP(w, r)
		res := w.Result()
		if res.StatusCode >= 500 {
			t.Fatalf("%q: %d %s", query, res.StatusCode, w.Body)
		}
		to := res.Header.Get("Location")
		refused := strings.HasPrefix(to, "/user/bob/oauth_callback?error=") && !strings.Contains(to, "code=") // bob's server is told, ann gets nothing
		if res.StatusCode/100 == 3 && !strings.HasPrefix(to, "/user/ann/oauth_callback?") && !refused {
			t.Fatalf("%q leads to %q", query, to)
		}
		if strings.Join(res.Header.Values("Set-Cookie"), "") != "" && strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), "\n"), "a=b") {
			t.Fatalf("%q sets a cookie", query)
		}
		h.log.reset()
	})
}
