package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/rbac"
)

const (
	// eventPause is how long changes are collected before the next event: a course that starts makes hundreds of them.
	eventPause = 250 * time.Millisecond
	// eventKeepAlive is how often an idle stream gets a blank line, so that nothing in between closes it.
	eventKeepAlive = 8 * time.Second
	// eventLifetime bounds a stream: the browser asks again, and is let in again only while the login and its rights still hold.
	eventLifetime = 2 * time.Minute
	// maxEventNames is how many users an event names; with more, the page is told to look at everything again.
	maxEventNames = 200
)

// adminEvent is one event of the admin page's stream. Users are those who changed, as far as the viewer may know of them.
type adminEvent struct {
	Users    []string `json:"users"`
	All      bool     `json:"all,omitempty"` // too many to name
	Active   int      `json:"active"`        // servers that run or are about to start or stop
	Spawning int      `json:"spawning"`
}

// adminEvents is GET /hub/admin/events: server-sent events that tell whose servers or account changed. What has changed is asked from the
// REST API, which knows what the viewer may see.
func (s *Site) adminEvents(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), eventLifetime)
	defer cancel()
	id := identity(r)
	follow := s.o.Hub.Servers.Changes().Follow(ctx) // subscribed before the answer begins: what follows it is not missed
	events := make(chan adminEvent)
	go func() {
		defer close(events)
		for names := range follow {
			e, ok := s.adminEvent(ctx, id, names)
			if !ok {
				continue
			}
			select {
			case events <- e:
			case <-ctx.Done():
			}
			select { // the next ones are collected meanwhile
			case <-time.After(eventPause):
			case <-ctx.Done():
			}
		}
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	streamEvents(w, events)
	cancel()
	for range events { // the goroutine ends before the handler does
	}
	return nil
}

// adminEvent is the event about these users; false when the viewer may know of none of them.
func (s *Site) adminEvent(ctx context.Context, id *hub.Identity, names []string) (adminEvent, bool) {
	e := adminEvent{Users: []string{}}
	f, outcome := id.Scopes.ListFilter("list:users", rbac.KindUser, rbac.KindGroup)
	switch {
	case outcome != rbac.Granted:
		return e, false
	case len(names) > maxEventNames:
		e.All = true
	case f.All:
		e.Users = names
	default:
		for _, name := range names {
			if ok, err := s.o.Hub.Access.Holds(ctx, id, s.o.Hub.Access.OnUser(ctx, name), "list:users"); err == nil && ok {
				e.Users = append(e.Users, name)
			}
		}
	}
	e.Spawning, e.Active = s.o.Hub.Servers.Counts()
	return e, e.All || len(e.Users) > 0
}

// streamEvents writes events until there are no more or nobody listens.
func streamEvents(w http.ResponseWriter, events <-chan adminEvent) {
	flush := http.NewResponseController(w)
	t := time.NewTicker(eventKeepAlive)
	defer t.Stop()
	line := []byte("retry: 2000\n\n")
	for {
		if _, err := w.Write(line); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			data, _ := json.Marshal(e) // strings, flags and numbers always encode
			line = append(append([]byte("data: "), data...), "\n\n"...)
		case <-t.C:
			line = []byte("\n\n")
		}
	}
}

var _ httpmw.Handler = (*Site)(nil).adminEvents
