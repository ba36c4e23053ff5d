package web_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

// sharers is a world in which alice may share.
func sharers(t *testing.T) (*world, *browser) {
	w := newWorld(t, worldOptions{})
	w.user("bob")
	w.user("carol")
	alice := w.user("alice")
	need(w.groups.CreateOne(t.Context(), "course", []string{"alice", "carol"}))
	need(w.servers.Create(t.Context(), alice, "data", "Data science", nil))
	role := orm.Role{Name: "sharer", Scopes: []string{"shares!user", "read:users:name", "read:groups:name"}}
	if err := w.store.CreateRole(t.Context(), &role); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Grant(t.Context(), orm.HolderUser, []int64{alice.ID}, role.ID, false); err != nil {
		t.Fatal(err)
	}
	return w, w.as("alice")
}

func TestSharingPage(t *testing.T) {
	w, alice := sharers(t)
	bob, carol := w.as("bob"), w.as("carol")

	made := alice.post("/hub/shares", url.Values{"action": {"share"}, "with": {"link"}, "server": {"data"}, "expires_in": {"3600"}, "run": {"1"}})
	m := regexp.MustCompile(`id="new-link"[^>]*value="([^"]+)"`).FindStringSubmatch(made.body)
	if made.status != 200 || m == nil || !strings.HasPrefix(m[1], w.url+"/hub/accept-share?code=") {
		t.Fatalf("no link: %d %s", made.status, made.body)
	}
	link := strings.TrimPrefix(html.UnescapeString(m[1]), w.url)
	if again := alice.get("/hub/shares"); strings.Contains(again.body, m[1]) || !strings.Contains(again.body, "Data science") {
		t.Error("the link can be seen again, or is not in the list", again.body)
	}
	if a := bob.post(link, url.Values{"code": {strings.TrimPrefix(link, "/hub/accept-share?code=")}}); a.status != 302 {
		t.Fatalf("bob accepts: %d %s", a.status, a.body)
	}
	if a := alice.get("/hub/shares"); !strings.Contains(a.body, "bob") || !strings.Contains(a.body, "1 time<") || !strings.Contains(a.body, "use, start and stop it") {
		t.Error("alice does not see who came", a.body)
	}
	if a := bob.get("/hub/shares"); !strings.Contains(a.body, "Data science") || strings.Contains(a.body, "share-form") {
		t.Error("bob does not see the server, or sees a form that is not for him", a.body)
	}
	if a := alice.post("/hub/shares", url.Values{"action": {"share"}, "with": {"group"}, "server": {""}, "name": {"course"}}); a.status != 303 {
		t.Fatalf("share with a group: %d %s", a.status, a.body)
	}
	if a := carol.get("/hub/shares"); !strings.Contains(a.body, "through the group course") || strings.Contains(a.body, ">Leave<") {
		t.Error("carol does not see the server of alice", a.body)
	}
	if a := carol.get("/hub/home"); !strings.Contains(a.body, "Shared with you") {
		t.Error("what a group has is not on the home page", a.body)
	}
	if a := alice.get("/hub/home"); strings.Contains(a.body, "Shared with you") {
		t.Error("alice's own server counts as shared with her")
	}

	if a := bob.post("/hub/shares", url.Values{"action": {"leave"}, "owner": {"alice"}, "server": {"data"}}); a.status != 303 {
		t.Errorf("bob leaves: %d %s", a.status, a.body)
	}
	if a := bob.get("/hub/shares"); strings.Contains(a.body, "Data science") {
		t.Error("bob still has the server")
	}
	if a := alice.post("/hub/shares", url.Values{"action": {"revoke"}, "server": {""}, "group": {"course"}}); a.status != 303 {
		t.Errorf("revoke: %d %s", a.status, a.body)
	}
	id := regexp.MustCompile(`name="id" value="(sc_\d+)"`).FindStringSubmatch(alice.get("/hub/shares").body)
	if id == nil {
		t.Fatal("no link to revoke")
	}
	if a := alice.post("/hub/shares", url.Values{"action": {"revoke-link"}, "server": {"data"}, "id": {id[1]}}); a.status != 303 {
		t.Errorf("revoke the link: %d %s", a.status, a.body)
	}
	if a := bob.get(link); a.status != 404 {
		t.Errorf("the revoked link: %d", a.status)
	}
}

func TestSharingIsRefused(t *testing.T) {
	_, alice := sharers(t)
	bob := alice.w.as("bob")
	for _, row := range []struct {
		name   string
		who    *browser
		form   url.Values
		status int
		want   string
	}{
		{"without the right", bob, url.Values{"action": {"share"}, "with": {"link"}, "server": {""}}, 403, "alert-danger"},
		{"nobody", alice, url.Values{"action": {"share"}, "with": {"user"}, "server": {"data"}, "name": {"nobody-here"}}, 400, "nobody-here"},
		{"no name", alice, url.Values{"action": {"share"}, "with": {"group"}, "server": {"data"}}, 400, "alert-danger"},
		{"no such server", alice, url.Values{"action": {"share"}, "with": {"link"}, "server": {"nothing"}}, 404, "alert-danger"},
		{"a life that is too short", alice, url.Values{"action": {"share"}, "with": {"link"}, "server": {"data"}, "expires_in": {"5"}}, 400, "expires_in"},
		{"a life that is no number", alice, url.Values{"action": {"share"}, "with": {"link"}, "server": {"data"}, "expires_in": {"1e99"}}, 400, "number of seconds"},
		{"which link", alice, url.Values{"action": {"revoke-link"}, "server": {"data"}}, 400, "which link"},
		{"unknown action", alice, url.Values{"action": {"<b>"}}, 400, "Unknown action &lt;b&gt;"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if a := row.who.post("/hub/shares", row.form); a.status != row.status || !strings.Contains(a.body, row.want) {
				t.Errorf("%d, want %d with %q: %s", a.status, row.status, row.want, a.body)
			}
		})
	}
}

