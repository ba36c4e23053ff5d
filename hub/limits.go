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
		return &Error{Kind: Invalid, Message: "Named servers are not enabled.", Hint: "set JupyterHub.allow_named_servers = True to enable them"}
	}
	if countsAsNew && t.NamedServerLimitPerUser > 0 {
		n, err := s.o.Store.NamedServerCount(ctx, user.ID)
		if err != nil {
			return err
		}
		if n >= t.NamedServerLimitPerUser {
			return &Error{Kind: Invalid,
				Message: fmt.Sprintf("User %s already has the maximum of %d named servers.  One must be deleted before a new server can be created", user.Name, t.NamedServerLimitPerUser),
				Hint:    "JupyterHub.named_server_limit_per_user sets the limit"}
		}
	}
	if err := urlpath.ValidServerName(name); err != nil && (!exists || t.AllowInvalidNames == "allow-delete") {
		return &Error{Kind: Invalid, Message: fmt.Sprintf("Invalid server name %q: %v", clip(name, 64), err), Hint: "give a free-form display_name instead", Err: err}
	}
	if displayName != "" && displayName != name {
		if _, err := urlpath.ValidDisplayName(displayName); err != nil {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("Invalid display_name %q: %v", clip(displayName, 64), err), Err: err}
		}
	}
	return nil
}

// admit applies concurrent_spawn_limit and active_server_limit.
func (s *Servers) admit() error {
	t := &s.o.Traits
	spawning, active := s.Counts()
	if t.ConcurrentSpawnLimit > 0 && spawning > t.ConcurrentSpawnLimit {
		wait := retryAfter(t.ThrottleRetry)
		s.o.Observer.Spawned(0, "failure", "throttled")
		return &Error{Kind: TooMany, RetryAfter: wait,
			Message: "Too many users trying to log in right now. Try again in " + humanWait(wait) + ".",
			Hint:    fmt.Sprintf("JupyterHub.concurrent_spawn_limit is %d", t.ConcurrentSpawnLimit)}
	}
	if t.ActiveServerLimit > 0 && active > t.ActiveServerLimit {
		s.o.Observer.Spawned(0, "failure", "too-many-users")
		return &Error{Kind: TooMany, Message: "Active user limit exceeded. Try again in a few minutes.",
			Hint: fmt.Sprintf("JupyterHub.active_server_limit is %d", t.ActiveServerLimit)}
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
