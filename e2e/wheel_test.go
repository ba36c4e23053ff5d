//go:build e2e

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestWheel builds the Python wheel, installs it into a new environment that has neither JupyterHub nor Node, and runs the tests of
// examples/python there, in eight processes at once.
func TestWheel(t *testing.T) {
	harness.MinihubOnly(t, "the wheel carries minihub")
	run := func(dir string, env []string, argv ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
		}
		return string(out)
	}
	root := harness.Root()
	run(root, nil, "scripts/wheels.sh", "here")
	wheels, err := filepath.Glob(filepath.Join(root, "dist", "minihub-*-manylinux2014_*.whl"))
	if err != nil || len(wheels) == 0 {
		t.Fatalf("no wheel in dist/: %v", err)
	}
	venv := filepath.Join(t.TempDir(), "venv")
	run(root, nil, harness.Python(), "-m", "venv", venv)
	python := filepath.Join(venv, "bin", "python")
	run(root, nil, python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "examples/python/requirements.txt", wheels[len(wheels)-1])
	if out, err := exec.Command(python, "-c", "import jupyterhub").CombinedOutput(); err == nil {
		t.Fatalf("the new environment has jupyterhub: %s", out)
	}
	path := "PATH=" + filepath.Join(venv, "bin") + ":/usr/bin:/bin"
	if out := run(root, []string{path}, filepath.Join(venv, "bin", "minihub"), "version"); !strings.Contains(out, "6.1.1") {
		t.Errorf("minihub version says %q", out)
	}
	script := `import time, minihub
times = []
for _ in range(20):
    begin = time.perf_counter()
    with minihub.Hub(users=["ann"]):
        times.append(time.perf_counter() - begin)
print(f"first {times[0] * 1000:.0f} ms, best {min(times) * 1000:.0f} ms, median {sorted(times)[10] * 1000:.0f} ms")`
	t.Logf("a hub is ready after: %s", run(root, []string{path}, python, "-c", script))
	begin := time.Now()
	out := run(root, []string{path}, python, "-m", "pytest", "-q", "-n", "8", "examples/python")
	t.Logf("%s in %s", out, time.Since(begin))
	if !strings.Contains(out, " passed") || strings.Contains(out, "skipped") {
		t.Errorf("pytest: %s", out)
	}
}
