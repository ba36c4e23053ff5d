package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/minihub/minihub/internal/httpmw"
)

// TestDecisions: whoever asks for it is told who made a request, what its route demands, and how the XSRF check went.
func TestDecisions(t *testing.T) {
	var mu sync.Mutex
	var told []httpmw.Decision
	s := newSite(t, func(o *siteOptions) {
		o.decided = func(_ *http.Request, d httpmw.Decision) { mu.Lock(); defer mu.Unlock(); told = append(told, d) }
	})
	cookie := s.login("session")
	id := s.xsrf.UserTokenID("session", s.alice.CookieID)
	token := s.xsrf.New(id)
	for _, row := range []struct {
		name    string
		method  string
		path    string
		headers []string
		who     string
		cookie  bool
		route   string
		status  int
		xsrf    httpmw.XSRFTrace // the parts that are looked at
		refused bool
	}{
		{"nobody at a page", "GET", "/hub/home", nil, "", false, "GET /hub/home", 302, httpmw.XSRFTrace{Exempt: "a page view: GET changes nothing"}, false},
		{"by token", "GET", "/hub/api/user", []string{"Authorization", "token " + s.token}, "alice", false, "GET /hub/api/user", 200,
			httpmw.XSRFTrace{Exempt: "an Authorization header says who asks; no browser sends it by itself"}, false},
		{"without a token of the page", "POST", "/hub/home", []string{"Cookie", cookie}, "alice", true, "POST /hub/home", 403, httpmw.XSRFTrace{}, true},
		{"with the page's", "POST", "/hub/home", []string{"Cookie", cookie + "; _xsrf=" + token, "X-XSRFToken", token}, "alice", true, "POST /hub/home", 200,
			httpmw.XSRFTrace{Given: true, Cookie: true}, false},
		{"no such page", "GET", "/hub/nothing", nil, "", false, "", 404, httpmw.XSRFTrace{}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			mu.Lock()
			told = nil
			mu.Unlock()
			s.ask(row.method, row.path, row.headers...)
			mu.Lock()
			defer mu.Unlock()
			if len(told) != 1 {
				t.Fatalf("told %d times", len(told))
			}
			d := told[0]
			who := ""
			if d.Identity != nil {
				who = d.Identity.Name()
			}
			if who != row.who || d.ByCookie != row.cookie || d.Route != row.route || d.Status != row.status || d.RequestID == "" || (d.Err != nil) != row.refused {
				t.Errorf("who %q, by cookie %v, route %q, status %d, error %v", who, d.ByCookie, d.Route, d.Status, d.Err)
			}
			if row.route == "" {
				return
			}
			if x := d.XSRF; x == nil || x.Exempt != row.xsrf.Exempt || x.Given != row.xsrf.Given || x.Cookie != row.xsrf.Cookie || x.Allowed == (row.status == 403) {
				t.Errorf("the XSRF check went %+v", x)
			}
		})
	}
}

// TestNobodyLooking: without a watcher a request costs no more than it did.
func TestNobodyLooking(t *testing.T) {
	allocations := func(change func(*siteOptions)) float64 {
		s := newSite(t, change)
		h := s.mw.Handler(s.api(), s.pages())
		r := httptest.NewRequest(http.MethodGet, "/hub/login", nil)
		return testing.AllocsPerRun(200, func() { h.ServeHTTP(httptest.NewRecorder(), r) })
	}
	without := allocations(func(*siteOptions) {})
	with := allocations(func(o *siteOptions) { o.decided = func(*http.Request, httpmw.Decision) {} })
	if without >= with {
		t.Errorf("%v allocations without a watcher, %v with one: something is made for nobody", without, with)
	}
}
