//go:build unix

package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/local"
	"github.com/minihub/minihub/spawner/spawnertest"
)

func TestMain(m *testing.M) {
	spawnertest.Main()
	if len(os.Args) > 1 && os.Args[1] == "play-hub" {
		playHub(os.Args[2])
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "play-busy-hub" {
		playBusyHub(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.loop"), goleak.IgnoreTopFunction("os/signal.signal_recv"))
}

func options(t *testing.T) local.Options {
	t.Helper()
	dir := t.TempDir()
	return local.Options{
		LogDir: filepath.Join(dir, "logs"), HomeDirTemplate: filepath.Join(dir, "homes", "{username}"), HubID: "hub-" + t.Name(),
		InterruptTimeout: 10 * time.Second, TermTimeout: 5 * time.Second,
	}
}

func failing(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
	req := spawnertest.Request(t, driver, id)
	req.Args = []string{"fail"}
	return req
}

func TestSimpleConforms(t *testing.T) {
	spawnertest.Run(t, func(t *testing.T) spawner.Driver {
		return local.NewSimple(options(t))
	}, spawnertest.Options{Adopts: true, Failing: failing})
}

func TestLocalProcessConforms(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	spawnertest.Run(t, func(t *testing.T) spawner.Driver {
		opts := options(t)
		opts.AllowRoot = true
		return local.NewLocalProcess(opts)
	}, spawnertest.Options{Adopts: true, Failing: failing, UserName: me.Username})
}

// run starts a server and waits until it answers.
func run(t *testing.T, driver *local.Driver, req spawner.Request) (spawner.Spawner, spawnertest.About) {
	t.Helper()
	sp := driver.New(req.Identity)
	t.Cleanup(func() {
		if err := sp.Stop(context.Background(), true); err != nil {
			t.Error(err)
		}
	})
	url, err := sp.Start(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer", func() bool {
		if exit, _ := sp.Poll(context.Background()); exit != nil {
			t.Fatalf("the server ended: %+v, %q", *exit, sp.(spawner.Diagnoser).Diagnose(context.Background()).LogTail)
		}
		return spawnertest.Answers(url + req.BaseURL + "api")
	})
	return sp, spawnertest.Ask(t, url+req.BaseURL)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(3 * time.Millisecond)
	}
}

func TestEnvironmentIsExactlyTheRequestAndTheUser(t *testing.T) {
	t.Setenv("JUPYTERHUB_CRYPT_KEY", "secret")
	opts := options(t)
	driver := local.NewSimple(opts)
	id := spawner.Identity{UserName: "alice", ServerName: "work"}
	req := spawnertest.Request(t, driver, id)
	req.Env["USER"], req.Env["EXTRA"] = "overridden", "x y"
	req.Env["MINIHUB_SERVER_MARKER"] = "forged"
	given := len(req.Env)
	_, about := run(t, driver, req)

	home := filepath.Join(filepath.Dir(opts.HomeDirTemplate), "alice")
	want := map[string]string{}
	for name, value := range req.Env {
		want[name] = value
	}
	want["USER"], want["HOME"], want["SHELL"] = "alice", home, "/bin/bash"
	want["MINIHUB_HUB_ID"], want["MINIHUB_SERVER_MARKER"] = opts.HubID, req.Marker
	if diff := cmp.Diff(want, about.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if about.Dir != home {
		t.Errorf("working directory %s, want %s", about.Dir, home)
	}
	if len(req.Env) != given {
		t.Error("the request's map was changed")
	}
	if info, err := os.Stat(home); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("home: %v %v, want mode 0755", info, err)
	}
	for _, arg := range about.Args {
		if strings.Contains(arg, req.Env["JUPYTERHUB_API_TOKEN"]) {
			t.Error("the token is in the argument list, where every user can read it")
		}
	}
}

func TestLocalProcessBecomesTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: run the tests as root to test the change of user")
	}
	acc, err := supervise.LookupAccount(context.Background(), "nobody")
	if err != nil {
		t.Skipf("needs a system user nobody: %v", err)
	}
	dir, err := os.MkdirTemp("/tmp", "local-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, _ := os.Executable()
	data, err := os.ReadFile(exe)
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "server"), data, 0o755)); err != nil {
		t.Fatal(err)
	}
	opts := options(t)
	driver := local.NewLocalProcess(opts)
	req := spawnertest.Request(t, driver, spawner.Identity{UserName: "nobody"})
	req.Cmd[0] = "server"
	req.Env["PATH"] = dir
	sp, about := run(t, driver, req)
	if about.UID != int(acc.UID) {
		t.Errorf("runs as user %d, want %d", about.UID, acc.UID)
	}
	for name, want := range map[string]string{"USER": "nobody", "HOME": acc.Home, "SHELL": acc.Shell} {
		if about.Env[name] != want {
			t.Errorf("%s=%q, want %q", name, about.Env[name], want)
		}
	}
	if err := sp.Stop(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	// /root is closed to nobody: a server installed there cannot be executed.
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := sp.Start(context.Background(), req); err == nil {
		t.Fatal("started a program the user may not execute")
	}
	d := sp.(spawner.Diagnoser).Diagnose(context.Background())
	if !strings.Contains(d.Cause, "permission denied") || !strings.Contains(d.Cause, "as user nobody") || d.WayOut == "" {
		t.Errorf("diagnosis %+v", d)
	}
}

