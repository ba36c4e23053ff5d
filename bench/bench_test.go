package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBench runs the benchmark on minihub alone with small numbers, so that it cannot rot.
func TestBench(t *testing.T) {
	dir := t.TempDir()
	minihub := filepath.Join(dir, "minihub-binary")
	if text, err := exec.Command("go", "build", "-o", minihub, "github.com/minihub/minihub/cmd/minihub").CombinedOutput(); err != nil {
		t.Fatalf("build minihub: %v: %s", err, text)
	}
	o, err := parse([]string{"-minihub", minihub, "-seconds", "0.1", "-rounds", "1", "-connections", "4", "-users", "200", "-servers", "5", "-tokens", "50", "-senders", "20",
		"-spawns", "4", "-logins", "4", "-idle-connections", "50", "-idle", "1", "-settle", "0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := startPeers(o, dir)
	t.Cleanup(p.stop)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("every row has a figure", func(t *testing.T) { everyRow(t, o, dir, p) })
	t.Run("growth", func(t *testing.T) {
		line, err := grown(o, dir, p, step{users: 100, servers: 3})
		if err != nil {
			t.Fatal(err)
		}
		if cells := strings.Split(line, "|"); len(cells) != 14 || strings.TrimSpace(cells[6]) == "" {
			t.Errorf("line %q", line)
		}
	})
}

func everyRow(t *testing.T, o options, dir string, p *peers) {
	c, err := compare(o, dir, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.failed {
		t.Error(err)
	}
	for _, r := range rows {
		v := c.mini[r.key]
		if len(v) != o.rounds {
			t.Errorf("%s: %d measurements instead of %d", r.key, len(v), o.rounds)
			continue
		}
		if median(v) <= 0 {
			t.Errorf("%s: %v", r.key, v)
		}
	}
	if v := c.bars[oneToken]; len(v) == 0 || median(v) <= 0 {
		t.Errorf("the bar of %s: %v", oneToken, v)
	}
	table := c.table(o)
	for _, r := range rows {
		if !strings.Contains(table, "| "+o.title(r)+" | ") {
			t.Errorf("the table has no row %q:\n%s", o.title(r), table)
		}
	}
}

// TestVerdicts holds figures against the goals of rows.
func TestVerdicts(t *testing.T) {
	r := row{key: "work", title: "work", unit: "1/s", times: 10, share: 0.8}
	memory := row{key: "work", title: "work", unit: "MiB", lower: true, times: 5, most: 30}
	for _, c := range []struct {
		name                string
		row                 row
		mini, jupyter, bars []float64
		want                string
	}{
		{"both met", r, []float64{90, 100, 110}, []float64{10}, []float64{125}, "| work | 1/s | 100 (90.0–110) | 10.0 | 10.0 × | 125: 0.80 of it | 10 ×, 0.8 of the bar | met |\n"},
		{"ratio missed", r, []float64{99}, []float64{10}, []float64{99}, "| work | 1/s | 99.0 | 10.0 | 9.90 × | 99.0: 1.00 of it | 10 ×, 0.8 of the bar | **missed** |\n"},
		{"share missed", r, []float64{100}, []float64{1}, []float64{130}, "| work | 1/s | 100 | 1.00 | 100 × | 130: 0.77 of it | 10 ×, 0.8 of the bar | **missed** |\n"},
		{"alone", r, []float64{100}, nil, nil, "| work | 1/s | 100 | – |  |  | 10 × (not measured), 0.8 of the bar (not measured) | not measured |\n"},
		{"less is better", memory, []float64{20}, []float64{190}, nil, "| work | MiB | 20.0 | 190 | 9.50 × |  | 5 ×, at most 30 MiB | met |\n"},
		{"too much", memory, []float64{31}, []float64{190}, nil, "| work | MiB | 31.0 | 190 | 6.13 × |  | 5 ×, at most 30 MiB | **missed** |\n"},
		{"not better enough", memory, []float64{29}, []float64{100}, nil, "| work | MiB | 29.0 | 100 | 3.45 × |  | 5 ×, at most 30 MiB | **missed** |\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := &comparison{mini: figures{"work": c.mini}, bars: figures{"work": c.bars}}
			if c.jupyter != nil {
				all.jupyter = figures{"work": c.jupyter}
			}
			if got := all.line(options{}, c.row); got != c.want {
				t.Errorf("got  %swant %s", got, c.want)
			}
		})
	}
}
