//go:build e2e

package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestDropIn takes a working JupyterHub 6.1.1 with logins at an identity provider, hooks, and running servers; stops it; starts minihub on the
// same files; kills it, starts it again, and kills it; and starts JupyterHub again.
func TestDropIn(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the test starts both")
	servers := []server{{"alice", ""}, {"alice", "second-one"}, {"bob", ""}, {odd, ""}}
	d := prepareDropin(t, provider(t))
	d.jupyterhub(t, harness.Venv())
	d.populate(t, servers)
	d.Admin(t).Post("/users/carol/servers/poisoned", `{"__jupyterhub_bytes__": true}`).Want(http.StatusCreated, http.StatusAccepted)
	harness.Poll(t, 60*time.Second, "server carol/poisoned to be ready", func() bool { return d.Admin(t).Server("carol", "poisoned")["ready"] == true })
	servers = append(servers, server{"carol", "poisoned"})
	d.Admin(t).StartServer("real", "")
	lab := d.Browse(t)
	d.login(t, lab, "real")
	d.jupyterLab(t, "jupyterhub", lab)
	running, was := d.serversNow(t, servers), d.state(t)
	d.stop(t)
	d.adoptable(t, "opens in place", "6 running servers", "6 users", "LabAuthenticator")

	d.minihub(t)
	t.Run("minihub takes over", func(t *testing.T) { d.lives(t, "minihub", running, was, false) })
	t.Run("JupyterLab goes on", func(t *testing.T) { d.jupyterLab(t, "minihub", lab) })
	t.Run("minihub goes on", func(t *testing.T) { d.goOn(t, running) })
	t.Run("minihub refreshes logins", func(t *testing.T) { d.upstream(t, "minihub") })
	was = d.state(t)
	d.now.Kill()
	d.minihub(t)
	t.Run("minihub after a crash", func(t *testing.T) { d.lives(t, "minihub after a crash", running, was, false) })
	d.now.Kill()
	d.jupyterhub(t, harness.Venv())
	t.Run("and back, after a crash", func(t *testing.T) { d.lives(t, "jupyterhub after a crash of minihub", running, was, false) })
	t.Run("JupyterHub refreshes logins", func(t *testing.T) { d.upstream(t, "jupyterhub") })
	t.Run("JupyterLab goes on after all", func(t *testing.T) { d.jupyterLab(t, "jupyterhub again", lab) })
	t.Run("JupyterHub goes on", func(t *testing.T) { d.stopAll(t, running) })
	d.Admin(t).Delete("/users/real/server", nil).Want(http.StatusNoContent, http.StatusAccepted)
	d.stop(t)
}

// TestDropInFrom5 does the same with a database of JupyterHub 5.3, which has another schema: minihub refuses it untouched, upgrades it on demand
// after a copy, and leaves a database that JupyterHub 6.1.1 opens.
func TestDropInFrom5(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "the test starts both")
	servers := []server{{"alice", ""}, {"alice", "a b"}, {"alice", "Grün@2 +%41"}, {"bob", ""}, {odd, "x y"}}
	d := prepareDropin(t, nil)
	d.jupyterhub(t, venv5(t))
	d.populate(t, servers)
	running, was := d.serversNow(t, servers), d.state(t)
	d.stop(t)
	d.SQL(t, `UPDATE spawners SET user_options = '{"__jupyterhub_bytes__": true}' WHERE name = 'spare'`) // JupyterHub 5.3 itself could not start with it

	file := filepath.Join(d.Dir, "jupyterhub.sqlite")
	before := content(t, file)
	t.Run("refused as it is", func(t *testing.T) {
		output, code := d.command(t, "-f", "jupyterhub_config.py")
		if code != 1 || !strings.Contains(output, "minihub upgrade-db") || !strings.Contains(output, "4621fec11365") {
			t.Errorf("exit code %d, output:\n%s", code, output)
		}
		if content(t, file) != before {
			t.Error("the refused database was changed")
		}
		for pid := range running {
			if !harness.Alive(running[pid].Pid) {
				t.Errorf("%v ended", pid)
			}
		}
	})
	d.adoptable(t, "minihub upgrade-db", "5 running servers", "5 users")
	t.Run("upgraded after a copy", func(t *testing.T) {
		if output, code := d.command(t, "upgrade-db", "-f", "jupyterhub_config.py"); code != 0 {
			t.Fatalf("exit code %d, output:\n%s", code, output)
		}
		copies, _ := filepath.Glob(file + ".*")
		if len(copies) != 1 || content(t, copies[0]) != before {
			t.Errorf("copies of the old database: %v", copies)
		}
	})
	d.minihub(t)
	t.Run("minihub takes over", func(t *testing.T) { d.lives(t, "minihub", running, was, true) })
	t.Run("minihub goes on", func(t *testing.T) { d.goOn(t, running) })
	t.Run("a server with an odd name starts again", func(t *testing.T) {
		for _, s := range []server{{"alice", "a b"}, {odd, "x y"}} {
			d.halt(t, running, s)
			d.Admin(t).StartServerOf(s.user, s.name)
			running[s] = d.serversNow(t, []server{s})[s]
		}
	})
	was = d.state(t)
	d.stop(t)
	for s, w := range running {
		if !harness.Alive(w.Pid) {
			t.Errorf("%v ended with minihub in spite of cleanup_servers = False", s)
		}
	}
	d.jupyterhub(t, harness.Venv())
	t.Run("and back", func(t *testing.T) { d.lives(t, "jupyterhub", running, was, false) })
	t.Run("JupyterHub goes on", func(t *testing.T) { d.stopAll(t, running) })
	d.stop(t)
}