func TestUsersThatCannotBeTakenOver(t *testing.T) {
	ctx := context.Background()
	start := func(driver *local.Driver, name string) error {
		id := spawner.Identity{UserName: name}
		req := spawnertest.Request(t, driver, spawner.Identity{UserName: "x"})
		req.Identity = id
		sp := driver.New(id)
		_, err := sp.Start(ctx, req)
		_ = sp.Stop(ctx, true)
		return err
	}
	system := local.NewLocalProcess(options(t))
	for name, want := range map[string]string{"no-such-user": "no system user", "": "no system user", "root:x": "no system user"} {
		if err := start(system, name); !errors.Is(err, local.ErrOwner) || !strings.Contains(err.Error(), want) {
			t.Errorf("user %q: %v, want %q", name, err, want)
		}
	}
	if os.Geteuid() == 0 {
		if err := start(system, "root"); !errors.Is(err, local.ErrOwner) || !strings.Contains(err.Error(), "superuser") {
			t.Errorf("root: %v", err)
		}
	}
	simple := local.NewSimple(options(t))
	for _, name := range []string{"..", ".", "", "a/b", "../../etc", "a\x00b"} {
		if err := start(simple, name); !errors.Is(err, local.ErrOwner) {
			t.Errorf("simple user %q: %v, want a refusal", name, err)
		}
	}
}

func TestShellCmd(t *testing.T) {
	opts := options(t)
	opts.ShellCmd = []string{"sh", "-c"}
	driver := local.NewSimple(opts)
	req := spawnertest.Request(t, driver, spawner.Identity{UserName: "alice"})
	req.Env["PATH"] = os.Getenv("PATH")
	args := []string{"plain", "two words", "it's", `$HOME`, "", "a;b", "ü"}
	req.Args = args
	_, about := run(t, driver, req)
	if diff := cmp.Diff(args, about.Args[1:]); diff != "" {
		t.Errorf("arguments through the shell (-want +got):\n%s", diff)
	}
}

func TestPortZeroIsChosenAndNamed(t *testing.T) {
	driver := local.NewSimple(options(t))
	req := spawnertest.Request(t, driver, spawner.Identity{UserName: "alice"})
	req.Port = 0
	req.Env["JUPYTERHUB_SERVICE_URL"] = "http://127.0.0.1:0/user/alice/"
	_, about := run(t, driver, req)
	if got := about.Env["JUPYTERHUB_SERVICE_URL"]; strings.Contains(got, ":0/") || !strings.HasSuffix(got, "/user/alice/") {
		t.Errorf("JUPYTERHUB_SERVICE_URL=%s", got)
	}
	if req.Env["JUPYTERHUB_SERVICE_URL"] != "http://127.0.0.1:0/user/alice/" {
		t.Error("the request's map was changed")
	}
}

