// Package toy is a small single-user server inside the binary, for tests, demos and machines without Python.
//
// [Server] does towards the hub what jupyterhub-singleuser does: OAuth login with a state cookie and PKCE, GET /user with a cache, access by
// the scopes in JUPYTERHUB_OAUTH_ACCESS_SCOPES, activity reports, the X-JupyterHub-Version header. Everything it knows comes from the
// JUPYTERHUB_* variables it is constructed with, so that it can also be a process of its own. What it serves below its prefix:
//
//	/                           who is logged in, with scopes and the names of its environment variables (page)
//	/whoami                     the same as JSON
//	/api                        version as Jupyter Server tells it, without login: the hub's readiness probe
//	/api/status, /api/kernels   as Jupyter Server
//	/ws, /api/kernels/ID/channels   WebSockets that echo
//	/oauth_callback, /logout    login and logout
//
// [Driver] runs servers as goroutines with a loopback listener each. They end with the hub: LoadState finds nothing. Starts can be made to
// misbehave by user_options, for tests of the hub:
//
//	{"toy": {"start_delay": 2, "fail": "message", "never_ready": true, "die_after": 5, "stop_delay": 3}}
//
// The package is promised to nobody; servers of real people want spawner/local or better.
package toy
