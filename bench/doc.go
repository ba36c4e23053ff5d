// Command bench measures minihub and JupyterHub (with configurable-http-proxy) side by side, in one run on one machine, with the same
// configuration, the same database and the same work. `make bench` runs it; docs/benchmarks.md is what it wrote last.
//
// # What is compared
//
// Both hubs get the same configuration (config.go); minihub reads it as JSON where the table does not say otherwise, JupyterHub from a
// jupyterhub_config.py that reads the same JSON. Start and idle memory are those of an empty database. Everything else is measured on a
// copy of one SQLite file (fill.go): 50,000 users with their roles, 10,000 tokens, 5,000 servers of which 500 run. A running server
// there is a sleeping process with the environment of a server, which both hubs find by the pid in its row, and one backend (bench/peer)
// which answers for all of them. Servers that the hubs start themselves are real processes too, of the smallest program that will do.
//
// Load comes from this process (load.go) over real sockets on loopback: prepared bytes out, the answer's length in. Only one hub runs at
// a time, its peers beside it, on the same cores. Each figure is taken several times; the table shows the median, minimum and maximum,
// and only one measurement when a single one takes very long. A measured request that is not answered as expected fails the run.
//
// # The bars
//
// Proxied requests and WebSockets also go through nginx, where it is installed, to the same backend; small API requests also to a chi
// handler that does nothing. The same load generator measures these, so what it costs itself does not decide.
//
// # Other runs
//
// -growth measures minihub alone with 1,000 to 100,000 users and 10 to 1,000 servers (growth.go). The run also measures how long requests
// take while 200 people log in and 100 servers start (fair.go).
//
// No compatibility promise.
package main
