package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/freeport"
)

// Oracle tells whether the hub under test is JupyterHub itself.
func Oracle() bool { return os.Getenv("MINIHUB_E2E_HUB") == "jupyterhub" }

// MinihubOnly skips the test when the hub under test is JupyterHub; reason says what JupyterHub lacks.
func MinihubOnly(t testing.TB, reason string) {
	t.Helper()
	if Oracle() && os.Getenv("MINIHUB_E2E_TRY") == "" {
		t.Skip("the oracle cannot do this: " + reason)
	}
}

// Root is the top folder of the repository.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("no go.mod above the working directory")
		}
		dir = parent
	}
}

// Venv is the virtual environment with the Python clients.
func Venv() string {
	if dir := os.Getenv("MINIHUB_E2E_VENV"); dir != "" {
		return dir
	}
	return filepath.Join(Root(), ".cache", "venv")
}

// Python is the interpreter of [Venv].
func Python() string { return filepath.Join(Venv(), "bin", "python") }

// PluginsVenv is the virtual environment with the authenticators and spawners from PyPI, for [Options].Venv.
func PluginsVenv(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(), ".cache", "venv-plugins")
	if _, err := os.Stat(filepath.Join(dir, "bin", "python")); err != nil {
		t.Fatalf("no plug-ins to test: %v; run scripts/setup.sh plugins", err)
	}
	return dir
}

// Testdata is the path of a file below e2e/testdata.
func Testdata(name string) string { return filepath.Join(Root(), "e2e", "testdata", name) }

// hubCommand is the program under test and the arguments before all others; venv is where JupyterHub would be.
func hubCommand(t testing.TB, venv string) []string {
	t.Helper()
	command := []string{filepath.Join(Root(), "bin", "minihub")}
	if Oracle() {
		return referenceCommand(venv)
	}
	if binary := os.Getenv("MINIHUB_E2E_BINARY"); binary != "" {
		command[0] = binary
	}
	if _, err := os.Stat(command[0]); err != nil {
		t.Fatalf("no hub to test: %v; run make build, or set MINIHUB_E2E_BINARY", err)
	}
	return command
}

// referenceCommand is JupyterHub itself.
func referenceCommand(venv string) []string {
	return []string{filepath.Join(venv, "bin", "python"), "-m", "jupyterhub"}
}

// searchPath is PATH as somebody has it who activated the virtual environment.
func searchPath(venv string) string {
	return strings.Join([]string{
		filepath.Join(venv, "bin"),
		filepath.Join(Root(), ".cache", "npm", "node_modules", ".bin"),
		os.Getenv("PATH"),
	}, string(os.PathListSeparator))
}

// FreePort finds a port of 127.0.0.1 that nobody listens on, and that nobody gets by chance before it is used.
func FreePort(t testing.TB) int {
	t.Helper()
	return freeport.For(t)
}

// Poll calls done until it says true, and fails the test with what was waited for after the timeout.
func Poll(t testing.TB, timeout time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		if done() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", timeout, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
