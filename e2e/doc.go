// Package e2e holds the tests that run the hub as a process and talk to it with real clients: single-user servers,
// the examples of JupyterHub's source distribution, services in Flask and FastAPI, authlib, and a browser (in
// e2e/browser). They have the build tag e2e, because they need what scripts/setup.sh prepares; `make e2e` does both.
//
// The same tests run against JupyterHub itself when MINIHUB_E2E_HUB is jupyterhub: it is the oracle that shows that
// a test asks for the right thing. Where minihub differs on purpose the test says so at the place:
//
//   - harness.MinihubOnly skips a test of what JupyterHub does not have (with the reason);
//   - harness.Oracle chooses between two expectations, with a comment that tells why there are two.
//
// Python programs of the tests are in testdata; they are as small as such a program can be.
package e2e
