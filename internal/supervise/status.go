package supervise

import (
	"fmt"
	"syscall"
)

// ExitStatus tells how a process ended. The zero value: not known (the process was not our child).
type ExitStatus struct {
	Known    bool
	Code     int            // exit code; 128 + Signal when killed, as shells say it
	Signal   syscall.Signal // 0 unless killed by a signal
	CoreDump bool
}

// String says it for people: "exit code 3", "killed by signal 9 (killed)", "" when not known.
func (s ExitStatus) String() string {
	switch {
	case !s.Known:
		return ""
	case s.Signal != 0 && s.CoreDump:
		return fmt.Sprintf("killed by signal %d (%v, core dumped)", int(s.Signal), s.Signal)
	case s.Signal != 0:
		return fmt.Sprintf("killed by signal %d (%v)", int(s.Signal), s.Signal)
	}
	return fmt.Sprintf("exit code %d", s.Code)
}

func exitedWith(code int) ExitStatus { return ExitStatus{Known: true, Code: code} }

func killedBy(sig syscall.Signal, core bool) ExitStatus {
	return ExitStatus{Known: true, Code: 128 + int(sig), Signal: sig, CoreDump: core}
}
