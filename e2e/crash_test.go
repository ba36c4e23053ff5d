//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// who is what a light server says of itself.
type who struct {
	Pid    int
	User   string
	Server string
	Token  string `json:"token_sha256"`
}

// ask asks a light server who it is, through the hub's public port.
func ask(t *testing.T, hub *harness.Hub, path string) who {
	t.Helper()
	var w who
	hub.API(t, "").Get(path).Want(http.StatusOK).JSON(&w)
	return w
}

// crash is a hub with ten servers, one of them a real jupyterhub-singleuser, and three that are starting.
type crash struct {
	hub      *harness.Hub
	running  map[string]who // by path; the nine light ones
	realPid  int
	token    string // of the user "real", to work in the real server
	starting []string
}

func startCrash(t *testing.T) *crash {
	t.Helper()
	c := &crash{running: map[string]who{}, starting: []string{"slow-a", "slow-b", "slow-c"}}
	c.hub = harness.Start(t, harness.Options{Config: fmt.Sprintf(`
c.Spawner.cmd = [%q]
c.Spawner.args = []
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
`, harness.Testdata("choose_server.sh"))})
	admin := c.hub.Admin(t)
	admin.StartServer("real", "")
	for i := range 8 {
		user := fmt.Sprintf("user-%d", i)
		admin.StartServer(user, "")
		c.running["/user/"+user+"/"] = ask(t, c.hub, "/user/"+user+"/")
	}
	admin.StartServer("user-0", "second")
	c.running["/user/user-0/second/"] = ask(t, c.hub, "/user/user-0/second/")

	c.token = admin.NewToken("real", nil)
	if out := c.hub.API(t, c.token).RunInKernel("/user/real/", "kept = 6 * 7\nkept"); out != "42" {
		t.Fatalf("the real server's kernel: %q", out)
	}
	c.realPid = c.processOf(t, "real", "")
	for _, server := range c.starting {
		admin.Post("/users/starter", nil)
		admin.Post("/users/starter/servers/"+server, map[string]any{}).Want(http.StatusAccepted)
		harness.Poll(t, 20*time.Second, "the process of "+server, func() bool { return c.processOf(t, "starter", server) > 0 })
	}
	return c
}

// processOf finds the process of a server by its environment, 0 when there is none.
func (c *crash) processOf(t *testing.T, user, server string) int {
	t.Helper()
	found := c.processesOf(user, server)
	if len(found) > 1 {
		t.Fatalf("server %s/%s has the processes %v", user, server, found)
	}
	return append(found, 0)[0]
}

func (c *crash) processesOf(user, server string) []int {
	var found []int
	for _, pid := range harness.ProcessesIn(c.hub.Dir) {
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		vars := strings.Split(string(environ), "\x00")
		if slices.Contains(vars, "JUPYTERHUB_USER="+user) && slices.Contains(vars, "JUPYTERHUB_SERVER_NAME="+server) &&
			!strings.Contains(string(command), "ipykernel") { // kernels have their server's environment
			found = append(found, pid)
		}
	}
	return found
}

