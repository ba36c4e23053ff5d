// Package plugins shows that authenticators and spawners from PyPI work under minihub as they are: nothing of theirs is changed, and
// the configuration is what their documentation says.
//
// The tests have the build tag e2e and need the environment of e2e/requirements-plugins.txt (scripts/setup.sh plugins). With
// MINIHUB_E2E_HUB=jupyterhub they run against JupyterHub itself, which tests the tests. docs/plugins.md lists what is run here.
package plugins
