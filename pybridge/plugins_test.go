package pybridge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/minihub/minihub/pybridge"
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
