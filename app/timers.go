package app

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// timers are the hub's periodic work; stop ends it and waits.
type timers struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newTimers() *timers {
	ctx, cancel := context.WithCancel(context.Background())
	return &timers{ctx: ctx, cancel: cancel}
}

func (t *timers) run(f func(ctx context.Context)) {
	t.wg.Add(1)
	go func() { defer t.wg.Done(); f(t.ctx) }()
}

func (t *timers) every(d time.Duration, f func(ctx context.Context)) {
	t.run(func(ctx context.Context) {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			f(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

func (t *timers) stop(context.Context) error {
	t.cancel()
	t.wg.Wait()
	return nil
}

func (a *App) startTimers(t *timers) {
	h, c := &a.cfg.JupyterHub, a.core
	if n := h.LastActivityInterval; n > 0 {
		t.run(func(ctx context.Context) { c.routes.run(ctx, seconds(n)) })
	}
	if n := h.ServiceCheckInterval; n > 0 {
		t.run(func(ctx context.Context) { c.services.Watch(ctx, seconds(n)) })
	}
	t.every(purgeInterval, func(ctx context.Context) {
		if err := c.tokens.PurgeExpired(ctx); err != nil && ctx.Err() == nil {
			a.o.Logger.ErrorContext(ctx, "expired rows could not be deleted", "err", err)
		}
	})
	if p := &a.cfg.PeriodicMetricsCollector; p.ActiveUsersEnabled && p.ActiveUsersUpdateInterval > 0 {
		t.every(seconds(p.ActiveUsersUpdateInterval), a.countActiveUsers)
	}
}

func (a *App) countActiveUsers(ctx context.Context) {
	for period, d := range map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour} {
		n, err := a.store.CountActiveUsers(ctx, time.Now().Add(-d))
		if err != nil {
			if ctx.Err() == nil {
				a.o.Logger.ErrorContext(ctx, "active users could not be counted", "err", err)
			}
			return
		}
		a.metrics.SetActiveUsers(period, n)
	}
}

// writePID writes JupyterHub.pid_file.
func (a *App) writePID(context.Context) error {
	if a.cfg.JupyterHub.PIDFile == "" {
		return nil
	}
	if err := os.WriteFile(a.cfg.JupyterHub.PIDFile, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return fmt.Errorf("JupyterHub.pid_file: %w", err)
	}
	return nil
}

func (a *App) removePID(context.Context) error {
	if a.cfg.JupyterHub.PIDFile == "" {
		return nil
	}
	return os.Remove(a.cfg.JupyterHub.PIDFile)
}

// buckets reads histogram buckets from the environment: comma-separated seconds, inf allowed at the end. What cannot be read is ignored with a warning.
func (a *App) buckets(name string) []float64 {
	text, ok := a.o.LookupEnv(name)
	if !ok || text == "" {
		return nil
	}
	var out []float64
	for part := range strings.SplitSeq(text, ",") {
		f, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || len(out) > 0 && f <= out[len(out)-1] {
			a.o.Logger.Warn(name + " must be increasing numbers separated by commas; using the default buckets")
			return nil
		}
		if !math.IsInf(f, 1) {
			out = append(out, f)
		}
	}
	return out
}
