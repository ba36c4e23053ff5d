package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Docker is a Docker engine of a test's own. It lives in a network namespace, so that the machine's interfaces, routes and
// packet filter stay as they are, and keeps everything in one folder.
type Docker struct {
	Socket string // as DOCKER_HOST has it, unix:///...
	HostIP string // the machine, as containers see it; the hub has to listen there
	IP     string // the engine, where published ports are
	Subnet string // of containers on the default network, reachable from the machine

	namespace string
	link      string
	log       string
	number    int
}

// StartDocker starts an engine and waits until it answers. When the test ends its containers are removed, the engine is
// stopped by pid, and its namespace, link and control groups are removed. It needs root and the Debian packages docker.io
// and iproute2; without root the test is skipped.
func StartDocker(t testing.TB) *Docker {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a Docker engine of its own needs root: run the tests as root")
	}
	d := &Docker{}
	dir := tempDir(t)
	d.number = d.network(t)
	d.Socket = "unix://" + filepath.Join(dir, "docker.sock")
	d.log = filepath.Join(dir, "dockerd.log")
	d.Subnet = fmt.Sprintf("10.97.%d.0/24", d.number)
	run(t, "ip", "route", "add", d.Subnet, "via", d.IP)

	out, err := os.Create(d.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	// nsenter and not "ip netns exec", which hides the control groups
	engine := exec.Command("nsenter", "--net=/run/netns/"+d.namespace, "dockerd",
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"-H", d.Socket, "--bip", fmt.Sprintf("10.97.%d.1/24", d.number))
	engine.Stdout, engine.Stderr = out, out
	engine.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := engine.Start(); err != nil {
		t.Fatalf("start dockerd: %v; the Debian package docker.io has it", err)
	}
	ended := make(chan struct{})
	go func() { _ = engine.Wait(); close(ended) }()
	t.Cleanup(func() { d.stop(t, engine.Process, ended) })
	Poll(t, 60*time.Second, "the Docker engine", func() bool {
		select {
		case <-ended:
			t.Fatalf("dockerd ended:\n%s", d.logTail())
		default:
		}
		_, err := d.Try("info")
		return err == nil
	})
	return d
}

// network makes the namespace and its link to the machine, and gives the number that its addresses have. Several engines
// can run at the same time: a namespace that exists belongs to somebody else.
func (d *Docker) network(t testing.TB) int {
	t.Helper()
	number := 1
	for ; number < 50; number++ {
		d.namespace = fmt.Sprintf("minihub-docker-%d", number)
		if exec.Command("ip", "netns", "add", d.namespace).Run() == nil {
			break
		}
	}
	if number == 50 {
		t.Fatal("no free network namespace minihub-docker-N; ip netns list shows them, ip netns del NAME removes one that is left over")
	}
	d.link = fmt.Sprintf("mhdock%d", number)
	d.HostIP, d.IP = fmt.Sprintf("10.98.%d.254", number), fmt.Sprintf("10.98.%d.1", number)
	t.Cleanup(func() {
		run(t, "ip", "netns", "del", d.namespace)
		_ = exec.Command("ip", "link", "del", d.link).Run() // it goes with the namespace, a moment later
	})
	run(t, "ip", "link", "add", d.link, "type", "veth", "peer", "name", "eth0", "netns", d.namespace)
	run(t, "ip", "addr", "add", d.HostIP+"/24", "dev", d.link)
	run(t, "ip", "link", "set", d.link, "up")
	inside := []string{"--net=/run/netns/" + d.namespace, "ip"}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", d.IP + "/24", "dev", "eth0"}, {"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", d.HostIP}} {
		run(t, "nsenter", append(inside, args...)...)
	}
	// when the engine has to turn forwarding on itself it lets nobody from outside reach containers
	run(t, "nsenter", "--net=/run/netns/"+d.namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	return number
}

// stop removes what the engine has, and ends it.
func (d *Docker) stop(t testing.TB, engine *os.Process, ended chan struct{}) {
	if ids, err := d.Try("ps", "-aq"); err == nil && ids != "" {
		_, _ = d.Try(append([]string{"rm", "-f", "-v"}, strings.Fields(ids)...)...)
	}
	_ = engine.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		t.Errorf("dockerd did not stop within a minute of SIGTERM:\n%s", d.logTail())
		_ = syscall.Kill(-engine.Pid, syscall.SIGKILL)
		<-ended
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/docker")
	for _, group := range groups {
		_ = os.Remove(group) // stays when another engine uses it
	}
}

// Try runs the docker command and gives what it printed, without white space at the ends.
func (d *Docker) Try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", append([]string{"-H", d.Socket}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Run runs the docker command, which must succeed.
func (d *Docker) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := d.Try(args...)
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Inspect gives what docker inspect says by a template, "" when there is no such container.
func (d *Docker) Inspect(container, template string) string {
	out, err := d.Try("inspect", "--format", template, container)
	if err != nil {
		return ""
	}
	return out
}

// Network makes a network of its own, which the machine reaches as well.
func (d *Docker) Network(t testing.TB, name string) {
	t.Helper()
	subnet := fmt.Sprintf("10.96.%d.0/24", d.number)
	d.Run(t, "network", "create", "--subnet", subnet, name)
	run(t, "ip", "route", "add", subnet, "via", d.IP)
}

// Image makes an image without a registry: an empty skeleton with the user jovyan, whose programs come from the machine by the
// read-only mounts that [Docker.Mounts] names. Its command starts jupyterhub-singleuser of [Venv].
func (d *Docker) Image(t testing.TB, tag string) {
	t.Helper()
	root := filepath.Join(tempDir(t), "image")
	for _, dir := range []string{"tmp", "etc", "home/jovyan", "home/jovyan/work", "proc", "sys", "dev", "run", "usr", "opt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []string{"bin", "lib", "lib64", "sbin"} {
		if err := os.Symlink("usr/"+link, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	passwd := []byte("root:x:0:0::/root:/bin/sh\njovyan:x:1000:1000::/home/jovyan:/bin/sh\n")
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), passwd, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"home/jovyan", "home/jovyan/work"} {
		if err := os.Chown(filepath.Join(root, dir), 1000, 1000); err != nil {
			t.Fatal(err)
		}
	}
	archive := root + ".tar"
	run(t, "tar", "-C", root, "-cf", archive, ".")
	d.Run(t, "import", "-c", "USER jovyan", "-c", "WORKDIR /home/jovyan", "-c", "ENV HOME=/home/jovyan", "-c", "EXPOSE 8888",
		"-c", fmt.Sprintf(`CMD [%q, "-m", "jupyterhub.singleuser"]`, Python()), archive, tag)
}

// Mounts are the folders of the machine that containers of [Docker.Image] need at their own paths.
func (d *Docker) Mounts(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command(Python(), "-c", "import sys; print(sys.base_prefix)").Output()
	if err != nil {
		t.Fatalf("ask %s for its prefix: %v", Python(), err)
	}
	mounts := []string{"/usr", Venv()}
	if resolved, err := filepath.EvalSymlinks(Venv()); err == nil && resolved != Venv() {
		mounts = append(mounts, resolved)
	}
	if prefix := strings.TrimSpace(string(out)); !strings.HasPrefix(prefix, "/usr") {
		mounts = append(mounts, prefix)
	}
	return mounts
}

func (d *Docker) logTail() string {
	data, _ := os.ReadFile(d.log)
	return tail(string(data), 30)
}

// run runs a command of the machine, which must succeed.
func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
