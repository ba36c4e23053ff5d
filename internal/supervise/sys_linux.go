package supervise

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// recheck bounds what a lost wake-up costs.
	recheck = 30 * time.Second
	// pollEvery is for kernels and sandboxes without pidfds.
	pollEvery = 100 * time.Millisecond
)

// sysProcess is the kernel's side of a process. With a pidfd nothing here can hit another process of the same pid.
type sysProcess struct {
	group   bool // the process leads its group
	groupFD bool // the kernel (6.9) signals groups through a pidfd
	pidfd   *os.File
	mu      sync.Mutex // signals against reaping
	reaped  bool
	status  ExitStatus
}

// adoptChild takes over a process just started. It is not reaped by anybody else, so its pid is its own.
func adoptChild(proc *os.Process, marker string) (Identity, *sysProcess) {
	id, _, err := inspect(proc.Pid)
	if err != nil {
		id = Identity{} // without /proc the process works but cannot be adopted later
	}
	id.PID, id.Marker = proc.Pid, marker
	sys := &sysProcess{group: true, pidfd: openPidfd(proc.Pid)}
	sys.groupFD = sys.probeGroup()
	_ = proc.Release()
	return id, sys
}

// openSys opens a pidfd for a process that is not a child; the caller verifies the identity afterwards.
func openSys(pid int) *sysProcess {
	sys := &sysProcess{group: SessionLeader(pid), pidfd: openPidfd(pid), reaped: true}
	sys.groupFD = sys.group && sys.probeGroup()
	return sys
}

// openPidfd returns nil where there are no pidfds (old kernels, sandboxes).
func openPidfd(pid int) *os.File {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "pidfd")
}

func (s *sysProcess) probeGroup() bool { return s.pidfdSignal(0, true) == nil }

func (s *sysProcess) pidfdSignal(sig syscall.Signal, group bool) error {
	if s.pidfd == nil {
		return syscall.ENOSYS
	}
	conn, err := s.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	flags := 0
	if group {
		flags = 1 << 2 // PIDFD_SIGNAL_PROCESS_GROUP
	}
	if ctlErr := conn.Control(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), sig, nil, flags) }); ctlErr != nil {
		return ctlErr
	}
	return err
}

// waitExit returns true when the process has ended and false after Close. It holds no thread while it waits.
func (s *sysProcess) waitExit(p *Process) bool {
	if s.pidfd == nil {
		return s.pollExit(p)
	}
	conn, err := s.pidfd.SyscallConn()
	if err != nil {
		return s.pollExit(p)
	}
	for {
		ended := false
		if err := s.pidfd.SetReadDeadline(time.Now().Add(recheck)); err != nil {
			return s.pollExit(p)
		}
		select {
		case <-p.closing: // after the deadline was set, so that wake's deadline wins or is seen here
			return false
		default:
		}
		err := conn.Read(func(uintptr) bool {
			ended = s.hasEnded(p)
			return ended
		})
		if ended {
			return true
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return s.pollExit(p)
		}
	}
}

func (s *sysProcess) pollExit(p *Process) bool {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if s.hasEnded(p) {
			return true
		}
		select {
		case <-p.closing:
			return false
		case <-ticker.C:
		}
	}
}

// wake ends waitExit after closing was closed.
func (s *sysProcess) wake() {
	if s.pidfd != nil {
		_ = s.pidfd.SetReadDeadline(time.Unix(1, 0))
	}
}

// hasEnded leaves a child unreaped: its pid must not be reused while its group is still to be ended.
func (s *sysProcess) hasEnded(p *Process) bool {
	if !p.child {
		stat, err := readStat(p.id.PID)
		return errors.Is(err, ErrGone) || err == nil && (stat.dead() || stat.start != p.id.StartTime)
	}
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.id.PID, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	if errors.Is(err, unix.ECHILD) { // somebody else reaped it: ended, and nobody knows how
		s.mu.Lock()
		s.reaped = true
		s.mu.Unlock()
		return true
	}
	if err != nil || info.Signo == 0 {
		return false
	}
	s.status = decode(&info)
	return true
}

// decode reads si_status, which x/sys does not name. It follows the three leading words, si_pid and si_uid; 64-bit
// systems align the union to 8 bytes.
func decode(info *unix.Siginfo) ExitStatus {
	offset := uintptr(20)
	if unsafe.Sizeof(uintptr(0)) == 8 {
		offset = 24
	}
	value := *(*int32)(unsafe.Add(unsafe.Pointer(info), offset))
	const exited, dumped = 1, 3 // CLD_EXITED, CLD_DUMPED
	if info.Code == exited {
		return exitedWith(int(value))
	}
	return killedBy(syscall.Signal(value), info.Code == dumped)
}

func (s *sysProcess) exitStatus(*Process) ExitStatus { return s.status }

func (s *sysProcess) release() {
	if s.pidfd != nil {
		_ = s.pidfd.Close()
	}
}

// signal reaches the group, or the process alone when it does not lead one.
func (s *sysProcess) signal(p *Process, sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.groupFD:
		err = s.pidfdSignal(sig, true)
	case p.child && !s.reaped:
		err = syscall.Kill(-p.id.PID, sig) // a zombie at worst: the pid is still its own
	default:
		err = s.signalChecked(p, sig)
	}
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("signal pid %d: %w", p.id.PID, ErrGone)
	}
	if err != nil {
		return fmt.Errorf("send signal %d to process group %d: %w", int(sig), p.id.PID, err)
	}
	return nil
}

// signalChecked is for adopted processes on kernels that cannot signal a group through a pidfd: look, then signal.
func (s *sysProcess) signalChecked(p *Process, sig syscall.Signal) error {
	if err := p.id.verify(); err != nil {
		return err
	}
	if s.group {
		return syscall.Kill(-p.id.PID, sig)
	}
	if s.pidfd != nil {
		return s.pidfdSignal(sig, false)
	}
	return syscall.Kill(p.id.PID, sig)
}

// alone restricts signals to the process itself.
func (s *sysProcess) alone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group, s.groupFD = false, false
}
