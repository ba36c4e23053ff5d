package orm

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// lockAt is the byte that is locked: far behind the text, because nobody else can read what is locked here.
const lockAt = 1 << 30

// lockNow locks a file until it is closed; errLocked when another process has done so.
func lockNow(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{Offset: lockAt})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// removeLocked closes a file and removes it, which goes in this order only. The next hub may have it open by then; it stays in that case.
func removeLocked(f *os.File, path string) error {
	err := f.Close()
	if gone := os.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) && !errors.Is(gone, windows.ERROR_SHARING_VIOLATION) {
		err = errors.Join(err, gone)
	}
	return err
}
