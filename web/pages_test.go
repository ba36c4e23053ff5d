package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/web"
)

// row is a request and what must, and must not, come back.
type row struct {
	name, as, method, path string
	form                   url.Values // of a POST
	header                 []string
	status                 int
	location               string
	want, wantNot          []string
}

func run(t *testing.T, w *world, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := w.as(row.as)
			var a answer
			switch row.method {
			case "", "GET":
				a = b.get(row.path, row.header...)
			case "POST":
				a = b.post(row.path, row.form, row.header...)
			default:
				a = b.do(row.method, row.path, nil, "", row.header...)
			}
			if a.status != row.status || a.location() != row.location {
				t.Errorf("%d %q, want %d %q\n%s", a.status, a.location(), row.status, row.location, a.body)
			}
			for _, want := range row.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("%q is not in\n%s", want, a.body)
				}
			}
			for _, not := range row.wantNot {
				if strings.Contains(a.body, not) {
					t.Errorf("%q is in\n%s", not, a.body)
				}
			}
		})
	}
}

func TestWhereVisitorsAreSent(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.start(w.user("running"), "")
	run(t, w, []row{
		{name: "root", path: "/", status: 302, location: "/hub/"},
		{name: "root, other method", method: "POST", path: "/", status: 403},
		{name: "hub without slash", path: "/hub?a=1", status: 301, location: "/hub/?a=1"},
		{name: "hub, nobody", path: "/hub/", status: 302, location: "/hub/login?next=%2Fhub%2F"},
		{name: "hub", as: "alice", path: "/hub/", status: 302, location: "/hub/spawn"},
		{name: "hub, server runs", as: "running", path: "/hub/?x=1", status: 302, location: "/user/running/?x=1"},
		{name: "hub with next", as: "alice", path: "/hub/?next=/hub/token", status: 302, location: "/hub/token"},
		{name: "user without slash", path: "/user/alice", status: 301, location: "/user/alice/"},
		{name: "service without slash", path: "/services/x?a=1", status: 301, location: "/services/x/?a=1"},
		{name: "service without slash, other method", method: "POST", path: "/services/x", status: 405},
		{name: "somewhere", path: "/user/alice/lab?a=1", status: 302, location: "/hub/user/alice/lab?a=1"},
		{name: "two slashes", path: "//evil.test/x", status: 302, location: "/hub/evil.test/x"},
		{name: "no page", path: "/hub/nothing", status: 404, want: []string{"404 : Not Found", "Sign in"}},
		{name: "no page, logged in", as: "alice", path: "/hub/nothing", status: 404, want: []string{`href="/hub/home"`}},
		{name: "bad escape", path: "/hub/spawn/%ff%fe", as: "alice", status: 404},
		{name: "anonymous page", path: "/hub/home?a=1", status: 302, location: "/hub/login?next=%2Fhub%2Fhome%3Fa%3D1"},
		{name: "anonymous form", method: "POST", path: "/hub/token/request", status: 403},
		{name: "anonymous admin", path: "/hub/admin", status: 302, location: "/hub/login?next=%2Fhub%2Fadmin"},
		{name: "anonymous spawn", path: "/hub/spawn/alice", status: 302, location: "/hub/login?next=%2Fhub%2Fspawn%2Falice"},
		{name: "not an admin", as: "alice", path: "/hub/admin", status: 403, wantNot: []string{"<table"}},
		{name: "health", path: "/hub/health", status: 200, wantNot: []string{"html"}},
		{name: "health head", method: "HEAD", path: "/hub/health", status: 200},
		{name: "home by POST", as: "alice", method: "POST", path: "/hub/home", status: 405},
		{name: "proxy error", path: "/hub/error/503", status: 200, want: []string{"503 : Service Unavailable", "from the hub"}},
		{name: "proxy error 404", path: "/hub/error/404", status: 200, want: []string{"404 : Not Found"}},
		{name: "odd proxy error", path: "/hub/error/799", status: 200, want: []string{"799 : Unknown HTTP Error"}},
		{name: "no number", path: "/hub/error/..%2Fpage", status: 404},
		{name: "favicon", path: "/favicon.ico", status: 200},
		{name: "robots", path: "/robots.txt", status: 404},
		{name: "user-redirect", as: "alice", path: "/hub/user-redirect/lab/tree/a%20b?x=1", status: 302,
			location: "/hub/spawn/alice?next=" + url.QueryEscape("/user/alice/lab/tree/a%20b?x=1")},
	})
}

