package main

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// probeEvery is how often a probe asks. Probes do not hurry after a late answer, so the hub decides how long an answer takes, not they.
const probeEvery = 5 * time.Millisecond

// probe asks the same from time to time until done is closed.
type probe struct {
	raw   []byte
	times []time.Duration
	err   error
}

func (p *probe) run(addr string, done <-chan struct{}) {
	l := &lane{addr: addr}
	defer l.close()
	ask, tick := want(http.StatusOK, same(p.raw)), time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		begin := time.Now()
		if p.err = ask(l, 0); p.err != nil {
			return
		}
		p.times = append(p.times, time.Since(begin))
	}
}

// fair measures how long simple requests take while many people log in and many servers start, all at the same moment.
func fair(s *session) error {
	for range s.o.rounds {
		var api, proxy []time.Duration
		took, err := s.busy(&api, &proxy)
		if err != nil {
			return err
		}
		for key, times := range map[string][]time.Duration{fairAPI: api, fairProxy: proxy} {
			slices.Sort(times)
			r := result{times: times}
			s.add(key, milliseconds(r.quantile(0.99)))
			s.add(key+halfSuffix, milliseconds(r.quantile(0.5)))
		}
		if err := s.stopAll(s.firstStopped()); err != nil {
			return err
		}
		if took > 10*time.Second {
			break
		}
	}
	return nil
}

// halfSuffix is behind the keys of medians.
const halfSuffix = "-p50"

// busy makes the load and asks meanwhile.
func (s *session) busy(api, proxy *[]time.Duration) (time.Duration, error) {
	probes := []*probe{}
	for range 2 {
		probes = append(probes, &probe{raw: request(http.MethodGet, "/hub/api/user", s.stock.tokens[0], "", "")}, &probe{raw: backendRequest("small")})
	}
	done := make(chan struct{})
	var asking, working sync.WaitGroup
	for _, p := range probes {
		asking.Go(func() { p.run(s.hub.addr, done) })
	}
	begin := time.Now()
	errs := make([]error, s.o.logins+1)
	for i := range s.o.logins {
		working.Go(func() {
			l := &lane{addr: s.hub.addr}
			defer l.close()
			errs[i] = logIn(l, userName((i*17+1)%s.stock.users))
		})
	}
	working.Go(func() { errs[s.o.logins] = s.spawnAll(s.firstStopped()) })
	working.Wait()
	took := time.Since(begin)
	close(done)
	asking.Wait()
	for i, p := range probes {
		errs = append(errs, p.err)
		if i%2 == 0 {
			*api = append(*api, p.times...)
		} else {
			*proxy = append(*proxy, p.times...)
		}
	}
	for _, err := range errs {
		if err != nil {
			return took, err
		}
	}
	return took, nil
}
