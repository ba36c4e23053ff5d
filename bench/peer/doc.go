// Command peer is what `make bench` puts around the hubs that it measures: the cheapest single-user server, the backend behind the
// proxies, and the bar that small requests are held against.
//
//	peer server     a single-user server as a hub starts it: answers every request below JUPYTERHUB_SERVICE_URL with 200
//	peer backend    the program behind the proxies: a short text, 1 MiB at .../big, a WebSocket that echoes at .../ws
//	peer probe      asks for a path from time to time and prints how long the answers took
//	peer bar        a chi router with one handler that answers what GET /hub/api/user answers, without looking at anything
//
// backend and bar print the address that they listen on and end when their standard input is closed; server ends when the process that
// BENCH_PID names is gone.
//
// No compatibility promise.
package main
