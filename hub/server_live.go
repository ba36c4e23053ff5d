package hub

import (
	"context"
	"sync"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// stage is where a live server is; exactly one owner changes it, under liveServer.mu.
type stage int

const (
	stopped  stage = iota
	starting       // pending "spawn"
	ready
	stopping // pending "stop"; also while its row is deleted
	checking // pending "check": after a hub restart
	renaming // pending "rename"
	gone     // no longer in the registry: whoever still holds the object must ask for the new one
)

func (st stage) pending() string {
	return [...]string{"", "spawn", "", "stop", "check", "rename", ""}[st]
}

// outcome is how something that takes long ended.
type outcome struct {
	done chan struct{}
	err  error // valid once done is closed
	died bool  // nobody asked for this stop: the server was found dead
}

// liveServer is the in-memory side of one server. Names never change: a renamed server or user gets another object. mu guards
// the fields below it and is never held across I/O.
type liveServer struct {
	userID   int64
	userName string
	changed  func() // tells Servers.Changes; never waits
	spawnID  int64  // spawners.id
	name     string

	mu       sync.Mutex
	stage    stage
	busy     *outcome                // of the start, stop, check or rename in progress
	cancel   context.CancelCauseFunc // ends the start or check in progress
	admitted bool                    // the start in progress passed the limits
	sp       spawner.Spawner
	addr     *orm.Server // never changed once set here
	routed   string      // routespec of the proxy's route, "" when there is none
	hooked   bool        // pre-start hooks ran, so those after the stop must run too
	failed   *Error
	diag     *spawner.Diagnosis
	stopPoll context.CancelFunc
	progress *progressLog
}

func (l *liveServer) identity() spawner.Identity {
	return spawner.Identity{UserName: l.userName, ServerName: l.name}
}

// claim makes the caller the owner of the server until settle; l.mu is held.
func (l *liveServer) claim(to stage) *outcome {
	l.stage, l.busy = to, &outcome{done: make(chan struct{})}
	l.changed()
	return l.busy
}

// settle ends a claim.
func (l *liveServer) settle(out *outcome, to stage, err error) {
	l.mu.Lock()
	l.stage, l.busy, l.cancel, l.admitted = to, nil, nil, false
	out.err = err
	l.mu.Unlock()
	l.changed()
	close(out.done)
}

// retire makes an idle object unusable; false when the server is busy or runs.
func (l *liveServer) retire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage == stopped {
		l.stage = gone
	}
	return l.stage == gone
}

func (l *liveServer) spawner() spawner.Spawner {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sp
}

// logName is how JupyterHub's messages name a server: user, or user:server.
func logName(user, server string) string {
	if server == "" {
		return user
	}
	return user + ":" + server
}
