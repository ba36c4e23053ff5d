package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

// TestEveryRouteWithoutLogin calls each line of the table as a stranger: nothing but what is public answers with content.
func TestEveryRouteWithoutLogin(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Metrics.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("secret_total 1")) })
	}})
	w.start(w.user("alice"), "")
	seen := map[string]bool{}
	for _, route := range w.site.Table().Routes {
		key := route.Method + " " + route.Path
		if seen[key] {
			t.Errorf("%s is in the table twice", key)
		}
		seen[key] = true
		path := "/hub" + strings.NewReplacer("{user}", "alice", "{server}", "data", "{code}", "503", "*", "js/ui.js").Replace(route.Path)
		a := w.as("").do(route.Method, path, nil, "")
		var ok bool
		switch route.Access.Kind() {
		case httpmw.KindPublic:
			ok = a.status < 500
		case httpmw.KindLoggedIn, httpmw.KindOnServer, httpmw.KindNeeds:
			ok = a.status == 302 && strings.HasPrefix(a.location(), "/hub/login?next=") || route.Method != "GET" && a.status == 403
		default:
			ok = a.status == 403
		}
		if !ok || strings.Contains(a.body, "secret_total") {
			t.Errorf("%s (%s): %d %s", key, route.Access, a.status, a.location())
		}
		// A form without its token is refused, whoever sends it; only reports of browsers need none.
		if route.Method == "POST" && route.Path != "/security/csp-report" {
			if a := w.as("alice").post(path, url.Values{"_xsrf": {"forged"}}); a.status != 403 && a.status != 405 && (route.Path != "/login" || a.status != 302) { // who is logged in has nothing to do at /login
				t.Errorf("%s with a forged token: %d", key, a.status)
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d routes", len(seen))
	}
}

func TestMetricsAndReports(t *testing.T) {
	reports := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a_total 1")) })
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Metrics = web.Metrics{Handler: handler, CSPReport: func() { reports++ }}
	}})
	root := w.user("root")
	token, _, err := w.tokens.Issue(t.Context(), orm.APIToken{UserID: &root.ID}, []string{"read:metrics"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, w, []row{
		{name: "nobody", path: "/hub/metrics", status: 403},
		{name: "user", as: "alice", path: "/hub/metrics", status: 403},
		{name: "admin", as: "root", path: "/hub/metrics", status: 200, want: []string{"a_total 1"}},
		{name: "token", path: "/hub/metrics", header: []string{"Authorization", "token " + token}, status: 200, want: []string{"a_total 1"}},
		{name: "report", as: "alice", method: "POST", path: "/hub/security/csp-report", status: 200},
		{name: "report of nobody", method: "POST", path: "/hub/security/csp-report", status: 403},
	})
	if reports != 1 {
		t.Errorf("%d reports counted", reports)
	}
	open := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Metrics = web.Metrics{Handler: handler, Open: true} }})
	if a := open.as("").get("/hub/metrics"); a.status != 200 {
		t.Errorf("authenticate_prometheus = False: %d", a.status)
	}
}

func TestUserRedirectHookAndPublicURL(t *testing.T) {
	w := newWorld(t, worldOptions{base: "/jhub/", edit: func(_ *world, o *web.Options) {
		o.URLs.PublicURL = "https://hub.test/jhub/"
		o.Traits.Redirects.UserRedirect = func(_ *http.Request, path string, user *orm.User) (string, error) {
			if path == "own page" {
				return "/elsewhere/" + user.Name, nil
			}
			return "", nil
		}
		o.Traits.Servers.LegacyStoppedStatus = true
	}})
	alice := w.user("alice")
	h := http.Header{}
	w.cookies.SetLogin(h, false, alice.CookieID)
	cookie := []string{"Cookie", strings.Split(h.Get("Set-Cookie"), ";")[0]}
	run(t, w, []row{
		{name: "hook", path: "/jhub/hub/user-redirect/own%20page", header: cookie, status: 302, location: "/elsewhere/alice"},
		{name: "no answer of the hook", path: "/jhub/hub/user-redirect/lab", header: cookie, status: 302, location: "/jhub/hub/spawn/alice?next=%2Fjhub%2Fuser%2Falice%2Flab"},
		{name: "base without slash", path: "/jhub", status: 302, location: "https://hub.test/jhub/hub/"},
		{name: "outside", path: "/other?a=1", status: 302, location: "https://hub.test/jhub/hub/other?a=1"},
		{name: "root", path: "/", status: 302, location: "https://hub.test/jhub/hub/"},
		{name: "below base", path: "/jhub/user/alice/lab", status: 302, location: "https://hub.test/jhub/hub/user/alice/lab"},
		{name: "own origin in next", path: "/jhub/hub/login?next=https%3A%2F%2Fhub.test%2Fjhub%2Fhub%2Fhome", header: cookie, status: 302, location: "/jhub/hub/home"},
		{name: "stopped, as of old", path: "/jhub/hub/user/alice/api", header: cookie, status: 503, want: []string{"https://hub.test/jhub/hub/spawn/alice"}},
		{name: "stopped page, as of old", path: "/jhub/hub/user/alice/lab", header: cookie, status: 503, want: []string{"/jhub/hub/spawn/alice?next="}},
	})
}

func TestNamedServersOff(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.Servers.AllowNamed = false }})
	run(t, w, []row{
		{name: "spawn", as: "alice", path: "/hub/spawn/alice/data", status: 400, want: []string{"Named servers are not enabled."}},
		{name: "home", as: "alice", path: "/hub/home", status: 200, want: []string{"Start My Server"}, wantNot: []string{"Named servers"}},
	})
	if _, err := w.servers.Stop(t.Context(), w.user("alice"), "", hub.StopOptions{}); err != nil {
		t.Error(err)
	}
}

func TestNewRefusesHalfWiring(t *testing.T) {
	if _, err := web.New(web.Options{}); err == nil {
		t.Error("a site without a hub was made")
	}
}
