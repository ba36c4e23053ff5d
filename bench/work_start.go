package main

import (
	"fmt"
	"net/http"
	"time"
)

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// starts measures from start to the first answer, with an empty database.
func starts(s *session) error {
	for _, form := range []struct {
		key  string
		json bool
	}{{startJSON, s.subject.json}, {startPy, false}} {
		if !s.o.wanted(form.key) {
			continue
		}
		if form.key == startPy && !s.subject.json { // the same for this hub
			s.out[startPy] = s.out[startJSON]
			continue
		}
		for range s.o.rounds {
			r, err := s.subject.start(s.dir, "", s.peers.program, form.json)
			if err != nil {
				return err
			}
			s.add(form.key, milliseconds(r.took))
			r.stop()
		}
	}
	return nil
}

// restarts measures the start with a filled database, and how long it takes until every running server answers.
func restarts(s *session) error {
	for range s.o.rounds {
		if err := s.start(s.stock.path); err != nil {
			return err
		}
		s.add(restart, milliseconds(s.hub.took))
		took := time.Since(s.hub.begin)
		s.add(adopted, milliseconds(took))
		s.stop()
		if took > 10*time.Second {
			break
		}
	}
	return nil
}

// awaitServers waits until all running servers answer through the proxy.
func (s *session) awaitServers() error {
	l := &lane{addr: s.hub.addr}
	defer l.close()
	for i := range s.stock.processes {
		q := request(http.MethodGet, "/user/"+userName(i)+"/api", "", "", "")
		err := within(startWithin, fmt.Sprintf("server of %s answers through the proxy", userName(i)), func() (bool, error) {
			status, err := l.do(q)
			return err == nil && status == http.StatusOK, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// memoryRow reads the memory of hub and proxy, some time after the start.
func memoryRow(key string) func(*session) error {
	return func(s *session) error {
		time.Sleep(s.o.pause())
		s.add(key, float64(memoryOf(s.hub.pids()))/(1<<20))
		return nil
	}
}
