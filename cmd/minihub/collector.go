package main

import (
	"os"
	"runtime/debug"
)

// startPercent is how much garbage may come together while the hub starts, in percent of what is in use: nearly all that a start
// allocates is garbage at its end, and collecting it meanwhile takes a fifth of the time.
const startPercent = 800

// hurry keeps the garbage collector away until settle is called. Who set GOGC decides alone.
func hurry() (settle func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(startPercent)
	return func() { debug.SetGCPercent(before) }
}
