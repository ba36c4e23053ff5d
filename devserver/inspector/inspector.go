package inspector

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/devserver/trace"
)

// Options are what an Inspector needs. Actions is mandatory.
type Options struct {
	Recorder *trace.Recorder // nil: a new one
	Actions  Actions
	// Own tells which requests are made by minihub dev itself, and are not to be seen. nil: none.
	Own func(*http.Request) bool
	// Tell is told about every request to a service or a server that is answered, but for the files that pages load. nil: nobody.
	Tell func(trace.Request)
	// Down returns what is known of a service that does not answer at the moment, nil when it does; asked before each request to a service.
	Down func(ctx context.Context, service string) *Service
	// Token is an API token that the pages may show in command lines, "" for none.
	Token string
}

// Actions are what the buttons do.
type Actions interface {
	// Overview returns the people, tokens and services that the buttons are about.
	Overview(ctx context.Context) (Overview, error)
	// Prepare makes sure that a user exists whom the browser is to become.
	Prepare(ctx context.Context, user string) error
	// Fault orders a fault of starts of servers, or of API answers.
	Fault(f Fault) error
	// ClearFaults ends all faults.
	ClearFaults()
	// Advance lets time go by. It fails when the database is a file.
	Advance(ctx context.Context, by time.Duration) error
	// Restart restarts a service that minihub dev started.
	Restart(ctx context.Context, service string) error
}

// Overview is what the page with the buttons shows.
type Overview struct {
	Users    []User
	Tokens   []Token
	Services []Service
	Clock    time.Duration // how far the clock was advanced
	Memory   bool          // the database is in memory, so the clock can be advanced
	Spawner  string        // what starts servers, in words
}

// User is somebody a browser can become.
type User struct {
	Name  string
	Admin bool
}

// Token is an API or OAuth token.
type Token struct {
	ID      int64
	Owner   string
	Note    string
	Client  string // OAuth client in words, "" for none
	Scopes  []string
	Expires time.Time // zero: never
}

// Service is a service and how it does.
type Service struct {
	Name     string
	Href     string // where browsers find it, "" without
	URL      string // where it listens, "" without
	Command  string // "" when somebody else runs it
	State    string // in words
	Up       bool
	PID      int
	Restarts int
	Log      []string // the last lines
}

// Fault is something that is to go wrong.
type Fault struct {
	Kind  string        // "slow", "fail", "never-ready", "die" for starts of servers; "api" for answers of the REST API
	User  string        // only this user's servers, "" for all
	By    time.Duration // for slow and die
	Code  int           // status for api
	Times int           // so often; 0: until ClearFaults
}

// Inspector records and shows. Make it with New; Table has to be called before requests come.
type Inspector struct {
	o      Options
	rec    *trace.Recorder
	mask   *trace.Mask
	base   atomic.Pointer[string] // base_url
	inside app.Inside

	mu     sync.Mutex
	notes  []string // what the buttons did
	faults []string // orders that are in force, in words
}

// New returns an Inspector.
func New(o Options) *Inspector {
	if o.Recorder == nil {
		o.Recorder = trace.NewRecorder(0)
	}
	if o.Own == nil {
		o.Own = func(*http.Request) bool { return false }
	}
	if o.Tell == nil {
		o.Tell = func(trace.Request) {}
	}
	if o.Down == nil {
		o.Down = func(context.Context, string) *Service { return nil }
	}
	i := &Inspector{o: o, rec: o.Recorder, mask: trace.NewMask()}
	slash := "/"
	i.base.Store(&slash)
	return i
}

// Hooks are what a hub has to be built with.
func (i *Inspector) Hooks() *app.Inspect {
	return &app.Inspect{Front: i.Front, Decided: i.Decided, Tables: i.Table}
}

// baseURL is the hub's base_url.
func (i *Inspector) baseURL() string { return *i.base.Load() }

// to tells who answers requests at a path.
func (i *Inspector) to(path string) string {
	rest, ok := strings.CutPrefix(path, i.baseURL())
	if !ok {
		return "hub"
	}
	parts := strings.SplitN(rest, "/", 4)
	switch {
	case len(parts) > 1 && parts[0] == "services":
		return "service " + parts[1]
	case len(parts) > 1 && parts[0] == "user":
		return "server of " + parts[1]
	}
	return "hub"
}
