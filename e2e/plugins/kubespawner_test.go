//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// minihub runs a sub-command in the environment of the plug-ins and gives what it printed, and whether it succeeded.
func minihub(t *testing.T, dir string, env []string, args ...string) (string, bool) {
	t.Helper()
	command := exec.Command(filepath.Join(harness.Root(), "bin", "minihub"), args...)
	command.Dir = dir
	bin := filepath.Join(harness.PluginsVenv(t), "bin")
	command.Env = append([]string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1", "LANG=C.UTF-8"}, env...)
	out, err := command.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("minihub %s: %v", strings.Join(args, " "), err)
	}
	return string(out), err == nil
}

// TestKubeSpawnerConfiguration looks at a configuration like those of Zero to JupyterHub before it is used.
func TestKubeSpawnerConfiguration(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it has neither check nor adopt")
	dir := harness.Testdata("z2jh")
	out, ok := minihub(t, dir, nil, "check")
	if ok || !strings.Contains(out, "error: ConfigurableHTTPProxy.auth_token: it is required when should_start is False") || strings.Count(out, "error: ") != 1 {
		t.Errorf("check without the proxy's token: %v\n%s", ok, out)
	}
	token := []string{"CONFIGPROXY_AUTH_TOKEN=" + harness.NewToken()}
	if out, ok := minihub(t, dir, token, "check"); !ok || !strings.Contains(out, "0 errors") {
		t.Errorf("check: %v\n%s", ok, out)
	}
	out, ok = minihub(t, dir, token, "adopt")
	if !ok {
		t.Errorf("adopt fails:\n%s", out)
	}
	at := func(text string) int {
		data, err := os.ReadFile(filepath.Join(dir, "jupyterhub_config.py"))
		before, _, found := strings.Cut(string(data), text)
		if err != nil || !found {
			t.Fatalf("no line with %q: %v", text, err)
		}
		return strings.Count(before, "\n") + 1
	}
	for _, want := range []string{
		fmt.Sprintf("JupyterHub.spawner_class (line %d): class kubespawner.KubeSpawner", at("c.JupyterHub.spawner_class =")),
		fmt.Sprintf("KubeSpawner.modify_pod_hook (line %d): function labels", at("c.KubeSpawner.modify_pod_hook =")),
		fmt.Sprintf("KubeSpawner.pre_spawn_hook (line %d): function only_physicists", at("exec(text)")), // it is in the values
		fmt.Sprintf("profile_list:%d", at("set_config_if_not_none(c.KubeSpawner, trait")),
		fmt.Sprintf("node_affinity_preferred:%d", at("c.KubeSpawner.node_affinity_preferred")),
		fmt.Sprintf("volume_mounts:%d", at("c.KubeSpawner.volume_mounts =")),
		fmt.Sprintf("hub_connect_url:%d", at("c.JupyterHub.hub_connect_url =")),
		"authenticator dummy, spawner in Python, proxy configurable-http-proxy",
		"who can log in: everybody who authenticates",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("adopt does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// kubeconfig names a cluster where nobody listens.
const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`

// TestKubeSpawner starts a hub on that configuration. There is no cluster: forms, hooks and the reason of failures are seen.
func TestKubeSpawner(t *testing.T) {
	t.Parallel()
	cluster := filepath.Join(t.TempDir(), "kubeconfig")
	hub := harness.Prepare(t, harness.Options{Venv: harness.PluginsVenv(t), Env: []string{"CULLER_PYTHON=" + harness.Python(),
		"PYTHONDONTWRITEBYTECODE=1", "KUBECONFIG=" + cluster}})
	hub.WriteConfig(t, fmt.Sprintf(`
services, roles = c.JupyterHub.services, c.JupyterHub.load_roles
del c.Spawner.cmd, c.Spawner.args
load_subconfig(%q)
c.JupyterHub.services = services + c.JupyterHub.services
c.JupyterHub.load_roles = roles + c.JupyterHub.load_roles
c.ConfigurableHTTPProxy.should_start = True  # no deployments here
del c.JupyterHub.hub_bind_url, c.JupyterHub.hub_connect_url
c.KubeSpawner.k8s_api_request_timeout = 1
c.KubeSpawner.k8s_api_request_retry_timeout = 2
c.KubeSpawner.start_timeout = 20
`, harness.Testdata("z2jh/jupyterhub_config.py")))
	if !harness.Oracle() { // JupyterHub starts as well, but says nothing before somebody opens a page
		hub.Run(t)
		if log := hub.Log(); !strings.Contains(log, "no KubeSpawner can be made now") || !strings.Contains(log, "Invalid kube-config file") {
			t.Errorf("without a cluster in sight the log does not say that servers cannot start:\n%s", log)
		}
		hub.Stop(t)
	}
	if err := os.WriteFile(cluster, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	hub.Run(t)
	browser := hub.Browse(t)
	browser.Login("lise")
	page := browser.Get("/hub/spawn/lise")
	if page.Status != http.StatusOK {
		t.Fatalf("the form: status %d\n%s", page.Status, page.Text())
	}
	form := page.Form(t, "profile")
	for _, want := range []string{"Minimal environment", "Data science", "with many packages", "GPU", "8 cores"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("the form lacks %q:\n%s", want, page.Text())
		}
	}
	form.Values.Set("profile", "datascience")
	form.Values.Set("profile-option-datascience--machine", "large")
	browser.Submit(page, form)
	admin := hub.Admin(t)
	harness.Poll(t, time.Minute, "the failure", func() bool {
		return admin.Server("lise", "") == nil && strings.Contains(hub.Log(), "server failed to start")
	})
	if !strings.Contains(hub.Log(), "Cannot connect to host 127.0.0.1:9") {
		t.Error("the log does not tell that there is no cluster")
	}
	if page := browser.Get("/hub/spawn-pending/lise"); page.Status != http.StatusInternalServerError || !strings.Contains(page.Text(), "lise") {
		t.Errorf("the page after it: status %d\n%s", page.Status, page.Text())
	}
	if got := list(admin.Get("/groups/physics").Want(http.StatusOK).Map()["users"]); !slices.Equal(got, []string{"lise"}) {
		t.Errorf("group of the values: %q", got)
	}
}

// list gives a JSON list of strings.
func list(v any) []string {
	var texts []string
	items, _ := v.([]any)
	for _, item := range items {
		texts = append(texts, fmt.Sprint(item))
	}
	return texts
}
