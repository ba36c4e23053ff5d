package web_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/web"

	"errors"
	"net/http"
	"net/http/httptest"
	"time"
)

// everyPage visits all pages in all their states and hands each to check.
func everyPage(t *testing.T, edit func(*world, *web.Options), check func(name string, a answer)) *world {
	form := ""
	w := newWorld(t, worldOptions{edit: func(w *world, o *web.Options) {
		o.Look.Announcements = map[string]string{"": "all <b>pages</b>", "home": "at <b>home</b>"}
		o.Services = services{{Name: "announcement", Href: "/services/announcement/"}}
		o.Hub.Hooks.OptionsForm = func(ctx ctxt, id spawner.Identity) (string, error) { return form, nil }
		if edit != nil {
			edit(w, o)
		}
	}})
	ctx := t.Context()
	alice, bob, carol, dora := w.user("alice"), w.user("bob"), w.user("carol"), w.user("dora")
	need(w.groups.CreateOne(ctx, "course", []string{"alice", "bob"}))
	w.start(alice, "")
	need(w.servers.Create(ctx, alice, "data", "Data science", nil))
	id := need(w.access.OfUser(ctx, alice.ID))
	_, _, err := w.tokens.Create(ctx, id, "alice", hub.NewToken{Note: "laptop"})
	_, code, err2 := w.shares.CreateCode(ctx, id, "alice", "data", nil, 0)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	w.fake.Set(spawner.Identity{UserName: "bob"}, spawnertest.Behaviour{StartErr: errors.New("no such program")})
	_, _ = w.servers.Start(ctx, bob, "", hub.StartOptions{})
	w.fake.Set(spawner.Identity{UserName: "carol"}, spawnertest.Behaviour{StartDelay: time.Hour})
	_, _ = w.servers.Start(ctx, carol, "", hub.StartOptions{Wait: -1})
	w.fake.Set(spawner.Identity{UserName: "dora"}, spawnertest.Behaviour{StopDelay: time.Hour})
	w.start(dora, "")
	_, _ = w.servers.Stop(ctx, dora, "", hub.StopOptions{Wait: -1})
	visit := func(name, as, path string) { check(name, w.as(as).get(path)) }
	visit("login", "", "/hub/login?next=%2Fhub%2Fhome&username=alice")
	*w.page = auth.Page{RequestOTP: true, OTPPrompt: "Code:"}
	visit("login otp", "", "/hub/login")
	*w.page = auth.Page{Service: "GitHub"}
	visit("login service", "", "/hub/login")
	*w.page = auth.Page{CustomHTML: `<form action="{{ authenticator_login_url }}"><input value="{{ xsrf }}">own</form>`}
	visit("login custom", "", "/hub/login")
	*w.page = auth.Page{}
	visit("home", "alice", "/hub/home")
	visit("home admin", "root", "/hub/home")
	visit("token", "alice", "/hub/token")
	visit("pending", "carol", "/hub/spawn-pending/carol")
	visit("stopping", "dora", "/hub/spawn-pending/dora")
	visit("failed", "bob", "/hub/spawn-pending/bob")
	visit("not running", "erin", "/hub/user/erin/lab")
	visit("share", "bob", "/hub/accept-share?code="+code)
	visit("admin", "root", "/hub/admin")
	visit("groups", "root", "/hub/admin?tab=groups")
	visit("not found", "alice", "/hub/nothing")
	visit("forbidden", "alice", "/hub/admin")
	visit("proxy error", "", "/hub/error/503")
	form = `<input name="memory">`
	visit("spawn form", "frank", "/hub/spawn")
	failed := w.as("bob").post("/hub/spawn", url.Values{"memory": {"1"}})
	check("spawn form failed", failed)
	check("login failed", w.as("").post("/hub/login", url.Values{"username": {"alice"}, "password": {"wrong"}}))
	w.consent(check)
	return w
}

