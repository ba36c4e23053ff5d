package devserver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/devserver"
	"github.com/minihub/minihub/hubapi"
)

// TestALoginAtAServiceIsExplained: a browser opens the service, and the inspector shows the login, without any secret of it.
func TestALoginAtAServiceIsExplained(t *testing.T) {
	d := start(t, devserver.Options{Services: []devserver.Service{whoami(t)}})
	d.up()
	ann, err := d.Hub().Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	page, err := ann.Open("/services/whoami/")
	if err != nil || !strings.Contains(page.Body, `"name":"ann"`) {
		t.Fatalf("the service answers %+v, %v", page, err)
	}
	var cookies []string
	for _, path := range []string{"hub/", "services/whoami/"} {
		u, _ := url.Parse(d.URL + path)
		for _, c := range ann.Client.Jar.Cookies(u) {
			cookies = append(cookies, c.Value)
		}
	}
	if len(cookies) < 4 {
		t.Fatalf("the browser has %d cookies", len(cookies))
	}
	if page, err = ann.Get("hub/dev/oauth"); err != nil || !strings.Contains(page.Body, "complete") {
		t.Fatalf("the logins: %v %s", err, shown(page.Body))
	}
	login := regexp.MustCompile(`hub/dev/oauth/\d+`).FindString(page.Body)
	pages := []string{"hub/dev", "hub/dev?static=1", "hub/dev/oauth", login, "hub/dev/controls"}
	for _, r := range d.Requests() {
		pages = append(pages, fmt.Sprintf("hub/dev/requests/%d", r.ID))
	}
	for _, path := range pages {
		if page, err = ann.Get(path); err != nil || page.Status != http.StatusOK {
			t.Fatalf("%s: %v %v", path, page, err)
		}
		body := strings.ReplaceAll(page.Body, ann.XSRF("/hub/"), "") // the page's own forms carry it
		for _, secret := range append(cookies, d.Hub().AdminToken, d.Token) {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
	if page, err = ann.Get(login); err != nil {
		t.Fatal(err)
	}
	text := shown(page.Body)
	for _, want := range []string{"sends it to the hub", "asks the user", "agrees", "brings the code to the client", "exchanges the code", "whose token it is",
		"curl -i -X POST", "CODE", "access:services!service=whoami"} {
		if !strings.Contains(text, want) {
			t.Errorf("the login lacks %q: %s", want, text)
		}
	}
	for _, want := range []string{"whoami | ready to serve", "proxy  | 200 GET /services/whoami/ (ann) → service whoami", "hub    | ", "dev    | ann is the first"} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	for _, secret := range cookies {
		if strings.Contains(d.log.String(), secret) {
			t.Error("the log shows a cookie")
		}
	}
}

func TestWhatARequestNeeds(t *testing.T) {
	d := start(t, devserver.Options{Admins: []string{"root"}})
	ann := d.Hub().Client("ann")
	if _, err := ann.User(t.Context(), "root"); err == nil {
		t.Fatal("ann may read root")
	}
	root, err := d.Hub().Browser("root")
	if err != nil {
		t.Fatal(err)
	}
	page, err := root.Get("hub/dev?status=4xx&who=ann")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`hub/dev/requests/\d+`).FindAllString(page.Body, -1)
	if len(link) != 1 {
		t.Fatalf("the filter shows %v", link)
	}
	if page, err = root.Get(link[0]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"user ann , by token #", "GET /hub/api/users/{user}", "a scope for the user in the address", "any of read:users", "read:users!user=ann from role", "user",
		"Not needed: an Authorization header", `Authorization: token $MINIHUB_TOKEN`, "404"} {
		if text := shown(strings.ReplaceAll(page.Body, "&#34;", `"`)); !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
}

// TestButtons presses each of them.
func TestButtons(t *testing.T) {
	d := start(t, devserver.Options{Services: []devserver.Service{whoami(t)}})
	d.up()
	ann, err := d.Hub().Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	press := func(button string, form url.Values, want string) {
		t.Helper()
		page, err := ann.Post("/hub/dev/"+button, form)
		if err != nil || page.Status != http.StatusOK || !strings.Contains(page.Body, want) {
			t.Fatalf("%s: %v, %d at %s: %s", button, err, page.Status, page.URL, shown(page.Body))
		}
	}
	press("become", url.Values{"user": {"bob"}}, "This browser is bob now")
	if page, _ := ann.Get("hub/home"); !strings.Contains(page.Body, `"user":"bob"`) {
		t.Error("the browser is not bob")
	}

	bob := d.Hub().Client("bob")
	me, err := bob.Whoami(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := d.Hub().Admin.Tokens(t.Context(), me.Name)
	if err != nil || len(tokens) != 1 {
		t.Fatalf("bob has the tokens %v, %v", tokens, err)
	}
	press("revoke", url.Values{"token": {strings.TrimLeft(tokens[0].ID, "a")}}, "is over")
	if _, err := bob.Whoami(t.Context()); err == nil {
		t.Error("the token still works")
	}

	press("fault", url.Values{"kind": {"fail"}, "times": {"1"}}, "the start of a server fails, the next time")
	if _, err := d.Hub().Admin.StartServer(t.Context(), "bob", "", nil); err == nil {
		t.Error("the start went well")
	}
	if _, err := d.Hub().Admin.StartServer(t.Context(), "bob", "", nil); err != nil {
		t.Errorf("the second start: %v", err)
	}
	press("fault", url.Values{"kind": {"api"}, "code": {"503"}, "times": {"0"}}, "the REST API answers 503")
	if status, _ := d.request("GET", "/hub/api/", nil, ""); status != http.StatusServiceUnavailable {
		t.Errorf("the API answers %d", status)
	}
	press("clear-faults", nil, "")
	if status, _ := d.request("GET", "/hub/api/", nil, ""); status != http.StatusOK {
		t.Errorf("the API answers %d", status)
	}

	token, err := d.Hub().Admin.CreateToken(t.Context(), "bob", hubapi.NewToken{Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	press("advance", url.Values{"by": {"2h"}}, "2h0m0s have gone by")
	if _, err := d.Hub().Admin.As(token.Secret).Whoami(t.Context()); err == nil {
		t.Error("a token of one hour works after two")
	}

	before := d.PID("whoami")
	press("restart", url.Values{"service": {"whoami"}}, "whoami was restarted")
	if after := d.PID("whoami"); after == before || after == 0 {
		t.Errorf("its process was %d and is %d", before, after)
	}
	press("clear", nil, "Requests")
	if n := len(d.Requests()); n > 2 {
		t.Errorf("%d requests are left", n)
	}
}

// TestAServiceFollowsItsFiles: it is started again when a file changes, and when it dies; in the meantime its page says what is the matter.
func TestAServiceFollowsItsFiles(t *testing.T) {
	d := start(t, devserver.Options{Services: []devserver.Service{whoami(t)}})
	d.up()
	first := d.PID("whoami")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(d.dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("lib/new.py", "x = 1") // a folder that was not there at the start
	poll(t, "another process", func() bool { pid := d.PID("whoami"); return pid != 0 && pid != first })
	if !strings.Contains(d.log.String(), "changed, whoami is started again") {
		t.Error("nothing was said")
	}
	d.up()

	second := d.PID("whoami")
	if status, _ := d.request("GET", "/services/whoami/die", nil, ""); status != http.StatusServiceUnavailable {
		t.Errorf("the service died and the proxy answers %d", status)
	}
	poll(t, "another process after the end", func() bool { pid := d.PID("whoami"); return pid != 0 && pid != second })
	if !strings.Contains(d.log.String(), "whoami ended with exit code 7, it is started again in") {
		t.Error("its end was not told")
	}
	d.up()

	write("broken", "the cat is on the keyboard")
	html := map[string]string{"Accept": "text/html"}
	poll(t, "the page with the reason", func() bool {
		status, page := d.request("GET", "/services/whoami/", html, "")
		return status == http.StatusServiceUnavailable && strings.Contains(page, "the cat is on the keyboard") && strings.Contains(page, "http-equiv=\"refresh\"")
	})
	if status, text := d.request("GET", "/services/whoami/", nil, ""); status != http.StatusServiceUnavailable || strings.Contains(text, "<html") {
		t.Errorf("a program gets %d %s", status, text)
	}
	if err := os.Remove(filepath.Join(d.dir, "broken")); err != nil {
		t.Fatal(err)
	}
	d.up()

	pid := d.PID("whoami")
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the service lives on after the end")
	}
}

func TestWhatIsPrinted(t *testing.T) {
	d := start(t, devserver.Options{Admins: []string{"root"}, Services: []devserver.Service{{Name: "mine", URL: "http://127.0.0.1:9"}, {Name: "culler", Command: []string{"sleep", "1000"},
		Scopes: []string{"list:users"}}}})
	out := d.out.String()
	for _, want := range []string{"Hub        " + d.URL + "hub/", "administrators: root", "Inspector  " + d.URL + "hub/dev", d.URL + "services/mine/", "culler, without pages",
		"start it at http://127.0.0.1:9", "JUPYTERHUB_API_URL='" + d.URL + "hub/api'", "JUPYTERHUB_SERVICE_PREFIX='/services/mine/'", "toy servers"} {
		if !strings.Contains(out, want) {
			t.Errorf("what is printed lacks %q:\n%s", want, out)
		}
	}
	token := regexp.MustCompile(`JUPYTERHUB_API_TOKEN='(\w+)'`).FindStringSubmatch(out)
	if token == nil {
		t.Fatal("there is no token for the service")
	}
	if me, err := d.Hub().Admin.As(token[1]).Whoami(t.Context()); err != nil || me.Name != "mine" {
		t.Errorf("the service's token is that of %+v, %v", me, err)
	}
	example := regexp.MustCompile(`MINIHUB_TOKEN=(\w+)`).FindStringSubmatch(out)
	if me, err := d.Hub().Admin.As(example[1]).Whoami(t.Context()); err != nil || me.Name != "root" {
		t.Errorf("the example's token is that of %+v, %v", me, err)
	}
	env, err := d.Hub().ServiceEnvironment("culler")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Hub().Admin.As(env["JUPYTERHUB_API_TOKEN"]).CountUsers(t.Context(), hubapi.UserQuery{}); err != nil {
		t.Errorf("the culler may not list users: %v", err)
	}
}

func TestADatabaseThatStays(t *testing.T) {
	db := filepath.Join(t.TempDir(), "dev.sqlite")
	for _, want := range []int{0, 1} {
		t.Run("", func(t *testing.T) {
			d := start(t, devserver.Options{DB: db})
			n, err := d.Hub().Admin.CountUsers(t.Context(), hubapi.UserQuery{})
			if err != nil || n != want+1 { // and the owner of the example's token
				t.Errorf("%d users, %v; want %d", n, err, want+1)
			}
			if _, err := d.Hub().Admin.CreateUser(t.Context(), "ann"); (err != nil) != (want == 1) {
				t.Errorf("create ann: %v", err)
			}
			if err := d.Advance(t.Context(), 1); err == nil {
				t.Error("the clock can be advanced although the database is a file")
			}
		})
	}
}
