package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// Diagnose says what is known about the last start: how the process ended, its last lines, the likely cause and a way
// out. It waits at most two seconds for the output of a process that just ended.
func (s *Spawner) Diagnose(ctx context.Context) spawner.Diagnosis {
	s.mu.Lock()
	proc, failure, req := s.proc, s.failure, s.last
	s.mu.Unlock()
	if failure != nil {
		return diagnoseStart(failure)
	}
	if proc == nil {
		return spawner.Diagnosis{}
	}
	status := proc.Poll()
	if status != nil {
		timer := time.NewTimer(2 * time.Second)
		defer timer.Stop()
		select {
		case <-proc.Done():
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	d := spawner.Diagnosis{LogTail: proc.Tail()}
	if status != nil {
		d.Exit = &spawner.Exit{Code: status.Code, Reason: status.String()}
	}
	if d.Cause, d.WayOut = explainLog(d.LogTail, req); d.Cause == "" {
		d.Cause, d.WayOut = explainExit(status, req)
		if status == nil && req.Port != 0 {
			d.Cause, d.WayOut = explainPorts(proc.Identity().PID, req)
		}
	}
	return d
}

// diagnoseStart explains what kept the process from being started.
func diagnoseStart(failure error) spawner.Diagnosis {
	d := spawner.Diagnosis{Cause: failure.Error()}
	var start *supervise.StartError
	switch {
	case errors.Is(failure, ErrOwner):
		d.WayOut = "see the cause: who the hub runs as and whom it may become decides"
		return d
	case !errors.As(failure, &start):
		return d
	}
	as := ""
	if start.User != "" {
		as = " as user " + start.User
	}
	switch start.Kind {
	case supervise.StartNotFound:
		if start.Path == "" {
			d.Cause = fmt.Sprintf("command not found: %s, searched PATH %s", start.Program, start.Search)
			d.WayOut = fmt.Sprintf("install it (pip install jupyterhub jupyterlab), add its folder to the hub's PATH, which servers inherit by Spawner.env_keep, or set Spawner.cmd to the full path of %s", start.Program)
		} else {
			d.Cause = fmt.Sprintf("command not found: %v", start.Err)
			d.WayOut = "correct Spawner.cmd, or reinstall the program: the interpreter in its first line is gone when its environment was moved"
		}
	case supervise.StartPermission:
		d.Cause = fmt.Sprintf("permission denied: %s may not be executed%s", start.Path, as)
		d.WayOut = "make the program, and every folder above it, readable and executable for that user (a virtual environment below /root is not)"
	case supervise.StartUser:
		d.WayOut = "run the hub as root with the capabilities CAP_SETUID, CAP_SETGID and CAP_KILL, or use spawner_class simple"
	case supervise.StartInvalid:
		d.WayOut = "correct Spawner.cmd, Spawner.args and Spawner.environment"
	case supervise.StartDir:
		d.WayOut = "create the directory"
	case supervise.StartOther:
		d.WayOut = "see the cause; memory, process and file limits of the hub count for its servers too"
	}
	return d
}

// explainLog looks for the first rule that fits; within a rule the last line that fits counts, because programs say the
// essential at the end.
func explainLog(lines []string, req spawner.Request) (cause, wayOut string) {
	for _, rule := range logRules {
		for i := len(lines) - 1; i >= 0; i-- {
			if match := rule.pattern.FindStringSubmatch(lines[i]); match != nil {
				return rule.explain(match, req)
			}
		}
	}
	return "", ""
}

// explainPorts is for a process that runs without answering, and whose log says nothing known: where does it listen?
func explainPorts(pid int, req spawner.Request) (cause, wayOut string) {
	const slow = "it may need longer (Spawner.http_timeout), or hang: the log lines tell"
	addresses, known := supervise.Listening(pid)
	if !known {
		return "the process runs, but does not answer there", slow + "; or it listens at another address than JUPYTERHUB_SERVICE_URL says"
	}
	if len(addresses) == 0 {
		return "the process runs, but does not listen on any port yet", slow
	}
	var at []string
	for _, address := range addresses {
		if int(address.Port()) == req.Port {
			return fmt.Sprintf("the process listens on %s, but does not answer there", address), slow
		}
		at = append(at, address.String())
	}
	return fmt.Sprintf("the process listens on %s instead of port %d", strings.Join(at, ", "), req.Port),
		"make the command listen where the environment variable JUPYTERHUB_SERVICE_URL says; jupyterhub-singleuser does, other programs need it as an argument (Spawner.cmd, Spawner.args)"
}

// explainExit is for logs that say nothing known.
func explainExit(status *supervise.ExitStatus, req spawner.Request) (cause, wayOut string) {
	switch {
	case status == nil || !status.Known:
		return "", ""
	case status.Signal == 9:
		return "the process was killed (signal 9), mostly because memory ran out", "look for \"Out of memory\" in the kernel's log (dmesg); give the machine more memory, or users less (Spawner.mem_limit needs a spawner that enforces it)"
	case status.Signal != 0:
		return "the process was " + status.String(), "see the log lines"
	case status.Code == 0:
		return "the process ended by itself without an error, so nothing listens", "Spawner.cmd must stay in the foreground until it is stopped; it must not become a daemon"
	case status.Code == 127:
		return "command not found (exit code 127 of a shell)", "see the log lines for its name; set Spawner.cmd to a full path"
	case status.Code == 126:
		return "permission denied: the shell may not execute the command (exit code 126)", "make it executable for the server's user"
	}
	return "", "see the log lines" // the exit code is no cause; what the server said last is the best guess
}

// pythonOf guesses whose packages a server uses, to name the right pip.
func pythonOf(req spawner.Request) string {
	if len(req.Cmd) == 0 || !strings.Contains(req.Cmd[0], "/bin/") {
		return "pip"
	}
	python := req.Cmd[0][:strings.LastIndex(req.Cmd[0], "/")] + "/python"
	if _, err := os.Stat(python); err != nil {
		return "pip"
	}
	return python + " -m pip"
}
