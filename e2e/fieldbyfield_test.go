//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/e2e/harness"
)

// exchange is one request of a conversation that two hubs are led into. As is a name in testdata/hub.json, a saved value, or a token.
type exchange struct {
	As, Method, Path, Body string
	Headers                map[string]string
	Save                   map[string]string // what later requests need: name by key of the answer
	Times                  int               // sent so often at once; 0 = 1
}

func (e exchange) String() string {
	return strings.TrimSpace(e.As + " " + e.Method + " " + e.Path + " " + e.Body)
}

// side is one of the two hubs.
type side struct {
	hub   *harness.Hub
	who   map[string]string
	saved map[string]string
	seen  []seenAnswer
}

// seenAnswer is what is compared of an answer.
type seenAnswer struct {
	Status  int
	Headers map[string]string
	Body    any
}

// TestFieldByField has the same conversation with minihub and with JupyterHub 6.1.1, both running, and compares every answer: status,
// all headers, all fields. What differs on purpose is in fieldDifferences, with the reason.
func TestFieldByField(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the test starts both")
	setup := filepath.Join(harness.Root(), "api", "testdata", "hub.json")
	service := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(service.Close)
	config := lightServers() + fmt.Sprintf(`
import json
setup = json.load(open(%q))
for service in setup["services"]:
    if "url" in service:
        service["url"] = %q
c.DummyAuthenticator.password = ""
c.Authenticator.admin_users = set(setup["admin_users"])
c.JupyterHub.services += setup["services"]
c.JupyterHub.load_roles += setup["load_roles"]
c.JupyterHub.load_groups = setup["load_groups"]
c.JupyterHub.api_tokens = setup["api_tokens"]
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 30, "slow_stop_timeout": 30}
c.Spawner.poll_interval = 0
`, setup, service.URL)
	compareHubs(t, config, setup, slices.Concat(recordedRequests(t), fieldRequests()))
}

// TestStartingFieldByField does the same where a start takes long and the hub has limits: 202, 424, 429 and 503.
func TestStartingFieldByField(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the test starts both")
	config := lightServers() + `
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0.5, "slow_stop_timeout": 0}
c.JupyterHub.concurrent_spawn_limit = 1
c.JupyterHub.named_server_limit_per_user = 2
c.Spawner.http_timeout = 300
c.Spawner.poll_interval = 0
`
	compareHubs(t, config, "", startingRequests())
}

// TestUnavailableFieldByField does the same with what is unavailable: a hook of the configuration refuses starts with 503 and Retry-After, the
// active servers are limited, and stopped servers answer 503 as they did before JupyterHub 2.
func TestUnavailableFieldByField(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the test starts both")
	config := lightServers() + `
from jupyterhub.spawner import SpawnException
from tornado.web import HTTPError
def full(spawner):
    if spawner.name == "later":
        error = HTTPError(503, "no room until later")
        error.headers = {"Retry-After": "7"}
        raise error
    if spawner.name == "closed":
        raise SpawnException("no room at all", reason="capacity", status_code=503)
    if spawner.name == "busy":
        raise HTTPError(429, "too many of them")
c.Spawner.pre_spawn_hook = full
c.JupyterHub.use_legacy_stopped_server_status_code = True
c.JupyterHub.active_server_limit = 1
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 60, "slow_stop_timeout": 60}
c.Spawner.poll_interval = 0
`
	compareHubs(t, config, "", unavailableRequests())
}

func compareHubs(t *testing.T, config, setup string, list []exchange) {
	var ours, theirs *side
	var both sync.WaitGroup
	both.Go(func() { ours = newSide(t, harness.Options{Config: config}, setup) })
	both.Go(func() { theirs = newSide(t, harness.Options{Config: config, Reference: true}, setup) })
	both.Wait()
	if ours == nil || theirs == nil || t.Failed() {
		t.Fatal("a hub did not start")
	}
	both.Go(func() { ours.converse(t, list) })
	both.Go(func() { theirs.converse(t, list) })
	both.Wait()
	if t.Failed() {
		return
	}
	used := map[string]bool{}
	for i, e := range list {
		want, got := theirs.seen[i], ours.seen[i]
		for key, d := range fieldDifferences {
			if ok, _ := regexp.MatchString("^(?:"+key+")$", e.String()); ok && !cmp.Equal(want, got) {
				used[key] = true
				d.change(&want, &got)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-JupyterHub +minihub) %s", e, diff)
		}
	}
	if setup == "" {
		return // the list belongs to the long conversation
	}
	for key, d := range fieldDifferences {
		if !used[key] && !d.starting {
			t.Errorf("no such difference any more: %s (%s)", key, d.why)
		}
	}
}

