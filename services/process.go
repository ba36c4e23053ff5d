package services

import (
	"context"
	"fmt"
	"time"

	"github.com/minihub/minihub/internal/supervise"
)

// supervisor makes the supervisor of a managed service.
func (s *Services) supervisor(sv *service) *supervise.Supervisor {
	return supervise.NewSupervisor(supervise.SupervisorOptions{
		Name: sv.def.Row.Name, Backoff: s.o.Backoff, Stop: s.o.StopTimeouts, Logger: s.o.Logger,
		Command: func(ctx context.Context) (supervise.Command, error) { return s.command(ctx, sv) },
		OnExit: func(status supervise.ExitStatus, tail []string, _ time.Duration) {
			sv.mu.Lock()
			defer sv.mu.Unlock()
			sv.ended = fmt.Errorf("it ended with %s%s", status, lastLines(tail))
		},
	})
}

// command is asked before each start. The working directory is the hub's unless the definition has one, also with a user of its own.
func (s *Services) command(ctx context.Context, sv *service) (supervise.Command, error) {
	row := &sv.def.Row
	cmd := supervise.Command{Argv: row.Command, Env: s.o.Env.environment(sv.def, s.place(row.Name)),
		OnLine: func(line string) { s.o.Logger.InfoContext(ctx, "["+row.Name+"] "+line) }}
	s.mu.Lock()
	cmd.Env[supervise.EnvHubID] = s.hubID
	s.mu.Unlock()
	if row.Cwd != nil && *row.Cwd != "" {
		cmd.Dirs = []string{*row.Cwd}
	}
	if row.SystemUser == nil || *row.SystemUser == "" {
		return cmd, nil
	}
	account, err := supervise.LookupAccount(ctx, *row.SystemUser)
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
}
