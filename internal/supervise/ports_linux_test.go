package supervise_test

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/minihub/minihub/internal/supervise"
)

func TestListeningSeesThePortsOfAGroup(t *testing.T) {
	group, err := syscall.Getpgid(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatalf("listen on %s: %v", address, err)
		}
		want := netip.MustParseAddrPort(ln.Addr().String())
		if got, ok := supervise.Listening(group); !ok || !slices.Contains(got, want) {
			t.Errorf("while %s is open: %v, %v", want, got, ok)
		}
		ln.Close()
		if got, _ := supervise.Listening(group); slices.Contains(got, want) {
			t.Errorf("after %s was closed: %v", want, got)
		}
	}
	if got, ok := supervise.Listening(1 << 30); ok || len(got) != 0 {
		t.Errorf("a group that does not exist: %v, %v", got, ok)
	}
}
