//go:build unix

package supervise_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/internal/supervise"
)

func dumped(t *testing.T, cmd supervise.Command) dump {
	t.Helper()
	p := start(t, cmd)
	if exit := waitDone(t, p); exit.Code != 0 {
		t.Fatalf("helper ended with %v: %q", exit, p.Tail())
	}
	var d dump
	// Only the first line: race and coverage builds may print more.
	if err := json.Unmarshal([]byte(strings.Join(p.Tail(), "\n")), &d); err != nil {
		t.Fatalf("%v in %q", err, p.Tail())
	}
	return d
}

func statusLine(d dump, name string) string {
	for line := range strings.SplitSeq(d.Status, "\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return "missing"
}

func TestAProcessGetsExactlyWhatItIsGiven(t *testing.T) {
	t.Setenv("JUPYTERHUB_CRYPT_KEY", "secret")
	// A descriptor without close-on-exec, as an init system leaves it, and a signal ignored by whoever started the hub.
	leaky, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leaky)
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	defer signal.Reset(syscall.SIGINT, syscall.SIGHUP)

	dir := t.TempDir()
	d := dumped(t, supervise.Command{
		Argv: self(t, "dump", "an argument", "ü"), Dirs: []string{dir},
		Env: map[string]string{"ONE": "1", "EMPTY": "", "MULTI": "a\nb=c"},
	})
	if diff := cmp.Diff([]string{"EMPTY=", "MULTI=a\nb=c", "ONE=1"}, d.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"helper", "dump", "an argument", "ü"}, d.Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"0 /dev/null", "1 pipe:", "2 pipe:"}, d.FDs); diff != "" {
		t.Errorf("open descriptors (-want +got):\n%s", diff)
	}
	if d.Session != d.PID || d.Group != d.PID {
		t.Errorf("pid %d is in session %d and group %d, want its own", d.PID, d.Session, d.Group)
	}
	// 32 and 33 are the C library's own, which Go cannot touch: a shell in the background may leave them ignored.
	ignored, err := strconv.ParseUint(statusLine(d, "SigIgn"), 16, 64)
	if private := uint64(1<<31 | 1<<32); err != nil || ignored&^private != 0 {
		t.Errorf("ignored signals %x, want none (%v)", ignored, err)
	}
	if got := statusLine(d, "SigBlk"); got != "0000000000000000" {
		t.Errorf("blocked signals %s, want none", got)
	}
	if d.Dir != dir {
		t.Errorf("working directory %s, want %s", d.Dir, dir)
	}
}

func nobody(t *testing.T) *supervise.Account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: run the tests as root to test the change of user")
	}
	acc, err := supervise.LookupAccount(context.Background(), "nobody")
	if err != nil {
		t.Skipf("needs a system user nobody: %v", err)
	}
	return acc
}

// copyForAll puts the test binary where every user may execute it; go test's directory is private.
func copyForAll(t *testing.T) (dir, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "supervise-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, _ := os.Executable()
	data, err := os.ReadFile(exe)
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "helper"), data, 0o755), os.Chmod(dir, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "helper")
}