func TestURLs(t *testing.T) {
	for ip, want := range map[string]string{"": "http://127.0.0.1:", "0.0.0.0": "http://127.0.0.1:", "::": "http://[::1]:", "::1": "http://[::1]:", "127.0.0.2": "http://127.0.0.2:"} {
		driver := local.NewSimple(options(t))
		sp := driver.New(spawner.Identity{UserName: "alice"})
		url, err := sp.Start(context.Background(), spawner.Request{Cmd: []string{"sleep", "100"}, IP: ip, Port: 12345})
		if err != nil || url != want+"12345" {
			t.Errorf("ip %q: %q, %v; want %s12345", ip, url, err, want)
		}
		if err := sp.Stop(context.Background(), true); err != nil {
			t.Error(err)
		}
	}
}

func TestOutputReachesTheHubWithItsServer(t *testing.T) {
	var mu sync.Mutex
	got := map[spawner.Identity][]string{}
	opts := options(t)
	opts.OnLine = func(id spawner.Identity, line string) {
		mu.Lock()
		defer mu.Unlock()
		got[id] = append(got[id], line)
	}
	driver := local.NewSimple(opts)
	for _, id := range []spawner.Identity{{UserName: "A"}, {UserName: "a"}, {UserName: "a", ServerName: "x"}, {UserName: "a.x"}, {UserName: "日本"}} {
		sp := driver.New(id)
		if _, err := sp.Start(context.Background(), spawner.Request{Cmd: []string{"echo", id.String()}, Port: 1}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the line of "+id.String(), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return cmp.Equal(got[id], []string{id.String()})
		})
		_ = sp.Stop(context.Background(), true)
	}
	logs, _ := filepath.Glob(filepath.Join(opts.LogDir, "*.log"))
	if len(logs) != 5 {
		t.Errorf("log files %q, want one for each server", logs)
	}
}

// playHub starts servers and waits to be killed; it tells their states line by line.
func playHub(dir string) {
	driver := local.NewSimple(local.Options{LogDir: dir, HomeDirTemplate: filepath.Join(dir, "{username}"), HubID: "played-" + dir})
	exe, _ := os.Executable()
	for _, name := range []string{"known", "orphan"} {
		id := spawner.Identity{UserName: name}
		port, err := driver.PickPort(context.Background(), "127.0.0.1")
		if err != nil {
			panic(err)
		}
		req := spawner.Request{Identity: id, Cmd: []string{exe, "minihub-spawnertest-server"}, IP: "127.0.0.1", Port: port, BaseURL: "/user/" + name + "/", Marker: name + "-marker"}
		req.Env = spawnertest.Env(req, "http://127.0.0.1:1/hub/api")
		sp := driver.New(id)
		url, err := sp.Start(context.Background(), req)
		if err != nil {
			panic(err)
		}
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"url": url + req.BaseURL, "state": sp.State()})
	}
	select {}
}

