package supervise

import (
	"errors"
	"fmt"
	"strings"
)

// The variables that name a process' hub and start, inherited by everything it starts.
const (
	EnvHubID  = "MINIHUB_HUB_ID"
	EnvMarker = "MINIHUB_SERVER_MARKER"
)

// Identity tells one process from every other one, also from a later one with the same pid.
type Identity struct {
	PID       int
	StartTime uint64 // /proc/PID/stat field 22: clock ticks between boot and the process' start; 0 when unknown
	BootID    string // /proc/sys/kernel/random/boot_id
	Marker    string // value of MINIHUB_SERVER_MARKER in its environment, "" for none
}

// ErrGone is returned, wrapped, when no process has the identity: it ended, or its pid is another process' now.
var ErrGone = errors.New("process is gone")

// Environ is a process' environment as it was given at its start.
type Environ map[string]string

// parseEnviron takes the NUL separated form. Later duplicates do not count, as in getenv.
func parseEnviron(data string) Environ {
	env := Environ{}
	for entry := range strings.SplitSeq(data, "\x00") {
		name, value, ok := strings.Cut(entry, "=")
		if _, seen := env[name]; ok && name != "" && !seen {
			env[name] = value
		}
	}
	return env
}

// verify says whether the process with this pid is the one that id was taken from. Start time and boot id are the proof.
// A marker must not contradict; that it cannot be read, or was overwritten by a program that sets its title, is no
// contradiction as long as the other two fit. Without a start time nothing is proved.
func (id Identity) verify() error {
	if id.StartTime == 0 || id.BootID == "" {
		return fmt.Errorf("%w: the start time of pid %d was not recorded", ErrGone, id.PID)
	}
	now, alive, err := inspect(id.PID)
	switch {
	case err != nil:
		return err
	case !alive:
		return fmt.Errorf("%w: pid %d does not run", ErrGone, id.PID)
	case now.BootID != id.BootID:
		return fmt.Errorf("%w: the machine was restarted since pid %d was started", ErrGone, id.PID)
	case now.StartTime != id.StartTime:
		return fmt.Errorf("%w: pid %d is another process now", ErrGone, id.PID)
	}
	if id.Marker == "" {
		return nil
	}
	if env, err := ReadEnviron(id.PID); err == nil {
		if marker, set := env[EnvMarker]; set && marker != id.Marker {
			return fmt.Errorf("%w: pid %d belongs to another server now", ErrGone, id.PID)
		}
	}
	return nil
}

// Identify returns the identity of a running process, with the marker of its environment when that is readable. It
// returns ErrGone when nothing runs under the pid, and errors.ErrUnsupported where processes have no start time.
func Identify(pid int) (Identity, error) {
	id, alive, err := inspect(pid)
	if err != nil {
		return Identity{}, err
	}
	if !alive {
		return Identity{}, fmt.Errorf("%w: pid %d does not run", ErrGone, pid)
	}
	if env, err := ReadEnviron(pid); err == nil {
		id.Marker = env[EnvMarker]
	}
	return id, nil
}
