//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// Wrong input gets a 4xx that says what is wrong; never a 5xx, a stack trace or a half-done change.

// badRow is one wrong request to the REST API.
type badRow struct {
	name   string
	method string
	path   string
	body   any    // a string is sent as it is
	status int    // 0: any 4xx
	says   string // part of the message; "" when JupyterHub says nothing particular
	oracle int    // what JupyterHub answers where it does worse: 5xx, or success
}

var badRequests = []badRow{
	// JSON
	{name: "not JSON", method: "POST", path: "/users", body: "{", status: 400},
	{name: "JSON of another shape", method: "POST", path: "/users", body: "[1, 2]", status: 400},
	{name: "a number for a list", method: "POST", path: "/users", body: `{"usernames": 7}`, status: 400, oracle: 500},
	{name: "numbers in the list", method: "POST", path: "/users", body: `{"usernames": [7]}`, status: 400, oracle: 500},
	{name: "no names", method: "POST", path: "/users", body: `{"usernames": []}`, status: 400},
	{name: "no body", method: "POST", path: "/users", body: "", status: 400},
	{name: "text for admin", method: "PATCH", path: "/users/ann", body: `{"admin": "yes"}`, status: 400},
	{name: "unknown key", method: "PATCH", path: "/users/ann", body: `{"color": "red"}`, status: 400},
	{name: "a list for an object", method: "PATCH", path: "/users/ann", body: `[]`, status: 400},
	{name: "binary", method: "PATCH", path: "/users/ann", body: "\x00\xff\xfe", status: 400},
	{name: "deep JSON", method: "PATCH", path: "/users/ann", body: strings.Repeat("[", 100000), status: 400},
	{name: "group with a bad list", method: "POST", path: "/groups/crew/users", body: `{"users": "ann"}`, status: 0},
	{name: "group with unknown users", method: "POST", path: "/groups/crew/users", body: `{"users": ["nobody"]}`, status: 400},
	{name: "group properties of another shape", method: "PUT", path: "/groups/crew/properties", body: `[1]`, status: 400},

	// names
	{name: "user with a slash", method: "POST", path: "/users/a%2Fb", status: 400},
	{name: "user of dots", method: "POST", path: "/users/%2e%2e", status: 0},
	{name: "user with outer blanks", method: "POST", path: "/users/%20ann%20", status: 400},
	{name: "user with a NUL", method: "POST", path: "/users/a%00b", status: 0, oracle: 201},
	{name: "user with a newline", method: "POST", path: "/users/a%0ab", status: 0, oracle: 201},
	{name: "user name of 300 characters", method: "POST", path: "/users/" + strings.Repeat("a", 300), status: 400, oracle: 201},
	{name: "user that exists", method: "POST", path: "/users/ann", status: 409, says: "ann already exists"},
	{name: "rename to an existing user", method: "PATCH", path: "/users/ann", body: `{"name": "bob"}`, status: 400, says: "bob already exists"},
	{name: "rename to nothing", method: "PATCH", path: "/users/ann", body: `{"name": ""}`, status: 400},
	{name: "unknown user", method: "GET", path: "/users/nobody", status: 404},
	{name: "server name with dots", method: "POST", path: "/users/ann/servers/..%2f..", status: 0},
	{name: "server name with a capital", method: "POST", path: "/users/ann/servers/Work", status: 400},
	{name: "server name with a blank", method: "POST", path: "/users/ann/servers/my%20work", status: 400},
	{name: "server name with two dashes", method: "POST", path: "/users/ann/servers/a--b", status: 400},
	{name: "server name of 300 characters", method: "POST", path: "/users/ann/servers/" + strings.Repeat("a", 300), status: 400},
	{name: "server of an unknown user", method: "POST", path: "/users/nobody/server", status: 404},
	{name: "stop of what does not run", method: "DELETE", path: "/users/ann/servers/ghost", status: 404},
	{name: "group that exists", method: "POST", path: "/groups/crew", status: 409},
	{name: "unknown group", method: "GET", path: "/groups/nothing", status: 404},
	{name: "unknown service", method: "GET", path: "/hub/api/services/nothing", status: 404},

	// scopes and tokens
	{name: "unknown scope", method: "POST", path: "/users/ann/tokens", body: `{"scopes": ["eat:cake"]}`, status: 400, says: "eat:cake"},
	{name: "scope with an unknown filter", method: "POST", path: "/users/ann/tokens", body: `{"scopes": ["read:users!color=red"]}`, status: 400},
	{name: "more than the owner has", method: "POST", path: "/users/ann/tokens", body: `{"scopes": ["admin:users"]}`, status: 400, says: "admin:users"},
	{name: "unknown role", method: "POST", path: "/users/ann/tokens", body: `{"roles": ["cook"]}`, status: 400, says: "cook"},
	{name: "scopes as text", method: "POST", path: "/users/ann/tokens", body: `{"scopes": "self"}`, status: 400},
	{name: "numbers for scopes", method: "POST", path: "/users/ann/tokens", body: `{"scopes": [1]}`, status: 400},
	{name: "expiry as text", method: "POST", path: "/users/ann/tokens", body: `{"expires_in": "soon"}`, status: 400},
	{name: "expiry beyond time", method: "POST", path: "/users/ann/tokens", body: `{"expires_in": 1e300}`, status: 400},
	{name: "unknown token", method: "GET", path: "/users/ann/tokens/a999999", status: 404},
	{name: "token id that is none", method: "GET", path: "/users/ann/tokens/xyz", status: 404},
	{name: "token id beyond int64", method: "DELETE", path: "/users/ann/tokens/a99999999999999999999999", status: 404, oracle: 500},

	// numbers and times
	{name: "offset that is no number", method: "GET", path: "/users?offset=ten", status: 400},
	{name: "unknown state", method: "GET", path: "/users?state=tired", status: 400},
	{name: "unknown sort", method: "GET", path: "/users?sort=color", status: 400},
	{name: "activity that is no time", method: "POST", path: "/users/ann/activity", body: `{"last_activity": "yesterday"}`, status: 400},
	{name: "activity in the future", method: "POST", path: "/users/ann/activity", body: `{"last_activity": "2999-01-01T00:00:00Z"}`, status: 400},
	{name: "activity of an unknown server", method: "POST", path: "/users/ann/activity", body: `{"servers": {"ghost": {"last_activity": "2020-01-01T00:00:00Z"}}}`, status: 400},
	{name: "activity of nothing", method: "POST", path: "/users/ann/activity", body: `{}`, status: 400},

	// services and shares
	{name: "new service with a command", method: "POST", path: "/hub/api/services/tool", body: `{"command": ["true"]}`, status: 400},
	{name: "new service with an unknown key", method: "POST", path: "/hub/api/services/tool", body: `{"color": "red"}`, status: 400},
	{name: "new service with a bad scope", method: "POST", path: "/hub/api/services/tool", body: `{"oauth_client_allowed_scopes": ["eat:cake"]}`, status: 400, oracle: 500},
	{name: "share of an unknown server", method: "POST", path: "/shares/ann/ghost", body: `{"user": "bob"}`, status: 404},
	{name: "share with nobody", method: "POST", path: "/shares/ann/", body: `{}`, status: 400},
	{name: "share code with an unknown scope", method: "POST", path: "/share-codes/ann/", body: `{"scopes": ["eat:cake"]}`, status: 400, oracle: 500},

	// paths and methods
	{name: "unknown path", method: "GET", path: "/no/such/thing", status: 404},
	{name: "wrong method", method: "PUT", path: "/info", status: 405},
	{name: "half an escape", method: "GET", path: "/users/100%25zz", status: 404},
	{name: "bytes that are no UTF-8", method: "GET", path: "/users/%ff%fe", status: 0, oracle: 500},
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers() + `
c.JupyterHub.load_groups = {"crew": {"users": ["bob"]}}
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "shares!user"]}]
`})
	admin := hub.Admin(t)
	admin.Post("/users", map[string]any{"usernames": []string{"ann", "bob"}})
	admin.StartServerOf("ann", "")
	before := snapshot(admin)
	for _, row := range badRequests {
		t.Run(row.name, func(t *testing.T) {
			body := row.body
			if body == nil {
				body = ""
			}
			answer := hub.Admin(t).Do(row.method, row.path, body)
			if harness.Oracle() && row.oracle != 0 {
				if answer.Status != row.oracle {
					t.Errorf("JupyterHub: status %d, expected its %d; take the row's exception out", answer.Status, row.oracle)
				}
				return
			}
			if row.status == 0 && (answer.Status < 400 || answer.Status >= 500) || row.status != 0 && answer.Status != row.status {
				t.Fatalf("status %d, want %d (0: any 4xx); the answer: %s", answer.Status, row.status, answer.Body)
			}
			wantRefusal(t, answer, row.says)
		})
	}
	if harness.Oracle() {
		return // some of its answers above were successes
	}
	if after := snapshot(admin); after != before {
		t.Errorf("wrong requests changed something:\nbefore %s\nafter  %s", before, after)
	}
}

