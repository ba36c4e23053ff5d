package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse reads the options.
func parse(args []string) (options, error) {
	var o options
	var only, skip string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.minihub, "minihub", "bin/minihub", "the minihub binary")
	f.StringVar(&o.jupyterhub, "jupyterhub", "", "JupyterHub's jupyterhub command; empty measures minihub alone")
	f.StringVar(&o.chp, "chp", "configurable-http-proxy", "the configurable-http-proxy command that JupyterHub uses")
	f.StringVar(&o.nginx, "nginx", "nginx", "nginx, the bar for proxying")
	f.Float64Var(&o.seconds, "seconds", 1.5, "length of one measurement of requests per second")
	f.Float64Var(&o.settle, "settle", 2, "seconds that a hub is left alone before its memory is read")
	f.IntVar(&o.rounds, "rounds", 3, "measurements of each figure")
	f.IntVar(&o.connections, "connections", 16, "connections of the load generator")
	f.StringVar(&only, "only", "", "measure only rows whose key matches this regular expression")
	f.StringVar(&skip, "skip", "", "leave out rows whose key matches this regular expression")
	f.StringVar(&o.markdown, "markdown", "", "write the page with the table to this file, too")
	f.BoolVar(&o.growth, "growth", false, "measure minihub alone with growing numbers of users and servers")
	f.BoolVar(&o.verbose, "v", false, "say how long each part of the run took")
	f.IntVar(&o.users, "users", 50_000, "users of the large database")
	f.IntVar(&o.servers, "servers", 500, "running servers of the large database")
	f.IntVar(&o.tokens, "tokens", 10_000, "users with a token in the large database")
	f.IntVar(&o.senders, "senders", 5_000, "servers that post their activity")
	f.IntVar(&o.spawns, "spawns", 100, "servers started together")
	f.IntVar(&o.fewer, "fewer-spawns", 15, "servers started together by JupyterHub")
	f.IntVar(&o.logins, "logins", 200, "people who log in at once in the rows about fairness")
	f.IntVar(&o.idleSockets, "idle-connections", 10_000, "idle WebSocket connections, at most what the limit of open files allows")
	f.IntVar(&o.idle, "idle", 30, "seconds that -growth watches an idle hub")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for text, to := range map[string]**regexp.Regexp{only: &o.only, skip: &o.skip} {
		if text == "" {
			continue
		}
		re, err := regexp.Compile(text)
		if err != nil {
			return o, err
		}
		*to = re
	}
	o.minihub, o.jupyterhub, o.chp = abs(o.minihub), abs(o.jupyterhub), abs(o.chp)
	o.senders = max(min(o.senders, o.users), o.servers)
	o.idleSockets = min(o.idleSockets, socketLimit())
	return o, nil
}

// abs makes a path absolute, and leaves names that are looked for in PATH.
func abs(path string) string {
	if p, err := filepath.Abs(path); err == nil && path != "" && filepath.Base(path) != path {
		return p
	}
	return path
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "minihub-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := startPeers(o, dir)
	defer p.stop()
	if err != nil {
		return err
	}
	if o.growth {
		return growth(o, dir, p)
	}
	c, err := compare(o, dir, p)
	if err != nil {
		return err
	}
	return errors.Join(append([]error{report(o, c)}, c.failed...)...)
}

// compare measures both hubs and the bars.
func compare(o options, dir string, p *peers) (*comparison, error) {
	st, err := fill(dir, p.backend.addr, o.sizes())
	defer st.end()
	if err != nil {
		return nil, fmt.Errorf("fill the database: %w", err)
	}
	c := &comparison{mini: figures{}, bars: figures{}}
	if c.bars, err = barFigures(o, p); err != nil {
		return nil, fmt.Errorf("bars: %w", err)
	}
	mini := subject{name: "minihub", command: []string{o.minihub}, json: true, spawns: o.spawns}
	s := &session{o: o, subject: mini, dir: filepath.Join(dir, "minihub"), stock: st, peers: p, out: c.mini}
	c.failed = s.all()
	if o.jupyterhub == "" {
		return c, nil
	}
	c.jupyter = figures{}
	jupyter := subject{name: "JupyterHub", command: []string{o.jupyterhub, "--ConfigurableHTTPProxy.command=" + o.chp}, spawns: o.fewer}
	s = &session{o: o, subject: jupyter, dir: filepath.Join(dir, "jupyterhub"), stock: st, peers: p, out: c.jupyter}
	if failed := s.all(); len(failed) > 0 { // its rows say so; that it cannot do the work is no failure of the run
		c.gaveUp = s.gaveUp
	}
	return c, nil
}