// consent renders the page that oauthprovider asks for.
func (w *world) consent(check func(string, answer)) {
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/hub/api/oauth2/authorize", nil)
	err := w.site.Consent().Render(rec, r, web.ConsentData{ClientDescription: "Grades", RedirectURI: "https://grades.test/cb", Identifier: "service-grades",
		Scopes: []string{"read:users!user"}, Descriptions: []rbac.Description{{Scope: "read:users", Description: "Read users", Filter: "only you", Limit: "only you"}}})
	if err != nil {
		w.t.Error(err)
	}
	check("consent", answer{rec.Code, rec.Header(), rec.Body.String()})
}

func TestEveryPageRenders(t *testing.T) {
	w := everyPage(t, nil, func(name string, a answer) {
		if a.status >= 500 && name != "failed" && name != "spawn form failed" || !strings.Contains(a.body, "</html>") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		for _, bad := range []string{"<no value>", "onclick=", "javascript:", "http://", "style=\"", "None<"} {
			if strings.Contains(a.body, bad) {
				t.Errorf("%s: has %q:\n%s", name, bad, a.body)
			}
		}
		for part := range strings.SplitSeq(a.body, "<script") {
			_, part, _ = strings.Cut(strings.TrimPrefix(part, " nonce="), " ")
			if !strings.HasPrefix(part, `src="/hub/static/js/`) && !strings.HasPrefix(part, `type="application/json"`) && !strings.Contains(part, "<title>") {
				t.Errorf("%s: has a script of its own: %s", name, part[:min(80, len(part))])
			}
		}
	})
	if log := w.log.String(); strings.Contains(log, "template failed") || strings.Contains(log, "cannot be rendered") {
		t.Error(log)
	}
}

// TestJupyterHubsTemplatesRender puts the templates of the real JupyterHub into template_paths.
func TestJupyterHubsTemplatesRender(t *testing.T) {
	dir := os.Getenv("MINIHUB_REF_TEMPLATES")
	if dir == "" {
		t.Skip("set MINIHUB_REF_TEMPLATES to share/jupyterhub/templates of an installed jupyterhub==6.1.1")
	}
	w := everyPage(t, func(_ *world, o *web.Options) { o.Look.TemplatePaths = []string{dir} }, func(name string, a answer) {
		if !strings.Contains(a.body, "requirejs") {
			t.Errorf("%s: %d not rendered by JupyterHub's template: %s", name, a.status, a.body)
		}
	})
	if log := w.log.String(); strings.Contains(log, "template failed") {
		t.Error(log)
	}
}

// TestJupyterHubsDataFiles uses the whole folder of the real JupyterHub, with an override on top.
func TestJupyterHubsDataFiles(t *testing.T) {
	dir := os.Getenv("MINIHUB_REF_TEMPLATES")
	if dir == "" {
		t.Skip("set MINIHUB_REF_TEMPLATES to share/jupyterhub/templates of an installed jupyterhub==6.1.1")
	}
	w := everyPage(t, func(w *world, o *web.Options) {
		o.Look.DataFiles = filepath.Dir(dir)
		o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"page.html": `{% extends "templates/page.html" %}{% block footer %}<footer>ours</footer>{% endblock %}`})}
	}, func(name string, a answer) {
		if !strings.Contains(a.body, "requirejs") || !strings.Contains(a.body, "<footer>ours") && !strings.HasPrefix(name, "admin") && name != "groups" {
			t.Errorf("%s: %d not rendered by JupyterHub's template: %s", name, a.status, a.body)
		}
		if name != "consent" { // rendered outside of the middleware, which sets the policy
			everyTagHasNonce(t, name, a)
		}
	})
	if log := w.log.String(); strings.Contains(log, "template failed") {
		t.Error(log)
	}
	b := w.as("")
	page := b.get("/hub/login").body
	for _, address := range regexp.MustCompile(`/hub/static/[^"']+\?v=[0-9a-f]{128}`).FindAllString(page, -1) {
		if a := b.get(address); a.status != 200 || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", address, a.status, a.header)
		}
	}
	for _, path := range []string{"/hub/static/components", "/hub/static/%2e%2e/templates/page.html", "/hub/static/..%2ftemplates/page.html"} {
		if a := b.get(path); a.status == 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
