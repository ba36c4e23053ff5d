package orm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// memoryPattern names the directories of databases in memory.
const memoryPattern = "minihub-memory-*"

// memory is the directory of a database in memory: a file on a memory file system, private and gone with close. SQLite's own databases
// in memory lock readers out while a transaction is open (memdb) or show them what is not committed (shared cache).
type memory struct {
	dir   string
	owner *os.File // locked as long as the process lives
}

// newMemory makes a directory, and removes those whose processes were killed.
func newMemory() (*memory, error) {
	base := "/dev/shm"
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		base = os.TempDir()
	}
	sweepMemory(base)
	m, err := makeMemory(base)
	if err != nil && base != os.TempDir() {
		m, err = makeMemory(os.TempDir())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: make a database in memory: %w", ErrUnavailable, err)
	}
	return m, nil
}

// makeMemory tries again when somebody's sweep got the lock first, in the moment between making the file and locking it.
func makeMemory(base string) (*memory, error) {
	for {
		dir, err := os.MkdirTemp(base, memoryPattern)
		if err != nil {
			return nil, err
		}
		m := &memory{dir: dir}
		m.owner, err = os.OpenFile(ownerOf(dir), os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			err = lockNow(m.owner)
		}
		if err == nil {
			return m, nil
		}
		err = errors.Join(err, m.close())
		if !errors.Is(err, errLocked) && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
}

// MemoryDir is a directory that goes with a database in memory, for files that nobody needs without it; "" for any other database.
func (s *Store) MemoryDir() string {
	if s.c.memory == nil {
		return ""
	}
	return s.c.memory.dir
}

func ownerOf(dir string) string { return filepath.Join(dir, "owner") }

func (m *memory) close() error {
	var err error
	if m.owner != nil {
		err = m.owner.Close()
	}
	return errors.Join(err, os.RemoveAll(m.dir))
}

// sweepMemory removes the directories that nobody holds the lock of. What cannot be opened belongs to other users.
func sweepMemory(base string) {
	dirs, err := filepath.Glob(filepath.Join(base, memoryPattern))
	if err != nil {
		return // the pattern is right
	}
	for _, dir := range dirs {
		owner, err := os.OpenFile(ownerOf(dir), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lockNow(owner) == nil {
			_ = (&memory{dir: dir, owner: owner}).close() // the next hub tries again
			continue
		}
		_ = owner.Close()
	}
}
