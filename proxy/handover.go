package proxy

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
)

// serveUpgrade serves a request that wants another protocol. When the client's connection has been taken over, it returns and leaves
// the connection to a goroutine of its own: as long as a handler runs, net/http keeps the buffers and the request of its connection, 10 KiB
// that a WebSocket has no use for.
func (p *Proxy) serveUpgrade(w http.ResponseWriter, r *http.Request, c *call) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context())) // net/http cancels the request's when this returns
	h := &handover{w: w, follow: context.AfterFunc(r.Context(), cancel), taken: make(chan struct{})}
	done := make(chan any, 1)
	go func() {
		defer func() {
			failure := recover()
			cancel()
			if failure != nil && h.w == nil && failure != any(http.ErrAbortHandler) {
				p.log.Error("panic on an upgraded connection", "route", c.route.spec, "panic", failure)
			}
			done <- failure
		}()
		p.forward(h, r.WithContext(ctx), c)
	}()
	select {
	case <-h.taken:
	case failure := <-done:
		h.follow()
		if failure != nil {
			panic(failure) // for net/http, as if it had happened here
		}
	}
}

// handover is a http.ResponseWriter that lets go of the one it stands for when the connection is taken over.
type handover struct {
	w      http.ResponseWriter // nil afterwards
	header http.Header         // of w, afterwards
	follow func() bool         // stops the request's context from cancelling
	taken  chan struct{}
}

var errTaken = errors.New("the connection has been taken over")

// Hijack implements http.Hijacker.
func (h *handover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.w == nil {
		return nil, nil, http.ErrHijacked
	}
	conn, rw, err := http.NewResponseController(h.w).Hijack()
	if err == nil {
		h.header, h.w = h.w.Header(), nil
		h.follow()
		close(h.taken)
	}
	return conn, rw, err
}

// Header implements http.ResponseWriter.
func (h *handover) Header() http.Header {
	if h.w == nil {
		return h.header
	}
	return h.w.Header()
}

// WriteHeader implements http.ResponseWriter.
func (h *handover) WriteHeader(code int) {
	if h.w != nil {
		h.w.WriteHeader(code)
	}
}

// Write implements http.ResponseWriter.
func (h *handover) Write(p []byte) (int, error) {
	if h.w == nil {
		return 0, errTaken
	}
	return h.w.Write(p)
}

// FlushError is what http.ResponseController calls to flush.
func (h *handover) FlushError() error {
	if h.w == nil {
		return errTaken
	}
	return http.NewResponseController(h.w).Flush()
}
