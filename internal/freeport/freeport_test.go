package freeport_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/minihub/minihub/internal/freeport"
)

// TestPortsAreFreeAndNobodyElseGetsThem: they can be listened on, and the kernel does not give them to those who ask for any port.
func TestPortsAreFreeAndNobodyElseGetsThem(t *testing.T) {
	lowest := 32768
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(text), &lowest); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]bool{}
	for range 50 {
		port := freeport.For(t)
		seen[port] = true
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("port %d: %v", port, err)
		}
		defer l.Close()
		if port >= lowest {
			t.Errorf("port %d is in the kernel's own range, which begins at %d", port, lowest)
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d different ports of 50 that are in use at once", len(seen))
	}
}
