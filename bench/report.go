package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// span is the median, with minimum and maximum behind it when there is more than one measurement.
func span(v []float64) string {
	switch len(v) {
	case 0:
		return "–"
	case 1:
		return number(v[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(v)), number(slices.Min(v)), number(slices.Max(v)))
}

func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// comparison is all that was measured in a run.
type comparison struct {
	mini, jupyter, bars figures  // jupyter is nil when it was not measured
	failed              []error  // of minihub
	gaveUp              []string // rows that JupyterHub could not do
}

// line is one line of the table.
func (c *comparison) line(o options, r row) string {
	m, j, b := c.mini[r.key], c.jupyter[r.key], c.bars[r.key]
	ratio, share := "", ""
	var goals []string
	met, some := true, false
	check := func(text string, measured, ok bool) {
		if !measured {
			text += " (not measured)"
		}
		goals = append(goals, text)
		met, some = met && (ok || !measured), some || measured
	}
	if len(j) > 0 {
		x := median(m) / median(j)
		if r.lower {
			x = 1 / x
		}
		ratio = number(x) + " ×"
	}
	if len(b) > 0 {
		share = fmt.Sprintf("%s: %s of it", span(b), number(median(m)/median(b)))
	}
	if r.times > 0 {
		x := 0.0
		if len(j) > 0 {
			if x = median(m) / median(j); r.lower {
				x = 1 / x
			}
		}
		check(fmt.Sprintf("%g ×", r.times), len(j) > 0, x >= r.times)
	}
	if r.share > 0 {
		check(fmt.Sprintf("%g of the bar", r.share), len(b) > 0, len(b) > 0 && median(m) >= r.share*median(b))
	}
	if r.most > 0 {
		check(fmt.Sprintf("at most %g %s", r.most, r.unit), true, median(m) <= r.most)
	}
	verdict := ""
	switch {
	case len(goals) == 0:
	case !some:
		verdict = "not measured"
	case met:
		verdict = "met"
	default:
		verdict = "**missed**"
	}
	other := span(j)
	if slices.Contains(c.gaveUp, r.key) && len(j) == 0 {
		other = "failed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", o.title(r), r.unit, span(m), other, ratio, share, strings.Join(goals, ", "), verdict)
}

// title fills in the sizes of the run.
func (o options) title(r row) string {
	return strings.NewReplacer("{users}", thousands(o.users), "{servers}", thousands(o.servers), "{tokens}", thousands(o.tokens),
		"{senders}", thousands(o.senders), "{spawns}", thousands(o.spawns), "{fewer}", thousands(o.fewer), "{connections}", thousands(o.idleSockets),
		"{logins}", thousands(o.logins)).Replace(r.title)
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (c *comparison) table(o options) string {
	var b strings.Builder
	b.WriteString("| work | unit | minihub | JupyterHub and proxy | ratio | bar | goal | |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		if len(c.mini[r.key]) > 0 {
			b.WriteString(c.line(o, r))
		}
	}
	for _, key := range []string{fairAPI, fairProxy} {
		if half := c.mini[key+halfSuffix]; len(half) > 0 {
			r := find(key)
			r.key, r.title, r.most = key+halfSuffix, strings.Replace(r.title, "p99", "p50", 1), 0
			b.WriteString(c.line(o, r))
		}
	}
	return b.String()
}

// report prints the table, and writes it to a file when that is asked for.
func report(o options, c *comparison) error {
	text := c.table(o)
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return err
	}
	return writePage(o.markdown, mainHead(o)+text)
}

func mainHead(o options) string {
	return fmt.Sprintf("# Benchmarks\n\nMade by `make bench` on %s: %s. %s.\n\n"+
		"Both hubs had the machine to themselves, one after the other, with the same configuration, database and work, and the load generator on the same cores: "+
		"%d connections where the table says nothing else, %g s per measurement. Median, and minimum to maximum of up to %d measurements.\n"+
		"minihub read its configuration as JSON, JupyterHub from a jupyterhub_config.py with the same values. The database is SQLite; except for the rows about an "+
		"empty one it has %s users, %s tokens and %s running servers, which are sleeping processes; a single small program answers for all of them. "+
		"Started servers are real processes of a small Go program. What the bars are: nginx in front of the same program, and for `GET /hub/api/user` a chi handler that "+
		"does nothing. `go doc ./bench` says more. Lower is better for times and memory; a ratio above 1 is in favour of minihub.\n\n",
		time.Now().UTC().Format("2006-01-02"), machine(), versions(o), o.connections, o.seconds, o.rounds, thousands(o.users), thousands(o.tokens), thousands(o.servers))
}

// writePage writes a page of the documentation; an empty path writes nothing.
func writePage(path, text string) error {
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// machine describes the hardware.
func machine() string {
	model := ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.TrimSpace(strings.TrimLeft(rest, "\t :"))
				break
			}
		}
	}
	memory := ""
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err == nil {
			memory = fmt.Sprintf(", %d GiB", (kib+1<<19)>>20)
		}
	}
	return fmt.Sprintf("%s/%s, %d cores of %s%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model, memory)
}

// versions names what took part.
func versions(o options) string {
	first := func(program string, args ...string) string {
		text, _ := exec.Command(program, args...).CombinedOutput()
		line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		return strings.TrimPrefix(line, "nginx version: ")
	}
	parts := []string{strings.Replace(runtime.Version(), "go", "Go ", 1), first(o.minihub, "version")}
	if o.jupyterhub != "" {
		parts = append(parts, "JupyterHub "+first(o.jupyterhub, "--version"), "configurable-http-proxy "+first(o.chp, "--version"))
	}
	if _, err := exec.LookPath(o.nginx); err == nil {
		parts = append(parts, first(o.nginx, "-v"))
	}
	return strings.Join(parts, ", ")
}
