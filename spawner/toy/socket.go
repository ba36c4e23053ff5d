package toy

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// echo sends every message back. The browser's Origin must be this host: cookies come with requests from other sites.
func (s *Server) echo(w http.ResponseWriter, r *http.Request, _ *userModel) {
	// The registration comes before the check, so that Run either sees the socket or the socket sees the end.
	s.mu.Lock()
	select {
	case <-s.ending:
		s.mu.Unlock()
		s.fail(w, r, http.StatusServiceUnavailable, "the server is ending")
		return
	default:
	}
	s.sockets.Add(1)
	s.conns++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.conns--
		s.mu.Unlock()
		s.sockets.Done()
	}()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v1.kernel.websocket.jupyter.org"}})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(16 << 20)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context())) // a hijacked request's context says nothing
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.ending:
			// A client that does not answer the close frame gets half a second: the end of ctx closes the connection
			// under the Read below, which CloseNow would not do any more.
			hurry := time.AfterFunc(500*time.Millisecond, cancel)
			_ = conn.Close(websocket.StatusGoingAway, "the server is ending")
			hurry.Stop()
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel()
		<-watched
	}()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		s.touch()
		if err := conn.Write(ctx, kind, message); err != nil {
			return
		}
	}
}