// adoptable runs minihub adopt, which must say yes with these words and change nothing.
func (d *dropin) adoptable(t *testing.T, words ...string) {
	t.Run("adopt", func(t *testing.T) {
		before := d.files(t)
		output, code := d.command(t, "adopt", "-f", "jupyterhub_config.py")
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		for _, word := range append(words, "Spawner.pre_spawn_hook", "it can be adopted", "browsers stay logged in") {
			if !strings.Contains(output, word) {
				t.Errorf("nothing of %q in:\n%s", word, output)
			}
		}
		after := d.files(t)
		for name, sum := range before {
			if after[name] != sum {
				t.Errorf("%s was changed or removed", name)
			}
		}
		for name := range after {
			if _, ok := before[name]; !ok && !strings.HasPrefix(name, "command-") {
				t.Errorf("%s was made", name)
			}
		}
	})
}

// files are the checksums of what lies in the folder.
func (d *dropin) files(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, entry := range entries {
		if entry.Type().IsRegular() && !strings.HasSuffix(entry.Name(), ".log") {
			out[entry.Name()] = content(t, filepath.Join(d.Dir, entry.Name()))
		}
	}
	return out
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return string(sum[:])
}

// jupyterLab opens the real single-user server's page in a browser that has been there before: neither hub nor server may ask for a login. A browser
// that is new there goes through OAuth with the secret that the server got when it was started.
func (d *dropin) jupyterLab(t *testing.T, what string, known *harness.Client) {
	t.Helper()
	const path = "/user/real/lab"
	harness.Poll(t, 60*time.Second, "the route of "+path, func() bool { return d.API(t, "").Get("/user/real/api").Status == http.StatusOK })
	before := known.Cookie(path, "jupyterhub-user-real")
	if page := known.Get(path); page.Status != http.StatusOK || page.URL.Path != path {
		t.Errorf("%s: JupyterLab in the browser that knows it: status %d at %s", what, page.Status, page.URL)
	}
	if after := known.Cookie(path, "jupyterhub-user-real"); after == "" || before != "" && after != before {
		t.Errorf("%s: JupyterLab logged the browser in again", what)
	}
	fresh := d.Browse(t)
	d.login(t, fresh, "real")
	if page := fresh.Get(path); page.Status != http.StatusOK || page.URL.Path != path {
		t.Errorf("%s: JupyterLab in a new browser: status %d at %s\n%s", what, page.Status, page.URL, page.Text())
	}
	if page := d.user.Get(path); page.Status == http.StatusOK && page.URL.Path == path {
		t.Errorf("%s: bob is let into somebody else's JupyterLab", what)
	}
}