// wantRefusal checks the shape of an API refusal, and that nothing of the inside is shown.
func wantRefusal(t *testing.T, answer *harness.Answer, says string) {
	t.Helper()
	var refusal struct {
		Status        int
		Message, Hint string
	}
	if err := json.Unmarshal([]byte(answer.Body), &refusal); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, answer.Body)
	}
	if refusal.Status != answer.Status || (refusal.Message+refusal.Hint == "" && !harness.Oracle()) {
		t.Errorf("refusal: %s", answer.Body)
	}
	if !strings.Contains(answer.Body, says) {
		t.Errorf("the refusal does not say %q: %s", says, answer.Body)
	}
	for _, inside := range []string{"Traceback", "goroutine", ".go:", "SQL", "gorm", "json: cannot unmarshal"} {
		if strings.Contains(answer.Body, inside) {
			t.Errorf("the refusal shows %q: %s", inside, answer.Body)
		}
	}
}

// snapshot is what must not change: users, groups, services and their tokens.
func snapshot(admin *harness.API) string {
	var all []string
	for _, path := range []string{"/users", "/groups", "/services", "/users/ann/tokens", "/shares/ann/"} {
		text := admin.Get(path).Body
		var v any
		_ = json.Unmarshal([]byte(text), &v)
		strip(v)
		plain, _ := json.Marshal(v)
		all = append(all, string(plain))
	}
	return strings.Join(all, "\n")
}

