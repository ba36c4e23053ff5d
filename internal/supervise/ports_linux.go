package supervise

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Listening lists the TCP addresses on which the processes of a group accept connections, sorted and each once. It is for explanations:
// what cannot be read (another user's process, no /proc) is left out, so that an empty answer with ok false means "not known".
func Listening(group int) (addresses []netip.AddrPort, ok bool) {
	pids, err := allPIDs()
	if err != nil {
		return nil, false
	}
	sockets, tables := map[string]bool{}, map[string]string{}
	for _, pid := range pids {
		if stat, err := readStat(pid); err != nil || stat.group != group || stat.dead() {
			continue
		}
		inodes, err := socketInodes(pid)
		if err != nil {
			continue
		}
		ok = true
		for _, inode := range inodes {
			sockets[inode] = true
		}
		proc := "/proc/" + strconv.Itoa(pid)
		if space, err := os.Readlink(proc + "/ns/net"); err == nil {
			tables[space] = proc
		}
	}
	for _, proc := range tables {
		for _, table := range []string{"/net/tcp", "/net/tcp6"} {
			addresses = append(addresses, listenersOf(proc+table, sockets)...)
		}
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses), ok
}

// socketInodes are the numbers of a process's open sockets.
func socketInodes(pid int) ([]string, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list files of pid %d: %w", pid, err)
	}
	var inodes []string
	for _, entry := range entries {
		target, err := os.Readlink(dir + "/" + entry.Name())
		if inode, found := strings.CutPrefix(target, "socket:["); err == nil && found {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	return inodes, nil
}

// listenersOf reads a table like /proc/net/tcp (proc_pid_net(5)): state 0A is "listening", column 9 the socket's number.
func listenersOf(table string, sockets map[string]bool) (addresses []netip.AddrPort) {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if column := strings.Fields(lines.Text()); len(column) > 9 && column[3] == "0A" && sockets[column[9]] {
			if address, err := parseAddress(column[1]); err == nil {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// parseAddress reads an address of /proc/net/tcp: hexadecimal words of 32 bits in the machine's order (little endian on what Linux hubs
// run on), then the port.
func parseAddress(text string) (netip.AddrPort, error) {
	host, portText, _ := strings.Cut(text, ":")
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	var raw []byte
	for word := range slices.Chunk([]byte(host), 8) {
		n, err := strconv.ParseUint(string(word), 16, 32)
		if err != nil {
			return netip.AddrPort{}, err
		}
		raw = append(raw, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", text)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}
