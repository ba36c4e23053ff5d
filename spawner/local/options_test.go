//go:build unix

package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/local"
)

func TestDefaultLogDirIsPrivateOrRefused(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	dir := filepath.Join(tmp, "minihub-logs-"+strconv.Itoa(os.Getuid()))
	start := func() error {
		opts := options(t)
		opts.LogDir = ""
		sp := local.NewSimple(opts).New(spawner.Identity{UserName: "a"})
		_, err := sp.Start(context.Background(), spawner.Request{Cmd: []string{"true"}, Port: 1})
		if stopErr := sp.Stop(context.Background(), true); stopErr != nil {
			t.Error(stopErr)
		}
		return err
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("log directory: %v %v, want mode 0700", info, err)
	}
	if err := start(); err != nil {
		t.Errorf("second start: %v", err)
	}
	for name, prepare := range map[string]func() error{
		"open to others": func() error { _ = os.Mkdir(dir, 0o700); return os.Chmod(dir, 0o755) },
		"a link":         func() error { _ = os.RemoveAll(dir); return os.Symlink(tmp, dir) },
		"another's": func() error {
			if os.Geteuid() != 0 {
				return os.WriteFile(dir, nil, 0o600)
			}
			_ = os.Remove(dir)
			_ = os.Mkdir(dir, 0o700)
			return os.Chown(dir, 65534, 65534)
		},
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		if err := start(); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want a refusal which names the directory", name, err)
		}
		_ = os.RemoveAll(dir)
	}
}

func TestEnvKeepAndNames(t *testing.T) {
	simple, system := local.NewSimple(local.Options{}), local.NewLocalProcess(local.Options{})
	if simple.Name() != "jupyterhub.spawner.SimpleLocalProcessSpawner" || system.Name() != "jupyterhub.spawner.LocalProcessSpawner" {
		t.Errorf("names %q, %q", simple.Name(), system.Name())
	}
	want := "CONDA_DEFAULT_ENV CONDA_ROOT JUPYTERHUB_SINGLEUSER_APP LANG LC_ALL LD_LIBRARY_PATH PATH PYTHONPATH VIRTUAL_ENV"
	if got := strings.Join(simple.EnvKeep(), " "); got != want {
		t.Errorf("EnvKeep %q, want %q", got, want)
	}
}