func TestDefaultsOfConfiguration(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Traits.Redirects = web.Redirects{DefaultServerName: "lab", DefaultURL: func(_ *http.Request, u *orm.User) string {
			if u != nil && u.Name == "plain" {
				return ""
			}
			return "/services/portal/"
		}}
	}})
	run(t, w, []row{
		{name: "default_url for nobody", path: "/hub/", status: 302, location: "/services/portal/"},
		{name: "default_url", as: "alice", path: "/hub/login?a=1", status: 302, location: "/services/portal/?a=1"},
		{name: "default_url after next", as: "alice", path: "/hub/login?next=/hub/token", status: 302, location: "/hub/token"},
		{name: "home instead of server", as: "plain", path: "/hub/", status: 302, location: "/hub/home"},
		{name: "default_server_name", as: "alice", path: "/hub/user-redirect/lab", status: 302,
			location: "/hub/spawn/alice/lab?next=" + url.QueryEscape("/user/alice/lab/lab")},
	})
}

func TestSpawnPage(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.start(w.user("running"), "")
	w.fake.Set(spawner.Identity{UserName: "slow"}, spawnertest.Behaviour{StartDelay: time.Hour})
	w.fake.Set(spawner.Identity{UserName: "broken"}, spawnertest.Behaviour{StartErr: errors.New("disk <full>")})
	run(t, w, []row{
		{name: "starts", as: "alice", path: "/hub/spawn?next=/user/alice/lab", status: 302, location: "/hub/spawn-pending/alice?next=%2Fuser%2Falice%2Flab"},
		{name: "then goes on", as: "alice", path: "/hub/spawn-pending/alice?next=/user/alice/lab", status: 302, location: "/user/alice/lab"},
		{name: "ready", as: "running", path: "/hub/spawn?a=1", status: 302, location: "/user/running/?a=1"},
		{name: "ready, form", as: "running", method: "POST", path: "/hub/spawn", status: 400, want: []string{"running is already running"}},
		{name: "slow", as: "slow", path: "/hub/spawn", status: 302, location: "/hub/spawn-pending/slow"},
		{name: "slow again", as: "slow", path: "/hub/spawn?next=/x", status: 302, location: "/hub/spawn-pending/slow?next=%2Fx"},
		{name: "slow, form", as: "slow", method: "POST", path: "/hub/spawn", status: 400, want: []string{"slow is pending spawn"}},
		{name: "pending page", as: "slow", path: "/hub/spawn-pending/slow", status: 200,
			want: []string{`data-progress-url="/hub/api/users/slow/server/progress?_xsrf=`, "starting up", `http-equiv="refresh"`, "Stop Server"}},
		{name: "broken", as: "broken", path: "/hub/spawn?next=/hub/user/broken/lab", status: 500, want: []string{"Spawn failed", "disk &lt;full&gt;", "Relaunch",
			`href="/hub/spawn/broken?next=%2Fhub%2Fuser%2Fbroken%2Flab"`}, wantNot: []string{"disk <full>"}},
		{name: "broken, pending page", as: "broken", path: "/hub/spawn-pending/broken", status: 500, want: []string{"Spawn failed", "fake server broken"}},
		{name: "named", as: "alice", path: "/hub/spawn/alice/data", status: 302, location: "/hub/spawn-pending/alice/data"},
		{name: "bad server name", as: "alice", path: "/hub/spawn/alice/No%20Good", status: 400, want: []string{"No Good"}},
		{name: "other person", as: "alice", path: "/hub/spawn/running", status: 404, wantNot: []string{"/user/running"}},
		{name: "nobody of that name", as: "root", path: "/hub/spawn/missing", status: 404, want: []string{"No such user: missing"}},
		{name: "admin for somebody", as: "root", path: "/hub/spawn/running", status: 302, location: "/user/running/"},
		{name: "empty option", as: "idle", path: "/hub/spawn?opt-=1", status: 422, want: []string{"opt-"}},
		{name: "pending page of no server", as: "alice", path: "/hub/spawn-pending/alice/none", status: 404},
		{name: "not running", as: "idle", path: "/hub/spawn-pending/idle", status: 200, want: []string{"Server not running", `href="/hub/spawn/idle"`}},
	})
}

