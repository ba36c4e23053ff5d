package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// version is minihub's own version, set when a release is built.
var version = "dev"

func main() {
	// Samples of the heap cost megabytes, and only --pprof shows them; with Minihub.pprof in a file they begin when that is read.
	if !slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "--pprof") }) {
		runtime.MemProfileRate = 0
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, time.Now()))
}

// command is a sub-command; args are those after its name.
type command func(ctx context.Context, c *cli, args []string) error

// cli is what a sub-command works with.
type cli struct {
	out, err io.Writer
	began    time.Time
}

func commands() map[string]command {
	return map[string]command{"serve": serve, "check": check, "adopt": adopt, "schema": schema, "token": token, "upgrade-db": upgradeDB, "proxy": runProxy,
		"can": can, "why-login": whyLogin, "test-server": testServer, "dev": dev, "version": printVersion}
}

// run runs one command line and returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func run(args []string, out, errOut io.Writer, began time.Time) int {
	c := &cli{out: out, err: errOut, began: began}
	name, cmd := "serve", command(serve)
	if len(args) > 0 && args[0] == "help" {
		args = []string{"--help"}
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		found, ok := commands()[args[0]]
		if !ok {
			fmt.Fprintf(errOut, "minihub: unknown command %q; there are serve, check, adopt, schema, token, upgrade-db, proxy, can, why-login, dev, test-server and version\n", args[0])
			return 2
		}
		name, cmd, args = args[0], found, args[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := cmd(ctx, c, args)
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNo): // it is said already
		return 1
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "minihub %s: %v\nTry: minihub --help\n", name, usage)
		return 2
	}
	fmt.Fprintf(errOut, "minihub %s: %v\n", name, err)
	return 1
}

// usageError is a wrong command line.
type usageError struct{ error }

func printVersion(_ context.Context, c *cli, _ []string) error {
	fmt.Fprintf(c.out, "minihub %s, compatible with JupyterHub %s\n", version, app.JupyterHubVersion)
	return nil
}

// schema prints the JSON Schema of configuration files.
func schema(_ context.Context, c *cli, argv []string) error {
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	return config.WriteSchema(c.out)
}

func runProxy(ctx context.Context, _ *cli, args []string) error {
	err := app.RunProxy(ctx, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil // the flags are printed already
	case errors.Is(err, app.ErrUsage):
		return &usageError{err}
	}
	return err
}

// usage is what --help says before the flags.
const usage = `minihub is a JupyterHub-compatible hub: it logs people in, starts their servers and routes the traffic.

Usage: minihub [COMMAND] [FLAGS]

Commands:

  serve               run the hub (what happens without a command)
  check               print every problem of the configuration and start nothing
  adopt               report what becomes of a JupyterHub's configuration and database, and change nothing
  schema              print the JSON Schema of configuration files, for editors
  token [USER]        print a new API token of a user
  upgrade-db          bring the database to the current schema; a SQLite file is copied first
  proxy               run the reverse proxy alone; minihub proxy --help lists its flags
  can USER SCOPE      tell whether a user holds a scope, and by which roles, groups and shares
  why-login USER      tell which rule lets a user in or keeps one out
  dev                 run a hub for the services that you write, with an inspector; minihub dev --help
  test-server         run a hub for tests: free ports, nothing on disk, one line of JSON when it is ready
  version             print the versions

Without -f the configuration is jupyterhub_config.py of this directory, when there is one. -f takes .py, .json, .yaml and .toml.

`

// help answers --help, --help-all and --version, which every sub-command knows.
func help(c *cli, args config.Args) (done bool, err error) {
	switch {
	case args.HelpAll:
		fmt.Fprint(c.out, usage)
		return true, config.WriteHelpAll(c.out)
	case args.Help:
		fmt.Fprint(c.out, usage)
		return true, config.WriteHelp(c.out)
	case args.Version:
		fmt.Fprintln(c.out, app.JupyterHubVersion)
		return true, nil
	}
	return false, nil
}

// information answers the flags that print something and end; done is false when there is none.
func information(c *cli, args config.Args, load func() (*config.Config, error)) (done bool, err error) {
	if done, err := help(c, args); done {
		return true, err
	}
	switch {
	case args.GenerateConfig:
		return true, generateConfig(c, args)
	case args.ShowConfig, args.ShowConfigJSON:
		cfg, err := load()
		if err != nil {
			return true, err
		}
		if args.ShowConfigJSON {
			return true, config.WriteShowConfigJSON(c.out, cfg)
		}
		return true, config.WriteShowConfig(c.out, cfg)
	}
	return false, nil
}

// generateConfig writes a configuration file with every trait in comments, to the path of -f; an existing file stays as it is, unless -y is given.
func generateConfig(c *cli, args config.Args) error {
	name := args.ConfigFile()
	if name == "" {
		name = "jupyterhub_config.py"
	}
	mode := os.O_CREATE | os.O_EXCL | os.O_WRONLY
	if args.Yes() {
		mode = os.O_CREATE | os.O_TRUNC | os.O_WRONLY
	}
	f, err := os.OpenFile(name, mode, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("write default configuration: %s exists; name another file with -f, or overwrite it with -y", name)
	}
	if err != nil {
		return fmt.Errorf("write default configuration: %w", err)
	}
	fmt.Fprintf(c.out, "Writing default config to: %s\n", name)
	return errors.Join(config.WriteGenerateConfig(f), f.Close())
}
