package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minihub/minihub/internal/freeport"
	"github.com/minihub/minihub/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// front is a proxy with a real listener in front.
type front struct {
	*httptest.Server
	proxy  *proxy.Proxy
	table  *proxy.Table
	errors *errorLog
	client *http.Client
}

// errorLog collects what a proxy logs at error level.
type errorLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newFront(t testing.TB, change func(*proxy.Options)) *front {
	t.Helper()
	f := &front{errors: &errorLog{}}
	o := proxy.Options{
		Table: proxy.NewTable(false), XForward: true,
		Log: slog.New(slog.NewTextHandler(f.errors, &slog.HandlerOptions{Level: slog.LevelError})),
		Error: func(w http.ResponseWriter, _ *http.Request, code int, err error) {
			http.Error(w, fmt.Sprintf("error page %d: %v", code, err), code)
		},
	}
	if change != nil {
		change(&o)
	}
	f.table = o.Table
	p, err := proxy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.proxy = p
	f.Server = httptest.NewServer(p)
	f.client = &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_ = p.Shutdown(ctx)
		f.Close()
	})
	return f
}

// backend starts a server and routes a path to it.
func (f *front) backend(t testing.TB, routespec string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	f.route(t, routespec, s.URL)
	return s
}

func (f *front) route(t testing.TB, routespec, target string) {
	t.Helper()
	if err := f.table.AddRoute(t.Context(), routespec, target, nil); err != nil {
		t.Fatal(err)
	}
}

func (f *front) get(t testing.TB, path string) (int, string) {
	t.Helper()
	res, err := f.client.Get(f.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// raw sends bytes to the front and returns all that comes back until the connection ends.
func (f *front) raw(t testing.TB, request string) string {
	t.Helper()
	return rawTo(t, f.Listener.Addr().String(), request)
}

func rawTo(t testing.TB, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// eventually polls a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen in a minute", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// freePort returns a port on which nobody listens, and which nobody gets by chance.
func freePort(t testing.TB) int {
	t.Helper()
	return freeport.For(t)
}
