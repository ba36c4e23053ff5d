package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/proxy"
)

// apiCall is one request to the routes API, with what must come back. A body in JSON is compared as JSON, after replacing times.
type apiCall struct {
	method, path, body string
	auth               string // "" : the right token
	status             int
	want               string
	ours               string // why configurable-http-proxy answers something else; then it is not compared
}

const at = `"last_activity":"TIME"`

// apiCalls is a conversation: later calls see what earlier ones did.
var apiCalls = []apiCall{
	{"GET", "/api/routes", "", "", 200, `{}`, ""},
	{"GET", "/api/routes/", "", "", 200, `{}`, ""},
	{"GET", "/api", "", "", 404, "Not Found", ""},
	{"GET", "/", "", "", 404, "Not Found", ""},
	{"GET", "/api/routesx", "", "", 404, "Not Found", ""},
	{"PUT", "/api/routes/x", "", "", 405, "Method not supported", ""},
	{"PATCH", "/api/routes", "", "", 405, "Method not supported", ""},
	{"HEAD", "/api/routes", "", "", 405, "", ""},
	{"GET", "/api/routes", "", "none", 403, "", ""},
	{"GET", "/api/routes", "", "token wrong", 403, "", ""},
	{"GET", "/api/routes", "", "Bearer secret", 403, "", ""},
	{"GET", "/api/routes", "", "token  secret", 200, `{}`, ""},
	{"DELETE", "/api/routes/x", "", "none", 403, "", ""},
	{"POST", "/api/routes/x", `{"target":"http://127.0.0.1:1"}`, "token wrong", 403, "", ""},
	{"POST", "/api/routes/x", `bad`, "none", 403, "", "reads the body before it checks the token"},
	{"GET", "/api/routes/absent", "", "", 404, "", ""},
	{"DELETE", "/api/routes/absent", "", "", 404, "", ""},
	{"POST", "/api/routes/user/a%40b", `{"target":"http://127.0.0.1:1","jupyterhub":true,"user":"a@b","server_name":"","last_activity":"x","n":[1,{"a":null}]}`, "", 201, "", ""},
	{"GET", "/api/routes/user/a%40b", "", "", 200, `{"target":"http://127.0.0.1:1","jupyterhub":true,"user":"a@b","server_name":"","n":[1,{"a":null}],` + at + `}`, ""},
	{"GET", "/api/routes/user/a@b/", "", "", 200, `{"target":"http://127.0.0.1:1","jupyterhub":true,"user":"a@b","server_name":"","n":[1,{"a":null}],` + at + `}`, ""},
	{"GET", "/api/routes/user", "", "", 404, "", ""},
	{"POST", "/api/routes/user/c%20d%C3%BC/", `{"target":"http://127.0.0.1:2/x"}`, "", 201, "", ""},
	{"POST", "/api/routes", `{"target":"http://127.0.0.1:3"}`, "", 201, "", ""},
	{"GET", "/api/routes", "", "", 200, `{"/":{"target":"http://127.0.0.1:3",` + at + `},"/user/a@b":{"target":"http://127.0.0.1:1","jupyterhub":true,"user":"a@b","server_name":"","n":[1,{"a":null}],` + at + `},"/user/c dü":{"target":"http://127.0.0.1:2/x",` + at + `}}`, ""},
	{"POST", "/api/routes/user/a%40b", `{"target":"http://127.0.0.1:4"}`, "", 201, "", ""},
	{"GET", "/api/routes/user/a@b", "", "", 200, `{"target":"http://127.0.0.1:4",` + at + `}`, ""},
	{"POST", "/api/routes/x", `{"target":3}`, "", 400, "Must specify 'target' as string", ""},
	{"POST", "/api/routes/x", `{}`, "", 400, "Must specify 'target' as string", ""},
	{"POST", "/api/routes/x", `null`, "", 400, "Must specify 'target' as string", ""},
	{"POST", "/api/routes/x", `[1]`, "", 400, "Must specify 'target' as string", ""},
	{"POST", "/api/routes/x", ``, "", 400, "Body not valid JSON: …", ""},
	{"POST", "/api/routes/x", `{"target":`, "", 400, "Body not valid JSON: …", ""},
	{"POST", "/api/routes/x", `{"target":"nonsense"}`, "", 400, `route "/x/" to "nonsense": target must be a URL such as http://127.0.0.1:8888`, "accepts any text"},
	{"GET", "/api/routes?inactive_since=2020-01-01", "", "", 200, `{}`, ""},
	{"GET", "/api/routes?inactiveSince=2020-01-01T00:00:00.000Z", "", "", 200, `{}`, ""},
	{"GET", "/api/routes?inactive_since=2090-01-01T00:00:00%2B02:00", "", "", 200, `{"/":{"target":"http://127.0.0.1:3",` + at + `},"/user/a@b":{"target":"http://127.0.0.1:4",` + at + `},"/user/c dü":{"target":"http://127.0.0.1:2/x",` + at + `}}`, ""},
	{"GET", "/api/routes/?inactive_since=2090-01-01T00:00", "", "", 200, `{"/":{"target":"http://127.0.0.1:3",` + at + `},"/user/a@b":{"target":"http://127.0.0.1:4",` + at + `},"/user/c dü":{"target":"http://127.0.0.1:2/x",` + at + `}}`, ""},
	{"GET", "/api/routes?inactive_since=nope", "", "", 400, "Invalid datestamp 'nope' must be ISO8601.", ""},
	{"GET", "/api/routes/user/a@b?inactive_since=nope", "", "", 200, `{"target":"http://127.0.0.1:4",` + at + `}`, ""},
	{"DELETE", "/api/routes/user/a@b/", "", "", 204, "", ""},
	{"DELETE", "/api/routes/user/a@b", "", "", 404, "", ""},
	{"DELETE", "/api/routes/user/c%20d%c3%bc", "", "", 204, "", ""},
	{"DELETE", "/api/routes/", "", "", 204, "", ""},
	{"DELETE", "/api/routes", "", "", 404, "", "never answers"},
	{"GET", "/api/routes", "", "", 200, `{}`, ""},
}

