package hub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// checkNamed decides whether a named server may be used or created. New names must be slugs; names from before
// JupyterHub 6 may go on when allow_existing_invalid_named_servers says so.
func (s *Servers) checkNamed(ctx context.Context, user *orm.User, name, displayName string, exists, countsAsNew bool) error {
	t := &s.o.Traits
	if !t.AllowNamedServers {
		return namedDisabled()
	}
	if countsAsNew {
		limit, err := s.namedLimit(ctx, user, name)
		if err == nil {
			err = s.checkLimit(ctx, s.o.Store, user, limit, 0)
		}
		if err != nil {
			return err
		}
	}
	if err := urlpath.ValidServerName(name); err != nil && (name != "" || !exists) {
		switch {
		case !exists:
			// This and the next message are compared whole by JupyterHub's tests: no hint.
			return &Error{Kind: Invalid, Message: "Invalid server_name: " + repr(name, 64), Err: err}
		case t.AllowInvalidNames != "" && t.AllowInvalidNames != "allow-start":
			return &Error{Kind: Invalid, Message: "Starting invalid server_name " + repr(name, 64) + " is disabled, contact your administrator", Err: err}
		case displayName != "":
			// JupyterHub takes it, and refuses to start from then on.
			return &Error{Kind: Invalid, Message: fmt.Sprintf("Server name %q is not valid, so it cannot have a display_name", clip(name, 64)),
				Hint: "rename the server first", Err: err}
		}
	}
	if displayName != "" {
		if _, err := urlpath.ValidDisplayName(displayName); err != nil {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("Invalid display_name %q: %v", clip(displayName, 64), err), Err: err}
		}
	}
	return nil
}

func namedDisabled() *Error {
	return &Error{Kind: Invalid, Message: "Named servers are not enabled.", Hint: "set JupyterHub.allow_named_servers = True to enable them"}
}

// namedLimit is named_server_limit_per_user for a user; asked before a transaction, because it may be a function of the configuration.
func (s *Servers) namedLimit(ctx context.Context, user *orm.User, server string) (int, error) {
	if s.o.Traits.NamedServerLimit == nil || server == "" {
		return s.o.Traits.NamedServerLimitPerUser, nil
	}
	return s.o.Traits.NamedServerLimit(ctx, user)
}

// checkLimit applies named_server_limit_per_user; mine are those among the rows that the caller just made.
func (s *Servers) checkLimit(ctx context.Context, store *orm.Store, user *orm.User, limit, mine int) error {
	if limit <= 0 {
		return nil
	}
	n, err := store.NamedServerCount(ctx, user.ID)
	if err != nil {
		return storeErr(err, "count the named servers of %s", user.Name)
	}
	if n-mine < limit {
		return nil
	}
	return &Error{Kind: Invalid, // compared whole by JupyterHub's tests: no hint
		Message: fmt.Sprintf("User %s already has the maximum of %d named servers.  One must be deleted before a new server can be created", user.Name, limit)}
}

// admit applies concurrent_spawn_limit and active_server_limit to a reserved start. Counting and admitting is one step, so that
// exactly as many as allowed get through.
func (s *Servers) admit(ctx context.Context, l *liveServer) error {
	s.admission.Lock()
	t := &s.o.Traits
	spawning, active := s.Counts()
	throttled := t.ConcurrentSpawnLimit > 0 && spawning >= t.ConcurrentSpawnLimit
	full := t.ActiveServerLimit > 0 && active >= t.ActiveServerLimit
	if !throttled && !full {
		l.mu.Lock()
		l.admitted = true
		l.mu.Unlock()
	}
	s.admission.Unlock()
	switch {
	case throttled:
		wait := retryAfter(t.ThrottleRetry)
		s.o.Observer.Spawned(0, "failure", "throttled")
		s.o.Logger.WarnContext(ctx, "too many pending spawns, throttling", "user", l.userName, "server", l.name, "pending", spawning, "retry_after", wait)
		return &Error{Kind: TooMany, RetryAfter: wait,
			Message: "Too many users trying to log in right now. Try again in " + humanWait(wait) + ".",
			Hint:    fmt.Sprintf("%d servers are starting, JupyterHub.concurrent_spawn_limit is %d", spawning, t.ConcurrentSpawnLimit)}
	case full:
		s.o.Observer.Spawned(0, "failure", "too-many-users")
		s.o.Logger.InfoContext(ctx, "too many active servers", "user", l.userName, "server", l.name, "active", active)
		return &Error{Kind: TooMany, Message: "Active user limit exceeded. Try again in a few minutes.",
			Hint: fmt.Sprintf("%d servers are active, JupyterHub.active_server_limit is %d", active, t.ActiveServerLimit)}
	}
	return nil
}

func retryAfter(r [2]time.Duration) time.Duration {
	lo, hi := r[0], r[1]
	if hi <= 0 {
		lo, hi = 30*time.Second, 60*time.Second
	}
	if hi <= lo {
		return lo.Truncate(time.Second)
	}
	return (lo + rand.N(hi-lo)).Truncate(time.Second)
}

// humanWait rounds up to ten seconds below 90 s, else to minutes.
func humanWait(d time.Duration) string {
	if s := int(d.Seconds()); s <= 90 {
		return strconv.Itoa((s+9)/10*10) + " seconds"
	}
	return strconv.Itoa(int(d.Minutes()+0.5)) + " minutes"
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "..."
}
