package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

// noEnv is an environment without any variable, so that the machine's own does not leak into tests.
func noEnv(string) (string, bool) { return "", false }

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// load writes a JSON file and loads it with the given command line.
func load(t *testing.T, document string, args ...string) (*config.Config, *config.Report) {
	t.Helper()
	src := source(t, document, args...)
	cfg, report, _ := config.Load(context.Background(), src)
	if report == nil {
		t.Fatalf("load gave no report for %s", document)
	}
	return cfg, report
}

func source(t *testing.T, document string, args ...string) config.Source {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "jupyterhub_config.json")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, err := config.ParseArgs(args)
	if err != nil {
		t.Fatal(err)
	}
	return config.Source{Path: path, LookupEnv: noEnv, Args: parsed}
}

// good loads a document that must have no error.
func good(t *testing.T, document string, args ...string) *config.Config {
	t.Helper()
	cfg, report := load(t, document, args...)
	if err := report.Err(); err != nil {
		t.Fatalf("unexpected: %v", err)
	}
	return cfg
}

// wantProblem checks that exactly the right kind of problem names the trait and holds the words.
func wantProblem(t *testing.T, report *config.Report, severity config.Severity, trait string, words ...string) {
	t.Helper()
	for _, p := range report.Problems {
		if p.Severity != severity || !strings.HasPrefix(p.Trait, trait) {
			continue
		}
		missing := false
		for _, word := range words {
			missing = missing || !strings.Contains(p.Message+" "+p.WayOut, word)
		}
		if !missing {
			return
		}
	}
	t.Errorf("no %s about %s with %q; got %v", severity, trait, words, report.Problems)
}

// python returns the interpreter for tests of .py files, or skips.
func python(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("MINIHUB_TEST_PYTHON"); path != "" {
		return path
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 in PATH; set MINIHUB_TEST_PYTHON to an interpreter to run this test")
	}
	return path
}

// evaluator runs pybridge's script directly: config and pybridge do not import each other.
func evaluator(interpreter string) func(context.Context, string) (map[string]map[string]any, error) {
	return evaluatorOf(interpreter, "../pybridge/python/evaluate.py")
}

// evaluatorIn works in any working directory.
func evaluatorIn(t *testing.T) func(context.Context, string) (map[string]map[string]any, error) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	return evaluatorOf(python(t), filepath.Join(filepath.Dir(here), "../pybridge/python/evaluate.py"))
}

func evaluatorOf(interpreter, scriptPath string) func(context.Context, string) (map[string]map[string]any, error) {
	return func(ctx context.Context, path string) (map[string]map[string]any, error) {
		script, err := os.ReadFile(scriptPath)
		if err != nil {
			return nil, err
		}
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		cmd := exec.CommandContext(ctx, interpreter, "-c", string(script), "3", path)
		cmd.ExtraFiles = []*os.File{w}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		w.Close()
		data, err := io.ReadAll(r)
		if waitErr := cmd.Wait(); err == nil {
			err = waitErr
		}
		if err != nil {
			return nil, err
		}
		var answer struct {
			Sections map[string]map[string]any
			Lines    map[string]any
			Error    map[string]any
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&answer); err != nil {
			return nil, err
		}
		if answer.Error != nil {
			return nil, &evalError{answer.Error}
		}
		answer.Sections["__minihub_lines__"] = answer.Lines
		return answer.Sections, nil
	}
}

type evalError struct{ about map[string]any }

func (e *evalError) Error() string {
	return e.about["type"].(string) + ": " + e.about["message"].(string)
}

// loadPython evaluates Python source with a real interpreter.
func loadPython(t *testing.T, text string) (*config.Config, *config.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jupyterhub_config.py")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, report, err := config.Load(context.Background(), config.Source{Path: path, LookupEnv: noEnv, Evaluate: evaluator(python(t))})
	if report == nil {
		t.Fatal(err)
	}
	return cfg, report
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, _, err := config.Load(context.Background(), config.Source{Dir: b.TempDir(), LookupEnv: noEnv}); err != nil {
			b.Fatal(err)
		}
	}
}
