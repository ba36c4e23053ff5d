//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// examplesPerOperation is how many generated requests each operation gets, beside those that walk through the limits of its schema.
const examplesPerOperation = 200

// notFuzzed are the operations that are left out, with the reason.
var notFuzzed = map[string]string{
	"POST /shutdown": "it ends the hub; api's tests have it",
}

// TestSchemathesis sends what the descriptions of the API permit, and what they forbid, to all operations: with minihub's own
// description no answer is a server error or differs from what is described; with JupyterHub's none is a server error.
func TestSchemathesis(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "JupyterHub has 5xx answers to wrong requests")
	const all = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
	published := filepath.Join(harness.Root(), ".cache/sdist/jupyterhub-6.1.1/docs/source/_static/rest-api.yml")
	for name, row := range map[string]struct {
		document string // "" = the hub's own
		checks   string
		part     string // which operations, as arguments of schemathesis
		least    int    // operations
	}{
		"minihub's description of shares":   {"", all, "--include-tag", 30},
		"minihub's description of the rest": {"", all, "--exclude-tag", 60},
		"JupyterHub's description":          {published, "not_a_server_error", "", 53},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := harness.Start(t, harness.Options{Config: "c.JupyterHub.spawner_class = \"toy\"\nc.Spawner.cmd = []\n"})
			document := row.document
			if document == "" {
				document = hub.URL + "/hub/api/openapi.json"
			}
			var part []string
			if row.part != "" {
				part = []string{row.part, "Shares"}
			}
			output := fuzz(t, hub, document, append(part, "--checks", row.checks)...)
			tested, generated := number(t, output, `Tested: (\d+)`), number(t, output, `(\d+) generated`)
			if tested < row.least || generated < tested*examplesPerOperation/4 {
				t.Errorf("%d operations with %d requests were tested, at least %d operations are expected\n%s", tested, generated, row.least, output)
			}
			t.Logf("%d operations, %d requests", tested, generated)
			hub.API(t, "").Get("/").Want(http.StatusOK)
		})
	}
}

// fuzz runs schemathesis and returns what it printed. It runs in one thread: what it sends is then the same each time.
func fuzz(t *testing.T, hub *harness.Hub, document string, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"run", document, "--url", hub.URL + "/hub/api", "--header", "Authorization: token " + hub.AdminToken,
		"--max-examples", strconv.Itoa(examplesPerOperation), "--workers", "1", "--phases", "coverage,fuzzing",
		"--generation-deterministic", "--continue-on-failure", "--request-timeout", "60", "--no-color", "--warnings", "off", "--suppress-health-check", "all"}
	args = append(args, more...)
	for operation := range notFuzzed {
		_, path, _ := strings.Cut(operation, " ")
		args = append(args, "--exclude-path", path)
	}
	program := filepath.Join(harness.Root(), ".cache", "tools", "bin", "schemathesis")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("no schemathesis: %v; run scripts/setup.sh tools", err)
	}
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS=schemathesis_hooks", "PYTHONPATH="+filepath.Dir(harness.Testdata("schemathesis_hooks.py")),
		"PYTHONDONTWRITEBYTECODE=1", "FUZZ_API="+hub.URL+"/hub/api", "FUZZ_TOKEN="+hub.AdminToken)
	begin := time.Now()
	output, err := command.CombinedOutput()
	t.Logf("schemathesis took %s", time.Since(begin).Round(time.Second))
	if err != nil {
		t.Errorf("schemathesis: %v\n%s", err, tailOf(string(output), 20000))
	}
	return string(output)
}

// number finds a number in the report.
func number(t *testing.T, text, pattern string) int {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("nothing like %s in the report:\n%s", pattern, text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", m[0], err))
	}
	return n
}

func tailOf(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}