// strip takes out what changes by itself.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "last_activity")
		for _, item := range v {
			strip(item)
		}
	case []any:
		for _, item := range v {
			strip(item)
		}
	}
}

// TestBadCredentials sends headers and cookies that mean nothing.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers()})
	for name, header := range map[string]string{
		"unknown token":     "token " + harness.NewToken(),
		"no token":          "token",
		"empty token":       "token ",
		"two words":         "token a b",
		"another scheme":    "Basic YTpi",
		"one character":     "token x",
		"70 kB":             "token " + strings.Repeat("x", 7000),
		"not ASCII":         "token \xc3\xa4\xff",
		"quotes and SQL":    `token ' OR 1=1 --`,
		"the stored prefix": "token " + hub.AdminToken[:4],
	} {
		t.Run(name, func(t *testing.T) {
			request, _ := http.NewRequest(http.MethodGet, hub.URL+"/hub/api/users", nil)
			request.Header.Set("Authorization", header)
			answer := harness.Send(t, request)
			answer.Want(http.StatusForbidden, http.StatusBadRequest)
			if answer.Status == http.StatusForbidden {
				wantRefusal(t, answer, "Missing or invalid credentials")
			}
		})
	}
	client := hub.Browse(t)
	client.Login("ann")
	good := client.Cookie("/hub/", "jupyterhub-hub-login")
	if good == "" {
		t.Fatal("no login cookie")
	}
	hub.Secret(good)
	for name, value := range map[string]string{
		"not signed":   "ann",
		"empty":        "",
		"cut":          good[:len(good)-2],
		"other user":   strings.Replace(good, "|", "|1", 1),
		"other bytes":  strings.Repeat("%ff", 40),
		"huge version": "9|1:0|10:1|20:jupyterhub-hub-login|4:YW5u|" + strings.Repeat("0", 64),
		"long":         strings.Repeat("a", 3000),
	} {
		t.Run("cookie "+name, func(t *testing.T) {
			for path, want := range map[string]int{"/hub/api/user": http.StatusForbidden, "/hub/home": http.StatusFound} {
				request, _ := http.NewRequest(http.MethodGet, hub.URL+path, nil)
				request.Header.Set("Cookie", "jupyterhub-hub-login="+value)
				harness.Send(t, request).Want(want)
			}
		})
	}
	t.Run("cookie without _xsrf", func(t *testing.T) {
		request, _ := http.NewRequest(http.MethodPost, hub.URL+"/hub/api/users/ann/tokens", strings.NewReader("{}"))
		request.Header.Set("Cookie", `jupyterhub-hub-login="`+good+`"`)
		answer := harness.Send(t, request)
		answer.Want(http.StatusForbidden)
		if !strings.Contains(answer.Body, "_xsrf") && !harness.Oracle() { // which gives no message
			t.Errorf("xsrf is the reason here, and the answer should say so: %s", answer.Body)
		}
	})
}

