package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/internal/supervise"
)

// Start routes every service and starts the managed ones, one after the other in the order of their creation. A managed service that
// does not start, or does not answer at its url in time, is an error that names it; the others are stopped then. An external service
// that does not answer is only logged, later.
func (s *Services) Start(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for _, sv := range s.all() {
		if err := s.startOne(ctx, sv); err != nil {
			err = fmt.Errorf("start service %s: %w", sv.def.Row.Name, err)
			return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// leftoverGrace is how long services of a hub that was killed have after TERM.
const leftoverGrace = 5 * time.Second

// prepare ends what a killed hub left behind.
func (s *Services) prepare(ctx context.Context) error {
	id, err := s.o.Store.HubID(ctx)
	if err != nil {
		return fmt.Errorf("start services: %w", err)
	}
	s.mu.Lock()
	s.hubID = id
	s.mu.Unlock()
	if s.o.FirstRun {
		return nil
	}
	stopped, err := supervise.StopMarked(ctx, id, leftoverGrace, func(m supervise.Marked) bool {
		return m.Marker == "" && m.Env["JUPYTERHUB_SERVICE_NAME"] != ""
	})
	for _, m := range stopped {
		s.o.Logger.WarnContext(ctx, "stopped a service that an earlier hub left running", "service", m.Env["JUPYTERHUB_SERVICE_NAME"], "pid", m.PID)
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("stop services that an earlier hub left running: %w", err)
	}
	return nil
}

func (s *Services) startOne(ctx context.Context, sv *service) error {
	if sv.super != nil {
		if err := sv.super.Start(ctx); err != nil {
			return fmt.Errorf("%w; see command, user and cwd of its definition in JupyterHub.services", err)
		}
	}
	if err := s.route(ctx, sv); err != nil {
		return fmt.Errorf("add its route: %w", err)
	}
	switch {
	case sv.def.Addr == nil:
		return nil
	case sv.super == nil:
		s.watchExternal(ctx, sv)
		return nil
	}
	err := s.waitUp(ctx, sv, func(context.Context) error { return sv.lastEnd() })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("wait for it at %s: %w", target(sv.def.Addr), context.Cause(ctx))
	case sv.lastEnd() != nil:
		return fmt.Errorf("%w; it has to stay and to answer at %s", sv.lastEnd(), target(sv.def.Addr))
	}
	return fmt.Errorf("it does not answer at %s: %w; raise its timeout when it only needs longer%s", target(sv.def.Addr), err, lastLines(sv.super.Status().LogTail))
}

// lastEnd tells how the process ended last, nil when it never did.
func (sv *service) lastEnd() error {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.ended
}

// shownLines is how much of a log an error repeats.
const shownLines = 5

func lastLines(tail []string) string {
	text := ""
	for _, line := range tail[max(0, len(tail)-shownLines):] {
		text += "\n\t" + line
	}
	if text == "" {
		return ""
	}
	return "; its last output:" + text
}

// watchExternal looks in the background whether a service that somebody else runs is there.
func (s *Services) watchExternal(ctx context.Context, sv *service) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.mu.Lock()
	before := s.cancel
	s.cancel = func() {
		cancel()
		if before != nil {
			before()
		}
	}
	s.mu.Unlock()
	s.wg.Go(func() {
		defer cancel()
		if err := s.waitUp(ctx, sv, anyway); err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "external service does not answer", "service", sv.def.Row.Name, "url", target(sv.def.Addr), "err", err)
		}
	})
}

// Stop stops the managed services one after the other with INT, TERM and KILL, in the order in which they were started, and waits for
// everything in the background. It may be called before Start, and again.
func (s *Services) Stop(ctx context.Context) error {
	s.mu.Lock()
	cancel := s.cancel
	s.cancel = nil
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	var errs []error
	for _, sv := range s.all() {
		if sv.super != nil {
			errs = append(errs, sv.super.Stop(ctx))
		}
	}
	s.wg.Wait()
	return errors.Join(errs...)
}

// Watch logs, at every interval until ctx ends, which services with a url do not answer (service_check_interval).
func (s *Services) Watch(ctx context.Context, interval time.Duration) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, sv := range s.all() {
			if sv.def.Addr == nil {
				continue
			}
			if err := s.probe(ctx, sv, checkTimeout, anyway); err != nil && ctx.Err() == nil {
				s.o.Logger.ErrorContext(ctx, "service does not answer", "service", sv.def.Row.Name, "url", target(sv.def.Addr), "err", err)
			}
		}
	}
}
