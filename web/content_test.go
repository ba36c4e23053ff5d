package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

func TestTokenPage(t *testing.T) {
	w := newWorld(t, worldOptions{})
	b := w.as("alice")
	a := b.post("/hub/token/request", url.Values{"note": {" my laptop "}, "expires_in": {"3600"}, "scopes": {"read:users!user, tokens!user"}})
	found := regexp.MustCompile(`id="token-result"[^>]* value="([^"]+)"`).FindStringSubmatch(a.body)
	if a.status != 200 || found == nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	id := need(w.access.ByToken(t.Context(), found[1]))
	if id == nil || id.Name() != "alice" || *id.Token.Note != "my laptop" || time.Until(*id.Token.ExpiresAt) > time.Hour {
		t.Errorf("%+v", id)
	}
	if got := strings.Join(id.Token.Scopes, " "); got != "read:users!user tokens!user" && got != "read:users!user=alice tokens!user=alice" {
		t.Errorf("scopes %s", got)
	}
	if a.header.Get("Cache-Control") != "no-cache, no-store" {
		t.Error("a page with a token may be kept:", a.header.Get("Cache-Control"))
	}
	if again := b.get("/hub/token"); strings.Contains(again.body, found[1]) || !strings.Contains(again.body, "my laptop") {
		t.Error("the token is shown again, or its row is missing")
	}
	for form, want := range map[string]string{"scopes=admin%3Ausers": "admin:users", "scopes=nonsense": "nonsense", "expires_in=x": "number of seconds",
		"expires_in=0": "expires_in", "expires_in=-5": "expires_in", "expires_in=99999999999999": "number of seconds"} {
		if a := b.post("/hub/token/request", need(url.ParseQuery(form))); a.status != 400 && a.status != 403 || !strings.Contains(a.body, want) || strings.Contains(a.body, "token-result") {
			t.Errorf("%s: %d %s", form, a.status, a.body)
		}
	}
	if a := b.get("/hub/token/request"); a.status != 303 || a.location() != "/hub/token" {
		t.Errorf("reload: %d %s", a.status, a.location())
	}
	row := regexp.MustCompile(`data-token-id="(a\d+)"`).FindStringSubmatch(b.get("/hub/token").body)[1]
	if a := w.as("bob").post("/hub/token/revoke", url.Values{"token_id": {row}}); a.status != 404 {
		t.Errorf("somebody else's token: %d", a.status)
	}
	if a := b.post("/hub/token/revoke", url.Values{"token_id": {row}}); a.status != 303 {
		t.Errorf("revoke: %d %s", a.status, a.body)
	}
	if id := need(w.access.ByToken(t.Context(), found[1])); id != nil {
		t.Error("the revoked token works")
	}
}

func TestTokenPageListsApplications(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	client := "service-grades"
	if err := w.store.SaveOAuthClient(t.Context(), &orm.OAuthClient{Identifier: client, Description: "Grades & marks", RedirectURI: "/cb"}); err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"read:users:name!user", "access:services!service=grades", "read:users:name!user"} {
		if _, _, err := w.tokens.Issue(t.Context(), orm.APIToken{UserID: &alice.ID, ClientID: &client}, []string{scope}); err != nil {
			t.Fatal(err)
		}
	}
	body := w.as("alice").get("/hub/token").body
	if strings.Count(body, "Grades &amp; marks</td>") != 1 || strings.Count(body, "<code class=\"token-scope\">read:users:name!user") != 1 || !strings.Contains(body, "2 scopes") {
		t.Error(body)
	}
}

func TestExpiryOptions(t *testing.T) {
	for limit, want := range map[time.Duration][]string{
		0:                   {`<option value="31536000">1 Year</option>`, `<option value="" selected="selected">Never</option>`},
		24 * time.Hour:      {`<option value="86400" selected="selected">1 Day</option>`},
		36 * time.Hour:      {`<option value="86400">1 Day</option>`, `<option value="" selected="selected">Max (36 hours)</option>`},
		10 * 24 * time.Hour: {`<option value="604800">1 Week</option>`, `<option value="" selected="selected">Max (10 days)</option>`},
	} {
		w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.Tokens.MaxExpiry = limit }})
		body := w.as("alice").get("/hub/token").body
		for _, option := range want {
			if !strings.Contains(body, option) {
				t.Errorf("limit %s: no %s", limit, option)
			}
		}
		if limit > 0 && strings.Contains(body, "Never</option>") {
			t.Errorf("limit %s: never is offered", limit)
		}
	}
}

