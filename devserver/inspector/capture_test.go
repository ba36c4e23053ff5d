package inspector_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/devserver/inspector"
	"github.com/minihub/minihub/devserver/trace"
)

// front is a recorder in front of a handler.
func front(t *testing.T, h http.HandlerFunc) (*trace.Recorder, string) {
	t.Helper()
	rec := trace.NewRecorder(0)
	server := httptest.NewServer(inspector.New(inspector.Options{Recorder: rec}).Front(trace.PortPublic, h))
	t.Cleanup(server.Close)
	return rec, server.URL
}

// last waits for the only request to be as it should.
func last(t *testing.T, rec *trace.Recorder, what string, ok func(trace.Request) bool) trace.Request {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all := rec.All()
		if len(all) == 1 && ok(all[0]) {
			return all[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v", what, all)
		}
	}
}

func done(r trace.Request) bool { return r.Done }

func TestStreamsAreSeenWhileTheyGoOn(t *testing.T) {
	end := make(chan struct{})
	over := sync.OnceFunc(func() { close(end) })
	defer over()
	rec, url := front(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-end
	})
	answer, err := http.Get(url + "/hub/api/users/ann/server/progress")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || line != "data: 1\n" {
		t.Errorf("the stream begins with %q, %v", line, err)
	}
	last(t, rec, "an open stream", func(r trace.Request) bool { return r.Status == 200 && !r.Done })
	over()
	last(t, rec, "a closed stream", done)
}

func TestUpgradesPass(t *testing.T) {
	rec, url := front(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		fmt.Fprint(rw, line)
		_ = rw.Flush()
	})
	host := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /user/ann/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", host)
	in := bufio.NewReader(conn)
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", answer, err)
	}
	last(t, rec, "an open connection", func(r trace.Request) bool { return r.Status == 101 && !r.Done && r.To == "server of ann" })
	fmt.Fprint(conn, "hello\n")
	if line, err := in.ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("the echo is %q, %v", line, err)
	}
	last(t, rec, "a closed connection", done)
}

func TestBodies(t *testing.T) {
	for _, row := range []struct{ path, kind, body, want string }{
		{"/hub/login", "application/x-www-form-urlencoded", "username=ann&password=hunter2", "username=ann"},
		{"/hub/api/users", "application/json", `{"usernames": ["ann", "bob"], "admin": true, "token": "hunter2", "deep": {"x": "hunter2"}}`, "usernames=ann bob"},
		{"/services/x/", "application/x-www-form-urlencoded", "a=hunter2", ""},
		{"/hub/upload", "application/octet-stream", "hunter2", ""},
	} {
		rec, url := front(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		answer, err := http.Post(url+row.path, row.kind, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(got) != row.body {
			t.Errorf("%s: the handler got %q", row.path, got)
		}
		text := ""
		for _, f := range last(t, rec, row.path, done).Form {
			text += f.Name + "=" + f.Text() + ";"
		}
		if !strings.Contains(text, row.want) || strings.Contains(text, "hunter2") || row.want == "" && text != "" {
			t.Errorf("%s: %q is kept", row.path, text)
		}
	}
}

func TestACutConnection(t *testing.T) {
	rec, url := front(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if answer, err := http.Get(url + "/hub/home"); err == nil {
		answer.Body.Close()
		t.Error("there is an answer")
	}
	if r := last(t, rec, "a cut connection", done); r.Status != 0 || !strings.Contains(r.Message, "cut") {
		t.Errorf("it is kept as %d %q", r.Status, r.Message)
	}
}
