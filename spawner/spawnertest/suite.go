package spawnertest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/spawner"
)

// Options tell the suite about the implementation.
type Options struct {
	// Request returns what starts a server that answers GET <url><BaseURL>api with a status below 500. nil: Request of
	// this package.
	Request func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request
	// Failing returns what makes Start fail, or a process which ends at once. nil: not tested.
	Failing func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request
	// Adopts: after Close of its driver a server goes on, and LoadState of another driver finds it.
	Adopts bool
	// UserName is the user whose servers are started; "" is "alice". Drivers that need a system user set it.
	UserName string
	// Timeout bounds each wait; 0 is 20 s.
	Timeout time.Duration
}

// suite is one subtest's driver and helpers.
type suite struct {
	*testing.T
	opts   Options
	make   func(*testing.T) spawner.Driver
	driver spawner.Driver
}

// Run checks that the drivers newDriver returns keep the promises of package spawner. newDriver is called for each
// subtest, and twice where a restart of the hub is played.
func Run(t *testing.T, newDriver func(t *testing.T) spawner.Driver, opts Options) {
	t.Helper()
	if opts.Request == nil {
		opts.Request = Request
	}
	if opts.UserName == "" {
		opts.UserName = "alice"
	}
	if opts.Timeout == 0 {
		opts.Timeout = 20 * time.Second
	}
	type check struct {
		name string
		run  func(suite)
	}
	checks := []check{
		{"driver describes itself", suite.describes},
		{"a new spawner does not run", suite.notStarted},
		{"start, answer, stop", suite.lifecycle},
		{"start again after a stop", suite.again},
		{"start twice", suite.twice},
		{"stop without grace", suite.stopNow},
		{"stop while starting", suite.stopDuringStart},
		{"start with an ended context", suite.cancelledStart},
		{"stop with an ended context", suite.cancelledStop},
		{"failing server", suite.failing},
		{"state round trip", suite.roundTrip},
		{"strange states", suite.strangeStates},
		{"many at once", suite.many},
		{"concurrent calls", suite.concurrent},
	}
	probe := newDriver(t)
	_, reports := probe.New(spawner.Identity{UserName: opts.UserName}).(spawner.Progresser)
	closeDriver(t, probe)
	if reports {
		checks = append(checks, check{"progress ends", suite.progress})
	}
	for _, test := range checks {
		t.Run(test.name, func(t *testing.T) {
			s := suite{T: t, opts: opts, make: newDriver}
			s.driver = s.newDriver()
			test.run(s)
		})
	}
}

func (s suite) newDriver() spawner.Driver {
	driver := s.make(s.T)
	s.Cleanup(func() { closeDriver(s.T, driver) })
	return driver
}

func closeDriver(t *testing.T, driver spawner.Driver) {
	t.Helper()
	if closer, ok := driver.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("close driver: %v", err)
		}
	}
}

func (s suite) id(server string) spawner.Identity {
	return spawner.Identity{UserName: s.opts.UserName, ServerName: server}
}

func (s suite) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
	s.Cleanup(cancel)
	return ctx
}

// spawn makes a spawner that is stopped at the end of the test.
func (s suite) spawn(server string) spawner.Spawner {
	sp := s.driver.New(s.id(server))
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
		defer cancel()
		if err := sp.Stop(ctx, true); err != nil {
			s.Errorf("stop at the end: %v", err)
		}
	})
	return sp
}

// started returns a running server which answers, and its URL with BaseURL.
func (s suite) started(server string) (spawner.Spawner, string) {
	s.Helper()
	sp := s.spawn(server)
	req := s.opts.Request(s.T, s.driver, s.id(server))
	base, err := sp.Start(s.ctx(), req)
	if err != nil {
		s.Fatalf("start: %v", err)
	}
	parsed, err := url.Parse(base)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Port() == "" || strings.Trim(parsed.Path, "/") != "" {
		s.Fatalf("Start returned %q, want scheme://host:port (%v)", base, err)
	}
	full := strings.TrimSuffix(base, "/") + req.BaseURL
	s.eventually("the server answers at "+full+"api", func() bool { return Answers(full + "api") })
	return sp, full
}

// Answers says whether a GET of url is answered with a status below 500, as the hub's readiness probe asks.
func Answers(url string) bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(url)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp.StatusCode < 500
}

func (s suite) eventually(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(s.opts.Timeout); !ok(); {
		if time.Now().After(deadline) {
			s.Fatalf("never happened: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s suite) poll(sp spawner.Spawner) *spawner.Exit {
	s.Helper()
	exit, err := sp.Poll(s.ctx())
	if err != nil {
		s.Fatalf("poll: %v", err)
	}
	return exit
}

func (s suite) wantRunning(sp spawner.Spawner) {
	s.Helper()
	if exit := s.poll(sp); exit != nil {
		s.Errorf("the server ended: %+v", *exit)
	}
}

func (s suite) wantEnded(sp spawner.Spawner) {
	s.Helper()
	if exit := s.poll(sp); exit == nil {
		s.Error("the server runs")
	}
	if state := sp.State(); len(state) != 0 {
		s.Errorf("an ended server has the state %v", state)
	}
}

func (s suite) stop(sp spawner.Spawner) {
	s.Helper()
	if err := sp.Stop(s.ctx(), false); err != nil {
		s.Fatalf("stop: %v", err)
	}
}

// throughText is what the database does to a state.
func (s suite) throughText(state spawner.State) spawner.State {
	s.Helper()
	data, err := json.Marshal(state)
	if err != nil {
		s.Fatalf("state is not JSON: %v", err)
	}
	var loaded spawner.State
	if err := json.Unmarshal(data, &loaded); err != nil {
		s.Fatalf("state %s is no JSON object: %v", data, err)
	}
	return loaded
}

// Request builds what a hub would: a free port when the driver picks ports, the JUPYTERHUB_* variables, and ServerCmd.
func Request(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
	t.Helper()
	req := spawner.Request{Identity: id, Cmd: ServerCmd(t), IP: "127.0.0.1", Marker: t.Name() + "/" + id.String(), BaseURL: "/user/" + url.PathEscape(id.UserName) + "/"}
	if id.ServerName != "" {
		req.BaseURL += url.PathEscape(id.ServerName) + "/"
	}
	if picker, ok := driver.(spawner.PortPicker); ok {
		port, err := picker.PickPort(context.Background(), req.IP)
		if err != nil {
			t.Fatal(err)
		}
		req.Port = port
	}
	req.Env = Env(req, "http://127.0.0.1:1/hub/api")
	for _, name := range driver.EnvKeep() {
		if value, ok := os.LookupEnv(name); ok {
			req.Env[name] = value
		}
	}
	return req
}
