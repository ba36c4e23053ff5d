package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// options of one run.
type options struct {
	minihub, jupyterhub, chp string
	seconds                  float64
	rounds                   int
	connections              int
	markdown                 string
}

func main() {
	var o options
	flag.StringVar(&o.minihub, "minihub", "bin/minihub", "the minihub binary")
	flag.StringVar(&o.jupyterhub, "jupyterhub", "", "JupyterHub's jupyterhub command; empty measures minihub alone")
	flag.StringVar(&o.chp, "chp", "configurable-http-proxy", "the configurable-http-proxy command that JupyterHub uses")
	flag.Float64Var(&o.seconds, "seconds", 3, "length of one measurement of requests per second")
	flag.IntVar(&o.rounds, "rounds", 3, "measurements of each figure")
	flag.IntVar(&o.connections, "connections", 16, "connections of the load generator")
	flag.StringVar(&o.markdown, "markdown", "", "write the table to this file, too")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "minihub-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	mini, err := measure(o, subject{name: "minihub", command: []string{abs(o.minihub)}, dir: filepath.Join(dir, "minihub"), json: true})
	if err != nil {
		return fmt.Errorf("minihub: %w", err)
	}
	var jupyter *figures
	if o.jupyterhub != "" {
		s := subject{name: "JupyterHub", command: []string{abs(o.jupyterhub), "--ConfigurableHTTPProxy.command=" + abs(o.chp)}, dir: filepath.Join(dir, "jupyterhub")}
		if jupyter, err = measure(o, s); err != nil {
			return fmt.Errorf("JupyterHub: %w", err)
		}
	}
	return report(o, mini, jupyter)
}

func abs(path string) string {
	if p, err := filepath.Abs(path); err == nil && filepath.Base(path) != path {
		return p
	}
	return path
}
