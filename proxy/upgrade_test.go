package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/minihub/minihub/proxy"
)

// wsEcho is a backend that repeats WebSocket messages; it sends the path it was asked for first.
func wsEcho(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v1.kernel"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	_ = c.Write(r.Context(), websocket.MessageText, []byte(r.RequestURI+" "+r.Header.Get("X-Forwarded-Proto")))
	for {
		kind, msg, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if err := c.Write(context.Background(), kind, msg); err != nil {
			return
		}
	}
}

func dialWS(t testing.TB, f *front, path string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), f.URL+path, &websocket.DialOptions{Subprotocols: []string{"v1.kernel"}, HTTPHeader: http.Header{"Origin": {f.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	return c
}

func TestWebSocket(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/user/a@b/", wsEcho)
	c := dialWS(t, f, "/user/a%40b/api/kernels/1/channels?session_id=x")
	defer c.CloseNow()
	if c.Subprotocol() != "v1.kernel" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	if _, hello, err := c.Read(t.Context()); err != nil || string(hello) != "/user/a%40b/api/kernels/1/channels?session_id=x ws" {
		t.Errorf("the backend saw %q, %v", hello, err)
	}
	big := strings.Repeat("x", 3<<20)
	for _, msg := range []string{"6*7", "", big, "ü"} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != msg {
			t.Fatalf("echo of %d bytes: %d bytes, %v", len(msg), len(got), err)
		}
	}
	if n := f.proxy.Upgraded(); n != 1 {
		t.Errorf("%d upgraded connections, want 1", n)
	}
	before, _ := f.table.Get("/user/a@b/")
	eventually(t, "activity by WebSocket messages", func() bool {
		_ = c.Write(t.Context(), websocket.MessageText, []byte("tick"))
		_, _, _ = c.Read(t.Context())
		now, _ := f.table.Get("/user/a@b/")
		return now.LastActivity.After(before.LastActivity)
	})
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close handshake through the proxy: %v", err)
	}
	eventually(t, "the end of the upgraded connection", func() bool { return f.proxy.Upgraded() == 0 })
	if log := f.errors.String(); log != "" {
		t.Errorf("errors are logged: %s", log)
	}
}

// TestActivityInEitherDirection sends bytes one way only, over a protocol that is not WebSocket.
func TestActivityInEitherDirection(t *testing.T) {
	f := newFront(t, nil)
	speak, heard := make(chan struct{}), make(chan struct{}, 100)
	f.backend(t, "/", func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		for range speak {
			_, _ = io.WriteString(c, "tick")
		}
		for {
			if _, err := rw.ReadByte(); err != nil {
				return
			}
			heard <- struct{}{}
		}
	})
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatalf("upgrade: %v, %+v", err, res)
	}
	before, _ := f.table.Get("/")
	eventually(t, "activity from the backend", func() bool {
		speak <- struct{}{}
		_, _ = io.ReadFull(in, make([]byte, 4))
		now, _ := f.table.Get("/")
		return now.LastActivity.After(before.LastActivity)
	})
	close(speak)
	before, _ = f.table.Get("/")
	eventually(t, "activity from the client", func() bool {
		_, _ = io.WriteString(c, "x")
		<-heard
		now, _ := f.table.Get("/")
		return now.LastActivity.After(before.LastActivity)
	})
}

func TestWebSocketRefusedByTheBackend(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusForbidden) })
	_, res, err := websocket.Dial(t.Context(), f.URL+"/x", nil)
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("refused upgrade: %v, %+v, want 403", err, res)
	}
	f.route(t, "/dead/", fmt.Sprintf("http://127.0.0.1:%d", freePort(t)))
	_, res, err = websocket.Dial(t.Context(), f.URL+"/dead/x", nil)
	if err == nil || res == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("upgrade of a dead backend: %v, %+v, want 503", err, res)
	}
}

// rawBackend answers every connection with a text, after reading the request's headers.
func rawBackend(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_, _ = io.WriteString(c, answer)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String()
}

