package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// DefaultLogLimit is the size in bytes at which a log file is cut.
	DefaultLogLimit = 4 << 20

	followFast = 100 * time.Millisecond
	followSlow = 2 * time.Second
	// replayed is how much of an adopted process' log fills the tail.
	replayed = 32 << 10
)

// outputReader feeds the lines of a process to its sink until close, which reads what there is and waits.
type outputReader interface{ close() }

// createLog opens a new log file of mode 0600 for writing; what was there becomes path.1. owner is the user that the
// process will run as, so that it can reopen /dev/stdout; nil is the hub's user.
func createLog(path string, owner *Account) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create log directory: %w", err)
	}
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("put the previous log aside: %w", err)
	}
	// O_EXCL follows no link, O_APPEND makes truncation safe while the process writes.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create log file: %w", err)
	}
	if owner != nil {
		if err := file.Chown(int(owner.UID), int(owner.GID)); err != nil {
			file.Close()
			return nil, fmt.Errorf("give log file to user %q: %w", owner.Name, err)
		}
	}
	return file, nil
}

// follower reads a growing log file and keeps it below its limit. The process holds its own descriptor, so nothing here
// can block or end it, and it goes on writing while no hub runs.
type follower struct {
	path   string
	limit  int64
	sink   *lineSink
	file   *os.File
	offset int64
	stop   chan struct{}
	once   sync.Once
	done   chan struct{}
}

// followLog starts reading at the beginning of the file, or with replay near its end, where the lines only fill the tail.
func followLog(path string, limit int64, sink *lineSink, replay bool) (*follower, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("follow log file: %w", err)
	}
	if limit <= 0 {
		limit = DefaultLogLimit
	}
	f := &follower{path: path, limit: limit, sink: sink, file: file, stop: make(chan struct{}), done: make(chan struct{})}
	if replay {
		f.replay()
	}
	go f.run()
	return f, nil
}

func (f *follower) replay() {
	size, err := f.file.Seek(0, io.SeekEnd)
	if err != nil {
		return
	}
	f.offset = max(0, size-replayed)
	onLine := f.sink.onLine
	f.sink.onLine = nil
	f.read()
	f.sink.onLine = onLine
}

func (f *follower) run() {
	defer close(f.done)
	defer f.file.Close()
	wait := followFast
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-f.stop:
			f.read()
			f.sink.flush()
			return
		case <-timer.C:
		}
		if f.read() {
			wait = followFast
		} else {
			wait = min(wait*2, followSlow)
		}
		timer.Reset(wait)
	}
}

// read feeds what is new to the sink and says whether there was something.
func (f *follower) read() bool {
	info, err := f.file.Stat()
	if err != nil {
		return false
	}
	if info.Size() < f.offset {
		f.offset = 0 // somebody else truncated it
	}
	if info.Size() == f.offset {
		return false
	}
	n, err := io.Copy(f.sink, io.NewSectionReader(f.file, f.offset, info.Size()-f.offset))
	f.offset += n
	if err == nil && f.offset > f.limit {
		f.cut()
	}
	return n > 0
}

// cut keeps the second half of the log in path.1 and empties the file. What is written in between is lost, which a
// size limit without the process' help cannot avoid.
func (f *follower) cut() {
	keep := f.limit / 2
	old, err := os.OpenFile(f.path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, _ = io.Copy(old, io.NewSectionReader(f.file, f.offset-keep, keep))
		_ = old.Close()
	}
	if f.file.Truncate(0) == nil {
		f.offset = 0
	}
}

func (f *follower) close() {
	f.once.Do(func() { close(f.stop) })
	<-f.done
}

// pipeReader reads a process' output from a pipe; for processes which end with the hub.
type pipeReader struct {
	read *os.File
	done chan struct{}
}

func followPipe(read *os.File, sink *lineSink) *pipeReader {
	p := &pipeReader{read: read, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_, _ = io.Copy(sink, read)
		sink.flush()
	}()
	return p
}

// close reads what is in the pipe; a daemon which still holds the other end does not keep it open.
func (p *pipeReader) close() {
	_ = p.read.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-p.done
	_ = p.read.Close()
}
