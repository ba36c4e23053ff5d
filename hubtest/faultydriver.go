package hubtest

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/minihub/minihub/spawner"
)

// faultyDriver puts the faults of starts around a driver.
type faultyDriver struct {
	spawner.Driver
	f     *faults
	never func() string // URL of a server that is never ready
}

// portsDriver is faultyDriver for drivers that choose ports, which are those of processes.
type portsDriver struct {
	faultyDriver
	spawner.PortPicker
}

func (f *faults) driver(inner spawner.Driver) spawner.Driver {
	d := faultyDriver{Driver: inner, f: f, never: sync.OnceValue(neverReady)}
	if p, ok := inner.(spawner.PortPicker); ok {
		return portsDriver{d, p}
	}
	return d
}

// neverReady is a server that answers 503 to everything, as long as the process lives.
func neverReady() string {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })).URL
}

// New implements spawner.Driver.
func (d faultyDriver) New(id spawner.Identity) spawner.Spawner {
	return &faultySpawner{Spawner: d.Driver.New(id), id: id, d: d}
}

// Close implements io.Closer, for drivers that are one.
func (d faultyDriver) Close() error {
	if c, ok := d.Driver.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// StopOrphans implements spawner.Orphans, for drivers that are one.
func (d faultyDriver) StopOrphans(ctx context.Context, hubID string, known map[string]bool) ([]string, error) {
	if o, ok := d.Driver.(spawner.Orphans); ok {
		return o.StopOrphans(ctx, hubID, known)
	}
	return nil, nil
}

// faultySpawner is a spawner whose starts may go wrong.
type faultySpawner struct {
	spawner.Spawner
	id spawner.Identity
	d  faultyDriver
}

// Start implements spawner.Spawner.
func (s *faultySpawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	fault := s.d.f.forStart(s.id.UserName)
	if fault == nil {
		return s.Spawner.Start(ctx, req)
	}
	if !wait(ctx, fault.Slow) {
		return "", ctx.Err()
	}
	if fault.Fail != "" {
		return "", errors.New(fault.Fail)
	}
	url, err := s.Spawner.Start(ctx, req)
	if err != nil {
		return "", err
	}
	if fault.DieAfter > 0 {
		time.AfterFunc(fault.DieAfter, func() { _ = s.Spawner.Stop(context.WithoutCancel(ctx), true) }) // the hub finds it gone
	}
	if fault.NeverReady {
		url = s.d.never()
	}
	return url, nil
}

// Progress implements spawner.Progresser.
func (s *faultySpawner) Progress(ctx context.Context) iter.Seq[spawner.Event] {
	if p, ok := s.Spawner.(spawner.Progresser); ok {
		return p.Progress(ctx)
	}
	return func(yield func(spawner.Event) bool) {
		yield(spawner.Event{Progress: 50, Message: "Spawning server..."})
	}
}

// Diagnose implements spawner.Diagnoser.
func (s *faultySpawner) Diagnose(ctx context.Context) spawner.Diagnosis {
	if d, ok := s.Spawner.(spawner.Diagnoser); ok {
		return d.Diagnose(ctx)
	}
	return spawner.Diagnosis{}
}

// DeleteForever implements spawner.ForeverDeleter.
func (s *faultySpawner) DeleteForever(ctx context.Context) error {
	if d, ok := s.Spawner.(spawner.ForeverDeleter); ok {
		return d.DeleteForever(ctx)
	}
	return nil
}

// Rename implements spawner.Renamer.
func (s *faultySpawner) Rename(ctx context.Context, name string) error {
	if r, ok := s.Spawner.(spawner.Renamer); ok {
		return r.Rename(ctx, name)
	}
	return nil
}

// wait tells whether the time went by before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var (
	_ spawner.Driver         = portsDriver{}
	_ spawner.Orphans        = faultyDriver{}
	_ spawner.Progresser     = (*faultySpawner)(nil)
	_ spawner.Diagnoser      = (*faultySpawner)(nil)
	_ spawner.ForeverDeleter = (*faultySpawner)(nil)
	_ spawner.Renamer        = (*faultySpawner)(nil)
)
