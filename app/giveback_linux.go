package app

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBackCode lets the system take back the pages of the program's own file that the start has read. Most of them hold what only a start
// needs; those that are needed again come back from the page cache, a few microseconds each. Only mappings of which the kernel counts no
// page as anonymous, which a page becomes when it is written: in a build with cgo the dynamic linker has written into read-only ones.
func giveBackCode() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var begin, end uint64
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		switch {
		case len(f) > 1 && strings.Contains(f[0], "-"):
			begin, end = 0, 0
			if len(f) == 6 && f[5] == self && !strings.Contains(f[1], "w") {
				begin, end = addresses(f[0])
			}
		case len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0" && begin < end:
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}

// addresses are those of a mapping; both 0 when they cannot be read.
func addresses(text string) (begin, end uint64) {
	from, to, _ := strings.Cut(text, "-")
	begin, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	if err1 != nil || err2 != nil {
		return 0, 0
	}
	return begin, end
}
