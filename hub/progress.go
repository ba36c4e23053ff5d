package hub

import (
	"cmp"
	"context"
	"iter"
	"sync"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// ProgressEvent is one event of a starting server; exactly one Ready or Failed event ends a stream.
type ProgressEvent struct {
	Progress    int // 0..100
	Message     string
	HTMLMessage string
	Ready       bool
	Failed      bool
	URL         string // of a Ready event
}

// progressLog keeps the events of one start and wakes those who follow it.
type progressLog struct {
	mu     sync.Mutex
	events []ProgressEvent
	done   bool
	wake   chan struct{} // closed and replaced at each change
}

func newProgressLog() *progressLog {
	return &progressLog{wake: make(chan struct{}), events: []ProgressEvent{{Progress: 0, Message: "Server requested"}}}
}

func (p *progressLog) add(e ProgressEvent, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.events = append(p.events, e)
	p.done = last
	close(p.wake)
	p.wake = make(chan struct{})
}

func (p *progressLog) finish(e ProgressEvent) { p.add(e, true) }

// follow adds the spawner's own events until ctx ends; a spawner without any gets JupyterHub's single default one.
func (s *Servers) follow(ctx context.Context, log *progressLog, sp spawner.Spawner) {
	pr, ok := sp.(spawner.Progresser)
	if !ok {
		log.add(ProgressEvent{Progress: 50, Message: "Spawning server..."}, false)
		return
	}
	s.run(func() {
		for e := range pr.Progress(ctx) {
			log.add(ProgressEvent{Progress: e.Progress, Message: e.Message, HTMLMessage: e.HTMLMessage}, false)
		}
	})
}

// all yields past and coming events until the last one or the end of ctx.
func (p *progressLog) all(ctx context.Context) iter.Seq[ProgressEvent] {
	return func(yield func(ProgressEvent) bool) {
		for i := 0; ; {
			p.mu.Lock()
			events, done, wake := p.events[i:], p.done, p.wake
			p.mu.Unlock()
			for _, e := range events {
				if !yield(e) {
					return
				}
			}
			i += len(events)
			if done {
				return
			}
			select {
			case <-wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Progress returns the events of a server's start: all of them so far, then those to come. A ready server has just
// its Ready event. NotFound: no such server, or it does not run; Invalid: it is doing something else than starting.
func (s *Servers) Progress(ctx context.Context, user *orm.User, name string) (iter.Seq[ProgressEvent], error) {
	if _, err := s.View(ctx, user, name); err != nil {
		return nil, err
	}
	notRunning := &Error{Kind: NotFound, Message: logName(user.Name, name) + " is not running", Hint: "start it first"}
	l := s.find(user.ID, name)
	if l == nil {
		return nil, notRunning
	}
	l.mu.Lock()
	log, st, failed := l.progress, l.stage, l.failed
	l.mu.Unlock()
	switch {
	case st == ready:
		return one(s.readyEvent(ctx, l)), nil
	case st == starting:
		return log.all(ctx), nil
	case failed != nil:
		return one(failedEvent(failed)), nil
	case st == stopped || st == gone:
		return nil, notRunning
	}
	return nil, &Error{Kind: Invalid, Message: logName(user.Name, name) + " is not starting...", Hint: "start it first"}
}

func one(e ProgressEvent) iter.Seq[ProgressEvent] {
	return func(yield func(ProgressEvent) bool) { yield(e) }
}

// failedEvent is the event that ends the stream of a failed start.
func failedEvent(e *Error) ProgressEvent {
	message := "Spawn failed: " + cmp.Or(e.Progress, e.Message)
	if e == errCancelled {
		message = e.Message
	}
	return ProgressEvent{Progress: 100, Failed: true, Message: message, HTMLMessage: e.HTMLMessage}
}

func (s *Servers) readyEvent(ctx context.Context, l *liveServer) ProgressEvent {
	u := s.o.Traits.URLs.host(l.userName) + l.url(s)
	e := ProgressEvent{Progress: 100, Ready: true, URL: u, Message: "Server ready at " + u, HTMLMessage: `Server ready at <a href="` + u + `">` + u + `</a>`}
	if s.o.Hooks.ProgressReady == nil {
		return e
	}
	changed, err := s.o.Hooks.ProgressReady(ctx, l.identity(), e)
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "progress_ready_hook failed", "user", l.userName, "server", l.name, "err", err)
		return e
	}
	return changed
}
