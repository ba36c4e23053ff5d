package spawnertest

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/minihub/minihub/spawner"
)

func (s suite) describes() {
	if name := s.driver.Name(); !strings.Contains(name, ".") || strings.ContainsAny(name, " /") {
		s.Errorf("Name() is %q, want a dotted class path", name)
	}
	for _, name := range s.driver.EnvKeep() {
		if strings.Contains(name, "TOKEN") || strings.Contains(name, "KEY") || strings.Contains(name, "SECRET") {
			s.Errorf("servers inherit %s by default", name)
		}
	}
}

func (s suite) notStarted() {
	sp := s.spawn("")
	s.wantEnded(sp)
	s.stop(sp)
}

func (s suite) lifecycle() {
	sp, url := s.started("named")
	s.wantRunning(sp)
	if len(sp.State()) == 0 {
		s.Error("a running server has no state")
	}
	s.throughText(sp.State())
	s.stop(sp)
	s.wantEnded(sp)
	if Answers(url + "api") {
		s.Error("the server answers after its stop")
	}
	s.stop(sp)
	s.wantEnded(sp)
}

func (s suite) again() {
	sp, _ := s.started("")
	s.stop(sp)
	req := s.opts.Request(s.T, s.driver, s.id(""))
	url, err := sp.Start(s.ctx(), req)
	if err != nil {
		s.Fatalf("second start: %v", err)
	}
	s.eventually("the server answers", func() bool { return Answers(url + req.BaseURL + "api") })
	s.wantRunning(sp)
}

func (s suite) twice() {
	sp, url := s.started("")
	if _, err := sp.Start(s.ctx(), s.opts.Request(s.T, s.driver, s.id(""))); err == nil {
		s.Error("started although it runs")
	}
	s.wantRunning(sp)
	if !Answers(url + "api") {
		s.Error("the refused start ended the server that ran")
	}
}

func (s suite) stopNow() {
	sp, _ := s.started("")
	if err := sp.Stop(s.ctx(), true); err != nil {
		s.Fatalf("stop: %v", err)
	}
	s.wantEnded(sp)
}

func (s suite) stopDuringStart() {
	for range 10 {
		sp := s.spawn("")
		req := s.opts.Request(s.T, s.driver, s.id(""))
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			_, _ = sp.Start(s.ctx(), req)
		}()
		if err := sp.Stop(s.ctx(), true); err != nil {
			s.Fatalf("stop: %v", err)
		}
		select {
		case <-returned:
		case <-time.After(s.opts.Timeout):
			s.Fatal("Start did not return")
		}
		// Stop may have come before Start began; after a second one nothing may run.
		s.stop(sp)
		s.wantEnded(sp)
	}
}

func (s suite) cancelledStart() {
	sp := s.spawn("")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := sp.Start(ctx, s.opts.Request(s.T, s.driver, s.id("")))
	s.stop(sp)
	s.wantEnded(sp)
	if err != nil && !strings.Contains(err.Error(), "context canceled") {
		s.Errorf("start: %v, want the context's error", err)
	}
}

func (s suite) cancelledStop() {
	sp, _ := s.started("")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sp.Stop(ctx, false); err != nil && !strings.Contains(err.Error(), "context canceled") {
		s.Errorf("stop: %v, want the context's error", err)
	}
	s.stop(sp)
	s.wantEnded(sp)
}

func (s suite) failing() {
	if s.opts.Failing == nil {
		s.Skip("Options.Failing is not set")
	}
	sp := s.spawn("")
	_, err := sp.Start(s.ctx(), s.opts.Failing(s.T, s.driver, s.id("")))
	if err == nil {
		s.eventually("the failing server ends", func() bool { return s.poll(sp) != nil })
	}
	if diagnoser, ok := sp.(spawner.Diagnoser); ok {
		if d := diagnoser.Diagnose(s.ctx()); d.Cause == "" || d.WayOut == "" || len(d.LogTail) > 40 {
			s.Errorf("diagnosis %+v, want a cause, a way out, and at most 40 lines", d)
		}
	}
	s.stop(sp)
	s.wantEnded(sp)
	req := s.opts.Request(s.T, s.driver, s.id(""))
	url, err := sp.Start(s.ctx(), req)
	if err != nil {
		s.Fatalf("start after a failure: %v", err)
	}
	s.eventually("the server answers", func() bool { return Answers(url + req.BaseURL + "api") })
}

