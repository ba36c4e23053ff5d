//go:build e2e

package browser

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// startDev runs "minihub dev" and returns it as a hub that a tab can open. What it prints and logs is in the file.
func startDev(t *testing.T, args ...string) (hub *harness.Hub, log string) {
	t.Helper()
	dir := t.TempDir()
	argv := append([]string{filepath.Join(harness.Root(), "bin", "minihub"), "dev", "--port", strconv.Itoa(harness.FreePort(t))}, args...)
	p := harness.StartProcess(t, "minihub-dev", dir, []string{"USER=ada"}, argv...)
	var url string
	harness.Poll(t, patience, "minihub dev to say where it is", func() bool {
		if m := regexp.MustCompile(`Hub +(http://[^/]+)/hub/`).FindStringSubmatch(p.Log()); m != nil {
			url = m[1]
		}
		return url != "" && strings.Contains(p.Log(), "curl -H") // the last line that it prints
	})
	return &harness.Hub{URL: url}, filepath.Join(dir, "minihub-dev.log")
}

// buildWhoami builds the example once more, so that no compiler runs while a page waits.
func buildWhoami(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whoami")
	build := exec.Command("go", "build", "-o", path, "./examples/whoami")
	build.Dir = harness.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the example: %v\n%s", err, out)
	}
	return path
}

// TestDevelop is an afternoon with "minihub dev": log in, open the service under development, see its OAuth login step by step, run a
// command line that the inspector shows, become somebody else, end a token, make a start slow.
func TestDevelop(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "JupyterHub has no such command")
	address := fmt.Sprintf("http://127.0.0.1:%d", harness.FreePort(t))
	hub, log := startDev(t, "--spawner", "toy", "--service", fmt.Sprintf("whoami=%s -- %s", address, buildWhoami(t)))
	tab := Open(t, hub)
	tab.WatchPolicy()

	tab.Go("/services/whoami/")
	tab.WaitPath("/hub/login")
	tab.Login("ada", "any")
	tab.WaitText("h1", "Authorize")
	tab.Click("form [type=submit]")
	tab.WaitPath("/services/whoami/")
	tab.WaitText("body", `"name":"ada"`)

	t.Run("the login as a sequence", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/dev/oauth")
		tab.WaitText("#live", "complete")
		tab.ClickText("#live a", "service-whoami")
		tab.WaitText(".status-on", "complete")
		for _, step := range []string{"sends it to the hub", "The user logs in", "asks the user", "agrees", "brings the code", "exchanges the code", "whose token"} {
			tab.WaitText(".dev-step", step)
		}
		tab.Click(".dev-step:last-child summary")
		tab.WaitText(".dev-step:last-child", "access:services!service=whoami")
		tab.CheckPolicy()
		Eval[bool](tab, `(document.querySelector(".dev-step:last-child details").open = false, scrollTo(0, 0), true)`)
		tab.CheckNoOverflow(375)
		tab.Look("dev-oauth")
	})
	t.Run("the list, live", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/dev")
		tab.WaitText("#dev-live", "live")
		tab.InBackground(`fetch("/hub/api/users/nobody-here")`)
		tab.WaitText("#live", "/hub/api/users/nobody-here")
		tab.WaitText("#live", "XSRF")
		tab.CheckNoOverflow(375)
		tab.Look("dev-requests")
		tab.CheckPolicy()
		tab.Go("/hub/dev?status=failed&path=nobody-here")
		if n, _ := Eval[int](tab, `document.querySelectorAll("#live tbody tr").length`); n != 1 {
			t.Errorf("the filter shows %d requests, want 1", n)
		}
		tab.Click("#live tbody a")
		tab.WaitText("#xsrf ~ p", "Refused: the browser has the _xsrf cookie")
		tab.WaitText("body", "read:users")
		tab.CheckNoOverflow(375)
		tab.Look("dev-request")
	})
	t.Run("the command line works", func(t *testing.T) {
		tab.Use(t)
		line, _ := Eval[string](tab, `document.querySelector(".dev-command pre").textContent`)
		shell := exec.Command("sh", "-c", line)
		shell.Dir = t.TempDir()
		out, err := shell.Output()
		if err != nil || !strings.Contains(string(out), "HTTP/1.1 404") {
			t.Errorf("%s\nanswers %v:\n%s", line, err, out)
		}
	})
	t.Run("controls", func(t *testing.T) {
		tab.Use(t)
		tab.Go("/hub/dev/controls")
		tab.WaitText("#services ~ div", "running")
		tab.Type("input[name=user]", "bob")
		tab.Click(`form.input-group button`)
		tab.WaitText(".alert-success", "This browser is bob now")
		tab.CheckNoOverflow(375)
		tab.Look("dev-controls")
		tab.CheckPolicy()
		tab.Go("/services/whoami/")
		tab.WaitText("h1", "Authorize")
		tab.Click("form [type=submit]")
		tab.WaitText("body", `"name":"bob"`)

		tab.Go("/hub/dev/controls")
		tab.ClickText(`form[action$="/fault"]:first-of-type button`, "Order")
		tab.WaitText(".ticks", "the start of a server takes 20s longer, the next time")
		tab.Click(`tr:has(td:first-child) form[action$="/revoke"] button`)
		tab.WaitText(".alert-success", "is over")
	})
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "proxy") {
		t.Errorf("the log has no line of the proxy: %v", err)
	}
}

