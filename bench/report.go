package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// lower tells whether less is better.
func lower(figure string) bool {
	return figure == startTime || figure == startPy || figure == idleMemory
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func span(v []float64) string {
	if len(v) == 1 {
		return number(v[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(v)), number(slices.Min(v)), number(slices.Max(v)))
}

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// report prints the table, and writes it to a file when that is asked for.
func report(o options, mini, jupyter *figures) error {
	text := table(mini, jupyter)
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return err
	}
	if o.markdown == "" {
		return nil
	}
	head := fmt.Sprintf("# Benchmarks\n\nMade by `make bench` on %s: %s/%s, %d cores, %s. Both hubs ran alone on the machine, one after the other; the load came from a\n"+
		"process of its own, %d connections, %.0f s per measurement. Median, and minimum to maximum of %d measurements. minihub reads its configuration from JSON, JupyterHub from Python,\n"+
		"except where the table says otherwise.\n\n",
		time.Now().UTC().Format("2006-01-02"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.connections, o.seconds, o.rounds)
	return os.WriteFile(o.markdown, []byte(head+text), 0o644)
}

func table(mini, jupyter *figures) string {
	var b strings.Builder
	b.WriteString("| figure | minihub | JupyterHub 6.1.1 with configurable-http-proxy | ratio |\n|---|---|---|---|\n")
	for _, name := range mini.order {
		other, ratio := "not measured", ""
		if jupyter != nil {
			a, c := median(mini.values[name]), median(jupyter.values[name])
			if lower(name) {
				a, c = c, a
			}
			other, ratio = span(jupyter.values[name]), fmt.Sprintf("%.1f times", a/c)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, span(mini.values[name]), other, ratio)
	}
	return b.String()
}