func TestBackendsThatBreakUpgrades(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/good/", wsEcho)
	good := dialWS(t, f, "/good/")
	defer good.CloseNow()
	_, _, _ = good.Read(t.Context())
	upgrade := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Accept: x\r\n\r\n"
	for _, c := range []struct{ name, answer, want string }{
		{"dies before answering", "", "HTTP/1.1 503 "},
		{"dies within the header", "HTTP/1.1 101 Switching Protocols\r\nConn", "HTTP/1.1 503 "},
		{"other protocol", fmt.Sprintf(upgrade, "h2c"), "HTTP/1.1 503 "},
		{"garbage", "\x00\x01\x02\x03", "HTTP/1.1 503 "},
		{"dies after 101", fmt.Sprintf(upgrade, "websocket"), "HTTP/1.1 101 "},
		{"garbage after 101", fmt.Sprintf(upgrade, "websocket") + "\xff\xff\xff", "HTTP/1.1 101 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.route(t, "/bad/", rawBackend(t, c.answer))
			answer := f.raw(t, "GET /bad/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n")
			if !strings.HasPrefix(answer, c.want) {
				t.Errorf("answer %.80q, want %q", answer, c.want)
			}
			eventually(t, "the end of the broken upgrade", func() bool { return f.proxy.Upgraded() == 1 })
		})
	}
	t.Run("101 that nobody asked for", func(t *testing.T) {
		f.route(t, "/bad/", rawBackend(t, fmt.Sprintf(upgrade, "websocket")))
		if code, _ := f.get(t, "/bad/"); code != 503 {
			t.Errorf("status %d, want 503", code)
		}
	})
	if err := good.Write(t.Context(), websocket.MessageText, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, msg, err := good.Read(t.Context()); err != nil || string(msg) != "still here" {
		t.Errorf("the good connection: %q, %v", msg, err)
	}
}

// noHijack hides that the writer can be taken over, as some middleware does.
type noHijack struct{ http.ResponseWriter }

func TestUpgradeWithoutHijackLeaksNothing(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", wsEcho)
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	f.proxy.ServeHTTP(noHijack{w}, r)
	if w.Code != http.StatusServiceUnavailable || f.proxy.Upgraded() != 0 {
		t.Errorf("status %d with %d upgraded connections left", w.Code, f.proxy.Upgraded())
	}
}

func TestShutdownDrainsUpgrades(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", wsEcho)
	polite, stubborn := dialWS(t, f, "/1"), dialWS(t, f, "/2")
	defer polite.CloseNow()
	defer stubborn.CloseNow()
	_, _, _ = polite.Read(t.Context())
	_, _, _ = stubborn.Read(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.proxy.Shutdown(ctx) }()
	eventually(t, "refusal of new upgrades", func() bool {
		c, res, err := websocket.Dial(t.Context(), f.URL+"/3", nil)
		if err == nil {
			c.CloseNow()
		}
		return res != nil && res.StatusCode == http.StatusServiceUnavailable
	})
	if err := polite.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
		t.Errorf("a connection was cut while draining: %v", err)
	}
	if err := polite.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Logf("close: %v", err) // the echo of "x" may come first
	}
	eventually(t, "the end of the polite connection", func() bool { return f.proxy.Upgraded() == 1 })
	select {
	case err := <-ended:
		t.Fatalf("Shutdown returned %v with a connection open", err)
	default:
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown = %v, want the context's error", err)
	}
	read, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if _, _, err := stubborn.Read(read); err == nil || read.Err() != nil {
		t.Errorf("the stubborn connection is still open: %v", err)
	}
	if n := f.proxy.Upgraded(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if err := f.proxy.Shutdown(t.Context()); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

func TestShutdownWaitsForTheLastUpgrade(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", wsEcho)
	c := dialWS(t, f, "/")
	_, _, _ = c.Read(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.proxy.Shutdown(context.Background()) }()
	c.CloseNow()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Shutdown = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Shutdown did not notice that the last connection ended")
	}
}

var _ http.Handler = (*proxy.Proxy)(nil)
