package pybridge

import (
	"errors"
	"fmt"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

// socketPair tells that a child cannot be given one end of a socket here.
func socketPair() ([2]int, error) {
	return [2]int{}, fmt.Errorf("configuration in Python is %w on Windows; write it as .json, .yaml or .toml, with classes of minihub's own", errors.ErrUnsupported)
}