// TestDevelopAfterAMistake: a service that does not come up shows why, on its own page, and the page goes on by itself when it is mended.
func TestDevelopAfterAMistake(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "JupyterHub has no such command")
	port := strconv.Itoa(harness.FreePort(t))
	script := filepath.Join(t.TempDir(), "service.py")
	write := func(text string) {
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("raise SystemExit('the cat is on the keyboard')")
	hub, _ := startDev(t, "--spawner", "toy", "--service", fmt.Sprintf("cat=http://127.0.0.1:%s -- python3 %s", port, script))
	tab := Open(t, hub)
	tab.Go("/services/cat/")
	tab.WaitText("body", "the cat is on the keyboard")
	tab.CheckNoOverflow(375)
	tab.Look("dev-waiting")
	write(`import http.server
class Cat(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the cat sleeps")
http.server.HTTPServer(("127.0.0.1", ` + port + `), Cat).serve_forever()
`)
	tab.WaitText("body", "the cat sleeps")
	answer, err := http.Get(hub.URL + "/services/cat/")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the service: %v %v", answer, err)
	}
}

// TestDevelopInPython runs what JupyterHub's users have: its own example of a service with OAuth, a plain service of this repository, and
// jupyterhub-singleuser, which is in PATH here.
func TestDevelopInPython(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "JupyterHub has no such command")
	python := func(file string) string {
		return fmt.Sprintf("http://127.0.0.1:%d -- %s %s", harness.FreePort(t), harness.Python(), file)
	}
	hub, log := startDev(t, "--admin", "ada-dev", "--service", "whoami-oauth="+python(filepath.Join(harness.Sdist(t), "examples", "service-whoami", "whoami-oauth.py")),
		"--service", "idle="+python(filepath.Join(harness.Root(), "examples", "python", "idle_service.py")), "--service-scope", "idle=list:users,read:users:activity")
	text := func() string {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if !strings.Contains(text(), "real processes of ") {
		t.Errorf("it does not say that servers are real:\n%s", text())
	}
	tab := Open(t, hub)
	tab.Go("/services/whoami-oauth/")
	tab.WaitPath("/hub/login")
	tab.Login("ada-dev", "any")
	tab.WaitText("h1", "Authorize")
	tab.Click("form [type=submit]")
	tab.WaitText("body", `"name": "ada-dev"`)

	token := regexp.MustCompile(`MINIHUB_TOKEN=(\w+)`).FindStringSubmatch(text())
	if token == nil {
		t.Fatal("no token is printed")
	}
	harness.Poll(t, patience, "the plain service to answer", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, hub.URL+"/services/idle/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "token "+token[1])
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})

	tab.Go("/hub/spawn/ada-dev")
	tab.WaitPath("/user/ada-dev/")
	tab.Go("/hub/dev/oauth")
	for _, client := range []string{"service-whoami-oauth", "jupyterhub-user-ada-dev"} {
		tab.Wait("the login of "+client, fmt.Sprintf(`[...document.querySelectorAll("#live tr")].some(e => e.innerText.includes(%q) && e.innerText.includes("complete"))`, client))
	}
	if lines := text(); !regexp.MustCompile(`ada-dev +\| .*ServerApp`).MatchString(lines) {
		t.Errorf("the stream lacks the lines of the server:\n%s", lines)
	}
}
