package local

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// Options configure both drivers. The zero value has JupyterHub's defaults.
type Options struct {
	// InterruptTimeout, TermTimeout and KillTimeout are the waiting times after INT, TERM and KILL; 0 is JupyterHub's
	// default (30 s, 30 s, 5 s), a negative one skips the signal.
	InterruptTimeout, TermTimeout, KillTimeout time.Duration
	// ShellCmd, when set, gets the quoted command line as its one more argument: ["bash", "-l", "-c"].
	ShellCmd []string
	// HomeDirTemplate is the home directory of simple servers; {username} is replaced. Empty: "/tmp/{username}".
	HomeDirTemplate string
	// LogDir holds a log file for each server. Empty: a private directory for the hub's user below the directory for
	// temporary files.
	LogDir string
	// LogLimit is the size in bytes at which a log is cut; 0 is supervise.DefaultLogLimit.
	LogLimit int64
	// HubID goes into each server's environment, so that StopOrphans finds them. Empty: it cannot.
	HubID string
	// AllowRoot lets localprocess start servers of the superuser.
	AllowRoot bool
	// OnLine gets the output of all servers, line by line, from one goroutine for each. May be nil.
	OnLine func(id spawner.Identity, line string)
	// Logger may be nil.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.InterruptTimeout = orDefault(o.InterruptTimeout, 30*time.Second)
	o.TermTimeout = orDefault(o.TermTimeout, 30*time.Second)
	o.KillTimeout = orDefault(o.KillTimeout, 5*time.Second)
	if o.HomeDirTemplate == "" {
		o.HomeDirTemplate = "/tmp/{username}"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func orDefault(value, fallback time.Duration) time.Duration {
	if value == 0 {
		return fallback
	}
	return value
}

// stopTimeouts: "now" leaves TERM one second, in which a Jupyter server ends its kernels, and skips INT.
func (o Options) stopTimeouts(now bool) supervise.StopTimeouts {
	timeouts := supervise.StopTimeouts{Interrupt: o.InterruptTimeout, Term: o.TermTimeout, Kill: o.KillTimeout}
	if now {
		timeouts.Interrupt, timeouts.Term = 0, min(timeouts.Term, time.Second)
	}
	return timeouts
}

// logDir makes sure that nobody else prepared the directory: it is the hub user's own, and private.
func (o Options) logDir() (string, error) {
	if o.LogDir != "" {
		return o.LogDir, nil
	}
	dir := filepath.Join(os.TempDir(), "minihub-logs-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("create log directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("create log directory: %w", err)
	}
	if !info.IsDir() || !ownedByHub(info) || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("use log directory %s: it is not a private directory of the hub's user; remove it, or set another one", dir)
	}
	return dir, nil
}
