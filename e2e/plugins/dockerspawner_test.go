//go:build e2e

package plugins

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// image is the image that the tests make; its command is jupyterhub-singleuser.
const image = "local/singleuser:1"

// dockerConfig is what a small lab writes: containers of one image, a volume for each user, a network address for the hub.
const dockerConfig = `
c.JupyterHub.spawner_class = "docker"
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = %q
c.JupyterHub.cleanup_servers = False
del c.Spawner.cmd  # the image has one
del c.Spawner.args
c.Spawner.poll_interval = 2
c.DockerSpawner.image = %q
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.notebook_dir = "/home/jovyan/work"
c.DockerSpawner.volumes = {"home-{username}": "/home/jovyan/work"}
c.DockerSpawner.read_only_volumes = %s
c.DockerSpawner.mem_limit = "512M"
c.DockerSpawner.extra_host_config = {"pids_limit": 200}
`

// engine is one Docker engine with the image, and what hubs on it have in common.
type engine struct {
	*harness.Docker
	base string
}

func startEngine(t *testing.T) *engine {
	t.Helper()
	d := harness.StartDocker(t)
	d.Image(t, image)
	var mounts []string
	for _, dir := range d.Mounts(t) {
		mounts = append(mounts, fmt.Sprintf("%q: %q", dir, dir))
	}
	return &engine{d, fmt.Sprintf(dockerConfig, d.HostIP, image, "{"+strings.Join(mounts, ", ")+"}")}
}

func (e *engine) hub(t *testing.T, config string) *harness.Hub {
	t.Helper()
	return harness.Start(t, harness.Options{Config: e.base + config, Env: []string{"DOCKER_HOST=" + e.Socket}, Venv: harness.PluginsVenv(t)})
}

// opens logs in at a server through the hub and its OAuth, and looks at the files there.
func (e *engine) opens(t *testing.T, hub *harness.Hub, user, server string) *harness.Client {
	t.Helper()
	base := "/user/" + user + "/"
	if server != "" {
		base += server + "/"
	}
	browser := hub.Browse(t)
	page := browser.Visit(base+"lab", user)
	if page.Status != http.StatusOK || page.URL.Path != base+"lab" {
		t.Fatalf("open the server: status %d at %s\n%s\n%s", page.Status, page.URL, page.Text(), e.logOf("jupyter-"+user))
	}
	if page := browser.Get(base + "api/contents"); page.Status != http.StatusOK || !strings.Contains(page.Body, `"directory"`) {
		t.Fatalf("contents: status %d at %s\n%s", page.Status, page.URL, page.Body)
	}
	return browser
}

// logOf is the log of a container, or why there is none.
func (e *engine) logOf(container string) string {
	out, _ := e.Try("logs", "--tail", "40", container)
	return out
}

func TestDockerSpawner(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	t.Run("container", func(t *testing.T) { dockerContainer(t, e) })
	t.Run("hub restarted", func(t *testing.T) { dockerAdopt(t, e) })
	t.Run("killed from outside", func(t *testing.T) { dockerKilled(t, e) })
	t.Run("stopped and resumed", func(t *testing.T) { dockerResume(t, e) })
	t.Run("choice of images", func(t *testing.T) { dockerImages(t, e) })
	t.Run("hooks and named servers", func(t *testing.T) { dockerHooks(t, e) })
	t.Run("networks", func(t *testing.T) { dockerNetwork(t, e) })
	t.Run("failures", func(t *testing.T) { dockerFailures(t, e) })
}

