// Package app is the composition root: it builds every part of the hub from a config.Config, plugs them together, starts
// them in order and stops them in reverse. It has no logic of its own beyond that, with two exceptions that need all
// parts: Routes, which keeps the proxy's routes what they should be and carries activity from the proxy to the database,
// and the format of log lines.
//
// The order of starting is: store, roles and people (hub.Setup), listeners, servers of an earlier hub, services, timers.
// A part that fails to start stops those before it.
//
// No compatibility promise: hubtest is the public way to run a hub inside a program.
package app
