//go:build !windows

package main

import "os"

// parentWatch returns a function that tells whether the process that started this one has ended: another one is the parent then.
func parentWatch() (ended func() bool) {
	parent := os.Getppid()
	return func() bool { return os.Getppid() != parent }
}