// dockerContainer looks at one container from start to end.
func dockerContainer(t *testing.T, e *engine) {
	hub := e.hub(t, "")
	admin := hub.Admin(t)
	if want := "spawner lives in python class=dockerspawner.dockerspawner.DockerSpawner version=14.0.0"; !harness.Oracle() && !strings.Contains(hub.Log(), want) {
		t.Errorf("the log lacks %q", want)
	}
	admin.StartServer("ada", "")

	if got := e.Inspect("jupyter-ada", "{{.State.Running}} {{.Config.Image}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"); got != "true "+image+" 536870912 200" {
		t.Errorf("the container: %q", got)
	}
	if got := e.Inspect("jupyter-ada", `{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}}{{"\n"}}{{end}}`); !strings.Contains(got, "volume home-ada /home/jovyan/work\n") {
		t.Errorf("mounts: %s", got)
	}
	environment := e.Inspect("jupyter-ada", `{{range .Config.Env}}{{println .}}{{end}}`)
	for _, want := range []string{"JUPYTERHUB_USER=ada", "JUPYTERHUB_SERVICE_PREFIX=/user/ada/", "JUPYTER_IMAGE_SPEC=" + image, "JUPYTERHUB_API_URL=http://" + e.HostIP + ":"} {
		if !strings.Contains(environment, want) {
			t.Errorf("environment lacks %s", want)
		}
	}
	state := admin.Server("ada", "")["state"].(map[string]any)
	if got := e.Inspect("jupyter-ada", "{{.Id}}"); state["object_id"] != got || state["object_name"] != "jupyter-ada" {
		t.Errorf("state %v, container %s", state, got)
	}

	// through the hub's proxy, after the OAuth login at the server
	e.opens(t, hub, "ada", "")
	if page := hub.Browse(t).Visit("/user/ada/lab", "bob"); page.Status != http.StatusForbidden {
		t.Errorf("somebody else's: status %d at %s", page.Status, page.URL)
	}
	e.Run(t, "exec", "jupyter-ada", "sh", "-c", "echo kept > /home/jovyan/work/note.txt")

	admin.Delete("/users/ada/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the server", func() bool { return admin.Server("ada", "") == nil })
	if got := e.Inspect("jupyter-ada", "{{.State.Status}}"); got != "" {
		t.Errorf("the container is still there: %s", got)
	}
	admin.StartServer("ada", "")
	if got := e.Run(t, "exec", "jupyter-ada", "cat", "/home/jovyan/work/note.txt"); got != "kept" {
		t.Errorf("the volume has %q", got)
	}
	e.Run(t, "rm", "-f", "jupyter-ada")
}

// dockerAdopt stops and starts the hub while containers run.
func dockerAdopt(t *testing.T, e *engine) {
	hub := e.hub(t, "")
	admin := hub.Admin(t)
	admin.StartServer("grace", "")
	admin.StartServer("joan", "")
	before, started := e.Inspect("jupyter-grace", "{{.Id}}"), admin.Server("grace", "")["started"]
	browser := e.opens(t, hub, "grace", "")

	hub.Stop(t)
	e.Run(t, "rm", "-f", "jupyter-joan")
	hub.Run(t)
	model := admin.Server("grace", "")
	if model == nil || model["ready"] != true || model["started"] != started {
		t.Fatalf("after the restart: %v, started %v", model, started)
	}
	if got := e.Inspect("jupyter-grace", "{{.Id}}"); got != before {
		t.Errorf("another container: %s, was %s", got, before)
	}
	if page := browser.Get("/user/grace/api/contents"); page.Status != http.StatusOK {
		t.Errorf("the session of before: status %d at %s", page.Status, page.URL)
	}
	harness.Poll(t, 30*time.Second, "the hub to see that joan's container is gone", func() bool { return admin.Server("joan", "") == nil })

	// a crash, and the container can still be stopped
	hub.Process().Kill()
	hub.Run(t)
	admin.Delete("/users/grace/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the container", func() bool { return e.Inspect("jupyter-grace", "{{.Id}}") == "" })
}

// dockerKilled ends containers behind the hub's back: poll has to see it.
func dockerKilled(t *testing.T, e *engine) {
	hub := e.hub(t, "")
	admin := hub.Admin(t)
	for _, row := range []struct{ name, command string }{{"killed", "kill"}, {"removed", "rm -f"}, {"stopped", "stop"}} {
		t.Run(row.name, func(t *testing.T) {
			admin.StartServer(row.name, "")
			e.Run(t, append(strings.Fields(row.command), "jupyter-"+row.name)...)
			harness.Poll(t, 30*time.Second, "the hub to see it", func() bool { return admin.Server(row.name, "") == nil })
			if page := hub.Browse(t).Visit("/user/"+row.name+"/", row.name); page.Status != http.StatusFailedDependency {
				t.Errorf("its address: status %d, want the page that says that the server is not running", page.Status)
			}
		})
	}
}

