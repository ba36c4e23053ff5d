package proxy_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/proxy"
)

func TestParseRoutespec(t *testing.T) {
	for _, c := range []struct {
		in    string
		hosts bool
		want  string
	}{
		{"/", false, "/"}, {"/", true, "/"}, {"/a", false, "/a/"}, {"/a/", false, "/a/"}, {"/a//", false, "/a/"}, {"/user/a%40b/", false, "/user/a@b/"},
		{"/user/%c3%bc/", false, "/user/%C3%BC/"}, {"/user/a%2fb/", false, "/user/a%2Fb/"}, {"Host.TLD/A/", true, "host.tld/A/"}, {"host.tld", true, "host.tld/"},
		{"/user/~x", false, "/user/~x/"},
	} {
		if got, err := proxy.ParseRoutespec(c.in, c.hosts); err != nil || got != c.want {
			t.Errorf("ParseRoutespec(%q, %t) = %q, %v, want %q", c.in, c.hosts, got, err, c.want)
		}
	}
	for _, c := range []struct {
		in    string
		hosts bool
	}{{"", false}, {"", true}, {"a/b/", false}, {"/a/", true}, {"/a?b", false}, {"/a#b", false}, {"/%zz/", false}, {"/%", false}} {
		_, err := proxy.ParseRoutespec(c.in, c.hosts)
		if e, ok := errors.AsType[*proxy.RouteError](err); !ok || e.Routespec != c.in || e.Reason == "" {
			t.Errorf("ParseRoutespec(%q, %t): %v, want a RouteError about it", c.in, c.hosts, err)
		}
	}
}

func TestLookup(t *testing.T) {
	table := proxy.NewTable(false)
	for _, spec := range []string{"/", "/user/a/", "/user/a/named/", "/user/a@b/", "/user/%C3%BC/", "/user/a%2Fb/", "/services/x y/", "/deep/1/2/3/4/"} {
		if err := table.AddRoute(t.Context(), spec, "http://127.0.0.1:1", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, want string }{
		{"/", "/"}, {"/hub/home", "/"}, {"/user", "/"}, {"/user/", "/"}, {"/user/a", "/user/a/"}, {"/user/a/", "/user/a/"}, {"/user/ab", "/"}, {"/user/ab/x", "/"},
		{"/user/a/x/y/z", "/user/a/"}, {"/user/a/named", "/user/a/named/"}, {"/user/a/named2", "/user/a/"}, {"/user/a/named/x", "/user/a/named/"},
		{"/user/a@b/x", "/user/a@b/"}, {"/user/a%40b/x", "/user/a@b/"}, {"/user/%61/x", "/user/a/"}, {"/user/ü/", "/user/%C3%BC/"}, {"/user/%c3%bc/", "/user/%C3%BC/"},
		{"/user/a%2Fb/", "/user/a%2Fb/"}, {"/user/a%2fb/", "/user/a%2Fb/"}, {"/user/a/b/", "/user/a/"}, {"/user%2Fa/", "/"}, {"//user/a/", "/"}, {"/user//a/", "/"},
		{"/services/x%20y/z", "/services/x%20y/"}, {"/deep/1/2/3/4/5", "/deep/1/2/3/4/"}, {"/deep/1/2/3", "/"}, {"/user/%ff%fe/", "/"}, {"*", "/"}, {"", "/"},
	} {
		r, ok, err := table.Lookup("whatever:80", c.path)
		if err != nil || !ok || r.Routespec != c.want {
			t.Errorf("Lookup(%q) = %q, %t, %v, want %q", c.path, r.Routespec, ok, err, c.want)
		}
	}
	for _, path := range []string{"/%", "/%zz", "/user/a%2", "/user/%%"} {
		_, _, err := table.Lookup("h", path)
		if _, ok := errors.AsType[*urlpath.EscapeError](err); !ok {
			t.Errorf("Lookup(%q): %v, want an EscapeError", path, err)
		}
	}
}

func TestLookupByHost(t *testing.T) {
	table := proxy.NewTable(true)
	for _, spec := range []string{"/", "a.hub.test/", "b.hub.test/user/b/", "[::1]/x/"} {
		if err := table.AddRoute(t.Context(), spec, "http://127.0.0.1:1", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ host, path, want string }{
		{"a.hub.test", "/", "a.hub.test/"}, {"A.Hub.Test:8000", "/user/x", "a.hub.test/"}, {"b.hub.test", "/user/b/x", "b.hub.test/user/b/"},
		{"b.hub.test", "/other", "/"}, {"hub.test", "/user/b/", "/"}, {"", "/", "/"}, {"[::1]:80", "/x/y", "[::1]/x/"}, {"[::1]", "/x/y", "[::1]/x/"},
	} {
		r, _, err := table.Lookup(c.host, c.path)
		if err != nil || r.Routespec != c.want {
			t.Errorf("Lookup(%q, %q) = %q, %v, want %q", c.host, c.path, r.Routespec, err, c.want)
		}
	}
}

func TestTableKeepsData(t *testing.T) {
	table, ctx := proxy.NewTable(false), t.Context()
	data := map[string]any{"user": "a", "server_name": ""}
	if err := table.AddRoute(ctx, "/user/a", "http://127.0.0.1:1", data); err != nil {
		t.Fatal(err)
	}
	if err := table.Add("/other/", "http://127.0.0.1:2", map[string]any{"x": 1.0}); err != nil {
		t.Fatal(err)
	}
	if _, ok := data["jupyterhub"]; ok {
		t.Error("AddRoute changed the caller's map")
	}
	routes, err := table.Routes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := routes["/user/a/"]
	if len(routes) != 1 || !ok || r.Target != "http://127.0.0.1:1" || len(r.Data) != 2 || r.Data["user"] != "a" {
		t.Errorf("Routes = %+v, want the hub's route only, with its data", routes)
	}
	if time.Since(r.LastActivity) > time.Minute || r.LastActivity.Location() != time.UTC {
		t.Errorf("last activity of a new route is %v, want now in UTC", r.LastActivity)
	}
	r.Data["user"] = "changed"
	if again, _ := table.Get("/user/a"); again.Data["user"] != "a" {
		t.Error("changing a Route changed the table")
	}
	if err := table.DeleteRoute(ctx, "/nobody/"); err != nil {
		t.Errorf("deleting an absent route: %v", err)
	}
	if err := table.DeleteRoute(ctx, "/user/a/"); err != nil {
		t.Fatal(err)
	}
	if _, ok := table.Get("/user/a/"); ok || len(table.All()) != 1 {
		t.Error("the deleted route is still there")
	}
	for _, target := range []string{"", "nonsense", "ftp://x", "http://", "http://u:p@h/", "http+unix://", "http://h:port"} {
		err := table.AddRoute(ctx, "/x/", target, nil)
		if e, ok := errors.AsType[*proxy.RouteError](err); !ok || e.Routespec != "/x/" || !strings.Contains(err.Error(), "target") {
			t.Errorf("AddRoute with target %q: %v, want a RouteError about the target", target, err)
		}
	}
	if err := table.AddHandler("no-slash", http.NotFoundHandler(), "", nil); err == nil {
		t.Error("AddHandler accepted a host without host routing")
	}
}

func TestTableIsSafeForConcurrentUse(t *testing.T) {
	table := proxy.NewTable(false)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				spec := fmt.Sprintf("/user/u%d-%d/", i, j)
				if err := table.AddRoute(t.Context(), spec, "http://127.0.0.1:1", nil); err != nil {
					t.Error(err)
				}
				if r, ok, _ := table.Lookup("", spec+"lab"); !ok || r.Routespec != spec {
					t.Errorf("Lookup(%q) = %q right after adding it", spec, r.Routespec)
				}
				table.Touch(spec)
				if j%2 == 0 {
					_ = table.DeleteRoute(t.Context(), spec)
				}
			}
		})
	}
	wg.Wait()
	if n := len(table.All()); n != 200 {
		t.Errorf("%d routes are left, want 200", n)
	}
}

