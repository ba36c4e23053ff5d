// Command bench measures minihub and JupyterHub side by side, in one run on one machine, with the same configuration and
// the same work: time from start to the first answer, memory when idle, requests per second. `make bench` runs it.
//
// Load comes from this process, over real sockets on loopback; both hubs run alone while they are measured. Each figure
// is taken several times; the table shows the median, and minimum and maximum behind it.
//
// No compatibility promise.
package main