func TestAcceptShare(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	need(w.servers.Create(t.Context(), alice, "data", "", nil))
	_, code, err := w.shares.CreateCode(t.Context(), need(w.access.OfUser(t.Context(), alice.ID)), "alice", "data", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	page := "/hub/accept-share?code=" + code
	var attacks []row
	for _, next := range []string{`/hub/home"><img src=x onerror=alert(1)>`, `'><img src=x>`, `">injected</a>`, "javascript:alert(1)", "//evil.test/", "https://evil.test/"} {
		attacks = append(attacks, row{name: next, as: "bob", path: page + "&next=" + url.QueryEscape(next), status: 200,
			wantNot: []string{"<img src=x", `">injected`, `href="javascript`, "evil.test", "onerror=alert(1)>"}})
	}
	run(t, w, append(attacks, []row{
		{name: "shows", as: "bob", path: page, status: 200, want: []string{"alice", "/user/alice/data/", "not currently running", `name="code" value="` + code}},
		{name: "with next", as: "bob", path: page + "&next=/hub/home", status: 200, want: []string{`href="/hub/home"`}},
		{name: "no code", as: "bob", path: "/hub/accept-share", status: 400, want: []string{"code"}},
		{name: "unknown code", as: "bob", path: "/hub/accept-share?code=x", status: 404, want: []string{"Share not found or expired"}},
		{name: "own", as: "alice", path: page, status: 403, want: []string{"share with yourself"}},
		{name: "own, accepted", as: "alice", method: "POST", path: page, form: url.Values{"code": {code}}, status: 400},
		{name: "unknown, accepted", as: "bob", method: "POST", path: page, form: url.Values{"code": {"x"}}, status: 400},
		{name: "forged", as: "bob", method: "POST", path: page, form: url.Values{"code": {code}, "_xsrf": {"x"}}, status: 403},
		{name: "accepted", as: "bob", method: "POST", path: page, form: url.Values{"code": {code}}, status: 302, location: "/user/alice/data/"},
		{name: "shown at home", as: "bob", path: "/hub/home", status: 200, want: []string{"Shared with you", `href="/user/alice/data/"`}},
		{name: "access", as: "bob", path: "/hub/user/alice/data/lab", status: 424},
	}...))
}

func TestStaticFiles(t *testing.T) {
	w := newWorld(t, worldOptions{})
	b := w.as("")
	address := regexp.MustCompile(`/hub/static/css/style.min.css\?v=[0-9a-f]{128}`).FindString(b.get("/hub/login").body)
	if address == "" {
		t.Fatal("no style sheet with a version")
	}
	a := b.get(address)
	if a.status != 200 || a.header.Get("Cache-Control") != "public, max-age=315360000, immutable" || a.header.Get("Last-Modified") == "" || a.header.Get("Etag") != "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("%d %v", a.status, a.header)
	}
	packed := b.get(address, "Accept-Encoding", "br, gzip")
	if z, err := gzip.NewReader(strings.NewReader(packed.body)); err != nil || packed.header.Get("Content-Encoding") != "gzip" || packed.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("compressed: %v %v", err, packed.header)
	} else if plain, err := io.ReadAll(z); err != nil || string(plain) != a.body {
		t.Errorf("compressed: %v, %d bytes instead of %d", err, len(plain), len(a.body))
	}
	if refused := b.get(address, "Accept-Encoding", "gzip;q=0"); refused.body != a.body {
		t.Errorf("compressed although it is refused: %v", refused.header)
	}
	if again := b.get(address, "If-Modified-Since", a.header.Get("Last-Modified")); again.status != http.StatusNotModified {
		t.Errorf("again: %d", again.status)
	}
	if plain := b.get("/hub/static/js/ui.js"); plain.header.Get("Cache-Control") != "no-cache" || !strings.HasPrefix(plain.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("without version: %v", plain.header)
	}
	for _, path := range []string{"/hub/static/", "/hub/static/nothing.js", "/hub/static/../embed.go", "/hub/static/%2e%2e/embed.go", "/hub/static/css"} {
		if a := b.get(path); a.status != 404 && a.status != 301 && a.status != 302 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := b.get("/hub/logo"); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "image/") {
		t.Errorf("logo: %d %v", a.status, a.header)
	}
	file := filepath.Join(t.TempDir(), "own.svg")
	if err := os.WriteFile(file, []byte("<svg/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	own := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Look.LogoFile, o.Look.NoCacheStatic = file, true }})
	if a := own.as("").get("/hub/logo"); a.body != "<svg/>" {
		t.Errorf("own logo: %d %s", a.status, a.body)
	}
	if a := own.as("").get("/hub/login"); strings.Contains(a.body, "jpy-logo-own") || !strings.Contains(newWorld(t, worldOptions{}).as("").get("/hub/login").body, "jpy-logo-own") {
		t.Error("the built-in logo is made brighter on dark pages, one's own is not")
	}
	if a := own.as("").get("/hub/static/js/ui.js?v=1"); a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("no_cache_static: %v", a.header)
	}
}

