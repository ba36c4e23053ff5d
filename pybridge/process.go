package pybridge

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// process is one child.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has been waited for
}

// startProcess starts an interpreter with one end of a socket pair, which nobody else can open.
func startProcess(o Options, out *os.File) (*process, net.Conn, error) {
	boot, err := sources.ReadFile("python/boot.py")
	if err != nil {
		return nil, nil, fmt.Errorf("read the bridge's own modules: %w", err)
	}
	fds, err := socketPair()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket for %s: %w", o.Python, err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "bridge"), os.NewFile(uintptr(fds[1]), "child")
	defer theirs.Close()
	defer ours.Close()
	sock, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket for %s: %w", o.Python, err)
	}
	p := &process{cmd: exec.Command(o.Python, "-c", string(boot), "3"), done: make(chan struct{})}
	env := o.Env
	if env == nil {
		env = os.Environ()
	}
	p.cmd.Env, p.cmd.Dir = append(append([]string{}, env...), "PYTHONUNBUFFERED=1"), o.Dir
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		_ = sock.Close()
		return nil, nil, fmt.Errorf("%w: start %s: %w; set MINIHUB_PYTHON to an interpreter", ErrNoPython, o.Python, err)
	}
	return p, sock, nil
}

// reap waits for the child, whose socket has ended.
func (p *process) reap() {
	timer := time.AfterFunc(5*time.Second, p.kill)
	defer timer.Stop()
	_ = p.cmd.Wait()
	close(p.done)
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

func (p *process) wait() { <-p.done }

// endWithin gives the child time to end by itself.
func (p *process) endWithin(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.done:
	case <-t.C:
		p.kill()
	}
}

// hello sends the modules, before the child speaks the protocol.
func (c *conn) hello(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	head := make([]byte, 4)
	binary.BigEndian.PutUint32(head, uint32(len(data)))
	_, err = c.sock.Write(append(head, data...))
	return err
}