// goOn does with the hub what people do next: the share code is used, a server is started (with the hook) and one stopped, a token is made.
func (d *dropin) goOn(t *testing.T, running map[server]who) {
	admin := d.Admin(t)
	carol := d.Browse(t)
	d.login(t, carol, "carol")
	page := carol.Get("/hub/accept-share?code=" + url.QueryEscape(d.tokens["share code"]))
	if page.Status != http.StatusOK || page.URL.Path != "/hub/accept-share" {
		t.Fatalf("the share code from before: status %d at %s\n%s", page.Status, page.URL, page.Text())
	}
	carol.Submit(page, page.Form(t, "code"))
	shared := admin.Get("/users/carol/shared").Want(http.StatusOK).Map()
	items, _ := shared["items"].([]any)
	if !slices.ContainsFunc(items, func(v any) bool { return v.(map[string]any)["kind"] == "user" }) {
		t.Errorf("carol's shares after accepting: %v", shared)
	}

	admin.StartServerOf("carol", "")
	s := server{"carol", ""}
	running[s] = d.serversNow(t, []server{s})[s]
	if note := environment(running[s].Pid, "DROPIN_NOTE"); note != "for carol" {
		t.Errorf("what the hook puts into a server's environment: %q", note)
	}
	if d.idp != nil {
		if sub := environment(running[s].Pid, "DROPIN_UPSTREAM"); sub != "id-of-carol" {
			t.Errorf("what auth_state_hook puts into a server's environment: %q", sub)
		}
	}
	d.tokens["oauth bob, later"] = d.oauthToken(t, d.user)
	d.tokens["user carol"] = admin.NewToken("carol", nil)
	d.halt(t, running, server{"bob", ""})
}

// halt stops a server that another hub has started.
func (d *dropin) halt(t *testing.T, running map[server]who, s server) {
	t.Helper()
	d.Admin(t).Delete(s.api(), nil).Want(http.StatusNoContent, http.StatusAccepted)
	harness.Poll(t, 30*time.Second, "the end of the server at "+s.api(), func() bool { return !harness.Alive(running[s].Pid) })
	delete(running, s)
}

// stopAll stops every server and leaves no process.
func (d *dropin) stopAll(t *testing.T, running map[server]who) {
	for _, s := range serversOf(running) {
		d.halt(t, running, s)
	}
	for _, user := range people {
		harness.Poll(t, 30*time.Second, user+"'s servers to be gone", func() bool { return d.Admin(t).Get("/users/" + url.PathEscape(user)).Map()["server"] == nil })
	}
}

// TestDropInStrangers has servers that ended while no hub was there, one of whose pids belongs to somebody else now: JupyterHub's database knows
// nothing of a process but its pid. minihub neither adopts nor ends the stranger.
func TestDropInStrangers(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it would end the stranger")
	d := prepareDropin(t, nil)
	d.jupyterhub(t, harness.Venv())
	servers := []server{{"alice", ""}, {"bob", ""}, {"carol", ""}}
	for _, s := range servers {
		d.Admin(t).StartServer(s.user, s.name)
	}
	running := d.serversNow(t, servers)
	d.stop(t)
	stranger := harness.StartProcess(t, "stranger", t.TempDir(), nil, "sleep", "600")
	for _, s := range servers[1:] {
		if err := syscall.Kill(running[s].Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		harness.Poll(t, 10*time.Second, "the end of a server", func() bool { return !harness.Alive(running[s].Pid) })
	}
	d.SQL(t, fmt.Sprintf(`UPDATE spawners SET state = '{"pid": %d}' WHERE user_id = (SELECT id FROM users WHERE name = 'bob')`, stranger.Pid()))

	d.minihub(t)
	for _, user := range []string{"bob", "carol"} {
		harness.Poll(t, 60*time.Second, user+"'s server to be known as ended", func() bool { return d.Admin(t).Get("/users/" + user).Map()["server"] == nil })
	}
	if stranger.Exited() {
		t.Error("minihub ended a process that is none of its servers")
	}
	if now := d.serversNow(t, servers[:1]); now[servers[0]] != running[servers[0]] {
		t.Errorf("alice's server: was %+v, is %+v", running[servers[0]], now[servers[0]])
	}
	d.Admin(t).StartServerOf("bob", "")
	d.stop(t)
	for _, pid := range harness.ProcessesIn(d.Dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
