package trace

import (
	"cmp"
	"slices"
	"sync"
)

// DefaultLimit is how many requests a Recorder keeps when nobody says.
const DefaultLimit = 2000

// Recorder keeps the latest requests. Safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	limit    int
	last     int64
	ring     []Request         // oldest first
	sessions map[string]string // user by mark of the browser's session
	watchers map[chan struct{}]bool
}

// NewRecorder returns a Recorder of at most limit requests; 0 is DefaultLimit.
func NewRecorder(limit int) *Recorder {
	return &Recorder{limit: cmp.Or(limit, DefaultLimit), sessions: map[string]string{}, watchers: map[chan struct{}]bool{}}
}

// Begin records a request that is not answered yet, and gives it its ID.
func (c *Recorder) Begin(r Request) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	r.ID = c.last
	if len(c.ring) >= c.limit {
		c.ring = slices.Delete(c.ring, 0, len(c.ring)-c.limit+1)
	}
	c.ring = append(c.ring, r)
	c.tell()
	return r.ID
}

// End replaces a request by what is known of it now. One that is no longer kept is dropped.
func (c *Recorder) End(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.find(r.ID); ok {
		c.ring[i] = r
		c.tell()
	}
}

// Drop forgets a request, which turned out to be nobody's business.
func (c *Recorder) Drop(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.find(id); ok {
		c.ring = slices.Delete(c.ring, i, i+1)
	}
}

func (c *Recorder) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(c.ring, id, func(r Request, id int64) int { return cmp.Compare(r.ID, id) })
}

// Get returns one request.
func (c *Recorder) Get(id int64) (Request, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.find(id); ok {
		return c.ring[i], true
	}
	return Request{}, false
}

// All returns what is kept, oldest first.
func (c *Recorder) All() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ring)
}

// Clear forgets everything; IDs go on counting.
func (c *Recorder) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring = nil
	c.tell()
}

// Session remembers whose browser session a mark is, and returns what is known when user is "".
func (c *Recorder) Session(mark, user string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mark != "" && user != "" {
		if len(c.sessions) >= c.limit {
			clear(c.sessions)
		}
		c.sessions[mark] = user
	}
	return c.sessions[mark]
}

// Watch returns a channel that holds a value whenever something has changed since it was read last. The caller ends it with stop.
func (c *Recorder) Watch() (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[ch] = true
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, ch)
	}
}

// Touch tells the watchers that something else has changed that pages show.
func (c *Recorder) Touch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell()
}

func (c *Recorder) tell() {
	for ch := range c.watchers {
		select {
		case ch <- struct{}{}:
		default: // it has not read the last one yet
		}
	}
}