func newSide(t *testing.T, o harness.Options, setup string) *side {
	s := &side{hub: harness.Start(t, o), who: map[string]string{}, saved: map[string]string{}}
	s.who["root"] = s.hub.AdminToken
	if setup == "" {
		s.hub.Admin(t).Post("/users", map[string]any{"usernames": []string{"alice", "bob"}})
		return s // nil would be a failed start
	}
	var file struct {
		Users     []string
		APITokens map[string]string `json:"api_tokens"`
		Services  []struct {
			Name     string
			APIToken string `json:"api_token"`
		}
	}
	raw, err := os.ReadFile(setup)
	if err != nil || json.Unmarshal(raw, &file) != nil {
		t.Errorf("%s cannot be read: %v", setup, err)
		return s
	}
	for _, service := range file.Services {
		s.who[service.Name] = service.APIToken
	}
	for token, user := range file.APITokens {
		s.who[user] = token
	}
	s.hub.API(t, s.who["root"]).Post("/users", map[string]any{"usernames": file.Users})
	return s
}

// recordedRequests are the requests of api/testdata/recorded, all in one conversation.
func recordedRequests(t *testing.T) []exchange {
	files, err := filepath.Glob(filepath.Join(harness.Root(), "api", "testdata", "recorded", "*.json"))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d recordings: %v", len(files), err)
	}
	var all []exchange
	for _, file := range files {
		var list []exchange
		raw, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(raw, &list) != nil {
			t.Fatalf("%s cannot be read: %v", file, err)
		}
		all = append(all, list...)
	}
	return slices.DeleteFunc(all, func(e exchange) bool { return leftOut[e.String()] })
}

var placeholder = regexp.MustCompile(`<<(\w+)>>`)

func (s *side) converse(t *testing.T, list []exchange) {
	for _, e := range list {
		var last seenAnswer
		for range max(e.Times, 1) {
			status, header, body, err := s.send(e)
			if err != nil {
				t.Errorf("%s to %s: %v", e, s.hub.URL, err)
				return
			}
			last = s.keep(e, status, header, body)
		}
		s.seen = append(s.seen, last)
	}
}

// send writes a request as it is: the path is not cleaned. The API is asked on the hub's own port, everything else through the proxy.
func (s *side) send(e exchange) (int, http.Header, []byte, error) {
	fill := func(text string) string {
		return placeholder.ReplaceAllStringFunc(text, func(m string) string { return s.saved[strings.Trim(m, "<>")] })
	}
	address := s.hub.URL
	if strings.HasPrefix(e.Path, "/hub/") {
		address = s.hub.APIURL
	}
	u, err := url.Parse(address)
	if err != nil {
		return 0, nil, nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, 10*time.Second)
	if err != nil {
		return 0, nil, nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(120 * time.Second))
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: hub.test\r\nConnection: close\r\n", e.Method, fill(e.Path))
	if as := e.As; as != "" {
		for _, known := range []map[string]string{s.who, s.saved} {
			if token := known[as]; token != "" {
				as = token
			}
		}
		fmt.Fprintf(&b, "Authorization: token %s\r\n", as)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		fmt.Fprintf(&b, "%s: %s\r\n", k, e.Headers[k])
	}
	body := fill(e.Body)
	if body != "" || e.Method == "POST" || e.Method == "PUT" || e.Method == "PATCH" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		return 0, nil, nil, err
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: e.Method})
	if err != nil {
		return 0, nil, nil, err
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	return r.StatusCode, r.Header, answer, err
}

// keep saves what later requests need and returns the part that is compared.
func (s *side) keep(e exchange, status int, header http.Header, body []byte) seenAnswer {
	a := seenAnswer{Status: status, Headers: s.headers(header)}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if page := kind == "text/html" || status >= 300 && status < 400; page { // web's tests have the headers of pages
		maps.DeleteFunc(a.Headers, func(name, _ string) bool {
			return name != "Location" && name != "Retry-After" && name != "X-Jupyterhub-Version"
		})
	}
	switch {
	case len(body) == 0, status >= 300 && status < 400: // redirects may have a line of text
	case strings.Contains(kind, "json"):
		if json.Unmarshal(body, &a.Body) != nil {
			a.Body = "not JSON: " + string(body)
		}
		m, _ := a.Body.(map[string]any)
		for name, key := range e.Save {
			s.saved[name], _ = m[key].(string)
		}
		a.Body = s.plain(a.Body, "", status)
	default:
		a.Body = "<" + kind + ">" // the words of pages are free
	}
	return a
}

// headers are all headers but those that say when, how long, or by which program.
func (s *side) headers(h http.Header) map[string]string {
	out := map[string]string{}
	for name := range h {
		switch name {
		case "Date", "Server", "Content-Length", "Etag", "Connection", "Transfer-Encoding", "Keep-Alive":
		case "X-Request-Id", "X-Content-Type-Options", "Cross-Origin-Opener-Policy", "Referrer-Policy": // additions, see docs/differences.md
		case "Allow", "Access-Control-Allow-Methods", "X-Accel-Buffering": // additions too
		case "Content-Type":
			out[name] = strings.ToLower(strings.ReplaceAll(h.Get(name), " ", ""))
		case "Set-Cookie":
			names := []string{}
			for _, c := range h.Values(name) {
				before, _, _ := strings.Cut(c, "=")
				names = append(names, before)
			}
			slices.Sort(names)
			out[name] = strings.Join(names, " ")
		default:
			out[name] = s.plainText(strings.Join(h.Values(name), ", "))
		}
	}
	return out
}
