package main_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
)

// binary builds minihub once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "minihub-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "minihub")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// startTestServer runs a command that starts test-server, and reads the line that it prints.
func startTestServer(t *testing.T, cmd *exec.Cmd) (ready hubtest.Ready, line string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("test-server printed %q: %v", line, err)
	}
	t.Logf("ready after %s", time.Since(begin))
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		t.Fatalf("%q is no JSON: %v", line, err)
	}
	return ready, line
}

func minihub(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("build minihub: %v", err)
	}
	return exec.Command(path, args...)
}

// gone tells whether a process ended; a zombie did.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil && syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ")
}

func TestTestServerTellsAllAndLeavesNothing(t *testing.T) {
	cmd := minihub(t, "test-server", "--spec", "-", "--users", "dan")
	cmd.Stdin = strings.NewReader(`
users: [ann, {name: bob, admin: true}, {name: eve, scopes: ["read:users:name!user=eve"]}]
groups: {lab: [ann]}
services: [{name: grader, url: "http://127.0.0.1:1"}]
roles: [{name: grader, services: [grader], scopes: ["list:users"]}]
config: {JupyterHub: {base_url: /deep/}}
`)
	ready, _ := startTestServer(t, cmd)
	ctx := t.Context()
	for user, admin := range map[string]bool{"ann": false, "bob": true, "dan": false} {
		if who, err := hubapi.New(ready.APIURL, ready.Tokens[user]).Whoami(ctx); err != nil || who.Name != user || who.Admin != admin {
			t.Errorf("token of %s: %+v, %v", user, who, err)
		}
	}
	if _, err := hubapi.New(ready.APIURL, ready.Tokens["eve"]).StartServer(ctx, "eve", "", nil); err == nil {
		t.Error("eve's token may start servers, want only what its scopes say")
	}
	grader := ready.Services["grader"]
	if n, err := hubapi.New(ready.APIURL, grader.APIToken).CountUsers(ctx, hubapi.UserQuery{}); err != nil || n != 4 {
		t.Errorf("the service counts %d users, %v; want 4", n, err)
	}
	if grader.ClientID != "service-grader" || grader.Prefix != "/deep/services/grader/" || !strings.HasSuffix(ready.URL, "/deep/") {
		t.Errorf("service %+v of %s", grader, ready.URL)
	}
	if w, err := http.Post(ready.ControlURL+"/snapshot", "application/json", nil); err != nil || w.StatusCode != 200 {
		t.Errorf("control: %+v, %v", w, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("end by SIGTERM: %v", err)
	}
	if left, _ := filepath.Glob("/dev/shm/minihub-memory-*"); len(left) > 0 {
		for _, dir := range left {
			if open, _ := filepath.Glob("/proc/" + strconv.Itoa(ready.PID) + "/fd/*"); len(open) > 0 {
				t.Errorf("left behind: %s", dir)
			}
		}
	}
}

func TestTestServerHasAnIdentityProvider(t *testing.T) {
	cmd := minihub(t, "test-server", "--spec", "-", "--idp")
	cmd.Stdin = strings.NewReader(`
users: [{name: ann, admin: true}]
groups: {lab: [ann]}
services: [{name: shown, info: {issuer: "${IDP_URL}", client: "${IDP_CLIENT_ID}"}}]
`)
	ready, _ := startTestServer(t, cmd)
	defer func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }()
	s, err := hubapi.New(ready.APIURL, ready.AdminToken).Service(t.Context(), "shown")
	if err != nil || s.Info["issuer"] != ready.IDP.URL || s.Info["client"] != ready.IDP.ClientID {
		t.Errorf("the description has %v, %v; want the provider's values %+v", s.Info, err, ready.IDP)
	}
	back := "http://127.0.0.1:1/callback"
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := client.PostForm(ready.IDP.AuthorizeURL, url.Values{"client_id": {ready.IDP.ClientID}, "redirect_uri": {back}, "response_type": {"code"}, "username": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	where, err := w.Location()
	if err != nil || where.Query().Get("code") == "" {
		t.Fatalf("log in at the provider: %s, %v", w.Status, err)
	}
	w, err = client.PostForm(ready.IDP.TokenURL, url.Values{"grant_type": {"authorization_code"}, "code": {where.Query().Get("code")}, "redirect_uri": {back},
		"client_id": {ready.IDP.ClientID}, "client_secret": {ready.IDP.ClientSecret}})
	if err != nil {
		t.Fatal(err)
	}
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(w.Body).Decode(&tokens); err != nil || tokens.AccessToken == "" {
		t.Fatalf("token: %s, %v", w.Status, err)
	}
	r, err := http.NewRequest("GET", ready.IDP.UserinfoURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	if w, err = client.Do(r); err != nil {
		t.Fatal(err)
	}
	var person map[string]any
	if err := json.NewDecoder(w.Body).Decode(&person); err != nil || person["preferred_username"] != "ann" || person["admin"] != true {
		t.Errorf("userinfo: %v, %v", person, err)
	}
}

func TestTestServerEndsWithItsParent(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("sh", "-c", `"$0" test-server & wait`, path) // a test runner that is killed
	ready, _ := startTestServer(t, shell)
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = shell.Wait() // it was killed
	for deadline := time.Now().Add(30 * time.Second); !gone(ready.PID); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(ready.PID, syscall.SIGKILL)
			t.Fatal("the hub goes on after its parent was killed")
		}
	}
}

func TestTestServerSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		in   string
		part string
	}{
		"a misspelt key":   {[]string{"--spec", "-"}, "userss: [ann]", "userss"},
		"a missing file":   {[]string{"--spec", "/no/such/file"}, "", "/no/such/file"},
		"no such flag":     {[]string{"--user", "ann"}, "", "-user"},
		"a wrong group":    {[]string{"--groups", "lab"}, "", "name=user,user"},
		"a member of none": {[]string{"--groups", "lab=ann"}, "", `"ann"`},
		"a wrong trait":    {[]string{"--spec", "-"}, "config: {JupyterHub: {allow_named_servers: maybe}}", "JupyterHub.allow_named_servers"},
		"a wrong spawner":  {[]string{"--spawner", "no.such.Spawner"}, "", "JupyterHub.spawner_class"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := minihub(t, append([]string{"test-server"}, c.args...)...)
			cmd.Stdin = strings.NewReader(c.in)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.part) {
				t.Errorf("%v: %s; want an error with %q", err, out, c.part)
			}
		})
	}
}
