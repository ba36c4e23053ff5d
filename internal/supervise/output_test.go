//go:build unix

package supervise_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/internal/supervise"
)

func TestTail(t *testing.T) {
	var forty []string
	for i := range 40 {
		forty = append(forty, fmt.Sprint(i+11))
	}
	long := strings.Repeat("x", 4096) + "…"
	for name, c := range map[string]struct {
		script string
		want   []string
	}{
		"last forty":       {`i=1; while [ $i -le 50 ]; do echo $i; i=$((i+1)); done`, forty},
		"no final newline": {`printf 'a\nb'`, []string{"a", "b"}},
		"both streams":     {`echo out; echo err >&2`, []string{"out", "err"}},
		"carriage return":  {`printf 'a\r\nb\r\n'`, []string{"a", "b"}},
		"empty lines":      {`printf '\n\n'`, []string{"", ""}},
		"not UTF-8":        {`printf 'a\377b\n'`, []string{"a\uFFFDb"}},
		"long line is cut": {`printf '%05000d' 0 | tr 0 x; echo; echo next`, []string{long, "next"}},
		"nothing":          {`:`, nil},
	} {
		for _, log := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s log=%v", name, log), func(t *testing.T) {
				var mu sync.Mutex
				var lines []string
				cmd := supervise.Command{Argv: []string{"sh", "-c", c.script}, OnLine: func(line string) {
					mu.Lock()
					defer mu.Unlock()
					lines = append(lines, line)
				}}
				if log {
					cmd.LogPath = filepath.Join(t.TempDir(), "new", "log")
				}
				p := start(t, cmd)
				waitDone(t, p)
				if diff := cmp.Diff(c.want, p.Tail()); diff != "" {
					t.Errorf("tail (-want +got):\n%s", diff)
				}
				mu.Lock()
				defer mu.Unlock()
				if tail := lines[max(0, len(lines)-40):]; !cmp.Equal(append([]string(nil), tail...), c.want) {
					t.Errorf("callback got %q, want %q", tail, c.want)
				}
			})
		}
	}
}

func TestLogFileIsPrivateAndTheLastOneIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "log")
	for _, text := range []string{"first", "second"} {
		waitDone(t, start(t, supervise.Command{Argv: []string{"echo", text}, LogPath: path}))
	}
	for name, want := range map[string]string{path: "second\n", path + ".1": "first\n"} {
		data, err := os.ReadFile(name)
		if err != nil || string(data) != want {
			t.Errorf("%s holds %q, %v; want %q", name, data, err, want)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want mode 0600", name, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("log directory: %v %v, want mode 0700", info, err)
	}
}

func TestLogFileDoesNotGrowForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	release := fifo(t)
	p := start(t, supervise.Command{
		Argv: []string{"sh", "-c", `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done; read x < ` + release + `; echo last`}, LogPath: path, LogLimit: 4096,
	})
	eventually(t, "the log was cut", func() bool {
		info, err := os.Stat(path)
		old, oldErr := os.Stat(path + ".1")
		return err == nil && oldErr == nil && info.Size() <= 4096 && old.Size() <= 4096 && len(p.Tail()) == 40 && p.Tail()[39] == "line 3000"
	})
	if err := os.WriteFile(release, []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	waitDone(t, p)
	if tail := p.Tail(); tail[39] != "last" {
		t.Errorf("after the cut the last line is %q", tail[39])
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), "\x00") {
		t.Errorf("log has a hole: %v", err)
	}
}

// A server that prints its environment must not hand its token to everybody who reads the hub's log.
func TestOwnSecretsAreHidden(t *testing.T) {
	env := map[string]string{"PATH": os.Getenv("PATH"), "JUPYTERHUB_API_TOKEN": "0123456789abcdef", "JPY_API_TOKEN": "0123456789abcdef", "DB_PASSWORD": "correct horse", "PIN_TOKEN": "1234", "NAME": "not-a-secret"}
	for name, path := range map[string]string{"pipe": "", "file": filepath.Join(t.TempDir(), "log")} {
		t.Run(name, func(t *testing.T) {
			p := start(t, supervise.Command{Argv: []string{"sh", "-c", `echo "at /x?token=$JUPYTERHUB_API_TOKEN&p=$DB_PASSWORD as $NAME $PIN_TOKEN"`}, Env: env, LogPath: path})
			waitDone(t, p)
			want := "at /x?token=[secret]&p=[secret] as not-a-secret 1234"
			eventually(t, "the line", func() bool { return len(p.Tail()) == 1 })
			if got := p.Tail()[0]; got != want {
				t.Errorf("tail %q, want %q", got, want)
			}
		})
	}
}

func TestALogThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := supervise.Start(supervise.Command{Argv: []string{"/bin/true"}, LogPath: filepath.Join(file, "log")})
	if err == nil {
		_ = p.Stop(context.Background(), quickStop)
		t.Fatal("started without its log")
	}
	if !strings.Contains(err.Error(), "log directory") {
		t.Errorf("error %q does not name the log directory", err)
	}
}
