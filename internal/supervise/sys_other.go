//go:build !unix

package supervise

import (
	"errors"
	"fmt"
	"syscall"
)

// Start returns errors.ErrUnsupported on this platform.
func Start(cmd Command) (*Process, error) {
	return nil, cmd.fail(StartOther, "", fmt.Errorf("run processes on this platform: %w", errors.ErrUnsupported))
}

type sysProcess struct{}

func openSys(int) *sysProcess                             { return &sysProcess{} }
func (*sysProcess) waitExit(*Process) bool                { return false }
func (*sysProcess) exitStatus(*Process) ExitStatus        { return ExitStatus{} }
func (*sysProcess) wake()                                 {}
func (*sysProcess) release()                              {}
func (*sysProcess) sweep(*Process)                        {}
func (*sysProcess) signal(*Process, syscall.Signal) error { return errors.ErrUnsupported }

func (*sysProcess) alone() {}