// dockerResume keeps stopped containers: the next start goes on with the same one and its token.
func dockerResume(t *testing.T, e *engine) {
	hub := e.hub(t, "c.DockerSpawner.remove = False\n")
	admin := hub.Admin(t)
	admin.StartServer("mary", "")
	t.Cleanup(func() { _, _ = e.Try("rm", "-f", "jupyter-mary") })
	id := e.Inspect("jupyter-mary", "{{.Id}}")
	admin.Delete("/users/mary/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "the end of the server", func() bool { return admin.Server("mary", "") == nil })
	if got := e.Inspect("jupyter-mary", "{{.State.Status}}"); got != "exited" {
		t.Errorf("the stopped container: %q, want exited", got)
	}
	for _, how := range []string{"stopped by the hub", "killed from outside"} {
		admin.StartServer("mary", "")
		if got := e.Inspect("jupyter-mary", "{{.Id}}"); got != id {
			t.Errorf("%s: another container", how)
		}
		// the server asks the hub with the token of its first start
		e.opens(t, hub, "mary", "")
		e.Run(t, "kill", "jupyter-mary")
		harness.Poll(t, 30*time.Second, "the hub to see the killed container", func() bool { return admin.Server("mary", "") == nil })
	}
}

// dockerImages lets people choose.
func dockerImages(t *testing.T, e *engine) {
	e.Run(t, "tag", image, "local/datascience:2")
	hub := e.hub(t, `
c.DockerSpawner.allowed_images = {"small": "`+image+`", "data science": "local/datascience:2"}
`)
	browser := hub.Browse(t)
	browser.Login("emmy")
	page := browser.Get("/hub/spawn/emmy")
	for _, want := range []string{`<option value="small"`, `<option value="data science"`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the form lacks %s:\n%s", want, page.Body)
		}
	}
	form := page.Form(t, "image")
	form.Values.Set("image", "data science")
	browser.Submit(page, form)
	admin := hub.Admin(t)
	harness.Poll(t, 2*time.Minute, "the server", func() bool { return admin.Server("emmy", "")["ready"] == true })
	if got := e.Inspect("jupyter-emmy", "{{.Config.Image}}"); got != "local/datascience:2" {
		t.Errorf("image: %s", got)
	}
	// what is not on the list is refused with the plug-in's words
	admin.Post("/users/mallory", nil).Want(http.StatusCreated)
	answer := admin.Post("/users/mallory/server", map[string]any{"image": "evil/image"})
	if answer.Status < 400 || !strings.Contains(answer.Body, "evil/image not in allowed list") {
		t.Errorf("another image: status %d\n%s", answer.Status, answer.Body)
	}
	e.Run(t, "rm", "-f", "jupyter-emmy")
}

