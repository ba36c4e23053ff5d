package api_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/httpmw"
)

// Routes of the table that JupyterHub does not list, each for a reason.
var additions = []string{
	"POST /shares/{user}", "PATCH /shares/{user}", "DELETE /shares/{user}", "POST /share-codes/{user}", "DELETE /share-codes/{user}", // its 405 after the scope check
	"GET /oauth2/userinfo", "POST /oauth2/userinfo", // OpenID Connect
	"POST /oauth2/revoke", "POST /oauth2/introspect", "GET /oauth2/metadata", "GET /oauth-authorization-server", // RFC 7009, 7662, 8414
	"OPTIONS ", "OPTIONS /",
	"GET /openapi.json", "GET /docs", "GET /docs/{asset}", // the description of the API
}

// TestRoutesAreJupyterHubs compares the tables with the list of JupyterHub's operations and their scopes.
func TestRoutesAreJupyterHubs(t *testing.T) {
	f, err := os.Open("testdata/routes.tsv")
	noErr(t, err)
	defer f.Close()
	want := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if p := strings.Split(s.Text(), "\t"); len(p) == 3 {
			want[p[1]+" "+p[0]] = p[2]
		}
	}
	for _, table := range newLab(t).api.Tables() {
		for _, r := range table.Routes {
			key := r.Method + " " + r.Path
			scopes := r.Access.Scopes()
			slices.Sort(scopes)
			listed, ok := want[key]
			delete(want, key)
			switch {
			case !ok && !slices.Contains(additions, key):
				t.Errorf("%s is not an operation of JupyterHub", key)
			case ok && r.Access.Kind() != httpmw.KindInHandler && strings.Join(scopes, " ") != listed:
				t.Errorf("%s needs any of %v, JupyterHub wants %s", key, scopes, listed)
			}
		}
	}
	for key := range want {
		t.Errorf("%s is missing", key)
	}
}

// TestMountedRoutes asks the mounted router which methods each path has: exactly those of the table.
func TestMountedRoutes(t *testing.T) {
	l := newLab(t)
	byPath := map[string][]string{}
	for _, table := range l.api.Tables() {
		for _, r := range table.Routes {
			byPath[mounted(table, r)] = append(byPath[mounted(table, r)], r.Method)
		}
	}
	for path, methods := range byPath {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			got := l.serve("root", method, filled(path), "")
			if allowed := slices.Contains(methods, method); allowed == (got.Code == http.StatusMethodNotAllowed) && !strings.HasPrefix(path, "/hub/api/share") {
				t.Errorf("%s %s: status %d, but the table has %v", method, path, got.Code, methods)
			}
			if got.Code == http.StatusMethodNotAllowed && !strings.HasPrefix(path, "/hub/api/share") {
				for _, m := range methods {
					if !strings.Contains(got.Header().Get("Allow"), m) {
						t.Errorf("%s %s: Allow %q lacks %s", method, path, got.Header().Get("Allow"), m)
					}
				}
			}
		}
	}
}

// mounted is the whole pattern of a route.
func mounted(t httpmw.Table, r httpmw.Route) string { return t.Prefix + r.Path }

// target is a path of the API with its parameters filled.
func target(path string) string { return "/hub/api" + filled(path) }

// filled fills the parameters of a pattern with names that nothing has.
func filled(path string) string {
	return strings.NewReplacer("{user}", "zed", "{owner}", "zed", "{server}", "zed", "{group}", "zed", "{service}", "zed", "{token_id}", "a0", "{token}", "zed", "{name}", "zed", "{value}", "zed", "{asset}", "zed").Replace(path)
}

// serve sends a request without a socket.
func (l *lab) serve(as, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if as != "" {
		r.Header.Set("Authorization", "token "+l.token(as))
	}
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	return w
}

// The two refusals of the access check.
const (
	missing = "Action is not authorized with current scopes"
	hidden  = "No access to resources or resources not found"
)

// TestAccessOfEveryRoute calls each route that a scope protects, for a target that does not exist, as nobody, with a scope for another
// target and with the right one: nobody learns what exists. TestAccessTable has the targets that exist, and all other scopes.
func TestAccessOfEveryRoute(t *testing.T) {
	l := newLab(t, func(o *labOptions) { o.AdminAccess = true })
	l.level.Set(100)
	nothing, routes := l.with(), 0
	for _, table := range l.api.Tables() {
		for _, r := range table.Routes {
			needed := r.Access.Scopes()
			if len(needed) == 0 {
				continue
			}
			routes++
			path := target(r.Path)
			name := r.Method + " " + r.Path
			if got := l.serve("", r.Method, path, ""); got.Code != 403 || !strings.Contains(got.Body.String(), "Missing or invalid credentials.") {
				t.Errorf("%s by nobody: %d %s", name, got.Code, got.Body)
			}
			if got := l.serve(nothing, r.Method, path, ""); got.Code != 403 || !strings.Contains(got.Body.String(), missing) {
				t.Errorf("%s with no scope: %d %s", name, got.Code, got.Body)
			}
			for _, scope := range needed {
				checkFiltered(t, l, r, scope, path)
			}
		}
	}
	if routes < 60 {
		t.Errorf("only %d routes", routes)
	}
}

// checkFiltered: a scope for something else hides the target, the same scope for the target opens it.
func checkFiltered(t *testing.T, l *lab, r httpmw.Route, scope, path string) {
	t.Helper()
	var other, right string
	switch r.Access.Kind() {
	case httpmw.KindOnUser, httpmw.KindOnServers:
		other, right = "!user=other", "!user=zed"
	case httpmw.KindOnServer:
		other, right = "!server=zed/other", "!server=zed/"
		if strings.Contains(r.Path, "{server}") {
			right = "!server=zed/zed"
		}
	case httpmw.KindOnGroup:
		other, right = "!group=other", "!group=zed"
	case httpmw.KindOnService:
		other, right = "!service=other", "!service=zed"
	case httpmw.KindNeeds:
		if scope == "admin:users" || scope == "admin:groups" { // GHSA-69wv-m5fw-2fhp: others cannot be filtered at all
			if got := l.serve(l.with(scope+"!group=other"), r.Method, path, `{"usernames":["evil"],"groups":["evil"]}`); got.Code != 404 && got.Code != 403 {
				t.Errorf("%s %s with filtered %s: %d %s", r.Method, r.Path, scope, got.Code, got.Body)
			}
		}
		return
	default:
		return
	}
	name := fmt.Sprintf("%s %s with %s", r.Method, r.Path, scope)
	if got := l.serve(l.with(scope+other), r.Method, path, ""); got.Code != 404 || !strings.Contains(got.Body.String(), hidden) {
		t.Errorf("%s: %d %s", name+other, got.Code, got.Body)
	}
	if got := l.serve(l.with(scope+right), r.Method, path, ""); strings.Contains(got.Body.String(), missing) || strings.Contains(got.Body.String(), hidden) || got.Code >= 500 {
		t.Errorf("%s: %d %s", name+right, got.Code, got.Body)
	}
}

// TestRouteTableRefusesMistakes: a line without access or handler ends the program at its start.
func TestRouteTableRefusesMistakes(t *testing.T) {
	mw := newLab(t).mw
	for name, route := range map[string]httpmw.Route{
		"no access":  {Method: "GET", Path: "/x", Handler: func(http.ResponseWriter, *http.Request) error { return nil }},
		"no handler": {Method: "GET", Path: "/x", Access: httpmw.Public()},
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "GET /hub/api/x") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			mw.Handler(httpmw.Table{Prefix: "/hub/api", API: true, Routes: []httpmw.Route{route}})
		}()
	}
}
