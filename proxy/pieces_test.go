package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minihub/minihub/proxy"
)

// countingListener counts the writes on the connections that it accepts.
type countingListener struct {
	net.Listener
	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l.writes}, nil
}

type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// A small answer leaves in one piece, header and body. Now and then a machine may stand still for longer than the proxy waits for the body.
func TestSmallAnswersLeaveInOnePiece(t *testing.T) {
	const n = 400
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	srv := proxy.NewServer(f.proxy, nil)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(countingListener{l, &writes}) }()
	defer func() {
		_ = srv.Close()
		<-served
	}()
	for range n {
		res, err := f.client.Get("http://" + l.Addr().String() + "/api")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(body) != "hello" || err != nil {
			t.Fatalf("%q, %v", body, err)
		}
	}
	if got := writes.Load(); got < n || got > n+n/20 {
		t.Errorf("%d writes for %d answers", got, n)
	}
}

// An answer of known length that comes slowly is passed on as it comes.
func TestSlowAnswerOfKnownLengthIsPassedOn(t *testing.T) {
	f := newFront(t, nil)
	next := make(chan struct{})
	f.backend(t, "/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6")
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		for i := range 3 {
			<-next
			fmt.Fprintf(w, "%d\n", i)
			_ = rc.Flush()
		}
	})
	res, err := f.client.Get(f.URL + "/report") // returns with the header, before there is a body
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for i := range 3 {
		next <- struct{}{}
		if line, err := in.ReadString('\n'); err != nil || line != fmt.Sprintf("%d\n", i) {
			t.Fatalf("piece %d: %q, %v", i, line, err)
		}
	}
}

// A client that goes away while its upgrade has no answer yet takes the backend's request with it.
func TestClientLeavesBeforeItsUpgradeIsAnswered(t *testing.T) {
	f := newFront(t, nil)
	asked, ended := make(chan struct{}), make(chan struct{})
	f.backend(t, "/", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(ended)
	})
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	<-asked
	_ = c.Close()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the backend's request goes on")
	}
	if log := f.errors.String(); log != "" {
		t.Errorf("errors are logged: %s", log)
	}
}
