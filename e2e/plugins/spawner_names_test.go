//go:build e2e

package plugins

import (
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestShortNames gives the names that plug-ins and JupyterHub register: minihub's own classes come first, then those of the
// environment; check and adopt say which. (What the log of a start says is in TestDockerSpawner.)
func TestShortNames(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it has neither check nor adopt")
	dir := t.TempDir()
	for _, row := range []struct{ spawner, authenticator, said string }{
		{"simple", "dummy", "authenticator dummy, spawner simple"},
		{"jupyterhub.spawner.LocalProcessSpawner", "jupyterhub.auth.DummyAuthenticator", "authenticator dummy, spawner localprocess"},
		{"docker", "generic-oauth", "authenticator in Python, spawner in Python"},
		{"Docker", "GitHub", "authenticator in Python, spawner in Python"},
		{"systemd", "native", "authenticator in Python, spawner in Python"},
		{"sudo", "ldap", "authenticator in Python, spawner in Python"},
		{"kubespawner.KubeSpawner", "gitlab", "authenticator in Python, spawner in Python"},
	} {
		out, ok := minihub(t, dir, nil, "adopt", "--JupyterHub.spawner_class="+row.spawner, "--JupyterHub.authenticator_class="+row.authenticator)
		if !ok || !strings.Contains(out, row.said) {
			t.Errorf("%s and %s: accepted %v, want %q\n%s", row.spawner, row.authenticator, ok, row.said, out)
		}
	}
	for _, name := range []string{"kubernetes-of-nobody", "docker.Nothing"} {
		out, ok := minihub(t, dir, nil, "check", "--JupyterHub.spawner_class="+name)
		if ok || !strings.Contains(out, "JupyterHub.spawner_class") || !strings.Contains(out, "is not built in and cannot be loaded with Python") ||
			!strings.Contains(out, "MINIHUB_PYTHON") {
			t.Errorf("%s: accepted %v\n%s", name, ok, out)
		}
	}
}