// TestCrash kills the hub with SIGKILL. After the restart the running servers are what they were, with pids, tokens
// and routes; of the starting ones each is either known and becomes ready, or gone: no process is left that the hub
// does not know.
func TestCrash(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "servers that were starting when it was killed are orphans")
	c := startCrash(t)
	c.hub.Process().Kill()
	for path, was := range c.running {
		if !harness.Alive(was.Pid) {
			t.Errorf("%s died with the hub", path)
		}
	}
	c.hub.Run(t)
	admin := c.hub.Admin(t)
	t.Run("the running are adopted", func(t *testing.T) {
		for _, path := range append(slices.Collect(maps.Keys(c.running)), "/user/real/api") {
			harness.Poll(t, 20*time.Second, path+" to have its route again", func() bool {
				return c.hub.API(t, "").Get(path).Status == http.StatusOK
			})
		}
		for path, was := range c.running {
			now := ask(t, c.hub, path)
			if now != was {
				t.Errorf("%s: was %+v, is %+v", path, was, now)
			}
			if model := admin.Server(was.User, was.Server); model["ready"] != true {
				t.Errorf("%s: the hub's model: %v", path, model)
			}
		}
		if pid := c.processOf(t, "real", ""); pid != c.realPid {
			t.Errorf("the real server: was pid %d, is %d", c.realPid, pid)
		}
	})
	t.Run("users go on", func(t *testing.T) {
		// the real server asks the hub about the token: its own token must still be good for activity and OAuth
		if out := c.hub.API(t, c.token).RunInKernel("/user/real/", "6 * 7"); out != "42" {
			t.Errorf("a new kernel in the adopted server: %q", out)
		}
		page := c.hub.Browse(t).Visit("/user/real/lab", "real")
		if page.Status != http.StatusOK || page.URL.Path != "/user/real/lab" {
			t.Errorf("the adopted server in a browser: status %d at %s", page.Status, page.URL)
		}
	})
	t.Run("none is orphaned", func(t *testing.T) { c.noOrphans(t) })
	t.Run("adopted servers stop", func(t *testing.T) {
		was := c.running["/user/user-1/"]
		admin.Delete("/users/user-1/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
		harness.Poll(t, 20*time.Second, "an adopted server to stop", func() bool {
			return !harness.Alive(was.Pid) && admin.Server("user-1", "") == nil
		})
		admin.StartServerOf("user-1", "")
	})
}

// noOrphans lets the three starting servers go on and waits until what the hub knows and what runs are the same.
func (c *crash) noOrphans(t *testing.T) {
	admin := c.hub.Admin(t)
	home := filepath.Join(c.hub.Dir, "home", "starter")
	if err := os.WriteFile(filepath.Join(home, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, server := range c.starting {
		harness.Poll(t, 60*time.Second, "server "+server+" to be adopted or gone", func() bool {
			model, pid := admin.Server("starter", server), c.processOf(t, "starter", server)
			ready := model != nil && model["ready"] == true
			return ready == (pid > 0) && (model == nil || model["pending"] == nil)
		})
		if c.processOf(t, "starter", server) > 0 {
			continue
		}
		admin.StartServerOf("starter", server) // gone, and can be started again
	}
}

// TestRestart stops the hub in the normal way: with cleanup_servers everything ends with it, without it servers
// survive and are adopted.
func TestRestart(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: lightServers() + "c.JupyterHub.cleanup_servers = False"})
	admin := hub.Admin(t)
	admin.StartServer("ann", "")
	admin.StartServer("ann", "second")
	was := map[string]who{"/user/ann/": ask(t, hub, "/user/ann/"), "/user/ann/second/": ask(t, hub, "/user/ann/second/")}
	client := hub.Browse(t)
	client.Login("ann")
	hub.Stop(t)
	for path, w := range was {
		if !harness.Alive(w.Pid) {
			t.Fatalf("%s ended with the hub in spite of cleanup_servers = False", path)
		}
	}
	hub.Run(t)
	for path, w := range was {
		harness.Poll(t, 30*time.Second, path+" to have its route again", func() bool {
			return hub.API(t, "").Get(path).Status == http.StatusOK
		})
		if now := ask(t, hub, path); now != w {
			t.Errorf("%s: was %+v, is %+v", path, w, now)
		}
	}
	if page := client.Get("/hub/home"); page.URL.Path != "/hub/home" || page.Status != http.StatusOK {
		t.Errorf("the login did not survive: status %d at %s", page.Status, page.URL)
	}
	hub.WriteConfig(t, lightServers())
	hub.Stop(t)
	hub.Run(t)
	hub.Stop(t)
	for path, w := range was {
		harness.Poll(t, 20*time.Second, path+" to end with the hub", func() bool { return !harness.Alive(w.Pid) })
	}
	if left := harness.ProcessesIn(hub.Dir); len(left) > 0 {
		t.Errorf("processes left behind: %v", left)
	}
}