// TestNoNameIsMarkup puts markup and template code wherever people may put text, and looks at every page that shows it.
func TestNoNameIsMarkup(t *testing.T) {
	const evil = `'"{{7*7}}<img src=x onerror=alert(1)></script>`
	user := `'"{{7*7}}<img src=x onerror=alert(1)>` // names have no slash
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Services = services{{Name: evil, Href: "/services/x/?" + evil}}
		o.Look.TemplateVars = map[string]any{"list": []any{evil, map[string]any{evil: evil}}}
		o.Look.TemplatePaths = []string{overrides(t, map[string]string{"logout.html": `{% extends "templates/logout.html" %}`,
			"home.html": `{% extends "templates/home.html" %}{% block main %}{{ super() }}{{ list }}{{ user }}{{ user.groups }}{{ list | sort }}` +
				`{{ user.spawners }}{{ list | tojson }}{{ user.groups | join("<br>") }}{{ user.name.split("x") }}{{ spawners }}{% set x = user.name %}{{ x }}{{ x ~ "a" }}{% endblock %}`})}
		o.Traits.Logins.AutoLogin = false
	}})
	ctx := t.Context()
	owner := &orm.User{Name: user, CookieID: "0123456789abcdef0123456789abcdef"}
	if err := w.store.CreateUsers(ctx, []*orm.User{owner}); err != nil {
		t.Fatal(err)
	}
	display := evil
	if err := w.store.CreateSpawner(ctx, &orm.Spawner{UserID: owner.ID, Name: "x", DisplayName: &display, UserOptions: map[string]any{"k": evil}}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.CreateSpawner(ctx, &orm.Spawner{UserID: owner.ID, Name: user, DisplayName: &display}); err != nil {
		t.Fatal(err)
	}
	role := need(w.store.RoleByName(ctx, "user"))
	if err := w.store.Grant(ctx, orm.HolderUser, []int64{owner.ID}, role.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.groups.CreateOne(ctx, `g'"<img src=x onerror=alert(1)>`, []string{user}); err != nil {
		t.Logf("group: %v", err)
	}
	if _, _, err := w.tokens.Create(ctx, need(w.access.OfUser(ctx, owner.ID)), user, hub.NewToken{Note: evil}); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	w.cookies.SetLogin(h, false, owner.CookieID)
	cookie := []string{"Cookie", strings.Split(h.Get("Set-Cookie"), ";")[0]}
	e, u := url.QueryEscape(evil), url.PathEscape(user)
	for _, visit := range []struct {
		as   string
		path string
	}{
		{"", "/hub/login?username=" + e + "&next=" + e}, {"", "/hub/nothing/" + url.PathEscape(evil) + "?" + e}, {"", "/hub/error/503?" + e},
		{"self", "/hub/home"}, {"self", "/hub/token"}, {"self", "/hub/spawn-pending/" + u}, {"self", "/hub/spawn-pending/" + u + "/x"}, {"self", "/hub/user/" + u + "/lab?" + e},
		{"self", "/hub/user/" + u + "/" + u + "/lab"}, {"self", "/hub/accept-share?code=" + e + "&next=" + e}, {"self", "/hub/spawn/" + u + "/" + url.PathEscape(`Bad "><img src=x onerror=alert(1)>`)},
		{"root", "/hub/admin?name_filter=" + e + "&sort=" + e + "&tab=" + e}, {"root", "/hub/admin"}, {"root", "/hub/admin?tab=groups"}, {"root", "/hub/spawn-pending/" + u},
		{"root", "/hub/spawn-pending/" + url.PathEscape(evil)},
	} {
		b := w.as("")
		var a answer
		switch visit.as {
		case "self":
			a = b.get(visit.path, cookie...)
		default:
			a = w.as(visit.as).get(visit.path)
		}
		if strings.Contains(a.body, "<img src=x") || strings.Contains(a.body, "49<") || strings.Contains(a.body, "'\"{{7") || strings.Contains(a.body, `"><`+"img src=x") {
			t.Errorf("%s: markup got through:\n%s", visit.path, a.body)
		}
		if a.status >= 500 {
			t.Errorf("%s: %d", visit.path, a.status)
		}
	}
	if strings.Contains(w.log.String(), "template failed") {
		t.Error(w.log)
	}
}
