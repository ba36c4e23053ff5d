package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/proxy"
)

func newClient(t *testing.T, url string, change func(*proxy.CHPClientOptions)) *proxy.CHPClient {
	t.Helper()
	o := proxy.CHPClientOptions{URL: url, Token: "secret", Patience: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	c, err := proxy.NewCHPClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// routerSuite is what both kinds of Router must do.
func routerSuite(t *testing.T, r proxy.Router) {
	t.Helper()
	ctx := t.Context()
	want := map[string]map[string]any{
		"/": {"hub": true}, "/user/alice/": {"user": "alice", "server_name": ""}, "/user/a@b/named/": {"user": "a@b", "server_name": "named"},
		"/user/%C3%BC%20x%25/": {"user": "ü x%", "server_name": ""}, "/services/~s/": {"service": "~s"},
	}
	for spec, data := range want {
		if err := r.AddRoute(ctx, spec, "http://127.0.0.1:1", data); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddRoute(ctx, "/user/alice", "http://127.0.0.1:2", want["/user/alice/"]); err != nil {
		t.Fatal(err)
	}
	routes, err := r.Routes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]any{}
	for spec, route := range routes {
		got[spec] = route.Data
		if route.Routespec != spec || time.Since(route.LastActivity) > time.Minute {
			t.Errorf("route %q: %+v", spec, route)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("routes differ (-want +got):\n%s", d)
	}
	if target := routes["/user/alice/"].Target; target != "http://127.0.0.1:2" {
		t.Errorf("the replaced route goes to %q", target)
	}
	for spec := range want {
		for range 2 { // the second finds nothing, which is no error
			if err := r.DeleteRoute(ctx, spec); err != nil {
				t.Errorf("DeleteRoute(%q): %v", spec, err)
			}
		}
	}
	if routes, err = r.Routes(ctx); err != nil || len(routes) != 0 {
		t.Errorf("after deleting: %v, %v", routes, err)
	}
	for _, spec := range []string{"", "host/x/", "/%zz/"} {
		if _, ok := errors.AsType[*proxy.RouteError](r.AddRoute(ctx, spec, "http://127.0.0.1:1", nil)); !ok {
			t.Errorf("AddRoute(%q) is not refused with a RouteError", spec)
		}
		if _, ok := errors.AsType[*proxy.RouteError](r.DeleteRoute(ctx, spec)); !ok {
			t.Errorf("DeleteRoute(%q) is not refused with a RouteError", spec)
		}
	}
}

func TestRouters(t *testing.T) {
	t.Run("table", func(t *testing.T) { routerSuite(t, proxy.NewTable(false)) })
	t.Run("client of our API", func(t *testing.T) {
		table := proxy.NewTable(false)
		s := httptest.NewServer(table.API("secret"))
		defer s.Close()
		if err := table.Add("/by-hand/", "http://127.0.0.1:1", nil); err != nil {
			t.Fatal(err)
		}
		routerSuite(t, newClient(t, s.URL, nil))
		if _, ok := table.Get("/by-hand/"); !ok {
			t.Error("a route that is not the hub's was touched")
		}
	})
	t.Run("client of configurable-http-proxy", func(t *testing.T) {
		_, api := referenceCHP(t)
		routerSuite(t, newClient(t, api, nil))
	})
}

func TestClientWithHostRouting(t *testing.T) {
	table := proxy.NewTable(true)
	s := httptest.NewServer(table.API("secret"))
	defer s.Close()
	c := newClient(t, s.URL, func(o *proxy.CHPClientOptions) { o.HostRouting = true })
	if err := c.AddRoute(t.Context(), "a.hub.test/user/a/", "http://127.0.0.1:1", map[string]any{"user": "a"}); err != nil {
		t.Fatal(err)
	}
	routes, err := c.Routes(t.Context())
	if err != nil || routes["a.hub.test/user/a/"].Data["user"] != "a" {
		t.Errorf("routes = %v, %v", routes, err)
	}
	if err := c.AddRoute(t.Context(), "/user/a/", "http://127.0.0.1:1", nil); err == nil {
		t.Error("a routespec without host was accepted")
	}
}

func TestClientRetries(t *testing.T) {
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			body, _ := io.ReadAll(r.Body)
			if !strings.Contains(string(body), `"target":"http://127.0.0.1:1"`) {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer s.Close()
	if err := newClient(t, s.URL, nil).AddRoute(t.Context(), "/x/", "http://127.0.0.1:1", nil); err != nil || calls.Load() != 3 {
		t.Errorf("AddRoute = %v after %d tries", err, calls.Load())
	}
}

func TestClientGivesUp(t *testing.T) {
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer s.Close()
	_, err := newClient(t, s.URL, nil).Routes(t.Context())
	if e, ok := errors.AsType[*proxy.APIError](err); !ok || e.Status != 403 || calls.Load() != 1 || !strings.Contains(err.Error(), "CONFIGPROXY_AUTH_TOKEN") {
		t.Errorf("a refusal: %v after %d tries, want the reason at once", err, calls.Load())
	}
	dead := newClient(t, "http://127.0.0.1:1", func(o *proxy.CHPClientOptions) { o.Patience = 250 * time.Millisecond })
	if err := dead.DeleteRoute(t.Context(), "/x/"); err == nil || !strings.Contains(err.Error(), "gave up on DELETE /x") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a dead proxy: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newClient(t, "http://127.0.0.1:1", nil).AddRoute(ctx, "/x/", "http://127.0.0.1:1", nil); err == nil {
		t.Error("a cancelled context: no error")
	}
}

func TestClientOptions(t *testing.T) {
	for _, o := range []proxy.CHPClientOptions{{URL: "127.0.0.1:8001", Token: "x"}, {URL: "http://127.0.0.1:8001"}} {
		if _, err := proxy.NewCHPClient(o); err == nil {
			t.Errorf("NewCHPClient(%+v): no error", o)
		}
	}
}