func FuzzLookup(f *testing.F) {
	table := proxy.NewTable(false)
	names := []string{"a", "ab", "a@b", "ü", "%", "a/b", "..", " "}
	for _, n := range names {
		if err := table.AddRoute(f.Context(), "/user/"+urlpath.Escape(n)+"/", "http://127.0.0.1:1", map[string]any{"user": n}); err != nil {
			f.Fatal(err)
		}
		f.Add("/user/" + urlpath.Escape(n) + "/lab")
	}
	f.Add("/user/%zz")
	f.Add("/user/a%2Fb%2fc")
	f.Fuzz(func(t *testing.T, path string) {
		r, ok, err := table.Lookup("", path)
		if err != nil || !ok {
			return
		}
		parts := strings.Split(path, "/")
		if len(parts) < 3 || parts[0] != "" {
			t.Fatalf("Lookup(%q) = %q", path, r.Routespec)
		}
		if user, err := urlpath.Unescape(parts[2]); err != nil || user != r.Data["user"] {
			t.Errorf("Lookup(%q) goes to user %q, the path says %q", path, r.Data["user"], user)
		}
	})
}

func BenchmarkLookup1000(b *testing.B) {
	table := proxy.NewTable(false)
	for i := range 1000 {
		if err := table.AddRoute(b.Context(), fmt.Sprintf("/user/user-%d/", i), "http://127.0.0.1:1", map[string]any{"user": i}); err != nil {
			b.Fatal(err)
		}
	}
	for _, path := range []string{"/user/user-500/api/contents/work/notebook.ipynb", "/user/%C3%BC%40x/lab", "/hub/home"} {
		b.Run(strings.ReplaceAll(path, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				proxy.LookupForBenchmark(table, path)
			}
		})
	}
}

func BenchmarkAddTo1000(b *testing.B) {
	table := proxy.NewTable(false)
	for i := range 1000 {
		_ = table.AddRoute(b.Context(), fmt.Sprintf("/user/user-%d/", i), "http://127.0.0.1:1", nil)
	}
	for b.Loop() {
		_ = table.AddRoute(b.Context(), "/user/user-1/", "http://127.0.0.1:1", nil)
	}
}