func TestSpawnForm(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Traits.Servers.OptionsForm = `<input name="memory"><input type="file" name="script">`
		o.Traits.Servers.SimpleForm = true
	}})
	b := w.as("alice")
	a := b.get("/hub/spawn?next=/user/alice/lab")
	if a.status != 200 || !strings.Contains(a.body, `<input name="memory">`) || !strings.Contains(a.body, `action="/hub/spawn?next=/user/alice/lab&amp;_xsrf=`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("memory", "2G")
	_ = m.WriteField("zone", "a")
	_ = m.WriteField("zone", "b")
	f := need(m.CreateFormFile("script", "run.sh"))
	_, _ = f.Write([]byte{0, 1, 255})
	_ = m.Close()
	a = b.do("POST", "/hub/spawn?next=/user/alice/lab&_xsrf="+url.QueryEscape(b.cookie("_xsrf")), &body, m.FormDataContentType())
	if a.status != 302 || a.location() != "/hub/spawn-pending/alice?next=%2Fuser%2Falice%2Flab" {
		t.Fatalf("%d %s %s", a.status, a.location(), a.body)
	}
	until(t, "start", func() bool { return len(w.fake.Requests()) == 1 })
	options := need(json.Marshal(w.fake.Requests()[0].UserOptions))
	want := `{"memory":"2G","script_file":[{"body":"AAH/","content_type":"application/octet-stream","filename":"run.sh"}],"zone":["a","b"]}`
	if string(options) != want {
		t.Errorf("options\n%s, want\n%s", options, want)
	}
	// Options in the link start without the form; those with a prefix win.
	for query, want := range map[string]string{"opt-memory=4G&memory=1G": `{"memory":"4G"}`, "memory=1G&next=/x": `{"memory":"1G"}`} {
		name := "u" + strings.ToLower(want[11:13])
		if a := w.as(name).get("/hub/spawn?" + query); a.status != 302 {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
		until(t, "start of "+name, func() bool {
			for _, r := range w.fake.Requests() {
				if r.UserName == name {
					return string(need(json.Marshal(r.UserOptions))) == want
				}
			}
			return false
		})
	}
	w.fake.Set(spawner.Identity{UserName: "broken"}, spawnertest.Behaviour{StartErr: errors.New("no <GPU> left")})
	run(t, w, []row{
		{name: "failure shows the form", as: "broken", method: "POST", path: "/hub/spawn", form: url.Values{"memory": {"1"}}, status: 500,
			want: []string{"no &lt;GPU&gt; left", `<input name="memory">`, "fake server broken"}, wantNot: []string{"<GPU>"}},
		{name: "failure by link shows the form", as: "broken", path: "/hub/spawn?opt-memory=1", status: 500, want: []string{"no &lt;GPU&gt; left", `<input name="memory">`}},
		{name: "without token", as: "alice", method: "POST", path: "/hub/spawn", form: url.Values{"_xsrf": {""}}, status: 403},
	})
}

func TestUserURL(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.Servers.ImplicitSpawn = 2.5 }})
	alice := w.user("alice")
	need(w.servers.Create(t.Context(), alice, "data", "", nil))
	w.start(w.user("running"), "")
	w.fake.Set(spawner.Identity{UserName: "broken"}, spawnertest.Behaviour{StartErr: errors.New("no")})
	_, _ = w.servers.Start(t.Context(), w.user("broken"), "", hub.StartOptions{})
	visitor, stranger := w.service("visitor", "access:servers!user=alice", "access:servers!user=running"), w.service("stranger")
	owner := need2(w.tokens.Issue(t.Context(), orm.APIToken{UserID: &alice.ID}, []string{"inherit"}))
	bearer := func(token string) []string { return []string{"Authorization", "token " + token} }
	run(t, w, []row{
		{name: "service, stopped server", path: "/hub/user/alice/api/contents", header: bearer(visitor), status: 424, want: []string{"/hub/spawn/alice"}, wantNot: []string{"<html"}},
		{name: "service, stopped named server", path: "/hub/user/alice/data/api/contents", header: bearer(visitor), status: 424, want: []string{"/hub/spawn/alice/data"}},
		{name: "service, page of a stopped server", path: "/hub/user/alice/lab", header: bearer(visitor), status: 424},
		{name: "service writes to a stopped server", method: "POST", path: "/hub/user/alice/api/sessions", header: bearer(visitor), status: 424},
		{name: "service, running server", path: "/hub/user/running/api/contents", header: bearer(visitor), status: 302, location: "/user/running/api/contents?redirects=1"},
		{name: "service without the scope", path: "/hub/user/alice/api/contents", header: bearer(stranger), status: 404, wantNot: []string{"spawn/alice"}},
		{name: "service, server of another user", path: "/hub/user/broken/api/contents", header: bearer(visitor), status: 404},
		{name: "owner's token, stopped server", path: "/hub/user/alice/api/contents", header: bearer(owner), status: 424, want: []string{"/hub/spawn/alice"}},
		{name: "no such token", path: "/hub/user/alice/lab", header: bearer("0123456789abcdef"), status: 302, location: "/hub/login?next=%2Fhub%2Fuser%2Falice%2Flab"},
		{name: "not running", as: "alice", path: "/hub/user/alice/lab?a=1", status: 424,
			want: []string{`href="/hub/spawn/alice?next=%2Fhub%2Fuser%2Falice%2Flab%3Fa%3D1"`, `data-implicit-spawn="2.5"`}},
		{name: "named", as: "alice", path: "/hub/user/alice/data/lab", status: 424, want: []string{`href="/hub/spawn/alice/data?next=`}},
		{name: "program by Accept", as: "alice", path: "/hub/user/alice/lab", header: []string{"Accept", "application/json"}, status: 424,
			want: []string{`"message":"JupyterHub server no longer running at /user/alice/lab. Restart the server at http`, "/hub/spawn/alice"}, wantNot: []string{"<html"}},
		{name: "program by path", as: "alice", path: "/hub/user/alice/data/api/contents", status: 424, want: []string{"/hub/spawn/alice/data"}, wantNot: []string{"<html"}},
		{name: "browser's Accept", as: "alice", path: "/hub/user/alice/lab", header: []string{"Accept", "text/html,application/json;q=0.9"}, status: 424, want: []string{"<html"}},
		{name: "program writes", as: "alice", method: "POST", path: "/hub/user/alice/data/api/sessions", status: 424, want: []string{"/hub/spawn/alice/data"}},
		{name: "program writes without token", method: "DELETE", path: "/hub/user/alice/api/x", status: 403},
		{name: "PUT", as: "alice", method: "PUT", path: "/hub/user/alice/x", status: 405},
		{name: "ready", as: "running", path: "/hub/user/running/lab?a=1", status: 302, location: "/user/running/lab?a=1&redirects=1"},
		{name: "loop", as: "running", path: "/hub/user/running/lab?redirects=4", status: 500, want: []string{"Redirect loop detected."}},
		{name: "failed before", as: "broken", path: "/hub/user/broken/lab", status: 303, location: "/hub/spawn-pending/broken?next=%2Fhub%2Fuser%2Fbroken%2Flab"},
		{name: "somebody else", as: "alice", path: "/hub/user/running/", status: 404, wantNot: []string{"spawn/running"}},
		{name: "nobody of that name", as: "alice", path: "/hub/user/missing/", status: 404},
		{name: "admin", as: "root", path: "/hub/user/missing/", status: 404},
		{name: "anonymous", path: "/hub/user/alice/lab", status: 302, location: "/hub/login?next=%2Fhub%2Fuser%2Falice%2Flab"},
	})
}

