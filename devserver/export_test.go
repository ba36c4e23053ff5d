package devserver

import (
	"io"
	"net"
	"net/http"

	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hubtest"
)

// Parts of the package that only its tests see.
var (
	SplitWords   = splitWords
	Ignored      = ignored
	WatchedRoots = watchedRoots
	Watch        = watch
	OnLoopback   = func(l net.Listener) error { return onLoopback(l) }
	ChooseClass  = chooseSpawner
)

// Hub is the hub below.
func (s *Server) Hub() *hubtest.Hub { return s.hub }

// Requests are what is recorded.
func (s *Server) Requests() []trace.Request { return s.rec.All() }

// PID is the process of a service, 0 when there is none.
func (s *Server) PID(service string) int {
	for _, p := range s.procs {
		if p.def.Name == service && p.super != nil {
			return p.super.Status().PID
		}
	}
	return 0
}

// Unrecorded is a client whose requests nobody sees.
func (s *Server) Unrecorded() *http.Client { return &http.Client{Transport: marked{s.hub.AdminToken}} }

// NewConsole writes lines of parts.
func NewConsole(w io.Writer, colours bool, names ...string) (line func(part, text string), hub io.Writer) {
	c := newConsole(w, colours, names...)
	return c.line, hubWriter{c}
}
