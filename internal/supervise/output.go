package supervise

import (
	"bytes"
	"strings"
	"sync"
)

const (
	tailLines = 40
	// lineLimit is in bytes. What is longer is cut: a progress bar without line ends must not fill the hub's memory.
	lineLimit = 4096
)

// tail keeps the last lines of a process' output.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		copy(t.lines, t.lines[1:])
		t.lines = t.lines[:tailLines-1]
	}
	t.lines = append(t.lines, line)
}

func (t *tail) snapshot() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

// lineSink cuts a stream into lines for the tail and the callback. It belongs to one goroutine.
type lineSink struct {
	tail   *tail
	onLine func(string)
	hide   *strings.Replacer // of the process' own secrets; nil: none
	buf    []byte
	cut    bool // the rest of the current line is dropped
}

// Write never fails, so that a copy loop goes on draining.
func (s *lineSink) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.keep(p)
			return n, nil
		}
		s.keep(p[:end])
		s.emit()
		p = p[end+1:]
	}
	return n, nil
}

func (s *lineSink) keep(part []byte) {
	if room := lineLimit - len(s.buf); len(part) > room {
		part, s.cut = part[:room], true
	}
	s.buf = append(s.buf, part...)
}

func (s *lineSink) emit() {
	line := strings.ToValidUTF8(string(bytes.TrimSuffix(s.buf, []byte("\r"))), "\uFFFD")
	if s.cut {
		line += "…"
	}
	s.buf, s.cut = s.buf[:0], false
	if s.hide != nil {
		line = s.hide.Replace(line)
	}
	s.tail.add(line)
	if s.onLine != nil {
		s.onLine(line)
	}
}

// flush emits a last line which has no end.
func (s *lineSink) flush() {
	if len(s.buf) > 0 {
		s.emit()
	}
}
