package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// spawns starts servers all at once and waits until the last is ready.
func spawns(s *session) error {
	for range s.o.rounds {
		before, begin := cpuOf(s.pids), time.Now()
		first := s.firstStopped()
		if err := s.spawnAll(first); err != nil {
			return errors.Join(err, s.stopAll(first))
		}
		took, used := time.Since(begin), cpuOf(s.pids)-before
		s.add(spawnRate, float64(s.subject.spawns)/took.Seconds())
		s.add(spawnCPU, max(milliseconds(used), milliseconds(clockTick))/float64(s.subject.spawns))
		if err := s.stopAll(first); err != nil {
			return err
		}
		if took > 10*time.Second {
			break
		}
	}
	return nil
}

// firstStopped is the first of the users whose servers are started: they have none in the database that runs.
func (s *session) firstStopped() int { return s.stock.servers }

// each does something for the users of the spawns at once, on a connection each.
func (s *session) each(first int, do func(l *lane, user string) error) error {
	errs := make([]error, s.subject.spawns)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			l := &lane{addr: s.hub.addr}
			defer l.close()
			errs[i] = do(l, userName(first+i))
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// spawnAll starts the servers and waits until they are ready. A start that fails is repeated and counts: hubs choose free ports that others
// may take before the server does.
func (s *session) spawnAll(first int) error {
	return s.each(first, func(l *lane, user string) error {
		var err error
		for range 3 {
			if err = spawn(l, user); err == nil {
				return nil
			}
			fmt.Fprintf(os.Stderr, "bench: %s: once more: %v\n", s.subject.name, err)
		}
		return err
	})
}

func spawn(l *lane, user string) error {
	status, err := l.do(request(http.MethodPost, "/hub/api/users/"+user+"/server", adminToken, asJSON, "{}"))
	switch {
	case err != nil || status == http.StatusCreated:
		return err
	case status != http.StatusAccepted:
		return fmt.Errorf("%w: start server of %s: status %d", errOdd, user, status)
	}
	return awaitServer(l, user, `"ready":true`, noServers)
}

func (s *session) stopAll(first int) error {
	return s.each(first, func(l *lane, user string) error {
		status, err := l.do(request(http.MethodDelete, "/hub/api/users/"+user+"/server", adminToken, "", ""))
		switch {
		case err != nil || status == http.StatusNoContent:
			return err
		case status != http.StatusAccepted:
			return fmt.Errorf("%w: stop server of %s: status %d", errOdd, user, status)
		}
		return awaitServer(l, user, noServers, "no such text")
	})
}

// noServers is in a user's model without servers.
const noServers = `"servers":{}`

// awaitServer asks for a user until the answer has a text in it; never is a text that says that it will not come.
func awaitServer(l *lane, user, text, never string) error {
	q := request(http.MethodGet, "/hub/api/users/"+user, adminToken, "", "")
	for begin := time.Now(); time.Since(begin) < startWithin; time.Sleep(50 * time.Millisecond) {
		_, body, err := l.ask(q)
		if err != nil {
			return err
		}
		switch body = strings.ReplaceAll(body, " ", ""); {
		case strings.Contains(body, text):
			return nil
		case strings.Contains(body, never):
			return fmt.Errorf("%w: server of %s: %s", errOdd, user, never)
		}
	}
	return fmt.Errorf("%w: server of %s: no %s", errOdd, user, text)
}
