// Command minihub is the hub: flags and sub-commands over package app.
//
//	minihub [-f FILE] [--Class.trait=value ...]   run the hub (also as: minihub serve ...)
//	minihub check                                 read the configuration, print every problem, start nothing
//	minihub token [USER]                          print a new API token of a user
//	minihub upgrade-db                            bring the database to this version's schema
//	minihub proxy                                 run the reverse proxy alone, with configurable-http-proxy's flags
//	minihub version
//
// The flags are JupyterHub's, also when the program is called by the name jupyterhub.
package main
