package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Marked is a running process found by its environment.
type Marked struct {
	Identity
	Group int // process group
	Env   Environ
}

// FindMarked returns the running processes whose environment has MINIHUB_HUB_ID=hubID, except for this one. It reads
// what it may: all processes as root, else those of the same user. It returns errors.ErrUnsupported without /proc.
func FindMarked(ctx context.Context, hubID string) ([]Marked, error) {
	if hubID == "" {
		return nil, errors.New("find processes of this hub: the hub id is empty")
	}
	pids, err := allPIDs()
	if err != nil {
		return nil, err
	}
	var found []Marked
	for _, pid := range pids {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("find processes of this hub: %w", context.Cause(ctx))
		}
		env, err := ReadEnviron(pid)
		if err != nil || env[EnvHubID] != hubID || pid == os.Getpid() {
			continue // gone, not readable, or not ours
		}
		id, alive, err := inspect(pid)
		if err != nil || !alive {
			continue
		}
		id.Marker = env[EnvMarker]
		found = append(found, Marked{Identity: id, Group: processGroup(pid), Env: env})
	}
	return found, nil
}

// StopMarked ends the processes of this hub for which match says so: TERM to each, KILL after grace to those that are
// left. Each is signalled by itself, through a handle verified to be the process that was found; a process without the
// hub's id in its environment is never touched. It returns what it found, and an error for what could not be ended.
func StopMarked(ctx context.Context, hubID string, grace time.Duration, match func(Marked) bool) ([]Marked, error) {
	all, err := FindMarked(ctx, hubID)
	if err != nil {
		return nil, err
	}
	var stopped []Marked
	var handles []*Process
	defer func() {
		for _, p := range handles {
			p.Close()
		}
	}()
	for _, m := range all {
		if !match(m) {
			continue
		}
		p, err := Adopt(m.Identity, AdoptOptions{})
		if err != nil {
			continue // ended meanwhile
		}
		p.sys.alone()
		stopped, handles = append(stopped, m), append(handles, p)
	}
	return stopped, stopAll(ctx, handles, grace)
}

func stopAll(ctx context.Context, all []*Process, grace time.Duration) error {
	var errs []error
	for _, p := range all {
		if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, ErrGone) {
			errs = append(errs, err)
		}
	}
	deadline := time.Now().Add(grace)
	for _, p := range all {
		timer := time.NewTimer(time.Until(deadline))
		select {
		case <-p.Done():
		case <-ctx.Done():
		case <-timer.C:
			errs = append(errs, p.Stop(ctx, StopTimeouts{}))
		}
		timer.Stop()
	}
	if ctx.Err() != nil {
		errs = append(errs, fmt.Errorf("stop processes of this hub: %w", context.Cause(ctx)))
	}
	return errors.Join(errs...)
}
