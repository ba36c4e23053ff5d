package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// parentWatch returns a function that tells whether the process that started this one has ended. The number of the parent stays the same
// here for ever, so its handle is asked.
func parentWatch() (ended func() bool) {
	handle, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getppid()))
	if err != nil {
		return func() bool { return true } // it has ended already
	}
	return func() bool {
		event, err := windows.WaitForSingleObject(handle, 0)
		return err == nil && event == windows.WAIT_OBJECT_0
	}
}
