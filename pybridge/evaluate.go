package pybridge

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed python/evaluate.py
var evaluateScript string

// ErrNoPython is wrapped when no Python interpreter can be found.
var ErrNoPython = errors.New("no Python interpreter found")

// EvalRequest says which file to evaluate and how.
type EvalRequest struct {
	Path   string    // Path is the jupyterhub_config.py.
	Python string    // Python is the interpreter; "" means FindPython(Env).
	Env    []string  // Env is the child's environment; nil is the process's own.
	Dir    string    // Dir is the child's working directory; "" is the process's own.
	Output io.Writer // Output receives what the file prints, both streams; nil discards it.
}

// EvalResult is what the file set.
type EvalResult struct {
	// Sections are class, trait and value. Values are those of encoding/json with json.Number; what JSON cannot hold is
	// {"__minihub_python__": {"kind": "set|bytes|dict|float|lazy|function|class|object", ...}}.
	Sections map[string]map[string]any
	// Lines are "Class.trait" and the line that set it last, for traits set in the file itself.
	Lines map[string]int
	// Python is the interpreter that ran.
	Python string
}

// WithLines returns Sections with Lines in the pseudo section that config.Load takes them from.
func (r EvalResult) WithLines() map[string]map[string]any {
	out := make(map[string]map[string]any, len(r.Sections)+1)
	for class, traits := range r.Sections {
		out[class] = traits
	}
	lines := make(map[string]any, len(r.Lines))
	for trait, n := range r.Lines {
		lines[trait] = n
	}
	out["__minihub_lines__"] = lines
	return out
}

// EvalError is an exception that the file raised. Its text has no source lines: they may hold secrets.
type EvalError struct {
	Type      string   `json:"type"`      // Type is the exception's class.
	Message   string   `json:"message"`   // Message is the exception's text.
	File      string   `json:"file"`      // File is where it happened, as far as it is configuration.
	Line      int      `json:"line"`      // Line is that of File; 0 when unknown.
	Traceback []string `json:"traceback"` // Traceback holds the last places, "file:line in name".
	Module    string   `json:"module"`    // Module is what could not be imported, for import errors.

	python string
}

// Error gives place, exception, traceback and, for a missing module, the way out.
func (e *EvalError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Type, e.Message)
	if e.Line > 0 {
		text = fmt.Sprintf("line %d of %s: %s", e.Line, e.File, text)
	}
	if e.Module != "" {
		text += fmt.Sprintf("; install %s for %s, or set MINIHUB_PYTHON to the interpreter that has it",
			strings.SplitN(e.Module, ".", 2)[0], e.python)
	}
	if len(e.Traceback) > 1 {
		text += "\n  " + strings.Join(e.Traceback, "\n  ")
	}
	return text
}

// FindPython returns $MINIHUB_PYTHON, else python3, else python of PATH. env nil is the process's environment. The error
// wraps ErrNoPython and says what to do.
func FindPython(env []string) (string, error) {
	if env == nil {
		env = os.Environ()
	}
	if chosen := lookupEnv(env, "MINIHUB_PYTHON"); chosen != "" {
		path, err := findProgram(chosen, lookupEnv(env, "PATH"))
		if err != nil {
			return "", fmt.Errorf("%w: MINIHUB_PYTHON is %s, which cannot be run; set it to an interpreter", ErrNoPython, chosen)
		}
		return path, nil
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := findProgram(name, lookupEnv(env, "PATH")); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: neither python3 nor python is in PATH; install Python, set MINIHUB_PYTHON, or write the configuration as JSON, YAML or TOML",
		ErrNoPython)
}

func lookupEnv(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(env[i], "="); ok && key == name {
			return value
		}
	}
	return ""
}

func findProgram(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}

// Evaluate runs a configuration file in a Python child of its own and returns what it set. Errors: ErrNoPython, *EvalError
// when the file raised an exception, the context's error when it ended first (the child is killed).
func Evaluate(ctx context.Context, req EvalRequest) (EvalResult, error) {
	python := req.Python
	if python == "" {
		var err error
		if python, err = FindPython(req.Env); err != nil {
			return EvalResult{}, err
		}
	}
	path, err := filepath.Abs(req.Path)
	if err != nil {
		return EvalResult{}, err
	}
	answer, err := run(ctx, python, path, req)
	if err != nil {
		return EvalResult{}, err
	}
	return decodeAnswer(answer, python)
}

// run starts the child and returns the bytes of its private pipe.
func run(ctx context.Context, python, path string, req EvalRequest) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", path, err)
	}
	defer r.Close()
	cmd := exec.CommandContext(ctx, python, "-c", evaluateScript, "3", path)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = req.Env, req.Dir, []*os.File{w}
	var tail tailBuffer
	cmd.Stdout, cmd.Stderr = writers(req.Output, &tail)
	cmd.WaitDelay = 2 * time.Second // for grandchildren that keep the output open
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("%w: start %s: %w; set MINIHUB_PYTHON to an interpreter", ErrNoPython, python, err)
	}
	_ = w.Close()
	type reading struct {
		data []byte
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		data, err := io.ReadAll(r)
		read <- reading{data, err}
	}()
	waitErr := cmd.Wait()
	_ = r.SetReadDeadline(time.Now().Add(time.Second)) // a grandchild may hold the other end
	got := <-read
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("evaluate %s: %w", path, ctx.Err())
	case len(got.data) > 0:
		return got.data, nil
	case waitErr != nil:
		return nil, fmt.Errorf("evaluate %s: %s ended early: %w%s", path, python, waitErr, tail.hint())
	}
	return nil, fmt.Errorf("evaluate %s: %s ended without an answer%s", path, python, tail.hint())
}

// writers joins the caller's writer and the tail; one writer for both streams, so that os/exec serialises them.
func writers(out io.Writer, tail *tailBuffer) (io.Writer, io.Writer) {
	if out == nil {
		return tail, tail
	}
	both := io.MultiWriter(out, tail)
	return both, both
}

func decodeAnswer(data []byte, python string) (EvalResult, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var answer struct {
		Sections map[string]map[string]any `json:"sections"`
		Lines    map[string]int            `json:"lines"`
		Error    *EvalError                `json:"error"`
	}
	if err := dec.Decode(&answer); err != nil {
		return EvalResult{}, fmt.Errorf("evaluate configuration: %s gave an answer that cannot be read: %w", python, err)
	}
	if answer.Error != nil {
		answer.Error.python = python
		return EvalResult{}, answer.Error
	}
	if answer.Sections == nil {
		answer.Sections = map[string]map[string]any{}
	}
	return EvalResult{Sections: answer.Sections, Lines: answer.Lines, Python: python}, nil
}

// tailBuffer keeps the last bytes of the output, for the error of a child that died.
type tailBuffer struct{ data []byte }

const tailSize = 500

// Write never fails.
func (t *tailBuffer) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > tailSize {
		t.data = append([]byte{}, t.data[len(t.data)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) hint() string {
	text := strings.TrimSpace(string(t.data))
	if text == "" {
		return ""
	}
	return "; its last output: " + text
}
