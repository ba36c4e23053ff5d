package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/minihub/minihub/devserver"
)

// devUsage is the help of minihub dev.
const devUsage = `minihub dev is a hub for your desk: no configuration, any password, this machine only. It runs the services that you
write, starts them again when their files change, and shows at /hub/dev what happens inside.

Usage: minihub dev [FLAGS]

  minihub dev --service 'whoami=http://127.0.0.1:9999 -- go run ./examples/whoami'

`

// devFlags collect the flags of dev that can be given several times.
type devFlags struct {
	o              devserver.Options
	admins, scopes []string
}

// dev runs a hub for development until a signal or POST /hub/api/shutdown.
func dev(ctx context.Context, c *cli, args []string) error {
	f, err := parseDevFlags(c, args)
	if f == nil || err != nil {
		return err
	}
	f.o.Out, f.o.Log, f.o.Colours = c.out, c.err, devserver.UseColours(c.err, os.Getenv)
	s, err := devserver.Start(ctx, f.o)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-s.Done():
	}
	return s.Close()
}

func parseDevFlags(c *cli, args []string) (*devFlags, error) {
	f := &devFlags{}
	set := flag.NewFlagSet("minihub dev", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.o.IP, "ip", "127.0.0.1", "loopback `address` to listen at; others are refused")
	set.IntVar(&f.o.Port, "port", 0, "`port` of the hub (default 8000, or the next free one)")
	set.StringVar(&f.o.DB, "db", "", "SQLite `file` to keep users and tokens in; default: in memory")
	set.StringVar(&f.o.Spawner, "spawner", "", "spawner `class`: toy, simple, localprocess; default: real servers when jupyterhub-singleuser is in PATH, else toys")
	set.BoolVar(&f.o.NoWatch, "no-watch", false, "do not restart services when files change")
	set.Func("admin", "`names` of administrators, separated by commas; default: the first to log in", func(v string) error {
		f.admins = append(f.admins, split(v, ",")...)
		return nil
	})
	set.Func("service", "`service` to run: 'name=url -- command args', 'name -- command args', or 'name=url' for one that you start; may be repeated", func(v string) error {
		s, err := devserver.ParseService(v)
		f.o.Services = append(f.o.Services, s)
		return err
	})
	set.Func("service-scope", "scopes of a service's token: `name=scope,scope`; may be repeated", func(v string) error {
		f.scopes = append(f.scopes, v)
		return nil
	})
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.out, devUsage)
		set.SetOutput(c.out)
		set.PrintDefaults()
		return nil, nil
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("%q is no flag", set.Arg(0))
	}
	if err == nil {
		err = f.giveScopes()
	}
	if err != nil {
		return nil, &usageError{err}
	}
	f.o.Admins = f.admins
	return f, nil
}

// giveScopes puts the scopes of --service-scope to their services.
func (f *devFlags) giveScopes() error {
	for _, text := range f.scopes {
		name, scopes, ok := strings.Cut(text, "=")
		n := slices.IndexFunc(f.o.Services, func(s devserver.Service) bool { return s.Name == name })
		if !ok || n < 0 {
			return fmt.Errorf("--service-scope: %q is not of the form name=scope,scope with the name of a --service", text)
		}
		f.o.Services[n].Scopes = append(f.o.Services[n].Scopes, split(scopes, ",")...)
	}
	return nil
}
