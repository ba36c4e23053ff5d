// Package pybridge is the way to Python: one child process evaluates jupyterhub_config.py.
//
// Evaluate runs the embedded python/evaluate.py, which needs only Python's standard library, with the path of a
// configuration file. The child executes the file with the names that traitlets gives it (c, get_config, load_subconfig)
// and answers with JSON on a pipe of its own, so that whatever the file prints goes to the log and not into the answer.
// What JSON cannot hold (sets, bytes, changes of a default, functions, classes) is marked; package config knows the
// markers, and app plugs the two together, so neither imports the other.
//
// Errors of the file carry its line and the places of the traceback, never its source lines, which may hold secrets.
// There is no compatibility promise.
package pybridge
