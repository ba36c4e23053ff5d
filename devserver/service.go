package devserver

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/devserver/inspector"
	"github.com/minihub/minihub/internal/supervise"
)

// process is a service that minihub dev runs, or knows.
type process struct {
	def   Service
	dir   string
	super *supervise.Supervisor // nil: somebody else runs it
	log   *console

	mu   sync.Mutex
	next time.Time // of the restart after an end that nobody asked for
}

// Times of services under development: impatient, because somebody sits in front of them.
var (
	devBackoff = supervise.Backoff{Min: 500 * time.Millisecond, Max: 10 * time.Second, Reset: 10 * time.Second}
	devStop    = supervise.StopTimeouts{Interrupt: 3 * time.Second, Term: 3 * time.Second, Kill: 2 * time.Second}
)

// dialTime is how long a service may take to accept a connection.
const dialTime = 300 * time.Millisecond

func newProcess(def Service, dir string, environment func() (map[string]string, error), log *console) *process {
	p := &process{def: def, dir: dir, log: log}
	if def.Command == nil {
		return p
	}
	p.super = supervise.NewSupervisor(supervise.SupervisorOptions{Name: def.Name, Backoff: devBackoff, Stop: devStop,
		Command: func(context.Context) (supervise.Command, error) {
			env, err := environment()
			return supervise.Command{Argv: def.Command, Env: env, Dirs: []string{dir}, OnLine: func(line string) { log.line(def.Name, line) }}, err
		},
		OnExit: func(status supervise.ExitStatus, _ []string, wait time.Duration) {
			p.mu.Lock()
			p.next = time.Now().Add(wait)
			p.mu.Unlock()
			log.line("dev", fmt.Sprintf("%s ended with %s, it is started again in %s, or when a file changes", def.Name, status, wait))
		}})
	return p
}

// start starts the service. One that cannot be started is tried again when a file changes.
func (p *process) start(ctx context.Context) {
	if p.super == nil {
		return
	}
	if err := p.super.Start(ctx); err != nil {
		p.log.line("dev", err.Error())
	}
}

// restart stops the service and starts it at once, whatever it does at the moment.
func (p *process) restart(ctx context.Context) error {
	if p.super == nil {
		return fmt.Errorf("minihub dev did not start it")
	}
	return p.super.Restart(ctx)
}

// follow restarts the service when its files change, until ctx ends.
func (p *process) follow(ctx context.Context, changed func()) {
	err := watch(ctx, watchedRoots(p.dir, p.def.Command), func(path string) {
		if rel := strings.TrimPrefix(path, p.dir+string(os.PathSeparator)); rel != "" {
			path = rel
		}
		p.log.line("dev", fmt.Sprintf("%s changed, %s is started again", path, p.def.Name))
		if err := p.restart(ctx); err != nil && ctx.Err() == nil {
			p.log.line("dev", err.Error())
		}
		changed()
	})
	if err != nil {
		p.log.line("dev", fmt.Sprintf("changes of the files of %s are not noticed: %v", p.def.Name, err))
	}
}

// accepts tells whether something listens at the service's address; services without one always do.
func (p *process) accepts(ctx context.Context) bool {
	if p.def.URL == "" {
		return true
	}
	u, err := url.Parse(p.def.URL)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// view is how the service does.
func (p *process) view(ctx context.Context, href string) inspector.Service {
	s := inspector.Service{Name: p.def.Name, URL: p.def.URL, Command: strings.Join(p.def.Command, " "), Up: p.accepts(ctx)}
	if p.def.URL != "" {
		s.Href = href
	}
	if p.super == nil {
		s.State = "answers"
		if !s.Up {
			s.State = "does not answer: start it yourself, or give its command after --"
		}
		return s
	}
	status := p.super.Status()
	s.PID, s.Restarts, s.Log = status.PID, status.Restarts, lastLines(status.LogTail)
	switch {
	case status.Running && s.Up:
		s.State = "running"
	case status.Running:
		s.State = fmt.Sprintf("started %s ago, does not listen yet", time.Since(status.Since).Round(time.Second))
	default:
		s.Up = false
		s.State = p.ended(status)
	}
	return s
}

// ended says why a service does not run.
func (p *process) ended(status supervise.ServiceStatus) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := "not started"
	if status.LastErr != nil {
		text = status.LastErr.Error()
	} else if status.LastExit != nil {
		text = "ended with " + status.LastExit.String()
	}
	if wait := time.Until(p.next).Round(time.Second); wait > 0 {
		text += fmt.Sprintf(", next try in %s", wait)
	}
	return text
}

// shownLines is how much of a log pages show.
const shownLines = 30

func lastLines(lines []string) []string { return lines[max(0, len(lines)-shownLines):] }
