package spawnertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// Behaviour says how the servers of a Fake behave. The zero value behaves well.
type Behaviour struct {
	StartDelay time.Duration   // Start takes this long
	StartGate  <-chan struct{} // Start waits until it is closed; nil: it does not wait
	StopDelay  time.Duration   // Stop takes this long, unless it is told to hurry
	StartErr   error           // Start fails with it
	NeverReady bool            // the server answers 503
	DieAfter   time.Duration   // the server ends by itself with exit code 1
	Form       string          // what OptionsForm returns
}

// Fake is a driver of servers in the test process. They live until they are stopped or Shutdown is called, whatever the
// hub does. Its methods may be called concurrently.
type Fake struct {
	mu       sync.Mutex
	general  Behaviour
	special  map[spawner.Identity]Behaviour
	servers  map[string]*fakeServer // by URL
	requests []spawner.Request
	stops    int
}

// NewFake returns a driver whose servers behave so. Call Shutdown at the end of the test.
func NewFake(b Behaviour) *Fake {
	return &Fake{general: b, special: map[spawner.Identity]Behaviour{}, servers: map[string]*fakeServer{}}
}

// Slow returns a Fake whose Start takes this long.
func Slow(delay time.Duration) *Fake { return NewFake(Behaviour{StartDelay: delay}) }

// NeverReady returns a Fake whose servers start and answer 503.
func NeverReady() *Fake { return NewFake(Behaviour{NeverReady: true}) }

// Failing returns a Fake whose Start fails.
func Failing(err error) *Fake { return NewFake(Behaviour{StartErr: err}) }

// Dying returns a Fake whose servers end by themselves.
func Dying(after time.Duration) *Fake { return NewFake(Behaviour{DieAfter: after}) }

// Form returns a Fake with an options form.
func Form(html string) *Fake { return NewFake(Behaviour{Form: html}) }

// Set gives one server a behaviour of its own, from its next start on.
func (f *Fake) Set(id spawner.Identity, b Behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.special[id] = b
}

func (f *Fake) behaviour(id spawner.Identity) Behaviour {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b, ok := f.special[id]; ok {
		return b
	}
	return f.general
}

// OptionsForm returns the server's form.
func (f *Fake) OptionsForm(_ context.Context, id spawner.Identity) (string, error) {
	return f.behaviour(id).Form, nil
}

// Requests returns every request that Start got, in order.
func (f *Fake) Requests() []spawner.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Stops returns how often Stop was called.
func (f *Fake) Stops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stops
}

// Running returns the servers that run, sorted by name.
func (f *Fake) Running() []spawner.Identity {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []spawner.Identity
	for _, server := range f.servers {
		ids = append(ids, server.id)
	}
	slices.SortFunc(ids, func(a, b spawner.Identity) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// Name returns a class path.
func (f *Fake) Name() string { return "minihub.spawner.FakeSpawner" }

// EnvKeep returns JupyterHub's default.
func (f *Fake) EnvKeep() []string { return []string{"JUPYTERHUB_SINGLEUSER_APP"} }

// New returns the spawner of one server.
func (f *Fake) New(id spawner.Identity) spawner.Spawner { return &FakeSpawner{fake: f, id: id} }

// Shutdown ends all servers. It is not named Close: a hub that ends leaves its servers running.
func (f *Fake) Shutdown() {
	f.mu.Lock()
	var all []*fakeServer
	for _, server := range f.servers {
		all = append(all, server)
	}
	f.mu.Unlock()
	for _, server := range all {
		server.end(spawner.Exit{Reason: "the test ended"})
	}
}

// Kill ends a server as a crash would; false when it does not run.
func (f *Fake) Kill(id spawner.Identity, exit spawner.Exit) bool {
	f.mu.Lock()
	var found *fakeServer
	for _, server := range f.servers {
		if server.id == id {
			found = server
		}
	}
	f.mu.Unlock()
	if found != nil {
		found.end(exit)
	}
	return found != nil
}

// fakeServer is a listener that answers.
type fakeServer struct {
	fake  *Fake
	id    spawner.Identity
	url   string
	http  *http.Server
	once  sync.Once
	exit  spawner.Exit
	ended chan struct{} // closed when exit is set
	done  chan struct{} // closed when nothing is left
}

func (f *Fake) launch(req spawner.Request, b Behaviour) (*fakeServer, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(req.Port)))
	if err != nil {
		return nil, fmt.Errorf("listen for a fake server: %w", err)
	}
	s := &fakeServer{fake: f, id: req.Identity, url: "http://" + listener.Addr().String(), ended: make(chan struct{}), done: make(chan struct{})}
	s.http = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-JupyterHub-Version", "6.1.1")
		if b.NeverReady {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintf(w, "fake server of %s: %s %s", s.id, r.Method, r.URL.EscapedPath())
	})}
	f.mu.Lock()
	f.servers[s.url] = s
	f.mu.Unlock()
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener)
	}()
	if b.DieAfter > 0 {
		time.AfterFunc(b.DieAfter, func() { s.end(spawner.Exit{Code: 1, Reason: "exit code 1"}) })
	}
	return s, nil
}

func (s *fakeServer) end(exit spawner.Exit) {
	s.once.Do(func() {
		s.exit = exit
		_ = s.http.Close()
		<-s.done
		s.fake.mu.Lock()
		delete(s.fake.servers, s.url)
		s.fake.mu.Unlock()
		close(s.ended)
	})
}

func (s *fakeServer) poll() *spawner.Exit {
	select {
	case <-s.ended:
		exit := s.exit
		return &exit
	default:
		return nil
	}
}

var _ spawner.Driver = (*Fake)(nil)
