// Package harness starts the hub under test as a process and gives the tests their clients.
//
// [Start] writes a jupyterhub_config.py into a temporary folder (or copies an example of JupyterHub's source
// distribution there), chooses free ports, starts the hub, and waits until it answers. When the test ends the hub is
// stopped, every process that it left behind is killed by pid, and its log is searched for secrets that the clients
// have seen and for goroutine traces.
//
// [Client] is a browser without JavaScript: cookies, redirects, forms. [API] sends requests with a token. Nothing
// in this package sleeps for a fixed time to let something happen: [Poll] asks until the answer is the wanted one.
//
// Environment:
//
//	MINIHUB_E2E_HUB     minihub (default) or jupyterhub
//	MINIHUB_E2E_BINARY  the minihub binary, default bin/minihub
//	MINIHUB_E2E_VENV    the virtual environment of the clients, default .cache/venv
//	MINIHUB_E2E_TRY     when set, tests of what JupyterHub lacks run against it all the same
//	MINIHUB_E2E_KEEP    when set, the temporary folders are kept and named
package harness
