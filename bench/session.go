package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"
)

// figures are measurements by the key of their row, in its unit.
type figures map[string][]float64

// session measures one hub.
type session struct {
	o       options
	subject subject
	dir     string
	stock   *stock
	peers   *peers
	hub     *running // for scenarios that want one
	pids    []int    // of hub and proxy
	out     figures
	failed  []error  // of scenarios, which do not end the run
	gaveUp  []string // their rows
}

// wanted says whether any of the rows is to be measured.
func (s *session) wanted(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return s.o.wanted(key) })
}

func (s *session) add(key string, v float64) {
	if s.o.wanted(key) {
		s.out[key] = append(s.out[key], v)
	}
}

// all takes all figures and returns what went wrong, which is no reason to throw the other figures away.
func (s *session) all() []error {
	if err := s.measure(); err != nil && len(s.failed) == 0 {
		s.failed = append(s.failed, fmt.Errorf("%s: %w", s.subject.name, err))
		fmt.Fprintln(os.Stderr, "bench: failed:", s.failed[0])
	}
	return s.failed
}

// measure takes all figures of one hub.
func (s *session) measure() error {
	for _, sc := range onStart {
		if err := s.scenario(sc); err != nil {
			return err
		}
	}
	if err := s.with("", onEmpty); err != nil {
		return err
	}
	return s.with(s.stock.path, onFull)
}

// with runs scenarios on one hub.
func (s *session) with(database string, list []scenario) error {
	if !slices.ContainsFunc(list, func(sc scenario) bool { return s.wanted(sc.keys...) }) {
		return nil
	}
	if err := s.start(database); err != nil {
		return err
	}
	defer s.stop()
	for _, sc := range list {
		if err := s.scenario(sc); err != nil {
			return err
		}
	}
	return nil
}

// start starts the hub that scenarios use, and waits until it has taken over all running servers.
func (s *session) start(database string) error {
	hub, err := s.subject.start(s.dir, database, s.peers.program, s.subject.json)
	if err != nil {
		return err
	}
	s.hub, s.pids = hub, hub.pids()
	if database != "" {
		return s.awaitServers()
	}
	return nil
}

func (s *session) stop() {
	s.hub.stop()
	s.hub = nil
	_ = os.RemoveAll(s.dir)
}

func (s *session) scenario(sc scenario) error {
	if !s.wanted(sc.keys...) {
		return nil
	}
	begin := time.Now()
	if err := sc.run(s); err != nil {
		err = fmt.Errorf("%s: %v: %w", s.subject.name, sc.keys, err)
		fmt.Fprintln(os.Stderr, "bench: failed:", err)
		s.failed = append(s.failed, err)
		s.gaveUp = append(s.gaveUp, sc.keys...)
		if s.hub == nil { // it does not even start
			return err
		}
		return nil
	}
	for _, key := range sc.keys {
		if v := s.out[key]; len(v) > 0 {
			fmt.Fprintf(os.Stderr, "bench: %s: %s: %s %s\n", s.subject.name, key, span(v), find(key).unit)
		}
	}
	if s.o.verbose {
		fmt.Fprintf(os.Stderr, "bench: %v took %s\n", sc.keys, time.Since(begin).Round(time.Millisecond))
	}
	return nil
}

// rounds measures a rate several times, once when that alone takes very long.
func (s *session) rounds(key string, w load, scale float64) error {
	w.addr, w.lasts = s.hub.addr, s.o.length()
	if w.lanes == 0 {
		w.lanes = s.o.connections
	}
	warm := w
	warm.lasts = 0
	if key != makeBulk { // one each, not measured: caches, connections
		if _, err := warm.run(); err != nil {
			return err
		}
	}
	for range s.o.rounds {
		r, err := w.run()
		if err != nil {
			return err
		}
		s.add(key, r.rate*scale)
		if r.took > 2*w.lasts+time.Second {
			break
		}
	}
	return nil
}

func find(key string) row {
	return rows[slices.IndexFunc(rows, func(r row) bool { return r.key == key })]
}

// options of one run.
type options struct {
	minihub, jupyterhub, chp, nginx  string
	seconds, settle                  float64
	rounds, connections              int
	only, skip                       *regexp.Regexp
	markdown                         string
	growth, verbose                  bool
	users, servers, tokens, senders  int
	spawns, fewer, idleSockets, idle int
	logins                           int
}

func (o *options) length() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }

// pause is how long a hub is left alone before its memory is read.
func (o *options) pause() time.Duration { return time.Duration(o.settle * float64(time.Second)) }

func (o *options) wanted(key string) bool {
	if o.only != nil && !o.only.MatchString(key) {
		return false
	}
	return o.skip == nil || !o.skip.MatchString(key)
}

func (o *options) sizes() sizes {
	return sizes{users: o.users, servers: o.servers, rows: min(o.senders, o.users), tokens: min(o.tokens, o.users)}
}
