package pybridge_test

import (
	"errors"
	"github.com/google/go-cmp/cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/spawner"
)

// What plug-ins from PyPI do and JupyterHub's own classes do not.

func TestPollThatAnswersWithAText(t *testing.T) {
	_, sp := newSpawner(t, `
from jupyterhub.spawner import Spawner
class Boxes(Spawner):
    async def start(self):
        return "http://127.0.0.1:9"
    async def poll(self):
        return "ExitCode=137, Error=''"  # as dockerspawner
    async def stop(self, now=False):
        pass
c.JupyterHub.spawner_class = Boxes
`, "Boxes")
	exit, err := sp.Poll(t.Context())
	if err != nil || exit == nil || exit.Code != 0 || exit.Reason != "ExitCode=137, Error=''" {
		t.Errorf("%+v %v", exit, err)
	}
}

func TestStatusOfSomebodyElsesAnswer(t *testing.T) {
	r, sp := newSpawner(t, `
from jupyterhub.spawner import Spawner
class APIError(Exception):  # as those of docker and kubernetes_asyncio
    status_code = 404
class Boxes(Spawner):
    async def start(self):
        raise APIError("no such image: nowhere:7")
    async def poll(self):
        return 0
    async def stop(self, now=False):
        pass
c.JupyterHub.spawner_class = Boxes
`, "Boxes")
	_, err := r.launch(t, sp, "ada", nil)
	e, ok := errors.AsType[*pybridge.Error](err)
	if !ok || e.Status != 0 || e.Say() != "" || e.Message != "no such image: nowhere:7" {
		t.Errorf("%+v", e)
	}
	if text := r.log.String(); !strings.Contains(text, "no such image: nowhere:7") {
		t.Errorf("the log: %s", text)
	}
}

// TestConstructorThatFails: kubespawner without a kubeconfig, or a class that needs a real user. The hub starts, knows what is configured,
// and each start fails with the reason until it is gone.
func TestConstructorThatFails(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "kubeconfig")
	r, sp := newSpawner(t, `
import os
from jupyterhub.spawner import Spawner
class Boxes(Spawner):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if not os.path.exists("`+gone+`"):
            raise RuntimeError("no configuration of a cluster found")
    async def start(self):
        return "http://127.0.0.1:9"
    async def poll(self):
        return 0
    async def stop(self, now=False):
        pass
c.JupyterHub.spawner_class = Boxes
c.Spawner.start_timeout = 77
c.Boxes.mem_limit = "2G"
c.Boxes.options_form = "<input name='size'>"
`, "Boxes")
	if text := r.log.String(); !strings.Contains(text, "no Boxes can be made now, and no server can start while this lasts: RuntimeError: no configuration of a cluster found") {
		t.Errorf("the log does not warn: %s", text)
	}
	if i := r.info.Spawner; i.Traits["start_timeout"] != 77.0 || i.Traits["mem_limit"] != float64(2<<30) || !i.Has("options_form") {
		t.Errorf("the hub knows %+v", i)
	}
	_, err := r.hooks.Begin(t.Context(), spawner.Identity{UserName: "ada"}, nil)
	if e, ok := errors.AsType[*pybridge.Error](err); !ok || e.Message != "no configuration of a cluster found" {
		t.Errorf("a start: %v", err)
	}
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if where, err := r.launch(t, sp, "ada", nil); err != nil || where != "http://127.0.0.1:9" {
		t.Errorf("a start once it can be: %q %v", where, err)
	}
}

// A file that was uploaded with the spawn form stays bytes when hooks have seen the options.
func TestUploadedFilesStayBytes(t *testing.T) {
	r, _ := newSpawner(t, `
async def pre(spawner):
    spawner.user_options["seen"] = len(spawner.user_options["file"]["body"])
c.Spawner.pre_spawn_hook = pre
`, mocks+"MockSpawner")
	id := spawner.Identity{UserName: "ada"}
	options := map[string]any{"file": map[string]any{"body": []byte("hello\n")}, "list": []any{[]byte{0, 255}, "text"}}
	r.dir.mu.Lock()
	r.dir.server.UserOptions = options
	r.dir.mu.Unlock()
	if _, err := r.hooks.Begin(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	req := &spawner.Request{Identity: id, BaseURL: "/user/ada/", UserOptions: options, Env: map[string]string{}}
	if err := r.hooks.PreSpawn(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"file": map[string]any{"body": []byte("hello\n")}, "list": []any{[]byte{0, 255}, "text"}, "seen": 6.0}
	if d := cmp.Diff(want, req.UserOptions); d != "" {
		t.Errorf("the options after the hook: %s", d)
	}
}
