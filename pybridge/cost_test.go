package pybridge_test

import (
	"testing"
	"time"

	"github.com/minihub/minihub/pybridge"
)

const costFile = `
def pre(spawner):
    spawner.environment["A"] = spawner.user.name
c.Spawner.pre_spawn_hook = pre
`

// A call of a hook costs less than a millisecond beyond what the hook does. The quickest of many counts, because the machine may be busy.
func TestCostOfAHook(t *testing.T) {
	r := newRig(t, anyPython(t), costFile, pybridge.SetupRequest{})
	r.begin(t, "ada")
	best := time.Hour
	for end := time.Now().Add(20 * time.Second); best > time.Millisecond && time.Now().Before(end); {
		req := request("ada")
		begin := time.Now()
		if err := r.hooks.PreSpawn(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(begin))
		if req.Env["A"] != "ada" {
			t.Fatal("the hook did not run")
		}
	}
	t.Logf("quickest call of pre_spawn_hook: %s", best)
	if best > time.Millisecond {
		t.Errorf("the quickest of many calls took %s, more than a millisecond", best)
	}
}

func BenchmarkHook(b *testing.B) {
	r := newRig(b, anyPython(b), costFile, pybridge.SetupRequest{})
	r.begin(b, "ada")
	for b.Loop() {
		if err := r.hooks.PreSpawn(b.Context(), request("ada")); err != nil {
			b.Fatal(err)
		}
	}
}
