//go:build unix

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Start runs a command. The error is a *StartError; a command that starts and fails at once is no error.
func Start(cmd Command) (*Process, error) {
	if err := cmd.validate(); err != nil {
		return nil, err
	}
	path, err := cmd.resolve()
	if err != nil {
		return nil, err
	}
	cred, err := cmd.credential()
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, cmd.fail(StartOther, path, err)
	}
	defer null.Close()
	p := newProcess(Identity{}, true, cmd.GroupGrace)
	out, err := cmd.openOutput(p)
	if err != nil {
		return nil, cmd.fail(StartOther, path, err)
	}
	defer out.Close()
	attr := &os.ProcAttr{
		Env: cmd.environ(), Files: []*os.File{null, out, out},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: cred},
	}
	if err := p.exec(&cmd, path, attr); err != nil {
		_ = out.Close()
		if p.output != nil {
			p.output.close()
		}
		return nil, err
	}
	go p.watch()
	return p, nil
}

// credential is nil when the process stays the hub's user. Groups are always set: without that the process would keep
// the hub's.
func (c *Command) credential() (*syscall.Credential, error) {
	acc := c.Account
	if acc == nil {
		return nil, nil
	}
	if os.Geteuid() != 0 {
		if int(acc.UID) == os.Geteuid() {
			return nil, nil
		}
		return nil, c.fail(StartUser, "", fmt.Errorf("%w: only the superuser may start processes of other users", os.ErrPermission))
	}
	return &syscall.Credential{Uid: acc.UID, Gid: acc.GID, Groups: acc.Groups}, nil
}

// openOutput returns the process' end and connects the other one to p.
func (c *Command) openOutput(p *Process) (*os.File, error) {
	sink := &lineSink{tail: &p.tail, onLine: c.OnLine, hide: redactor(c.Env)}
	if c.LogPath == "" {
		read, write, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("create output pipe: %w", err)
		}
		p.output = followPipe(read, sink)
		return write, nil
	}
	out, err := createLog(c.LogPath, c.Account)
	if err != nil {
		return nil, err
	}
	p.output, err = followLog(c.LogPath, c.LogLimit, sink, false)
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// exec tries each directory. The kernel does not say whether entering the directory or executing the program failed; a
// program that cannot be executed fails in every directory, so the last error is the program's.
func (p *Process) exec(cmd *Command, path string, attr *os.ProcAttr) error {
	closeInherited()
	defaultSignals()
	var proc *os.Process
	var err error
	for _, attr.Dir = range cmd.dirs() {
		proc, err = os.StartProcess(path, cmd.Argv, attr)
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) && !errors.Is(err, syscall.ENOTDIR) {
			break
		}
	}
	if err != nil {
		return cmd.execError(path, attr.Dir, err)
	}
	p.id, p.sys = adoptChild(proc, cmd.Env[EnvMarker])
	return nil
}

func (c *Command) execError(path, dir string, err error) error {
	switch {
	case dir != "" && !exists(dir):
		return c.fail(StartDir, path, fmt.Errorf("working directory %s does not exist: %w", dir, err))
	case errors.Is(err, os.ErrNotExist) && exists(path):
		return c.fail(StartNotFound, path, fmt.Errorf("%w: the interpreter in the first line of %s is missing", err, path))
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return c.fail(StartNotFound, path, err)
	case errors.Is(err, syscall.EPERM) && c.Account != nil:
		return c.fail(StartUser, path, fmt.Errorf("%w: the hub may not change to that user and its groups", err))
	case errors.Is(err, os.ErrPermission):
		return c.fail(StartPermission, path, err)
	}
	return c.fail(StartOther, path, err)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// defaultSignals makes sure that a process gets default dispositions. Go resets those it handles, but an ignored signal
// stays ignored through exec: a hub started by nohup or with "&" in a script would start servers deaf to INT. Handling
// the signal with a channel that nobody reads ignores it for the hub just as well.
func defaultSignals() {
	for _, sig := range ignoredSignals([]syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2,
		syscall.SIGALRM, syscall.SIGCHLD, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH,
	}) {
		signal.Notify(make(chan os.Signal, 1), sig)
	}
}
