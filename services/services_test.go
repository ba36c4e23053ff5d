//go:build unix

package services_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/hub"
)

func TestViews(t *testing.T) {
	managed := true
	web := server(t, "web")
	web.Managed, web.Capabilities, web.Admin = &managed, []string{"data-processing", "culling"}, true
	w := running(t, []hub.ServiceSpec{web, {Name: "script", APIToken: "token-of-a-script", Display: true}}, func(o *options) {
		o.env.PublicHost, o.env.PublicURL = "https://hub.example.org", "https://hub.example.org/base/"
	})
	all, err := w.services.List(t.Context())
	noErr(t, err)
	if len(all) != 2 || all[0].Name != "web" || all[1].Name != "script" {
		t.Fatalf("%+v", all)
	}
	v := all[0]
	if !v.Managed || v.PID == 0 || v.Restarts != 0 || v.Prefix != "/base/services/web/" || v.Href != "https://hub.example.org/base/services/web/" || v.Timeout != 30 {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff([]string{"data-processing", "culling"}, v.Capabilities); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"admin"}, v.Roles); diff != "" {
		t.Error(diff)
	}
	if s := all[1]; s.Managed || s.PID != 0 || s.Prefix != "" || s.Href != "" || s.Capabilities != nil {
		t.Errorf("%+v", s)
	}
	if diff := cmp.Diff(map[string]hub.WantedRoute{"/base/services/web/": {Target: web.URL, Data: map[string]any{"service": "web"}}}, w.services.Routes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(w.router.all(), w.services.Routes()); diff != "" {
		t.Errorf("routes that exist and routes that are wanted differ: %s", diff)
	}
	var e *hub.Error
	if _, err := w.services.Get(t.Context(), "nobody"); !errors.As(err, &e) || e.Kind != hub.NotFound {
		t.Errorf("%v", err)
	}
}

func TestSubdomains(t *testing.T) {
	w := running(t, []hub.ServiceSpec{{Name: "s", URL: "http://127.0.0.1:9"}}, func(o *options) {
		o.hostOf = func(name string) string { return "https://" + name + "--service.example.org:8443" }
	})
	want := map[string]hub.WantedRoute{"s--service.example.org/base/services/s/": {Target: "http://127.0.0.1:9", Data: map[string]any{"service": "s"}}}
	if diff := cmp.Diff(want, w.router.all()); diff != "" {
		t.Error(diff)
	}
	if got := w.view("s").Href; got != "https://s--service.example.org:8443/base/services/s/" {
		t.Errorf("href %s", got)
	}
}

// A service that is made through the API is known, routed, kept over a restart, and deleted with everything it has.
func TestAPICreated(t *testing.T) {
	specs := []hub.ServiceSpec{sleeper("fixed")}
	w := running(t, specs)
	spec := hub.ServiceSpec{Name: "made", URL: "http://127.0.0.1:9", APIToken: "token-of-the-made-one", Capabilities: []string{"x"}}
	v, err := w.services.Create(t.Context(), nil, spec)
	noErr(t, err)
	if v.Name != "made" || v.FromConfig || v.Managed || v.Prefix != "/base/services/made/" || len(v.Capabilities) != 1 {
		t.Errorf("%+v", v)
	}
	route := map[string]hub.WantedRoute{"/base/services/made/": {Target: "http://127.0.0.1:9", Data: map[string]any{"service": "made"}}}
	if diff := cmp.Diff(route, w.router.all()); diff != "" {
		t.Error(diff)
	}
	refused := []struct {
		spec hub.ServiceSpec
		kind hub.Kind
	}{
		{spec, hub.Conflict},
		{hub.ServiceSpec{Name: "fixed"}, hub.Conflict},
		{sleeper("run"), hub.Invalid},
		{hub.ServiceSpec{Name: "a/b"}, hub.Invalid},
		{hub.ServiceSpec{Name: "url", URL: "ftp://x"}, hub.Invalid},
		{hub.ServiceSpec{Name: "fragment", OAuthRedirectURI: "https://x/cb#f"}, hub.Invalid},
		{hub.ServiceSpec{Name: "relative", OAuthRedirectURI: "cb"}, hub.Invalid},
	}
	for _, r := range refused {
		var e *hub.Error
		if _, err := w.services.Create(t.Context(), nil, r.spec); !errors.As(err, &e) || e.Kind != r.kind {
			t.Errorf("%s: %v", r.spec.Name, err)
		}
	}
	if diff := cmp.Diff(route, w.router.all()); diff != "" {
		t.Errorf("a refused service left a route: %s", diff)
	}

	// The next start finds it again.
	w.services.Load(w.setup(nil))
	if diff := cmp.Diff(route, w.services.Routes()); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}

	noErr(t, w.services.Delete(t.Context(), "made"))
	if routes := w.router.all(); len(routes) > 0 || len(w.services.Routes()) > 0 {
		t.Errorf("left: %v", routes)
	}
	if owner, err := w.tokens.Lookup(t.Context(), spec.APIToken); err != nil || owner != nil {
		t.Errorf("its token is still there: %v %v", owner, err)
	}
	var e *hub.Error
	if err := w.services.Delete(t.Context(), "made"); !errors.As(err, &e) || e.Kind != hub.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestConfiguredAreNotDeleted(t *testing.T) {
	w := running(t, []hub.ServiceSpec{sleeper("fixed")})
	var e *hub.Error
	if err := w.services.Delete(t.Context(), "fixed"); !errors.As(err, &e) || e.Status != 405 {
		t.Errorf("%v", err)
	}
	if !alive(w.view("fixed").PID) {
		t.Error("it was stopped")
	}
}

// The proxy may be away for a moment: the service exists, and the next check of the routes makes up for it.
func TestProxyAway(t *testing.T) {
	w := running(t, nil)
	w.router.breaks(errors.New("proxy is away"))
	_, err := w.services.Create(t.Context(), nil, hub.ServiceSpec{Name: "made", URL: "http://127.0.0.1:9"})
	noErr(t, err)
	if len(w.services.Routes()) != 1 || !w.log.has("could not be routed yet") {
		t.Errorf("routes %v, log:\n%s", w.services.Routes(), w.log)
	}
	noErr(t, w.services.Delete(t.Context(), "made"))
	if len(w.services.Routes()) != 0 || !w.log.has("still there") {
		t.Errorf("routes %v, log:\n%s", w.services.Routes(), w.log)
	}
}