// dockerHooks changes the container by hooks, as recipes on the web do.
func dockerHooks(t *testing.T, e *engine) {
	hub := e.hub(t, `
c.Authenticator.enable_auth_state = False
c.JupyterHub.load_groups = {"physics": {"users": ["lise"]}}
c.DockerSpawner.name_template = "{prefix}-{username}-{servername}"
c.DockerSpawner.prefix = "lab"
c.DockerSpawner.environment = {"SITE": "bodmin", "WHO": lambda spawner: spawner.user.name.upper()}

def limits(spawner):
    return "768M" if spawner.name else "256M"

c.DockerSpawner.mem_limit = limits

async def pre_spawn(spawner):
    groups = [group.name for group in spawner.user.groups]
    spawner.environment["GROUPS"] = ",".join(groups)
    for group in groups:
        spawner.volumes["shared-" + group] = {"bind": "/home/jovyan/" + group, "mode": "ro"}
    spawner.extra_create_kwargs = {"hostname": "host-" + spawner.user.name}

c.Spawner.pre_spawn_hook = pre_spawn

def post_stop(spawner):
    print("post_stop of", spawner.container_name, flush=True)

c.Spawner.post_stop_hook = post_stop
`)
	admin := hub.Admin(t)
	admin.StartServer("lise", "")
	admin.StartServer("lise", "gpu")
	for _, row := range []struct{ container, memory string }{{"lab-lise-", "268435456"}, {"lab-lise-gpu", "805306368"}} {
		containers := e.Run(t, "ps", "--format", "{{.Names}}")
		if !strings.Contains(containers+"\n", row.container) {
			t.Fatalf("no container %s: %s", row.container, containers)
		}
		if got := e.Inspect(row.container, "{{.Config.Hostname}} {{.HostConfig.Memory}}"); got != "host-lise "+row.memory {
			t.Errorf("%s: hostname and memory %q", row.container, got)
		}
		environment := e.Inspect(row.container, `{{range .Config.Env}}{{println .}}{{end}}`)
		for _, want := range []string{"SITE=bodmin\n", "WHO=LISE\n", "GROUPS=physics\n"} {
			if !strings.Contains(environment+"\n", want) {
				t.Errorf("%s: no %s in the environment", row.container, want)
			}
		}
		if got := e.Inspect(row.container, `{{range .Mounts}}{{.Name}} {{.Destination}} {{.RW}}{{"\n"}}{{end}}`); !strings.Contains(got, "shared-physics /home/jovyan/physics false") {
			t.Errorf("%s: mounts %s", row.container, got)
		}
	}
	e.opens(t, hub, "lise", "gpu")
	admin.Delete("/users/lise/servers/gpu", map[string]any{"remove": true}).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, time.Minute, "post_stop_hook", func() bool { return strings.Contains(hub.Log(), "post_stop of lab-lise-gpu") })
	e.Run(t, "rm", "-f", "lab-lise-")
}

// dockerNetwork has published ports, and containers on a network of their own.
func dockerNetwork(t *testing.T, e *engine) {
	e.Network(t, "lab-net")
	for name, lines := range map[string]string{
		"rosalind": fmt.Sprintf("c.DockerSpawner.use_internal_ip = False\nc.DockerSpawner.host_ip = %q\n", e.IP),
		"dorothy":  "c.DockerSpawner.network_name = 'lab-net'\nc.DockerSpawner.cpu_limit = 0.8\n",
	} {
		t.Run(name, func(t *testing.T) {
			hub := e.hub(t, lines)
			hub.Admin(t).StartServer(name, "")
			e.opens(t, hub, name, "")
			if got := e.Inspect("jupyter-"+name, "{{.HostConfig.NetworkMode}} {{.HostConfig.CpuQuota}}"); name == "dorothy" && got != "lab-net 80000" {
				t.Errorf("network and CPU quota: %q", got)
			}
			e.Run(t, "rm", "-f", "jupyter-"+name)
		})
	}
}

// dockerFailures wants an image that nobody has, and an engine that is not there: the person learns that it failed, the
// administrator's log has the engine's words.
func dockerFailures(t *testing.T, e *engine) {
	for _, row := range []struct{ name, lines, socket, logged string }{
		{"no such image", "c.DockerSpawner.image = 'local/nowhere:7'\nc.DockerSpawner.pull_policy = 'never'\n", e.Socket, "No such image: local/nowhere:7"},
		{"no engine", "", "unix:///nonexistent/docker.sock", "DockerException: Error while fetching server API version"},
	} {
		t.Run(row.name, func(t *testing.T) {
			hub := harness.Start(t, harness.Options{Config: e.base + row.lines, Env: []string{"DOCKER_HOST=" + row.socket}, Venv: harness.PluginsVenv(t)})
			admin := hub.Admin(t)
			admin.Post("/users/vera", nil).Want(http.StatusCreated)
			admin.Post("/users/vera/server", nil).Want(http.StatusInternalServerError)
			if !strings.Contains(hub.Log(), row.logged) {
				t.Errorf("the log lacks %q", row.logged)
			}
			if model := admin.Server("vera", ""); model != nil {
				t.Errorf("a server is left: %v", model)
			}
			browser := hub.Browse(t)
			browser.Login("vera")
			if page := browser.Get("/hub/spawn/vera"); page.Status != http.StatusInternalServerError || !strings.Contains(page.Text(), "Unhandled error starting server vera") {
				t.Errorf("the page: status %d\n%s", page.Status, page.Text())
			}
		})
	}
}
