package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// probing is a process that asks the same from time to time.
type probing struct {
	cmd *exec.Cmd
	end io.Closer // of its standard input, which ends it
	out bytes.Buffer
}

func (s *session) probe(path, token string) (*probing, error) {
	p := &probing{cmd: exec.Command(s.peers.program, "probe", s.hub.addr, path, token)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, os.Stderr
	var err error
	if p.end, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// times ends the probe and returns how long its answers took.
func (p *probing) times() ([]time.Duration, error) {
	_ = p.end.Close()
	if err := p.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	var out []time.Duration
	for line := range bytes.Lines(p.out.Bytes()) {
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, time.Duration(n))
	}
	return out, nil
}

// halfSuffix is behind the keys of medians.
const halfSuffix = "-p50"

// fair measures how long simple requests take while many people log in and many servers start, all at the same moment.
func fair(s *session) error {
	for range s.o.rounds {
		begin := time.Now()
		err := s.busy()
		took := time.Since(begin)
		if err := errors.Join(err, s.stopAll(s.firstStopped())); err != nil {
			return err
		}
		if took > 10*time.Second {
			break
		}
	}
	return nil
}

// busy makes the load once and asks meanwhile.
func (s *session) busy() error {
	api, err := s.probe("/hub/api/user", s.stock.tokens[0])
	if err != nil {
		return err
	}
	proxy, err := s.probe("/user/"+userName(0)+"/small", "none")
	if err != nil {
		return err
	}
	err = s.crowd()
	for _, p := range []struct {
		key string
		*probing
	}{{fairAPI, api}, {fairProxy, proxy}} {
		times, bad := p.times()
		if err == nil {
			err = bad
		}
		slices.Sort(times)
		r := result{times: times}
		s.add(p.key, milliseconds(r.quantile(0.99)))
		s.add(p.key+halfSuffix, milliseconds(r.quantile(0.5)))
	}
	return err
}

// crowd logs people in and starts servers, and returns when all is done.
func (s *session) crowd() error {
	var all sync.WaitGroup
	errs := make([]error, s.o.logins+1)
	for i := range s.o.logins {
		all.Go(func() {
			l := &lane{addr: s.hub.addr}
			defer l.close()
			errs[i] = logIn(l, userName((i*17+1)%s.stock.users))
		})
	}
	all.Go(func() { errs[s.o.logins] = s.spawnAll(s.firstStopped()) })
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
