package devserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/devserver"
)

func TestServicesOnTheCommandLine(t *testing.T) {
	for _, row := range []struct {
		text, name, url string
		command         []string
		refusal         string
	}{
		{"whoami=http://127.0.0.1:9999 -- go run ./examples/whoami", "whoami", "http://127.0.0.1:9999", []string{"go", "run", "./examples/whoami"}, ""},
		{`x=http://127.0.0.1:1/ -- sh -c 'echo "a  b" \n' "c'd" e\ f ""`, "x", "http://127.0.0.1:1/", []string{"sh", "-c", `echo "a  b" \n`, "c'd", "e f", ""}, ""},
		{"culler -- python3 -m idle --timeout=3600", "culler", "", []string{"python3", "-m", "idle", "--timeout=3600"}, ""},
		{"mine=http://localhost:8888", "mine", "http://localhost:8888", nil, ""},
		{"mine", "", "", nil, "give its address"},
		{"mine=localhost:8888", "", "", nil, "no address"},
		{"mine=http://localhost", "", "", nil, "needs a port"},
		{"=http://localhost:1", "", "", nil, "must begin with a name"},
		{"a/b=http://localhost:1", "", "", nil, "must begin with a name"},
		{"x -- ", "", "", nil, "no command"},
		{"x -- sh 'a", "", "", nil, "not closed"},
	} {
		s, err := devserver.ParseService(row.text)
		switch {
		case row.refusal != "" && (err == nil || !strings.Contains(err.Error(), row.refusal)):
			t.Errorf("%s: %+v, %v; want a refusal with %q", row.text, s, err, row.refusal)
		case row.refusal == "" && (err != nil || s.Name != row.name || s.URL != row.url || !slices.Equal(s.Command, row.command)):
			t.Errorf("%s: %+v, %v", row.text, s, err)
		}
	}
	for _, services := range [][]devserver.Service{{{Name: "a"}, {Name: "a"}}, {{Name: "hubtest"}}} {
		if _, err := devserver.Start(t.Context(), devserver.Options{Services: services}); err == nil || !strings.Contains(err.Error(), "taken") {
			t.Errorf("%v: %v", services, err)
		}
	}
}

func TestWhatStartsServers(t *testing.T) {
	found := func(string) (string, error) { return "/opt/bin/jupyterhub-singleuser", nil }
	missing := func(string) (string, error) { return "", errors.New("not found") }
	for _, row := range []struct {
		class string
		look  func(string) (string, error)
		want  string
		words string
	}{
		{"", found, "simple", "/opt/bin/jupyterhub-singleuser"}, {"", missing, "toy", "not in PATH"}, {"toy", found, "toy", "as --spawner says"}, {"simple", missing, "simple", "as --spawner says"},
	} {
		if class, words := devserver.ChooseClass(row.class, row.look); class != row.want || !strings.Contains(words, row.words) {
			t.Errorf("%q: %q, %q", row.class, class, words)
		}
	}
}

func TestWhichFilesCount(t *testing.T) {
	for path, want := range map[string]bool{
		"/w/main.py": false, "/w/pkg/x.go": false, "/w/templates/a.html": false, "/w/.env": false,
		"/w/.git/index": true, "/w/a/.venv/lib/x.py": true, "/w/__pycache__/x.pyc": true, "/w/node_modules/a/b.js": true, "/w/.main.py.swp": true,
		"/w/main.py~": true, "/w/4913": true, "/w/hub.sqlite": true, "/w/hub.sqlite-wal": true, "/w/out.log": true, "/w/.cache/x": true,
	} {
		if got := devserver.Ignored("/w", path); got != want {
			t.Errorf("%s is ignored: %v, want %v", path, got, want)
		}
	}
	dir, other := t.TempDir(), t.TempDir()
	for _, name := range []string{filepath.Join(dir, "a.py"), filepath.Join(other, "b.py")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if roots := devserver.WatchedRoots(dir, []string{"/bin/sh", "a.py", filepath.Join(other, "b.py"), "--flag"}); !slices.Equal(roots, []string{dir, other}) {
		t.Errorf("watched are %v", roots)
	}
}

func TestManyChangesAreOne(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var seen []string
	ended := make(chan error, 1)
	go func() {
		ended <- devserver.Watch(ctx, []string{dir}, func(path string) { mu.Lock(); defer mu.Unlock(); seen = append(seen, path) })
	}()
	calls := func() int { mu.Lock(); defer mu.Unlock(); return len(seen) }
	poll(t, "the first change to be noticed", func() bool { // the watch begins some time; what changes all the time is noticed too
		write(t, filepath.Join(dir, "begin"))
		return calls() > 0
	})
	before := calls()
	for range 50 {
		write(t, filepath.Join(dir, "main.py"))
	}
	poll(t, "the batch to be noticed", func() bool { return calls() > before })
	if n := calls() - before; n > 5 { // more than one when the machine slept in between
		t.Errorf("50 changes at once were told %d times", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheStreamOfLines(t *testing.T) {
	out := &safeBuffer{}
	line, hub := devserver.NewConsole(out, false, "whoami", "a")
	line("whoami", "hello\n")
	_, _ = hub.Write([]byte("[I 10:00:00.000 JupyterHub] started\n[I 10:00:00.001 JupyterHub] [ann] a cell ran\n[I 10:00:00.002 JupyterHub] 200 GET /hub/api/users (hubtest@127.0.0.1) 1.00ms\n"))
	want := "whoami | hello\nhub    | [I 10:00:00.000 JupyterHub] started\nann    | a cell ran\n"
	if out.String() != want {
		t.Errorf("the stream is\n%s\nwant\n%s", out, want)
	}
	out = &safeBuffer{}
	line, _ = devserver.NewConsole(out, true)
	line("a", "x")
	line("b", "y")
	lines := strings.Split(out.String(), "\n")
	if !strings.HasPrefix(lines[0], "\x1b[") || lines[0][:6] == lines[1][:6] || !strings.HasSuffix(lines[0], "\x1b[0m x") {
		t.Errorf("in colours: %q", lines)
	}
	if devserver.UseColours(out, func(string) string { return "" }) {
		t.Error("colours go to something that is no terminal")
	}
}
