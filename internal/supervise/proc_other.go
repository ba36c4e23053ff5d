//go:build !linux

package supervise

import (
	"errors"
	"fmt"
)

func inspect(int) (id Identity, alive bool, err error) {
	return Identity{}, false, fmt.Errorf("identify processes on this platform: %w", errors.ErrUnsupported)
}

// ReadEnviron returns errors.ErrUnsupported on this platform.
func ReadEnviron(int) (Environ, error) {
	return nil, fmt.Errorf("read environment of a process on this platform: %w", errors.ErrUnsupported)
}

// SessionLeader is not known on this platform.
func SessionLeader(int) bool { return false }

func allPIDs() ([]int, error) {
	return nil, fmt.Errorf("list processes on this platform: %w", errors.ErrUnsupported)
}

func processGroup(int) int { return 0 }
