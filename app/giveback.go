package app

import "runtime/debug"

// GiveBack returns to the system what only the start has needed, memory and pages of the program. For a process that is a hub and nothing
// else, once it serves.
func GiveBack() {
	debug.FreeOSMemory()
	giveBackCode()
}