func TestRenameServer(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	need(w.servers.Create(t.Context(), alice, "data", "Data", nil))
	b := w.as("alice")
	rename := func(form url.Values) answer {
		form.Set("action", "rename")
		return b.post("/hub/home/servers", form)
	}
	if a := rename(url.Values{"server": {"data"}, "name": {"data"}, "display_name": {"More & data"}}); a.status != 303 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := rename(url.Values{"server": {"data"}, "name": {"numbers"}, "display_name": {"More & data"}}); a.status != 303 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if v, err := w.servers.View(t.Context(), alice, "numbers"); err != nil || *v.DisplayName != "More & data" {
		t.Fatal(v, err)
	}
	if a := rename(url.Values{"server": {"numbers"}, "name": {"no good/"}}); a.status != 400 || !strings.Contains(a.body, `href="/hub/home"`) {
		t.Errorf("a name that is not allowed: %d %s", a.status, a.body)
	}
	w.start(alice, "numbers")
	if a := rename(url.Values{"server": {"numbers"}, "name": {"other"}}); a.status != 400 {
		t.Errorf("a running server: %d %s", a.status, a.body)
	}
	if a := w.as("bob").post("/hub/home/servers", url.Values{"action": {"rename"}, "user": {"alice"}, "server": {"numbers"}, "name": {"x"}}); a.status != 403 && a.status != 404 {
		t.Errorf("somebody else's server: %d", a.status)
	}
}

// TestHostileNames puts markup into everything that pages show: it must come out as text.
func TestHostileNames(t *testing.T) {
	const bad = `'"{{7*7}}<img src=x>`
	w := newWorld(t, worldOptions{edit: func(w *world, o *web.Options) {
		o.Services = services{{Name: bad, Href: "/services/x/"}}
		o.Traits.Servers.NamedLimit = func(ctxt, *orm.User) (int, error) { return 9, nil }
	}})
	ctx := t.Context()
	eve := w.user(bad)
	bob := w.user("bob")
	need(w.groups.CreateOne(ctx, bad, []string{bad, "bob"}))
	need(w.servers.Create(ctx, eve, "data", bad, nil))
	role := orm.Role{Name: "all", Scopes: []string{"shares", "read:users:name", "read:groups:name", "access:services", "servers"}}
	if err := w.store.CreateRole(ctx, &role); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Grant(ctx, orm.HolderUser, []int64{eve.ID, bob.ID}, role.ID, false); err != nil {
		t.Fatal(err)
	}
	id := need(w.access.OfUser(ctx, eve.ID))
	if _, _, err := w.tokens.Create(ctx, id, bad, hub.NewToken{Note: bad}); err != nil {
		t.Fatal(err)
	}
	need(w.shares.Grant(ctx, id, bad, "data", hub.Grantee{User: "bob"}, nil))
	need(w.shares.Grant(ctx, id, bad, "data", hub.Grantee{Group: bad}, nil))
	_, code, err := w.shares.CreateCode(ctx, id, bad, "data", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	escaped := url.PathEscape(bad)
	check := func(name string, a answer, shown bool) {
		t.Helper()
		for _, raw := range []string{"<img src=x", `="` + bad, "49<img", "49&lt;img"} {
			if strings.Contains(a.body, raw) {
				t.Errorf("%s: has %q unescaped:\n%s", name, raw, a.body)
			}
		}
		if shown && !strings.Contains(a.body, "&lt;img src=x&gt;") {
			t.Errorf("%s: %d does not show the name at all:\n%s", name, a.status, a.body)
		}
	}
	e, b, root := w.as(bad), w.as("bob"), w.as("root")
	check("home", e.get("/hub/home"), true)
	check("token", e.get("/hub/token"), true)
	check("token refused", e.post("/hub/token/request", url.Values{"note": {bad}, "scopes": {bad}}), true)
	check("shares", e.get("/hub/shares?server="+url.QueryEscape(bad)), true)
	check("shared with", b.get("/hub/shares"), true)
	check("home of bob", b.get("/hub/home"), true)
	check("share refused", e.post("/hub/shares", url.Values{"action": {"share"}, "with": {"user"}, "server": {"data"}, "name": {bad + "x"}}), true)
	check("accept", w.as("bob").get("/hub/accept-share?code="+url.QueryEscape(code)+"&next="+url.QueryEscape("/hub/"+bad)), true)
	check("not running", b.get("/hub/user/"+escaped+"/data/"), true)
	check("pending", b.get("/hub/spawn-pending/"+escaped+"/data"), true)
	check("login", w.as("").get("/hub/login?username="+url.QueryEscape(bad)+"&next="+url.QueryEscape(bad)), true)
	check("login refused", w.as("").post("/hub/login", url.Values{"username": {bad}, "password": {"wrong"}}), true)
	check("error", e.get("/hub/error/"+escaped), true)
	check("not found", e.get("/hub/"+escaped), true)
	check("admin", root.get("/hub/admin?name_filter="+url.QueryEscape(bad)), false)
	check("server action", e.post("/hub/home/servers", url.Values{"action": {"create"}, "display_name": {"x"}, "server": {bad}}), false)
}
