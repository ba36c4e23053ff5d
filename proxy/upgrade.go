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
