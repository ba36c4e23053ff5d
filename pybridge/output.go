package pybridge

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// output forwards what the child and its children print: to a writer while the configuration is read, then to the log, line by line.
// It outlives a child, because servers that the child started go on writing to it.
type output struct {
	r, file *os.File // the two ends of the pipe
	read    sync.WaitGroup

	mu   sync.Mutex
	w    io.Writer
	log  *slog.Logger
	line []byte
	tail tailBuffer
}

func newOutput(w io.Writer) (*output, error) {
	r, file, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the output of python: %w", err)
	}
	o := &output{r: r, file: file, w: w}
	o.read.Add(1)
	go func() {
		defer o.read.Done()
		_, _ = io.Copy(o, r)
	}()
	return o, nil
}

// maxLine bounds a line of output that has no end.
const maxLine = 8 << 10

// Write never fails: a child must not end because nobody reads what it prints.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.tail.Write(p)
	if o.log == nil {
		if o.w != nil {
			_, _ = o.w.Write(p)
		}
		return len(p), nil
	}
	o.line = append(o.line, p...)
	for {
		i := bytes.IndexByte(o.line, '\n')
		if i < 0 && len(o.line) > maxLine {
			i = len(o.line) - 1
		}
		if i < 0 {
			return len(p), nil
		}
		o.emit(o.line[:i])
		o.line = append([]byte{}, o.line[i+1:]...)
	}
}

func (o *output) emit(line []byte) {
	if text := string(bytes.TrimRight(line, "\r\n")); text != "" {
		o.log.Info("[python] " + text)
	}
}

// use sends everything from now on to a log.
func (o *output) use(log *slog.Logger) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = log
}

// hint is the end of the output, for the error of a child that died.
func (o *output) hint() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tail.hint()
}

// drain waits until what a dead child wrote has been read.
func (o *output) drain() { time.Sleep(50 * time.Millisecond) }

// close reads what is there and gives up the pipe.
func (o *output) close() {
	_ = o.file.Close()
	_ = o.r.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // servers may hold the other end
	o.read.Wait()
	_ = o.r.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.log != nil {
		o.emit(o.line)
	}
	o.line = nil
}
