package toy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/spawner/toy"
)

func faulty(t *testing.T, options map[string]any) (spawner.Spawner, spawner.Request) {
	t.Helper()
	driver := toy.New(toy.Options{})
	t.Cleanup(func() { _ = driver.Close() })
	req := spawnertest.Request(t, driver, alice)
	req.UserOptions = map[string]any{"toy": options}
	return driver.New(alice), req
}

func TestFaults(t *testing.T) {
	ctx := t.Context()
	t.Run("start delay", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"start_delay": 0.05})
		began := time.Now()
		if _, err := sp.Start(ctx, req); err != nil || time.Since(began) < 50*time.Millisecond {
			t.Errorf("took %v, %v", time.Since(began), err)
		}
	})
	t.Run("start timeout", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"start_delay": 3600})
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if _, err := sp.Start(short, req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("start: %v", err)
		}
	})
	t.Run("stop ends a slow start", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"start_delay": []any{"3600"}})
		failed := make(chan error, 1)
		go func() {
			_, err := sp.Start(ctx, req)
			failed <- err
		}()
		eventually(t, "the start runs", func() bool { exit, _ := sp.Poll(ctx); return exit == nil })
		if err := sp.Stop(ctx, false); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("start: %v", err)
		}
	})
	t.Run("fail", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"fail": "no room"})
		if _, err := sp.Start(ctx, req); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Errorf("start: %v", err)
		}
		if d := sp.(spawner.Diagnoser).Diagnose(ctx); d.Cause != "no room" {
			t.Errorf("diagnosis %+v", d)
		}
	})
	t.Run("never ready", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"never_ready": "true"})
		url, err := sp.Start(ctx, req)
		if err != nil || spawnertest.Answers(url+req.BaseURL+"api") {
			t.Errorf("ready, %v", err)
		}
	})
	t.Run("die", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"die_after": 0.01})
		if _, err := sp.Start(ctx, req); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the death", func() bool { exit, _ := sp.Poll(ctx); return exit != nil && exit.Code == 1 })
		if len(sp.State()) != 0 {
			t.Error("a dead server has a state")
		}
	})
	t.Run("stop delay", func(t *testing.T) {
		sp, req := faulty(t, map[string]any{"stop_delay": 3600})
		if _, err := sp.Start(ctx, req); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if err := sp.Stop(short, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		if exit, _ := sp.Poll(ctx); exit != nil {
			t.Error("ended before its delay")
		}
		if err := sp.Stop(ctx, true); err != nil {
			t.Error(err)
		}
	})
}

func TestFaultsAreChecked(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"unknown":  {"toy": map[string]any{"explode": true}},
		"text":     {"toy": map[string]any{"start_delay": "soon"}},
		"negative": {"toy": map[string]any{"die_after": -1}},
		"bool":     {"toy": map[string]any{"never_ready": "perhaps"}},
		"object":   {"toy": "fast"},
		"list":     {"toy": map[string]any{"stop_delay": []any{}}},
	} {
		sp, req := faulty(t, nil)
		req.UserOptions = options
		if url, err := sp.Start(t.Context(), req); err == nil || !strings.Contains(err.Error(), "toy") {
			t.Errorf("%s: %q, %v; want an error which names the option", name, url, err)
		}
	}
}

func TestProgressTellsAndEnds(t *testing.T) {
	sp, req := faulty(t, map[string]any{"start_delay": 0.02})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan []spawner.Event, 1)
	go func() {
		var events []spawner.Event
		for event := range sp.(spawner.Progresser).Progress(ctx) {
			events = append(events, event)
			if event.Progress == 50 {
				cancel()
			}
		}
		told <- events
	}()
	if _, err := sp.Start(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if events := <-told; len(events) != 2 || events[0].Progress != 10 || !strings.Contains(events[1].Message, "listens at http://127.0.0.1:") {
		t.Errorf("events %+v", events)
	}
}
