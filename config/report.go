package config

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// Severity says whether a problem stops the hub from starting.
type Severity string

// The severities of a Problem.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one finding about the configuration. It never holds the value of a trait.
type Problem struct {
	Severity Severity // Severity is SeverityError or SeverityWarning.
	Trait    string   // Trait is Class.trait, a flag, or a path inside one such as JupyterHub.services[0].url.
	Message  string   // Message says what is wrong.
	WayOut   string   // WayOut says what to do; "" when the message says it all.
	Line     int      // Line is that of the .py file; 0 when unknown.
}

// String returns one line: severity, trait, line, message and way out.
func (p Problem) String() string {
	text := string(p.Severity) + ": " + p.Trait
	if p.Line > 0 {
		text += fmt.Sprintf(" (line %d)", p.Line)
	}
	text += ": " + p.Message
	if p.WayOut != "" {
		text += "; " + p.WayOut
	}
	return text
}

// Report is everything that Load found. The zero value is ready to use; it is not for concurrent use.
type Report struct {
	File     string    // File is the configuration file; "" when there was none.
	Problems []Problem // Problems are in the order found, errors and warnings mixed.

	lines map[string]int
}

// Errorf adds an error.
func (r *Report) Errorf(trait, wayOut, format string, args ...any) {
	r.add(SeverityError, trait, wayOut, fmt.Sprintf(format, args...))
}

// Warnf adds a warning.
func (r *Report) Warnf(trait, wayOut, format string, args ...any) {
	r.add(SeverityWarning, trait, wayOut, fmt.Sprintf(format, args...))
}

func (r *Report) add(severity Severity, trait, wayOut, message string) {
	p := Problem{Severity: severity, Trait: trait, Message: message, WayOut: wayOut, Line: r.lineOf(trait)}
	for _, have := range r.Problems {
		if have == p {
			return
		}
	}
	r.Problems = append(r.Problems, p)
}

// lineOf finds the line of Class.trait for a path that starts with it.
func (r *Report) lineOf(trait string) int {
	if end := strings.IndexAny(trait, "["); end > 0 {
		trait = trait[:end]
	}
	return r.lines[trait]
}

// Errors returns the problems that stop the hub from starting.
func (r *Report) Errors() []Problem { return r.only(SeverityError) }

// Warnings returns the other problems.
func (r *Report) Warnings() []Problem { return r.only(SeverityWarning) }

func (r *Report) only(s Severity) []Problem {
	var out []Problem
	for _, p := range r.Problems {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// Err returns nil or an *InvalidError with all errors.
func (r *Report) Err() error {
	errs := r.Errors()
	if len(errs) == 0 {
		return nil
	}
	return &InvalidError{File: r.File, Problems: errs}
}

// WriteTo writes one line per problem, errors first, and a line of totals.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	sorted := append([]Problem{}, r.Problems...)
	sort.SliceStable(sorted, func(i, j int) bool {
		return sorted[i].Severity == SeverityError && sorted[j].Severity != SeverityError
	})
	var text strings.Builder
	for _, p := range sorted {
		text.WriteString(p.String() + "\n")
	}
	fmt.Fprintf(&text, "%d errors, %d warnings\n", len(r.Errors()), len(r.Warnings()))
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}

// InvalidError is returned by Load when the configuration must not be used. Problems holds errors only.
type InvalidError struct {
	File     string
	Problems []Problem
}

// Error lists every problem, one per line.
func (e *InvalidError) Error() string {
	where := "the configuration"
	if e.File != "" {
		where = e.File
	}
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("cannot use %s: %d errors", where, len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}
