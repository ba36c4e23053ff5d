//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
)

// command runs a program of the repository with the binary under test, and gives what it printed.
func command(t *testing.T, env []string, argv ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = harness.Root()
	cmd.Env = append(append(os.Environ(), "MINIHUB_BIN="+filepath.Join(harness.Root(), "bin", "minihub")), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestHubFromOtherLanguages runs the examples for a shell and for Node.js.
func TestHubFromOtherLanguages(t *testing.T) {
	harness.MinihubOnly(t, "test-server is minihub's")
	t.Run("curl", func(t *testing.T) {
		out, err := command(t, nil, "examples/curl/first-steps.sh")
		if err != nil || !strings.Contains(out, `"server":"/user/bob/"`) || !strings.Contains(out, "503") {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("node", func(t *testing.T) {
		out, err := command(t, nil, "node", "--test", "examples/node/")
		if err != nil || !strings.Contains(out, "pass 3") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// TestAction runs what the GitHub Action runs.
func TestAction(t *testing.T) {
	harness.MinihubOnly(t, "the action starts minihub")
	output := filepath.Join(t.TempDir(), "output")
	if out, err := command(t, []string{"GITHUB_OUTPUT=" + output, "SPEC=users: [ann]"}, "scripts/action.sh"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	var ready hubtest.Ready
	if err := json.Unmarshal([]byte(values["ready"]), &ready); err != nil {
		t.Fatalf("%q: %v", values["ready"], err)
	}
	defer func() { _ = syscall.Kill(ready.PID, syscall.SIGTERM) }()
	if who, err := hubapi.New(values["api_url"], ready.Tokens["ann"]).Whoami(t.Context()); err != nil || who.Name != "ann" {
		t.Errorf("the hub of the action: %+v, %v", who, err)
	}
	if values["admin_token"] != ready.AdminToken || values["url"] != ready.URL || values["control_url"] != ready.ControlURL {
		t.Errorf("outputs %v do not agree with %+v", values, ready)
	}
}

// TestContainer builds the image of examples/container with an engine of its own and runs a hub in it.
func TestContainer(t *testing.T) {
	harness.MinihubOnly(t, "the image has minihub")
	d := harness.StartDocker(t)
	if out, err := d.Try("build", "-q", "-t", "minihub:test", "-f", filepath.Join(harness.Root(), "examples/container/Dockerfile"), harness.Root()); err != nil {
		t.Fatalf("docker build: %v: %s", err, out)
	}
	dir := t.TempDir()
	config := "JupyterHub:\n  bind_url: http://0.0.0.0:8000\n  authenticator_class: dummy\n  spawner_class: toy\n"
	if err := os.WriteFile(filepath.Join(dir, "hub.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	d.Run(t, "run", "-d", "--name", "hub", "-v", dir+":/srv/hub", "minihub:test", "-f", "hub.yaml")
	hub := hubapi.New("http://"+d.Inspect("hub", "{{.NetworkSettings.IPAddress}}")+":8000/hub/api", "")
	harness.Poll(t, 30*time.Second, "the hub in the container", func() bool {
		version, err := hub.Version(t.Context())
		return err == nil && version == "6.1.1"
	})
	if _, err := os.Stat(filepath.Join(dir, "jupyterhub.sqlite")); err != nil {
		t.Errorf("the database is not in the mounted folder: %v", err)
	}
}