// TestBadPages opens pages with wrong addresses and forms.
func TestBadPages(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers()})
	client := hub.Browse(t)
	client.Login("ann")
	for _, row := range []struct {
		path   string
		status int
	}{
		{"/hub/no-such-page", 404},
		{"/hub/spawn/nobody", 404},
		{"/hub/spawn/ann/Not%20A%20Name", 400},
		{"/hub/user/nobody/", 404},
		{"/hub/admin", 403},
		{"/hub/accept-share?code=unknown", 404},
		{"/hub/accept-share", 400},
		{"/hub/static/../../etc/passwd", 404},
		{"/hub/static/%2e%2e/%2e%2e/etc/passwd", 404},
		{"/hub/api/oauth2/authorize", 400},
	} {
		t.Run(row.path, func(t *testing.T) {
			page := client.Get(row.path)
			if page.Status != row.status {
				t.Errorf("status %d at %s, want %d\n%s", page.Status, page.URL, row.status, page.Text())
			}
			for _, inside := range []string{"Traceback", "goroutine ", "root:x:0"} {
				if strings.Contains(page.Body, inside) {
					t.Errorf("the page shows %q", inside)
				}
			}
		})
	}
	for name, next := range map[string]string{
		"other host": "https://evil.example/", "no scheme": "//evil.example/", "three slashes": "///evil.example",
		"backslash": `/\evil.example`, "two backslashes": `\\evil.example`, "tab": "/\t/evil.example",
		"script": "javascript:alert(1)", "user info": "http://" + strings.TrimPrefix(hub.URL, "http://") + "@evil.example/",
	} {
		t.Run("next: "+name, func(t *testing.T) {
			client := hub.Browse(t)
			client.StopAt("http") // stop at the first redirect, whatever it is
			form := client.Get("/hub/login?next=" + url.QueryEscape(next))
			login := form.Form(t, "username")
			login.Values.Set("username", "ann")
			login.Values.Set("password", harness.Password)
			page := client.Submit(form, login)
			if !strings.HasPrefix(page.URL.String(), hub.URL+"/") {
				t.Errorf("the login sends to %s", page.URL)
			}
			if location := page.Header.Get("Location"); strings.HasPrefix(location, "//") || strings.ContainsAny(location, "\\\t\r\n") {
				t.Errorf("a Location that browsers read differently: %q", location)
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		page := hub.Browse(t).TryLogin("ann", "not the password")
		if page.Status != http.StatusForbidden || !strings.Contains(page.Text(), "Invalid username or password") {
			t.Errorf("status %d\n%s", page.Status, page.Text())
		}
	})
	t.Run("login without _xsrf", func(t *testing.T) {
		client := hub.Browse(t)
		page := client.Post("/hub/login", url.Values{"username": {"ann"}, "password": {harness.Password}})
		if page.Status != http.StatusForbidden || client.Cookie("/hub/", "jupyterhub-hub-login") != "" {
			t.Errorf("status %d, want 403 and no login", page.Status)
		}
	})
}

// TestBadHTTP sends what no HTTP client would: the public port must answer 400 or hang up, and go on.
func TestBadHTTP(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers()})
	address := strings.TrimPrefix(hub.URL, "http://")
	for name, request := range map[string]string{
		"no HTTP":                "hello\r\n\r\n",
		"unknown method":         "BREW /hub/ HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n",
		"bad escape":             "GET /hub/%zz HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n",
		"cut escape":             "GET /hub/% HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n",
		"NUL in a header":        "GET /hub/ HTTP/1.1\r\nHost: " + address + "\r\nX-A: a\x00b\r\nConnection: close\r\n\r\n",
		"two lengths":            "POST /hub/login HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
		"length and chunks":      "POST /hub/login HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
		"length that is no such": "POST /hub/login HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
		"huge header":            "GET /hub/ HTTP/1.1\r\nHost: " + address + "\r\nX-A: " + strings.Repeat("a", 2<<20) + "\r\nConnection: close\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.DialTimeout("tcp", address, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
			_, _ = fmt.Fprint(conn, request)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return // hung up
			}
			defer response.Body.Close()
			if response.StatusCode >= 500 && !harness.Oracle() {
				t.Errorf("status %d", response.StatusCode)
			}
			if hub.API(t, "").Get("/").Status != http.StatusOK {
				t.Error("the hub does not answer any more")
			}
		})
	}
}
