package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc: Linux shows 100 ticks per second to programs, whatever the kernel counts in.
const clockTick = 10 * time.Millisecond

// family returns a process and all processes below it.
func family(root int) []int {
	below := map[int]bool{root: true}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parents := map[int]int{}
	for _, path := range stats {
		if pid, fields := stat(path); fields != nil {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	for changed := true; changed; {
		changed = false
		for pid, parent := range parents {
			if below[parent] && !below[pid] {
				below[pid], changed = true, true
			}
		}
	}
	var out []int
	for pid := range below {
		out = append(out, pid)
	}
	return out
}

// stat returns the fields of /proc/N/stat after the name: state, parent, and so on.
func stat(path string) (pid int, fields []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, nil
	}
	pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
	fields = strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return pid, nil
	}
	return pid, fields
}

// memoryOf returns the resident memory of processes in bytes.
func memoryOf(pids []int) int64 {
	var sum int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				sum += kib << 10
			}
		}
	}
	return sum
}

// cpuOf returns the CPU time, own and the system's, that processes have used so far.
func cpuOf(pids []int) time.Duration {
	var ticks int64
	for _, pid := range pids {
		_, fields := stat(fmt.Sprintf("/proc/%d/stat", pid))
		if fields == nil {
			continue
		}
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		ticks += user + system
	}
	return time.Duration(ticks) * clockTick
}