func (s suite) roundTrip() {
	sp, url := s.started("named")
	before := sp.State()
	state := s.throughText(before)
	if closer, ok := s.driver.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			s.Fatalf("close driver: %v", err)
		}
	}
	s.driver = s.newDriver()
	next := s.spawn("named")
	if err := next.LoadState(s.ctx(), state); err != nil {
		s.Fatalf("load state: %v", err)
	}
	if !s.opts.Adopts {
		s.wantEnded(next)
		s.stop(next)
		return
	}
	s.wantRunning(next)
	if !Answers(url + "api") {
		s.Error("the adopted server does not answer")
	}
	if after := s.throughText(next.State()); !sameState(after, state) {
		s.Errorf("state changed from %v to %v", state, after)
	}
	s.stop(next)
	s.wantEnded(next)
	if Answers(url + "api") {
		s.Error("the adopted server answers after its stop")
	}
	// The state of a server that has ended proves nothing any more.
	late := s.spawn("named")
	if err := late.LoadState(s.ctx(), state); err != nil {
		s.Fatalf("load old state: %v", err)
	}
	s.wantEnded(late)
}

func sameState(a, b spawner.State) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		if b[key] != value {
			return false
		}
	}
	return true
}

func (s suite) strangeStates() {
	// A process that is not a server: it must never be signalled.
	stranger, err := os.StartProcess("/proc/self/exe", append([]string{"stranger"}, ServerCmd(s.T)[1:]...), &os.ProcAttr{Env: []string{"MINIHUB_SPAWNERTEST_WAIT=1"}})
	pids := []any{os.Getpid(), 1}
	if err == nil {
		pids = append(pids, stranger.Pid, strconv.Itoa(stranger.Pid))
		defer func() {
			_ = stranger.Kill()
			_, _ = stranger.Wait()
		}()
	}
	states := []spawner.State{nil, {}, {"pid": nil}, {"pid": "x"}, {"pid": 0}, {"pid": -1}, {"pid": 1e300}, {"pid": []any{1}}, {"x": "y"}}
	for _, pid := range pids {
		states = append(states, spawner.State{"pid": pid}, spawner.State{"pid": pid, "start_time": 1, "boot_id": "x", "marker": "y"})
	}
	for _, state := range states {
		sp := s.spawn("")
		if err := sp.LoadState(s.ctx(), state); err != nil {
			s.Errorf("LoadState(%v): %v", state, err)
		}
		s.wantEnded(sp)
		s.stop(sp)
	}
	if err == nil && stranger.Signal(syscall.Signal(0)) != nil {
		s.Error("the stranger was ended")
	}
}

func (s suite) many() {
	var all sync.WaitGroup
	const servers = 8
	for i := range servers {
		all.Go(func() {
			sp, url := s.started("s" + strconv.Itoa(i))
			s.wantRunning(sp)
			if !Answers(url + "api") {
				s.Errorf("server %d does not answer", i)
			}
			s.stop(sp)
			s.wantEnded(sp)
		})
	}
	all.Wait()
}

func (s suite) concurrent() {
	sp, _ := s.started("")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				s.poll(sp)
				_ = sp.State()
				if diagnoser, ok := sp.(spawner.Diagnoser); ok {
					_ = diagnoser.Diagnose(s.ctx())
				}
			}
		})
	}
	for range 3 {
		all.Go(func() { s.stop(sp) })
	}
	all.Wait()
	s.wantEnded(sp)
}

func (s suite) progress() {
	sp, _ := s.started("")
	progresser := sp.(spawner.Progresser)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	last := 0
	for event := range progresser.Progress(ctx) {
		if event.Progress < last || event.Progress > 100 || event.Message == "" {
			s.Errorf("event %+v after progress %d", event, last)
		}
		last = event.Progress
	}
	if ctx.Err() == nil {
		s.Error("progress ended before its context")
	}
}
