//go:build !windows

package orm

import (
	"errors"
	"os"
	"syscall"
)

// lockNow locks a file until it is closed; errLocked when another process has done so.
func lockNow(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// removeLocked removes a file while its lock is held, so that nobody gets the lock of a file that is about to go.
func removeLocked(f *os.File, path string) error { return errors.Join(os.Remove(path), f.Close()) }
