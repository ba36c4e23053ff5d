package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

var errDraining = errors.New("the proxy is shutting down")

// upgrades keeps the upgraded connections. net/http forgets them once they are hijacked.
type upgrades struct {
	mu       sync.Mutex
	conns    map[*upgraded]struct{}
	draining bool
	buffers  *buffers
	done     chan struct{} // gets a value when draining and the last connection has ended
}

// upgraded is the backend's side of an upgraded connection. Bytes in either direction pass through it.
type upgraded struct {
	io.ReadWriteCloser
	owner *upgrades
	route *entry
	once  sync.Once
}

// track replaces the body of a 101 response by one that records activity and can be closed by shutdown. Whether the protocol
// is the one asked for is checked by ReverseProxy after it; call.end closes what it refuses.
func (u *upgrades) track(res *http.Response, c *call) error {
	rwc, ok := res.Body.(io.ReadWriteCloser)
	if !ok {
		return errors.New("backend switched protocols on a connection that cannot be written to")
	}
	up := &upgraded{ReadWriteCloser: rwc, owner: u, route: c.route}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.draining {
		return errDraining // ReverseProxy closes the body
	}
	u.conns[up] = struct{}{}
	c.upgrade, res.Body = up, up
	if cw, ok := rwc.(closeWriter); ok {
		res.Body = &halfClosing{up, cw}
	}
	return nil
}

func (u *upgrades) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.conns)
}

func (u *upgrades) remove(c *upgraded) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, c)
	if u.draining && len(u.conns) == 0 {
		select {
		case u.done <- struct{}{}:
		default:
		}
	}
}

func (u *upgrades) shutdown(ctx context.Context) error {
	u.mu.Lock()
	u.draining = true
	n := len(u.conns)
	u.mu.Unlock()
	if n == 0 {
		return nil
	}
	select {
	case <-u.done:
		return nil
	case <-ctx.Done():
	}
	u.mu.Lock()
	left := make([]*upgraded, 0, len(u.conns))
	for c := range u.conns {
		left = append(left, c)
	}
	u.mu.Unlock()
	for _, c := range left {
		_ = c.Close() // ends both copies, and with them the client's side
	}
	return ctx.Err()
}

// Read passes bytes from the backend to the client.
func (c *upgraded) Read(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(p)
	if n > 0 {
		c.route.touch(time.Now())
	}
	return n, err
}

// Write passes bytes from the client to the backend.
func (c *upgraded) Write(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Write(p)
	if n > 0 {
		c.route.touch(time.Now())
	}
	return n, err
}

// WriteTo passes on all that the backend sends; io.Copy, which ReverseProxy uses, prefers it to a buffer of its own.
func (c *upgraded) WriteTo(w io.Writer) (int64, error) {
	return relay(w, c.Read, c.owner.buffers)
}

// ReadFrom passes on all that the client sends.
func (c *upgraded) ReadFrom(r io.Reader) (int64, error) {
	return relay(writerFunc(c.Write), r.Read, c.owner.buffers)
}

type writerFunc func([]byte) (int, error)

// Write calls the function.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// idleBuffer is what a connection holds while it waits, in each direction: most of thousands of WebSockets say nothing most of the time.
const idleBuffer = 2 << 10

// relay copies until the end of what is read. It waits with a small buffer, and takes a large one from the pool only for as long as there
// is more to read than fits.
func relay(w io.Writer, read func([]byte) (int, error), pool *buffers) (total int64, err error) {
	small := make([]byte, idleBuffer)
	var large []byte
	defer func() {
		if large != nil {
			pool.Put(large)
		}
	}()
	for {
		room := small
		if large != nil {
			room = large
		}
		n, readErr := read(room)
		if n > 0 {
			written, err := w.Write(room[:n])
			total += int64(written)
			if err == nil && written < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return total, err
			}
		}
		if readErr == io.EOF {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
		switch {
		case n == len(small) && large == nil:
			large = pool.Get()
		case n <= len(small) && large != nil:
			pool.Put(large)
			large = nil
		}
	}
}

// Close ends the connection; ReverseProxy calls it on every way out.
func (c *upgraded) Close() error {
	c.once.Do(func() { c.owner.remove(c) })
	return c.ReadWriteCloser.Close()
}

type closeWriter interface{ CloseWrite() error }

// halfClosing passes on that one side has finished sending, for protocols that need it.
type halfClosing struct {
	*upgraded
	closeWriter
}

var (
	_ io.WriterTo   = (*upgraded)(nil)
	_ io.ReaderFrom = (*upgraded)(nil)
)
