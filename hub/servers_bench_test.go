package hub_test

import (
	"testing"

	"github.com/minihub/minihub/hub"
)

// One start and stop with a spawner that does nothing: the hub's own work, most of it commits.
func BenchmarkStartStop(b *testing.B) {
	r := newRig(b)
	u := r.user("alice")
	for b.Loop() {
		r.mustStart(u, "")
		r.mustStop(u, "", hub.StopOptions{})
	}
}
