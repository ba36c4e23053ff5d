package devserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/devserver"
	"github.com/minihub/minihub/hubauth"
)

// asService makes this test binary a service, like examples/whoami.
const asService = "MINIHUB_TEST_AS_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" && os.Getenv("JUPYTERHUB_SERVICE_NAME") != "" {
		if err := service(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	os.Exit(m.Run())
}

// service answers with who asks. A file "broken" in the working directory keeps it from starting.
func service() error {
	if text, err := os.ReadFile("broken"); err == nil {
		return fmt.Errorf("%s", text)
	}
	auth, err := hubauth.FromEnv()
	if err != nil {
		return err
	}
	l, err := auth.Listen()
	if err != nil {
		return err
	}
	fmt.Println("ready to serve")
	mux := http.NewServeMux()
	mux.Handle("/", auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(hubauth.Identity(r))
	})))
	prefix := os.Getenv("JUPYTERHUB_SERVICE_PREFIX")
	mux.HandleFunc(prefix+"die", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	return http.Serve(l, mux)
}

// freeAddress is an address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// safeBuffer can be written by many.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// desk is a hub for development in a directory of its own.
type desk struct {
	*devserver.Server
	t        *testing.T
	dir      string
	out, log *safeBuffer
}

// start starts minihub dev with the service whoami, in an empty directory.
func start(t *testing.T, o devserver.Options) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), out: &safeBuffer{}, log: &safeBuffer{}}
	t.Chdir(d.dir)
	t.Setenv(asService, "1")
	o.Out, o.Log = d.out, d.log
	if o.Spawner == "" {
		o.Spawner = "toy"
	}
	s, err := devserver.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	d.Server = s
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("end: %v", err)
		}
		if t.Failed() {
			t.Log(d.log)
		}
	})
	return d
}

// whoami is the service that this binary is.
func whoami(t *testing.T) devserver.Service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return devserver.Service{Name: "whoami", URL: freeAddress(t), Command: []string{self}}
}

// poll waits for a condition.
func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// up waits until the service answers.
func (d *desk) up() {
	d.t.Helper()
	poll(d.t, "the service to answer", func() bool {
		answer, err := d.Unrecorded().Get(d.URL + "services/whoami/")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode != http.StatusServiceUnavailable
	})
}

// request sends one request without following redirects, and returns its answer.
func (d *desk) request(method, path string, header map[string]string, body string) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, strings.TrimSuffix(d.URL, "/")+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
		if k == "Host" {
			r.Host = v
		}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// shown is the text of a page without its tags.
func shown(page string) string {
	text := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(page, " ")
	return regexp.MustCompile(`\s+`).ReplaceAllString(text, " ")
}