// TestAfterAKilledHub: what is in the database is adopted, what is not is found and ended, and users notice nothing.
func TestAfterAKilledHub(t *testing.T) {
	dir := t.TempDir()
	exe, _ := os.Executable()
	hub := exec.Command(exe, "play-hub", dir)
	out, err := hub.StdoutPipe()
	if err == nil {
		err = hub.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var told [2]struct {
		URL   string
		State spawner.State
	}
	decoder := json.NewDecoder(out)
	for i := range told {
		if err := decoder.Decode(&told[i]); err != nil {
			t.Fatal(err)
		}
	}
	_ = hub.Process.Kill()
	_ = hub.Wait()
	known, orphan := told[0], told[1]
	eventually(t, "answers without a hub", func() bool { return spawnertest.Answers(known.URL+"api") && spawnertest.Answers(orphan.URL+"api") })

	hubID := "played-" + dir
	driver := local.NewSimple(local.Options{LogDir: dir, HubID: hubID})
	defer driver.Close()
	sp := driver.New(spawner.Identity{UserName: "known"})
	if err := sp.LoadState(context.Background(), known.State); err != nil {
		t.Fatal(err)
	}
	stopped, err := driver.StopOrphans(context.Background(), hubID, map[string]bool{"known-marker": true})
	if err != nil || len(stopped) != 1 || !strings.Contains(stopped[0], "server orphan") {
		t.Errorf("orphans %q, %v", stopped, err)
	}
	if spawnertest.Answers(orphan.URL + "api") {
		t.Error("the orphan still answers")
	}
	pid, _ := known.State.Int("pid")
	if about := spawnertest.Ask(t, known.URL); about.PID != int(pid) {
		t.Errorf("pid %d, want %d", about.PID, pid)
	}
	if exit, err := sp.Poll(context.Background()); exit != nil || err != nil {
		t.Errorf("adopted server: %+v, %v", exit, err)
	}
	if err := sp.Stop(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	if spawnertest.Answers(known.URL + "api") {
		t.Error("the adopted server answers after its stop")
	}
}

// playBusyHub starts twenty servers at once and tells about each.
func playBusyHub(dir string) {
	driver := local.NewSimple(local.Options{LogDir: dir, HomeDirTemplate: filepath.Join(dir, "{username}"), HubID: "busy-" + dir})
	for i := range 20 {
		go func() {
			id := spawner.Identity{UserName: "user" + strconv.Itoa(i)}
			_, err := driver.New(id).Start(context.Background(), spawner.Request{
				Cmd: []string{"sleep", "300"}, Env: map[string]string{"PATH": os.Getenv("PATH")}, Port: 1, Marker: "m" + strconv.Itoa(i),
			})
			if err == nil {
				_, _ = os.Stdout.WriteString("started\n")
			}
		}()
	}
	select {}
}

// TestAHubKilledWhileItStartsServersLeavesNoOrphans: nothing was written down, so the environment is all there is.
func TestAHubKilledWhileItStartsServersLeavesNoOrphans(t *testing.T) {
	for killAfter := range 4 {
		dir := t.TempDir()
		hubID := "busy-" + dir
		exe, _ := os.Executable()
		hub := exec.Command(exe, "play-busy-hub", dir)
		out, err := hub.StdoutPipe()
		if err == nil {
			err = hub.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, killAfter*5*len("started\n"))); err != nil {
			t.Fatal(err)
		}
		_ = hub.Process.Kill()
		_ = hub.Wait()
		// What was between fork and exec has the hub's environment for a moment; a real hub takes longer to come back.
		driver := local.NewSimple(local.Options{LogDir: dir, HubID: hubID})
		total := 0
		eventually(t, "two scans in a row find nothing", func() bool {
			for range 2 {
				stopped, err := driver.StopOrphans(context.Background(), hubID, nil)
				if err != nil {
					t.Fatal(err)
				}
				total += len(stopped)
				if len(stopped) > 0 {
					return false
				}
				time.Sleep(20 * time.Millisecond) // between the scans
			}
			return true
		})
		if total < killAfter*5 {
			t.Errorf("%d orphans were stopped, at least %d servers were started", total, killAfter*5)
		}
	}
}

func TestStatesOfJupyterHub(t *testing.T) {
	driver := local.NewSimple(options(t))
	id := spawner.Identity{UserName: "a@b", ServerName: "work"}
	start := func(change func(env map[string]string)) int {
		env := map[string]string{
			"JUPYTERHUB_USER": "a@b", "JUPYTERHUB_SERVER_NAME": "work", "JUPYTERHUB_SERVICE_PREFIX": "/base/user/a%40b/work/",
			"PATH": os.Getenv("PATH"),
		}
		change(env)
		p, err := supervise.Start(supervise.Command{Argv: []string{"sleep", "300"}, Env: env})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Stop(context.Background(), supervise.StopTimeouts{}) })
		return p.Identity().PID
	}
	for name, c := range map[string]struct {
		change func(map[string]string)
		adopt  bool
	}{
		"this server":    {func(map[string]string) {}, true},
		"another user":   {func(env map[string]string) { env["JUPYTERHUB_USER"] = "b" }, false},
		"another server": {func(env map[string]string) { env["JUPYTERHUB_SERVER_NAME"] = "" }, false},
		"another prefix": {func(env map[string]string) { env["JUPYTERHUB_SERVICE_PREFIX"] = "/user/x/" }, false},
		"a kernel of it": {func(env map[string]string) { env["JPY_PARENT_PID"] = "1" }, false},
		"no environment": {func(env map[string]string) { clear(env); env["PATH"] = os.Getenv("PATH") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			pid := start(c.change)
			sp := driver.New(id)
			if err := sp.LoadState(context.Background(), spawner.State{"pid": float64(pid)}); err != nil {
				t.Fatal(err)
			}
			exit, err := sp.Poll(context.Background())
			if err != nil || (exit == nil) != c.adopt {
				t.Errorf("poll: %+v, %v; want adopted %v", exit, err, c.adopt)
			}
			if c.adopt && sp.State()["start_time"] == nil {
				t.Errorf("state %v was not completed", sp.State())
			}
			if err := sp.Stop(context.Background(), false); err != nil {
				t.Fatal(err)
			}
			if alive := syscall.Kill(pid, 0) == nil && !isZombie(pid); alive == c.adopt {
				t.Errorf("after stop the process is alive: %v", alive)
			}
		})
	}
}