var timeOfActivity = regexp.MustCompile(`"last_activity":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// normalise makes equal answers equal text.
func normalise(body string) string {
	if i := strings.Index(body, "Body not valid JSON: "); i == 0 {
		return "Body not valid JSON: …"
	}
	body = timeOfActivity.ReplaceAllString(body, at)
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

// converse makes all calls at a server and reports answers that differ. With reference, only those that should be equal.
func converse(t *testing.T, base string, reference bool) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for _, c := range apiCalls {
		if reference && c.ours != "" {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		switch c.auth {
		case "":
			req.Header.Set("Authorization", "token secret")
		case "none":
		default:
			req.Header.Set("Authorization", c.auth)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		raw, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if got := normalise(string(raw)); res.StatusCode != c.status || got != normalise(c.want) {
			t.Errorf("%s %s %s = %d %s\nwant %d %s", c.method, c.path, c.body, res.StatusCode, got, c.status, normalise(c.want))
		}
		if ct := res.Header.Get("Content-Type"); strings.HasPrefix(c.want, "{") && ct != "application/json" {
			t.Errorf("%s %s: content type %q", c.method, c.path, ct)
		}
	}
}

func TestAPI(t *testing.T) {
	s := httptest.NewServer(proxy.NewTable(false).API("secret"))
	defer s.Close()
	converse(t, s.URL, false)
}

func TestAPIWithHostRouting(t *testing.T) {
	table := proxy.NewTable(true)
	s := httptest.NewServer(table.API(""))
	defer s.Close()
	res, err := s.Client().Post(s.URL+"/api/routes/a.test/user/a", "application/json", strings.NewReader(`{"target":"http://127.0.0.1:1"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 201 {
		t.Fatalf("POST without a token set: %d", res.StatusCode)
	}
	if _, ok := table.Get("a.test/user/a/"); !ok {
		t.Errorf("the route is not there: %v", table.All())
	}
	if res, err = s.Client().Get(s.URL + "/api/routes"); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	if got := normalise(string(raw)); got != `{"/a.test/user/a":{"host":"a.test",`+at+`,"target":"http://127.0.0.1:1"}}` {
		t.Errorf("list = %s", got)
	}
}

// referenceCHP starts configurable-http-proxy and returns the addresses of proxy and API.
func referenceCHP(t *testing.T, args ...string) (public, api string) {
	t.Helper()
	command := os.Getenv("MINIHUB_REF_CHP")
	if command == "" {
		t.Skip("set MINIHUB_REF_CHP to the path of configurable-http-proxy to compare with it")
	}
	a, b := freePort(t), freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command, append([]string{"--ip", "127.0.0.1", "--port", fmt.Sprint(a), "--api-ip", "127.0.0.1", "--api-port", fmt.Sprint(b), "--log-level", "error"}, args...)...)
	cmd.Env = append(os.Environ(), "CONFIGPROXY_AUTH_TOKEN=secret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	api = fmt.Sprintf("http://127.0.0.1:%d", b)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	eventually(t, "the start of configurable-http-proxy", func() bool {
		res, err := client.Get(api + "/")
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	return fmt.Sprintf("http://127.0.0.1:%d", a), api
}

func TestReferenceAnswersTheSame(t *testing.T) {
	_, api := referenceCHP(t)
	converse(t, api, true)
}

func TestReferenceForwardsTheSame(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(echo))
	defer s.Close()
	public, _ := referenceCHP(t, "--default-target", s.URL)
	f := newFront(t, func(o *proxy.Options) { o.TrustedDownstream = loopback })
	f.route(t, "/", s.URL)
	for _, headers := range []string{"", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Host: outer.test\r\n", "X-Real-IP: 1.2.3.4\r\nX-Scheme: https\r\n"} {
		for _, host := range []string{"public.test", "public.test:8123"} {
			request := "GET /user/a%40b/x?y=%2F HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + headers + "\r\n"
			ours, theirs := f.raw(t, request), rawTo(t, strings.TrimPrefix(public, "http://"), request)
			for _, name := range []string{"GET ", "Host: ", "X-Forwarded-For: ", "X-Forwarded-Proto: ", "X-Forwarded-Port: ", "X-Forwarded-Host: ", "X-Real-Ip: ", "X-Scheme: "} {
				if a, b := lineOf(ours, name), lineOf(theirs, name); a != b {
					t.Errorf("with %q and host %s: %q, configurable-http-proxy: %q", headers, host, a, b)
				}
			}
		}
	}
}

func lineOf(answer, start string) string {
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, start) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
