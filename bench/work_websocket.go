package main

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	echoLanes  = 64
	echoLength = 64 // bytes of a message
)

// openSocket makes a lane a WebSocket.
func openSocket(l *lane) error {
	err := l.send(request(http.MethodGet, "/user/"+userName(0)+"/ws", "", "", "", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
	if err != nil {
		return err
	}
	status, _, _, err := l.head()
	if err == nil && status != http.StatusSwitchingProtocols {
		err = fmt.Errorf("%w: WebSocket: status %d", errOdd, status)
	}
	return err
}

// frame is a masked text message (RFC 6455, section 5.2); the mask is zero, as the content.
var frame = append([]byte{0x81, 0x80 | echoLength, 0, 0, 0, 0}, make([]byte, echoLength)...)

// echo sends a message and reads it back, on a connection that it opens at first.
func echo(l *lane, _ int) error {
	if l.conn == nil {
		if err := openSocket(l); err != nil {
			return err
		}
	}
	if err := l.send(frame); err != nil {
		return err
	}
	var answer [2 + echoLength]byte
	if _, err := io.ReadFull(l.r, answer[:]); err != nil {
		return err
	}
	if answer[0] != 0x81 || answer[1] != echoLength {
		return fmt.Errorf("%w: frame %x", errOdd, answer[:2])
	}
	return nil
}

func echoes(s *session) error { return s.rounds(wsRate, load{lanes: echoLanes, at: echo}, 1) }

// socketLimit is how many connections a proxy can hold that has two files open for each and needs some for other work.
func socketLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 100
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // for the processes that we start, too
	return int(min(limit.Cur, 1<<20)-2000) / 2
}

// idleSockets opens many connections that say nothing, and looks at what hub and proxy need for each.
func idleSockets(s *session) error {
	n := s.o.idleSockets
	lanes := make([]*lane, n)
	defer func() {
		for _, l := range lanes {
			if l != nil {
				l.close()
			}
		}
	}()
	before := memoryOf(s.pids)
	var all sync.WaitGroup
	var mu sync.Mutex
	var bad error
	for worker := range 16 {
		all.Go(func() {
			for i := worker; i < n; i += 16 {
				lanes[i] = &lane{addr: s.hub.addr}
				if err := openSocket(lanes[i]); err != nil {
					mu.Lock()
					bad = fmt.Errorf("connection %d of %d: %w", i, n, err)
					mu.Unlock()
					return
				}
				lanes[i].r = nil
			}
		})
	}
	all.Wait()
	if bad != nil {
		return bad
	}
	runtime.GC() // ours, not theirs
	time.Sleep(s.o.pause())
	grown := float64(memoryOf(s.pids)-before) / 1024
	s.add(wsMemory, max(grown, 1)/float64(n))
	return nil
}
