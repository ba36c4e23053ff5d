package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/supervise"
)

// Start routes every service and starts the managed ones, one after the other. A managed service that does not start, or does not
// answer at its url in time, is an error that names it; an external one that does not answer is only logged, later.
func (s *Services) Start(ctx context.Context) error {
	for _, sv := range s.all() {
		if err := s.startOne(ctx, sv); err != nil {
			return fmt.Errorf("service %s: %w", sv.def.Row.Name, err)
		}
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
		return err
	}
	if sv.def.Addr == nil {
		return nil
	}
	if sv.super == nil {
		s.watchExternal(sv)
		return nil
	}
	err := s.waitUp(ctx, sv, func(context.Context) error {
		if st := sv.super.Status(); st.LastExit != nil {
			return fmt.Errorf("it ended with %s: %s", st.LastExit, lastLines(st.LogTail))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("does not answer at %s: %w; raise its timeout when it only needs longer", target(sv.def.Addr), err)
	}
	return nil
}

func lastLines(tail []string) string {
	text := ""
	for _, line := range tail[max(0, len(tail)-5):] {
		text += "\n\t" + line
	}
	return text
}

// watchExternal looks in the background whether a service that somebody else runs is there.
func (s *Services) watchExternal(sv *service) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		err := s.waitUp(s.ctx, sv, func(context.Context) error { return nil })
		if err != nil && s.ctx.Err() == nil {
			s.o.Logger.WarnContext(s.ctx, "external service does not answer", "service", sv.def.Row.Name, "url", target(sv.def.Addr), "err", err)
		}
	}()
}

// Stop stops the managed services one after the other with INT, TERM and KILL, and waits for everything in the background.
func (s *Services) Stop(ctx context.Context) error {
	s.cancel()
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
			check, cancel := context.WithTimeout(ctx, 5*time.Second)
			_, err := s.o.Prober.WaitUp(check, target(sv.def.Addr)+s.o.Rows.Prefix(sv.def.Row.Name), func(context.Context) error { return nil })
			cancel()
			if err != nil && ctx.Err() == nil {
				s.o.Logger.ErrorContext(ctx, "service does not answer", "service", sv.def.Row.Name, "url", target(sv.def.Addr), "err", err)
			}
		}
	}
}

// supervisor makes the supervisor of a managed service; its output goes to the hub's log with the service's name in front.
func (s *Services) supervisor(def hub.ConfiguredService) *supervise.Supervisor {
	name := def.Row.Name
	return supervise.NewSupervisor(supervise.SupervisorOptions{
		Name: name, Logger: s.o.Logger,
		Command: func(ctx context.Context) (supervise.Command, error) {
			cmd := supervise.Command{Argv: def.Row.Command, Env: s.o.Env.environment(def, s.o.Rows.Prefix(name)),
				OnLine: func(line string) { s.o.Logger.Info("[" + name + "] " + line) }}
			if def.Row.Cwd != nil && *def.Row.Cwd != "" {
				cmd.Dirs = []string{*def.Row.Cwd}
			}
			if def.Row.SystemUser == nil || *def.Row.SystemUser == "" {
				return cmd, nil
			}
			account, err := supervise.LookupAccount(ctx, *def.Row.SystemUser)
			if err != nil {
				return cmd, fmt.Errorf("user: %w", err)
			}
			cmd.Account = account
			cmd.Env["USER"] = account.Name
			for key, v := range map[string]string{"HOME": account.Home, "SHELL": account.Shell} {
				if v != "" {
					cmd.Env[key] = v
				}
			}
			return cmd, nil
		},
	})
}