func TestAccountIsTakenOverCompletely(t *testing.T) {
	acc := nobody(t)
	acc.Groups = append(acc.Groups, 20001, 20002)
	dir, path := copyForAll(t)
	log := filepath.Join(t.TempDir(), "server.log")
	p := start(t, supervise.Command{
		Argv: []string{path, "helper", "dump"}, Env: map[string]string{"A": "b"}, Account: acc, LogPath: log,
		Dirs: supervise.HomeDirs(filepath.Join(dir, "missing", "home")),
	})
	if exit := waitDone(t, p); exit.Code != 0 {
		t.Fatalf("ended with %v: %q", exit, p.Tail())
	}
	var d dump
	if err := json.Unmarshal([]byte(p.Tail()[0]), &d); err != nil {
		t.Fatal(err)
	}
	uid, gid := strconv.Itoa(int(acc.UID)), strconv.Itoa(int(acc.GID))
	for name, want := range map[string]string{
		"Uid": strings.Join([]string{uid, uid, uid, uid}, " "), "Gid": strings.Join([]string{gid, gid, gid, gid}, " "),
		"Groups": "20001 20002 " + gid, "CapEff": "0000000000000000", "CapPrm": "0000000000000000",
	} {
		if got := statusLine(d, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if d.Dir != dir {
		t.Errorf("working directory %s, want the nearest parent %s", d.Dir, dir)
	}
	info, err := os.Stat(log)
	if err != nil || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != acc.UID {
		t.Errorf("log file: %v %v, want mode 0600 and owner %s", info, err, uid)
	}
}

func TestWorkingDirectoryTheUserMayNotEnter(t *testing.T) {
	acc := nobody(t)
	_, path := copyForAll(t)
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	d := dumped(t, supervise.Command{
		Argv: []string{path, "helper", "dump"}, Env: map[string]string{}, Account: acc, Dirs: []string{closed, "/"},
	})
	if d.Dir != "/" {
		t.Errorf("working directory %s, want /", d.Dir)
	}
}

func TestStartRefusals(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	script := filepath.Join(dir, "script")
	for path, mode := range map[string]os.FileMode{plain: 0o644, script: 0o755} {
		if err := os.WriteFile(path, []byte("#!/no/such/interpreter\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	path := map[string]string{"PATH": dir}
	for name, c := range map[string]struct {
		cmd  supervise.Command
		kind supervise.StartKind
		want string
	}{
		"empty":             {supervise.Command{}, supervise.StartInvalid, "command is empty"},
		"nul in argument":   {supervise.Command{Argv: []string{"sh", "a\x00b"}}, supervise.StartInvalid, "argument 1"},
		"nul in variable":   {supervise.Command{Argv: []string{"sh"}, Env: map[string]string{"A": "\x00"}}, supervise.StartInvalid, `"A"`},
		"bad variable name": {supervise.Command{Argv: []string{"sh"}, Env: map[string]string{"A=B": ""}}, supervise.StartInvalid, `"A=B"`},
		"not in PATH":       {supervise.Command{Argv: []string{"nope"}, Env: path}, supervise.StartNotFound, dir},
		"only in hub PATH":  {supervise.Command{Argv: []string{"sh"}, Env: path}, supervise.StartNotFound, "not found"},
		"not executable":    {supervise.Command{Argv: []string{"plain"}, Env: path}, supervise.StartPermission, plain},
		"absolute, none":    {supervise.Command{Argv: []string{"/no/such"}}, supervise.StartNotFound, "no such file"},
		"no interpreter":    {supervise.Command{Argv: []string{"script"}, Env: path}, supervise.StartNotFound, "interpreter"},
		"no directory":      {supervise.Command{Argv: []string{"/bin/sh"}, Dirs: []string{"/no/dir"}}, supervise.StartDir, "/no/dir"},
		"user 0": {supervise.Command{Argv: []string{"/bin/sh"}, Account: &supervise.Account{Name: "root"}},
			supervise.StartUser, "superuser"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := supervise.Start(c.cmd)
			if err == nil {
				p.Close()
				t.Fatal("started")
			}
			var start *supervise.StartError
			if !errors.As(err, &start) || start.Kind != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q (%+v), want kind %q and %q in it", err, start, c.kind, c.want)
			}
		})
	}
}

// A hub that is not root may start processes of its own user, and is refused others.
func TestOtherUsersNeedRoot(t *testing.T) {
	acc := nobody(t)
	_, path := copyForAll(t)
	p := start(t, supervise.Command{Argv: []string{path, "helper", "become"}, Account: acc, Dirs: []string{"/"}})
	if exit := waitDone(t, p); exit.Code != 0 {
		t.Fatalf("ended with %v: %q", exit, p.Tail())
	}
	want := []string{"own user: ok", "other user: user: start /bin/true as user other: permission denied: only the superuser may start processes of other users"}
	if diff := cmp.Diff(want, p.Tail()); diff != "" {
		t.Errorf("as nobody (-want +got):\n%s", diff)
	}
}

func TestGroupsThatCannotBeSetAreAnError(t *testing.T) {
	acc := nobody(t)
	acc.Groups = make([]uint32, 70000) // more than the kernel takes
	p, err := supervise.Start(supervise.Command{Argv: []string{"/bin/true"}, Account: acc})
	if err == nil {
		p.Close()
		t.Fatal("started without the user's groups")
	}
}

func TestLookupAccount(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"", "no-such-user-here", "-x", "a:b", "root\n", "0"} {
		if acc, err := supervise.LookupAccount(ctx, name); !errors.Is(err, supervise.ErrNoAccount) {
			t.Errorf("LookupAccount(%q) = %+v, %v; want ErrNoAccount", name, acc, err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	acc, err := supervise.LookupAccount(ctx, me.Username)
	if err != nil {
		t.Fatal(err)
	}
	if strconv.Itoa(int(acc.UID)) != me.Uid || acc.Home != me.HomeDir || !slices.Contains(acc.Groups, acc.GID) {
		t.Errorf("LookupAccount = %+v, want %+v with its own group", acc, me)
	}
}

func TestHomeDirs(t *testing.T) {
	tmp := os.TempDir()
	for home, want := range map[string][]string{
		"/home/a/b": {"/home/a/b", "/home/a", "/home", "/", tmp},
		"/":         {"/", tmp},
		"":          {tmp},
		"relative":  {tmp},
		"/a/../b/":  {"/b", "/", tmp},
	} {
		if diff := cmp.Diff(want, supervise.HomeDirs(home)); diff != "" {
			t.Errorf("HomeDirs(%q) (-want +got):\n%s", home, diff)
		}
	}
}
