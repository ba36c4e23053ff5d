package hubtest

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// SpawnFault makes starts of servers go wrong. At least one of Slow, Fail, NeverReady and DieAfter must be set.
type SpawnFault struct {
	Slow       time.Duration // the start takes so much longer
	Fail       string        // the start fails with this text
	NeverReady bool          // the server starts, but never answers the hub
	DieAfter   time.Duration // the server ends by itself so long after its start

	User  string // only servers of this user; "": of all
	Times int    // so many starts; 0: all until ClearFaults
}

// APIFault makes requests to the hub's REST API, and to its pages, go wrong.
type APIFault struct {
	Status     int           // the answer, in place of the hub's; 0: the hub's own
	RetryAfter int           // seconds in the header Retry-After of that answer; 0: no header
	Delay      time.Duration // the answer takes so much longer

	Method string // only this method; "": all
	Path   string // only paths that start with it, base_url included; "": all under /hub/api
	Times  int    // so many requests; 0: all until ClearFaults
}

// faults are what was ordered and is not used up.
type faults struct {
	mu     sync.Mutex
	spawn  []SpawnFault
	api    []APIFault
	closed bool // the proxy is down
}

// FailSpawns orders a fault; several are used in the order in which they were ordered.
func (h *Hub) FailSpawns(f SpawnFault) {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.spawn = append(h.faults.spawn, f)
}

// FailAPI orders a fault. Hub.Admin and all others meet it, until it is used up or ClearFaults is called.
func (h *Hub) FailAPI(f APIFault) {
	if f.Path == "" {
		f.Path = strings.TrimPrefix(h.APIURL, strings.TrimRight(h.origin(), "/"))
	}
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.api = append(h.faults.api, f)
}

// ProxyDown closes the hub's public port to everybody, or opens it again. The private port, which servers and services use, stays open.
func (h *Hub) ProxyDown(down bool) {
	h.faults.mu.Lock()
	h.faults.closed = down
	h.faults.mu.Unlock()
	if down {
		h.ports.hangUp()
	}
}

// ClearFaults ends all faults.
func (h *Hub) ClearFaults() {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.spawn, h.faults.api, h.faults.closed = nil, nil, false
}

func (f *faults) down() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// forStart takes the fault of a start, nil when it goes well.
func (f *faults) forStart(user string) *SpawnFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.spawn, func(s *SpawnFault) (bool, *int) { return s.User == "" || s.User == user, &s.Times })
}

func (f *faults) forRequest(r *http.Request) *APIFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.api, func(a *APIFault) (bool, *int) {
		return (a.Method == "" || a.Method == r.Method) && strings.HasPrefix(r.URL.Path, a.Path), &a.Times
	})
}

// take returns the first element that matches, and drops it when its times are used up.
func take[T any](list *[]T, match func(*T) (bool, *int)) *T {
	for i := range *list {
		it := &(*list)[i]
		ok, times := match(it)
		if !ok {
			continue
		}
		found := *it
		if *times--; *times == 0 {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
		} else if *times < 0 {
			*times = 0 // all of them
		}
		return &found
	}
	return nil
}

// wrap puts the faults of requests before the hub.
func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := f.forRequest(r)
		if fault == nil {
			next.ServeHTTP(w, r)
			return
		}
		if !wait(r.Context(), fault.Delay) {
			return
		}
		if fault.Status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		refuse(w, fault.Status, fault.RetryAfter, "ordered by the test")
	})
}
