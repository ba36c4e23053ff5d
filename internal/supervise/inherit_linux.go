package supervise

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeInherited marks every descriptor above 2 close-on-exec. Go's own are, but the hub may have been started with
// others (a socket of its supervisor, a shell's redirection), and those would end up in every server.
func closeInherited() {
	const cloexec = 1 << 2 // CLOSE_RANGE_CLOEXEC, Linux 5.11
	if unix.CloseRange(3, 1<<31-1, cloexec) == nil {
		return
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// ignoredSignals asks the kernel: os/signal.Ignored does not know of a signal that was ignored and then reset, which Go
// leaves ignored.
func ignoredSignals(among []syscall.Signal) []syscall.Signal {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(status), "\nSigIgn:")
	line, _, _ := strings.Cut(rest, "\n")
	mask, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if err != nil {
		return nil
	}
	var ignored []syscall.Signal
	for _, sig := range among {
		if mask&(1<<(sig-1)) != 0 {
			ignored = append(ignored, sig)
		}
	}
	return ignored
}