func isZombie(pid int) bool {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return strings.Contains(string(data), ") Z ")
}

func TestLeftoversOfAServerThatDiedWithoutAHub(t *testing.T) {
	opts := options(t)
	driver := local.NewSimple(opts)
	id := spawner.Identity{UserName: "alice"}
	pidFile := filepath.Join(t.TempDir(), "pid")
	sp := driver.New(id)
	_, err := sp.Start(context.Background(), spawner.Request{
		Cmd: []string{"sh", "-c", `sleep 300 & echo $! > "$0.new"; mv "$0.new" "$0"; wait`, pidFile}, Port: 1, Marker: "m-1", Env: map[string]string{"PATH": os.Getenv("PATH")},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "grandchild", func() bool { _, err := os.Stat(pidFile); return err == nil })
	text, _ := os.ReadFile(pidFile)
	grandchild, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	state := sp.State()
	_ = driver.Close() // the hub ends, and then the server dies
	pid, _ := state.Int("pid")
	_ = syscall.Kill(int(pid), syscall.SIGKILL)
	var status syscall.WaitStatus
	_, _ = syscall.Wait4(int(pid), &status, 0, nil)

	next := local.NewSimple(opts)
	defer next.Close()
	late := next.New(id)
	if err := late.LoadState(context.Background(), state); err != nil {
		t.Fatal(err)
	}
	if exit, _ := late.Poll(context.Background()); exit == nil {
		t.Fatal("the dead server was adopted")
	}
	if err := late.Stop(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	if syscall.Kill(grandchild, 0) == nil && !isZombie(grandchild) {
		t.Error("what the server left in its group still runs")
	}
}

func TestStartAfterCloseIsRefused(t *testing.T) {
	driver := local.NewSimple(options(t))
	_ = driver.Close()
	sp := driver.New(spawner.Identity{UserName: "alice"})
	if _, err := sp.Start(context.Background(), spawner.Request{Cmd: []string{"sleep", "300"}, Port: 1}); err == nil {
		t.Error("started by a hub that is ending")
	}
	if exit, _ := sp.Poll(context.Background()); exit == nil {
		t.Error("something runs")
	}
}
