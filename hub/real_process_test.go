package hub_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/local"
)

// Real processes and a crash: what was ready is adopted with the same pid, what was being started when the hub died is ended and cleaned.
func TestRealProcessesAfterACrash(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes of a dead hub are found by /proc only")
	}
	home := t.TempDir()
	r := newRig(t, func(o *rigOptions) {
		o.traits.HubID = "hub-" + strconv.Itoa(os.Getpid())
		o.traits.Spawn.Cmd = []string{"sleep", "600"}
		o.traits.Spawn.Port = 0
		o.wrap = func(*fakeDriver) spawner.Driver {
			return local.NewSimple(local.Options{HubID: o.traits.HubID, HomeDirTemplate: home + "/{username}", LogDir: home + "/logs"})
		}
	})
	t.Cleanup(func() { _ = r.live.StopAll(context.Background()) })
	alice, bob := r.user("alice"), r.user("bob")
	r.mustStart(alice, "")
	r.mustStart(bob, "work")
	pid := func(state map[string]any) string { return fmt.Sprint(state["pid"]) }
	kept, orphan := pid(r.row(alice, "").State), pid(r.row(bob, "work").State)
	row := r.row(bob, "work") // as if the hub had died before it saved the state
	extra := need(r.store.ServerExtra(t.Context(), row.ID))
	row.State = map[string]any{"marker": extra.Marker}
	noErr(t, r.store.UpdateSpawner(t.Context(), row, "state"))
	r.crash()
	noErr(t, r.live.Restore(t.Context(), nobody))
	if v := r.view(alice, ""); !v.Ready || pid(r.row(alice, "").State) != kept {
		t.Errorf("view %+v", v)
	}
	runs := func(pid string) bool {
		cmd, err := os.ReadFile("/proc/" + pid + "/cmdline")
		return err == nil && len(cmd) > 0
	}
	until(t, "the end of the orphan", func() bool { return !runs(orphan) })
	if !runs(kept) || r.view(bob, "work").Active {
		t.Error("the wrong one was stopped")
	}
	r.mustStop(alice, "", hub.StopOptions{})
	if runs(kept) {
		t.Error("the adopted process still runs")
	}
	r.wantNothingLeft(alice, "")
	r.wantNothingLeft(bob, "work")
}
