//go:build e2e

package plugins

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// start starts a hub in the environment of the plug-ins, with servers that are there at once (testdata/lightserver.py).
func start(t *testing.T, config string, env ...string) *harness.Hub {
	t.Helper()
	light := fmt.Sprintf("c.Spawner.cmd = [\"python3\", %q]\nc.Spawner.args = []\n", harness.Testdata("lightserver.py"))
	return harness.Start(t, harness.Options{Config: light + config, Env: env, Venv: harness.PluginsVenv(t)})
}

// variable gives a variable of a process's environment, "" when it has none.
func variable(pid int, name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	for _, line := range strings.Split(string(data), "\x00") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

// texts gives a JSON list of strings, sorted.
func texts(v any) []string {
	items, _ := v.([]any)
	out := []string{}
	for _, item := range items {
		text, _ := item.(string)
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// dig follows keys into JSON objects.
func dig(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// running asks a light server who it is, through the hub's public port.
func running(t *testing.T, hub *harness.Hub, path string) (server struct {
	Pid  int
	User string
}) {
	t.Helper()
	harness.Poll(t, 40*time.Second, "the server at "+path, func() bool {
		answer := hub.API(t, "").Get(path)
		return answer.Status == http.StatusOK && json.Unmarshal([]byte(answer.Body), &server) == nil && server.Pid != 0
	})
	return server
}

// refused expects a page of the hub with this status and these words.
func refused(t *testing.T, what string, page *harness.Page, status int, words ...string) {
	t.Helper()
	if page.Status != status {
		t.Errorf("%s: status %d at %s, want %d\n%s", what, page.Status, page.URL, status, page.Text())
	}
	for _, word := range words {
		if !strings.Contains(page.Text(), word) {
			t.Errorf("%s: the page does not say %q:\n%s", what, word, page.Text())
		}
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// post is a request with a form; the arguments are names and values.
func post(t *testing.T, address string, pairs ...string) *http.Request {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}
