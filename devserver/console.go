package devserver

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// console is the stream of all parts: each line begins with the part that it is from. Safe for concurrent use.
type console struct {
	mu      sync.Mutex
	out     io.Writer
	colours bool
	width   int
	palette map[string]int
}

// colours of prefixes: ANSI codes that can be read on light and on dark terminals.
var prefixColours = []int{36, 35, 32, 34, 33, 31, 96, 95, 92, 94}

// UseColours tells whether a stream is a terminal whose owner wants colours (no-color.org).
func UseColours(w io.Writer, getenv func(string) string) bool {
	f, ok := w.(*os.File)
	if !ok || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// newConsole returns a console whose prefixes are as wide as the widest of names.
func newConsole(out io.Writer, colours bool, names ...string) *console {
	c := &console{out: out, colours: colours, width: len("proxy"), palette: map[string]int{}}
	for _, n := range names {
		c.width = max(c.width, min(len(n), 20))
	}
	return c
}

// line writes one line of a part.
func (c *console) line(part, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	prefix := fmt.Sprintf("%-*s |", c.width, part)
	if c.colours {
		colour, ok := c.palette[part]
		if !ok {
			colour = prefixColours[len(c.palette)%len(prefixColours)]
			c.palette[part] = colour
		}
		prefix = fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, prefix)
	}
	fmt.Fprintf(c.out, "%s %s\n", prefix, strings.TrimRight(text, "\r\n"))
}

// serverLine is a line that a server printed, as the hub logs it.
var serverLine = regexp.MustCompile(`^\[[A-Z] [^\]]*\] \[([^\]]+)\] (.*)$`)

// ownLine is a request that minihub dev made itself, which would be half of the log.
var ownLine = regexp.MustCompile(`^\[[IW] [^\]]*\] [0-9]{3} [A-Z]+ .* \(` + ownService + `@`)

// hubWriter takes the hub's log. Lines that servers printed get the server's prefix.
type hubWriter struct{ c *console }

// Write implements io.Writer; each call is one or more whole lines.
func (w hubWriter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		text := strings.TrimRight(string(line), "\n")
		if m := serverLine.FindStringSubmatch(text); m != nil {
			w.c.line(m[1], m[2])
			continue
		}
		if ownLine.MatchString(text) {
			continue
		}
		w.c.line("hub", text)
	}
	return len(p), nil
}