func TestServerForms(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	w.start(alice, "")
	w.start(w.user("bob"), "")
	do := func(name, as string, status int, want string, form url.Values) {
		t.Helper()
		a := w.as(as).post("/hub/home/servers", form)
		if a.status != status || status == 303 && a.location() != want || !strings.Contains(a.location()+a.body, want) {
			t.Errorf("%s: %d %q %s", name, a.status, a.location(), a.body)
		}
	}
	do("create", "alice", 303, "/hub/home", url.Values{"action": {"create"}, "display_name": {"Data Science!"}})
	views := need(w.servers.Views(t.Context(), []orm.User{*alice}))[alice.ID]
	if len(views) != 2 || *views[1].DisplayName != "Data Science!" {
		t.Fatalf("%+v", views)
	}
	named := views[1].Name
	do("create again", "alice", 409, "already has server", url.Values{"action": {"create"}, "display_name": {"Data Science!"}})
	do("create without name", "alice", 400, "needs a name", url.Values{"action": {"create"}})
	do("delete", "alice", 303, "/hub/home", url.Values{"action": {"delete"}, "server": {named}})
	do("delete default", "alice", 400, "Cannot delete the default server", url.Values{"action": {"delete"}})
	do("somebody else's", "alice", 404, "404", url.Values{"action": {"stop"}, "user": {"bob"}})
	do("unknown action", "alice", 400, "Unknown action", url.Values{"action": {"explode"}})
	do("forged", "alice", 403, "XSRF", url.Values{"action": {"stop"}, "_xsrf": {"forged"}})
	if v := need(w.servers.View(t.Context(), alice, "")); !v.Ready {
		t.Error("stopped by a forged request")
	}
	do("stop", "alice", 303, "/hub/spawn-pending/alice", url.Values{"action": {"stop"}, "next": {"/hub/spawn-pending/alice"}})
	do("stop, next elsewhere", "root", 303, "/hub/home", url.Values{"action": {"stop"}, "user": {"bob"}, "next": {"https://evil.test/"}})
	if v := need(w.servers.View(t.Context(), w.user("bob"), "")); v.Active || need(w.servers.View(t.Context(), alice, "")).Active {
		t.Error("still running")
	}
}
