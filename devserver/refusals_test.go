package devserver_test

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/devserver"
)

func TestOnlyThisMachine(t *testing.T) {
	for _, ip := range []string{"0.0.0.0", "::", "10.0.0.1", "192.168.1.5", "example.org", "*", "8.8.8.8"} {
		if s, err := devserver.Start(t.Context(), devserver.Options{IP: ip}); err == nil {
			_ = s.Close()
			t.Errorf("it listens at %s", ip)
		} else if !strings.Contains(err.Error(), "this machine only") {
			t.Errorf("%s is refused with %v", ip, err)
		}
	}
	all, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if devserver.OnLoopback(all) == nil {
		t.Error("a port that is open to all passes")
	}
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if err := devserver.OnLoopback(one); err != nil {
		t.Error(err)
	}
}

func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	n, _ := strconv.Atoi(port)
	if _, err := devserver.Start(t.Context(), devserver.Options{Port: n}); err == nil || !strings.Contains(err.Error(), "choose another one with --port") {
		t.Errorf("a port in use: %v", err)
	}
	first, second := start(t, devserver.Options{}), start(t, devserver.Options{})
	if first.URL == second.URL {
		t.Errorf("both are at %s", first.URL)
	}
}

// TestWhoMayAsk: pages of other sites reach a port on loopback, and must get nothing.
func TestWhoMayAsk(t *testing.T) {
	d := start(t, devserver.Options{})
	own := strings.TrimSuffix(d.URL, "/")
	host := strings.TrimPrefix(own, "http://")
	_, port, _ := net.SplitHostPort(host)
	for _, row := range []struct {
		name   string
		path   string
		header map[string]string
		want   int
	}{
		{"a browser here", "/hub/dev", nil, 200},
		{"localhost", "/hub/dev", map[string]string{"Host": "localhost:" + port}, 200},
		{"a name below localhost", "/hub/login", map[string]string{"Host": "hub.localhost:" + port}, 200},
		{"DNS rebinding", "/hub/dev", map[string]string{"Host": "evil.example:" + port}, 403},
		{"DNS rebinding of the hub", "/hub/login", map[string]string{"Host": "evil.example"}, 403},
		{"a name that only begins well", "/hub/dev", map[string]string{"Host": "localhost.evil.example"}, 403},
		{"an address of the network", "/hub/dev", map[string]string{"Host": "192.168.1.5:" + port}, 403},
		{"a page of another site", "/hub/dev", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a page of another site at the API", "/hub/api/", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a sandboxed page", "/hub/dev", map[string]string{"Origin": "null"}, 403},
		{"a form without referrer of its own", "/hub/login", map[string]string{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200},
		{"its own page", "/hub/dev", map[string]string{"Origin": own}, 200},
		{"another program's page at the API", "/hub/api/", map[string]string{"Origin": "http://localhost:5173"}, 200},
		{"another program's page at the inspector", "/hub/dev", map[string]string{"Origin": "http://localhost:5173"}, 403},
		{"a script of another site", "/hub/dev/events", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a link on another site", "/hub/dev", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
	} {
		if status, text := d.request("GET", row.path, row.header, ""); status != row.want {
			t.Errorf("%s: %d, want %d: %.200s", row.name, status, row.want, text)
		}
	}
	for _, button := range []string{"become", "revoke", "fault", "clear-faults", "advance", "restart", "clear"} {
		form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		if status, text := d.request("POST", "/hub/dev/"+button, form, "user=admin&by=1h"); status != http.StatusForbidden {
			t.Errorf("%s without an XSRF token: %d %.200s", button, status, text)
		}
		if status, _ := d.request("GET", "/hub/dev/"+button, nil, ""); status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d, want 405", button, status)
		}
	}
}

// TestThePrivatePortHasNoInspector: servers and services reach it, people do not need it there.
func TestThePrivatePortHasNoInspector(t *testing.T) {
	d := start(t, devserver.Options{Services: []devserver.Service{{Name: "x", Command: []string{"sleep", "1000"}}}})
	env, err := d.Hub().ServiceEnvironment("x")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(strings.TrimSuffix(env["JUPYTERHUB_API_URL"], "api") + "dev")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("the private port answers %d, want 404", answer.StatusCode)
	}
}
