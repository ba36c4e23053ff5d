package httpmw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/httpmw"
)

// FuzzPathRouting: whatever path comes, a parameter is one segment of it, decoded exactly once, and two spellings of one path never reach
// two routes with the same names.
func FuzzPathRouting(f *testing.F) {
	for _, p := range []string{"/hub/api/users/alice", "/hub/api/users/a%40b/servers/x", "/hub/api/users/a%2Fb", "/hub/api/users/%2e%2e/servers/", "/hub/api/users//servers/x", "/hub/api/users/a%252Fb", "/hub/api/users/%ff",
		"/hub/api/users/a/server/../x", "/hub/api/users/a;b", "//hub/api/users/a", "/hub%2Fapi/users/a", "/hub/api/users/a%00", "/%68ub/api/users/a", "/hub/api/users/a?b", "/hub/api/users/ü/servers/%C3%BC"} {
		f.Add(p)
	}
	show := func(route string) httpmw.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprintf(w, "%s\n%s\n%s", route, httpmw.Param(r, "user"), httpmw.Param(r, "server"))
			return err
		}
	}
	mw := httpmw.New(httpmw.Options{BaseURL: "/"})
	handler := mw.Handler(httpmw.Table{Prefix: "/hub/api", API: true, Routes: []httpmw.Route{
		{Method: "GET", Path: "/users/{user}", Access: httpmw.Public(), Handler: show("user")},
		{Method: "GET", Path: "/users/{user}/servers/", Access: httpmw.Public(), Handler: show("default")},
		{Method: "GET", Path: "/users/{user}/servers/{server}", Access: httpmw.Public(), Handler: show("server")},
		{Method: "GET", Path: "/users/{user}/server", Access: httpmw.Public(), Handler: show("one")},
	}})
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n") {
			return // net/http does not let it in
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL, r.RequestURI = u, path
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%q: %d %s", path, w.Code, w.Body)
		}
		if w.Code != 200 {
			return
		}
		got := strings.SplitN(w.Body.String(), "\n", 2)
		segments := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/hub/api/users/"), "/")
		want := map[string][]string{"user": {"*"}, "default": {"*", "servers", ""}, "server": {"*", "servers", "*"}, "one": {"*", "server"}}[got[0]]
		if len(segments) != len(want) {
			t.Fatalf("%q has %d segments, and is route %s", path, len(segments), got[0])
		}
		var names []string
		for i, s := range want {
			name, err := url.PathUnescape(segments[i])
			switch {
			case err != nil:
				t.Fatalf("%q reached a handler", path)
			case s == "*":
				names = append(names, name)
			case segments[i] != s:
				t.Fatalf("%q is route %s", path, got[0])
			}
		}
		if len(names) == 1 {
			names = append(names, "")
		}
		if have := strings.Join(names, "\n"); have != got[1] {
			t.Fatalf("%q: names %q, the path has %q", path, got[1], have)
		}
	})
}
