//go:build e2e

package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// TestProjectsOnTheFixture runs the tests of projects that talk to a hub on the fixture of python/, which takes the place of the hub that
// they start or imitate. See e2e/projects.
func TestProjectsOnTheFixture(t *testing.T) {
	harness.MinihubOnly(t, "the fixture's own hub is tested here")
	venv := filepath.Join(harness.Root(), ".cache", "venv-projects")
	python := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Fatalf("no projects to test: %v; run scripts/setup.sh projects", err)
	}
	culler, err := filepath.Glob(filepath.Join(harness.Root(), ".cache", "projects", "jupyterhub-idle-culler-*", "tests", "test_*.py"))
	if err != nil || len(culler) == 0 {
		t.Fatalf("the culler's own tests are missing: %v; run scripts/setup.sh projects", err)
	}
	for _, project := range []struct {
		name   string
		files  []string // the project's own tests
		args   []string
		env    []string
		passes int // at least
	}{
		{name: "idle_culler", files: culler, args: []string{"-o", "asyncio_mode=auto", "-p", "no:tornado", "."}, passes: 6},
		{name: "ngshare", args: []string{"--pyargs", "ngshare.test_ngshare", "-p", "conftest"}, passes: 30},
		{name: "ngshare_service", passes: 4},
		{name: "dask_gateway", args: []string{"-p", "no:tornado", "."}, passes: 5},
		{name: "fastapi", env: []string{"MINIHUB_FASTAPI=" + filepath.Join(harness.Sdist(t), "examples", "service-fastapi")}, passes: 7},
	} {
		t.Run(project.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(harness.Root(), "e2e", "projects", project.name))); err != nil {
				t.Fatal(err)
			}
			for _, file := range project.files {
				copyTest(t, file, dir)
			}
			args := []string{"-m", "pytest", "-q", "-p", "minihub.pytest_plugin", "-p", "no:cacheprovider", "--rootdir", dir, "-c", os.DevNull}
			cmd := exec.CommandContext(t.Context(), python, append(args, project.args...)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "MINIHUB_BIN="+filepath.Join(harness.Root(), "bin", "minihub"),
				"PYTHONPATH="+filepath.Join(harness.Root(), "python", "src")+":"+dir, "PATH="+filepath.Join(venv, "bin")+":"+os.Getenv("PATH"))
			cmd.Env = append(cmd.Env, project.env...)
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("pytest: %v\n%s", err, out)
			}
			said := regexp.MustCompile(`(\d+) passed`).FindSubmatch(out)
			if said == nil || regexp.MustCompile(`\d+ (skipped|failed|error)`).Match(out) {
				t.Fatalf("pytest did not run all:\n%s", out)
			}
			if n, err := strconv.Atoi(string(said[1])); err != nil || n < project.passes {
				t.Errorf("%d tests passed, want at least %d:\n%s", n, project.passes, out)
			}
			t.Logf("%s in %s", said[0], time.Since(begin).Round(time.Millisecond))
		})
	}
}

func copyTest(t *testing.T, file, dir string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(dir, filepath.Base(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
