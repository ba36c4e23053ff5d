//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

const profiles = `
simple = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.JupyterHub.spawner_class = "wrapspawner.ProfilesSpawner"
c.JupyterHub.cleanup_servers = False
c.Spawner.poll_interval = 2
c.ProfilesSpawner.ip = "127.0.0.1"
c.ProfilesSpawner.profiles = [
    ("Small machine", "small", simple, {"environment": {"SIZE": "small"}, "start_timeout": 60}),
    ("Large machine", "large", simple, {"environment": {"SIZE": "large"}, "start_timeout": 60}),
]
`

// TestProfilesSpawner lets people choose between two spawners, which are made for them.
func TestProfilesSpawner(t *testing.T) {
	t.Parallel()
	hub := start(t, profiles)
	admin := hub.Admin(t)
	pid := func(user string) int {
		state, _ := admin.Server(user, "")["state"].(map[string]any)
		child, _ := state["child_state"].(map[string]any)
		number, _ := child["pid"].(float64)
		return int(number)
	}
	browser := hub.Browse(t)
	browser.Login("ada")
	page := browser.Get("/hub/spawn/ada")
	for _, want := range []string{`<option value="small" selected>Small machine</option>`, `<option value="large" >Large machine</option>`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the form lacks %s:\n%s", want, page.Body)
		}
	}
	form := page.Form(t, "profile")
	form.Values.Set("profile", "large")
	browser.Submit(page, form)
	harness.Poll(t, time.Minute, "the server", func() bool { return admin.Server("ada", "")["ready"] == true })
	if got := variable(pid("ada"), "SIZE") + " " + variable(pid("ada"), "JUPYTERHUB_USER"); got != "large ada" {
		t.Errorf("size and user: %q", got)
	}
	state := admin.Server("ada", "")["state"].(map[string]any)
	if state["profile"] != "large" || fmt.Sprint(state["child_conf"].(map[string]any)["environment"]) != "map[SIZE:large]" {
		t.Errorf("state: %v", state)
	}
	admin.Post("/users/bob", nil).Want(http.StatusCreated)
	admin.Post("/users/bob/server", map[string]any{"profile": "small"}).Want(http.StatusCreated, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the server", func() bool { return admin.Server("bob", "")["ready"] == true })
	if got := variable(pid("bob"), "SIZE"); got != "small" {
		t.Errorf("bob's size: %q", got)
	}

	// the hub's next process finds both, and the spawner of each
	ada, bob := pid("ada"), pid("bob")
	hub.Stop(t)
	hub.Run(t)
	if pid("ada") != ada || pid("bob") != bob || admin.Server("ada", "")["ready"] != true {
		t.Fatalf("after a restart of the hub: pids %d and %d, were %d and %d; %v", pid("ada"), pid("bob"), ada, bob, admin.Server("ada", ""))
	}
	if page := browser.Get("/user/ada/"); page.Status != http.StatusOK || !strings.Contains(page.Body, fmt.Sprintf(`"pid": %d`, ada)) {
		t.Errorf("ada's server: status %d %s", page.Status, page.Body)
	}
	_ = syscall.Kill(bob, syscall.SIGKILL)
	harness.Poll(t, 30*time.Second, "the hub to see the killed server", func() bool { return admin.Server("bob", "") == nil })
	admin.Delete("/users/ada/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the server", func() bool { return admin.Server("ada", "") == nil && !harness.Alive(ada) })

	// the other profile after this one
	admin.Post("/users/ada/server", map[string]any{"profile": "small"}).Want(http.StatusCreated, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the server", func() bool { return admin.Server("ada", "")["ready"] == true })
	if got := variable(pid("ada"), "SIZE"); got != "small" {
		t.Errorf("the second start: size %q", got)
	}
}
