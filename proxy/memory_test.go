package proxy_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// hold is a backend that switches protocols and then waits for the end.
func hold(w http.ResponseWriter, _ *http.Request) {
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_ = rw.Flush()
	_, _ = rw.ReadByte()
}

// waiting opens n connections and returns the memory of the process for each of them.
func waiting(t *testing.T, address string, n int) float64 {
	t.Helper()
	before := memory()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
		fmt.Fprintf(conn, "GET /user/a/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		r := bufio.NewReaderSize(conn, 16)
		line, err := r.ReadString('\n')
		for err == nil && line != "\r\n" {
			if strings.HasPrefix(line, "HTTP/") && !strings.Contains(line, " 101 ") {
				t.Fatal(line)
			}
			line, err = r.ReadString('\n')
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	each := float64(memory()-before) / float64(n)
	for _, conn := range conns {
		_ = conn.Close()
	}
	return each
}

func memory() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// An idle WebSocket costs the proxy less than 40 KiB: what it takes through the proxy, without what client and backend, which live in this
// process too, take alone.
func TestIdleWebSocketsAreSmall(t *testing.T) {
	const n = 500
	f := newFront(t, nil)
	s := f.backend(t, "/user/a/", hold)
	direct := waiting(t, s.Listener.Addr().String(), n)
	through := waiting(t, f.Listener.Addr().String(), n)
	eventually(t, "the end of all connections", func() bool { return f.proxy.Upgraded() == 0 })
	t.Logf("%.1f KiB for a connection through the proxy, %.1f of them in client and backend", through/1024, direct/1024)
	if each := (through - direct) / 1024; each > 40 {
		t.Errorf("%.1f KiB for an idle connection, at most 40 are wanted", each)
	}
}
