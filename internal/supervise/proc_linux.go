package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// procStat is what we need of /proc/PID/stat.
type procStat struct {
	state         byte // 'Z' and 'X' are dead
	group, leader int  // process group and session
	start         uint64
}

func (s procStat) dead() bool { return s.state == 'Z' || s.state == 'X' }

// readStat returns ErrGone when there is no such process.
func readStat(pid int) (procStat, error) {
	if pid <= 0 {
		return procStat{}, fmt.Errorf("%w: %d is no pid", ErrGone, pid)
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return procStat{}, fmt.Errorf("%w: pid %d does not run", ErrGone, pid)
	}
	if err != nil {
		return procStat{}, fmt.Errorf("read state of pid %d: %w", pid, err)
	}
	return parseStat(data)
}

// parseStat starts behind the last parenthesis: the command name before it may hold anything.
func parseStat(data []byte) (procStat, error) {
	end := bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[end+1:]))
	if end < 0 || len(fields) < 20 {
		return procStat{}, fmt.Errorf("read process state: %q has too few fields", data)
	}
	group, groupErr := strconv.Atoi(fields[2])
	leader, leaderErr := strconv.Atoi(fields[3])
	start, startErr := strconv.ParseUint(fields[19], 10, 64)
	if err := errors.Join(groupErr, leaderErr, startErr); err != nil {
		return procStat{}, fmt.Errorf("read process state: %w", err)
	}
	return procStat{state: fields[0][0], group: group, leader: leader, start: start}, nil
}

func inspect(pid int) (id Identity, alive bool, err error) {
	stat, err := readStat(pid)
	if errors.Is(err, ErrGone) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, false, fmt.Errorf("read boot id: %w", err)
	}
	return Identity{PID: pid, StartTime: stat.start, BootID: strings.TrimSpace(string(boot))}, !stat.dead(), nil
}

// ReadEnviron returns the environment a process was started with. It needs the process' user or root.
func ReadEnviron(pid int) (Environ, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return nil, fmt.Errorf("read environment of pid %d: %w", pid, err)
	}
	return parseEnviron(string(data)), nil
}

// SessionLeader says whether the process leads its own session and group, as every server that a hub started does.
func SessionLeader(pid int) bool {
	stat, err := readStat(pid)
	return err == nil && stat.group == pid && stat.leader == pid
}

// allPIDs lists the processes of this pid namespace.
func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// groupMembers says whether a living process is in the group.
func groupMembers(group int) bool {
	pids, err := allPIDs()
	if err != nil {
		return false
	}
	for _, pid := range pids {
		if stat, err := readStat(pid); err == nil && stat.group == group && !stat.dead() {
			return true
		}
	}
	return false
}

func processGroup(pid int) int {
	stat, err := readStat(pid)
	if err != nil {
		return 0
	}
	return stat.group
}
