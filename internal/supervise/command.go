package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Command says what to run and how. Nothing of the hub's environment, descriptors or signal dispositions gets into it.
type Command struct {
	// Argv is program and arguments. A program without a slash is searched in the PATH of Env.
	Argv []string
	// Env is the complete environment.
	Env map[string]string
	// Dirs are candidates for the working directory; the first one that the process may enter is taken. Empty: the hub's.
	Dirs []string
	// Account is the system user to become; nil stays the hub's. User 0 is refused unless AllowRoot is set.
	Account   *Account
	AllowRoot bool
	// LogPath is the file for stdout and stderr, which also works when no hub runs. Empty: a pipe, whose reader is gone
	// when the hub is.
	LogPath string
	// LogLimit is the size in bytes at which the log file is cut; 0 is DefaultLogLimit.
	LogLimit int64
	// OnLine gets each line of output. It is called by one goroutine and must not block for long.
	OnLine func(line string)
	// GroupGrace is how long what the first process leaves behind in its group has between TERM and KILL; 0 is 2 s.
	GroupGrace time.Duration
}

// StartKind tells why a process could not be started.
type StartKind string

// The kinds of a StartError.
const (
	StartInvalid    StartKind = "invalid"    // the command itself is wrong: no program, a NUL byte
	StartNotFound   StartKind = "not found"  // no such program in PATH, or its interpreter is missing
	StartPermission StartKind = "permission" // the program may not be executed by that user
	StartUser       StartKind = "user"       // the hub may not become that user, or it is user 0
	StartDir        StartKind = "directory"  // no candidate for the working directory exists
	StartOther      StartKind = "other"
)

// StartError is what Start returns.
type StartError struct {
	Kind    StartKind
	Program string // as given
	Path    string // what it was resolved to, "" when not found
	Search  string // the PATH that was searched
	User    string // the account, "" for the hub's own
	Err     error
}

// Error says what was attempted and why it failed.
func (e *StartError) Error() string {
	as := ""
	if e.User != "" {
		as = " as user " + e.User
	}
	if e.Kind == StartNotFound && e.Path == "" {
		return fmt.Sprintf("start %s%s: command not found, searched PATH %q", e.Program, as, e.Search)
	}
	return fmt.Sprintf("start %s%s: %v", e.Program, as, e.Err)
}

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Err }

// defaultPath is what is searched when the environment has no PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

func (c *Command) fail(kind StartKind, path string, err error) *StartError {
	e := &StartError{Kind: kind, Path: path, Search: c.searchPath(), Err: err}
	if len(c.Argv) > 0 {
		e.Program = c.Argv[0]
	}
	if c.Account != nil {
		e.User = c.Account.Name
	}
	return e
}

func (c *Command) searchPath() string {
	if path := c.Env["PATH"]; path != "" {
		return path
	}
	return defaultPath
}

// validate finds what the kernel would refuse without saying which part it was.
func (c *Command) validate() error {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return c.fail(StartInvalid, "", errors.New("the command is empty"))
	}
	for i, arg := range c.Argv {
		if strings.Contains(arg, "\x00") {
			return c.fail(StartInvalid, "", fmt.Errorf("argument %d contains a NUL byte", i))
		}
	}
	for name, value := range c.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return c.fail(StartInvalid, "", fmt.Errorf("environment variable %q has a bad name or contains a NUL byte", name))
		}
	}
	if c.Account != nil && c.Account.UID == 0 && !c.AllowRoot {
		return c.fail(StartUser, "", errors.New("refusing to run it as the superuser (user id 0)"))
	}
	return nil
}

// resolve finds the program as the process itself would: in its own PATH, not the hub's.
func (c *Command) resolve() (string, error) {
	name := c.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	denied := ""
	for _, dir := range filepath.SplitList(c.searchPath()) {
		if !filepath.IsAbs(dir) {
			continue // the hub's working directory is no place to find programs in
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&0o111 != 0 {
			return path, nil
		}
		denied = path
	}
	if denied != "" {
		return "", c.fail(StartPermission, denied, fmt.Errorf("%s: %w", denied, os.ErrPermission))
	}
	return "", c.fail(StartNotFound, "", os.ErrNotExist)
}

// environ is sorted, so that a process' environment looks the same after every start.
func (c *Command) environ() []string {
	env := make([]string, 0, len(c.Env))
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// dirs always has a candidate: "" is the hub's working directory.
func (c *Command) dirs() []string {
	if len(c.Dirs) == 0 {
		return []string{""}
	}
	return c.Dirs
}

// HomeDirs returns candidates for Command.Dirs: home, each of its parents, and the directory for temporary files.
func HomeDirs(home string) []string {
	var dirs []string
	if filepath.IsAbs(home) {
		dir := filepath.Clean(home)
		for ; dir != "/"; dir = filepath.Dir(dir) {
			dirs = append(dirs, dir)
		}
		dirs = append(dirs, "/")
	}
	return append(dirs, os.TempDir())
}
